"""systemd's own syntax: a unit file's assignments, time spans, calendar expressions and quoted words.

Grammar: systemd.syntax(7), systemd.time(7), and `systemd-analyze` as the oracle for spans and calendars.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import msgspec

from auditor.patterns import late

LONGEST_LINE = 1 << 20
"""Characters of a continued line after which systemd gives up on the file (LONG_LINE_MAX)."""

_SECONDS = {
    name: seconds
    for seconds, names in (
        (1e-6, "usec us \u03bcs \u00b5s"),
        (1e-3, "msec ms"),
        (1.0, "seconds second sec s"),
        (60.0, "minutes minute min m"),
        (3600.0, "hours hour hr h"),
        (86_400.0, "days day d"),
        (604_800.0, "weeks week w"),
        (2_629_800.0, "months month M"),
        (31_557_600.0, "years year y"),
    )
    for name in names.split()
}
_SPAN = late(r"\s*(\d{1,18}(?:\.\d{0,9})?(?![.\d])|\.\d{1,9}(?![.\d]))\s*([^\W\d]*)\s*")
_NICKNAMES = {
    "minutely": "*-*-* *:*:00",
    "hourly": "*-*-* *:00:00",
    "daily": "*-*-* 00:00:00",
    "weekly": "Mon *-*-* 00:00:00",
    "monthly": "*-*-01 00:00:00",
    "quarterly": "*-01,04,07,10-01 00:00:00",
    "semiannually": "*-01,07-01 00:00:00",
    "semi-annually": "*-01,07-01 00:00:00",
    "bi-annually": "*-01,07-01 00:00:00",
    "biannually": "*-01,07-01 00:00:00",
    "yearly": "*-01-01 00:00:00",
    "annually": "*-01-01 00:00:00",
    "anually": "*-01-01 00:00:00",
}
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "s": " "}


class Assignment(msgspec.Struct, frozen=True):
    """One `Key=value` of a unit file."""

    section: str
    """The section's name, without brackets."""
    key: str
    """The key."""
    value: str
    """The value, continuation lines joined; "" resets what was set before."""
    number: int
    """The line it begins in, from 1."""
    line: str
    """That line as it is written."""
    conditional: bool = False
    """Whether a template's `{% if %}` or `{% for %}` stands around it."""


def assignments(data: bytes) -> Iterator[Assignment]:
    """The assignments in order: continuations joined, comments left out, an empty value kept, for it resets."""
    section = ""
    joined = ""
    first: tuple[int, str] | None = None
    depth = 0
    for number, raw in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        line = raw.decode("utf-8", "replace").removesuffix("\r")
        bare = line.strip(" \t\r")
        if bare.startswith(("#", ";")):
            continue  # also within a continued line
        if first is None and bare.startswith("{%"):
            depth += bool(re.match(r"\{%[-+]?\s*(?:if|for)\b", bare))
            depth -= bool(re.match(r"\{%[-+]?\s*end(?:if|for)\b", bare))
            continue
        if first is None:
            first = number, line
        if (len(line) - len(line.rstrip("\\"))) % 2:
            joined += line[:-1] + " "
            if len(joined) > LONGEST_LINE:
                return
            continue
        text = (joined + line).strip(" \t\r")
        start, joined, first = first, "", None
        if text.startswith("[") and text.endswith("]"):
            section = text[1:-1]
        elif section and "=" in text and "\ufffd" not in text:  # systemd leaves out a line that is not UTF-8
            key, _, value = text.partition("=")
            yield Assignment(section, key.strip(), value.strip(), start[0], start[1], depth > 0)


def time_span(text: str) -> float | None:
    """Seconds of a time span (systemd.time(7)): "1min 30s", "90", "infinity"; None where it is none."""
    text = text.strip()
    if text == "infinity":
        return math.inf
    total, at = 0.0, 0
    if not text or len(text) > 200:
        return None
    while at < len(text):
        match = _SPAN.match(text, at)
        if match is None:
            return None
        unit = _SECONDS.get(match[2] or "s")
        if unit is None:
            return None
        total += float(match[1]) * unit
        at = match.end()
    return round(total, 6)


