"""A queue's backend under one face, so that one proof can be run on each."""

from __future__ import annotations

from typing import NamedTuple

from tests.stack.mariadb import Database
from tests.stack.redis import Redis


class Backend(NamedTuple):
    """Where an application keeps its queue."""

    name: str
    """redis, mariadb or sqlite."""
    connection: str
    """The connection of config/queue.php: redis or database."""
    env: dict[str, str]
    """What the application's .env says of it."""
    server: Redis | Database | None = None
    """The server behind it; None for SQLite's file."""


def on_redis(server: Redis) -> Backend:
    """Queue on Redis, failed jobs in SQLite."""
    return Backend("redis", "redis", {"QUEUE_CONNECTION": "redis", **server.env}, server)


def on_mariadb(database: Database) -> Backend:
    """Queue and failed jobs in MariaDB; the tables are still to be made (Laravel.migrate())."""
    return Backend("mariadb", "database", {"QUEUE_CONNECTION": "database", **database.env}, database)


SQLITE = Backend("sqlite", "database", {"QUEUE_CONNECTION": "database", "DB_CONNECTION": "sqlite"})
"""Queue and failed jobs in the application's own SQLite file."""
