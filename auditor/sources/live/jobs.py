"""The queue's tables in any SQL database, asked in questions whose cost does not grow with the number of rows.

What bounds them, with Laravel's own indexes (`jobs` has one on `queue`, `failed_jobs` none on time):

- a queue's size is counted in its index, up to SIZE_CAP entries, then it is "at least";
- ready, delayed and reserved jobs are told apart among the ENOUGH oldest of a queue, or up to WINDOW until a ready one is
  found (by id, which the index on `queue` holds too). Workers take jobs in that order, so what is reserved, stuck or longest
  ready lies there, unless more delayed jobs than that were pushed before;
- queues that hold jobs and that nobody asked for are found by stepping through the index from one name to the next;
- failed jobs are counted up to FAILED_CAP, and the newest RECENT of them classified, by id.

No statement locks a row, and each is its own read-only transaction.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from auditor.facts.backend import DatabaseServer, Endpoint, QueueState
from auditor.facts.failed import FailureCount
from auditor.sources.live.access import Limits, Queue, Tables
from auditor.sources.live.failures import classify_failure
from auditor.sources.live.looking import Clock
from auditor.sources.live.witness import seen

SIZE_CAP = 2_000
"""Jobs of one queue that are counted at most."""
WINDOW = 1_000
"""The oldest jobs of one queue that are told apart at most, while there is time."""
ENOUGH = 200
"""So many of them are, once a ready one is among them: workers take the oldest first, so what they hold lies there too."""
CHUNK = 100
"""Rows that one statement reads."""
OTHER_QUEUES = 20
"""Queues nobody asked for that are looked for at most."""
FAILED_CAP = 1_000
"""Failed jobs that are counted at most."""
RECENT = 100
"""The newest failed jobs that are classified."""
NEAR_OVERFLOW = 5
"""Attempts below the column's limit from which a job counts as near it."""
MARGIN = 10.0
"""Seconds a worker may hold a job beyond its time-out before the job counts as overdue."""
HELD = 20
"""Reserved jobs whose own time-out is read."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "jobs": ("id", "queue", "payload", "attempts", "reserved_at", "available_at", "created_at"),
    "failed": ("id", "connection", "queue", "payload", "exception", "failed_at"),
    "cache": ("key", "value", "expiration"),
    "cache_locks": ("key", "owner", "expiration"),
    "batches": ("id", "name", "total_jobs", "pending_jobs", "failed_jobs", "failed_job_ids", "options", "cancelled_at",
                "created_at", "finished_at"),
}  # fmt: skip
"""Role of a table to the columns Laravel uses in it (its own migrations)."""

_ATTEMPTS = {"tinyint unsigned": 255, "tinyint": 127, "smallint unsigned": 65535, "smallint": 32767}
_TIMEOUT = re.compile(r'"timeout":(\d{1,9}|null)[,}]')
_JOB = re.compile(r'"displayName":"((?:[^"\\]|\\.){1,200})"')

Row = Sequence[Any]


class Denied(Exception):
    """This user may not read that table."""


class Session(Protocol):
    """An open connection to one database."""

    product: str
    """As DatabaseServer has it."""
    quote: str
    """What a name is put between."""
    mark: str
    """What stands for a parameter."""

    def rows(self, statement: str, *values: object) -> Sequence[Row]:
        """The rows of a statement's answer. Raises Denied, and NoAnswer or the library's own where it fails."""

    def columns(self, table: str) -> Mapping[str, str] | None:
        """The table's columns and their types in lower case; None where there is no such table. Raises Denied."""

    def queue_index(self, table: str) -> tuple[bool, str | None]:
        """Whether an index begins with `queue`, and how a statement is bound to one on `queue` alone: None for none.

        Raises Denied.
        """

    def server(self) -> tuple[dict[str, Any], dict[str, str]]:
        """Fields of DatabaseServer that the server tells, and those it does not, with the reason."""


class Found(NamedTuple):
    """What was found in one database."""

    server: DatabaseServer
    queues: tuple[QueueState, ...]


def look_into(
    session: Session,
    end: Endpoint,
    tables: Tables,
    queues: Sequence[Queue],
    now: float,
    zone: str,
    limits: Limits,
    clock: Clock,
) -> Found:
    """Ask for everything; `zone` is the app's time zone, in which failed_at is written."""
    return _Asking(session, end, tables, now, zone, limits, clock).everything(queues)


