"""The real stack, for the proofs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.stack.backends import SQLITE, on_mariadb, on_redis
from tests.stack.fixtures import database, mariadb_server, redis_server

if TYPE_CHECKING:
    from tests.proofs.scenes.scene import Scene

pytest.register_assert_rewrite("tests.proofs.scenes")  # before any is imported: a failed assertion shows its values

__all__ = ["database", "mariadb_server", "prove", "redis_server"]


@pytest.fixture
def prove(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., None]:
    """prove(Scene) or prove(Scene, "mariadb"): the scene on that backend."""
    from tests.proofs import proof

    def run(kind: type[Scene], name: str = "redis") -> None:
        if name == "redis":
            backend = on_redis(request.getfixturevalue("redis_server"))
        elif name == "mariadb":
            backend = on_mariadb(request.getfixturevalue("database"))
        else:
            backend = SQLITE
        proof.prove(kind, tmp_path, backend)

    return run
