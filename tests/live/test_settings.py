"""An app's own settings lead where they lead Laravel: the real ConfigurationUrlParser is asked."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.audit import look
from auditor.facts.backend import Endpoint
from auditor.sources.live.app_settings import AppSettings
from auditor.sources.live.looking import NoAnswer
from auditor.sources.live.settings import cluster_access, database_access, redis_access, sentinel_access
from auditor.sources.tree import Tree
from tests.live.host import APP, Host

URLS = (
    "redis://127.0.0.1",
    "redis://cache:6380",
    "redis://cache:6380/2",
    "redis://:secret@cache:6380/2",
    "redis://someone:p%40ss%2Fword@cache:6380",
    "rediss://someone:secret@cache:6380/0",
    "tls://cache:6380",
    "redis://cache:6380?database=4",
    "mysql://root:pw@db:3307/shop",
    "mysql://db/shop?charset=utf8mb4",
    "mysql2://root@db/shop",
    "postgres://u:p@db:5433/shop?sslmode=require",
    "postgresql://u:p@db/shop",
    "mysql://u:a%23b%25@db/sh%20op",
    "sqlite:///relative/file.sqlite",
    "sqlite:////var/www/app/file.sqlite",
    "mysql://[::1]:3306/shop",
)
ORACLE = """
require '/usr/share/php/Illuminate/autoload.php';
$parser = new Illuminate\\Support\\ConfigurationUrlParser;
$out = [];
foreach (json_decode(file_get_contents('php://stdin'), true) as $url) {
    try { $out[] = $parser->parseConfiguration(['url' => $url, 'host' => 'H', 'database' => 'D', 'driver' => 'mysql']); }
    catch (Throwable $e) { $out[] = null; }
}
echo json_encode($out);
"""


def laravels() -> dict[str, Any]:
    """What Laravel makes of each URL, laid over a few settings."""
    words = ["/usr/bin/php", "-r", ORACLE]
    done = subprocess.run(words, input=json.dumps(URLS), capture_output=True, text=True, check=True, timeout=20)
    return dict(zip(URLS, json.loads(done.stdout), strict=True))


def test_urls_are_laravels() -> None:
    """Host, port, database, user and password of a URL are what Laravel's own parser makes of it."""
    for url, theirs in laravels().items():
        given_settings = {"url": url, "host": "H", "database": "D", "driver": "mysql"}
        redis = theirs["driver"] in ("tcp", "tls")
        access = redis_access(given_settings) if redis else database_access(given_settings)
        end = access.endpoint
        assert end.kind == ("redis" if redis else theirs["driver"]), url
        if end.kind == "sqlite":
            assert end.path == theirs["database"], url
            continue
        assert end.host == theirs["host"].strip("[]"), url
        assert end.database == str(theirs["database"]), url
        assert end.username == theirs.get("username", ""), url
        assert access.password.reveal() == str(theirs.get("password", "")), url
        assert end.port == theirs.get("port", {"redis": 6379, "mysql": 3306, "pgsql": 5432}[end.kind]), url
        assert end.tls == (theirs["driver"] == "tls" or theirs.get("sslmode") == "require"), url


@pytest.mark.parametrize(
    ("given_settings", "expected"),
    [
        ({}, {"host": "127.0.0.1", "port": 6379, "database": "0", "name": "redis://127.0.0.1:6379/0"}),
        (
            {"host": None, "port": None, "database": None, "password": None},
            {"host": "127.0.0.1", "has_password": False},
        ),
        ({"host": "/run/redis.sock", "port": 0}, {"socket": "/run/redis.sock", "host": "", "port": 0}),
        ({"scheme": "unix", "path": "/run/redis.sock"}, {"socket": "/run/redis.sock"}),
        ({"host": "tls://cache", "port": "6380"}, {"host": "cache", "port": 6380, "tls": True}),
        ({"scheme": "tls", "host": "cache", "context": {"stream": {"verify_peer": False}}}, {"tls_verified": False}),
        ({"host": "cache", "password": 1234}, {"has_password": True}),
        ({"port": "${PORT}"}, {"port": 6379}),
        ({"port": 99999}, {"port": 6379}),
    ],
)
def test_redis_settings(given_settings: dict[str, Any], expected: dict[str, Any]) -> None:
    """Each setting means what it means to Laravel."""
    end = redis_access(given_settings).endpoint
    assert {name: getattr(end, name) for name in expected} == expected


def test_user_names_by_version() -> None:
    """A user name counts from the Laravel that sends it."""
    named = {"username": "u", "password": "p"}
    assert redis_access(named, laravel=(8, 83, 26)).endpoint.username == ""
    assert redis_access(named, laravel=(9, 6)).endpoint.username == "u"
    assert redis_access(named).endpoint.username == "u"


