"""One option at a time: expanded, converted, marked; what supervisord refuses is noted where it is written."""

from __future__ import annotations

import re
from typing import Any

from auditor.facts.origin import Mark, unknown
from auditor.facts.supervisor import Oddity
from auditor.patterns import late
from auditor.sources.supervisor.environment import parse
from auditor.sources.supervisor.expand import PLACEHOLDER, Expanded, Names, expand
from auditor.sources.supervisor.merge import Merged, Text, Written
from auditor.sources.supervisor.oddities import oddity
from auditor.sources.supervisor.values import Converter, Refused

_MAYBE_PLACEHOLDER = late(r"[{$<%\[@]")
_TEMPLATED = "it is a template's placeholder"
# Values that are paths or names, so quotes around them become a part of them; True where supervisord then refuses.
_QUOTED = {
    "stdout_logfile": True,
    "stderr_logfile": True,
    "logfile": True,
    "pidfile": True,
    "childlogdir": True,
    "user": True,
    "directory": False,
    "file": False,
    "process_name": False,
    "command": False,
}


class Fields:
    """The fields of one fact, as they are read: `values` and `marks`, to be handed to its constructor."""

    __slots__ = ("marks", "values")

    def __init__(self) -> None:
        """Nothing read yet: every field is a default."""
        self.values: dict[str, Any] = {}
        self.marks: dict[str, Mark] = {}


