"""The stack's parts as pytest fixtures, for a conftest to hand on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import mariadb as _mariadb
from tests.stack.backends import SQLITE, Backend, on_mariadb, on_redis
from tests.stack.redis import Redis


def empty_mariadb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty data folder, made once for all processes of this run."""
    base = tmp_path_factory.getbasetemp()
    return _mariadb.template(base if "popen-gw" not in base.name else base.parent)


@pytest.fixture(scope="session")
def mariadb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_mariadb.MariaDB]:
    """One MariaDB server for all tests of this process."""
    with _mariadb.open_folder() as folder:
        server = _mariadb.MariaDB.start(folder, empty_mariadb(tmp_path_factory))
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
def database(mariadb_server: _mariadb.MariaDB) -> Iterator[_mariadb.Database]:
    """An empty MariaDB database of the test's own."""
    with mariadb_server.database() as made:
        yield made


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Redis]:
    """An empty Redis server of the test's own."""
    folder = tmp_path / "redis"
    folder.mkdir()
    server = Redis.start(folder)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def redis_cluster(tmp_path: Path) -> Iterator[Redis]:
    """An empty Redis cluster of the test's own."""
    folder = tmp_path / "redis-cluster"
    folder.mkdir()
    server = Redis.cluster(folder)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def on_each_backend(request: pytest.FixtureRequest) -> Backend:
    """The backend the test is parametrised with (indirect): "redis", "mariadb" or "sqlite"."""
    if request.param == "redis":
        return on_redis(request.getfixturevalue("redis_server"))
    if request.param == "mariadb":
        return on_mariadb(request.getfixturevalue("database"))
    return SQLITE
