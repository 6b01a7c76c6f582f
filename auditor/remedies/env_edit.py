"""Setting names in a `.env`, and not one line else: by the lines that its reader tells, in phpdotenv's own quoting.

The caller reads the outcome again with the reader of `.env` files before it is written; here nothing is parsed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from auditor.errors import CannotMend

_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\n|\r|\Z)")
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=~-]*", re.ASCII)
_HEAD = re.compile(rb"(?:\xef\xbb\xbf)?[ \t]*(?:export[ \t]+)?(['\"]?)(?P<name>[A-Za-z0-9_.]+)\1[ \t]*=[ \t]*")
_VALUE = re.compile(rb"'[^'\r\n]*'|\"(?:[^\"\\\r\n]|\\[^\r\n])*\"|[^\s#'\"][^\s#]*|")
_REST = re.compile(rb"[ \t]*(?:#[^\r\n]*)?")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "$": "\\$", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class Place(NamedTuple):
    """Where a name stands in the file."""

    name: str
    """The name."""
    line: int
    """Its first line, from 1."""
    last_line: int
    """Its last line."""


def quoted(value: str) -> str:
    """The value as a `.env` says it: bare where phpdotenv takes it as it stands, else in double quotes."""
    if _PLAIN.fullmatch(value):
        return value
    return '"' + "".join(_ESCAPES.get(letter, letter) for letter in value) + '"'


def edit_env(data: bytes, places: Sequence[Place], settings: Mapping[str, str], path: str) -> bytes:
    """The file with these names set, every other line as it was; raises CannotMend.

    Of a name that stands there more than once the last one counts, and changes; a comment behind a value stays. A new
    name comes at the end, with the file's own line ends.
    """
    lines = [match[0] for match in _LINE.finditer(data) if match[0]]
    end = next((_end(line) for line in lines if _end(line)), b"\n")
    last = {place.name: place for place in places}
    new: list[bytes] = []
    for name, value in settings.items():
        place = last.get(name)
        if place is None:
            new.append(f"{name}={quoted(value)}".encode() + end)
        else:
            lines[place.line - 1 : place.last_line] = _set(lines, place, value, path)
    if new and lines and not _end(lines[-1]):
        lines[-1] += end
    return b"".join([*lines, *new])


def _set(lines: list[bytes], place: Place, value: str, path: str) -> list[bytes]:
    """The lines of one assignment made anew: as many as there were, so that the others keep their numbers."""
    first, rest = lines[place.line - 1], place.last_line - place.line
    head = _HEAD.match(first)
    if head is None or head["name"].decode() != place.name:
        raise CannotMend(path, f"how {place.name} is written in line {place.line} is not understood")
    text = head[0] + quoted(value).encode()
    old = _VALUE.match(first, head.end())
    assert old is not None  # it matches nothing as well
    tail = _REST.match(first, old.end())
    assert tail is not None
    if not rest and tail.end() == len(first) - len(_end(first)) and b"#" in tail[0]:
        comment = tail[0] if tail[0][:1] in b" \t" else b" " + tail[0]
        return [text + comment + _end(first)]
    return [text + _end(lines[place.last_line - 1]), *[b""] * rest]


def _end(line: bytes) -> bytes:
    return line[len(line.rstrip(b"\r\n")) :]
