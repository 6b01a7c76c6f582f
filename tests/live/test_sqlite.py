"""An SQLite file is read as it is: no file is made or written, and no writer is locked out."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from auditor.sources.live.access import LIMITS, Access, Limits, Queue, Tables
from auditor.sources.live.database import DatabaseLook
from auditor.sources.live.settings import database_access
from auditor.sources.live.sqlite import look_at_sqlite
from tests.stack.polling import until

JOBS = """
    CREATE TABLE jobs (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, queue VARCHAR NOT NULL, payload TEXT NOT NULL,
        attempts INTEGER NOT NULL, reserved_at INTEGER, available_at INTEGER NOT NULL, created_at INTEGER NOT NULL);
    CREATE INDEX jobs_queue_index ON jobs (queue);
"""
INSERT = "INSERT INTO jobs (queue, payload, attempts, available_at, created_at) VALUES ('default', '{}', 0, 1, 1)"
CRASH = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute(sys.argv[2])
print("ready", flush=True)
sys.stdin.read()
os._exit(9)
"""


def access(path: Path) -> Access:
    """To that file."""
    return database_access({"driver": "sqlite", "database": str(path)}, app="app", connection="database")


def look(path: Path) -> DatabaseLook:
    """At that file."""
    return look_at_sqlite(access(path), Tables(), [Queue("default", 90, 60)], 101.0, limits=Limits(window=10))


def made(folder: Path, mode: str, rows: int = 3) -> Path:
    """A database of that journal mode, closed."""
    path = folder / "database.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA journal_mode = {mode}")
        connection.executescript(JOBS)
        for _ in range(rows):
            connection.execute(INSERT)
    connection.close()
    return path


