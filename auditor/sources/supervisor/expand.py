"""Supervisor's `%(name)s` expansion, with what only the running daemon knows left as it is written."""

from __future__ import annotations

import re

import msgspec

from auditor.facts.redaction import HIDDEN
from auditor.patterns import late

# A template's placeholder: what the file will say is not known before it is rendered.
PLACEHOLDER = late(
    r"\{\{|\{%|\$\{[A-Za-z_]\w*|<%|%%[A-Z][A-Z0-9_]*%%|\[\[ ?[\w.-]+ ?\]\]|<[A-Za-z][\w-]*>|@[A-Z][A-Z0-9_]+@"
)
_DOUBLED = late(r"%%([A-Z][A-Z0-9_]*)%%")
_MANY_DIGITS = late(r"\d{4}")


class Names(dict[str, object]):
    """What can be expanded at one place; ENV_* that no environment= defines stand for themselves, and are noted."""

    def __init__(self, known: dict[str, object], *, host: bool = True, stand_ins: bool = False) -> None:
        """Begin with these; `host` tells whether host_node_name may be used here.

        With `stand_ins`, what is unknown and what is secret becomes a plain word, so that environment= can be cut into
        tokens all the same, whatever the value; `restore` puts back what it stands for.
        """
        super().__init__(known)
        self.host = host
        self.symbols: list[str] = []
        self.whole = False
        self.words: dict[str, str] | None = None
        if stand_ins:
            self.words = {}
            for name, value in known.items():
                if isinstance(value, str) and HIDDEN in value:
                    self[name] = self._stand_in(value)

    def __missing__(self, key: str) -> str:
        """What is written, for what only the running daemon knows; KeyError for what it does not know either."""
        if key.startswith("ENV_") or (self.host and key == "host_node_name"):
            self.symbols.append(key)
            return self.symbol(key)
        raise KeyError(key)

    def symbol(self, key: str) -> str:
        """How an unknown name shows in the result."""
        written = f"%({key})s"
        return written if self.words is None else self._stand_in(written)

    def _stand_in(self, value: str) -> str:
        assert self.words is not None
        word = f"xSYMBOLx{len(self.words)}x"
        self.words[word] = value
        return word

    def restore(self, value: str) -> str:
        """The value with what its stand-ins stand for."""
        words = self.words
        if words and "xSYMBOLx" in value:
            return re.sub(r"xSYMBOLx\d+x", lambda match: words.get(match[0], match[0]), value)
        return value

    def __repr__(self) -> str:
        """Asked for by a bare `%s` alone, for which Python puts in the whole mapping."""
        self.whole = True
        return "{...}"

    __str__ = __repr__


class Expanded(msgspec.Struct, gc=False):
    """What came of one value."""

    text: str
    """The value after expansion; as it was where it could not be done."""
    symbols: tuple[str, ...] = ()
    """The names in it that only the running daemon knows: ENV_X, host_node_name."""
    kind: str | None = None
    """bad-percent or unknown-expansion where it is at fault."""
    fault: str = ""
    """What is at fault, as a clause."""
    refused: bool = False
    """Whether supervisord refuses the value for that."""


def expand(raw: str, names: Names) -> Expanded:
    """Expand as Python's `raw % names` does, which is what supervisor uses."""
    if "%" not in raw:
        return Expanded(raw)
    if _MANY_DIGITS.search(raw) and _is_wide(raw):
        return Expanded(raw, (), "bad-percent", "it pads a value to thousands of characters", False)
    names.symbols = []
    names.whole = False
    try:
        # %%NAME%% is what scripts fill in by sed, and stays recognizable as that.
        text = (_DOUBLED.sub(r"%%%%\1%%%%", raw) if "%%" in raw else raw) % names
    except KeyError as error:
        name = str(error.args[0])
        return Expanded(raw, (), "unknown-expansion", f"%({name})s is not known here", True)
    except (TypeError, ValueError, OverflowError) as error:
        return Expanded(raw, tuple(names.symbols), "bad-percent", _why(raw, error), True)
    if names.whole:
        return Expanded(raw, (), "bad-percent", f'"{_piece(raw)}" becomes the text of all known names', False)
    return Expanded(text, tuple(names.symbols))


def _why(raw: str, error: Exception) -> str:
    if "incomplete format" in str(error):
        return "a % stands at its end, or a %( is not closed"
    return f'"{_piece(raw)}" is no %(name)s, and a plain % must be written %%'


def _piece(raw: str) -> str:
    """The first `%` that is neither doubled nor followed by a closed name and a letter, with what follows it."""
    at = raw.find("%")
    while 0 <= at < len(raw):
        if raw.startswith("%%", at):
            at = raw.find("%", at + 2)
            continue
        if raw.startswith("%(", at):
            close = raw.find(")", at)
            if close > 0 and close + 1 < len(raw) and (raw[close + 1].isalnum() or raw[close + 1] in "#-+. "):
                at = raw.find("%", close)
                continue
        break
    if at < 0:
        at = raw.find("%")
    return raw[at : at + 2]


def _is_wide(raw: str) -> bool:
    """Whether some `%` form asks for a width or precision of four digits or more."""
    at = raw.find("%")
    while at >= 0:
        at += 1
        if raw.startswith("(", at):
            depth = 0
            while at < len(raw):
                depth += (raw[at] == "(") - (raw[at] == ")")
                at += 1
                if depth == 0:
                    break
        digits = 0
        while at < len(raw) and raw[at] in "#0- +.123456789":
            digits = digits + 1 if raw[at].isdigit() else 0
            if digits > 3:
                return True
            at += 1
        at = raw.find("%", at + 1)
    return False
