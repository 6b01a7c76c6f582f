"""Queues in a real PostgreSQL, in tables that Laravel's own migrations made, through its optional extra."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.sources.live.access import Access, Limits, Queue, Tables
from auditor.sources.live.database import DatabaseLook, look_at_sql
from auditor.sources.live.settings import database_access
from tests.live.host import Host, found
from tests.live.test_counts import monitored, tinker
from tests.stack import mariadb
from tests.stack.laravel import Laravel
from tests.stack.postgres import PASSWORD, USER, Postgres
from tests.stack.processes import Child

NOW = 2_000_000_000
QUEUES = (Queue("default", 90, 60), Queue("mails", 90, 60))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """One server, with the application's tables."""
    with mariadb.open_folder() as folder:
        made = Postgres.start(folder)
        try:
            Laravel.lay_out(tmp_path_factory.mktemp("made") / "app", env=env(made)).migrate()
            yield made
        finally:
            made.stop()


@pytest.fixture
def app(server: Postgres, tmp_path: Path) -> Laravel:
    """An application whose queue is there."""
    return Laravel.lay_out(tmp_path / "app", env=env(server))


def env(server: Postgres) -> dict[str, str]:
    """What the application's .env says."""
    return {"QUEUE_CONNECTION": "database", "DB_CONNECTION": "pgsql", "DB_PORT": str(server.port),
            "DB_DATABASE": USER, "DB_USERNAME": USER, "DB_PASSWORD": PASSWORD}  # fmt: skip


@pytest.fixture(autouse=True)
def _empty(server: Postgres) -> None:
    server.sql("TRUNCATE jobs, failed_jobs RESTART IDENTITY")


def access(server: Postgres, **more: str) -> Access:
    """As the application's config/database.php has it."""
    settings = {"driver": "pgsql", "host": "127.0.0.1", "port": str(server.port), "database": USER, "username": USER,
                "password": PASSWORD, **more}  # fmt: skip
    return database_access(settings, app="app", connection="database")


def look(server: Postgres, now: float = NOW, /, **more: str) -> DatabaseLook:
    """A look at both queues."""
    return look_at_sql(access(server, **more), Tables(), QUEUES, now, limits=Limits(window=10))


def test_everything_of_a_queue_is_seen(server: Postgres, app: Laravel, tmp_path: Path) -> None:
    """Jobs that a real Laravel pushed, began and gave up are counted as its queue:monitor does; ages, and the server itself."""
    app.push("B", breaks=True).must()
    app.artisan("queue:work", "--stop-when-empty", "--sleep=0", "--tries=1").must()
    app.push("S", seconds=60).must()
    worker = Child(["/usr/bin/php", str(app.folder / "artisan"), "queue:work"], tmp_path / "worker.log", cwd=app.folder)
    try:
        app.await_start("S")
        now = time.time()
    finally:
        worker.end(how=signal.SIGKILL)
    tinker(
        app,
        "dispatch((new App\\Jobs\\Work('L'))->delay(1000)); dispatch(new App\\Jobs\\Work('R'));"
        "foreach (['mails', 'other'] as $queue) { dispatch((new App\\Jobs\\Work('Q'))->onQueue($queue)); }",
    )

    seen = look(server, now + 95)

    assert (seen.probe.outcome, seen.probe.reason) == ("ok", "")
    states = {state.name: state for state in seen.queues}
    assert {name: state.size for name, state in states.items()} == monitored(app, "database", (*states,))
    default = states["default"]
    assert (default.size, default.ready, default.delayed, default.reserved, default.stuck) == (3, 1, 1, 1, 1)
    assert default.oldest_ready_age == pytest.approx(90, abs=15)
    assert default.oldest_reserved_age == pytest.approx(95, abs=5)
    assert (states["mails"].size, states["other"].size, states["other"].asked_for) == (1, 1, False)
    assert seen.server is not None
    assert seen.server.product == "pgsql"
    assert seen.server.skip_locked
    assert (seen.server.max_connections, seen.server.missing_tables, seen.server.missing_columns) == (20, (), ())
    assert (seen.server.queue_index, seen.server.attempts_limit, seen.server.failed_total) == (True, 32_767, 1)
    (failed,) = seen.server.failed_recent
    assert (failed.name, failed.job) == ("other", "App\\Jobs\\Work")
    assert failed.newest_age == pytest.approx(100, abs=15)


def test_large_tables_cost_no_more(server: Postgres) -> None:
    """Of a large queue only so much is counted."""
    server.sql("INSERT INTO jobs (queue, payload, attempts, available_at, created_at) "
               "SELECT 'default', '', 0, 1, 1 FROM generate_series(1, 20000)")  # fmt: skip

    state = look(server).queues[0]

    assert (state.size, state.size_capped, state.ready, state.capped) == (2_000, True, 200, True)


@pytest.mark.parametrize(
    ("more", "outcome"),
    [({"password": "wrong"}, "auth"), ({"database": "none"}, "refused"), ({"port": "1"}, "refused")],
)
def test_refusals(more: dict[str, str], outcome: str, server: Postgres) -> None:
    """A wrong password, a database that is not there and a port that nobody listens at are told apart."""
    assert look(server, **more).probe.outcome == outcome


def test_through_a_socket(server: Postgres) -> None:
    """A host that is a folder holds the server's socket, whose name has the port."""
    assert look(server, host=str(server.folder)).probe.outcome == "ok"
    assert look(server, host=str(server.folder), port="1").probe.reason == "its socket is not there"


def test_tables_that_are_not_there(server: Postgres) -> None:
    """A table that is missing is told, and nothing else fails for it."""
    seen = look_at_sql(access(server), Tables(jobs="none"), QUEUES, NOW)

    assert seen.server is not None
    assert seen.server.missing_tables == ("none",)


def test_nothing_is_written(server: Postgres) -> None:
    """No row, no transaction id and no connection is left behind by a look."""
    server.sql("INSERT INTO jobs (queue, payload, attempts, available_at, created_at) VALUES ('default', '', 0, 1, 1)")
    state = (
        "SELECT xmin, ctid, * FROM jobs; SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
    )
    before = server.sql(state)
    number = server.sql("SELECT pg_current_xact_id()")

    look(server)

    assert server.sql(state) == before
    assert int(server.sql("SELECT pg_current_xact_id()")[0][0]) == int(number[0][0]) + 1, "our own question took it"


def test_through_the_command_line(server: Postgres, tmp_path: Path) -> None:
    """An app whose queue is in PostgreSQL is asked by its own settings."""
    now = int(time.time())
    server.sql("INSERT INTO jobs (queue, payload, attempts, available_at, created_at) "
               f"VALUES ('default', '', 0, {now - 7200}, 1)")  # fmt: skip
    host = Host.of(tmp_path, env(server))

    (old,) = found(host.audit("--now", str(now)), "backend/backlog-old")

    assert "has waited 2 h." in old["message"]
