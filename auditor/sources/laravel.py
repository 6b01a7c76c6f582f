"""One Laravel application, from its own files: its release, its environment, its queue configuration, what it schedules.

Nothing of it is run. `config/*.php` is evaluated as far as it can be known without running it; what cannot be is marked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from auditor.errors import Unreadable
from auditor.facts.laravel import App, EnvFile
from auditor.facts.origin import Mark, Origin, Version, declared, origin, unknown
from auditor.sources.app_config import Config
from auditor.sources.app_env import Environment, read_environment
from auditor.sources.app_queues import read_dispatches
from auditor.sources.app_schedule import read_schedule
from auditor.sources.connections import read_connections
from auditor.sources.horizon import read_horizon
from auditor.sources.php.values import Unknown
from auditor.sources.tree import Tree

_LOCKED = rb'"name":\s*"laravel/framework",\s*"version":\s*"v?(\d+(?:\.\d+)*)'
_INSTALLED = rb"const\s+VERSION\s*=\s*'(\d+(?:\.\d+)*)"
_REQUIRED = rb'"laravel/framework":\s*"[\^~]?\s*v?(\d+)(?:\.[\d*x]+)*"'
_FRAMEWORK = "vendor/laravel/framework/src/Illuminate/Foundation/Application.php"

OTHER_NAMES: Mapping[str, str] = {
    "QUEUE_CONNECTION": "QUEUE_DRIVER",
    "QUEUE_DRIVER": "QUEUE_CONNECTION",
    "CACHE_STORE": "CACHE_DRIVER",
    "CACHE_DRIVER": "CACHE_STORE",
}
"""A name that Laravel once read, or now reads, in place of another (QUEUE_DRIVER until 5.6, CACHE_DRIVER until 10)."""


def read_app(
    tree: Tree,
    folder: str,
    *,
    kind: str,
    overrides: Mapping[str, bytes] | None = None,
    env_files: tuple[str, ...] = (),
    contained: Mapping[str, str | Unknown] | None = None,
    dispatches: bool = False,
) -> App:
    """The app in a folder of the tree ("" for its root).

    `env_files` are a repository's, where they are not in the app, and `contained` is what its containers set; with
    `dispatches` its code is looked through for the queues it names.
    """
    return _Reader(tree, folder, kind, overrides or {}, env_files, contained or {}).app(dispatches=dispatches)


class _Reader:
    def __init__(
        self,
        tree: Tree,
        folder: str,
        kind: str,
        overrides: Mapping[str, bytes],
        env_files: tuple[str, ...],
        contained: Mapping[str, str | Unknown],
    ) -> None:
        self.tree = tree
        self.folder = folder
        self.base = f"{folder}/" if folder else ""
        self.kind = kind
        self.overrides = overrides
        self.env_files = env_files
        self.contained = contained
        self.marks: dict[str, Mark] = {"name": declared(origin(self.base + "artisan"))}

    def read(self, path: str) -> bytes | None:
        """A file of the app, None where it cannot be had."""
        full = self.base + path
        if full in self.overrides:
            return self.overrides[full]
        try:
            return self.tree.read(full)
        except Unreadable:
            return None

    def why_not(self, path: str) -> str:
        """Why a file of the app that is there could not be had, "" where there is none."""
        return self.tree.unread.get(self.base + path, "")

    def app(self, *, dispatches: bool) -> App:
        laravel = self.laravel()
        known = () if "laravel" in self.marks and self.marks["laravel"].reason is not None else laravel
        env = read_environment(self.tree, self.base, self.kind, self.read, self.env_files, self.contained)
        config = Config(
            self.read, self.base, env, known or None, cached_allowed=self.kind == "host", why_not=self.why_not
        )
        values: dict[str, Any] = {}
        self.environment(env, config, values)
        self.queue(config, values, known)
        self.cache(config, values)
        self.lock_store(env, config, values)
        self.retired(env, config, values)
        if config.cached is not None:
            values["config_cached"] = True
            self.marks["config_cached"] = declared(origin(self.base + config.CACHE))
            self.staleness(config, values)
        connections = read_connections(config, self.folder or ".", self.marks)
        horizon = read_horizon(
            config, self.read, self.folder or ".", values.get("environment", "production"), self.marks
        )
        schedule = read_schedule(self.read, self.base, self.marks)
        product, version = self.product()
        if product == "invoiceninja":
            from auditor.sources.invoiceninja import read_ninja

            default = None if self.is_unknown("default_connection") else values.get("default_connection", "")
            values["ninja"] = read_ninja(self.tree, self.base, self.read, env, config, version, default)
        if dispatches:
            values["dispatches"] = read_dispatches(self.tree, self.folder, lambda key: _known(config, key))
        return App(
            marks=self.marks,
            name=self.folder or ".",
            product=product,
            package=self.package(),
            product_version=version,
            laravel=laravel,
            connections=connections,
            **values,
            **horizon,
            **schedule,
        )

    def laravel(self) -> Version:
        """From composer.lock, else from the framework itself, else the major release that composer.json asks for."""
        for path, pattern in (("composer.lock", _LOCKED), (_FRAMEWORK, _INSTALLED)):
            data = self.read(path)
            found = re.search(pattern, data) if data else None
            if data and found:
                self.marks["laravel"] = declared(self.place(path, data, found.start(1)))
                return _version(found[1])
        data = self.read("composer.json")
        found = re.search(_REQUIRED, data) if data else None
        self.marks["laravel"] = unknown("which release of Laravel it uses is not told: there is no composer.lock here")
        return _version(found[1]) if found else ()

    def place(self, path: str, data: bytes, offset: int) -> Origin:
        start = data.rfind(b"\n", 0, offset) + 1
        end = data.find(b"\n", offset)
        line = data[start : end if end >= 0 else None]
        return origin(self.base + path, data.count(b"\n", 0, offset) + 1, line[:300].decode("utf-8", "replace").strip())

    def environment(self, env: Environment, config: Config, values: dict[str, Any]) -> None:
        values["env_file"] = env.path
        if env.path is not None:
            marks: dict[str, Mark] = {"name": declared(origin(env.path))}
            refusal = None
            if env.file is not None and env.file.refusal is not None:
                refusal = env.file.refusal.sentence
                marks["refusal"] = declared(env.place(env.file.refusal.line))
            swallowed = 0
            if env.file is not None and env.file.swallowed is not None:
                swallowed = env.file.swallowed[1] - env.file.swallowed[0] + 1
                marks["swallowed"] = declared(env.place(env.file.swallowed[0]))
            names = tuple(entry.name for entry in env.file.entries) if env.file is not None else ()
            values["env"] = EnvFile(
                marks=marks, name=env.path, example=env.example, refusal=refusal, swallowed=swallowed, names=names
            )
            fault = marks.get("refusal", marks.get("swallowed"))
            self.marks["env"] = fault if fault is not None else marks["name"]
            self.marks["env_file"] = marks["name"]
        app_env = config.get("app", "env")
        if app_env.known and isinstance(app_env.value, str) and app_env.value:
            values["environment"] = app_env.value
            self.marks["environment"] = app_env.mark
        elif not app_env.known:
            self.marks["environment"] = app_env.mark

    def queue(self, config: Config, values: dict[str, Any], laravel: Version) -> None:
        values["configured"] = config.has("queue")
        if not values["configured"]:
            reason = "its config/queue.php is not here"
            for field in ("default_connection", "connections", "failed_driver", "queue_env_name"):
                self.marks[field] = unknown(reason)
            return
        default = config.get("queue", "default")
        if default.known:
            values["default_connection"] = default.value if isinstance(default.value, str) else "null"
            if default.mark.origin is not None:
                self.marks["default_connection"] = default.mark
        else:
            self.marks["default_connection"] = default.mark
        values["queue_env_name"] = default.env_name
        failed = config.get("queue", "failed", "driver")
        if not failed.known:
            self.marks["failed_driver"] = failed.mark
        elif failed.written:
            values["failed_driver"] = failed.value if isinstance(failed.value, str) else "null"
            self.marks["failed_driver"] = failed.mark
        else:
            values["failed_driver"] = "database-uuids" if not laravel or laravel >= (8,) else "database"

    def cache(self, config: Config, values: dict[str, Any]) -> None:
        if not config.has("cache"):
            self.marks["cache_driver"] = unknown("its config/cache.php is not here")
            return
        store = config.get("cache", "default")
        values["cache_env_name"] = store.env_name
        if not store.known or not isinstance(store.value, str):
            self.marks["cache_driver"] = (
                store.mark if not store.known else unknown("its default cache store is no text")
            )
            return
        driver = config.get("cache", "stores", store.value, "driver")
        if not driver.known:
            self.marks["cache_driver"] = driver.mark
            return
        values["cache_driver"] = driver.value if isinstance(driver.value, str) else store.value
        self.marks["cache_driver"] = store.mark

    def lock_store(self, env: Environment, config: Config, values: dict[str, Any]) -> None:
        """The store of the scheduler's locks: cache.schedule_store, else SCHEDULE_CACHE_STORE or _DRIVER, else the default's."""
        store = config.get("cache", "schedule_store")
        if not store.known:
            self.marks["schedule_cache_driver"] = store.mark
            return
        name = store.value
        for variable in ("SCHEDULE_CACHE_STORE", "SCHEDULE_CACHE_DRIVER"):
            if name is None and env.sets(variable):
                name = env.lookup(variable)
        if isinstance(name, str) and name:
            driver = config.get("cache", "stores", name, "driver")
            values["schedule_cache_driver"] = driver.value if isinstance(driver.value, str) else name
            if not driver.known:
                self.marks["schedule_cache_driver"] = driver.mark
        elif name is not None:
            self.marks["schedule_cache_driver"] = unknown("the store of the scheduler's locks is not known")

    def retired(self, env: Environment, config: Config, values: dict[str, Any]) -> None:
        """Names that .env sets and this configuration no longer reads, though it reads their other name, which is unset.

        Where the value is what applies without it, nothing is lost.
        """
        found = []
        for read, file in ((values.get("queue_env_name", ""), "queue"), (values.get("cache_env_name", ""), "cache")):
            other = OTHER_NAMES.get(read, "")
            if other and not env.example and env.sets(other) and not env.sets(read):
                applies = config.get(file, "default")
                if applies.known and applies.value == env.lookup(other):
                    continue
                found.append(other)
                self.marks["retired_env_names"] = declared(env.place_of(other))
        if found:
            values["retired_env_names"] = tuple(found)

    def staleness(self, config: Config, values: dict[str, Any]) -> None:
        newer = config.newer_files(self.tree, [name for name in (values.get("env_file"),) if name])
        if newer:
            values["config_cache_age"] = ", ".join(newer)
            self.marks["config_cache_age"] = declared(origin(newer[0]))
        differing = config.disagreements()
        if differing:
            values["config_cache_disagrees"] = tuple(name for name, _ in differing)
            self.marks["config_cache_disagrees"] = declared(differing[0][1])

    def is_unknown(self, field: str) -> bool:
        """Whether that field could not be known."""
        return field in self.marks and self.marks[field].reason is not None

    def package(self) -> str:
        """The name of composer.json's own top level, "" where that is no JSON."""
        try:
            data = msgspec.json.decode(self.read("composer.json") or b"{}")
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return ""
        name = data.get("name") if isinstance(data, dict) else None
        return name if isinstance(name, str) else ""

    def product(self) -> tuple[str, Version]:
        data = self.read("composer.json") or b""
        if b'"invoiceninja/invoiceninja"' in data or self.read("config/ninja.php") is not None:
            self.marks["product"] = declared(origin(self.base + "composer.json"))
            version = _version((self.read("VERSION.txt") or b"").strip())
            return "invoiceninja", version
        return "laravel", ()


def _known(config: Config, key: str) -> object:
    """A value of the configuration by its dotted name, None where it cannot be told."""
    parts = key.split(".")
    if len(parts) < 2:
        return None
    found = config.get(*parts)
    return found.value if found.known else None


def _version(text: bytes) -> Version:
    found = re.match(rb"v?(\d+(?:\.\d+)*)", text)
    return tuple(int(part) for part in found[1].split(b".")) if found else ()
