"""A MariaDB server of the tests' own."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.stack.polling import PATIENCE, StackError, until
from tests.stack.processes import CLEAN, Child, on_free_port

OPTIONS = (
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--skip-log-bin",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-buffer-pool-size=16M",
    "--innodb-log-file-size=8M",
    "--performance-schema=off",
)
"""Small and quick: nothing of it must outlive the machine."""
SOCKET = "mariadb.sock"
"""In its data folder, from which server and client take it: a socket's address holds no long path."""
USER, PASSWORD = "works", "works-password"
"""Whom the application logs in as."""


def _as_other() -> list[str]:
    # mariadbd refuses to run as root.
    if os.geteuid() != 0:
        return []
    switch = ["--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]
    return ["/usr/bin/setpriv", *switch, "--pdeathsig", "KILL", "--"]


@contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder that the server's user may enter (pytest's own is closed to it), removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="auditor-mariadb-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def template(cache: Path) -> Path:
    """An empty data folder in `cache`, made once however many ask at the same time."""
    made = cache / "mariadb-template"
    with (cache / "mariadb-template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.is_dir():
            with open_folder() as folder:
                data = folder / "data"
                data.mkdir()
                _give(folder)
                words = ["/usr/bin/mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal"]
                done = subprocess.run(
                    [*_as_other(), *words, "--skip-test-db", f"--datadir={data}"],
                    env={**CLEAN, "TMPDIR": str(folder)},
                    cwd="/",
                    capture_output=True,
                    text=True,
                    check=False,
                )
                if done.returncode:
                    raise StackError(f"mariadb-install-db exited {done.returncode}: {done.stdout}{done.stderr}")
                shutil.copytree(data, cache / "mariadb-template.new")
            (cache / "mariadb-template.new").rename(made)
    return made


def _give(data: Path) -> None:
    if os.geteuid() == 0:
        for path in (data, *data.rglob("*")):
            shutil.chown(path, "nobody", "nogroup")


class MariaDB:
    """mariadbd on a free loopback port, run by an ordinary user."""

    def __init__(self, child: Child, folder: Path, port: int) -> None:
        """See start()."""
        self.child = child
        self.folder = folder
        self.port = port

    @classmethod
    def start(cls, folder: Path, empty: Path, *options: str) -> MariaDB:
        """Start it on a copy of the template `empty`, in a folder from open_folder(), and await its first answer."""
        data = folder / "data"
        shutil.copytree(empty, data)
        _give(data)
        _give(folder)
        return on_free_port(lambda port: cls._start(folder, data, port, *options))

    @classmethod
    def _start(cls, folder: Path, data: Path, port: int, *options: str) -> MariaDB:
        words = ["/usr/sbin/mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={SOCKET}"]
        words += [f"--port={port}", f"--pid-file={folder}/mariadb.pid", f"--tmpdir={folder}", *OPTIONS, *options]
        server = cls(Child([*_as_other(), *words], folder / "mariadb.log"), folder, port)
        try:
            until(server._answers, 10, "mariadbd answers", server.child.log)
            server.sql(f"CREATE USER '{USER}'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'")
        except BaseException:
            server.stop()
            raise
        return server

    def _client(self, text: str, database: str) -> subprocess.CompletedProcess[str]:
        words = ["/usr/bin/mariadb", "--no-defaults", "-uroot", f"--socket={SOCKET}", "-BN", database]
        return subprocess.run(
            words,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=10 * PATIENCE,
            cwd=self.folder / "data",
        )

    def _answers(self) -> bool:
        self.child.must_run()
        return (self.folder / "data" / SOCKET).exists() and self._client("SELECT 1", "mysql").returncode == 0

    def sql(self, text: str, database: str = "mysql") -> list[list[str]]:
        """The rows of the answer, as text; raises StackError with the server's own words."""
        done = self._client(text, database)
        if done.returncode:
            raise StackError(done.stderr)
        return [line.split("\t") for line in done.stdout.splitlines()]

    @contextmanager
    def database(self) -> Iterator[Database]:
        """A database of its own, dropped afterwards."""
        name = f"works_{secrets.token_hex(4)}"
        self.sql(f"CREATE DATABASE {name}; GRANT ALL ON {name}.* TO '{USER}'@'127.0.0.1'")
        try:
            yield Database(self, name)
        finally:
            self.sql(f"DROP DATABASE {name}")

    def stop(self) -> None:
        """End it; nothing of it was kept."""
        self.child.end(how=signal.SIGKILL)


class Database:
    """One database on a MariaDB server."""

    def __init__(self, server: MariaDB, name: str) -> None:
        """See MariaDB.database()."""
        self.server = server
        self.name = name

    def sql(self, text: str) -> list[list[str]]:
        """The rows of the answer, as text."""
        return self.server.sql(text, self.name)

    @property
    def env(self) -> dict[str, str]:
        """What an application's .env says to reach it."""
        return {
            "DB_CONNECTION": "mysql",
            "DB_HOST": "127.0.0.1",
            "DB_PORT": str(self.server.port),
            "DB_DATABASE": self.name,
            "DB_USERNAME": USER,
            "DB_PASSWORD": PASSWORD,
        }
