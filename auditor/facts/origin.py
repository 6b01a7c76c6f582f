"""Where a fact comes from, and how much it can be trusted."""

from __future__ import annotations

import enum
import functools
import math
from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from auditor.facts.redaction import redact

NEVER = math.inf
"""A limit that is not there: `--timeout=0`."""

Seconds = Annotated[float, msgspec.Meta(extra={"unit": "s"})]
"""A duration in seconds; NEVER where there is no limit."""
MiB = Annotated[float, msgspec.Meta(extra={"unit": "MiB"})]
"""An amount of memory or disk in MiB (1,048,576 bytes); NEVER where there is no limit."""

Version = Annotated[tuple[int, ...], msgspec.Meta(extra={"unit": "version"})]
"""A release as numbers: (8, 83, 26); a rule writes it as text, "8.83"."""


class Grade(enum.StrEnum):
    """How a fact is known."""

    DECLARED = "declared"
    """It is written at its origin."""
    DEFAULT = "default"
    """Nothing is written; it is the documented default of the version in use."""
    OBSERVED = "observed"
    """A live server or process said so."""
    UNKNOWN = "unknown"
    """It cannot be known from here; the reason tells why."""


class Origin(msgspec.Struct, frozen=True, gc=False):
    """One place in a file, as the reader of a report would open it."""

    file: str
    """Path relative to the audited root, with forward slashes."""
    line: int | None = None
    """Line from 1, or None for the file as a whole."""
    text: str = ""
    """That line as it is written, secrets hidden, without its line end."""


def origin(file: str, line: int | None = None, text: str = "") -> Origin:
    """An Origin whose text has its secrets hidden and is cut to a readable length."""
    text = text.rstrip("\r\n")
    if len(text) > 400:
        text = text[:400] + " …"
    return Origin(file, line, _shown(text))


@functools.lru_cache(maxsize=4096)
def _shown(line: str) -> str:
    """The line, secrets hidden: the files of one host say the same in most of their lines."""
    return redact(line)


class Mark(msgspec.Struct, frozen=True, gc=False):
    """How one field of a fact is known."""

    grade: Grade
    """Declared, default, observed or unknown."""
    origin: Origin | None = None
    """Where it is written, or None where nothing is."""
    reason: str | None = None
    """For unknown: why, as a clause that reads on after "because"."""


DEFAULT = Mark(Grade.DEFAULT)


def declared(place: Origin | None) -> Mark:
    """It is written there."""
    return Mark(Grade.DECLARED, place)


def observed(place: Origin | None = None) -> Mark:
    """A live server or process said so."""
    return Mark(Grade.OBSERVED, place)


def unknown(reason: str, place: Origin | None = None) -> Mark:
    """It cannot be known, and why (a clause without a full stop)."""
    return Mark(Grade.UNKNOWN, place, reason)


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """The base of every fact: plain typed fields, and beside them a mark for each field that is not a plain default.

    A field that is unknown holds its class's default value and a mark that says so; whoever judges looks at the mark.
    """

    marks: dict[str, Mark] = {}
    """Field name to how it is known; a field without a mark is a documented default."""

    def mark(self, field: str) -> Mark:
        """How this field is known."""
        return self.marks.get(field, DEFAULT)

    @property
    def place(self) -> Origin | None:
        """Where the thing itself stands: where its name is declared, else the first of its fields that has a place."""
        named = self.marks.get("name")
        if named is not None and named.origin is not None:
            return named.origin
        return next((m.origin for m in self.marks.values() if m.origin is not None), None)

    def where(self, _field: str) -> Origin | None:
        """Where a field that is not written would be written."""
        return self.place

    def overridden(self, _field: str) -> tuple[Origin, ...]:
        """Where else a field is written, without effect: what its mark's place overrides."""
        return ()

    def label(self, field: str) -> str:
        """How a field is called where it is written."""
        return field

    def is_unknown(self, field: str) -> bool:
        """Whether this field cannot be known."""
        mark = self.marks.get(field)
        return mark is not None and mark.grade is Grade.UNKNOWN


def derived(*fields: str, kept: bool = False) -> Callable[[Callable[[Any], Any]], property]:
    """A property computed from these dotted facts of the same object: unknown where one of them is, placed where they are.

    With `kept` it is computed once for each object: for what rules ask of a whole again for each of its many parts. The
    class is then one with a __dict__ (`dict=True`).
    """

    def wrap(function: Callable[[Any], Any]) -> property:
        if kept:
            function = _keeping(function)
        function.__derived__ = fields  # type: ignore[attr-defined] # the weigher and the rules' type checker read it
        return property(function)

    return wrap


def _keeping(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    name = f"_{function.__name__}"

    def kept(fact: Any) -> Any:
        held = fact.__dict__
        if name not in held:
            held[name] = function(fact)
        return held[name]

    return functools.update_wrapper(kept, function)