def every_minute(calendar: str) -> bool | None:
    """Whether a calendar expression (systemd.time(7)) elapses in every minute; None where it cannot be told.

    Only what lies between the dates and seconds matters: each minute of each day has to be named.
    """
    text = _NICKNAMES.get(calendar.strip().lower(), calendar.strip())
    rest = text.split()
    if not rest or len(text) > 200:
        return None
    if re.match(r"[A-Za-z]+(?:/\w+)?$", rest[-1]) and len(rest) > 1 and not _weekdays(rest[-1]):
        rest.pop()  # a time zone moves the hours, and there are as many
    days: frozenset[int] | None = frozenset(range(7))
    if rest and rest[0][:1].isalpha():
        days = _weekdays(rest.pop(0))
    if days is None or len(rest) > 2:
        return None
    date, time = "*-*-*", None
    for word in rest:
        if ":" in word:
            time = word
        elif "-" in word:
            date = word
        else:
            return None
    parts = date.split("-")
    if len(parts) == 2:
        parts.insert(0, "*")
    if len(parts) != 3 or "~" in date:
        return False if "~" in date else None
    ranges = ((1970, 2199), (1, 12), (1, 31))
    sets = [_component(part, low, high) for part, (low, high) in zip(parts, ranges, strict=True)]
    if time is None:
        clock = [frozenset([0]), frozenset([0]), frozenset([0])]
    else:
        pieces = time.split(":")
        if len(pieces) == 2:
            pieces.append("00")
        if len(pieces) != 3:
            return None
        found = [_component(piece, 0, high) for piece, high in zip(pieces, (23, 59, 59), strict=True)]
        if any(one is None for one in found):
            return None
        clock = [one for one in found if one is not None]
    if any(one is None for one in sets):
        return None
    whole = all(one == frozenset(range(low, high + 1)) for one, (low, high) in zip(sets, ranges, strict=True))
    return whole and len(days) == 7 and len(clock[0]) == 24 and len(clock[1]) == 60 and bool(clock[2])


def _weekdays(text: str) -> frozenset[int] | None:
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

    def day(word: str) -> int | None:
        word = word.lower()
        return next((at for at, name in enumerate(names) if word in (name, name[:3])), None)

    found: set[int] = set()
    for part in text.removesuffix(",").split(","):
        first, dots, last = part.partition("..")
        low = day(first)
        high = day(last) if dots else low
        if low is None or high is None or low > high:
            return None
        found |= set(range(low, high + 1))
    return frozenset(found)


def _component(text: str, low: int, high: int) -> frozenset[int] | None:
    """The numbers one component of a calendar names: `*`, `5`, `1..5`, `0/2`, lists; None where it is none."""
    found: set[int] = set()
    for part in text.split(","):
        match = re.match(r"(?:(\*)|(\d{1,4})(?:\.\.(\d{1,4}))?)(?:/(\d{1,4})(?:\.0+)?)?(?:\.0+)?$", part)
        if match is None:
            return None
        first = low if match[1] else int(match[2])
        last = int(match[3]) if match[3] else (high if match[1] or match[4] else first)
        step = int(match[4]) if match[4] else 1
        repeats = match[4] is not None and (match[1] is not None or (match[3] is None and step > high - low))
        if repeats or step == 0 or not low <= first <= high or not low <= last <= high:
            return None
        found |= set(range(first, last + 1, step))
    return frozenset(found)


def words(text: str) -> list[str] | None:
    """A value's words, quotes taken off and C escapes resolved, as systemd splits it; None where a quote stays open."""
    found: list[str] = []
    word: list[str] | None = None
    quote = ""
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char == "\\" and at < len(text):
            word = [] if word is None else word
            word.append(_ESCAPES.get(text[at], text[at]))
            at += 1
        elif quote:
            if char == quote:
                quote = ""
            elif word is not None:
                word.append(char)
        elif char in "'\"":
            quote = char
            word = [] if word is None else word
        elif char in " \t\n\r":
            if word is not None:
                found.append("".join(word))
                word = None
        else:
            word = [] if word is None else word
            word.append(char)
    if quote:
        return None
    return found if word is None else [*found, "".join(word)]


def commands(value: str) -> tuple[list[str], bool]:
    """The commands of one ExecStart= value, prefixes taken off, and whether one has `-`: its failure is success."""
    found, ignores = [], False
    for part in _apart(value):
        command = part.strip()
        bare = command.lstrip("@-:+!|")
        ignores = ignores or "-" in command[: len(command) - len(bare)]
        if bare:
            found.append(bare)
    return found, ignores


def _apart(value: str) -> list[str]:
    """The value cut at each `;` that stands alone, outside quotes."""
    if ";" not in value:
        return [value]
    parts, begin, quote, at = [], 0, "", 0
    while at < len(value):
        char = value[at]
        if char == "\\":
            at += 1
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == ";" and value[at - 1 : at] in ("", " ", "\t") and value[at + 1 : at + 2] in ("", " ", "\t"):
            parts.append(value[begin:at])
            begin = at + 1
        at += 1
    return [*parts, value[begin:]]
