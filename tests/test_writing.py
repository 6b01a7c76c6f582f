"""Writing a file: the path holds the old text or the new one, whenever this is stopped, and nothing is left beside it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor.writing import create, replace

OLD, NEW = b"old\n" * 1000, b"new\n" * 2000
STEPS = ("open", "fchmod", "fsync", "replace")
"""The calls that writing makes, each of which may fail."""


def mode_of(path: Path) -> int:
    """Its permissions."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("how", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full", "stopped"])
def test_whole_or_not_at_all(tmp_path: Path, step: str, how: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever call fails, the old file stands there alone."""
    path = tmp_path / "a"
    path.write_bytes(OLD)

    def failing(*_arguments: object, **_more: object) -> object:
        raise how

    monkeypatch.setattr(os, step, failing)
    with pytest.raises(type(how)):
        replace(str(path), NEW, mode=0o600)

    monkeypatch.undo()
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"a": OLD}


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step(tmp_path: Path, step: str) -> None:
    """A process that is killed leaves the old file, and what it began is no obstacle to the next."""
    path = tmp_path / "a"
    path.write_bytes(OLD)
    program = f"""
import os, signal, sys
from auditor.writing import replace
os.{step} = lambda *a, **k: signal.raise_signal(signal.SIGKILL)
replace(sys.argv[1], {NEW!r}, mode=0o600)
"""

    killed = subprocess.run([sys.executable, "-c", program, str(path)], check=False)

    assert killed.returncode == -signal.SIGKILL
    assert path.read_bytes() == OLD
    assert all(each.name.startswith(".a.") for each in tmp_path.iterdir() if each != path)


def test_what_was_left_behind_is_written_over(tmp_path: Path) -> None:
    """In a container every process may have the same number: a killed one's file does not stop the next, nor is it followed."""
    left = tmp_path / f".a.{os.getpid()}.new"
    left.symlink_to(tmp_path / "elsewhere")

    replace(str(tmp_path / "a"), NEW)

    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"a": NEW}


@pytest.mark.parametrize(
    ("umask", "asked", "has"), [(0o022, None, 0o644), (0o077, None, 0o600), (0o077, 0o644, 0o644), (0, 0o600, 0o600)]
)
def test_mode(tmp_path: Path, umask: int, asked: int | None, has: int) -> None:
    """Exactly the one that was asked for, or what the umask leaves."""
    before = os.umask(umask)
    try:
        replace(str(tmp_path / "a"), NEW, mode=asked)
    finally:
        os.umask(before)

    assert mode_of(tmp_path / "a") == has


def test_like_the_old_one(tmp_path: Path) -> None:
    """Mode and owner are those of the file that is replaced."""
    path = tmp_path / "a"
    path.write_bytes(OLD)
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 1234, 4321)
    old = path.stat()

    replace(str(path), NEW, like=old)

    new = path.stat()
    assert (new.st_mode, new.st_uid, new.st_gid, path.read_bytes()) == (old.st_mode, old.st_uid, old.st_gid, NEW)


def test_an_owner_that_cannot_be_given_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that belonged to another owner than before would be another file: nothing is written."""
    path = tmp_path / "a"
    path.write_bytes(OLD)
    theirs = os.stat_result((*path.stat()[:4], 1234, 4321, *path.stat()[6:]))

    def refused(*_arguments: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", refused)
    with pytest.raises(PermissionError):
        replace(str(path), NEW, like=theirs)

    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"a": OLD}


@pytest.mark.parametrize("make", [Path.symlink_to, Path.hardlink_to], ids=["symlink", "hard link"])
def test_another_name_keeps_the_old_text(tmp_path: Path, make: Callable[[Path, Path], None]) -> None:
    """The path itself is replaced: what a symlink leads to, and another hard link, hold what they held."""
    other, path = tmp_path / "other", tmp_path / "a"
    other.write_bytes(OLD)
    make(path, other)

    replace(str(path), NEW)

    assert (path.read_bytes(), path.is_symlink(), other.read_bytes()) == (NEW, False, OLD)


def test_create_takes_no_place(tmp_path: Path) -> None:
    """A name that is taken stays as it is."""
    path = tmp_path / "a"
    path.write_bytes(OLD)

    with pytest.raises(FileExistsError):
        create(str(path), NEW)

    assert path.read_bytes() == OLD
