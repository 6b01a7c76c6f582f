"""A `.env` file as phpdotenv 5.6 and Laravel's `env()` understand it.

The grammar is unlike a shell's and unlike other dotenv readers': `A=b#c` is `b`, `A=my app` stops the application from
booting, and a quote that is opened after `=` and never closed swallows the rest of the file without a word. Checked
against the real phpdotenv in tests/dotenv. Every step is linear in the size of the file.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping

import msgspec

from auditor.errors import Unreadable
from auditor.facts.origin import Version
from auditor.facts.redaction import redact
from auditor.patterns import late

MAX_EXPANDED = 32 * 1024 * 1024
"""References may multiply text; beyond so many characters in all values together, PHP would run out of memory."""
_SHOWN = 200

_TRIMMED = " \t\n\r\0\x0b"  # what PHP's trim() takes off
_BLANK = " \t\n\r\x0b\x0c"  # what its ctype_space() accepts
# Stands for a `$` that may begin a reference; decoded text never holds a lone surrogate.
_DOLLAR = "\ud800"

_LINE_END = late(r"\r\n|\n|\r")
_CLOSING_QUOTE = late(r'(?<=[^\\])"')
_ASCII_NAME = late(r"[A-Za-z0-9_.]+\Z")
_SINGLE = late(r"[^']*")
_DOUBLE = late(r'[^"\\]*')
_PLAIN = late(r"[^\s#]*", re.ASCII)
_SPACE = late(r"\s*", re.ASCII)
_LEADING = late(r"[^\S\r\n]{0,1000}", re.ASCII)
_REFERENCE = late(r"\{([A-Za-z0-9_.]+)\}")
_OPEN_REFERENCE = late(r"\{[A-Za-z0-9_.]*\Z")
_ESCAPES = {"f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_WORDS: dict[str, str | bool | None] = {
    "true": True,
    "(true)": True,
    "false": False,
    "(false)": False,
    "empty": "",
    "(empty)": "",
    "null": None,
    "(null)": None,
}
_QUOTED = late(r"(['\"])(.*)\1\Z")
_BOTH_QUOTES_SINCE: Version = (5, 8)


class Entry(msgspec.Struct, frozen=True):
    """One assignment of the file."""

    name: str
    """The variable's name."""
    template: str | None
    """The value without quotes and escapes, its references not yet filled in; None for a name without `=`."""
    line: int
    """The line it begins on, from 1."""
    last_line: int
    """The line it ends on: another one where its quotes span lines."""

    @property
    def value(self) -> str | None:
        """The value as it is written, references left as they are; None for a name without `=`, which unsets it."""
        return None if self.template is None else self.template.replace(_DOLLAR, "$")


class Refusal(msgspec.Struct, frozen=True):
    """Why phpdotenv refuses the whole file, so that the application does not boot."""

    line: int
    """The line at which the refused assignment begins, from 1."""
    problem: str
    """What phpdotenv calls it, such as "unexpected whitespace"."""
    subject: str
    """The name or value it stumbles on, its first line; secrets hidden."""

    @property
    def sentence(self) -> str:
        """The message as phpdotenv words it; secrets hidden."""
        return f"Failed to parse dotenv file. Encountered {self.problem} at [{self.subject}]."


class DotEnv(msgspec.Struct, frozen=True):
    """A parsed `.env`."""

    path: str
    """Its path, for messages."""
    entries: tuple[Entry, ...]
    """Every assignment that can be read, in order; where there is a refusal, PHP itself loads none of them."""
    refusal: Refusal | None
    """The first refusal, or None where the file loads."""
    swallowed: tuple[int, int] | None
    """The first and last line that vanish because of a quote opened on that first line; None where nothing does."""

    def values(self, real: Mapping[str, str] | None = None) -> dict[str, str | None]:
        """The environment after loading, for the names in the file, as text (see `env_value` for what `env()` returns).

        `real` is the process's own environment: it beats the file and is what a reference finds first. Of a repeated
        name the last wins. None stands for a name that a line without `=` unset. References to nothing stay as
        written, and there are no forward references. Raises Unreadable where references multiply beyond MAX_EXPANDED
        characters.
        """
        real = {} if real is None else real
        values: dict[str, str | None] = {}
        budget = MAX_EXPANDED
        for entry in self.entries:
            if entry.template is None:
                values[entry.name] = real.get(entry.name)
                continue
            if _DOLLAR not in entry.template:
                filled = entry.template
            else:
                expanded = _fill(entry.template, values, real, budget)
                if expanded is None:
                    reason = f"its references multiply to more than {MAX_EXPANDED:,} characters"
                    raise Unreadable(self.path, reason, entry.line)
                filled = expanded
                budget -= len(filled)
            values[entry.name] = real.get(entry.name, filled)
        return values


