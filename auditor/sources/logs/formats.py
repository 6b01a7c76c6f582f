"""The forms of log: where a record begins, and which records of a block are worth a closer look.

Laravel's own logs hold long records of which few matter: they are found by the level in their first line, in one pass of
a pattern that begins with a literal, as fast as grep. What workers print is lines, of which all but a few tell that a job
was begun or done. supervisord's log is a line a record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.sources.logs.signatures import Signatures

HEAD_LINE = 4096
"""Bytes of a record's first line that are looked at."""
_BODY = 65_536
"""Bytes of a record that are looked at for what caused it."""
_LEVEL = re.compile(rb"\.(?:ERROR|CRITICAL|ALERT|EMERGENCY): ")
_JSON_LEVEL = re.compile(rb'"level_name":"(?:ERROR|CRITICAL|ALERT|EMERGENCY)"')
_STAMP = rb"\[\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^\]\n]{0,24}\] "
_HEAD = re.compile(_STAMP + rb"[^\s:]{1,80}?\.[A-Z]{4,9}: |\{\"message\":")
_NEXT_HEAD = re.compile(rb"\n(?:" + _STAMP + rb"[^\s:]{1,80}?\.[A-Z]{4,9}: |\{\"message\":)")
_CAUSE = b"\n[previous exception]"

_DONE = (b" DONE", b" RUNNING", b"No scheduled commands are ready to run.")
_HARMLESS = re.compile(
    rb"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\](?:\[[^\]]{1,64}\])? Process(?:ing|ed): |"
    + _STAMP
    + rb"[^\s:]{1,80}?\.(?:DEBUG|INFO|NOTICE|WARNING): "
)
_OUTPUT_HEAD = re.compile(
    _STAMP
    + rb"|\s{0,4}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d |(?:PHP )?(?:Fatal|Parse) error: |\s{1,3}(?:\w+\\)*\w*(?:Exception|Error)\s*\Z"
    rb"|In \S+ line \d+:"
)
"""What begins a record in the output of a worker, whatever came before."""
_CONTINUES = re.compile(rb"\s|#\d+ |Stack trace:|\[stacktrace\]|\[previous exception\]|\"\}|\Z")
"""What carries a record on."""


class Laravel:
    """Monolog's lines: "[time] env.LEVEL: message", with a trace of many lines behind; or a JSON object a line."""

    def __init__(self, signatures: Signatures, form: str = "laravel") -> None:
        """`form` "ninja" looks at records of any level that hold one of its own words, too."""
        self.form = form
        self._signatures = signatures
        self._own = signatures.words("ninja") if form == "ninja" else ()

    def last_head(self, buffer: bytes) -> int:
        """Where the last record of the buffer begins; -1 where none does."""
        at = len(buffer)
        while (at := buffer.rfind(b"\n", 0, at)) >= 0:
            if _HEAD.match(buffer, at + 1):
                return at + 1
        return 0 if _HEAD.match(buffer) else -1

    def tell(self, block: bytes, *, inside: bool) -> Iterator[tuple[str, bytes]]:  # noqa: ARG002 - what has no head is none
        """The kind and the first line of every record that tells something. `block` is whole lines."""
        levels = _JSON_LEVEL if b'"level_name":"' in block else _LEVEL
        starts = dict.fromkeys(self._start(block, hit) for hit in levels.finditer(block))
        found = sorted(starts.keys() | self._with_own(block)) if self._own else list(starts)
        for start in found:
            if start < 0:
                continue
            end = block.find(b"\n", start)
            line = block[start : min(end if end >= 0 else len(block), start + HEAD_LINE)]
            message = line.partition(b": ")[2] if line.startswith(b"[") else line
            grave = start in starts
            kind = self._grave(block, start, message) if grave else self._signatures.classify(message, "ninja")
            if kind is not None:
                yield kind, line

    def _start(self, block: bytes, hit: re.Match[bytes]) -> int:
        """Where the record begins whose level this is; -1 where the words stand within a message."""
        if hit.re is _JSON_LEVEL:
            start = block.rfind(b"\n", 0, hit.start()) + 1
            return start if block.startswith(b'{"message":', start) else -1
        start = block.rfind(b"\n", max(0, hit.start() - 160), hit.start()) + 1
        if start == 0 and hit.start() > 160:
            return -1
        head = _HEAD.match(block, start)
        return start if head is not None and head.end() == hit.end() else -1

    def _with_own(self, block: bytes) -> set[int]:
        found = set()
        for word in self._own:
            at = block.find(word)
            while at >= 0:
                start = block.rfind(b"\n", 0, at) + 1
                if _HEAD.match(block, start):
                    found.add(start)
                at = block.find(word, at + len(word))
        return found

    def _grave(self, block: bytes, start: int, message: bytes) -> str | None:
        classify = self._signatures.classify
        kind = (classify(message, "ninja") if self._own else None) or classify(message, "laravel")
        if kind != "other":
            return kind
        # The message may be the app's own, and what caused it stand below.
        after = _NEXT_HEAD.search(block, start, start + _BODY)
        end = after.start() if after else min(len(block), start + _BODY)
        at = block.find(_CAUSE, start, end)
        while at >= 0:
            cause = block[at + 1 : min(end, at + HEAD_LINE)].partition(b"\n")[0]
            found = classify(cause, "laravel")
            if found != "other":
                return found
            at = block.find(_CAUSE, at + 1, end)
        return kind


