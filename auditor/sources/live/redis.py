"""Queues on Redis or Valkey: one connection, one pipeline, whatever the number of jobs; on a cluster, see redis_cluster.py.

For each queue five lengths (each O(log n) or better) and two first elements are asked for; no key is ever searched for.
Keys as Laravel's RedisQueue has them: `<prefix>queues:<queue>` is a list whose head is the oldest job; `:delayed` is
sorted by the time a job is due, `:reserved` by the time it is free again (when it was taken + retry_after).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from auditor.facts.backend import Endpoint, Probe, QueueState, RedisServer
from auditor.sources.live.access import LIMITS, Access, Limits, Queue
from auditor.sources.live.looking import Clock, NoAnswer, look, unsupported
from auditor.sources.live.redis_cluster import Command, ask_nodes, first_answer, tagged
from auditor.sources.live.witness import release, seen

MARGIN = 10.0
"""Seconds a worker may hold a job beyond its time-out before the job counts as overdue."""
PAYLOAD_LIMIT = 1024 * 1024
"""Bytes of a payload that are parsed; a longer one tells nothing."""
_MIB = 1024 * 1024
_NO_AGE = "a payload holds no time before Laravel 12.11, unless Horizon pushed it"

Answer = bytes | int | list[Any] | Exception | None


class RedisLook(NamedTuple):
    """What came of a look at one Redis server."""

    probe: Probe
    """How it went."""
    server: RedisServer | None = None
    """The server; None where it did not answer."""
    queues: tuple[QueueState, ...] = ()
    """Each queue asked for, in that order; () where the server did not answer."""


def look_at_redis(access: Access, queues: Sequence[Queue], now: float, limits: Limits = LIMITS) -> RedisLook:
    """Ask one server for these queues; `now` is the time in seconds since 1970 on the clock of who pushes jobs.

    A cluster whose nodes are not known is not looked at. Never raises.
    """
    end = access.endpoint
    if end.cluster and not end.nodes:
        looked = unsupported(
            "it is a Redis cluster whose nodes are not written as Laravel's own configuration has them"
        )
        return RedisLook(looked.probe("redis", end.name, end.app, end.connection))
    found = look(lambda clock: _ask(access, queues, now, limits, clock), limits.total, access.password)
    probe = found.probe("redis", end.name, end.app, end.connection)
    return RedisLook(probe, *found.value) if found.value is not None else RedisLook(probe)


def _ask(
    access: Access, queues: Sequence[Queue], now: float, limits: Limits, clock: Clock
) -> tuple[RedisServer, tuple[QueueState, ...]]:
    end = access.endpoint

    def ask(host: str, port: int, commands: Sequence[Command]) -> list[Answer]:
        connection = _connection(end, host, port, limits, clock, database=not end.nodes, access=access)
        with clock.closing(connection.disconnect):
            return _pipeline(connection, commands, clock)

    names = [tagged(queue.name) if end.tags_queues else queue.name for queue in queues]
    each = [_questions(f"{end.prefix}queues:{name}", queue, now) for name, queue in zip(names, queues, strict=True)]
    of_queues = [question for questions in each for question in questions]
    if end.nodes:
        answers = ask_nodes(end.nodes, _OF_SERVER, of_queues, ask)
    else:
        host, port = (end.host, end.port) if not end.sentinels else _master(end, limits, clock)
        answers = ask(host, port, [*_OF_SERVER, *of_queues])
    rest = iter(answers[len(_OF_SERVER) :])
    states = tuple(
        _state(end, queue, list(islice(rest, len(questions))), now)
        for queue, questions in zip(queues, each, strict=True)
    )
    return _server(end, answers[0], answers[1]), states


_OF_SERVER: tuple[Command, ...] = (("INFO",), ("CONFIG", "GET", "save"))


def _connection(
    end: Endpoint, host: str, port: int, limits: Limits, clock: Clock, *, database: bool, access: Access | None
) -> Any:
    import redis

    options: dict[str, Any] = {
        "socket_connect_timeout": clock.within(limits.connect),
        "socket_timeout": clock.within(limits.read),
        "protocol": 2,  # every server since 2.6 speaks it, and it needs no greeting
    }
    if database:
        if not (end.database or "0").isascii() or not (end.database or "0").isdecimal():
            raise NoAnswer("unsupported", f"its database {end.database!r} is not a number")
        options["db"] = int(end.database or 0)
    if access is not None and access.password:
        options |= {"password": access.password.reveal(), "username": end.username or None}
    kind: Any = redis.Connection
    if end.socket:
        kind, options["path"] = redis.UnixDomainSocketConnection, end.socket
    else:
        options |= {"host": host, "port": port}
    if end.tls and not end.socket:
        kind = redis.SSLConnection
        options |= {"ssl_cert_reqs": "required" if end.tls_verified else "none", "ssl_check_hostname": end.tls_verified}
        if end.tls_authority:
            options["ssl_ca_certs"] = end.tls_authority
    try:
        connection = kind(**options, driver_info=None)
    except TypeError:  # before redis-py 7.1; neither sends CLIENT SETINFO
        connection = kind(**options, lib_name=None, lib_version=None)
    with _told():
        connection.connect()
    return connection


def _pipeline(connection: Any, commands: Sequence[Command], clock: Clock) -> list[Answer]:
    """The answer to each command, an error reply as the exception; raises where the connection itself fails."""
    import redis

    clock.within(1.0)
    answers: list[Answer] = []
    with _told():
        connection.send_packed_command(connection.pack_commands(commands))
        for _ in commands:
            try:
                answers.append(connection.read_response())
            except redis.ResponseError as error:
                answers.append(error)
            except redis.BusyLoadingError as error:  # the library hangs up on it
                return [*answers, *[error] * (len(commands) - len(answers))]
    return answers


class _told:  # noqa: N801 - a context manager, read as a verb
    """Whatever the library raises, as NoAnswer; system errors beneath it keep their own meaning."""

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Translate."""
        import redis

        if error is None or isinstance(error, NoAnswer):
            return
        if isinstance(error, redis.BusyLoadingError):
            raise NoAnswer("refused", "it is still loading its data") from None
        words = str(error).lower()
        if isinstance(error, redis.AuthenticationError | redis.exceptions.AuthorizationError):
            raise NoAnswer("auth", "it asks for another password, or for one at all") from None
        if isinstance(error, redis.exceptions.AuthenticationWrongNumberOfArgsError):
            raise NoAnswer("auth", "it knows no user names, and one is configured") from None
        if isinstance(error, redis.exceptions.NoPermissionError):
            raise NoAnswer("auth", "its user may not do this") from None
        if isinstance(error, redis.InvalidResponse):
            raise NoAnswer("protocol", "what answers there is no Redis") from None
        if "max number of clients" in words:
            raise NoAnswer("refused", "it has as many clients as it allows") from None
        if "protected mode" in words or "denied" in words:
            raise NoAnswer("refused", "it is in protected mode and takes local clients only") from None
        if "db index" in words or "invalid database" in words:
            raise NoAnswer("refused", "it has no database of that number") from None
        if isinstance(error, redis.ConnectionError) and "closed by server" in words:
            raise NoAnswer("gone", "it closed the connection before it had answered") from None


