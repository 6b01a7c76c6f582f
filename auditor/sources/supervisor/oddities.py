"""Making an Oddity, with its place, and hiding what must not be told."""

from __future__ import annotations

from auditor.facts.origin import Mark, Origin, declared
from auditor.facts.redaction import HIDDEN, redact
from auditor.facts.supervisor import Oddity

_FIELDS = ("kind", "refuses", "detail", "section", "setting", "value")
_LONGEST = 200


def oddity(
    kind: str,
    detail: str,
    place: Origin,
    *,
    refuses: bool = False,
    section: str | None = None,
    setting: str | None = None,
    value: str | None = None,
) -> Oddity:
    """An Oddity whose every field is placed there."""
    mark: Mark = declared(place)
    return Oddity(
        kind=kind,
        refuses=refuses,
        detail=shorten(redact(detail)),
        section=section,
        setting=setting,
        value=None if value is None else shorten(redact(value)),
        marks=dict.fromkeys(_FIELDS, mark),
    )


def shorten(text: str) -> str:
    """At most a readable length of it."""
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def hide(name: str, value: str) -> str:
    """The value of an option of that name, as it may be shown."""
    if name == "password":
        return HIDDEN if value else ""
    if name == "environment" or "\n" not in value:
        return redact(f"{name}={value}")[len(name) + 1 :]
    return "\n".join(redact(line) for line in value.split("\n"))


def hide_pairs(pairs: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """The variables of an environment, secrets hidden."""
    return tuple((name, redact(f'{name}="{value}"')[len(name) + 2 : -1]) for name, value in pairs.items())
