"""Whatever is wrong with a backend, a look at it is one Probe with the right outcome, and in time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auditor.facts.backend import OUTCOMES, Endpoint, Probe
from auditor.facts.supervisor import HttpServer
from auditor.sources.live.access import Access, Limits, Queue, Secret, Tables
from auditor.sources.live.database import look_at_sql
from auditor.sources.live.redis import look_at_redis
from auditor.sources.live.settings import redis_access, sentinel_access
from auditor.sources.live.supervisord import ask_supervisord
from tests.live import faulty
from tests.stack import mariadb
from tests.stack.processes import free_port
from tests.stack.redis import Redis
from tests.stack.supervisord import Supervisord

LIMITS = Limits(connect=0.6, read=0.6, total=1.5)
SLACK = 3.0
"""Seconds beyond the limit that a busy machine may take."""
_GREETING = (
    b"\x0a10.11.6-MariaDB\0\x05\0\0\0abcdefgh\0\xfe\xf7\x2d\x02\0\xff\x81\x15\0\0\0\0\0\0\x07\0\0\0abcdefghijkl\0"
    b"mysql_native_password\0"
)
MARIADB_GREETING = len(_GREETING).to_bytes(3, "little") + b"\0" + _GREETING
"""What MariaDB says first, as one packet."""
Look = Callable[[int], Probe]


def at_redis(port: int) -> Probe:
    """A look at a Redis there."""
    end = Endpoint(name="redis", kind="redis", host="127.0.0.1", port=port, database="0", username="u")
    return look_at_redis(Access(end, Secret("canary")), [Queue("default", 90, 60)], 1e9, LIMITS).probe


def at_sql(kind: str) -> Look:
    """A look at a database there."""

    def look(port: int) -> Probe:
        end = Endpoint(name=kind, kind=kind, host="127.0.0.1", port=port, database="d", username="u")
        return look_at_sql(
            Access(end, Secret("canary")), Tables(), [Queue("default", 90, 60)], 1e9, "UTC", LIMITS
        ).probe

    return look


def at_supervisord(port: int) -> Probe:
    """A question to a supervisord there."""
    server = HttpServer(section="inet_http_server", kind="inet", host="127.0.0.1", port=port, username="u")
    return ask_supervisord(server, Secret("canary"), limits=LIMITS).probe


LOOKS: dict[str, Look] = {
    "redis": at_redis,
    "mysql": at_sql("mysql"),
    "pgsql": at_sql("pgsql"),
    "supervisord": at_supervisord,
}
WAYS: dict[str, tuple[faulty.Way, tuple[str, ...]]] = {
    "hangs": (faulty.hangs, ("timeout",)),
    "hangs up": (faulty.hangs_up, ("gone",)),
    "speaks http": (faulty.speaks_http, ("protocol",)),
    # Where nonsense says "so many bytes follow", to wait for them is right.
    "speaks nonsense": (faulty.speaks_nonsense, ("protocol", "timeout")),
    "drips": (faulty.drips, ("timeout", "protocol")),
}
DRIPPED = {"redis": ("timeout",), "supervisord": ("timeout", "protocol"), "mysql": ("timeout", "protocol"),
           "pgsql": ("timeout", "protocol")}  # fmt: skip


def judged(look: Callable[[], Probe], outcomes: tuple[str, ...]) -> Probe:
    """The Probe of this look, which must be one of these, with a reason, within its time."""
    begun = time.monotonic()
    probe = look()
    took = time.monotonic() - begun

    assert probe.outcome in OUTCOMES
    assert probe.outcome in outcomes, probe.reason
    assert probe.reason
    assert not probe.reason.endswith(".")
    assert took < LIMITS.total + SLACK
    assert "canary" not in str(probe)
    return probe


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", LOOKS)
def test_a_faulty_server(kind: str, way: str) -> None:
    """A server that hangs, hangs up, drips or speaks another protocol is told as such, in time."""
    treat, outcomes = WAYS[way]
    with faulty.serving(treat) as port:
        judged(lambda: LOOKS[kind](port), DRIPPED[kind] if way == "drips" else outcomes)


@pytest.mark.parametrize("kind", LOOKS)
def test_nobody_listens(kind: str) -> None:
    """A port that nobody listens on is refused."""
    judged(lambda: LOOKS[kind](free_port()), ("refused",))


@pytest.mark.parametrize("way", ["hangs", "drips", "hangs up"])
def test_mariadb_after_its_greeting(way: str) -> None:
    """A server that greets as MariaDB does and then hangs, drips or closes is told as such."""
    treat, outcomes = WAYS[way]
    with faulty.serving(faulty.after(MARIADB_GREETING, treat)) as port:
        judged(lambda: at_sql("mysql")(port), outcomes)


@pytest.mark.parametrize("place", [0, 1, 3, 7, 40, 400, 2000])
def test_redis_dies_mid_answer(redis_server: Redis, place: int) -> None:
    """A real Redis whose connection ends after so many bytes of its answer has gone away."""
    end = Endpoint(name="redis", kind="redis", host="127.0.0.1", database="0")
    with faulty.relaying(redis_server.port, place) as port:
        access = Access(Endpoint(name="redis", kind="redis", host=end.host, port=port, database="0"))
        judged(lambda: look_at_redis(access, [Queue("default", 90, 60)], 1e9, LIMITS).probe, ("gone",))


@pytest.mark.parametrize("place", [0, 3, 50, 120, 300, 500])
def test_mariadb_dies_mid_answer(database: mariadb.Database, place: int) -> None:
    """A real MariaDB whose connection ends after so many bytes of its answers has gone away."""
    with faulty.relaying(database.server.port, place) as port:
        end = Endpoint(
            name="x", kind="mysql", host="127.0.0.1", port=port, database=database.name, username=mariadb.USER
        )
        access = Access(end, Secret(mariadb.PASSWORD))
        judged(lambda: look_at_sql(access, Tables(), [Queue("default")], 1e9, "UTC", LIMITS).probe, ("gone",))


def test_mariadb_refuses(database: mariadb.Database) -> None:
    """A wrong password, a foreign database and a missing one are told apart, and no password is told."""
    for user, password, name, outcome in (
        (mariadb.USER, "canary-wrong", database.name, "auth"),
        ("nobody-such", "canary-wrong", database.name, "auth"),
        (mariadb.USER, mariadb.PASSWORD, "mysql", "auth"),
        ("root", "canary-wrong", "", "auth"),
    ):
        end = Endpoint(
            name="x", kind="mysql", host="127.0.0.1", port=database.server.port, database=name, username=user
        )
        access = Access(end, Secret(password))
        judged(lambda access=access: look_at_sql(access, Tables(), [], 1e9, "UTC", LIMITS).probe, (outcome,))  # type: ignore[misc]


def test_redis_asks_for_a_password(redis_server: Redis) -> None:
    """A password that is wrong or missing is told as such."""
    redis_server.cli("CONFIG", "SET", "requirepass", "right-password")
    for password, outcome in ((None, "auth"), ("canary-wrong", "auth"), ("right-password", "ok")):
        probe = look_at_redis(redis_access({"port": redis_server.port, "password": password}), [], 1e9, LIMITS).probe
        assert probe.outcome == outcome
        assert "canary" not in str(probe)


def test_redis_wants_no_password(redis_server: Redis) -> None:
    """A password, or a user name, for a Redis that has none is an auth failure, as it is for phpredis."""
    for settings in ({"password": "canary"}, {"password": "canary", "username": "someone"}):
        access = redis_access({"port": redis_server.port, **settings})
        judged(lambda access=access: look_at_redis(access, [], 1e9, LIMITS).probe, ("auth",))  # type: ignore[misc]


def test_redis_user_may_do_little(redis_server: Redis) -> None:
    """A user who may not ask INFO leaves the server unknown and the queues known, and the other way round."""
    redis_server.cli("ACL", "SETUSER", "default", "-info", "-config")
    found = look_at_redis(redis_access({"port": redis_server.port}), [Queue("default", 90, 60)], 1e9)
    assert found.probe.outcome == "ok"
    assert found.server is not None
    assert found.server.is_unknown("version")
    assert found.server.is_unknown("rdb_enabled")
    assert (found.queues[0].size, found.queues[0].is_unknown("size")) == (0, False)

    redis_server.cli("ACL", "SETUSER", "default", "+info", "+config", "-zcount")
    found = look_at_redis(redis_access({"port": redis_server.port}), [Queue("default", 90, 60)], 1e9)
    assert found.server is not None
    assert found.server.version[0] >= 6
    assert found.queues[0].mark("size").reason == "the Redis user may not read it"


def test_redis_has_no_such_database(redis_server: Redis) -> None:
    """A database number that the server does not have is refused."""
    access = redis_access({"port": redis_server.port, "database": 99})
    assert judged(lambda: look_at_redis(access, [], 1e9, LIMITS).probe, ("refused",)).reason == (
        "it has no database of that number"
    )


def test_a_key_of_another_kind(redis_server: Redis) -> None:
    """A key that is no queue leaves that queue unknown, and the others known."""
    redis_server.cli("SET", "queues:odd", "1")
    redis_server.cli("RPUSH", "queues:even", "{}")
    found = look_at_redis(redis_access({"port": redis_server.port}), [Queue("odd"), Queue("even")], 1e9)

    odd, even = found.queues
    assert odd.mark("size").reason == "its key holds something else than a queue"
    assert (even.size, even.is_unknown("size")) == (1, False)


def test_not_looked_at() -> None:
    """SQS, beanstalkd, SQL Server, a cluster of unknown nodes and drivers without a queue are not looked at, with the reason."""
    for kind in ("sqs", "beanstalkd", "sqlsrv", "sync", "failover", "a-package's-own"):
        probe = look_at_sql(Access(Endpoint(name=kind, kind=kind)), Tables(), [], 1e9).probe
        assert (probe.outcome, bool(probe.reason)) == ("unsupported", True)
    probe = look_at_redis(redis_access({}, cluster=True), [], 1e9).probe
    assert probe.outcome == "unsupported"
    assert "cluster" in probe.reason


def test_sentinels_that_fail(redis_server: Redis) -> None:
    """Sentinels that are dead, or are none, are one Probe; the next is asked before."""
    dead = f"tcp://127.0.0.1:{free_port()}"
    access = sentinel_access((dead, dead), "main", {})
    judged(lambda: look_at_redis(access, [], 1e9, LIMITS).probe, ("refused",))
    access = sentinel_access((dead, f"tcp://127.0.0.1:{redis_server.port}"), "main", {})
    judged(lambda: look_at_redis(access, [], 1e9, LIMITS).probe, ("refused", "protocol"))


@pytest.mark.parametrize("build", ["debian", "pypi"])
def test_supervisord_refuses(tmp_path: Path, build: Any) -> None:
    """A supervisord that asks for a password lets in who has it, and nobody else."""
    server = Supervisord.of(tmp_path, _inet(tmp_path, port := free_port()), build=build)
    try:
        here = HttpServer(section="inet_http_server", kind="inet", host="127.0.0.1", port=port, username="them")
        for password, outcome in (("canary-wrong", "auth"), ("", "auth"), ("right-password", "ok")):
            probe = ask_supervisord(here, Secret(password), limits=LIMITS).probe
            assert probe.outcome == outcome, probe.reason
            assert "canary" not in str(probe)
        unknown = HttpServer(section="inet_http_server", kind="inet", host="127.0.0.1", port=port)
        assert ask_supervisord(unknown, limits=LIMITS).probe.outcome == "auth"
    finally:
        server.stop()


def _inet(folder: Path, port: int) -> str:
    return f"[inet_http_server]\nport=127.0.0.1:{port}\nusername=them\npassword=right-password\n"


def test_supervisord_without_its_interface(tmp_path: Path) -> None:
    """A supervisord that has no [rpcinterface:supervisor] answers, and says so."""
    with faulty.serving(_faults(1)) as port:
        probe = judged(lambda: at_supervisord(port), ("protocol",))
    assert probe.reason == "it has no [rpcinterface:supervisor]"
    with faulty.serving(_faults(6)) as port:
        judged(lambda: at_supervisord(port), ("gone",))


def _faults(number: int) -> faulty.Way:
    import socket
    import threading
    import xmlrpc.client

    body = xmlrpc.client.dumps(xmlrpc.client.Fault(number, "UNKNOWN_METHOD"), methodresponse=True).encode()

    def answer(talk: socket.socket, over: threading.Event) -> None:
        talk.recv(65536)
        talk.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    return answer


def test_supervisord_socket(tmp_path: Path) -> None:
    """A socket that is not there, that nobody listens on, and that hangs, at a path longer than an address holds."""
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    path = folder / "supervisor.sock"
    server = HttpServer(section="unix_http_server", kind="unix", file=str(path))
    judged(lambda: ask_supervisord(server, limits=LIMITS).probe, ("refused",))
    with faulty.serving(faulty.hangs, path):
        judged(lambda: ask_supervisord(server, limits=LIMITS).probe, ("timeout",))
    judged(lambda: ask_supervisord(server, limits=LIMITS).probe, ("refused",))