def _questions(key: str, queue: Queue, now: float) -> list[Command]:
    bound = "-inf"
    if _knows_overdue(queue):
        assert queue.timeout is not None
        assert queue.retry_after is not None
        bound = f"({now - queue.timeout - MARGIN + queue.retry_after:.0f}"
    return [
        ("LLEN", key),
        ("ZCARD", f"{key}:delayed"),
        ("ZCARD", f"{key}:reserved"),
        ("ZCOUNT", f"{key}:delayed", "-inf", f"{now:.0f}"),
        ("ZCOUNT", f"{key}:reserved", "-inf", f"{now:.0f}"),
        ("ZCOUNT", f"{key}:reserved", "-inf", bound),
        ("LINDEX", key, "0"),
        ("ZRANGE", f"{key}:delayed", "0", "0", "WITHSCORES"),
        ("ZRANGE", f"{key}:reserved", "0", "0", "WITHSCORES"),
    ]


def _knows_overdue(queue: Queue) -> bool:
    return queue.timeout is not None and queue.retry_after is not None and math.isfinite(queue.timeout)


def _state(end: Endpoint, queue: Queue, answers: Sequence[Answer], now: float) -> QueueState:
    names = {"app": end.app, "connection": end.connection, "backend": end.name}
    failed = next((one for one in answers if isinstance(one, Exception)), None)
    if failed is not None:
        reason = _why(failed)
        fields = ("size", "ready", "delayed", "due_delayed", "reserved", "oldest_ready_age", "longest_due_age",
                  "oldest_reserved_age", "expired", "overdue")  # fmt: skip
        return seen(QueueState, dict.fromkeys(fields, reason), name=queue.name, **names)
    ready, delayed, reserved, due, expired, overdue = (one if isinstance(one, int) else 0 for one in answers[:6])
    missing: dict[str, str] = {}
    ready_age: float | None = None
    if ready:
        since = _pushed(_payload(answers[6]))
        if since is None:
            missing["oldest_ready_age"] = _NO_AGE
        else:
            ready_age = max(now - since, 0.0)
    _, due_at = _first(answers[7])
    held_payload, free_at = _first(answers[8])
    held_age: float | None = None
    if free_at is not None:
        if queue.retry_after is None:
            missing["oldest_reserved_age"] = "the connection's retry_after is not known"
        else:
            held_age = max(now - (free_at - queue.retry_after), 0.0)
    if not _knows_overdue(queue):
        overdue = 0
        if reserved and not expired and queue.timeout != math.inf:
            missing["overdue"] = "how long its workers let a job run is not known"
    elif overdue and held_age is not None:
        own = _timeout(held_payload)
        if own is not None and held_age <= own + MARGIN:
            overdue = 0  # it set a longer time-out itself, which a worker follows
    return seen(
        QueueState,
        missing,
        name=queue.name,
        **names,
        size=ready + delayed + reserved,
        ready=ready,
        delayed=delayed,
        due_delayed=due,
        reserved=reserved,
        oldest_ready_age=ready_age,
        longest_due_age=now - due_at if due_at is not None and due_at <= now else None,
        oldest_reserved_age=held_age,
        expired=expired,
        overdue=overdue,
    )


