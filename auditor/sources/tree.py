"""The audited tree: a host's root, or a repository, seen from inside, as a chroot would see it.

Absolute paths and absolute symlinks of the audited host are taken inside the root, never on this machine; only regular
files are opened, and never more of one than MAX_BYTES. So a FIFO, a device, a symlink loop or a 1 GB line can at worst
be refused with a sentence.
"""

from __future__ import annotations

import errno
import fnmatch
import functools
import itertools
import os
import re
import stat
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING

from auditor.errors import Unreadable
from auditor.sources.ignores import MARK

if TYPE_CHECKING:
    from pathlib import PurePosixPath

MAX_BYTES = 8 * 1024 * 1024
"""No configuration file is larger; what is larger is refused."""
MAX_LINKS = 40
"""Linux itself follows no more symlinks than that in one path."""
MAX_FILES = 200_000
"""No more folder entries than that are looked at in one walk."""
SKIPPED_FOLDERS = frozenset({".git", ".hg", ".svn", "node_modules", "vendor", "__pycache__", ".venv", ".tox"})
"""Folders a walk never enters: other people's code and caches."""


class Tree:
    """A folder seen as the root of a file system.

    Paths given and returned are strings with forward slashes, relative to the root and without a leading slash
    ("etc/supervisor/conf.d/x.conf"): the form in which reports show them.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        """Look from this existing folder (made absolute at once)."""
        self.root = os.path.realpath(root)
        self._root = self.root.rstrip("/")
        self._folders: dict[str, str] = {"": ""}
        self.unread: dict[str, str] = {}
        """What exists, was asked for and could not be taken in, with the reason: whoever asked may go on without it."""
        self.marked: dict[str, bytes] = {}
        """What was read and holds MARK, a comment to the auditor: nobody needs to look for those again."""

    def relative(self, path: str | PurePosixPath, base: str = "") -> str:
        """The path as this tree writes it: an absolute one from the root, a relative one from `base`; `..` stays inside."""
        text = str(path)
        joined = text if text.startswith("/") else f"{base}/{text}"
        parts: list[str] = []
        for part in joined.split("/"):
            if part == "..":
                if parts:
                    parts.pop()
            elif part not in ("", "."):
                parts.append(part)
        return "/".join(parts)

    def real(self, path: str) -> str:
        """The path with every symlink on the way resolved inside the root.

        Raises Unreadable on a loop, FileNotFoundError where a component is missing.
        """
        head, _, tail = path.rpartition("/")
        folder = self._folder(head)
        return self._step(folder, tail, path, MAX_LINKS)[0] if tail else folder

    def _folder(self, path: str) -> str:
        """The same for a folder, which is resolved once."""
        folder = self._folders.get(path)
        if folder is None:
            folder = self._folders[path] = self._walk(path)
        return folder

    def _nearly(self, path: str) -> str:
        """The path on this machine with all but its last symlink resolved: most paths have none."""
        head, _, tail = path.rpartition("/")
        folder = self._folder(head)
        return f"{self._root}/{folder}/{tail}" if folder else f"{self._root}/{tail}"

    def _walk(self, path: str, links: int = MAX_LINKS) -> str:
        here = ""
        for part in path.split("/"):
            if part in ("", "."):
                continue
            if part == "..":
                here = here.rpartition("/")[0]
                continue
            here, links = self._step(here, part, path, links)
        return here

    def _step(self, folder: str, part: str, path: str, links: int) -> tuple[str, int]:
        inside = f"{folder}/{part}" if folder else part
        try:
            target = os.readlink(f"{self._root}/{inside}")
        except OSError as error:
            if error.errno == errno.EINVAL:  # not a symlink: the usual case
                return inside, links
            raise
        if links <= 0:
            raise Unreadable(path, "its symlinks go round in a circle")
        base = "" if target.startswith("/") else folder
        return self._walk(f"{base}/{target}", links - 1), links - 1

    def host_path(self, path: str) -> str:
        """The resolved path on this machine, to hand to os functions."""
        inside = self.real(path)
        return f"{self._root}/{inside}" if inside else (self._root or "/")

    def stat(self, path: str) -> os.stat_result | None:
        """What stat(2) says of it, symlinks followed inside the root; None where it is missing or cannot be reached."""
        try:
            found = os.lstat(self._nearly(path))
            return os.lstat(self.host_path(path)) if stat.S_ISLNK(found.st_mode) else found
        except OSError as error:
            if error.errno in _FORBIDDEN:
                self.unread.setdefault(path, _why(error))
            return None
        except (Unreadable, ValueError):
            return None

    def is_file(self, path: str) -> bool:
        """Whether a regular file is there; a pipe, socket or device in its place is noted as unread."""
        found = self.stat(path)
        if found is None:
            return False
        if stat.S_ISREG(found.st_mode):
            return True
        if not stat.S_ISDIR(found.st_mode) and self.real(path) != "dev/null":  # a link there masks a unit
            self.unread.setdefault(path, f"it is {_kind(found.st_mode)}, not a regular file")
        return False

    def is_dir(self, path: str) -> bool:
        """Whether a folder is there."""
        found = self.stat(path)
        return found is not None and stat.S_ISDIR(found.st_mode)

    def read(self, path: str, limit: int = MAX_BYTES) -> bytes:
        """The whole file; raises Unreadable (missing, not a regular file, too large, forbidden)."""
        try:
            return self._read(path, limit)
        except Unreadable as problem:
            if problem.reason not in _ABSENT:
                self.unread[path] = problem.reason
            raise

    def _read(self, path: str, limit: int) -> bytes:
        try:
            handle = self._open(path)
        except OSError as error:
            raise Unreadable(path, _why(error)) from None
        except ValueError:
            raise Unreadable(path, "no file has such a name") from None
        try:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                raise Unreadable(path, f"it is {_kind(found.st_mode)}, not a regular file")
            if found.st_size > limit:
                raise Unreadable(
                    path, f"it is {found.st_size:,} bytes long, and no more than {limit:,} are read of one file"
                )
            data = _whole(handle, found.st_size, limit)
        except OSError as error:
            raise Unreadable(path, _why(error)) from None
        finally:
            os.close(handle)
        if MARK in data:
            self.marked[path] = data
        return data

    def _open(self, path: str) -> int:
        # O_NONBLOCK: opening a FIFO nobody writes to must not wait for ever.
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            return os.open(self._nearly(path), flags)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
        return os.open(self.host_path(path), flags)

    def names(self, path: str) -> list[str]:
        """The names in a folder, sorted; raises Unreadable."""
        try:
            return sorted(os.listdir(self.host_path(path)))
        except OSError as error:
            self._note(path, error)
            raise Unreadable(path, _why(error)) from None

    def _note(self, folder: str, error: OSError | Unreadable) -> None:
        if isinstance(error, Unreadable):
            self.unread.setdefault(folder, error.reason)
        elif error.errno in _FORBIDDEN:
            self.unread.setdefault(folder, _why(error))

    def glob(self, pattern: str, base: str = "", also: Collection[str] = ()) -> list[str]:
        """Paths that match, as Python's glob.glob does (`*` skips dot names, `**` acts as `*`), sorted by whole path.

        The paths in `also` count as there: a file that is to be written is looked for before it is.
        """
        absolute = self.relative(pattern, base)
        found = [""]
        budget = MAX_FILES
        for part in absolute.split("/"):
            found = list(itertools.islice(self._matches(found, part), budget))
            budget -= len(found)
            if budget <= 0:
                self.unread[absolute] = f"it matches more than the {MAX_FILES:,} paths that are looked at"
                return []
        planned = [path for path in also if path not in found and _fits(path, absolute)]
        return sorted([*found, *planned])

    def _matches(self, folders: list[str], part: str) -> Iterator[str]:
        matches = _matcher(part) if _has_magic(part) else None
        for folder in folders:
            if matches is None:
                path = f"{folder}/{part}" if folder else part
                if self._exists(path):
                    yield path
                continue
            try:
                names = os.listdir(self.host_path(folder))
            except (OSError, Unreadable) as error:
                self._note(folder, error)
                continue
            for name in names:
                if _takes_dots(part, name) and matches(name):
                    yield f"{folder}/{name}" if folder else name

    def _exists(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        try:  # as glob does: a dangling symlink still counts as there
            return os.path.lexists(f"{self.host_path(folder)}/{name}")
        except (OSError, Unreadable, ValueError):
            return False

    def walk(self, path: str = "") -> Iterator[str]:
        """Everything but folders below a folder, in a stable order; SKIPPED_FOLDERS are left out."""
        budget = MAX_FILES
        pending = [path]
        while pending:
            folder = pending.pop()
            try:
                with os.scandir(self.host_path(folder)) as entries:
                    inside = sorted(entries, key=lambda e: e.name)
            except (OSError, Unreadable) as error:
                self._note(folder, error)
                continue
            below = []
            for entry in inside:
                budget -= 1
                if budget < 0:
                    self.unread[folder] = f"more than {MAX_FILES:,} entries were looked at before it"
                    return
                name = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in SKIPPED_FOLDERS:
                        below.append(name)
                elif not entry.is_symlink() or not self.is_dir(name):
                    yield name  # a pipe or a device too: whoever reads it is told what it is
            pending.extend(reversed(below))


def _has_magic(part: str) -> bool:
    return any(c in part for c in "*?[")


def _takes_dots(part: str, name: str) -> bool:
    return part.startswith(".") or not name.startswith(".")


def _fits(path: str, pattern: str) -> bool:
    """Whether a path that need not be there matches, part by part."""
    names, parts = path.split("/"), pattern.split("/")
    return len(names) == len(parts) and all(
        name == part or (_has_magic(part) and _takes_dots(part, name) and _matcher(part)(name))
        for name, part in zip(names, parts, strict=True)
    )


@functools.lru_cache(maxsize=512)
def _matcher(pattern: str) -> Callable[[str], object]:
    """Whether a name matches, as fnmatch has it; what asks for a beginning or an end alone needs no regular expression."""
    head, star, tail = pattern.partition("*")
    if star and not _has_magic(head + tail):
        if not head:
            return lambda name: name.endswith(tail)
        if not tail:
            return lambda name: name.startswith(head)
    return re.compile(fnmatch.translate(pattern)).match


def _whole(handle: int, size: int, limit: int) -> bytes:
    """What an open file holds, up to one byte more than the limit; /proc tells no size of its files, and /sys too much."""
    data = os.read(handle, min(size, limit) + 1)
    while len(data) <= limit and len(data) != size:
        more = os.read(handle, min(65536, limit + 1 - len(data)))
        if not more:
            break
        data += more
    return data


_MISSING = "it does not exist"
_NO_FOLDER = "a part of its path is not a folder"
_ABSENT = (_MISSING, _NO_FOLDER)
_FORBIDDEN = (errno.EACCES, errno.EPERM)


def _why(error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return _MISSING
    if error.errno == errno.ENOTDIR:
        return _NO_FOLDER
    if error.errno in (errno.EACCES, errno.EPERM):
        return "permission denied"
    if error.errno == errno.ENXIO:
        return "it is a socket, not a regular file"
    if error.errno == errno.EISDIR:
        return "it is a folder, not a regular file"
    if error.errno == errno.ELOOP:
        return "its symlinks go round in a circle"
    return (error.strerror or "it cannot be read").lower()


def _kind(mode: int) -> str:
    for test, name in (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
        (stat.S_ISSOCK, "a socket"),
    ):
        if test(mode):
            return name
    return "something else"
