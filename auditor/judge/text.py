"""Texts of a rule with `{{ expression | unit }}` in them: messages, advice, reasons."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from auditor.facts.origin import Fact
from auditor.judge.expression import UNKNOWN, Expression, Refused, parse
from auditor.patterns import late

_HOLE = late(r"\{\{(?P<inside>.*?)\}\}", re.DOTALL)
_FILTER = late(r"^(?P<text>.*)\|\s*(?P<filter>[a-z]+)\s*$", re.DOTALL)


def number(value: float) -> str:
    """3600 as "3600", 0.5 as "0.5", no limit as "never"."""
    if value == math.inf:
        return "never"
    if math.isnan(value):  # a rule's own sum of what has no limit
        return "no number"
    return str(int(value)) if value == int(value) else f"{value:g}"


def seconds(value: float) -> str:
    """3600 as "3600 s", no limit as "no limit"."""
    return "no limit" if value == math.inf else f"{number(value)} s"


def duration(value: float) -> str:
    """How long something has lasted, to its two largest units: 45 as "45 s", 7260 as "2 h 1 min", 97200 as "1 d 3 h"."""
    if not math.isfinite(value):
        return seconds(value)
    rest = max(int(value), 0)
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
    return " ".join(part for part in parts[:2] if part) or "0 s"


def mib(value: float) -> str:
    """2048 as "2048 MiB"."""
    return "no limit" if value == math.inf else f"{number(round(value, 1))} MiB"


def listed(value: tuple[Any, ...]) -> str:
    """Texts as "a, b and c"."""
    items = [str(item) for item in value]
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else "none"


class Filter(NamedTuple):
    """How a value is written in a text."""

    kind: str
    """The kind of value it takes."""
    write: Callable[[Any], str]
    """Value to text."""


FILTERS: Mapping[str, Filter] = {
    "seconds": Filter("number", seconds),
    "duration": Filter("number", duration),
    "mib": Filter("number", mib),
    "number": Filter("number", number),
    "percent": Filter("number", lambda value: f"{round(value * 100)} %"),
    "list": Filter("list", listed),
    "release": Filter("version", lambda value: ".".join(map(str, value)) or "unknown"),
}


class Text:
    """A text whose holes have been checked."""

    __slots__ = ("parts", "source")

    def __init__(self, source: str, parts: tuple[str | tuple[Expression, str], ...]) -> None:
        """Hold the literal parts and the holes (expression, filter name or "")."""
        self.source = source
        self.parts = parts

    def facts(self) -> tuple[str, ...]:
        """Every fact its holes name."""
        return tuple(f for part in self.parts if not isinstance(part, str) for f in part[0].facts)

    def fill(self, value: Callable[[Expression], Any]) -> str:
        """The text for one subject, by what tells an expression's value for it; what is unknown reads "unknown"."""
        return "".join([part if isinstance(part, str) else _written(value(part[0]), part[1]) for part in self.parts])


def _written(value: Any, filter_name: str) -> str:
    if value is UNKNOWN:
        return "unknown"
    if value is None:
        return "none"
    if filter_name:
        return FILTERS[filter_name].write(value)
    if isinstance(value, tuple):
        return listed(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return number(value) if isinstance(value, int | float) else str(value)


def parse_text(
    source: str, roots: Mapping[str, type[Fact]], let: Mapping[str, Any], guard: Expression | None = None
) -> Text:
    """Check a text's holes, which are filled only where `guard` holds; raises Refused."""
    parts: list[str | tuple[Expression, str]] = []
    end = 0
    for hole in _HOLE.finditer(source):
        parts.append(source[end : hole.start()])
        end = hole.end()
        inside, name = hole["inside"].strip(), ""
        if found := _FILTER.match(inside):
            inside, name = found["text"].strip(), found["filter"]
            if name not in FILTERS:
                raise Refused(f"there is no filter “{name}”; there are {', '.join(sorted(FILTERS))}")
        expression = parse(inside, roots, let, None, guard)
        if name and expression.kind != FILTERS[name].kind:
            raise Refused(f"“{inside}” is a {expression.kind}; the filter {name} takes a {FILTERS[name].kind}")
        parts.append((expression, name))
    parts.append(source[end:])
    if any("{{" in part or "}}" in part for part in parts if isinstance(part, str)):
        raise Refused("a {{ is not closed by }}")
    return Text(source, tuple(part for part in parts if part))
