"""The files that one log has become: itself, and what rotation has made of it; how far each is read, and its content."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, NamedTuple

import msgspec

HEAD = 1024
"""A file is known again by so many of its first bytes."""
MOST_FILES = 64
"""No more files of one log are kept in mind; the oldest are left out."""
_ROTATED = r"(?:\d{1,8}|old|\d{4}-\d\d-\d\d(?:[-_T]?\d{2,6})?|\d{8}[-_T]?\d{2,6})"
_ENDINGS = ("gz", "bz2", "xz", "zst")
_PACKED = rf"(?:\.(?:{'|'.join(_ENDINGS)}))?"


class Position(msgspec.Struct):
    """How far one file has been read."""

    device: int = 0
    """The device it lies on."""
    inode: int = 0
    """Its number there."""
    offset: int = 0
    """Bytes that have been told; where it is compressed, of its content."""
    size: int = 0
    """Its bytes at the last look; -1 where that could not read all of them."""
    changed: int = 0
    """When it was last written to, at the last look: nanoseconds, by the file system's clock."""
    head: int = 0
    """So many of its first bytes make the digest."""
    digest: str = ""
    """What it is known again by."""
    tail: str = ""
    """And what the HEAD bytes before the offset are known by, where they lie behind those."""
    inside: bool = False
    """Whether what comes next carries on a record that has been told."""
    cut: bool = False
    """Whether the offset lies within a line."""
    since: float = 0.0
    """When its end was first seen as it is, by the watch's clock; 0 where nothing waits behind the offset."""
    packed: bool = False
    """Whether it is compressed."""
    current: bool = False
    """Whether it had the log's own name."""
    copy: bool = False
    """Whether it held what another file holds, which is told from there: it is read once that is no more so."""
    gone: float = 0.0
    """When it was first missed, by the watch's clock; 0 while it is there."""

    @property
    def empty(self) -> bool:
        """Whether nothing was in it, so that it cannot be known again by its content."""
        return not self.head and not self.offset


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
                packed = packed if packed in _ENDINGS else ""
                found.append(Present(f"{folder}/{each}", packed, each == name, status))
    return sorted(found, key=lambda one: one.order)[-MOST_FILES:]


def seen(file: Present, position: Position) -> Position:
    """The position of a file as it is now."""
    status = file.found
    return msgspec.structs.replace(
        position,
        device=status.st_dev,
        inode=status.st_ino,
        size=status.st_size,
        changed=status.st_mtime_ns,
        packed=bool(file.packed),
        current=file.current,
    )


def unread(file: Present) -> Position:
    """The position of a file that could not be read yet, and is to be read from its beginning."""
    return msgspec.structs.replace(seen(file, Position()), size=-1)


def at_end(file: Present) -> Position:
    """Where a file is begun whose content is history."""
    position = seen(file, Position(offset=file.found.st_size, inside=True))
    if file.packed or not position.offset:
        return position
    with contextlib.suppress(OSError), opened(file) as stream:
        know_again(position, stream, position.size)
        stream.seek(position.offset - 1)
        position.cut = stream.read(1) != b"\n"
    return position


def know_again(position: Position, stream: IO[bytes], size: int = HEAD) -> None:
    """Keep what `stream`, of which `size` bytes have been seen, is known by."""
    if position.head < HEAD:
        stream.seek(0)
        data = stream.read(min(size, HEAD))
        position.head, position.digest = len(data), digest(data)
    position.tail = ""
    if position.offset > HEAD and not position.packed:  # what is compressed becomes nothing else
        stream.seek(position.offset - HEAD)
        position.tail = digest(stream.read(HEAD))


def digest(data: bytes) -> str:
    """What the beginning of a file's content is known by; "" of nothing."""
    return hashlib.blake2b(data, digest_size=12).hexdigest() if data else ""


@contextlib.contextmanager
def opened(file: Present) -> Iterator[IO[bytes]]:
    """The file's content, decompressed; raises OSError, or EOFError or ValueError where it cannot be decompressed."""
    handle = os.open(file.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb", buffering=0) as raw:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(0, "it is not a regular file")
        if not file.packed:
            yield raw
            return
        stream, damage = _UNPACK[file.packed](raw)
        with stream:
            try:
                yield stream
            except damage:
                raise ValueError("it is damaged") from None


def _gzip(raw: IO[bytes]) -> _Unpacked:
    import gzip
    import zlib

    return gzip.GzipFile(fileobj=raw, mode="rb"), (zlib.error, gzip.BadGzipFile)


def _bz2(raw: IO[bytes]) -> _Unpacked:
    import bz2

    return bz2.BZ2File(raw), (OSError,)


def _xz(raw: IO[bytes]) -> _Unpacked:
    import lzma

    return lzma.LZMAFile(raw), (lzma.LZMAError,)


def _zst(raw: IO[bytes]) -> _Unpacked:
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError:
        raise ValueError("it is compressed with zstd; queue-auditor[zstd] reads that") from None
    return zstd.ZstdFile(raw), (zstd.ZstdError,)


_Unpacked = tuple[Any, tuple[type[Exception], ...]]
"""The content, and what reading it raises where it is damaged, besides EOFError and ValueError."""
_UNPACK: Mapping[str, Callable[[IO[bytes]], _Unpacked]] = {"gz": _gzip, "bz2": _bz2, "xz": _xz, "zst": _zst}