def _why(error: Exception) -> str:
    code = type(error).__name__
    reasons = {
        "BusyLoadingError": "Redis is still loading its data",
        "NoPermissionError": "the Redis user may not read it",
        "MovedError": "another node of the Redis cluster has it",
        "MasterDownError": "it is a replica that has lost its master",
        "ClusterDownError": "the Redis cluster is down",
    }
    if str(error).startswith("WRONGTYPE"):
        return "its key holds something else than a queue"
    return reasons.get(code, "Redis did not answer for it")


def _payload(raw: Answer) -> Mapping[str, Any]:
    import msgspec

    if not isinstance(raw, bytes) or len(raw) > PAYLOAD_LIMIT:
        return {}
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _pushed(payload: Mapping[str, Any]) -> float | None:
    """When a job was pushed: Laravel 12.11's createdAt in seconds, or Horizon's pushedAt, a text of seconds."""
    for name in ("createdAt", "pushedAt"):
        value = payload.get(name)
        if isinstance(value, str) and len(value) < 30:
            try:
                value = float(value)
            except ValueError:
                continue
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e11:
            return float(value)
    return None


def _timeout(payload: Mapping[str, Any]) -> float | None:
    value = payload.get("timeout")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if value > 0 else math.inf


def _first(raw: Answer) -> tuple[Mapping[str, Any], float | None]:
    """Payload and score of the first element of a sorted set."""
    if not isinstance(raw, list) or len(raw) != 2:
        return {}, None
    try:
        score = float(raw[1])
    except (TypeError, ValueError):
        return {}, None
    return _payload(raw[0]), score


def _server(end: Endpoint, info: Answer, save: Answer) -> RedisServer:
    names = {"app": end.app, "connection": end.connection}
    told: dict[str, str] = {}
    if isinstance(info, bytes):
        for line in info.decode("utf-8", "replace").splitlines():
            name, colon, value = line.partition(":")
            if colon:
                told[name] = value.strip()
    if "redis_version" not in told:
        reason = "its user may not ask for INFO" if isinstance(info, Exception) else "its INFO does not tell"
        return seen(RedisServer, dict.fromkeys(("flavour", *_FIELDS, "rdb_enabled"), reason), name=end.name, **names)
    values: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for field, (name, convert) in _FIELDS.items():
        try:
            values[field] = convert(told[name])
        except (KeyError, ValueError):
            missing[field] = f"its INFO does not tell {name}"
    values["flavour"] = "redis"
    if told.get("valkey_version"):  # beside the redis_version that it is compatible with
        values |= {"flavour": "valkey", "version": release(told["valkey_version"])}
    if isinstance(save, list) and len(save) == 2 and isinstance(save[1], bytes):
        values["rdb_enabled"] = bool(save[1].strip())
    else:
        missing["rdb_enabled"] = "it does not let itself be asked for CONFIG"
    return seen(RedisServer, missing, name=end.name, **names, **values)


def _yes(text: str) -> bool:
    return text == "1"


def _mebibytes(text: str) -> float:
    return int(text) / _MIB


_FIELDS: dict[str, tuple[str, Any]] = {
    "version": ("redis_version", release),
    "role": ("role", str),
    "used_memory": ("used_memory", _mebibytes),
    "maxmemory": ("maxmemory", _mebibytes),
    "maxmemory_policy": ("maxmemory_policy", str),
    "aof_enabled": ("aof_enabled", _yes),
    "rdb_failing": ("rdb_last_bgsave_status", lambda text: text == "err"),
    "evicted_keys": ("evicted_keys", int),
    "connected_clients": ("connected_clients", int),
    "cluster_enabled": ("cluster_enabled", _yes),
    "loading": ("loading", _yes),
}
"""Field to its name in INFO and how its text is read."""


def _master(end: Endpoint, limits: Limits, clock: Clock) -> tuple[str, int]:
    """Host and port of the master, as the first sentinel that answers has it."""

    def ask(host: str, port: int) -> tuple[str, int]:
        plain = Endpoint(host=host, port=port)
        connection = _connection(plain, host, port, limits, clock, database=False, access=None)
        with clock.closing(connection.disconnect):
            (answer,) = _pipeline(connection, [("SENTINEL", "GET-MASTER-ADDR-BY-NAME", end.service)], clock)
        if not isinstance(answer, list) or len(answer) != 2:
            raise NoAnswer("refused", f"its sentinels know no master called {end.service!r}")
        return answer[0].decode(), int(answer[1])

    return first_answer(end.sentinels, 26379, ask)
