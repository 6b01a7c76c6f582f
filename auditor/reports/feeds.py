"""How bank feeds stand, for a person, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from auditor.facts.backend import OUTCOMES, Probe
from auditor.facts.bank import BankFeed
from auditor.facts.invoiceninja import Ninja
from auditor.feeds import STATES, Looked, Standing, of_the_app
from auditor.reports.console import Paint, coloured, plain
from auditor.reports.json_report import written

FORMAT = 1
"""Version of the JSON; it grows by one when a reader of the older one could misread it."""
_FIELDS = (
    "id", "bank", "institution", "status", "provider_status", "requisition_status", "disabled", "auto_sync", "last_data",
    "connected", "idle_days", "ask_every_days", "closes_after_days", "days_left", "closes_on", "accepted",
    "agreement_days", "agreement_left", "ends_on", "last_accessed",
)  # fmt: skip
_PAINTS: Mapping[str, str] = {
    "fine": "clean",
    "watch": "warning",
    "danger": "error",
    "off": "dim",
    "unknown": "warning",
}


def console(looked: Sequence[Looked], *, colour: bool = False) -> str:
    """A paragraph for each app and each feed, those in danger first; then their number."""
    paint: Paint = coloured if colour else plain
    blocks = []
    for one in looked:
        blocks.append("\n".join(_app(one)))
        blocks += ["\n".join(_feed(standing, paint)) for standing in one.standings]
    answered = [one for one in looked if one.state is not None]
    if answered:
        blocks.append(_sum([standing for one in answered for standing in one.standings]))
    return "\n\n".join(blocks) + "\n"


def _app(one: Looked) -> list[str]:
    lines = [f"{one.ninja.spoken} {_release(one.ninja)}".rstrip(), *(f"  {note}." for note in of_the_app(one))]
    lines += [f"  not answered: {probe.name}: {probe.reason}." for probe in one.unanswered]
    if one.state is not None and not one.standings:
        lines.append("  it has no bank feed of GoCardless (Nordigen).")
    return lines


def _release(ninja: Ninja) -> str:
    return ".".join(map(str, ninja.version))


def _feed(standing: Standing, paint: Paint) -> list[str]:
    feed = standing.feed
    lines = [f"{paint(f'{standing.state:<7}', _PAINTS[standing.state])}  {feed.name}", f"  {standing.reason}."]
    left = _left(feed)
    if left and standing.state != "off":
        lines.append(f"  days left: {', '.join(left)}")
    if standing.todo:
        now = ", now" if standing.state == "danger" else ""
        lines.append(f"  to do{f', by {standing.by}' if standing.by else now}: {standing.todo}.")
    return lines


def _left(feed: BankFeed) -> list[str]:
    left = []
    if feed.days_left is not None and not feed.is_unknown("idle_days") and feed.days_left > 0:
        left.append(f"{feed.days_left:g} until the bank ends the access without data ({feed.closes_on})")
    if feed.agreement_left is not None and feed.agreement_left > 0:
        left.append(f"{feed.agreement_left:g} of the consent ({feed.ends_on})")
    return left


def _sum(standings: Sequence[Standing]) -> str:
    counts = {state: sum(1 for one in standings if one.state == state) for state in STATES}
    told = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    return f"{len(standings)} feed{'' if len(standings) == 1 else 's'}{f': {told}' if told else ''}"


def as_json(looked: Sequence[Looked], *, version: str) -> str:
    """One JSON object; a figure that is not known is null, and "unknown" says why."""
    found = {"format": FORMAT, "tool": "queue-auditor", "version": version, "apps": [_plain_app(one) for one in looked]}
    return written(found, indent=2) + "\n"


def _plain_app(one: Looked) -> dict[str, Any]:
    return {
        "app": one.ninja.name,
        "release": _release(one.ninja) or None,
        "generation": None if one.ninja.is_unknown("generation") else one.ninja.generation,
        "asked": [_plain_probe(probe) for probe in one.probes],
        "notes": list(of_the_app(one)),
        "feeds": [_plain_feed(standing) for standing in one.standings],
    }


def _plain_probe(probe: Probe) -> dict[str, Any]:
    return {"kind": probe.kind, "name": probe.name, "outcome": probe.outcome, "reason": probe.reason}


def _plain_feed(standing: Standing) -> dict[str, Any]:
    feed = standing.feed
    fields: dict[str, Any] = {}
    for field in _FIELDS:
        rests_on = getattr(getattr(getattr(BankFeed, field), "fget", None), "__derived__", (field,))
        fields[field] = None if any(feed.is_unknown(name) for name in rests_on) else getattr(feed, field)
    return {
        "name": feed.name, "state": standing.state, "reason": standing.reason, "todo": standing.todo, "by": standing.by,
        **fields, "unknown": {name: mark.reason for name, mark in feed.marks.items() if mark.reason is not None},
    }  # fmt: skip


def schema() -> dict[str, Any]:
    """The JSON Schema of what as_json() writes."""
    from typing import get_type_hints

    import msgspec

    types = {field.name: field.type for field in msgspec.structs.fields(BankFeed)}
    text, texts = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
    maybe = {"type": ["string", "null"]}
    figures = {
        name: msgspec.json.schema((types.get(name) or get_type_hints(getattr(BankFeed, name).fget)["return"]) | None)
        for name in _FIELDS
    }
    feed = {
        "name": text, "state": {"enum": list(STATES)}, "reason": text, "todo": text, "by": maybe, **figures,
        "unknown": {"type": "object", "additionalProperties": text},
    }  # fmt: skip
    asked = {"kind": text, "name": text, "outcome": {"enum": list(OUTCOMES)}, "reason": text}
    app = {
        "app": text, "release": maybe, "generation": maybe, "notes": texts,
        "asked": {"type": "array", "items": _object(asked)},
        "feeds": {"type": "array", "items": _object(feed)},
    }  # fmt: skip
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What `queue-auditor bank --format json` writes",
        **_object(
            {
                "format": {"const": FORMAT},
                "tool": {"const": "queue-auditor"},
                "version": text,
                "apps": {"type": "array", "items": _object(app)},
            }
        ),
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object", "properties": properties, "required": list(properties), "additionalProperties": False
    }  # fmt: skip
