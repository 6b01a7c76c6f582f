"""One log, read forward: every line once, whatever rotation, a restart or a kill did between two looks.

A look gives a new Log and what was told by the lines up to there, both or neither: whoever keeps them together, in one
write, has read each line exactly once. What a look leaves unread is the last record, which may still be written: it
is told as soon as another begins behind it, or when it has stayed as it is for SETTLED seconds.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import IO

import msgspec

from auditor.sources.logs.family import HEAD, Position, Present, digest, know_again, opened, present, seen, unread
from auditor.sources.logs.formats import Form
from auditor.sources.logs.rotation import matched, told_from, unchanged
from auditor.sources.logs.sample import sample

CHUNK = 262_144
"""Bytes read at once: as fast as any more (and a map of the file would break where it is cut to nothing)."""
MOST_RECORD = 262_144
"""A record that is longer is told by what it begins with."""
SETTLED = 10.0
"""Seconds after which a record that nothing was added to is whole."""


class Log(msgspec.Struct):
    """How far one log has been read: its files, oldest first."""

    files: list[Position] = []
    """Each file that was there at the last look, and those that have gone since; see rotation.py."""


class Told(msgspec.Struct):
    """What the lines of one kind told in one look."""

    count: int = 0
    """How many records."""
    first: str = ""
    """The first one's first line, secrets hidden."""
    last: str = ""
    """The last one's."""


Tally = dict[str, Told]
"""Kind of signature to what was told of it."""


class Looked(msgspec.Struct):
    """What came of one look at one log."""

    log: Log
    """How far it has been read now."""
    told: Tally
    """What its new lines told."""
    size: int = 0
    """Bytes that were read."""
    lost: str = ""
    """Why lines may be missing, as a sentence; "" where none are."""


def look(path: str, known: Log | None, form: Form, now: float, *, stopped: Callable[[], bool] = bool) -> Looked:
    """Read the log at `path` on from `known`; where that is None it begins at its end.

    `now` is the watch's clock. `stopped` is asked between chunks: a look that it ends has read less, and lost nothing.
    """
    try:
        files = present(path)
    except OSError as problem:
        return Looked(known or Log(), {}, lost="" if known is None or not known.files else _unread(path, problem))
    matches, gone = matched(known.files if known is not None else [], files, now, first=known is None)
    out = Looked(Log(gone), {})
    if any(one.current and one.gone == now for one in gone):
        out.lost = f"{path} was emptied or removed: what was written to it after the last look cannot be found"
    positions: dict[str, Position] = {}
    for file, before, source in sorted(matches, key=lambda match: match.source is not None):
        if source is not None:
            positions[file.path] = told_from(file, before, positions[source.path])
        else:
            positions[file.path] = _read_on(file, before, form, now, stopped, out)
    out.log.files += [positions[match.file.path] for match in matches]
    return out


def _read_on(
    file: Present, before: Position | None, form: Form, now: float, stopped: Callable[[], bool], out: Looked
) -> Position:
    """Read one file on; gives its position, and adds what it told."""
    if before is not None and not before.since and unchanged(file, before):
        return seen(file, before)
    position = before or unread(file)
    try:
        with opened(file) as stream:
            reading = _Reading(file, stream, position, form, now)
            try:
                position = reading.forward(stopped)
            except (EOFError, ValueError) as problem:
                out.lost = _unread(file.path, problem)
                position = seen(file, reading.position)  # it is read on when it has changed
            reading.add_to(out)
    except _Changed:
        pass  # the next look finds out into what
    except ValueError as problem:
        out.lost, position = _unread(file.path, problem), seen(file, position)
    except OSError as problem:
        out.lost = _unread(file.path, problem)
    return position


class _Changed(Exception):
    """The file was replaced or cut to nothing while it was read."""


def _unread(path: str, problem: Exception) -> str:
    reason = getattr(problem, "strerror", None) or str(problem) or "it cannot be decompressed"
    return f"{path} cannot be read: {reason.lower()}"


