"""A password is nowhere but on its way to the server: not in a fact, a text, an encoding, an error or a trace."""

from __future__ import annotations

import copy
import json
import pickle
import socket
import threading
import traceback
from collections.abc import Callable

import msgspec
import pytest

from auditor.facts.backend import Probe
from auditor.facts.supervisor import HttpServer
from auditor.sources.live.access import Access, Limits, Queue, Secret, Tables
from auditor.sources.live.database import look_at_sql
from auditor.sources.live.looking import classify, look
from auditor.sources.live.redis import look_at_redis
from auditor.sources.live.settings import database_access, redis_access
from auditor.sources.live.supervisord import ask_supervisord
from tests.live import faulty

CANARY = "canary-p4ss"
LIMITS = Limits(0.5, 0.5, 1.0)


def accesses(port: int) -> dict[str, Access]:
    """Every way a password can be configured."""
    return {
        "redis": redis_access({"host": "127.0.0.1", "port": port, "password": CANARY, "username": "u"}),
        "redis url": redis_access({"url": f"redis://u:{CANARY}@127.0.0.1:{port}/1"}),
        "mysql": database_access(
            {"driver": "mysql", "host": "127.0.0.1", "port": port, "username": "u", "password": CANARY, "database": "d"}
        ),
        "mysql url": database_access({"url": f"mysql://u:{CANARY}@127.0.0.1:{port}/d"}),
        "pgsql": database_access(
            {"driver": "pgsql", "host": "127.0.0.1", "port": port, "username": "u", "password": CANARY, "database": "d"}
        ),
    }


NAMES = tuple(accesses(1))


def test_a_secret_shows_nowhere() -> None:
    """A secret and an access show no password, and can be neither encoded, pickled nor copied."""
    for access in accesses(1).values():
        assert access.password.reveal() == CANARY
        assert access.endpoint.has_password
        for text in (repr(access), str(access), f"{access}", repr(access.password), f"{access.password!s:>20}"):
            assert CANARY not in text
        assert CANARY not in msgspec.json.encode(access.endpoint).decode()
        for write in (pickle.dumps, msgspec.json.encode, json.dumps, copy.copy, copy.deepcopy):
            for one in (access, access.password):
                with pytest.raises(TypeError) as refused:
                    write(one)
                assert CANARY not in str(refused.value)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", [faulty.hangs, faulty.hangs_up, faulty.speaks_http, faulty.speaks_nonsense])
def test_no_probe_tells(
    name: str, way: faulty.Way, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever goes wrong, the password is in no Probe, on no stream and in no log."""
    caplog.set_level(0)
    with faulty.serving(way) as port:
        access = accesses(port)[name]
        probe = look_of(access)
    assert probe.outcome != "ok"
    assert CANARY not in repr(probe)
    assert CANARY not in msgspec.json.encode(probe).decode()
    assert CANARY not in "".join(capsys.readouterr())
    assert CANARY not in caplog.text


def look_of(access: Access) -> Probe:
    """The Probe of a look at it."""
    queues = [Queue("default")]
    if access.endpoint.kind == "redis":
        return look_at_redis(access, queues, 1e9, LIMITS).probe
    return look_at_sql(access, Tables(), queues, 1e9, "UTC", LIMITS).probe


def echoes(talk: socket.socket, over: threading.Event) -> None:
    """Answer with an error that says what was said."""
    talk.settimeout(0.5)
    heard = talk.recv(4096)
    while b"AUTH" in heard and CANARY.encode() not in heard:
        heard += talk.recv(4096)
    talk.sendall(b"-ERR you said " + heard.replace(b"\r\n", b" ") + b"\r\n")
    talk.sendall(b"-ERR you said " + heard.replace(b"\r\n", b" ") + b"\r\n")


def test_an_echo_is_not_told() -> None:
    """A server that answers with the password it was sent does not get it into a Probe."""
    with faulty.serving(echoes) as port:
        for name in ("redis", "redis url"):
            probe = look_of(accesses(port)[name])
            assert probe.outcome != "ok"
            assert CANARY not in repr(probe)
    with faulty.serving(http_echoes) as port:
        server = HttpServer(section="inet_http_server", kind="inet", host="127.0.0.1", port=port, username="u")
        assert CANARY not in repr(ask_supervisord(server, Secret(CANARY), limits=LIMITS))


def http_echoes(talk: socket.socket, over: threading.Event) -> None:
    """Answer with a fault that says the password."""
    import xmlrpc.client

    talk.recv(65536)
    body = xmlrpc.client.dumps(xmlrpc.client.Fault(10, f"no: {CANARY}"), methodresponse=True).encode()
    talk.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def test_no_exception_tells() -> None:
    """An exception that holds the password becomes a reason without it, and nothing is ever raised."""

    def fail(clock: object) -> None:
        password = CANARY
        raise RuntimeError(f"could not log in with {password}")

    looked = look(fail, 1.0, Secret(CANARY))
    assert looked.outcome == "protocol"
    assert CANARY not in looked.reason
    assert CANARY not in " ".join(classify(RuntimeError(CANARY)))


@pytest.mark.parametrize("name", NAMES)
def test_no_trace_tells(name: str) -> None:
    """A trace, should one ever be printed with the values of our own variables, shows *** for the password."""
    access = accesses(1)[name]

    def inner(given: Access, secret: Secret) -> None:
        raise ZeroDivisionError

    def outer(call: Callable[[Access, Secret], None]) -> None:
        call(access, access.password)

    with pytest.raises(ZeroDivisionError) as raised:
        outer(inner)
    trace = "".join(traceback.TracebackException.from_exception(raised.value, capture_locals=True).format())
    assert "***" in trace
    assert CANARY not in trace
