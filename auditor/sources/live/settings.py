"""From an app's own connection settings to an Access: what Laravel would connect to, URLs taken apart as it does.

The settings are one entry of `database.redis` or `database.connections` as plain values (text, numbers, None). As in
Illuminate/Support/ConfigurationUrlParser, what a URL says wins over what stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from auditor.facts.backend import Endpoint
from auditor.facts.origin import Version
from auditor.sources.live.access import Access, Secret

_DRIVERS = {
    "mssql": "sqlsrv",
    "mysql2": "mysql",
    "postgres": "pgsql",
    "postgresql": "pgsql",
    "sqlite3": "sqlite",
    "redis": "tcp",
    "rediss": "tls",
}
SSL_CA = "PDO::MYSQL_ATTR_SSL_CA"
"""PDO's option for the file of authorities, 1009 as a number; it alone makes a connection encrypted."""
_ACL = (9, 6)
"""The first Laravel that sends a Redis user name through phpredis; before, the password went alone."""
_TAGS_QUEUES = (13, 5)
"""The first Laravel that puts a queue's name in braces on a cluster."""


def redis_access(
    settings: Mapping[str, Any],
    *,
    app: str = "",
    connection: str = "",
    prefix: str = "",
    cluster: bool = False,
    laravel: Version = (),
) -> Access:
    """An entry of `database.redis`; `prefix` is that of every key, as Connection.redis_prefix has it."""
    flat = _with_url(settings)
    host = _text(flat.get("host"))
    scheme = _text(flat.get("scheme")).lower()
    for known in ("tls://", "rediss://", "tcp://", "redis://"):
        if host.lower().startswith(known):
            scheme, host = known.partition(":")[0], host[len(known) :]
    host = _bare(host)
    socket = host.removeprefix("unix://") if host.startswith(("/", "unix://")) else _text(flat.get("path"))
    if scheme == "unix" and not socket:
        socket = host
    tls = scheme in ("tls", "rediss")
    stream = _stream(flat)
    username = _text(flat.get("username"))
    if laravel and laravel < _ACL:
        username = ""
    password = _text(flat.get("password"))
    database = _text(flat.get("database")) or "0"
    port = 0 if socket else _number(flat.get("port"), 6379)
    place = f"unix://{socket}" if socket else f"{'rediss' if tls else 'redis'}://{_bracketed(host)}:{port}"
    end = Endpoint(
        name=f"{place}/{database}" if not socket else f"{place}?database={database}",
        app=app,
        connection=connection,
        kind="redis",
        host="" if socket else host or "127.0.0.1",
        port=port,
        socket=socket,
        database=database,
        username=username,
        has_password=bool(password),
        tls=tls,
        tls_verified=stream.get("verify_peer") is not False,
        tls_authority=_text(stream.get("cafile")),
        prefix=prefix,
        cluster=cluster,
    )
    return Access(end, Secret(password))


def cluster_access(
    nodes: Sequence[Mapping[str, Any]],
    options: Mapping[str, Any],
    *,
    app: str = "",
    connection: str = "",
    prefix: str = "",
    laravel: Version = (),
) -> Access:
    """The nodes of `database.redis.clusters.<name>`, of which there is one at least, and the options that hold for all."""
    parameters = options.get("parameters")
    held = {**options, **(parameters if isinstance(parameters, Mapping) else {})}
    shared = {name: held[name] for name in ("username", "password", "scheme", "context") if name in held}
    given = [{**shared, **{name: value for name, value in node.items() if value is not None}} for node in nodes]
    each = [redis_access(one, app=app, connection=connection, laravel=laravel) for one in given]
    first = each[0]
    addresses = tuple(f"{_bracketed(one.endpoint.host)}:{one.endpoint.port}" for one in each)
    end = msgspec.structs.replace(
        first.endpoint,
        name=f"redis-cluster://{','.join(addresses)}",
        host="",
        port=0,
        database="0",
        prefix=prefix,
        cluster=True,
        nodes=addresses,
        tags_queues=laravel >= _TAGS_QUEUES,
    )
    return Access(end, first.password)


def sentinel_access(
    sentinels: tuple[str, ...],
    service: str,
    settings: Mapping[str, Any],
    *,
    app: str = "",
    connection: str = "",
    prefix: str = "",
) -> Access:
    """Predis's sentinels ("tcp://10.0.0.1:26379" …) and the master's name; `settings` are its `parameters`."""
    master = redis_access({**settings, "host": ""}, app=app, connection=connection, prefix=prefix)
    addresses = tuple(_address(one) for one in sentinels)
    end = msgspec.structs.replace(
        master.endpoint,
        name=f"sentinel://{','.join(addresses)}/{service}/{master.endpoint.database}",
        host="",
        port=0,
        sentinels=addresses,
        service=service,
    )
    return Access(end, master.password)


