"""Writing corrected files: all or none, each atomically, its mode and owner kept, the old one beside it as a backup."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from auditor.errors import CannotMend
from auditor.writing import commit, create, discard, stage

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
    staged: list[tuple[Write, str]] = []
    backups: list[Path] = []
    begun: list[Write] = []
    at = ""
    try:
        for write in writes:
            at = write.shown
            _unchanged(write)
            staged.append((write, _stage(write)))
        for write, _ in staged:
            at = write.shown
            if backup and write.backup and write.before is not None:
                backups.append(_backup(write))
        if record is not None:
            last = record(backups)
            at = last.shown
            _unchanged(last)
            staged.append((last, _stage(last)))
        for write, partial in staged:
            at = write.shown
            begun.append(write)  # before it is in place: an interruption may come between
            commit(partial, str(write.target))
    except BaseException as problem:
        _undo(begun)
        for made in backups:
            made.unlink(missing_ok=True)
        if not isinstance(problem, OSError):
            raise
        why = (problem.strerror or str(problem)).lower()
        raise CannotMend(at, f"it cannot be written: {why}; nothing was changed") from None
    finally:
        for _, partial in staged:
            discard(partial)
    return backups


def _unchanged(write: Write) -> None:
    """Somebody may have edited the file since it was read; their work is not overwritten."""
    held = write.target.read_bytes() if write.target.exists() else None
    if held != write.before:
        raise CannotMend(write.shown, "it was changed by somebody else meanwhile; nothing was changed")


def _stage(write: Write) -> str:
    """The whole new file beside the old one, with its mode and owner."""
    write.target.parent.mkdir(parents=True, exist_ok=True)
    like = write.target.stat() if write.before is not None else None
    return stage(str(write.target), write.after, mode=NEW_MODE, like=like)


def _backup(write: Write) -> Path:
    """A copy beside it, under a name that nothing includes.

    Neither an include pattern of supervisor's (`conf.d/*`) nor cron takes what begins with a dot.
    """
    for number in range(1000):
        path = write.target.with_name(f".{write.target.name}.bak{number or ''}")
        with contextlib.suppress(FileExistsError):
            create(str(path), write.before or b"", like=write.target.stat())
            return path
    raise OSError(0, "there are already a thousand backups beside it")


def _undo(begun: Sequence[Write]) -> None:
    for write in reversed(begun):
        with contextlib.suppress(OSError):
            if write.before is None:
                write.target.unlink(missing_ok=True)
            else:
                commit(_stage(write._replace(after=write.before)), str(write.target))
