"""Which file goes on where another one was read to: what rotation has done to a log between two looks.

Rotation renames a file (logrotate, supervisord), or copies it and cuts it to nothing (copytruncate), may compress the
old one at once or a round later, and may do so twice between two looks. A renamed file keeps its number, and a worker
that holds it open writes on in it; a copy keeps its first bytes.

Three rules keep each line from being told twice or never. Every file that is there has a position after a look, a
copy too, so that what has none is new, or older than the look before. A file with its number, and what was told of it, is the
same one, appended to. What holds the beginning of another file, and nothing else, may be a copy of it, made wholly or
in part: it is told from there, and goes on behind what both hold once it is a copy no more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from auditor.sources.logs.family import HEAD, MOST_FILES, Position, Present, at_end, digest, know_again, opened, seen

KEPT = 86_400.0
"""Seconds for which a file that is gone is kept in mind: it may come back with its folder."""
_MOST_LINE = 65_536


class Match(NamedTuple):
    """A file, and how far it was read."""

    file: Present
    """The file."""
    position: Position | None
    """How far; None where it is new."""
    source: Present | None = None
    """The file that it may be a copy of; None where it is none."""


def matched(
    known: list[Position], files: list[Present], now: float, *, first: bool = False
) -> tuple[list[Match], list[Position]]:
    """Every file with how far it was read; and the positions whose file is gone.

    `now` is the watch's clock. At the `first` look all there is is history.
    """
    content = _Content()
    same, left = _same(known, files, content)
    found: dict[str, Position | None] = {path: one for path, one in same.items() if not one.copy and not one.empty}
    doubtful = [file for file in files if file.path not in found]
    for file in list(doubtful):
        ended = _ended(file, [one for one in left if one.tail], content)
        if ended is not None:  # it holds so much that chance is ruled out
            left.remove(ended)
            doubtful.remove(file)
            found[file.path] = ended
    sources = _sources(doubtful, [file for file in files if file.path in found], content)
    newest = max((one.changed for one in known), default=0)
    for file in sorted(doubtful, key=lambda file: file.path in sources):
        position = same.get(file.path)
        ended = _ended(file, left, content)
        if ended is not None and (position is None or ended.offset >= position.offset):
            left.remove(ended)
            position = ended
        elif position is None and (first or file.found.st_mtime_ns < newest):
            position = at_end(file)  # it was there before
        found[file.path] = position
    gone = [msgspec.structs.replace(one, gone=one.gone or now) for one in left if not one.gone or now - one.gone < KEPT]
    return [Match(file, _present(found[file.path]), sources.get(file.path)) for file in files], gone[-MOST_FILES:]


def _present(position: Position | None) -> Position | None:
    return position and msgspec.structs.replace(position, copy=False, gone=0.0)


def _same(known: list[Position], files: list[Present], content: _Content) -> tuple[dict[str, Position], list[Position]]:
    """The position of every file that has one, by its path; and the positions that are left."""
    numbered = defaultdict(list)
    for one in known:
        numbered[one.device, one.inode].append(one)
    found = {}
    for file in files:
        fitting = [one for one in numbered.get((file.found.st_dev, file.found.st_ino), ()) if content.same(file, one)]
        if fitting:
            found[file.path] = max(fitting, key=lambda one: (one.head, one.offset))
    taken = {id(one) for one in found.values()}
    return found, [one for one in known if id(one) not in taken]


def _sources(doubtful: list[Present], whole: list[Present], content: _Content) -> dict[str, Present]:
    """What each file may be a copy of, by the copy's path. The log itself is never one."""
    named = {file.path: file for file in (*doubtful, *whole)}
    others = list(whole)
    found: dict[str, Present] = {}
    for file in sorted(doubtful, key=lambda file: (not file.current, bool(file.packed), -file.found.st_size)):
        source = named.get(file.path.removesuffix(f".{file.packed}")) if file.packed else None  # it is being compressed
        if source is None and not file.current:
            source = next((other for other in others if content.copy(file, other)), None)
        if source is not None:
            found[file.path] = found.get(source.path, source)
        else:
            others.append(file)
    return found


