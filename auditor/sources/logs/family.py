"""The files that one log has become: itself, and what rotation has made of it, told apart by inode and by content.

Rotation renames a file (logrotate, supervisord), or copies it and cuts it to nothing (copytruncate), may compress the
old one at once or a round later, and may do so twice between two looks. A renamed file keeps its inode, and a worker
that holds it open writes on in it; a copy keeps its first bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, NamedTuple

import msgspec

HEAD = 1024
"""A file is known again by so many of its first bytes."""
MOST_FILES = 64
"""No more files of one log are kept in mind; the oldest are left out."""
_ROTATED = r"(?:\d{1,8}|old|\d{4}-\d\d-\d\d(?:[-_T]?\d{2,6})?|\d{8}[-_T]?\d{2,6})"
_PACKED = r"(?:\.(?:gz|bz2|xz|zst))?"


class Position(msgspec.Struct):
    """How far one file has been read."""

    device: int = 0
    """The device it lies on."""
    inode: int = 0
    """Its number there."""
    offset: int = 0
    """Bytes that have been told; where it is compressed, of its content."""
    size: int = 0
    """Its bytes at the last look."""
    changed: int = 0
    """When it was last written to, at the last look: nanoseconds, by the file system's clock."""
    head: int = 0
    """So many of its first bytes make the digest."""
    digest: str = ""
    """What it is known again by."""
    inside: bool = False
    """Whether what comes next carries on a record that has been told."""
    cut: bool = False
    """Whether the offset lies within a line."""
    since: float = 0.0
    """When its end was first seen as it is, by the watch's clock; 0 where nothing waits behind the offset."""


class Present(NamedTuple):
    """One file that is there now."""

    path: str
    """Where it lies on this machine."""
    packed: str
    """"gz", "bz2", "xz", "zst" or ""."""
    current: bool
    """Whether it has the log's own name."""
    found: os.stat_result
    """What fstat(2) or stat(2) says of it."""

    @property
    def order(self) -> tuple[bool, int, str]:
        """Oldest first; the log itself last."""
        return self.current, self.found.st_mtime_ns, self.path


def present(path: str) -> list[Present]:
    """The regular files of the log `path`, oldest first; raises OSError where its folder cannot be read."""
    folder, name = os.path.split(path)
    stem, dot, ending = name.rpartition(".")
    names = re.escape(name)
    inner = f"|{re.escape(stem)}[.-]{_ROTATED}{re.escape(dot + ending)}" if stem else ""
    matches = re.compile(rf"(?:{names}(?:[.-]{_ROTATED})?{inner}){_PACKED}\Z").match
    found = []
    for each in os.listdir(folder):
        if not matches(each):
            continue
        with contextlib.suppress(OSError):
            status = os.stat(f"{folder}/{each}")
            if stat.S_ISREG(status.st_mode):
                packed = each.rpartition(".")[2] if each != name else ""
                packed = packed if packed in ("gz", "bz2", "xz", "zst") else ""
                found.append(Present(f"{folder}/{each}", packed, each == name, status))
    return sorted(found, key=lambda one: one.order)[-MOST_FILES:]


