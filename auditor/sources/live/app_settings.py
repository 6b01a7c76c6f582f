"""An app's own connection settings, passwords and all: read anew for the looks alone, and in no fact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from auditor.errors import Unreadable
from auditor.facts.laravel import App
from auditor.facts.queue import Connection
from auditor.sources.app_config import Config, Found
from auditor.sources.app_env import read_environment
from auditor.sources.live.access import Access
from auditor.sources.live.looking import NoAnswer
from auditor.sources.live.settings import SSL_CA, cluster_access, database_access, redis_access, sentinel_access
from auditor.sources.php.values import PhpArray, Unknown
from auditor.sources.tree import Tree

_NEEDED = ("url", "driver", "scheme", "host", "port", "path", "unix_socket", "database", "username", "password")
"""Settings without which nothing can be connected to: where one of them is not known, nothing is asked."""


class AppSettings:
    """The configuration of one app of a host, for whoever connects to what it names."""

    def __init__(self, tree: Tree, app: App) -> None:
        """Read it from the app's folder, as the app's facts were."""
        self.tree = tree
        self.app = app
        self.folder = "" if app.name == "." else app.name
        base = f"{self.folder}/" if self.folder else ""

        def read(path: str) -> bytes | None:
            try:
                return tree.read(base + path)
            except Unreadable:
                return None

        self.env = env = read_environment(tree, base, "host", read, ())
        laravel = None if app.is_unknown("laravel") else app.laravel or None
        self.config = Config(
            read, base, env, laravel, cached_allowed=True, why_not=lambda path: tree.unread.get(base + path, "")
        )

    def text(self, name: str, *path: str, default: str = "") -> str:
        """One setting that is a text; raises NoAnswer where it is not known."""
        found = self.config.get(name, *path)
        if not found.known:
            raise NoAnswer("unsupported", f"its {path[-1]} is not known: {found.mark.reason}")
        return found.value if isinstance(found.value, str) else default

    def redis(self, connection: Connection) -> Access:
        """The Redis of a queue connection; raises NoAnswer where it is not known which that is."""
        for field in ("redis", "redis_prefix"):
            if connection.is_unknown(field):
                raise NoAnswer("unsupported", connection.mark(field).reason or f"its {field} is not known")
        named: dict[str, Any] = {"app": self.app.name, "connection": connection.name, "prefix": connection.redis_prefix}
        laravel = () if self.app.is_unknown("laravel") else self.app.laravel
        if connection.redis_cluster:
            return self.cluster(connection.redis, {**named, "laravel": laravel})
        settings = self.entry("redis", connection.redis)
        nodes = tuple(str(value) for key, value in settings.items() if key.isdecimal() and isinstance(value, str))
        if nodes:
            options = settings.get("options")
            options = options if isinstance(options, Mapping) else {}
            if options.get("replication") != "sentinel":
                return redis_access({}, cluster=True, **named)
            if any(_guarded(node) for node in nodes):
                raise NoAnswer("unsupported", "its sentinels want a login or encryption of their own")
            parameters = options.get("parameters")
            return sentinel_access(
                nodes, str(options.get("service") or "mymaster"), parameters if isinstance(parameters, Mapping) else {},
                **named,
            )  # fmt: skip
        access = self.inside(redis_access(settings, laravel=laravel, **named), "tls_authority")
        return self.inside(access, "socket")

    def cluster(self, name: str, named: Mapping[str, Any]) -> Access:
        """The nodes of an entry of `database.redis.clusters`; raises NoAnswer."""
        whole = self.config.get("database", "redis", "clusters", name)
        _plain(whole)
        entries = whole.value if isinstance(whole.value, PhpArray) else ()
        nodes = [
            _plain(self.config.get("database", "redis", "clusters", name, entry.key))
            for entry in entries
            if isinstance(entry.key, int | str) and entry.key != "options" and isinstance(entry.value, PhpArray)
        ]
        if not nodes:
            return redis_access({}, cluster=True, **named)
        options: dict[str, Any] = {}
        for where in (("options",), ("clusters", "options"), ("clusters", name, "options")):
            options |= _plain(self.config.get("database", "redis", *where))
        prefix = options.get("prefix")
        named = {**named, **({"prefix": prefix} if isinstance(prefix, str) else {})}
        return self.inside(cluster_access(nodes, options, **named), "tls_authority")

    def database(self, name: str, connection: str = "") -> Access:
        """The database of an entry of `database.connections`, "" for the default one; raises NoAnswer."""
        name = name or self.text("database", "default")
        settings = self.entry("connections", name)
        if not settings:
            raise NoAnswer("unsupported", f"config/database.php has no connection “{name}”")
        authority = self.env.lookup("MYSQL_ATTR_SSL_CA")
        if "options" not in settings and isinstance(authority, str) and authority:
            # Laravel's own config asks whether PHP has pdo_mysql before it reads this name: it is what can be known.
            settings["options"] = {SSL_CA: authority}
        folder = f"/{self.folder}".rstrip("/")
        access = database_access(settings, app=self.app.name, connection=connection, folder=folder)
        access = self.inside(access, "tls_authority")
        return self.inside(access, "path" if access.endpoint.kind == "sqlite" else "socket")

    def entry(self, group: str, name: str) -> dict[str, Any]:
        """One entry of `database.redis` or `database.connections` as plain values; raises NoAnswer."""
        if not self.config.has("database"):
            raise NoAnswer("unsupported", "its config/database.php is not here")
        return _plain(self.config.get("database", group, name))

    def inside(self, access: Access, field: str) -> Access:
        """The access with a path of the app's file system as this machine has it."""
        path = getattr(access.endpoint, field)
        if not path:
            return access
        inside = self.tree.relative(path)
        try:
            path = self.tree.host_path(inside)
        except (OSError, Unreadable):
            path = f"{self.tree.root.rstrip('/')}/{inside}"
        return Access(msgspec.structs.replace(access.endpoint, **{field: path}), access.password)


def _guarded(sentinel: str) -> bool:
    """Whether a sentinel's address is more than one: a password in it, or a scheme that encrypts."""
    return sentinel.startswith(("tls:", "rediss:")) or "@" in sentinel or "password=" in sentinel


def _plain(found: Found) -> dict[str, Any]:
    if not found.known:
        raise NoAnswer("unsupported", found.mark.reason or "its settings are not known")
    if not isinstance(found.value, PhpArray):
        return {}
    if not found.value.is_certain:
        raise NoAnswer("unsupported", "its settings cannot be known without running the app")
    settings: dict[str, Any] = {}
    for entry in found.value:
        key = str(entry.key)
        if isinstance(entry.value, Unknown):
            if key in _NEEDED:
                raise NoAnswer("unsupported", f"its {key} is not known: {entry.value.reason}")
            continue  # the connection's own finer settings, such as PDO's, are then not used
        settings[key] = _value(entry.value)
    return settings


def _value(value: object) -> Any:
    if isinstance(value, PhpArray):
        return {str(e.key): _value(e.value) for e in value if not isinstance(e.value, Unknown)}
    return value
