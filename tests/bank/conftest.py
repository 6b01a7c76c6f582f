"""The real MariaDB server of the stack, for the bank feeds."""

from __future__ import annotations

from tests.stack.fixtures import database, mariadb_server

__all__ = ["database", "mariadb_server"]