def _ended(file: Present, left: Iterable[Position], content: _Content) -> Position | None:
    """Where the file goes on: the position of one that is cut or gone, whose content it holds."""
    fitting = (one for one in left if _can_be(file, one) and content.goes_on(file, one))
    return max(fitting, key=lambda one: (one.changed == file.found.st_mtime_ns, one.changed), default=None)


def _can_be(file: Present, one: Position) -> bool:
    """Whether a file can be what became of another: the log is copied and cut, what was rotated is compressed."""
    if one.copy or one.packed or unchanged(file, one):
        return not one.copy and unchanged(file, one)
    return one.current or bool(file.packed)


def unchanged(file: Present, one: Position) -> bool:
    """Whether a file is as long as it was when the position was taken, and was not written to since."""
    return (file.found.st_size, file.found.st_mtime_ns) == (one.size, one.changed)


def told_from(file: Present, position: Position | None, source: Position) -> Position:
    """The position of a copy of what has been told as far as `source` says: behind the last line that both hold."""
    one = seen(file, msgspec.structs.replace(position or Position(), copy=True))
    size, one.size = one.size, -1  # it is not read
    try:
        with opened(file) as stream:
            know_again(one, stream, HEAD if file.packed else size)
            if file.packed or source.offset <= size:
                offset, inside, cut = source.offset, source.inside, source.cut
            else:
                start = max(0, size - _MOST_LINE)
                stream.seek(start)
                end = stream.read(size - start).rfind(b"\n") + 1
                whole = bool(end) or not start
                offset, inside, cut = start + end if whole else size, bool(start + end), not whole
    except (OSError, EOFError, ValueError):
        return one
    if offset >= one.offset:
        one.offset, one.inside, one.cut = offset, inside, cut
        one.tail = source.tail if offset == source.offset else ""
    return one


class _Content:
    """What files hold, read as often as it must be."""

    def __init__(self) -> None:
        self._heads: dict[str, bytes] = {}

    def head(self, file: Present) -> bytes:
        """Its first bytes; none where it cannot be read."""
        if file.path not in self._heads:
            self._heads[file.path] = self._read(file, 0)
        return self._heads[file.path]

    def begins(self, file: Present, one: Position) -> bool:
        """Whether a file begins as the one did that the position is of."""
        head = self.head(file) if one.head else b""
        return 0 < one.head <= len(head) and digest(head[: one.head]) == one.digest

    def goes_on(self, file: Present, one: Position) -> bool:
        """Whether a file holds what was told of the one that the position is of."""
        if not self.begins(file, one):
            return False
        if not file.packed and file.found.st_size < one.offset:
            return one.current and not file.current  # a copy that was made before the last lines were told
        return not one.tail or digest(self._read(file, one.offset - HEAD)) == one.tail

    def same(self, file: Present, one: Position) -> bool:
        """Whether a file with the position's number is the same one: not cut and written anew, nor another's."""
        if unchanged(file, one):
            return True
        if file.packed or one.packed:  # it is written once
            whole = bool(file.packed) and one.size < 0 and one.changed == file.found.st_mtime_ns
            return whole and (not one.head or self.begins(file, one))
        return file.found.st_size >= one.offset and (not one.head or self.goes_on(file, one))

    def copy(self, file: Present, other: Present) -> bool:
        """Whether a file holds the beginning of another, as far as it goes."""
        head = self.head(file)
        if not head or not self.head(other).startswith(head):
            return False
        end = file.found.st_size - HEAD
        return end <= 0 or bool(file.packed or other.packed) or self._read(file, end) == self._read(other, end)

    @staticmethod
    def _read(file: Present, start: int) -> bytes:
        try:
            with opened(file) as stream:
                stream.seek(start)
                return stream.read(HEAD)
        except (OSError, EOFError, ValueError):
            return b""
