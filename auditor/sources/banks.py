"""The table of banks: the one that is shipped, and a user's own laid over it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from auditor.dialects import yaml_table, yaml_text
from auditor.errors import Unreadable
from auditor.facts.bank import Bank, Banks, Consent, Provider
from auditor.places import data_dir

SHIPPED = "banks.yaml"


class BanksRefused(Unreadable):
    """A table of banks is not one: its file, the line and why."""


class _Own(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A user's own file: every part of it may be left out."""

    provider: Provider | None = None
    banks: tuple[Bank, ...] = ()
    consents: tuple[Consent, ...] = ()


def load_banks(files: Sequence[str] = ()) -> Banks:
    """The shipped table, with those of a user's files laid over it, the last one uppermost; raises BanksRefused."""
    shipped = read_banks(data_dir("templates") / SHIPPED)
    assert shipped.provider is not None  # the shipped table names it
    own = [read_banks(Path(file)) for file in reversed(files)]
    return Banks(
        provider=next((one.provider for one in own if one.provider is not None), shipped.provider),
        banks=tuple(bank for one in (*own, shipped) for bank in one.banks),
        consents=tuple(consent for one in own for consent in one.consents),
    )


def read_banks(path: Path) -> _Own:
    """One file, checked."""
    name = str(path) if path.name != SHIPPED else SHIPPED
    found, lines = yaml_table.read(path, name, _Own, BanksRefused)
    _check(found, name, lines)
    return found


def _check(found: _Own, name: str, lines: yaml_text.Lines) -> None:
    """What no type says: dates are days, sources are addresses, figures are above 0."""
    plain: dict[str, Any] = msgspec.to_builtins(found)
    pending: list[tuple[tuple[str | int, ...], Any]] = [((), plain)]
    while pending:
        at, value = pending.pop()
        if isinstance(value, dict):
            pending += [((*at, key), one) for key, one in value.items()]
        elif isinstance(value, list | tuple):
            pending += [((*at, index), one) for index, one in enumerate(value)]
        elif value is None:
            continue
        elif (problem := _wrong(at[-1], value)) is not None:
            raise BanksRefused(name, problem, yaml_table.line_of(lines, at))


def _wrong(key: str | int, value: Any) -> str | None:
    if key == "source" and not str(value).startswith("https://"):
        return f"a source is an https address, and “{value}” is none"
    if key in ("date", "accepted") and not _is_day(str(value)) and not (key == "date" and value == "undated"):
        return f"“{value}” is no day such as 2024-08-15"
    if key in ("figure", "days") and not 0 < value < 10_000:
        return f"{value:g} is no number of days or calls"
    if key in ("institution", "name", "text") and not str(value).strip(" *"):
        return f"“{key}” is empty"
    return None


def _is_day(text: str) -> bool:
    import datetime

    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10