class _Asking:
    def __init__(
        self, session: Session, end: Endpoint, tables: Tables, now: float, zone: str, limits: Limits, clock: Clock
    ) -> None:
        self.limits = limits
        self.session = session
        self.end = end
        self.tables = tables
        self.now = int(now)
        self.zone = zone
        self.clock = clock
        self.limit = 255
        self.indexed = False
        self.index: str | None = None

    def everything(self, queues: Sequence[Queue]) -> Found:
        values, missing = self.session.server()
        shapes = self.shapes(values, missing)
        states: tuple[QueueState, ...] = ()
        if self.readable(shapes, "jobs"):
            self.clock.within(1.0)
            states = self.queues(queues, shapes["jobs"] or {}, values, missing)
        if self.readable(shapes, "failed"):
            self.clock.within(1.0)
            self.failed(values, missing)
        else:
            reason = "its table is not there" if shapes.get("failed", 0) is None else "its table was not looked at"
            missing |= dict.fromkeys(("failed_total", "failed_recent"), reason)
        names = {"app": self.end.app, "connection": self.end.connection, "product": self.session.product}
        return Found(seen(DatabaseServer, missing, name=self.end.name, **names, **values), states)

    def shapes(self, values: dict[str, Any], missing: dict[str, str]) -> dict[str, Mapping[str, str] | None]:
        """Role to the columns of its table, None where it is not there; a role that is not asked for is not in it."""
        found: dict[str, Mapping[str, str] | None] = {}
        for role, name in zip(Tables._fields, self.tables, strict=True):
            if name:
                try:
                    found[role] = self.session.columns(name)
                except Denied:
                    missing["missing_tables"] = missing["missing_columns"] = f"its user may not look at {name}"
        names = self.tables._asdict()
        values["missing_tables"] = tuple(names[role] for role, columns in found.items() if columns is None)
        values["failed_table"] = names["failed"]
        values["missing_columns"] = tuple(
            f"{names[role]}.{column}"
            for role, columns in found.items()
            if columns is not None
            for column in COLUMNS[role]
            if column not in columns
        )
        return found

    def readable(self, shapes: Mapping[str, Mapping[str, str] | None], role: str) -> bool:
        columns = shapes.get(role)
        return columns is not None and all(column in columns for column in COLUMNS[role])

    def name(self, name: str) -> str:
        quote = self.session.quote
        return ".".join(f"{quote}{part.replace(quote, quote * 2)}{quote}" for part in name.split("."))

    def queues(
        self, queues: Sequence[Queue], columns: Mapping[str, str], values: dict[str, Any], missing: dict[str, str]
    ) -> tuple[QueueState, ...]:
        try:
            self.limit = values["attempts_limit"] = _limit(columns["attempts"])
            self.indexed, self.index = self.session.queue_index(self.tables.jobs)
            values["queue_index"] = self.indexed
            asked = {queue.name for queue in queues}
            states = [self.state(queue, asked_for=True) for queue in queues]
            known = queues[0] if queues else Queue("")
            others = self.others(asked)
            states += [self.state(known._replace(name=name, timeout=None), asked_for=False) for name in others]
            return tuple(states)
        except Denied:
            missing["queue_index"] = missing["attempts_limit"] = f"its user may not read {self.tables.jobs}"
            return ()

    def others(self, asked: set[str]) -> list[str]:
        """Queues with jobs in them that nobody asked for."""
        if not self.indexed:
            return []
        jobs, mark = self.name(self.tables.jobs), self.session.mark
        queue = self.name("queue")
        found: list[str] = []
        last: str | None = None
        for _ in range(OTHER_QUEUES + len(asked)):
            where, given = ("", ()) if last is None else (f" WHERE {queue} > {mark}", (last,))
            rows = self.session.rows(f"SELECT MIN({queue}) FROM {jobs}{where}", *given)  # noqa: S608
            if not rows or rows[0][0] is None or str(rows[0][0]) == last:
                break
            last = str(rows[0][0])
            if last not in asked:
                found.append(last)
        return found[:OTHER_QUEUES]

    def state(self, queue: Queue, *, asked_for: bool) -> QueueState:
        size = self.size(queue.name)
        window = self.window(queue)
        size = max(size, window.rows)
        missing: dict[str, str] = {}
        if not self.indexed:
            # Without an index a queue's own jobs cannot be found but by reading all of them.
            missing["size"] = "the jobs' table has no index on queue, so that only its oldest jobs are looked at"
        capped = window.capped or size > window.rows
        if capped and not window.ready:
            missing["oldest_ready_age"] = f"none of its {window.rows} oldest jobs is ready"
        if queue.retry_after is None and window.reserved:
            missing["expired"] = "the connection's retry_after is not known"
        overdue = 0
        if queue.timeout is not None:
            overdue = self.overdue(queue, window)
        elif window.reserved and not window.expired:  # what retry_after has freed is stuck in any case
            missing["overdue"] = "how long its workers let a job run is not known"
        return seen(
            QueueState,
            missing,
            name=queue.name,
            app=self.end.app,
            connection=self.end.connection,
            backend=self.end.name,
            asked_for=asked_for,
            size=size,
            size_capped=size >= SIZE_CAP,
            ready=window.ready,
            delayed=window.delayed,
            reserved=window.reserved,
            capped=capped,
            oldest_ready_age=None if window.ready_since is None else float(max(self.now - window.ready_since, 0)),
            oldest_reserved_age=None if window.held_since is None else float(max(self.now - window.held_since, 0)),
            expired=window.expired,
            overdue=overdue,
            highest_attempts=window.attempts,
            attempts_near_overflow=window.near_overflow,
        )

    def size(self, queue: str) -> int:
        if not self.indexed:
            return 0
        jobs, mark = self.name(self.tables.jobs), self.session.mark
        counted = f"SELECT 1 AS one FROM {jobs} WHERE {self.name('queue')} = {mark} LIMIT {SIZE_CAP}"  # noqa: S608
        return int(self.session.rows(f"SELECT COUNT(*) FROM ({counted}) counted", queue)[0][0])  # noqa: S608

    def window(self, queue: Queue) -> _Window:
        """The oldest jobs of a queue, told apart; chunk by chunk, until there are enough or its time is over."""
        jobs, mark, now = self.name(self.tables.jobs), self.session.mark, self.now
        near = self.limit - NEAR_OVERFLOW
        freed = (
            now - int(queue.retry_after) if queue.retry_after is not None and math.isfinite(queue.retry_after) else -1
        )
        index = self.index or ""
        statement = f"""
            SELECT COUNT(*), MAX(id),
                SUM(CASE WHEN mine = 1 THEN 1 ELSE 0 END),
                SUM(CASE WHEN mine = 1 AND reserved_at IS NULL AND available_at <= {now} THEN 1 ELSE 0 END),
                SUM(CASE WHEN mine = 1 AND reserved_at IS NULL AND available_at > {now} THEN 1 ELSE 0 END),
                SUM(CASE WHEN mine = 1 AND reserved_at IS NOT NULL THEN 1 ELSE 0 END),
                MIN(CASE WHEN mine = 1 AND reserved_at IS NULL AND available_at <= {now} THEN available_at END),
                MIN(CASE WHEN mine = 1 THEN reserved_at END),
                SUM(CASE WHEN mine = 1 AND reserved_at <= {freed} THEN 1 ELSE 0 END),
                MAX(CASE WHEN mine = 1 THEN attempts END),
                SUM(CASE WHEN mine = 1 AND attempts >= {near} THEN 1 ELSE 0 END)
            FROM (
                SELECT id, attempts, reserved_at, available_at,
                    CASE WHEN {self.name("queue")} = {mark} THEN 1 ELSE 0 END AS mine
                FROM {jobs}{index}
                WHERE {f"{self.name('queue')} = {mark} AND " if self.index is not None else ""}id > {{after}}
                ORDER BY id LIMIT {CHUNK}
            ) head"""  # noqa: S608
        given = (queue.name,) * (2 if self.index is not None else 1)
        total = _Window()
        begun = self.clock.spent
        after, read = -1, 0
        while read < (ENOUGH if total.ready else WINDOW):
            row = self.session.rows(statement.format(after=after), *given)[0]
            counts = [int(value) if value is not None else None for value in row]
            total = total.joined(counts[2:])
            read += counts[0] or 0
            if (counts[0] or 0) < CHUNK or counts[1] is None:
                return total
            after = counts[1]
            if self.clock.spent - begun > self.limits.window:
                break
        return total._replace(capped=True)

    def overdue(self, queue: Queue, window: _Window) -> int:
        """Jobs among the oldest that are held for longer than their own time-out, or else the workers' one, allows."""
        if not window.reserved:
            return 0
        jobs, mark = self.name(self.tables.jobs), self.session.mark
        where = f"{self.name('queue')} = {mark} AND " if self.index is not None else ""
        held = self.session.rows(
            f"SELECT id FROM (SELECT id, reserved_at, {self.name('queue')} AS named FROM {jobs}{self.index or ''} "  # noqa: S608
            f"WHERE {where}id > -1 ORDER BY id LIMIT {ENOUGH}) head "
            f"WHERE reserved_at IS NOT NULL AND named = {mark} ORDER BY reserved_at LIMIT {HELD}",
            *((queue.name,) * (2 if where else 1)),
        )
        over = 0
        for (number,) in held:
            one = f"SELECT reserved_at, SUBSTR(payload, 1, 2000) FROM {jobs} WHERE id = {int(number)}"  # noqa: S608
            found = self.session.rows(one)
            if not found or found[0][0] is None:
                continue  # it was finished, or released, in this moment
            allowed = queue.timeout if queue.timeout is not None else math.inf
            own = _TIMEOUT.search(_text(found[0][1]))
            if own is not None and own[1] != "null":
                allowed = float(own[1]) or math.inf
            over += self.now - int(found[0][0]) > allowed + MARGIN
        return over

    def failed(self, values: dict[str, Any], missing: dict[str, str]) -> None:
        table = self.name(self.tables.failed)
        try:
            counted = f"SELECT 1 AS one FROM {table} LIMIT {FAILED_CAP}"  # noqa: S608
            total = int(self.session.rows(f"SELECT COUNT(*) FROM ({counted}) counted")[0][0])  # noqa: S608
            quoted = [self.name(name) for name in ("connection", "queue", "failed_at")]
            rows = self.session.rows(
                f"SELECT {', '.join(quoted)}, SUBSTR(exception, 1, 1500), SUBSTR(payload, 1, 600) "  # noqa: S608
                f"FROM {table} ORDER BY id DESC LIMIT {RECENT}"
            )
        except Denied:
            reason = f"its user may not read {self.tables.failed}"
            missing |= dict.fromkeys(("failed_total", "failed_recent"), reason)
            return
        values["failed_total"] = total
        values["failed_capped"] = total >= FAILED_CAP
        values["failed_recent"] = self.counted(rows)

    def counted(self, rows: Sequence[Row]) -> tuple[FailureCount, ...]:
        by_kind: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            by_kind[classify_failure(_text(row[3]))].append(row)
        counts = []
        for kind, members in by_kind.items():
            connection, queue, failed_at, _, payload = members[0]  # the newest
            job = _JOB.search(_text(payload))
            counts.append(
                seen(
                    FailureCount,
                    {},
                    name=kind,
                    backend=self.end.name,
                    app=self.end.app,
                    count=len(members),
                    newest_age=_age(failed_at, self.now, self.zone),
                    job=job[1].replace("\\\\", "\\") if job is not None else "",
                    connection=_text(connection)[:100],
                    queue=_text(queue)[:100],
                )
            )
        return tuple(sorted(counts, key=lambda one: (-one.count, one.name)))


