"""Comments of the files that are read anyway which ask the auditor to leave something alone.

    stopwaitsecs=5   ; queue-auditor: ignore[timeouts/stopwaitsecs-covers-timeout] jobs are short until=2027-06-30
    # queue-auditor: ignore[processes]
    [program:import]

At the end of a line it speaks for that line, on a line of its own for the next one; where that line is a section's
header, for the whole section. The first thing in a file, it speaks for the file as a whole too.
"""

from __future__ import annotations

from collections.abc import Mapping

from auditor.facts.ignore import Ignore
from auditor.facts.origin import origin
from auditor.patterns import late

MARK = b"queue-auditor:"
"""A file without these bytes holds no such comment, and is not looked at again."""
MAX_COMMENTS = 1000
"""More of them in one file are not looked at."""
_PROSE = (".md", ".rst", ".adoc", ".html", ".htm", ".json", ".lock", ".patch", ".diff")
"""Files that may quote such a comment and hold nothing to audit."""
_COMMENT = late(r"(?P<before>.*?)(?:#|;|//|/\*)[#;/* \t]*queue-auditor:[ \t]*(?P<order>.*)")
_ORDER = late(r"ignore\[(?P<names>[^\]]*)\]:?(?P<rest>.*)")
_UNTIL = late(r"(?:^|[ \t])until=(\S*)")
_DAY = late(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
_SIGNS = ("#", ";", "//", "/*", "<?php")
_BLOCK = ("*", *_SIGNS)
"""In PHP, where a comment's further lines begin so; a line of a cron table does too, and is none."""
_HEADER = late(r"\[[^\]]+\]")


def read_ignores(files: Mapping[str, bytes]) -> tuple[Ignore, ...]:
    """Every such comment of these files (path to content), by place."""
    found: list[Ignore] = []
    for path in sorted(files):
        if MARK in files[path] and not path.lower().endswith(_PROSE):
            found += _of_file(path, files[path].decode("utf-8", "replace"))
    return tuple(found)


def _of_file(path: str, text: str) -> list[Ignore]:
    lines = text.split("\n")
    signs = _BLOCK if path.lower().endswith(".php") else _SIGNS
    found: list[Ignore] = []
    for number, line in enumerate(lines, 1):
        if "queue-auditor:" not in line or len(line) > 2000:
            continue
        match = _COMMENT.fullmatch(line.rstrip())
        if match is None:
            continue
        alone = not match["before"].strip().strip("{%")
        target = _next(lines, number, signs) if alone else number
        last = _end_of_section(lines, target) if _HEADER.match(lines[target - 1].strip()) else target
        opens = alone and not any(_meant(before, signs) for before in lines[: number - 1])
        found.append(_comment(path, number, line, match["order"], 0 if opens else target, last))
        if len(found) >= MAX_COMMENTS:
            break
    return found


def _comment(path: str, number: int, line: str, order: str, first: int, last: int) -> Ignore:
    text = origin(path, number, line).text
    match = _ORDER.match(order.removesuffix("*/").removesuffix("--}}").rstrip())
    if match is None:
        fault = "what it asks is not of the form ignore[rule] reason"
        return Ignore(path, number, text, first, last, fault=fault)
    names = tuple(name.strip().rstrip("/") for name in match["names"].split(",") if name.strip())
    until = _UNTIL.search(match["rest"])
    reason = " ".join(_UNTIL.sub(" ", match["rest"]).split())
    day = until[1].rstrip(".,;") if until else ""
    fault = ""
    if not names:
        fault = "it names no rule and no group"
    elif until and not _DAY.fullmatch(day):
        fault = f"until={day[:20]} is no day of the form YYYY-MM-DD"
    return Ignore(path, number, text, first, last, names, origin(path, number, reason).text, day, fault)


def _meant(line: str, signs: tuple[str, ...]) -> bool:
    """Whether a line is more than blanks and comments, which begin with one of these signs."""
    bare = line.strip()
    return bool(bare) and not bare.startswith(signs)


def _next(lines: list[str], number: int, signs: tuple[str, ...]) -> int:
    """The line that a comment standing alone speaks for: the next that is more than blanks and comments, else its own."""
    return next((n for n in range(number + 1, len(lines) + 1) if _meant(lines[n - 1], signs)), number)


def _end_of_section(lines: list[str], header: int) -> int:
    after = (n for n in range(header + 1, len(lines) + 1) if _HEADER.match(lines[n - 1]))
    return next(after, len(lines) + 1) - 1