def database_access(settings: Mapping[str, Any], *, app: str = "", connection: str = "", folder: str = "") -> Access:
    """An entry of `database.connections`; `folder` is the absolute folder that a relative SQLite path starts from."""
    flat = _with_url(settings)
    write = flat.get("write")
    if isinstance(write, Mapping):  # a queue reads from where it writes
        flat = {**flat, **write}
    kind = _text(flat.get("driver"))
    kind = {"mariadb": "mysql"}.get(kind, kind)
    host = flat.get("host")
    host = _bare(_text(host[0] if isinstance(host, list | tuple) and host else host))
    database = _text(flat.get("database"))
    prefix = _text(flat.get("prefix"))
    if kind == "sqlite":
        path = database if database.startswith("/") or not folder else f"{folder}/{database}"
        end = Endpoint(name=f"sqlite://{path}", app=app, connection=connection, kind=kind, path=path,
                   prefix=prefix)  # fmt: skip
        return Access(end)
    socket = _text(flat.get("unix_socket"))
    if kind == "pgsql" and host.startswith("/"):
        socket, host = host, ""
    port = 0 if socket and kind != "pgsql" else _number(flat.get("port"), 5432 if kind == "pgsql" else 3306)
    username, password = _text(flat.get("username")), _text(flat.get("password"))
    who = f"{username}@" if username else ""
    place = f"{who}{socket}" if socket else f"{who}{_bracketed(host)}:{port}"
    mode = _text(flat.get("sslmode"))
    options = flat.get("options")
    options = {str(name): value for name, value in options.items()} if isinstance(options, Mapping) else {}
    authority = _text(flat.get("sslrootcert")) or _text(options.get(SSL_CA) or options.get("1009"))
    verify = options.get("PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT", options.get("1014"))
    end = Endpoint(
        name=f"{kind}://{place}/{database}",
        app=app,
        connection=connection,
        kind=kind,
        host="" if socket else host or "127.0.0.1",
        port=port,
        socket=socket,
        database=database,
        username=username,
        has_password=bool(password),
        tls=bool(authority) or mode in ("require", "verify-ca", "verify-full"),
        tls_verified=mode == "verify-full" if kind == "pgsql" else verify is not False,
        tls_authority=authority,
        prefix=prefix,
    )
    return Access(end, Secret(password))


def _with_url(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with their URL's parts laid over them, as ConfigurationUrlParser::parseConfiguration()."""
    flat = {str(name): value for name, value in settings.items()}
    url = flat.pop("url", None)
    if not isinstance(url, str) or not url:
        return flat
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # Laravel throws: "The database configuration URL is malformed."
        return flat
    scheme = _DRIVERS.get(parts.scheme, parts.scheme)
    if scheme == "unix":
        flat |= {"scheme": "unix", "path": unquote(parts.path)}
    elif scheme in ("tcp", "tls"):
        flat["scheme"] = scheme
    elif scheme:
        flat["driver"] = scheme
    if scheme != "unix" and len(parts.path) > 1:
        # sqlite:////absolute/path is written with four, sqlite:///relative with three.
        flat["database"] = unquote(parts.path)[1:]
    host = parts.netloc.rpartition("@")[2]
    host = host[: host.rindex(":")] if port is not None else host.rstrip(":")
    found = {"host": unquote(host) or None, "port": port}
    found |= {"username": unquote(parts.username) if parts.username else None}
    found |= {"password": unquote(parts.password) if parts.password else None}
    flat |= {name: value for name, value in found.items() if value is not None}
    return {**flat, **dict(parse_qsl(parts.query))}


def _stream(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    context = settings.get("context")
    if isinstance(context, Mapping):
        inner = context.get("stream", context)
        return inner if isinstance(inner, Mapping) else {}
    return {}


def _bare(host: str) -> str:
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host or "127.0.0.1"


def _address(text: str) -> str:
    return text.partition("://")[2].partition("?")[0].rstrip("/") or text


def _text(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return ""
    return str(value) if isinstance(value, str | int | float) else ""


def _number(value: object, default: int) -> int:
    text = _text(value)
    return int(text) if text.isascii() and text.isdecimal() and 0 < int(text) < 65536 else default
