"""Queues in an SQLite file, read so that no file is written or made, and no writer waits for more than a moment.

Three cases, told by the file's own header:

- a rollback journal (Laravel's default): opened read-only; each statement holds the shared lock for itself alone;
- a write-ahead log that is in use (`-wal` and `-shm` are there): opened read-only with a read-only index; readers of a
  log never make a writer wait;
- a write-ahead log that nobody has open (no `-wal`): to open it would make files, as whoever audits, that the app's own
  user could then not write. It is read as unchanging, and what was read counts only if it was unchanged until the end.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import quote

from auditor.sources.live.access import LIMITS, NO_SECRET, Access, Limits, Queue, Tables
from auditor.sources.live.database import DatabaseLook
from auditor.sources.live.jobs import Found, Row, look_into
from auditor.sources.live.looking import Clock, NoAnswer, look

STATEMENT = 0.1
"""Seconds a statement may take: so long it may keep a writer waiting."""
BUSY = 0.1
"""Seconds to wait for a writer that is committing."""
_STEPS = 2_000
"""Steps of SQLite's machine between two looks at the clock (0.1 ms or so)."""


def look_at_sqlite(
    access: Access, tables: Tables, queues: Sequence[Queue], now: float, zone: str = "UTC", limits: Limits = LIMITS
) -> DatabaseLook:
    """Ask the file at `access.endpoint.path` for these queues and tables; else as look_at_sql(). Never raises."""
    end = access.endpoint

    def ask(clock: Clock) -> Found:
        with opened(end.path, clock) as session:
            return look_into(session, end, tables, queues, now, zone, limits, clock)

    found = look(ask, limits.total, NO_SECRET)
    probe = found.probe("sqlite", end.name, end.app, end.connection)
    return DatabaseLook(probe, *found.value) if found.value is not None else DatabaseLook(probe)


class _Seen(NamedTuple):
    """By which a change of the file is noticed."""

    size: int
    changed: int
    log: bool
    """Whether a write-ahead log lies beside it."""


@contextmanager
def opened(path: str, clock: Clock) -> Iterator[_Sqlite]:
    """The file, open for reading until the block's end; raises NoAnswer where it cannot be read, or not be trusted."""
    mode = _journal_mode(path)
    before = _seen(path)
    settings = {"mode": "ro"}
    resting = mode == "wal" and not before.log
    if resting:
        settings["immutable"] = "1"
    elif mode == "wal":
        settings["readonly_shm"] = "1"
        if not os.path.exists(f"{path}-shm"):  # noqa: PTH110
            raise NoAnswer("unsupported", "its write-ahead log is left from a crash, and reading it would make files")
    session = _Sqlite(path, settings, mode, clock)
    with clock.closing(session.interrupt):
        try:
            yield session
        finally:
            session.close()
    if resting and _seen(path) != before:
        raise NoAnswer("gone", "somebody began to write to it while it was read")


