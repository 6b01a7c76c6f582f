"""The proposed change as a unified diff; each file's header names what changes and for which rule."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from auditor.facts.redaction import redact
from auditor.reports.console import coloured, plain

_STYLES = {"+": "fix", "-": "error", "@": "note", "#": "dim"}


def file_diff(path: str, before: bytes | None, after: bytes, notes: Sequence[str], *, colour: bool = False) -> str:
    """One file's diff, secrets in its lines hidden, so a diff of a line that holds one is for reading, not for patch."""
    paint = coloured if colour else plain
    old, new = _lines(before or b""), _lines(after)
    told = [f"# {_hidden(note)}\n" for note in notes]
    source = f"a/{path}" if before is not None else "/dev/null"
    lines = [
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in difflib.unified_diff(old, new, source, f"b/{path}")
    ]
    return "".join(_painted(line, paint) for line in (*told, *map(redact, lines)))


def _lines(data: bytes) -> list[str]:
    """The lines as patch(1) cuts them, at the newline and nowhere else: a form feed or a lone CR ends none."""
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    last = lines.pop()
    return [*(f"{line}\n" for line in lines), *([last] if last else [])]


def _hidden(note: str) -> str:
    """A note without its secrets: what it is about, "secretis-worker", is the name of none for what follows."""
    subject, colon, told = note.partition(": ")
    return f"{redact(subject)}{colon}{redact(told)}"


def _painted(line: str, paint: object) -> str:
    style = _STYLES.get(line[:1])
    if style is None or line.startswith(("+++", "---")) or paint is plain:
        return line
    return coloured(line.rstrip("\n"), style) + "\n"