@pytest.mark.parametrize(
    ("given_settings", "expected"),
    [
        ({"driver": "mariadb", "host": "db"}, {"kind": "mysql", "port": 3306}),
        (
            {"driver": "mysql", "unix_socket": "/run/m.sock", "host": "db"},
            {"socket": "/run/m.sock", "host": "", "port": 0},
        ),
        ({"driver": "mysql", "unix_socket": "", "host": "db"}, {"socket": "", "host": "db"}),
        ({"driver": "mysql", "read": {"host": ["r"]}, "write": {"host": ["w"]}}, {"host": "w"}),
        ({"driver": "mysql", "host": ["one", "two"]}, {"host": "one"}),
        ({"driver": "pgsql", "host": "/run/postgresql"}, {"socket": "/run/postgresql", "port": 5432}),
        (
            {"driver": "pgsql", "sslmode": "verify-full", "sslrootcert": "/ca"},
            {"tls_verified": True, "tls_authority": "/ca"},
        ),
        ({"driver": "sqlite", "database": "x.sqlite"}, {"path": "/srv/x.sqlite"}),
        ({"driver": "sqlite", "database": "/var/x.sqlite"}, {"path": "/var/x.sqlite"}),
        ({"driver": "sqlsrv"}, {"kind": "sqlsrv"}),
    ],
)
def test_database_settings(given_settings: dict[str, Any], expected: dict[str, Any]) -> None:
    """Each setting means what it means to Laravel."""
    end = database_access(given_settings, folder="/srv").endpoint
    assert {name: getattr(end, name) for name in expected} == expected


def test_sentinels() -> None:
    """Predis's sentinels are taken apart."""
    end = sentinel_access(("tcp://a:26379?timeout=1", "tcp://b:26380"), "main", {"database": 2}, prefix="p").endpoint
    assert (end.sentinels, end.service, end.database, end.prefix) == (("a:26379", "b:26380"), "main", "2", "p")
    master = sentinel_access(("tcp://a:26379",), "main", {"scheme": "tls", "username": "u", "password": "secret"})
    assert (master.endpoint.tls, master.endpoint.username, master.password.reveal()) == (True, "u", "secret")
    assert "secret" not in master.endpoint.name


def test_clusters() -> None:
    """A cluster's nodes are taken apart, with what its options hold for all: a node's own word counts first."""
    nodes: list[dict[str, Any]] = [
        {"url": "tls://a:7000", "password": None},
        {"host": "::1", "port": "7001", "password": "own"},
    ]
    shared = cluster_access(nodes, {"password": "shared", "parameters": {"username": "u"}}, laravel=(9, 50))
    end = shared.endpoint
    assert (end.nodes, end.tls, end.username, end.tags_queues) == (("a:7000", "[::1]:7001"), True, "u", False)
    assert (shared.password.reveal(), "shared" in repr(shared)) == ("shared", False)
    own = cluster_access(nodes[1:], {"password": "shared"}, laravel=(13, 5, 0))
    assert (own.password.reveal(), own.endpoint.tags_queues) == ("own", True)


def redis_of(folder: Path, entries: str) -> Endpoint:
    """Where the app's own config/database.php leads, with these entries of its `redis`."""
    host = Host.of(folder, {"QUEUE_CONNECTION": "redis"})
    config = host.root / APP / "config/database.php"
    config.write_text(config.read_text().replace("'default' => ['url'", f"{entries}, 'other' => ['url'"))
    (app,) = look(str(folder)).apps
    connection = next(one for one in app.connections if one.name == "redis")
    return AppSettings(Tree(folder), app).redis(connection).endpoint


def test_sentinels_of_a_configuration(tmp_path: Path) -> None:
    """Predis's form of sentinels in an app's configuration is taken; one that wants a login of its own is told, not tried."""
    options = "'options' => ['replication' => 'sentinel', 'service' => 'main', 'parameters' => ['database' => 3]]"

    end = redis_of(tmp_path / "plain", f"'default' => ['tcp://10.0.0.1:26379', 'tcp://10.0.0.2:26379', {options}]")

    assert (end.sentinels, end.service) == (("10.0.0.1:26379", "10.0.0.2:26379"), "main")
    assert (end.database, end.prefix) == ("3", "shop_database_")
    with pytest.raises(NoAnswer, match="of their own"):
        redis_of(tmp_path / "guarded", f"'default' => ['tcp://10.0.0.1:26379?password=secret', {options}]")


def test_a_cluster_of_a_configuration(tmp_path: Path) -> None:
    """The nodes of a cluster, its own prefix and password; one whose host cannot be known is told, not guessed."""
    node = "['host' => '10.0.0.1', 'port' => 7000]"
    own = "'options' => ['prefix' => 'own:', 'password' => 'secret']"

    end = redis_of(tmp_path / "whole", f"'clusters' => ['default' => [{node}, {own}]]")

    assert (end.nodes, end.prefix, end.has_password, end.tags_queues) == (("10.0.0.1:7000",), "own:", True, False)
    with pytest.raises(NoAnswer, match="host"):
        redis_of(tmp_path / "half", f"'clusters' => ['default' => [{node}, ['host' => gethostname()]]]")


VALUE = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.lists(st.text(max_size=5), max_size=2)


@given(
    st.dictionaries(
        st.sampled_from(
            ["url", "host", "port", "database", "password", "username", "scheme", "driver", "write", "options"]
        ),
        VALUE | st.dictionaries(st.text(max_size=5), VALUE, max_size=2),
    )
)
@settings(max_examples=300)
def test_any_settings(given_settings: dict[str, Any]) -> None:
    """Whatever the settings hold, an Access comes of them."""
    redis_access(given_settings)
    database_access(given_settings)


@given(st.from_regex(r"(redis|mysql|unix|x)://[ -~]{0,40}", fullmatch=True))
@settings(max_examples=300)
def test_any_url(url: str) -> None:
    """Whatever a URL holds, an Access comes of it, whose name shows no password."""
    for access in (redis_access({"url": url}), database_access({"url": url})):
        secret = access.password.reveal()
        if len(secret) > 8:
            assert f":{secret}@" not in access.endpoint.name
