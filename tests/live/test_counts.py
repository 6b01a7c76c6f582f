"""Jobs pushed by a real Laravel are counted as Laravel counts them, through every driver."""

from __future__ import annotations

import json
import math
import re
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from auditor.facts.backend import QueueState
from auditor.facts.origin import Grade
from auditor.sources.live.access import Access, Limits, Queue, Tables
from auditor.sources.live.database import DatabaseLook, look_at_sql
from auditor.sources.live.redis import RedisLook, look_at_redis
from auditor.sources.live.settings import database_access, redis_access, sentinel_access
from auditor.sources.live.sqlite import look_at_sqlite
from tests.stack import mariadb
from tests.stack.backends import Backend, on_mariadb, on_redis
from tests.stack.laravel import Laravel
from tests.stack.polling import until
from tests.stack.processes import Child, free_port
from tests.stack.redis import Redis, Valkey

PREFIX = "works_database_"
"""What the application's own configuration makes of its APP_NAME."""
QUEUES = ("default", "mails", "none")
NOW = 2_000_000_000
PATIENT = Limits(window=10)
"""Counts must be exact here, however busy the machine is."""


class Bench:
    """One application on one backend, and how to look at it."""

    def __init__(self, app: Laravel, backend: Backend) -> None:
        """Both are there already."""
        self.app = app
        self.backend = backend

    @property
    def connection(self) -> str:
        """The connection of config/queue.php."""
        return self.backend.connection

    def look(
        self, *queues: Queue, now: float | None = None, tables: Tables | None = None, zone: str = "UTC"
    ) -> RedisLook | DatabaseLook:
        """What the look at this backend gives."""
        now = time.time() if now is None else now
        asked = queues or tuple(Queue(name, 90, 60) for name in QUEUES)
        if isinstance(self.backend.server, Redis):
            access = redis_access({"port": self.backend.server.port}, app="app", connection="redis", prefix=PREFIX)
            return look_at_redis(access, asked, now)
        tables = tables or Tables()
        if isinstance(self.backend.server, mariadb.Database):
            return look_at_sql(maria_access(self.backend.server), tables, asked, now, zone, PATIENT)
        return look_at_sqlite(sqlite_access(self.app), tables, asked, now, zone, PATIENT)

    def states(self, *queues: Queue, now: float | None = None) -> dict[str, QueueState]:
        """Each queue's state, by name; the look must have been answered."""
        found = self.look(*queues, now=now)
        assert found.probe.outcome == "ok", found.probe.reason
        return {state.name: state for state in found.queues}

    def sql(self, text: str) -> None:
        """Change the tables."""
        if isinstance(self.backend.server, mariadb.Database):
            self.backend.server.sql(text)
        else:
            with sqlite3.connect(self.app.folder / "database/database.sqlite") as connection:
                connection.execute(text)
            connection.close()


def maria_access(database: mariadb.Database) -> Access:
    """As the application's config/database.php has it."""
    settings = {"driver": "mysql", "host": "127.0.0.1", "port": str(database.server.port), "database": database.name,
                "username": mariadb.USER, "password": mariadb.PASSWORD}  # fmt: skip
    return database_access(settings, app="app", connection="database")


def sqlite_access(app: Laravel) -> Access:
    """The application's own file."""
    settings = {"driver": "sqlite", "database": "database.sqlite"}
    return database_access(settings, app="app", connection="database", folder=str(app.folder / "database"))