def env_value(text: str | None, laravel: Version | None = None) -> str | bool | None:
    """What Laravel's `env()` makes of a value: true, false, null and empty become values, outer quotes go.

    None in gives None. One pair of quotes is taken off; before Laravel 5.8 only double quotes are taken off.
    """
    if text is None:
        return None
    word = text.lower() if len(text) < 8 and text.isascii() else text
    if word in _WORDS:
        return _WORDS[word]
    if laravel is not None and laravel < _BOTH_QUOTES_SINCE:
        return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
    quoted = _QUOTED.match(text)
    return quoted[2] if quoted else text


def parse(data: bytes, path: str = ".env") -> DotEnv:
    """Read a whole file; never raises."""
    entries: list[Entry] = []
    refusal: Refusal | None = None
    joined, swallowed = _join(_LINE_END.split(_decode(data)))
    for line, last_line, text in joined:
        try:
            name, template = _assignment(text)
        except _Refused as error:
            if refusal is None:
                refusal = Refusal(line, error.problem, _shown(error, text))
        else:
            entries.append(Entry(name, template, line, last_line))
    return DotEnv(path, tuple(entries), refusal, swallowed)


class _Refused(Exception):
    def __init__(self, problem: str, subject: str) -> None:
        self.problem = problem
        self.subject = subject


