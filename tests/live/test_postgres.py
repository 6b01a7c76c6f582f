"""Queues in a real PostgreSQL, in tables as Laravel's own migrations make them, through its optional extra."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.sources.live.access import Access, Limits, Queue, Tables
from auditor.sources.live.database import DatabaseLook, look_at_sql
from auditor.sources.live.settings import database_access
from tests.live.host import Host, found
from tests.stack import mariadb
from tests.stack.postgres import PASSWORD, USER, Postgres

TABLES = """
CREATE TABLE jobs (id BIGSERIAL PRIMARY KEY, queue VARCHAR(255) NOT NULL, payload TEXT NOT NULL,
  attempts SMALLINT NOT NULL, reserved_at INTEGER, available_at INTEGER NOT NULL, created_at INTEGER NOT NULL);
CREATE INDEX jobs_queue_index ON jobs (queue);
CREATE TABLE failed_jobs (id BIGSERIAL PRIMARY KEY, uuid VARCHAR(255) NOT NULL UNIQUE, connection TEXT NOT NULL,
  queue TEXT NOT NULL, payload TEXT NOT NULL, exception TEXT NOT NULL,
  failed_at TIMESTAMP(0) WITHOUT TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP);
"""
NOW = 2_000_000_000
QUEUES = (Queue("default", 90, 60), Queue("mails", 90, 60))


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """One server, with the queue's tables."""
    with mariadb.open_folder() as folder:
        made = Postgres.start(folder)
        try:
            made.sql(TABLES)
            yield made
        finally:
            made.stop()


@pytest.fixture(autouse=True)
def _empty(server: Postgres) -> None:
    server.sql("TRUNCATE jobs, failed_jobs RESTART IDENTITY")


def access(server: Postgres, **more: str) -> Access:
    """As the application's config/database.php has it."""
    settings = {"driver": "pgsql", "host": "127.0.0.1", "port": str(server.port), "database": USER, "username": USER,
                "password": PASSWORD, **more}  # fmt: skip
    return database_access(settings, app="app", connection="database")


def look(server: Postgres, **more: str) -> DatabaseLook:
    """A look at both queues."""
    return look_at_sql(access(server, **more), Tables(), QUEUES, NOW, limits=Limits(window=10))


def test_everything_of_a_queue_is_seen(server: Postgres) -> None:
    """Counts, ages, stuck jobs, failures by their kind and the server itself are told."""
    server.sql(f"""
        INSERT INTO jobs (queue, payload, attempts, reserved_at, available_at, created_at) VALUES
          ('default', '{{"timeout":null}}', 1, {NOW - 200}, 1, 1), ('default', '', 0, NULL, {NOW - 50}, 1),
          ('default', '', 0, NULL, {NOW + 50}, 1), ('other', '', 0, NULL, {NOW - 5}, 1);
        INSERT INTO failed_jobs (uuid, connection, queue, payload, exception, failed_at)
          VALUES ('u', 'database', 'default', '{{}}', 'Deadlock found when trying to get lock',
          to_timestamp({NOW - 60}) AT TIME ZONE 'UTC');
    """)

    seen = look(server)

    assert (seen.probe.outcome, seen.probe.reason) == ("ok", "")
    states = {state.name: state for state in seen.queues}
    default = states["default"]
    assert (default.size, default.ready, default.delayed, default.reserved) == (3, 1, 1, 1)
    assert (default.oldest_ready_age, default.oldest_reserved_age, default.stuck) == (50, 200, 1)
    assert (states["mails"].size, states["other"].size, states["other"].asked_for) == (0, 1, False)
    assert seen.server is not None
    assert seen.server.product == "pgsql"
    assert seen.server.skip_locked
    assert (seen.server.max_connections, seen.server.missing_tables, seen.server.queue_index) == (20, (), True)
    (failed,) = seen.server.failed_recent
    assert (failed.name, failed.newest_age) == ("deadlock", 60)


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
    host = Host.of(tmp_path, {"QUEUE_CONNECTION": "database", "DB_CONNECTION": "pgsql", "DB_PORT": str(server.port),
                   "DB_DATABASE": USER, "DB_USERNAME": USER, "DB_PASSWORD": PASSWORD})  # fmt: skip

    (old,) = found(host.audit("--now", str(now)), "backend/backlog-old")

    assert "has waited 2 h." in old["message"]
