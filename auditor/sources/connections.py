"""`queue.connections` as facts, each joined with the Redis or database entry it uses."""

from __future__ import annotations

from typing import Any

from auditor.facts.origin import Mark, Version, declared, unknown
from auditor.facts.queue import Connection
from auditor.sources.app_config import Config, Found

DEFAULT_RETRY_AFTER = 60.0
"""Seconds where retry_after is missing or null (Queue/Connectors/RedisConnector, DatabaseConnector)."""
_HAS_RETRY_AFTER = ("redis", "database", "beanstalkd")
_SERIALIZERS = ("serializer", "compression")


def read_connections(config: Config, app: str, marks: dict[str, Mark]) -> tuple[Connection, ...]:
    """Every connection; where not even their names can be known, that is marked."""
    names = config.keys("queue", "connections")
    if names is None:
        marks["connections"] = unknown("the connections in config/queue.php cannot be known without running it")
        return ()
    return tuple(_Reader(config, name, app).connection() for name in names)


class _Reader:
    def __init__(self, config: Config, name: str, app: str) -> None:
        self.config = config
        self.name = name
        self.app = app
        self.marks: dict[str, Mark] = {}
        self.values: dict[str, Any] = {}

    def get(self, key: str) -> Found:
        return self.config.get("queue", "connections", self.name, key)

    def take(self, key: str, field: str, *, allow: type | tuple[type, ...] = str) -> Found:
        """One key into one field, with its mark."""
        found = self.get(key)
        if not found.known:
            self.marks[field] = found.mark
        elif found.written and isinstance(found.value, allow):
            self.values[field] = found.value
            if found.mark.origin is not None:
                self.marks[field] = found.mark
        return found

    def connection(self) -> Connection:
        whole = self.config.get("queue", "connections", self.name)
        if whole.mark.origin is not None:
            self.marks["name"] = declared(whole.mark.origin)
        driver = self.take("driver", "driver")
        name = driver.value if isinstance(driver.value, str) else ""
        default = self.config.get("queue", "default")
        self.take("queue", "queue")
        self.take("after_commit", "after_commit", allow=bool)
        if not driver.known:
            for field in ("retry_after", "retry_after_written", "block_for"):
                self.marks[field] = unknown(driver.mark.reason or "its driver is not known")
        if name in _HAS_RETRY_AFTER:
            self.retry_after()
        if name == "redis":
            self.redis()
        elif name == "database":
            self.database()
        if default.known:
            self.values["is_default"] = default.value == self.name
        else:
            self.marks["is_default"] = default.mark
        return Connection(marks=self.marks, name=self.name, app=self.app, **self.values)

    def retry_after(self) -> None:
        found = self.get("retry_after")
        if not found.known:
            self.marks["retry_after"] = self.marks["retry_after_written"] = found.mark
            return
        number = seconds_of(found.value)
        if number is None and found.value is not None:
            reason = f"its retry_after is {type(found.value).__name__}, which is not a number of seconds"
            self.marks["retry_after"] = unknown(reason, found.mark.origin)
            return
        self.values["retry_after"] = DEFAULT_RETRY_AFTER if number is None else number
        self.values["retry_after_written"] = number is not None
        if found.mark.origin is not None:
            self.marks["retry_after"] = found.mark

    def redis(self) -> None:
        block = self.get("block_for")
        if not block.known:
            self.marks["block_for"] = block.mark
        elif block.value is not None:
            number = seconds_of(block.value)
            self.values["block_for"] = number
            self.values["block_for_is_text"] = isinstance(block.value, str)
            if block.mark.origin is not None:
                self.marks["block_for"] = block.mark
        entry = self.take("connection", "redis")
        name = entry.value if isinstance(entry.value, str) else "default"
        if not entry.known:
            return
        self.values["redis"] = name
        if not self.config.has("database"):
            for field in ("redis_prefix", "redis_serializer", "redis_cluster", "read_timeout"):
                self.marks[field] = unknown("its config/database.php is not here")
            return
        self.redis_entry(name)

    def redis_entry(self, name: str) -> None:
        own = self.config.get("database", "redis", name)
        cluster = self.config.get("database", "redis", "clusters", name)
        self.values["redis_cluster"] = not own.written and cluster.written
        prefix = self.config.get("database", "redis", "options", "prefix")
        if not prefix.known:
            self.marks["redis_prefix"] = prefix.mark
        elif isinstance(prefix.value, str):
            self.values["redis_prefix"] = prefix.value
        timeout = self.config.get("database", "redis", name, "read_timeout")
        if timeout.known and timeout.value is not None:
            self.values["read_timeout"] = seconds_of(timeout.value)
        for where in (("options",), (name, "options"), (name,)):
            for key in _SERIALIZERS:
                found = self.config.get("database", "redis", *where, key)
                if found.written and (not found.known or found.value not in (None, 0, "none", "")):
                    if found.known:
                        self.values["redis_serializer"] = f"{key} {found.value}"
                        self.marks["redis_serializer"] = found.mark
                    else:  # a constant of the redis extension, whose names tell what it is
                        self.marks.setdefault("redis_serializer", found.mark)
        self.redis_address(name)

    def redis_address(self, name: str) -> None:
        """Host or socket, port and database number; unknown where a url decides them."""
        url, host, port, number = (
            self.config.get("database", "redis", name, key) for key in ("url", "host", "port", "database")
        )
        for found in (url, host, port, number):
            if not found.known:
                self.marks["redis_address"] = found.mark
                return
        if url.value:
            self.marks["redis_address"] = unknown("a url names its Redis", url.mark.origin)
        elif isinstance(host.value, str) and host.value:
            self.values["redis_address"] = f"{host.value}:{port.value or 6379}/{number.value or 0}"

    def database(self) -> None:
        self.take("table", "table")
        entry = self.get("connection")
        used = entry.value if isinstance(entry.value, str) else None
        if not entry.known:
            self.marks["database"] = self.marks["database_driver"] = entry.mark
            return
        if used is None:
            default = self.config.get("database", "default")
            if not default.known or not self.config.has("database"):
                mark = default.mark if not default.known else unknown("its config/database.php is not here")
                self.marks["database"] = self.marks["database_driver"] = mark
                return
            used = default.value if isinstance(default.value, str) else ""
        self.values["database"] = used
        driver = self.config.get("database", "connections", used, "driver")
        if not driver.known:
            self.marks["database_driver"] = driver.mark
        elif isinstance(driver.value, str):
            self.values["database_driver"] = driver.value
            if driver.mark.origin is not None:
                self.marks["database_driver"] = driver.mark
        else:
            self.marks["database_driver"] = unknown(f"config/database.php has no connection “{used}”")
        version = self.config.get("database", "connections", used, "version")
        if not version.known:
            self.marks["database_version"] = version.mark
        elif isinstance(version.value, str) and version.value[:1].isdecimal():
            # Laravel believes this key before it asks the server
            self.values["database_version"] = as_version(version.value)
            self.marks["database_version"] = version.mark


def as_version(text: str) -> Version:
    """The text "10.6.12-MariaDB" as (10, 6, 12)."""
    numbers: list[int] = []
    for part in text.split("-", maxsplit=1)[0].split("."):
        if not part.isdecimal() or len(part) > 9:
            break
        numbers.append(int(part))
    return tuple(numbers)


def seconds_of(value: object) -> float | None:
    """A number of seconds as PHP would take it where an integer is asked for; None where it is none."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str) and value.strip().isdecimal():
        return float(value)
    return None