class Reading:
    """All that is read from one Text, and what is odd about it."""

    def __init__(self, text: Text) -> None:
        """Read from this text."""
        self.text = text
        self.oddities: list[Oddity] = list(text.oddities)
        self._told: set[tuple[int, str]] = set()

    def odd(self, kind: str, detail: str, written: Written, section: Merged, *, refuses: bool = False) -> None:
        """Note something odd about one assignment, once."""
        key = (id(written), kind)
        if key in self._told:
            return
        self._told.add(key)
        self.oddities.append(
            oddity(
                kind,
                detail,
                written.origin,
                refuses=refuses,
                section=section.name,
                setting=written.name,
                value=written.shown,
            )
        )

    def refuse(self, written: Written, why: str, kind: str | None = None) -> None:
        """Note that supervisord refuses this assignment."""
        if written.refusal is None:
            written.refusal, written.oddity = why, kind

    def expand(self, written: Written, section: Merged, names: Names, *, strict: bool = True) -> Expanded:
        """Expand one value and tell what is odd about that; `strict`: supervisord reads it, so a fault refuses."""
        done = expand(written.value, names)
        if done.kind is not None:
            if strict:
                self.odd(done.kind, done.fault, written, section, refuses=done.refused)
                if done.refused:
                    self.refuse(written, done.fault, done.kind)
        elif done.symbols and strict:
            self.undefined(done.symbols, written, section)
        return done

    def undefined(self, symbols: tuple[str, ...], written: Written, section: Merged) -> None:
        """Tell of the environment variables that no environment= defines."""
        for symbol in dict.fromkeys(symbols):
            key = (id(written), symbol)
            if symbol.startswith("ENV_") and key not in self._told:
                self._told.add(key)
                self.oddities.append(
                    oddity(
                        "env-undefined",
                        f"%({symbol})s needs {symbol[4:]} in the environment supervisord is started with",
                        written.origin,
                        section=section.name,
                        setting=written.name,
                        value=symbol[4:],
                    )
                )

    def read(
        self,
        section: Merged,
        option: str,
        convert: Converter,
        names: Names,
        into: Fields,
        *,
        strict: bool = True,
        twice: bool = False,
    ) -> Written | None:
        """Read one option into a fact's fields; `twice`: supervisor expands it twice.

        An option that is not written leaves the default and no mark; one that is unknown or refused leaves the default
        and an unknown mark.
        """
        written = self.text.get(section, option)
        if written is None:
            return None
        value = written.value
        if value and value[0] in "\"'" and value[-1] == value[0] and len(value) > 1:
            self.quoted(written, section, strict=strict)
        if is_placeholder(value):
            into.marks[option] = unknown(_TEMPLATED, written.origin)
            return written
        if "%" in value:
            done = self.expand(written, section, names, strict=strict)
            if twice and done.kind is None and "%" in done.text:
                again = expand(done.text, names)
                if again.kind is not None and strict:
                    fault = f"it is expanded twice, and after the first time {again.fault}"
                    self.odd(again.kind, fault, written, section, refuses=again.refused)
                    if again.refused:
                        self.refuse(written, fault, again.kind)
                done = again
            if done.kind is not None:
                into.marks[option] = unknown(done.fault, written.origin)
                return written
            if done.symbols:
                into.marks[option] = unknown(because(done.symbols), written.origin)
                return written
            value = done.text
        try:
            into.values[option] = convert(value)
        except Refused as refused:
            if strict:
                self.refuse(written, str(refused))
            into.marks[option] = unknown(f"supervisord refuses it: {refused}", written.origin)
            return written
        into.marks[option] = written.mark
        return written

    def environment(self, section: Merged, names: Names, *, twice: bool = False, strict: bool = True) -> Environment:
        """The pairs of a section's environment=."""
        written = self.text.get(section, "environment")
        if written is None:
            return Environment(None, {}, None)
        templated = is_placeholder(written.value)
        strict = strict and not templated
        stand_ins = Names(names, host=names.host, stand_ins=True)
        done = self.expand(written, section, stand_ins, strict=strict)
        if twice and done.kind is None and "%" in done.text:
            stand_ins.host = True
            again = expand(done.text, stand_ins)
            if again.kind is not None and strict:
                fault = f"up to 4.3.0 it is expanded twice, and after the first time {again.fault}"
                self.odd(again.kind, fault, written, section, refuses=again.refused)
                if again.refused:
                    self.refuse(written, fault, again.kind)
            done = again
        if done.kind is not None:
            why = _TEMPLATED if templated else done.fault
            return Environment(written, {}, unknown(why, written.origin))
        pairs = parse(done.text)
        if pairs.refusal is not None:
            if strict:
                self.odd("environment-refused", pairs.refusal, written, section, refuses=True)
                self.refuse(written, pairs.refusal, "environment-refused")
            return Environment(written, {}, unknown(_TEMPLATED if templated else pairs.refusal, written.origin))
        if pairs.corruption is not None and strict:
            self.odd("environment-corrupted", pairs.corruption, written, section)
        found = pairs.pairs
        if stand_ins.words:
            found = {stand_ins.restore(name): stand_ins.restore(value) for name, value in found.items()}
        return Environment(written, found, written.mark)

    def quoted(self, written: Written, section: Merged, *, strict: bool) -> None:
        """Tell of quotes that are meant to go around a value, and are a part of it."""
        refuses = _QUOTED.get(written.name)
        if refuses is None or not strict:
            return
        inner = written.value[1:-1]
        if written.value[0] in inner or (written.name == "command" and not re.search(r"\s", inner)):
            return
        if written.name.endswith("file") and "/" not in inner:
            refuses = False
        detail = f"the quotes are part of the {'path' if '/' in inner else 'value'}: supervisor takes none off"
        if written.name == "command":
            detail = "the quotes make one word of it, and no program has that name"
        self.odd("quoted-value", detail, written, section, refuses=refuses)
        if refuses:
            self.refuse(written, detail, "quoted-value")


class Environment:
    """What one environment= gives: where it is written (or None), its true pairs, and how they are known."""

    __slots__ = ("mark", "pairs", "written")

    def __init__(self, written: Written | None, pairs: dict[str, str], mark: Mark | None) -> None:
        """As read."""
        self.written = written
        self.pairs = pairs
        self.mark = mark


def is_placeholder(value: str) -> bool:
    """Whether a template's placeholder stands in it."""
    return (
        not value.isalnum() and _MAYBE_PLACEHOLDER.search(value) is not None and PLACEHOLDER.search(value) is not None
    )


def because(symbols: tuple[str, ...]) -> str:
    """Why a value with these names in it is not known, as a clause."""
    return f"it holds %({symbols[0]})s, which only the running supervisord knows"
