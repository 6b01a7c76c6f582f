"""The difference of two texts as edits: what an editor applies to a file that it has open."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from auditor.facts.redaction import redact
from auditor.findings import Edit

_SECTION = re.compile(r"^(?=\[)", re.MULTILINE)
MOST_LINES = 500
"""Among more lines than that, between the first that differs and the last, it is not looked for what they have in common."""
_WORD = re.compile(r"\w")


class Part(NamedTuple):
    """One part of a file that was corrected, and can be corrected without the others."""

    header: str
    """The first line of its section, "" where it is the file as a whole."""
    text: str
    """The file with this part corrected, and nothing else."""
    edits: tuple[Edit, ...]
    """What makes that of the file; from the last to the first, so that none moves another."""


class _Span(NamedTuple):
    """Characters of a text, counted from 0, and what is to stand in their place."""

    start: int
    end: int
    text: str


def parts(path: str, before: str, after: str) -> Iterator[Part]:
    """The corrected sections of a file, or the file as a whole where its sections are no longer the same.

    A part whose edits would hold a secret is left out.
    """
    old, new = _SECTION.split(before), _SECTION.split(after)
    if [_header(one) for one in old] != [_header(one) for one in new]:
        old, new = [before], [after]
    start = 0
    for was, now in zip(old, new, strict=True):
        end = start + len(was)
        spans = [
            _within(before, span._replace(start=start + span.start, end=start + span.end)) for span in _spans(was, now)
        ]
        shown = "".join(map(redact, now.splitlines(keepends=True))) if spans else ""
        if spans and all(span.text.strip() in shown for span in spans):
            text = f"{before[:start]}{now}{before[end:]}"
            edits = tuple(_edit(path, before, span) for span in reversed(spans))
            yield Part(_header(was) if len(old) > 1 else "", text, edits)
        start = end


def _header(section: str) -> str:
    return section.partition("\n")[0].strip() if section.startswith("[") else ""


def _spans(before: str, after: str) -> list[_Span]:
    """What differs: lines that came or went, and of lines that changed, the words."""
    old, new = _lines(before), _lines(after)
    head = _same(old, new)
    tail = _same(old[head:][::-1], new[head:][::-1])
    start = sum(map(len, old[:head]))
    old, new = old[head : len(old) - tail], new[head : len(new) - tail]
    found, line = [], 0
    for i, i_end, j, j_end in _blocks(old, new):
        start += sum(map(len, old[line:i]))
        line = i
        alike = i_end - i == j_end - j <= MOST_LINES
        was, now = (old[i:i_end], new[j:j_end]) if alike else (["".join(old[i:i_end])], ["".join(new[j:j_end])])
        at = start
        for one, other in zip(was, now, strict=True):
            found.append(_words(at, one, other))
            at += len(one)
    return found


def _blocks(old: list[str], new: list[str]) -> list[tuple[int, int, int, int]]:
    """Runs of lines that differ; where there is too much to look through, all of it is one."""
    if old == new:
        return []
    if max(len(old), len(new)) > MOST_LINES:
        return [(0, len(old), 0, len(new))]
    from difflib import SequenceMatcher

    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [(i, i_end, j, j_end) for tag, i, i_end, j, j_end in codes if tag != "equal"]


def _lines(text: str) -> list[str]:
    """The lines with their ends; a line ends with its newline and nowhere else."""
    lines = text.split("\n")
    return [*(f"{line}\n" for line in lines[:-1]), *lines[-1:]]


def _words(start: int, was: str, now: str) -> _Span:
    """The words that differ in two texts, of which the first begins at `start`."""
    head = _same(was, now)
    while _cuts(was, head) or _cuts(now, head):
        head -= 1
    tail = _same(was[head:][::-1], now[head:][::-1])
    while _cuts(was, len(was) - tail) or _cuts(now, len(now) - tail):
        tail -= 1
    return _Span(start + head, start + len(was) - tail, now[head : len(now) - tail])


def _same(one: Sequence[str], other: Sequence[str]) -> int:
    """How many characters, or lines, they begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))


def _cuts(text: str, at: int) -> bool:
    """Whether a word, or the end of a line, would be cut in two there."""
    around = text[at - 1 : at + 1] if at else ""
    return around == "\r\n" or (len(around) == 2 and all(_WORD.match(one) for one in around))


def _within(text: str, span: _Span) -> _Span:
    """The same where lines come or go at a file's end, told from the end of its last line: there is none after it."""
    start, end, more = span
    for newline in ("\r\n", "\n"):
        shifts = start and end == len(text) and text[:start].endswith(newline)
        if shifts and (text if start < end else more).endswith(newline) and (more.endswith(newline) or not more):
            more = f"{newline}{more.removesuffix(newline)}" if more else ""
            return _Span(start - len(newline), end - len(newline), more)
    return span


def _edit(path: str, text: str, span: _Span) -> Edit:
    return Edit(path, *_place(text, span.start), *_place(text, span.end), span.text)


def _place(text: str, at: int) -> tuple[int, int]:
    """Line and column, both from 1, as SARIF counts them: a line ends with its newline and nowhere else."""
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
