"""A PostgreSQL server of the tests' own."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from tests.stack.mariadb import _as_other, _give
from tests.stack.polling import PATIENCE, StackError, until
from tests.stack.processes import CLEAN, Child, on_free_port

USER, PASSWORD = "works", "works-password"
"""Whom the application logs in as."""
OPTIONS = (
    "-c",
    "fsync=off",
    "-c",
    "shared_buffers=16MB",
    "-c",
    "max_connections=20",
    "-c",
    "listen_addresses=127.0.0.1",
)
"""Small and quick: nothing of it must outlive the machine."""


def programs() -> Path:
    """The newest release's own folder: Debian puts none of it on the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parents[1].name))
    if not found:
        raise StackError("there is no PostgreSQL in /usr/lib/postgresql")
    return found[-1].parent


class Postgres:
    """postgres on a free loopback port, run by an ordinary user, with one database of that user's name."""

    def __init__(self, child: Child, folder: Path, port: int) -> None:
        """See start()."""
        self.child = child
        self.folder = folder
        self.port = port

    @classmethod
    def start(cls, folder: Path) -> Postgres:
        """Make its data below a folder from mariadb.open_folder(), start it, and await its first answer."""
        data = folder / "data"
        words = folder / "password"
        words.write_text(PASSWORD)
        _give(folder)
        made = subprocess.run(
            [*_as_other(), str(programs() / "initdb"), "-D", str(data), "-U", USER, "--auth=scram-sha-256",
             f"--pwfile={words}", "--no-sync", "--locale=C", "--encoding=UTF8"],
            env=CLEAN, cwd="/", capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            raise StackError(f"initdb exited {made.returncode}: {made.stdout}{made.stderr}")
        server = on_free_port(lambda port: cls._start(folder, data, port))
        try:
            server.sql(f"CREATE DATABASE {USER}", "postgres")
        except BaseException:
            server.stop()
            raise
        return server

    @classmethod
    def _start(cls, folder: Path, data: Path, port: int) -> Postgres:
        words = [str(programs() / "postgres"), "-D", str(data), "-p", str(port), "-k", str(folder), *OPTIONS]
        server = cls(Child([*_as_other(), *words], folder / "postgres.log"), folder, port)
        try:
            until(server._answers, 10, "postgres answers", server.child.log)
        except BaseException:
            server.stop()
            raise
        return server

    def _client(self, text: str, database: str) -> subprocess.CompletedProcess[str]:
        words = [str(programs() / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(
            [*words, "-U", USER, database], input=text, capture_output=True, text=True, check=False, timeout=10 * PATIENCE,
            env={**CLEAN, "PGPASSWORD": PASSWORD, "PATH": os.environ["PATH"]},
        )  # fmt: skip

    def _answers(self) -> bool:
        self.child.must_run()
        return self._client("SELECT 1", "postgres").returncode == 0

    def sql(self, text: str, database: str = USER) -> list[list[str]]:
        """The rows of the answer, as text; raises StackError with the server's own words."""
        done = self._client(text, database)
        if done.returncode:
            raise StackError(done.stderr)
        return [line.split("|") for line in done.stdout.splitlines()]

    def stop(self) -> None:
        """End it; nothing of it was kept."""
        self.child.end(how=signal.SIGQUIT)