class _Reading:
    """One file, read from its position to its end."""

    def __init__(self, file: Present, stream: IO[bytes], position: Position, form: Form, now: float) -> None:
        self.file = file
        self.stream = stream
        self.position = msgspec.structs.replace(position, packed=bool(file.packed))
        self.form = form
        self.now = now
        self.size = 0
        self.told: dict[str, tuple[int, bytes, bytes]] = {}

    def add_to(self, out: Looked) -> None:
        """Put what was read to what other files told."""
        out.size += self.size
        for kind, (count, first, last) in self.told.items():
            so_far = out.told.get(kind)
            shown = sample(last)
            if so_far is None:
                out.told[kind] = Told(count, shown if count == 1 else sample(first), shown)
            else:
                out.told[kind] = Told(so_far.count + count, so_far.first, shown)

    def forward(self, stopped: Callable[[], bool]) -> Position:
        """The position behind what was told; raises _Changed where that may be another file's."""
        position, file = self.position, self.file
        status = file.found
        same = (position.device, position.inode, position.size, position.changed) == (
            status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns,
        )  # fmt: skip
        if not file.packed:
            opened_now = os.fstat(self.stream.fileno())
            if (opened_now.st_dev, opened_now.st_ino) != (status.st_dev, status.st_ino):
                raise _Changed
            position.offset = min(position.offset, status.st_size)  # a copy made before the last lines were written
        seen_bytes = HEAD if file.packed else status.st_size
        know_again(position, self.stream, seen_bytes)
        self.stream.seek(position.offset)
        rest = self._read_on(stopped)
        if position.head:
            self.stream.seek(0)
            if digest(self.stream.read(position.head)) != position.digest:
                raise _Changed
        if not stopped():
            settled = same and self.now - position.since >= SETTLED
            if rest and (file.packed or settled):
                rest = self._close(rest, whole=bool(file.packed))
            position.since = 0.0 if not rest else position.since if same and position.since else self.now
        position = seen(file, position)
        know_again(position, self.stream, seen_bytes)
        return position if not stopped() else msgspec.structs.replace(position, size=-1)

    def _read_on(self, stopped: Callable[[], bool]) -> bytes:
        """Tell whole records; gives what is left of the last one."""
        position, buffer = self.position, b""
        while not stopped():
            ahead = CHUNK
            if not self.file.packed:
                ahead = min(CHUNK, self.file.found.st_size - position.offset - len(buffer))
            chunk = self.stream.read(ahead) if ahead > 0 else b""
            if not chunk:
                break
            self.size += len(chunk)
            buffer = self._skipped(buffer + chunk)
            head = self.form.last_head(buffer)
            if head < 0 and position.inside:
                buffer = self._tell(buffer, buffer.rfind(b"\n") + 1, inside=True)
            elif head > 0:
                buffer = self._tell(buffer, head, inside=False)
            if len(buffer) > MOST_RECORD:
                buffer = self._close(buffer, whole=b"\n" not in buffer)
        return buffer

    def _skipped(self, buffer: bytes) -> bytes:
        """Without the rest of a line that was told, and without the hole that a writer leaves whose file was cut short."""
        position = self.position
        if position.cut:
            end = buffer.find(b"\n") + 1
            position.offset += end or len(buffer)
            position.cut = not end
            buffer = buffer[end:] if end else b""
        if buffer.startswith(b"\0"):
            whole = len(buffer)
            buffer = buffer.lstrip(b"\0")
            position.offset += whole - len(buffer)
        return buffer

    def _close(self, buffer: bytes, *, whole: bool) -> bytes:
        """Tell the last record as it is: what carries it on later has been told with it.

        A line that has no end yet is left, except where `whole`.
        """
        end = len(buffer) if whole else buffer.rfind(b"\n") + 1
        if end:
            self.position.cut = not buffer.endswith(b"\n", 0, end)
            return self._tell(buffer, end, inside=True)
        return buffer

    def _tell(self, buffer: bytes, end: int, *, inside: bool) -> bytes:
        """Tell what stands before `end`; what stands behind it is `inside` a record that is told, or begins one."""
        if not end:
            return buffer
        block = buffer[: end - 1] if buffer[end - 1] == 10 else buffer[:end]
        for kind, line in self.form.tell(block, inside=self.position.inside):
            count, first, _ = self.told.get(kind, (0, line, line))
            self.told[kind] = count + 1, first, line
        self.position.offset += end
        self.position.inside = inside
        return buffer[end:]