class _Window(NamedTuple):
    """Some of the oldest jobs of one queue."""

    rows: int = 0
    ready: int = 0
    delayed: int = 0
    reserved: int = 0
    ready_since: int | None = None
    held_since: int | None = None
    expired: int = 0
    attempts: int = 0
    near_overflow: int = 0
    capped: bool = False

    def joined(self, row: Sequence[int | None]) -> _Window:
        rows, ready, delayed, reserved, ready_since, held_since, expired, attempts, near = row
        return _Window(
            self.rows + (rows or 0),
            self.ready + (ready or 0),
            self.delayed + (delayed or 0),
            self.reserved + (reserved or 0),
            _least(self.ready_since, ready_since),
            _least(self.held_since, held_since),
            self.expired + (expired or 0),
            max(self.attempts, attempts or 0),
            self.near_overflow + (near or 0),
        )


def _least(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)


def _limit(kind: str) -> int:
    name = " ".join(kind.partition("(")[0].split())
    if "unsigned" in kind and "unsigned" not in name:
        name += " unsigned"
    return _ATTEMPTS.get(name, 2**31 - 1)


def _text(value: object) -> str:
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "replace")
    return value if isinstance(value, str) else ""


def _age(failed_at: object, now: int, zone: str) -> float | None:
    """How long ago a failed job's time was: a wall clock's, without a zone, in the app's zone."""
    import datetime

    if isinstance(failed_at, str):
        try:
            failed_at = datetime.datetime.fromisoformat(failed_at.strip())
        except ValueError:
            return None
    if not isinstance(failed_at, datetime.datetime):
        return None
    if failed_at.tzinfo is None:
        where: datetime.tzinfo = datetime.UTC
        if zone.upper() not in ("", "UTC"):
            import zoneinfo

            try:
                where = zoneinfo.ZoneInfo(zone)
            except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
                return None
        failed_at = failed_at.replace(tzinfo=where)
    try:
        return max(now - failed_at.timestamp(), 0.0)
    except (OverflowError, ValueError):
        return None
