"""What queue backends say of themselves.

Everything here is observed, at one moment, with bounded questions: a count that was cut off says so, and what a server
would not tell is unknown with its reason. A backend that could not be asked is one Probe. No password is ever a fact.
"""

from __future__ import annotations

from auditor.facts.failed import FailureCount
from auditor.facts.origin import Fact, MiB, Seconds, Version, derived

OUTCOMES: dict[str, str] = {
    "ok": "it answered",
    "refused": "it cannot be connected to",
    "auth": "it does not let us in",
    "timeout": "it did not answer in time",
    "protocol": "something else answered",
    "gone": "it went away while it was asked",
    "denied": "this account may not ask it",
    "unsupported": "it is not looked at",
}
"""Each outcome of a Probe, and what it means."""


class Endpoint(Fact, frozen=True, kw_only=True):
    """Where a queue connection's backend is, as the app's configuration has it; the password is kept elsewhere."""

    name: str = ""
    """As a report shows it, no secret in it: "redis://127.0.0.1:6379/0"."""
    app: str = ""
    """Root folder of the app that uses it."""
    connection: str = ""
    """The queue connection it belongs to."""
    kind: str = ""
    """"redis", "mysql", "pgsql", "sqlite", or a driver that is not looked at ("sqs", "beanstalkd" …)."""
    host: str = ""
    """Host name or address; "" where there is a socket or a file."""
    port: int = 0
    """The port; 0 where there is a socket or a file."""
    socket: str = ""
    """Path of its unix socket."""
    path: str = ""
    """SQLite: path of the file."""
    database: str = ""
    """Name of the database; Redis: its number."""
    username: str = ""
    """The user it is logged in to as."""
    has_password: bool = False
    """Whether a password is set; the password itself is never kept."""
    tls: bool = False
    """Whether the connection is encrypted."""
    tls_verified: bool = True
    """Whether its certificate is checked."""
    tls_authority: str = ""
    """Path of the file of authorities its certificate is checked against; "" for the system's own."""
    prefix: str = ""
    """Redis: what every key begins with; SQL: what every table's name begins with."""
    cluster: bool = False
    """Redis: whether it is a cluster's."""
    nodes: tuple[str, ...] = ()
    """Redis: "host:port" of each node of a cluster that is configured."""
    tags_queues: bool = False
    """Redis: whether Laravel itself puts the queue's name in braces, so that all its keys lie in one slot."""
    sentinels: tuple[str, ...] = ()
    """Redis: "host:port" of each sentinel that knows where the master is."""
    service: str = ""
    """Redis: the master's name among the sentinels."""


class Probe(Fact, frozen=True, kw_only=True):
    """How one question to the running system went."""

    kind: str = ""
    """"redis", "mysql", "pgsql", "sqlite", "supervisord", "processes", "feeds" …"""
    name: str = ""
    """What was asked, no secret in it."""
    app: str = ""
    """The app it was asked for; "" where for none."""
    connection: str = ""
    """The queue connection it was asked for; "" where for none."""
    conf: str = ""
    """Main file of the supervisor configuration it was asked for; "" where for none."""
    outcome: str = "ok"
    """One of OUTCOMES."""
    reason: str = ""
    """Why it did not answer, as a clause without a full stop; "" where it did."""
    seconds: Seconds = 0.0
    """How long it took."""

    @derived("outcome")
    def answered(self) -> bool:
        """Whether it answered."""
        return self.outcome == "ok"

    @derived("outcome")
    def refuses_us(self) -> bool:
        """Whether it answers, and does not let us in with what the configuration has."""
        return self.outcome == "auth"

    @derived("kind", "name", "connection")
    def spoken(self) -> str:
        """As a sentence names it."""
        if self.kind == "supervisord":
            return f"supervisord at {self.name}"
        if self.kind == "processes":
            return "the process table"
        if self.kind == "feeds":
            return f"the database of the bank feeds at {self.name}"
        return f'connection "{self.connection}" at {self.name}' if self.connection else f"the database at {self.name}"


