"""The real stack, and servers that misbehave, for the looks."""

from __future__ import annotations

from tests.stack.fixtures import database, mariadb_server, redis_server

__all__ = ["database", "mariadb_server", "redis_server"]