class Output:
    """What a worker, Horizon or cron's command printed: a line for each job, and now and then an error with its trace."""

    form = "output"

    def __init__(self, signatures: Signatures) -> None:
        """By this table."""
        self._signatures = signatures

    def last_head(self, buffer: bytes) -> int:
        """Where the last record of the buffer begins; -1 where the buffer but carries one on."""
        end = len(buffer) - 1 if buffer.endswith(b"\n") else len(buffer)
        while True:
            start = buffer.rfind(b"\n", 0, end) + 1
            if not _carries_on(buffer[start : max(start, min(end, start + HEAD_LINE))]):
                return start
            if start == 0:
                return -1
            end = start - 1

    def tell(self, block: bytes, *, inside: bool) -> Iterator[tuple[str, bytes]]:
        """As Laravel.tell; `inside` says that the block begins within a record which has been told."""
        record: list[bytes] = []
        size = 0
        for line in block.split(b"\n"):
            if _carries_on(line):
                if not inside and line and size < _BODY:
                    record.append(line[:HEAD_LINE])
                    size += len(line)
                continue
            inside = False
            if record:
                yield from self._told(record)
                record = []
            size = 0
            if not (line.rstrip().endswith(_DONE) or _HARMLESS.match(line)):
                record.append(line[:HEAD_LINE])
        if record:
            yield from self._told(record)

    def _told(self, record: list[bytes]) -> Iterator[tuple[str, bytes]]:
        kind = self._signatures.classify(b"\n".join(record), "output")
        if kind is not None:
            yield kind, b" ".join(line.strip() for line in record[:3])[:HEAD_LINE]


def _carries_on(line: bytes) -> bool:
    line = line[:HEAD_LINE]
    return _CONTINUES.match(line) is not None and _OUTPUT_HEAD.match(line) is None


class Supervisord:
    """supervisord's own log: "time LEVEL message", a line a record."""

    form = "supervisord"

    def __init__(self, signatures: Signatures) -> None:
        """By this table."""
        self._signatures = signatures

    def last_head(self, buffer: bytes) -> int:
        """Every line is a record: none is carried on."""
        return len(buffer) if buffer.endswith(b"\n") else buffer.rfind(b"\n") + 1

    def tell(self, block: bytes, *, inside: bool) -> Iterator[tuple[str, bytes]]:  # noqa: ARG002 - as above
        """As Laravel.tell."""
        for line in block.split(b"\n"):
            kind = self._signatures.classify(line[:HEAD_LINE], "supervisord")
            if kind is not None:
                yield kind, line[:HEAD_LINE]


Form = Laravel | Output | Supervisord


def forms(signatures: Signatures) -> dict[str, Form]:
    """Each form of log, made ready for one table."""
    return {
        "laravel": Laravel(signatures),
        "ninja": Laravel(signatures, "ninja"),
        "output": Output(signatures),
        "supervisord": Supervisord(signatures),
    }