@pytest.fixture(params=["redis", "mariadb", "sqlite"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    """An application on each backend."""
    return make_bench(request, tmp_path, request.param)


@pytest.fixture(params=["mariadb", "sqlite"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    """An application on each backend that is a table."""
    return make_bench(request, tmp_path, request.param)


def make_bench(request: pytest.FixtureRequest, folder: Path, name: str) -> Bench:
    """An application on the backend of that name."""
    if name == "redis":
        backend = on_redis(request.getfixturevalue("redis_server"))
    elif name == "mariadb":
        backend = on_mariadb(request.getfixturevalue("database"))
    else:
        backend = Backend("sqlite", "database", {"QUEUE_CONNECTION": "database", "DB_CONNECTION": "sqlite"})
    app = Laravel.lay_out(folder / "app", env=backend.env)
    if name == "mariadb":
        app.migrate()
    return Bench(app, backend)


def monitored(app: Laravel, connection: str, queues: tuple[str, ...]) -> dict[str, int]:
    """Sizes, as Laravel's own queue:monitor lists them."""
    names = ",".join(f"{connection}:{queue}" for queue in queues)
    lines = app.artisan("queue:monitor", names).output.splitlines()
    rows = [re.split(r"\s*\|\s*", line.strip(" |")) for line in lines if line.startswith("|")]
    return {row[1]: int(row[2]) for row in rows if row[2].isdigit()}


def test_counts_are_laravels(bench: Bench) -> None:
    """Pushed jobs are ready, and each queue's size is what queue:monitor and Queue::size() say."""
    bench.app.push("J", count=4).must()
    bench.app.push("M", queue="mails", count=2).must()

    states = bench.states()

    assert {name: state.size for name, state in states.items()} == {"default": 4, "mails": 2, "none": 0}
    assert {name: state.ready for name, state in states.items()} == {"default": 4, "mails": 2, "none": 0}
    assert {name: state.size for name, state in states.items()} == monitored(bench.app, bench.connection, QUEUES)
    assert states["mails"].size == bench.app.count(bench.connection, "mails")
    for state in states.values():
        assert (state.app, state.connection) == ("app", bench.connection)
        assert (state.delayed, state.reserved, state.stuck, state.capped, state.size_capped) == (0, 0, 0, False, False)
        assert state.mark("size").grade is Grade.OBSERVED
        assert state.asked_for


def test_delayed_jobs(bench: Bench) -> None:
    """A delayed job is delayed until its time, and counts in the size; then it is due, or in a table ready."""
    script = "dispatch((new App\\Jobs\\Work('L'))->delay(100)); dispatch(new App\\Jobs\\Work('R'));"
    tinker(bench.app, script)

    now = time.time()
    state = bench.states(now=now)["default"]
    assert (state.size, state.ready, state.delayed, state.due_delayed) == (2, 1, 1, 0)
    assert state.size == monitored(bench.app, bench.connection, QUEUES)["default"]

    later = bench.states(now=now + 200)["default"]
    if bench.connection == "redis":
        assert (later.size, later.ready, later.delayed, later.due_delayed) == (2, 1, 1, 1)
        assert later.longest_due_age == pytest.approx(100, abs=5)
    else:
        assert (later.size, later.ready, later.delayed) == (2, 2, 0)
        assert later.oldest_ready_age == pytest.approx(200, abs=5)


def tinker(app: Laravel, script: str) -> None:
    """Run PHP inside the application."""
    from tests.stack.rooms import Here, run

    boot = (
        "require 'vendor/autoload.php'; $app = require 'bootstrap/app.php';"
        "$app->make(Illuminate\\Contracts\\Console\\Kernel::class)->bootstrap();"
    )
    run(Here(), ["/usr/bin/php", "-r", boot + script], cwd=str(app.folder)).must()


def test_reserved_and_stuck(bench: Bench, tmp_path: Path) -> None:
    """A job in a worker's hands is reserved; killed with it, it is overdue, then expired, as the clock goes on."""
    bench.app.push("J", seconds=60).must()
    words = ["/usr/bin/php", str(bench.app.folder / "artisan"), "queue:work", "--sleep=0.1"]
    worker = Child(words, tmp_path / "worker.log", cwd=bench.app.folder)
    try:
        bench.app.await_start("J")
        now = time.time()
        state = bench.states(Queue("default", 90, 60), now=now)["default"]
    finally:
        worker.end(how=signal.SIGKILL)

    assert (state.size, state.ready, state.reserved, state.stuck) == (1, 0, 1, 0)
    assert state.oldest_reserved_age == pytest.approx(0, abs=5)
    assert state.oldest_ready_age is None
    assert state.size == monitored(bench.app, bench.connection, QUEUES)["default"]

    def seen(seconds: float, retry_after: float | None, timeout: float | None) -> QueueState:
        return bench.states(Queue("default", retry_after, timeout), now=now + seconds)["default"]

    assert (seen(40, 90, 60).expired, seen(40, 90, 60).overdue) == (0, 0)
    assert (seen(80, 90, 60).expired, seen(80, 90, 60).overdue) == (0, 1)
    assert (seen(95, 90, 60).expired, seen(95, 90, 60).stuck) == (1, 1)
    assert seen(80, 90, 60).oldest_reserved_age == pytest.approx(80, abs=5)
    assert (seen(80, 90, 3600).overdue, seen(80, 90, math.inf).overdue) == (0, 0)
    assert seen(80, 90, None).is_unknown("overdue")
    if bench.connection == "redis":
        assert seen(80, None, 60).is_unknown("oldest_reserved_age")
    else:
        assert seen(80, None, 60).is_unknown("expired")


def test_a_jobs_own_timeout(bench: Bench, tmp_path: Path) -> None:
    """A job that sets a longer time-out itself is not overdue by its workers' one."""
    bench.app.push("J", seconds=60, job_timeout=1000).must()
    words = ["/usr/bin/php", str(bench.app.folder / "artisan"), "queue:work", "--sleep=0.1"]
    worker = Child(words, tmp_path / "worker.log", cwd=bench.app.folder)
    try:
        bench.app.await_start("J")
        now = time.time()
    finally:
        worker.end(how=signal.SIGKILL)

    assert bench.states(Queue("default", 90, 60), now=now + 85)["default"].overdue == 0
    # Beyond its own too; retry_after is the popper's, so that on Redis only the score tells.
    assert bench.states(Queue("default", 90, 60), now=now + 1085)["default"].overdue == 1


def test_a_worker_empties_it(bench: Bench) -> None:
    """After a worker has done everything, nothing is counted."""
    bench.app.push("J", count=3).must()
    bench.app.artisan("queue:work", "--stop-when-empty", "--sleep=0").must()

    assert bench.states()["default"].size == 0


def test_failed_jobs(table: Bench) -> None:
    """A failed job is counted, classified, and told with its age, its class and its queue."""
    table.app.push("B", breaks=True, queue="mails").must()
    table.app.push("T", seconds=5, job_timeout=1).must()
    table.app.artisan("queue:work", "--queue=mails,default", "--stop-when-empty", "--sleep=0")

    found = table.look()

    assert isinstance(found, DatabaseLook)
    assert found.server is not None
    assert found.server.failed_total == 2
    assert not found.server.failed_capped
    kinds = {count.name: count for count in found.server.failed_recent}
    # 8.83 gives up a job that ran too long as one that was attempted too often.
    assert sorted(kinds) == ["attempts", "other"]
    other = kinds["other"]
    assert (other.count, other.job, other.queue, other.connection) == (1, "App\\Jobs\\Work", "mails", "database")
    assert other.newest_age == pytest.approx(0, abs=10)
    assert table.look(zone="America/New_York").server.failed_recent[0].newest_age == 0  # type: ignore[union-attr]
    assert table.look(zone="Asia/Tokyo").server.failed_recent[0].newest_age == pytest.approx(9 * 3600, abs=10)  # type: ignore[union-attr]
    assert table.look(zone="No/Where").server.failed_recent[0].newest_age is None  # type: ignore[union-attr]


def test_other_queues(table: Bench) -> None:
    """Queues that hold jobs and that nobody asked for are found, and marked so."""
    for queue in ("alpha", "mails", "zulu"):
        table.app.push("J", queue=queue).must()

    found = table.look(Queue("mails", 90, 60), Queue("none", 90, 60))

    assert [(state.name, state.size, state.asked_for) for state in found.queues] == [
        ("mails", 1, True),
        ("none", 0, True),
        ("alpha", 1, False),
        ("zulu", 1, False),
    ]


def test_missing_tables_and_columns(table: Bench) -> None:
    """Tables and columns that Laravel needs and that are not there are named; what lies in them is then unknown."""
    tables = Tables(cache="cache", cache_locks="cache_locks", batches="job_batches")
    found = table.look(tables=tables)
    assert isinstance(found, DatabaseLook)
    assert found.server is not None
    assert found.server.missing_tables == ("cache", "cache_locks", "job_batches")
    assert found.server.missing_columns == ()
    assert found.server.queue_index

    table.sql("DROP TABLE failed_jobs")
    table.sql("ALTER TABLE jobs DROP COLUMN reserved_at")
    found = table.look()
    assert isinstance(found, DatabaseLook)
    assert found.server is not None
    assert found.server.missing_tables == ("failed_jobs",)
    assert found.server.missing_columns == ("jobs.reserved_at",)
    assert found.server.is_unknown("failed_total")
    assert found.queues == ()
    assert found.probe.outcome == "ok"


def fill(table: Bench, rows: int, queue: str = "default", available: int = 1) -> None:
    """Put that many rows into the table, without Laravel."""
    number = "seq" if table.backend.name == "mariadb" else "value"
    source = f"seq_1_to_{rows}" if table.backend.name == "mariadb" else f"numbers WHERE value <= {rows}"
    head = "" if table.backend.name == "mariadb" else (
        f"WITH RECURSIVE numbers(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers LIMIT {rows}) "
    )  # fmt: skip
    table.sql(
        "INSERT INTO jobs (queue, payload, attempts, available_at, created_at) "
        f"{head}SELECT '{queue}', '{{}}', 0, {available} + 0 * {number}, 1 FROM {source}"
    )


def test_large_queues_are_capped(table: Bench) -> None:
    """Beyond the caps the counts are at-least, and say so."""
    fill(table, 12_000)
    state = table.states(now=101)["default"]

    assert (state.size, state.size_capped) == (2_000, True)
    assert (state.ready, state.capped) == (200, True)
    assert state.oldest_ready_age == 100

    table.sql("DELETE FROM jobs WHERE id > 150")
    state = table.states(now=101)["default"]
    assert (state.size, state.size_capped, state.ready, state.capped) == (150, False, 150, False)


def test_delayed_jobs_before_ready_ones(table: Bench) -> None:
    """Where only delayed jobs are among those looked at, the age of the oldest ready one is unknown, not None."""
    fill(table, 1_100, available=5_000)
    fill(table, 5)
    state = table.states(now=101)["default"]

    assert (state.size, state.ready, state.delayed, state.capped) == (1_105, 0, 1_000, True)
    assert state.is_unknown("oldest_ready_age")


def test_without_the_index(table: Bench) -> None:
    """Without an index on queue only the table's oldest jobs are looked at, and that is told."""
    table.app.push("J", count=2).must()
    table.app.push("J", queue="mails").must()
    on = " ON jobs" if table.backend.name == "mariadb" else ""
    table.sql(f"DROP INDEX jobs_queue_index{on}")
    found = table.look()

    assert isinstance(found, DatabaseLook)
    assert found.server is not None
    assert not found.server.queue_index
    states = {state.name: state for state in found.queues}
    assert (states["default"].ready, states["mails"].ready) == (2, 1)
    assert states["default"].is_unknown("size")


def test_attempts_near_overflow(table: Bench) -> None:
    """A job whose attempts no longer fit into their column soon is counted where the column is that small."""
    table.app.push("J", count=2).must()
    table.sql("UPDATE jobs SET attempts = 252 WHERE id = 1")
    state = table.states()["default"]

    assert state.highest_attempts == 252
    assert state.attempts_near_overflow == (1 if table.backend.name == "mariadb" else 0)


def test_the_servers_themselves(tmp_path: Path, redis_server: Redis, database: mariadb.Database) -> None:
    """What each server says of itself is what its own client says."""
    redis_server.cli("CONFIG", "SET", "maxmemory", "64mb")
    redis_server.cli("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    redis_server.cli("CONFIG", "SET", "save", "3600 1")
    server = look_at_redis(redis_access({"port": redis_server.port}), [], NOW).server
    assert server is not None
    assert ".".join(map(str, server.version)) == redis_server.info("redis_version")
    assert (server.flavour, server.role, server.maxmemory, server.maxmemory_policy) == (
        "redis",
        "master",
        64,
        "allkeys-lru",
    )
    assert (server.rdb_enabled, server.aof_enabled, server.persistent, server.evicts_queues) == (
        True,
        False,
        True,
        True,
    )
    assert (server.cluster_enabled, server.loading) == (False, False)
    assert 0 < server.memory_used_of_limit < 0.2

    found = look_at_sql(maria_access(database), Tables(), [], NOW).server
    assert found is not None
    (version, most, packet), *_ = database.sql("SELECT VERSION(), @@max_connections, @@max_allowed_packet")
    assert version.startswith(".".join(map(str, found.version)))
    assert (found.product, found.skip_locked, found.max_connections) == ("mariadb", found.version >= (10, 6), int(most))
    assert found.max_allowed_packet == int(packet) / 1024 / 1024
    assert found.connections >= 1
    assert not found.read_only


def test_valkey(tmp_path: Path) -> None:
    """A Valkey is asked as a Redis is, and known to be one."""
    (tmp_path / "valkey").mkdir()
    server = Valkey.start(tmp_path / "valkey", "--maxmemory", "64mb", "--appendonly", "yes")
    try:
        app = Laravel.lay_out(tmp_path / "app", env={"QUEUE_CONNECTION": "redis", **server.env})
        app.push("J", count=3).must()
        found = look_at_redis(
            redis_access({"port": server.port}, prefix=PREFIX), [Queue("default", 90, 60)], time.time()
        )

        assert found.probe.outcome == "ok"
        assert found.queues[0].size == app.count() == 3
        assert found.server is not None
        assert (found.server.flavour, found.server.role) == ("valkey", "master")
        assert ".".join(map(str, found.server.version)) == server.info("valkey_version")
        assert (found.server.maxmemory, found.server.maxmemory_policy) == (64, "noeviction")
        assert (found.server.aof_enabled, found.server.rdb_enabled) == (True, False)
    finally:
        server.stop()


def test_a_replica(tmp_path: Path, redis_server: Redis) -> None:
    """A Redis that follows another is told to be a replica; a sentinel leads to the master."""
    (tmp_path / "replica").mkdir()
    replica = Redis.start(tmp_path / "replica", "--replicaof", f"127.0.0.1 {redis_server.port}")
    sentinel = None
    try:
        found = look_at_redis(redis_access({"port": replica.port}), [Queue("default")], NOW)
        assert found.server is not None
        assert found.server.role == "slave"

        port = free_port()
        conf = tmp_path / "sentinel.conf"
        conf.write_text(f"port {port}\nsentinel monitor main 127.0.0.1 {redis_server.port} 1\n")
        sentinel = Child(["/usr/bin/redis-server", str(conf), "--sentinel"], tmp_path / "sentinel.log")
        access = sentinel_access((f"tcp://127.0.0.1:{port}?x=1",), "main", {}, prefix="p_")
        redis_server.cli("RPUSH", "p_queues:default", "{}")

        def size() -> int | None:
            states = look_at_redis(access, [Queue("default")], NOW).queues
            return states[0].size if states else None

        until(lambda: size() == 1, 5, "the sentinel leads to the master", sentinel.log)
        other = sentinel_access((f"tcp://127.0.0.1:{port}",), "unheard", {})
        assert look_at_redis(other, [], NOW).probe.outcome == "refused"
    finally:
        replica.stop()
        if sentinel is not None:
            sentinel.end(how=signal.SIGKILL)


def test_redis_socket_and_database(tmp_path: Path) -> None:
    """A unix socket, a database number and a URL lead where they lead Laravel."""
    (tmp_path / "redis").mkdir()
    path = tmp_path / "redis" / "redis.sock"
    if len(str(path)) > 100:
        path = Path(f"/tmp/{tmp_path.name}-{free_port()}.sock")
    server = Redis.start(tmp_path / "redis", "--unixsocket", str(path))
    try:
        server.cli("-n", "3", "RPUSH", "queues:default", "{}")
        for settings in (
            {"host": str(path), "port": 0, "database": 3},
            {"host": f"unix://{path}", "database": "3"},
            {"url": f"unix://{path}", "database": "3"},
            {"url": f"redis://127.0.0.1:{server.port}/3"},
            {"url": f"redis://127.0.0.1:{server.port}?database=3"},
            {"host": "localhost", "port": str(server.port), "database": 3},
        ):
            found = look_at_redis(redis_access(settings), [Queue("default")], NOW)
            assert found.probe.outcome == "ok", (settings, found.probe.reason)
            assert found.queues[0].size == 1, settings
    finally:
        server.stop()
        path.unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("payload", "age"),
    [
        ({"createdAt": NOW - 50}, 50.0),
        ({"pushedAt": f"{NOW - 7.25}"}, 7.25),
        ({"pushedAt": NOW - 3, "createdAt": "x"}, 3.0),
        ({"createdAt": True}, None),
        ({"createdAt": 10**300}, None),
        ({"createdAt": None}, None),
        ({}, None),
        ([], None),
    ],
)
def test_age_on_redis(redis_server: Redis, payload: object, age: float | None) -> None:
    """The oldest job's age is its payload's createdAt or pushedAt; without one it is unknown, with the reason."""
    redis_server.cli("RPUSH", "queues:default", json.dumps(payload), json.dumps({"createdAt": NOW}))
    state = look_at_redis(redis_access({"port": redis_server.port}), [Queue("default", 90, 60)], NOW).queues[0]

    assert state.oldest_ready_age == age
    assert state.is_unknown("oldest_ready_age") == (age is None)
    assert state.size == 2


def test_few_commands(redis_server: Redis) -> None:
    """One look is one pipeline: no KEYS, no SCAN, no more commands for a longer queue."""

    def commands() -> dict[str, int]:
        lines = redis_server.cli("INFO", "commandstats").splitlines()
        found = (re.match(r"cmdstat_([\w|]+):calls=(\d+)", line) for line in lines)
        return {one[1]: int(one[2]) for one in found if one}

    def asked() -> dict[str, int]:
        before = commands()
        assert look_at_redis(access, [Queue("default", 90, 60)], NOW).probe.outcome == "ok"
        after = commands()
        return {name: count - before.get(name, 0) for name, count in after.items() if count != before.get(name, 0)}

    access = redis_access({"port": redis_server.port})
    asked()
    short = asked()
    redis_server.cli("RPUSH", "queues:default", *["{}"] * 5000)

    assert asked() == short
    assert not {"keys", "scan", "eval", "monitor"} & set(short)
    assert sum(short.values()) < 15
