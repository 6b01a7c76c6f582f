"""Writing a file whole or not at all: every file that the auditor leaves behind is written here.

Whoever reads the path sees the old file or the new one, never a part of either, whenever this process or its machine is
stopped: the new one is made beside the old, flushed to the disk, and takes its place in one step. So

- the path itself is replaced, also where it is a symlink: who wants the link to stay writes to what it leads to;
- mode and owner are those of the file in `like`, where one is given, or the file is not written at all;
- another hard link to the old file goes on holding the old text, and the old file's time and attributes go with it.

The file in the making has a name that begins with a dot, which neither supervisor's includes nor cron take, and is
gone when writing fails; one that a killed process left behind is written over by the next of its number.
"""

from __future__ import annotations

import contextlib
import os
import stat


def replace(path: str, data: bytes, *, mode: int | None = None, like: os.stat_result | None = None) -> None:
    """Write one file; raises OSError, and leaves the path as it was, where that cannot be.

    Its mode is exactly `mode`; without one, and without a file it is to be `like`, the one that the umask leaves.
    """
    commit(stage(path, data, mode=mode, like=like), path)


def stage(path: str, data: bytes, *, mode: int | None = None, like: os.stat_result | None = None) -> str:
    """Make the new file beside `path`, and give its name: `commit` puts it in place, `discard` takes it away."""
    folder, name = os.path.split(path)
    partial = os.path.join(folder, f".{name}.{os.getpid()}.new")
    try:
        create(partial, data, mode=mode, like=like)
    except FileExistsError:
        os.unlink(partial)
        create(partial, data, mode=mode, like=like)
    return partial


def create(path: str, data: bytes, *, mode: int | None = None, like: os.stat_result | None = None) -> None:
    """Write a file that is not there yet, and have it on the disk; raises OSError, FileExistsError, and leaves none."""
    private = mode is not None or like is not None
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600 if private else 0o666)
    try:
        with open(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            if like is not None:
                _keep(handle, like)
            elif mode is not None:
                os.fchmod(handle, mode)
            os.fsync(handle)
    except BaseException:
        discard(path)
        raise


def commit(partial: str, path: str) -> None:
    """Put a staged file in place; raises OSError, and takes it away, where that cannot be."""
    try:
        os.replace(partial, path)
    except BaseException:
        discard(partial)
        raise
    with contextlib.suppress(OSError):  # not every file system can; the new file is there, and the old one was whole
        folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def discard(path: str) -> None:
    """Take a file away, if it is there and can be."""
    with contextlib.suppress(OSError):
        os.unlink(path)


def _keep(handle: int, kept: os.stat_result) -> None:
    """Give an open file another's owner and mode."""
    if (kept.st_uid, kept.st_gid) != (os.geteuid(), os.getegid()):
        os.fchown(handle, kept.st_uid, kept.st_gid)
    os.fchmod(handle, stat.S_IMODE(kept.st_mode))