def _question_mark(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "?", error.end


codecs.register_error("queue-auditor.question-mark", _question_mark)


def _decode(data: bytes) -> str:
    if data.startswith(codecs.BOM_UTF8):
        data = data[3:]
    return data.decode("utf-8", "queue-auditor.question-mark")


def _join(lines: list[str]) -> tuple[list[tuple[int, int, str]], tuple[int, int] | None]:
    """Join lines that an open double quote ties together; leave out comments and blanks."""
    joined: list[tuple[int, int, str]] = []
    swallowed: tuple[int, int] | None = None
    opened = 0  # index of the line a quote was opened on, plus one
    for number, line in enumerate(lines, 1):
        if opened:
            if line != '"' and not _closing_quotes(line, 1):
                continue
            text = "\n".join(lines[opened - 1 : number])
        elif '="' in line and not _closing_quotes(line, 2):
            opened = number
            continue
        else:
            text = line
        first, opened = opened or number, 0
        if not _is_idle(text):
            joined.append((first, number, text))
        elif swallowed is None and number > first:
            swallowed = _lost(lines, first, number)
    if opened and swallowed is None:
        swallowed = _lost(lines, opened, len(lines))
    return joined, swallowed


def _lost(lines: list[str], first: int, last: int) -> tuple[int, int] | None:
    while last >= first and _is_idle(lines[last - 1]):
        last -= 1
    return (first, last) if last >= first else None


def _is_idle(line: str) -> bool:
    text = line.strip(_TRIMMED)
    return not text or text[0] == "#"


def _closing_quotes(line: str, wanted: int) -> bool:
    """Whether so many double quotes follow something but a backslash; a pair of backslashes counts as nothing."""
    if wanted == 2 and line == '"':
        return True
    return any(number == wanted for number, _ in enumerate(_CLOSING_QUOTE.finditer(line.replace("\\\\", "")), 1))


def _assignment(text: str) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    if not equals:
        return _name(text), None
    name = name.strip(_TRIMMED)
    if not name:
        raise _Refused("an unexpected equals", text)
    return _name(name), _value(value.strip(_TRIMMED))


def _name(name: str) -> str:
    if len(name) > 8 and name.startswith("export") and name[6] in _BLANK:
        name = name[6:].lstrip(_TRIMMED)
    if len(name) > 2 and name[0] == name[-1] and name[0] in "'\"":
        name = name[1:-1]
    if not _ASCII_NAME.match(name) and not _is_letters(name):
        raise _Refused("an invalid name", name)
    return name


def _is_letters(name: str) -> bool:
    """Whether it is made of cased letters, marks, numbers, dots and underscores of any script."""
    if not name or name.isascii():
        return False
    import unicodedata

    for letter in name:
        category = unicodedata.category(letter)
        if letter not in "_." and category not in ("Ll", "Lu") and category[0] not in "MN":
            return False
    return True


def _value(value: str) -> str:
    if not value:
        return ""
    if value[0] == "'":
        end = _SINGLE.match(value, 1).end()  # type: ignore[union-attr]
        if end == len(value):
            raise _Refused("a missing closing quote", value)
        text = value[1:end]
        rest = end + 1
    elif value[0] == '"':
        text, rest = _double(value)
    else:
        rest = _PLAIN.match(value).end()  # type: ignore[union-attr]
        if rest == 0 and value[0] != "#":  # a form feed is not trimmed, and where a value begins it is a part of it
            start = _LEADING.match(value).end()  # type: ignore[union-attr]
            rest = _PLAIN.match(value, start).end()  # type: ignore[union-attr]
        text = value[:rest].replace("$", _DOLLAR)
    rest = _SPACE.match(value, rest).end()  # type: ignore[union-attr]
    if rest < len(value) and value[rest] != "#":
        raise _Refused("unexpected whitespace", value)
    return text


def _double(value: str) -> tuple[str, int]:
    """The text of a double-quoted value and where it ends."""
    parts: list[str] = []
    place = 1
    while True:
        end = _DOUBLE.match(value, place).end()  # type: ignore[union-attr]
        parts.append(value[place:end].replace("$", _DOLLAR))
        if end == len(value):
            raise _Refused("a missing closing quote", value)
        if value[end] == '"':
            return "".join(parts), end + 1
        escaped = value[end + 1 : end + 2]
        if not escaped:
            raise _Refused("a missing closing quote", value)
        if escaped in '"\\$':
            parts.append(escaped)
        elif escaped in _ESCAPES:
            parts.append(_ESCAPES[escaped])
        else:
            raise _Refused("an unexpected escape sequence", value)
        place = end + 2


def _fill(template: str, values: Mapping[str, str | None], real: Mapping[str, str], budget: int) -> str | None:
    """Put the values of `${NAME}` in, from the last to the first, so that an inner one becomes part of an outer name.

    None where they hold more characters than the budget.
    """
    pieces = template.split(_DOLLAR)
    # What stands to the right, already settled: (text, where it begins), the leftmost on top. Offsets instead of slices
    # keep a long value with many references from being copied for each of them.
    right: list[tuple[str, int]] = []
    while len(pieces) > 1:
        piece = pieces.pop()
        if piece:
            right.append((piece, 0))
        found = _reference(right)
        if found is None:
            right.append(("$", 0))
            continue
        name, text, end = found
        value = real.get(name)
        if value is None:
            value = values.get(name)
        if value is None:
            right[-1] = (text, end)
            right.append(("${" + name + "}", 0))
            continue
        budget -= len(value)
        if budget < 0:
            return None
        right[-1] = (text, end)
        if value:
            right.append((value, 0))
    right.append((pieces[0], 0))
    return "".join(text[start:] for text, start in reversed(right))


def _reference(right: list[tuple[str, int]]) -> tuple[str, str, int] | None:
    """The name of the reference that the settled text begins with, and the topmost piece with the place behind it."""
    while right and right[-1][1] == len(right[-1][0]):
        right.pop()
    if not right:
        return None
    text, start = right[-1]
    found = _REFERENCE.match(text, start)
    if found is None and _OPEN_REFERENCE.match(text, start):
        parts = [text[start:]]
        right.pop()
        while right:  # the name goes on in the pieces behind
            text, start = right.pop()
            parts.append(text[start:])
            if "}" in text or "$" in text or not _ASCII_NAME.match(text, start):
                break
        text = "".join(parts)
        right.append((text, 0))
        found = _REFERENCE.match(text)
    return None if found is None else (found[1], text, found.end())


def _shown(error: _Refused, text: str) -> str:
    """The subject of a refusal up to its line end, hidden where the assignment looks like a secret."""
    subject = error.subject.partition("\n")[0]
    if len(subject) > _SHOWN:
        subject = subject[:_SHOWN] + " …"
    name, equals, value = text.partition("=")
    sample = f"{name.strip(_TRIMMED)[:_SHOWN]}={value.strip(_TRIMMED)[:_SHOWN]}" if equals else text[:_SHOWN]
    if redact(sample) == sample and redact(subject) == subject:
        return subject
    return subject if error.problem == "an invalid name" and equals else "***"
