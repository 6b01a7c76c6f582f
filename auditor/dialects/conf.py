"""Supervisor's configuration text, cut into sections and assignments that know their lines and columns.

Equal in meaning to Python's `RawConfigParser(strict=False, inline_comment_prefixes=(";", "#"))`, as supervisor uses it
(Python 3.3 to 3.12; from 3.13 on, the earliest of several inline comment signs wins in every case), except that a
faulty line is noted and stepped over, so that one reading finds all faults of a file.
"""

from __future__ import annotations

import msgspec

from auditor.patterns import late

BOM = "\ufeff"
# What starts an inline comment: a sign that follows white space.
_SEMICOLON = late(r"(?<=\s);")
_HASH = late(r"(?<=\s)#")
_LINE = late(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


class Assignment(msgspec.Struct, gc=False):
    """One `name=value`, with the lines and columns it takes."""

    name: str
    """The option's name in lower case, as supervisor looks it up."""
    spelled: str
    """The name as it is written."""
    value: str
    """The value: lines joined by newlines, inline comments and outer white space removed."""
    line: int
    """The line it begins on, from 1."""
    delimiter: int
    """The column of its `=` or `:` on that line, from 0."""
    start: int
    """The column its value begins at on that line; where it is empty, the column after the delimiter."""
    end: int
    """The column after its value's last character on that line."""
    indent: int
    """How many characters of white space stand before the name."""
    more: tuple[int, ...] = ()
    """The lines, from 1, that continue the value, blank and comment lines left out."""
    cuts: tuple[tuple[int, int], ...] = ()
    """The places (line from 1, column from 0) where an inline comment ends a line of the value."""


class Block(msgspec.Struct):
    """One section header and what is assigned below it, up to the next header."""

    name: str
    """What stands between the brackets, as it is."""
    line: int
    """The header's line, from 1."""
    assignments: list[Assignment]
    """In the order of the file."""


class Fault(msgspec.Struct):
    """A line that configparser does not accept, or takes for something else than it looks like."""

    kind: str
    """missing-section-header, no-delimiter, empty-option-name or no-closing-bracket."""
    line: int
    """The line, from 1."""
    refused: bool
    """Whether configparser raises an error for it."""


class Lexed(msgspec.Struct):
    """A whole file."""

    lines: list[str]
    """Its lines without their ends; a byte order mark is left out."""
    blocks: list[Block]
    """Its sections, in the order of the file; a name may come more than once."""
    faults: list[Fault]
    """Its faulty lines, in the order of the file."""
    bom: bool = False
    """Whether it begins with a byte order mark."""
    bad_byte: int | None = None
    """The line of the first byte that is not UTF-8, or None."""


def decode(data: bytes) -> tuple[str, int | None]:
    """The text, and the line of the first byte that is not UTF-8 (bad bytes become U+FFFD)."""
    try:
        return data.decode(), None
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        return data.decode(errors="replace"), len(_plain_lines(before + "x"))


def _plain_lines(text: str) -> list[str]:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


def lines_with_ends(text: str) -> list[str]:
    """The lines, each with its own end, as files opened in text mode are cut: at LF, CRLF and CR, and nowhere else."""
    return _LINE.findall(text)


def comment_column(line: str) -> int | None:
    """The column of the sign that starts an inline comment, or None.

    configparser looks at the first `;` and the first `#`, then at the second of each, and so on, and stops at the first
    round that finds one after white space: so `a;b ;c #d` is cut at the `#`.
    """
    semicolon = _SEMICOLON.search(line) if ";" in line else None
    hash_sign = _HASH.search(line) if "#" in line else None
    if semicolon is None:
        return None if hash_sign is None else hash_sign.start()
    if hash_sign is None:
        return semicolon.start()
    first, second = semicolon.start(), hash_sign.start()
    rounds, others = line.count(";", 0, first), line.count("#", 0, second)
    if rounds != others:
        return first if rounds < others else second
    return min(first, second)


def indent_of(line: str) -> int:
    """How many characters of white space the line begins with."""
    return len(line) - len(line.lstrip())


def lex(data: bytes | str) -> Lexed:
    """Cut a file; never raises."""
    bad_byte = None
    if isinstance(data, bytes):
        data, bad_byte = decode(data)
    bom = data.startswith(BOM)
    lines = _plain_lines(data[1:] if bom else data)
    blocks: list[Block] = []
    faults: list[Fault] = []
    found = Lexed(lines, blocks, faults, bom, bad_byte)
    block: Block | None = None
    headless = False  # a missing header is told once a file
    option: Assignment | None = None  # the one that a deeper line would continue
    parts: list[str] = []
    more: list[int] = []
    cuts: list[tuple[int, int]] = []
    level = 0

    for number, line in enumerate(lines, 1):
        value = line.strip()
        if not value:
            if option is not None:
                parts.append("")
            continue
        first = value[0]
        if first in ";#":
            continue
        column = None
        if ";" in value or "#" in value:
            column = comment_column(line)
            if column is not None:
                value = line[:column].strip()
        indent = len(line) - len(line.lstrip()) if line[0].isspace() else 0
        if option is not None and indent > level:
            parts.append(value)
            more.append(number)
            if column is not None:
                cuts.append((number, column))
            continue
        level = indent
        if first == "[" and (close := value.rfind("]")) > 1:
            if option is not None:
                _close(option, parts, more, cuts)
                option = None
            block = Block(value[1:close], number, [])
            blocks.append(block)
            continue
        if block is None:
            if not headless:
                headless = True
                kind = "no-closing-bracket" if first == "[" else "missing-section-header"
                faults.append(Fault(kind, number, True))
            continue
        equals, colon = value.find("="), value.find(":")
        at = equals if colon < 0 or -1 < equals < colon else colon
        if at < 0:
            # The option above stays open here, as it does in configparser.
            faults.append(Fault("no-closing-bracket" if first == "[" else "no-delimiter", number, True))
            continue
        if option is not None:
            _close(option, parts, more, cuts)
            option = None
        if at == 0:
            faults.append(Fault("empty-option-name", number, True))
            continue
        if first == "[":
            faults.append(Fault("no-closing-bracket", number, False))
        spelled = value[:at].rstrip()
        text = value[at + 1 :].lstrip()
        start = indent + len(value) - len(text) if text else indent + at + 1
        option = Assignment(spelled.lower(), spelled, text, number, indent + at, start, start + len(text), indent)
        block.assignments.append(option)
        parts, more, cuts = [text], [], []
        if column is not None:
            cuts.append((number, column))
    if option is not None:
        _close(option, parts, more, cuts)
    return found


def _close(option: Assignment, parts: list[str], more: list[int], cuts: list[tuple[int, int]]) -> None:
    if more:
        option.value = "\n".join(parts).rstrip()
        option.more = tuple(more)
    if cuts:
        option.cuts = tuple(cuts)