def files(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Every file there: its bytes, when it was changed, and its inode."""
    return {one.name: (one.read_bytes(), one.stat().st_mtime_ns, one.stat().st_ino) for one in folder.iterdir()}


@pytest.mark.parametrize("mode", ["delete", "truncate", "persist", "wal"])
def test_a_file_at_rest(tmp_path: Path, mode: str) -> None:
    """A file that nobody has open is counted, and nothing in its folder has changed."""
    path = made(tmp_path, mode)
    before = files(tmp_path)
    found = look(path)

    assert found.probe.outcome == "ok"
    assert found.server is not None
    assert found.server.journal_mode == ("wal" if mode == "wal" else "delete")
    assert found.queues[0].ready == 3
    assert files(tmp_path) == before


def test_a_log_in_use(tmp_path: Path) -> None:
    """What stands in the write-ahead log of a writer at work counts too, and its files are left alone."""
    path = made(tmp_path, "wal")
    writer = sqlite3.connect(path, isolation_level=None)
    try:
        writer.execute(INSERT)
        names = {one.name for one in tmp_path.iterdir()}
        found = look(path)
        assert found.probe.outcome == "ok", found.probe.reason
        assert found.queues[0].ready == 4
        assert {one.name for one in tmp_path.iterdir()} == names
        writer.execute("BEGIN IMMEDIATE")
        writer.execute(INSERT)
        assert look(path).queues[0].ready == 4
        writer.execute("COMMIT")
        assert look(path).queues[0].ready == 5
    finally:
        writer.close()
    assert {one.name for one in tmp_path.iterdir()} == {"database.sqlite"}


def test_a_log_left_from_a_crash(tmp_path: Path) -> None:
    """A log whose writers were killed is read where it can be without making files, and else not."""
    path = made(tmp_path, "wal")
    crash(path, INSERT)
    assert (tmp_path / "database.sqlite-wal").exists()
    before = files(tmp_path)
    found = look(path)
    assert found.probe.outcome in ("ok", "unsupported"), found.probe.reason
    if found.probe.outcome == "ok":
        assert found.queues[0].ready == 4
    assert files(tmp_path) == before

    (tmp_path / "database.sqlite-shm").unlink()
    before = files(tmp_path)
    assert look(path).probe.outcome == "unsupported"
    assert files(tmp_path) == before


def test_a_crashed_write(tmp_path: Path) -> None:
    """A write that a crash left half done is for the app to undo: the file is not looked at, and not touched."""
    path = made(tmp_path, "delete", rows=2000)
    with sqlite3.connect(path, isolation_level=None) as writer:
        writer.execute("PRAGMA cache_size = 1")
        writer.execute("BEGIN")
        writer.execute("UPDATE jobs SET payload = hex(randomblob(500))")
        copy = tmp_path / "copy"
        copy.mkdir()
        for name in ("database.sqlite", "database.sqlite-journal"):
            shutil.copy(tmp_path / name, copy / name)
        writer.execute("ROLLBACK")
    writer.close()
    before = files(copy)
    found = look(copy / "database.sqlite")

    assert found.probe.outcome == "unsupported"
    assert "crashed" in found.probe.reason
    assert files(copy) == before


def crash(path: Path, statement: str) -> None:
    """Let a process of its own run the statement, and end without closing."""
    words = [sys.executable, "-c", CRASH, str(path), statement]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"


def test_a_locked_file(tmp_path: Path) -> None:
    """A writer that keeps the file to itself is a timeout, and soon; a reserved one does not hinder."""
    path = made(tmp_path, "delete")
    writer = sqlite3.connect(path, isolation_level=None)
    try:
        writer.execute("BEGIN IMMEDIATE")
        assert look(path).queues[0].ready == 3
        writer.execute("COMMIT")
        writer.execute("BEGIN EXCLUSIVE")
        begun = time.monotonic()
        found = look(path)
        assert found.probe.outcome == "timeout"
        assert "locked" in found.probe.reason
        assert time.monotonic() - begun < LIMITS.total
    finally:
        writer.close()


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_writers_are_never_locked_out(tmp_path: Path, mode: str) -> None:
    """While a file is looked at again and again, each write comes through within a second (PHP waits for sixty)."""
    path = made(tmp_path, mode, rows=3000)
    over = threading.Event()
    looked: list[str] = []

    def keep_looking() -> None:
        while not over.is_set():
            looked.append(look(path).probe.outcome)

    writer = sqlite3.connect(path, isolation_level=None, timeout=1.0)
    thread = threading.Thread(target=keep_looking)
    thread.start()
    try:
        until(lambda: looked, 5, "it is looked at")
        for _ in range(100):
            writer.execute(INSERT)
    finally:
        over.set()
        thread.join()
        writer.close()

    assert "ok" in looked


@pytest.mark.parametrize(
    ("content", "outcome"),
    [(None, "refused"), (b"", "ok"), (b"no database at all" * 100, "protocol"), (b"SQLite format 3\0", "protocol"),
     (b"SQLite format 3\0" + b"\xff" * 5000, "protocol")],
)  # fmt: skip
def test_files_that_are_none(tmp_path: Path, content: bytes | None, outcome: str) -> None:
    """What is not there, is empty, or is no database is told as such; and a folder, a fifo, a link to itself."""
    path = tmp_path / "database.sqlite"
    if content is not None:
        path.write_bytes(content)
    found = look(path)

    assert found.probe.outcome == outcome
    if content == b"":
        assert found.server is not None
        assert found.server.missing_tables == ("jobs", "failed_jobs")
    assert look(tmp_path).probe.outcome == "protocol"


def test_odd_files(tmp_path: Path) -> None:
    """A fifo does not hang, and a link to itself is refused."""
    fifo, loop = tmp_path / "fifo", tmp_path / "loop"
    os.mkfifo(fifo)
    loop.symlink_to(loop)
    begun = time.monotonic()

    assert look_at_sqlite(access(fifo), Tables(), [], 1.0, limits=Limits(total=0.5)).probe.outcome in (
        "timeout",
        "protocol",
    )
    assert look(loop).probe.outcome == "refused"
    assert time.monotonic() - begun < 4


def test_another_name(tmp_path: Path) -> None:
    """A path with signs that mean something in a URL is still that path."""
    folder = tmp_path / "a?b#c%20d & e"
    folder.mkdir()

    assert look(made(folder, "delete")).queues[0].ready == 3
