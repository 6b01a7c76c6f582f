"""A small Laravel application: its files over Debian's framework, and its artisan."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.stack.journal import Journal
from tests.stack.polling import until
from tests.stack.rooms import Finished, Here, Room, run

APP = Path(__file__).parent / "app"
"""The application's files."""
OWNED = ("storage", "bootstrap/cache", "database")
"""What its own user writes in."""
ENV = {
    "APP_NAME": "Works",
    "APP_ENV": "production",
    "APP_KEY": "base64:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    "APP_DEBUG": "false",
    "LOG_CHANNEL": "single",
    "DB_CONNECTION": "sqlite",
    "CACHE_DRIVER": "file",
    "QUEUE_CONNECTION": "redis",
}
"""A plain production .env; the database is SQLite's unless another is named."""


class Laravel:
    """One application on disk, and the place its commands run in."""

    def __init__(
        self, folder: Path, room: Room | None = None, inner: str | None = None, user: str | None = None
    ) -> None:
        """The application in `folder`, run in `room`, where its path is `inner`, as `user`."""
        self.folder = folder
        self.room = Here() if room is None else room
        self.inner = str(folder) if inner is None else inner
        self.user = user
        self.journal = Journal(folder / "storage/journal.jsonl")

    @classmethod
    def lay_out(
        cls,
        folder: Path,
        *,
        env: Mapping[str, str] | None = None,
        config: Mapping[str, str | float | bool | None] | None = None,
        owner: str | None = None,
    ) -> Laravel:
        """Write the application into the new `folder`: `env` over the usual .env, `config` as for configure().

        `owner` gets what the application writes in; the tables are made in an SQLite database (for another: migrate()).
        """
        shutil.copytree(APP, folder, ignore=shutil.ignore_patterns(".gitkeep", "__pycache__"))
        app = cls(folder)
        app.write_env({**ENV, **(env or {})})
        for name, value in (config or {}).items():
            app.configure(name, value)
        (folder / "database/database.sqlite").write_bytes(_migrated())
        if owner is not None:
            for name in OWNED:
                for path in (folder / name, *(folder / name).rglob("*")):
                    shutil.chown(path, owner, owner)
        return app

    def write_env(self, values: Mapping[str, str]) -> None:
        """Write the .env anew."""
        (self.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))

    def set_env(self, name: str, value: str) -> None:
        """Change or add one line of the .env."""
        path = self.folder / ".env"
        lines = [line for line in path.read_text().splitlines() if not line.startswith(f"{name}=")]
        path.write_text("\n".join([*lines, f"{name}={value}"]) + "\n")

    def configure(self, name: str, value: str | float | bool | None) -> None:
        """Change one literal of config/*.php by Laravel's dotted name: "queue.connections.redis.retry_after"."""
        file, *keys = name.split(".")
        path = self.folder / "config" / f"{file}.php"
        lines = path.read_text().splitlines(keepends=True)
        at = 0
        for depth, key in enumerate(keys, 1):
            start = " " * 4 * depth + f"'{key}' => "
            at = next((n for n in range(at, len(lines)) if lines[n].startswith(start)), -1)
            if at < 0:
                raise LookupError(f"config/{file}.php has no {name}")
        lines[at] = re.sub(r"=> .*", lambda _: f"=> {_php(value)},", lines[at])
        path.write_text("".join(lines))

    def artisan(
        self, *words: str, user: str | None = None, env: Mapping[str, str] | None = None, seconds: float = 20
    ) -> Finished:
        """Run artisan to its end, in the application's folder."""
        return run(
            self.room,
            ["/usr/bin/php", "artisan", *words],
            cwd=self.inner,
            user=user or self.user,
            env=env,
            seconds=seconds,
        )

    def migrate(self) -> None:
        """Make the tables."""
        self.artisan("migrate", "--force").must()

    def forget(self) -> None:
        """Empty its SQLite database.

        Who was killed while writing has left a journal beside it, by which the next to open the file would undo this.
        """
        path = self.folder / "database/database.sqlite"
        for rest in ("-journal", "-wal", "-shm"):
            path.with_name(path.name + rest).unlink(missing_ok=True)
        path.write_bytes(_migrated())

    def push(
        self,
        label: str = "J",
        *,
        seconds: float = 0,
        connection: str | None = None,
        queue: str | None = None,
        tries: int | None = None,
        job_timeout: int | None = None,
        megabytes: int = 0,
        kilobytes: int = 0,
        count: int = 1,
        breaks: bool = False,
    ) -> Finished:
        """Push jobs that write in the journal; see PushWork.php for each option."""
        options: dict[str, Any] = {
            "seconds": seconds,
            "connection": connection,
            "queue": queue,
            "tries": tries,
            "job-timeout": job_timeout,
            "megabytes": megabytes,
            "kilobytes": kilobytes,
            "count": count,
        }
        words = [f"--{name}={value}" for name, value in options.items() if value is not None]
        return self.artisan("work:push", label, *words, *(["--breaks"] if breaks else []))

    def count(self, connection: str | None = None, queue: str | None = None) -> int:
        """How many jobs a queue holds: ready, delayed and reserved."""
        words = [] if connection is None else [connection]
        words += [] if queue is None else [f"--queue={queue}"]
        return int(self.artisan("work:count", *words).must())

    def failed(self) -> str:
        """What `queue:failed` lists."""
        return self.artisan("queue:failed").output

    @property
    def log(self) -> str:
        """storage/logs/laravel.log, or nothing."""
        path = self.folder / "storage/logs/laravel.log"
        return path.read_text() if path.is_file() else ""

    def await_start(self, label: str = "J", seconds: float = 8) -> None:
        """Wait until the job is begun."""
        until(lambda: self.journal.starts(label), seconds, f"job {label} is begun", self.journal.path)

    def await_end(self, label: str = "J", seconds: float = 10) -> None:
        """Wait until the job has come to its end."""
        until(lambda: self.journal.ends(label), seconds, f"job {label} ends", self.journal.path)

    def await_failure(self, label: str = "J", seconds: float = 10) -> None:
        """Wait until the job is given up."""
        until(lambda: self.journal.failures(label), seconds, f"job {label} is given up", self.journal.path)


def _php(value: str | float | bool | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value  # already PHP: "env('NAME', 90)"
    return str(value)


_database = b""


def _migrated() -> bytes:
    # Making the tables takes 0.2 s: once a run is enough.
    global _database  # noqa: PLW0603
    if not _database:
        with tempfile.TemporaryDirectory(prefix="auditor-app-") as name:
            folder = Path(name) / "app"
            shutil.copytree(APP, folder)
            app = Laravel(folder)
            app.write_env(ENV)
            path = folder / "database/database.sqlite"
            path.touch()
            app.migrate()
            _database = path.read_bytes()
    return _database


def web_user() -> str | None:
    """The user the application's processes run as on a host: www-data, if we may become it."""
    return "www-data" if os.geteuid() == 0 else None
