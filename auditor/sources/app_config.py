"""An app's configuration values: from its cached config where there is one, else from config/*.php and the framework's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from auditor.facts.origin import Mark, Origin, Version, declared, origin, unknown
from auditor.sources.app_env import Environment
from auditor.sources.framework_config import base_config
from auditor.sources.php.context import Context
from auditor.sources.php.evaluator import evaluate
from auditor.sources.php.values import Entry, PhpArray, Unknown, Value
from auditor.sources.tree import Tree

_CLOCK_SLACK = 120.0
"""Seconds: files that one deployment or checkout writes are no older or newer than each other for our purpose."""


class Found(NamedTuple):
    """One configuration value."""

    value: object
    """The PHP value, None where it is null or absent."""
    known: bool
    """Whether it can be known."""
    written: bool
    """Whether the key is there at all."""
    mark: Mark
    """How it is known."""
    env_name: str
    """The environment name that its expression asks for first, "" for none."""


class Config:
    """Every configuration file of one app, read when it is first asked for."""

    CACHE = "bootstrap/cache/config.php"

    def __init__(
        self,
        read: Callable[[str], bytes | None],
        base: str,
        env: Environment,
        laravel: Version | None,
        *,
        cached_allowed: bool,
        why_not: Callable[[str], str] = lambda _: "",
    ) -> None:
        """`read` gives a file of the app, None where it cannot, and `why_not` then tells why, "" where there is none.

        A repository's cached config, if any, is nobody's.
        """
        self._read = read
        self._why_not = why_not
        self._base = base
        self._env = env
        self._laravel = laravel
        self._files: dict[str, Value | None] = {}
        self._bases: dict[str, Value] = {}
        self._lines: dict[str, list[str]] = {}
        self.cached: PhpArray | None = None
        data = read(self.CACHE) if cached_allowed else None
        if data is not None:
            value = self._evaluate(self.CACHE, data)
            self.cached = value if isinstance(value, PhpArray) else PhpArray()
            self._unknown_cache = value.reason if isinstance(value, Unknown) else ""
        elif cached_allowed and (reason := why_not(self.CACHE)):
            self.cached = PhpArray()
            self._unknown_cache = reason

    def _evaluate(self, path: str, data: bytes) -> Value:
        self._lines[path] = data.decode("utf-8", "replace").splitlines()
        folder = self._base.rstrip("/")
        context = Context(
            env=self._env.lookup,
            base=f"/{folder}" if folder else None,
            file=f"/{self._base}{path}",
            laravel=self._laravel,
        )
        return evaluate(data, context)

    def fresh(self, name: str) -> Value | None:
        """config/<name>.php as it is now, whatever is cached; None where there is none."""
        if name not in self._files:
            data = self._read(f"config/{name}.php")
            if data is not None:
                self._files[name] = self._evaluate(f"config/{name}.php", data)
            else:
                reason = self._why_not(f"config/{name}.php")
                self._files[name] = Unknown(f"it cannot be read: {reason}", 0) if reason else None
        return self._files[name]

    def has(self, name: str) -> bool:
        """Whether this part of the configuration is there: cached, in its file, or built into the framework."""
        if self.cached is not None:
            return self.cached.get(name) is not None
        return self.fresh(name) is not None or base_config(name, self._laravel) is not None

    def get(self, name: str, *path: int | str) -> Found:
        """The value at config(<name>.<path>) as the running app sees it."""
        if self.cached is not None:
            if self._unknown_cache:
                return _unknown(f"{self.CACHE} cannot be read: {self._unknown_cache}", origin(self._base + self.CACHE))
            return self._found(self.cached.get(name, *path), self.CACHE)
        return self.get_fresh(name, *path)

    def get_fresh(self, name: str, *path: int | str) -> Found:
        """The value as config/ and .env give it now."""
        source = f"config/{name}.php"
        own = self.fresh(name)
        if isinstance(own, Unknown):
            return _unknown(f"{source}: {own.reason}", self.place(source, own.line))
        entry = own.get(*path) if isinstance(own, PhpArray) else None
        if entry is None:
            built_in = self._built_in(name, path, own)
            if built_in is not None:
                return self._found(built_in, "")
        return self._found(entry, source)

    def _built_in(self, name: str, path: tuple[int | str, ...], own: Value | None) -> Entry | None:
        """Laravel 11 and later merge their own configuration under the app's: by file, and by name of a connection or store."""
        text = base_config(name, self._laravel)
        if text is None:
            return None
        if isinstance(own, PhpArray) and len(path) > 1:
            whole = own.get(*path[:2])
            if whole is not None or (own.get(path[0]) is not None and path[0] not in ("connections", "stores")):
                return None  # an entry of the app's own replaces the framework's whole
        base = self._base_value(name, text)
        return base.get(*path) if isinstance(base, PhpArray) else None

    def _base_value(self, name: str, text: bytes) -> Value:
        """What the framework's own file returns for this app, worked out once."""
        if name not in self._bases:
            self._bases[name] = self._evaluate("", text)
        return self._bases[name]

    def _found(self, entry: Entry | None, source: str) -> Found:
        if entry is None:
            return Found(None, True, False, Mark("default"), "")  # type: ignore[arg-type]
        place = self.place(source, entry.line) if source else None
        name = entry.env_name or ""
        if isinstance(entry.value, Unknown):
            return _unknown(entry.value.reason, place, written=True, env_name=name)
        known_place = place
        if name and not entry.env_default and (set_at := self._env.place_of(name)) is not None and self.cached is None:
            known_place = set_at
        return Found(entry.value, True, True, declared(known_place), name)

    def keys(self, name: str, *path: int | str) -> tuple[str, ...] | None:
        """The keys of an array, the framework's own included; None where they cannot be known."""
        arrays = []
        if self.cached is not None:
            arrays.append(self.cached.get(name, *path))
        else:
            own = self.fresh(name)
            if isinstance(own, Unknown):
                return None
            arrays.append(own.get(*path) if isinstance(own, PhpArray) else None)
            text = base_config(name, self._laravel)
            if text is not None and path and path[0] in ("connections", "stores"):
                base = self._base_value(name, text)
                arrays.append(base.get(*path) if isinstance(base, PhpArray) else None)
        found: dict[str, None] = {}
        for entry in arrays:
            if entry is None:
                continue
            if not isinstance(entry.value, PhpArray) or not entry.value.is_certain:
                return None
            names = entry.value.keys()
            found.update(dict.fromkeys(map(str, names)))
        return tuple(found)

    def place(self, source: str, line: int) -> Origin:
        """A line of one of its files."""
        lines = self._lines.get(source, [])
        text = lines[line - 1].strip() if 0 < line <= len(lines) else ""
        return origin(self._base + source, line or None, text)

    def newer_files(self, tree: Tree, others: list[str]) -> list[str]:
        """Files changed after the cache was written, by more than a deployment takes."""
        cache = tree.stat(self._base + self.CACHE)
        if cache is None:
            return []
        folder = self._base + "config"
        paths = [*others, *(tree.glob(f"{folder}/*.php") if tree.is_dir(folder) else [])]
        return [
            path
            for path in paths
            if (found := tree.stat(path)) is not None and found.st_mtime > cache.st_mtime + _CLOCK_SLACK
        ]

    def disagreements(self) -> list[tuple[str, Origin]]:
        """Settings of the queue that the cache froze with another value than config/ and .env give now."""
        found = []
        for name, path in self._settings():
            frozen, fresh = self.get(name, *path), self.get_fresh(name, *path)
            if (
                frozen.known
                and fresh.known
                and _plain(frozen.value)
                and _plain(fresh.value)
                and frozen.value != fresh.value
            ):
                place = fresh.mark.origin or frozen.mark.origin
                if place is not None:
                    found.append((".".join(map(str, (name, *path))), place))
        return found

    def _settings(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        yield "queue", ("default",)
        yield "cache", ("default",)
        yield "database", ("default",)
        yield "app", ("env",)
        for connection in self.keys("queue", "connections") or ():
            for key in ("driver", "queue", "retry_after", "connection", "block_for"):
                yield "queue", ("connections", connection, key)


def _plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _unknown(reason: str, place: Origin | None, *, written: bool = True, env_name: str = "") -> Found:
    return Found(None, False, written, unknown(reason, place), env_name)