def _journal_mode(path: str) -> str:
    """The file's journal, by bytes 18 and 19 of its header (sqlite.org/fileformat2.html)."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            header = file.read(100)
    except FileNotFoundError:
        raise NoAnswer("refused", "the file is not there") from None
    except IsADirectoryError:
        raise NoAnswer("protocol", "it is a folder") from None
    if not header:
        return "delete"  # an empty file is an empty database
    if not header.startswith(b"SQLite format 3\0"):
        raise NoAnswer("protocol", "the file is no SQLite database")
    return "wal" if header[18:20] == b"\2\2" else "delete"


def _seen(path: str) -> _Seen:
    status = os.stat(path)  # noqa: PTH116
    return _Seen(status.st_size, status.st_mtime_ns, os.path.exists(f"{path}-wal"))  # noqa: PTH110


class _Sqlite:
    """A read-only connection to one file."""

    product = "sqlite"
    quote = '"'
    mark = "?"

    def __init__(self, path: str, settings: Mapping[str, str], mode: str, clock: Clock) -> None:
        import sqlite3
        import time

        self.errors = sqlite3
        self.clock = clock
        self.mode = mode
        self.until = 0.0
        query = "&".join(f"{name}={value}" for name, value in settings.items())
        address = f"file:{quote(os.path.abspath(path))}?{query}"  # noqa: PTH100
        try:
            self.connection = sqlite3.connect(
                address, uri=True, timeout=BUSY, isolation_level=None, check_same_thread=False
            )
            self.connection.execute("PRAGMA query_only = ON")
        except sqlite3.Error as error:
            raise self._told(error) from None
        self.connection.set_progress_handler(lambda: time.monotonic() > self.until, _STEPS)
        self.connection.text_factory = lambda raw: raw.decode("utf-8", "replace")

    def interrupt(self) -> None:
        """End what runs now; the thread that runs it closes the connection."""
        with_error = self.errors.ProgrammingError
        try:
            self.connection.interrupt()
        except with_error:
            return  # it is closed

    def close(self) -> None:
        self.connection.close()

    def rows(self, statement: str, *values: object) -> Sequence[Row]:
        import time

        self.until = time.monotonic() + self.clock.within(STATEMENT + BUSY)
        try:
            return self.connection.execute(statement, values).fetchall()
        except self.errors.Error as error:
            raise self._told(error) from None

    def _told(self, error: Exception) -> NoAnswer:
        return NoAnswer(
            *_ERRORS.get(getattr(error, "sqlite_errorname", ""), ("protocol", "SQLite cannot read the file"))
        )

    def columns(self, table: str) -> Mapping[str, str] | None:
        found = self.rows("SELECT name, type FROM pragma_table_info(?)", table)
        return {str(name): str(kind).lower() for name, kind in found} or None

    def queue_index(self, table: str) -> tuple[bool, str | None]:
        present, clause = False, None
        for (name,) in self.rows("SELECT name FROM pragma_index_list(?) WHERE partial = 0", table):
            columns = [row[0] for row in self.rows("SELECT name FROM pragma_index_info(?) ORDER BY seqno", name)]
            if columns[0] == "queue":
                present = True
                if columns == ["queue"]:
                    clause = f" INDEXED BY {_quoted(name)}"
        return present, clause

    def server(self) -> tuple[dict[str, Any], dict[str, str]]:
        return {"skip_locked": False, "journal_mode": self.mode}, {
            "version": "SQLite is a library, and PHP has its own"
        }


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


_ERRORS: Mapping[str, tuple[str, str]] = {
    "SQLITE_BUSY": ("timeout", "a writer keeps it locked"),
    "SQLITE_BUSY_RECOVERY": ("timeout", "it is being recovered"),
    "SQLITE_BUSY_SNAPSHOT": ("timeout", "a writer keeps it locked"),
    "SQLITE_LOCKED": ("timeout", "a writer keeps it locked"),
    "SQLITE_INTERRUPT": ("timeout", "a statement took too long"),
    "SQLITE_CANTOPEN": ("refused", "the file cannot be opened"),
    "SQLITE_PERM": ("denied", "this account may not open it"),
    "SQLITE_AUTH": ("denied", "this account may not open it"),
    "SQLITE_NOTADB": ("protocol", "the file is no SQLite database, or it is encrypted"),
    "SQLITE_CORRUPT": ("protocol", "the file is damaged"),
    "SQLITE_READONLY_ROLLBACK": ("unsupported", "a writer crashed, and reading the file would mean to undo its write"),
    "SQLITE_READONLY_RECOVERY": ("unsupported", "its write-ahead log is left from a crash"),
    "SQLITE_READONLY_CANTINIT": ("unsupported", "its write-ahead log is left from a crash"),
    "SQLITE_IOERR": ("gone", "the file cannot be read"),
}
"""SQLite's own names of its errors to outcome and reason."""