class QueueState(Fact, frozen=True, kw_only=True):
    """One queue of one connection, counted.

    The same jobs as Laravel counts: `size` is what its Queue::size() and `queue:monitor` say.
    """

    name: str = ""
    """The queue's name, without any prefix."""
    app: str = ""
    """Root folder of the app."""
    connection: str = ""
    """The queue connection."""
    backend: str = ""
    """Name of the Endpoint it was found in."""
    asked_for: bool = True
    """Whether the configuration names it; else it was found in the backend, with jobs in it."""
    size: int = 0
    """All its jobs: ready, delayed and reserved; where `size_capped`, at least that many."""
    size_capped: bool = False
    """Whether counting stopped at `size`."""
    ready: int = 0
    """Jobs that a worker could take now; where `capped`, at least that many."""
    delayed: int = 0
    """Jobs that wait for their time; on Redis due ones too, until a worker moves them; where `capped`, at least."""
    due_delayed: int = 0
    """Redis: delayed jobs whose time has come, and that no worker has moved yet; in a table these count as ready."""
    reserved: int = 0
    """Jobs that a worker has taken; where `capped`, at least that many."""
    capped: bool = False
    """Whether only the oldest jobs were told apart, so that the counts of them are at-least."""
    oldest_ready_age: Seconds | None = None
    """How long the oldest ready job has been ready; None where none is; unknown where the backend does not tell."""
    longest_due_age: Seconds | None = None
    """Redis: how long ago the first delayed job's time came, while it lies where it was; None where none is due."""
    oldest_reserved_age: Seconds | None = None
    """How long the oldest reserved job has been held; None where none is."""
    expired: int = 0
    """Reserved jobs that retry_after has freed, and that no worker took again."""
    overdue: int = 0
    """Reserved jobs held for longer than any worker of the queue, or the job's own $timeout, lets them run."""
    highest_attempts: int = 0
    """Table: the most attempts of any of the oldest jobs."""
    previous_size: int | None = None
    """How many jobs it had when it was asked before, found by the census; None where it was not."""
    previous_ago: Seconds = 0.0
    """How long before that was."""
    attempts_near_overflow: int = 0
    """Table: jobs whose attempts soon no longer fit into their column: on MySQL that one stops the whole queue."""

    @derived("size", "size_capped")
    def told_size(self) -> str:
        """How many jobs it holds, as a sentence tells it."""
        return _jobs(self.size, capped=self.size_capped)

    @derived("ready", "capped")
    def told_ready(self) -> str:
        """How many jobs are ready, as a sentence tells it."""
        return _jobs(self.ready, "ready ", capped=self.capped)

    @derived("size", "previous_size")
    def grown(self) -> int:
        """How many more jobs it has than when it was asked before; 0 where it was not."""
        return 0 if self.previous_size is None else self.size - self.previous_size

    @derived("expired", "overdue")
    def told_stuck(self) -> str:
        """How many jobs are stuck, as a sentence tells it."""
        return _jobs(self.stuck, capped=self.capped)

    @derived("expired", "overdue")
    def stuck(self) -> int:
        """Reserved jobs that nobody can still be working on."""
        return max(self.expired, self.overdue)


def _jobs(count: int, kind: str = "", *, capped: bool) -> str:
    return f"{'at least ' if capped else ''}{count} {kind}job{'' if count == 1 else 's'}"