def matched(
    known: list[Position], files: list[Present]
) -> tuple[list[tuple[Present, Position | None]], list[Position]]:
    """Every file with how far it was read, None where it is new; and the positions whose file is gone.

    What may be a copy of a file that is still there is left out: a rotation may be half done.
    """
    left = {(one.device, one.inode): one for one in known}
    pairs: dict[str, Position | None] = {}
    for file in files:
        position = left.get((file.found.st_dev, file.found.st_ino))
        if position is None or not _same(file, position):
            continue
        unchanged = (file.found.st_size, file.found.st_mtime_ns) == (position.size, position.changed)
        if position.head or file.current or unchanged or not file.found.st_size:
            pairs[file.path] = position
            del left[position.device, position.inode]
    whole = [file for file in files if file.path in pairs]
    current = next((file for file in whole if file.current), None)
    newest = max((one.changed for one in known), default=0)
    names = {file.path for file in files}
    for file in files:
        if file.path in pairs or (file.packed and file.path.removesuffix(f".{file.packed}") in names):
            continue  # known, or being compressed at this moment
        moved = next((one for one in left.values() if _begins(file, one)), None)
        # What was empty has nothing to be known by, and its number may be another's now.
        empty = left.get((file.found.st_dev, file.found.st_ino)) if moved is None else None
        if moved is not None:
            del left[moved.device, moved.inode]
            pairs[file.path] = moved
        elif empty is not None and not empty.head and not any(_copy(file, one) for one in whole):
            del left[empty.device, empty.inode]
            pairs[file.path] = empty
        elif file.found.st_mtime_ns < newest:
            pairs[file.path] = seen(file, Position(offset=file.found.st_size, inside=True))  # it was there before
        elif file.current:
            pairs[file.path] = None
        elif file.found.st_size == 0 or any(_copy(file, one) for one in whole):
            continue
        else:
            held = pairs[current.path] if current is not None else None
            pairs[file.path] = None
            if current is not None and held is not None and _begins(file, held):
                # The log was cut to nothing, and what was written to it since begins alike.
                pairs[file.path], pairs[current.path] = held, None
    return [(file, pairs[file.path]) for file in files if file.path in pairs], list(left.values())


def _begins(file: Present, position: Position) -> bool:
    """Whether a file begins as the one did that the position is of."""
    return bool(position.head) and digest(file, position.head) == position.digest


def _copy(file: Present, other: Present) -> bool:
    """Whether a file holds the beginning of another, as far as it goes: a copy that is being made."""
    size = file.found.st_size
    with contextlib.suppress(OSError, EOFError, ValueError), opened(file) as one, opened(other) as two:
        for at in (0,) if file.packed or other.packed else (0, max(0, size - HEAD)):
            one.seek(at)
            two.seek(at)
            held = one.read(HEAD)
            if held != two.read(len(held)):
                return False
        return True
    return False


def _same(file: Present, position: Position) -> bool:
    """Whether a file with the position's inode is still the same one: not cut to nothing and written anew, nor another's."""
    if (file.found.st_size, file.found.st_mtime_ns) == (position.size, position.changed):
        return True
    # What is compressed is written once.
    return not file.packed and file.found.st_size >= position.offset and digest(file, position.head) == position.digest


def seen(file: Present, position: Position) -> Position:
    """The position of a file as it is now."""
    status = file.found
    return msgspec.structs.replace(
        position, device=status.st_dev, inode=status.st_ino, size=status.st_size, changed=status.st_mtime_ns
    )


def digest(file: Present, length: int) -> str:
    """What the first `length` bytes of a file's content are known by; "" where it has not so many, or cannot be read."""
    if not length:
        return ""
    try:
        with opened(file) as stream:
            return digest_of(stream, length)
    except (OSError, EOFError, ValueError):
        return ""


def digest_of(stream: IO[bytes], length: int) -> str:
    """As digest, of an open file, which is read from its beginning."""
    stream.seek(0)
    data = stream.read(length)
    return hashlib.blake2b(data, digest_size=12).hexdigest() if len(data) == length else ""


@contextlib.contextmanager
def opened(file: Present) -> Iterator[IO[bytes]]:
    """The file's content, decompressed; raises OSError, or ValueError where nobody here can decompress it."""
    handle = os.open(file.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb", buffering=0) as raw:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(0, "it is not a regular file")
        if not file.packed:
            yield raw
            return
        unpack = _UNPACK.get(file.packed)
        if unpack is None:
            raise ValueError(f"it is compressed with {file.packed}, which is not read here")
        with unpack(raw) as stream:
            yield stream


def _gzip(raw: IO[bytes]) -> Any:
    import gzip

    return gzip.GzipFile(fileobj=raw, mode="rb")


def _bz2(raw: IO[bytes]) -> Any:
    import bz2

    return bz2.BZ2File(raw)


def _xz(raw: IO[bytes]) -> Any:
    import lzma

    return lzma.LZMAFile(raw)


_UNPACK: Mapping[str, Callable[[IO[bytes]], Any]] = {"gz": _gzip, "bz2": _bz2, "xz": _xz}
