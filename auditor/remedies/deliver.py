"""Writing corrected files: all or none, each atomically, its mode and owner kept, the old one beside it as a backup."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from auditor.errors import CannotMend

NEW_MODE = 0o644
"""A file of ours that was not there before: cron refuses one that others may write."""


class Write(NamedTuple):
    """One file to write."""

    shown: str
    """Its path as reports show it."""
    target: Path
    """Where it lies on this machine, symlinks resolved."""
    before: bytes | None
    """What it held when it was judged, None where it was not there."""
    after: bytes
    """What it is to hold."""
    backup: bool = True
    """Whether the old one is worth a copy: not where it is our own."""


def deliver(
    writes: Sequence[Write], *, backup: bool = True, record: Callable[[Sequence[Path]], Write] | None = None
) -> list[Path]:
    """Write them all; gives the backups made. Raises CannotMend, and leaves everything as it was, where one cannot be.

    `record` makes one more file, which may tell of the backups; it is written with the others or not at all.
    """
    staged: list[tuple[Write, Path]] = []
    backups: list[Path] = []
    done: list[Write] = []
    try:
        for write in writes:
            _unchanged(write)
            staged.append((write, _stage(write)))
        for write, _ in staged:
            if backup and write.backup and write.before is not None:
                backups.append(_backup(write))
        if record is not None:
            last = record(backups)
            _unchanged(last)
            staged.append((last, _stage(last)))
        for write, partial in staged:
            os.replace(partial, write.target)
            done.append(write)
    except BaseException as problem:
        _undo(done)
        for made in backups:
            made.unlink(missing_ok=True)
        if not isinstance(problem, OSError):
            raise
        shown = staged[len(done)][0].shown if len(done) < len(staged) else writes[len(staged)].shown
        raise CannotMend(
            shown, f"it cannot be written: {(problem.strerror or str(problem)).lower()}; nothing was changed"
        ) from None
    finally:
        for _, partial in staged:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
    return backups


def _unchanged(write: Write) -> None:
    """Somebody may have edited the file since it was read; their work is not overwritten."""
    held = write.target.read_bytes() if write.target.exists() else None
    if held != write.before:
        raise CannotMend(write.shown, "it was changed by somebody else meanwhile; nothing was changed")


def _stage(write: Write) -> Path:
    """The whole new file beside the old one, flushed to the disk, with its mode and owner."""
    partial = write.target.with_name(f".{write.target.name}.{os.getpid()}.new")
    write.target.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(write.after)
            file.flush()
            if write.before is not None:
                _keep(handle, write.target.stat())
            else:
                os.fchmod(handle, NEW_MODE)
            os.fsync(handle)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return partial


def _keep(handle: int, kept: os.stat_result) -> None:
    """Give an open file another's owner and mode."""
    if (kept.st_uid, kept.st_gid) != (os.geteuid(), os.getegid()):
        os.fchown(handle, kept.st_uid, kept.st_gid)
    os.fchmod(handle, stat.S_IMODE(kept.st_mode))


def _backup(write: Write) -> Path:
    """A copy beside it, under a name that nothing includes.

    Neither an include pattern of supervisor's (`conf.d/*`) nor cron takes what begins with a dot.
    """
    for number in range(1000):
        path = write.target.with_name(f".{write.target.name}.bak{number or ''}")
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            continue
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(write.before or b"")
                _keep(handle, write.target.stat())
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path
    raise OSError(0, "there are already a thousand backups beside it")


def _undo(done: Sequence[Write]) -> None:
    for write in reversed(done):
        with contextlib.suppress(OSError):
            if write.before is None:
                write.target.unlink(missing_ok=True)
            else:
                _stage(write._replace(after=write.before)).replace(write.target)