class RedisServer(Fact, frozen=True, kw_only=True):
    """One Redis or Valkey server."""

    name: str = ""
    """Name of the Endpoint."""
    app: str = ""
    """The app it was asked for."""
    connection: str = ""
    """The queue connection it was asked for."""
    flavour: str = "redis"
    """"redis" or "valkey"."""
    version: Version = ()
    """Its release."""
    role: str = "master"
    """"master" or "slave" (a replica, which takes no writes)."""
    used_memory: MiB = 0.0
    """What its data takes."""
    maxmemory: MiB = 0.0
    """The most it may take; 0 for no limit."""
    maxmemory_policy: str = "noeviction"
    """What it does when full: "noeviction", "allkeys-lru", "volatile-lru" …"""
    rdb_enabled: bool = False
    """Whether it saves snapshots by itself."""
    aof_enabled: bool = False
    """Whether it logs each write to disk."""
    rdb_failing: bool = False
    """Whether its last snapshot failed."""
    evicted_keys: int = 0
    """Keys it has thrown away since it started, for want of memory."""
    connected_clients: int = 0
    """Clients connected now, the auditor among them."""
    cluster_enabled: bool = False
    """Whether it is a node of a cluster."""
    loading: bool = False
    """Whether it is still loading its data, and answers nothing else."""

    @derived("rdb_enabled", "aof_enabled")
    def persistent(self) -> bool:
        """Whether jobs outlive its restart."""
        return self.rdb_enabled or self.aof_enabled

    @derived("maxmemory", "used_memory")
    def memory_used_of_limit(self) -> float:
        """The part of maxmemory that is used, from 0 to 1; 0 where there is no limit."""
        return self.used_memory / self.maxmemory if self.maxmemory > 0 else 0.0

    @derived("maxmemory_policy", "maxmemory")
    def evicts_queues(self) -> bool:
        """Whether a full server throws queues away: they have no expiry, so only an allkeys policy can."""
        return self.maxmemory > 0 and self.maxmemory_policy.startswith("allkeys-")


class DatabaseServer(Fact, frozen=True, kw_only=True):
    """One database server, or SQLite file, and the queue's tables in it."""

    name: str = ""
    """Name of the Endpoint."""
    app: str = ""
    """The app it was asked for."""
    connection: str = ""
    """The queue connection it was asked for."""
    product: str = "mysql"
    """"mysql", "mariadb", "pgsql" or "sqlite"."""
    version: Version = ()
    """Its release; for SQLite that of the library in PHP, which is not known from here."""
    skip_locked: bool = False
    """Whether it can skip rows that another worker has locked: MySQL 8.0.1, MariaDB 10.6, PostgreSQL 9.5."""
    read_only: bool = False
    """Whether it takes no writes (a replica)."""
    max_connections: int = 0
    """Connections it allows; 0 for SQLite."""
    connections: int = 0
    """Connections open now, the auditor's among them; 0 for SQLite."""
    max_allowed_packet: MiB = 0.0
    """MySQL and MariaDB: the largest statement, and so payload, they take; 0 elsewhere."""
    journal_mode: str = ""
    """SQLite: "wal" or "delete" (any other rollback journal); "" elsewhere."""
    missing_tables: tuple[str, ...] = ()
    """Tables that the configuration needs and that are not there."""
    failed_table: str = ""
    """The table of failed jobs, where it was looked for."""
    missing_columns: tuple[str, ...] = ()
    """Columns that Laravel needs and that are not there: "jobs.reserved_at"."""
    queue_index: bool = True
    """Whether an index of the jobs' table begins with the queue's name."""
    attempts_limit: int = 255
    """The most attempts that the column in the jobs' table can hold."""
    failed_total: int = 0
    """All failed jobs that are kept; where `failed_capped`, at least that many."""
    failed_capped: bool = False
    """Whether counting them stopped at `failed_total`."""
    failed_recent: tuple[FailureCount, ...] = ()
    """The newest failed jobs by their kind, most frequent first."""

    @derived("missing_tables", "missing_columns", "failed_table")
    def missing_parts(self) -> tuple[str, ...]:
        """What else than the table of failed jobs is missing: tables, or else columns."""
        return tuple(t for t in self.missing_tables if t != self.failed_table) or self.missing_columns

    @derived("missing_tables", "missing_columns", "failed_table")
    def lacks_parts(self) -> bool:
        """Whether a table or a column that the queue needs is missing."""
        return bool(self.missing_parts)

    @derived("missing_tables", "failed_table")
    def lacks_failed_table(self) -> bool:
        """Whether the table of failed jobs is missing."""
        return self.failed_table in self.missing_tables

    @derived("max_connections", "connections")
    def connections_free(self) -> int:
        """Connections that can still be opened."""
        return max(self.max_connections - self.connections, 0)
