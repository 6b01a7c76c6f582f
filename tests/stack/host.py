"""A whole small host: one folder that is audited as a root, and run as one, without a change between."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.stack.cron import Cron
from tests.stack.journal import Journal
from tests.stack.laravel import Laravel, web_user
from tests.stack.memory import MemoryLimit
from tests.stack.polling import StackError, until
from tests.stack.processes import DIES_WITH_US
from tests.stack.rooms import run, start_words
from tests.stack.supervisord import Build, Supervisord

PARTS = (
    "etc/supervisor",
    "etc/cron.d",
    "etc/crontab",
    "etc/logrotate.d",
    "etc/php",
    "var/spool/cron/crontabs",
    "var/lib/queue-auditor",
    "var/www",
    "var/log",
    "run",
)
"""What of a host's folder is laid over this machine's, where it is there."""
SCRIPT = Path(__file__).with_name("host.sh")
LOOPBACK_UP = """\
import fcntl, socket, struct
SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 0x1, 0x40
fcntl.ioctl(socket.socket(), SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", IFF_UP | IFF_RUNNING))
"""
"""What switches on a new network namespace's loopback; iproute2 is not on every machine."""
SUPERVISORD_CONF = """\
[unix_http_server]
file=/var/run/supervisor.sock
chmod=0700

[supervisord]
logfile=/var/log/supervisor/supervisord.log
pidfile=/var/run/supervisord.pid
childlogdir=/var/log/supervisor

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix:///var/run/supervisor.sock

[include]
files = /etc/supervisor/conf.d/*.conf
"""
"""What Debian installs, without its comments."""


class Process(NamedTuple):
    """A process of a host, as ps shows it there."""

    pid: int
    """Its number inside the host."""
    parent: int
    """Its parent's number; 1 for an orphan."""
    uid: int
    """The user it runs as."""
    command: str
    """Its words, joined by single spaces."""


class Host:
    """A host's folder and, between start() and stop(), its running processes.

    The folder holds etc/supervisor, var/www/app, etc/cron.d … as the host has them. They run in a mount and a pid
    namespace of their own in which those folders cover this machine's: so the paths in the files are the host's, an
    orphan's parent is 1, and nothing outlives stop().
    """

    def __init__(self, folder: Path) -> None:
        """The host in `folder`, not running."""
        self.folder = folder
        self.laravel = Laravel(folder / "var/www/app", self, "/var/www/app", web_user())
        self.supervisord: Supervisord | None = None
        self.alone = False
        """Whether it has a loopback of its own, from which nothing of this machine is reached, nor it from there."""
        self.memory: MemoryLimit | None = None
        """How much memory it has; None for this machine's own."""
        self._cron: Cron | None = None
        self._holder: subprocess.Popen[str] | None = None
        self._pid = 0

    @classmethod
    def lay_out(
        cls,
        folder: Path,
        programs: str | None = None,
        *,
        env: Mapping[str, str] | None = None,
        config: Mapping[str, str | float | bool | None] | None = None,
        files: Mapping[str, str] | None = None,
        app: str = "var/www/app",
    ) -> Host:
        """Write a host into the new `folder`.

        `programs` is the text of etc/supervisor/conf.d/works.conf (None: no supervisor); `env` and `config` are
        Laravel.lay_out()'s; `files` are further files by their path.
        """
        host = cls(folder)
        folder.mkdir(parents=True, exist_ok=True)
        Laravel.lay_out(folder / app, env=env, config=config, owner=web_user())
        texts = dict(files or {})
        if programs is not None:
            texts["etc/supervisor/supervisord.conf"] = SUPERVISORD_CONF
            texts["etc/supervisor/conf.d/works.conf"] = programs
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(text.encode())
        for path in ("run", "var/log/supervisor"):
            (folder / path).mkdir(parents=True, exist_ok=True)
        (folder / "var/run").symlink_to("/run")
        return host

    @property
    def journal(self) -> Journal:
        """What its application's jobs wrote."""
        return self.laravel.journal

    def command(
        self,
        words: Sequence[str],
        *,
        cwd: str = "/",
        user: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> list[str]:
        """The words that start `words` inside (a host is a Room)."""
        if not self._pid:
            raise StackError("The host is not running: call open() or start() first.")
        enter = ["/usr/bin/nsenter", "--target", str(self._pid)]
        inside = [*enter, *self._namespaces, "--", *start_words(words, cwd, user, env)]
        return inside if self.memory is None else self.memory.enter(inside)

    @property
    def _namespaces(self) -> tuple[str, ...]:
        return ("--mount", "--pid", *(["--net"] if self.alone else []))

    def open(self) -> None:
        """Make its namespaces, with nothing running in them yet but their first process."""
        if os.geteuid() != 0:
            raise StackError(
                "A host runs in a mount namespace of its own, which only root may make: run the tests as root."
            )
        for path in ("run", "var/log/supervisor"):
            (self.folder / path).mkdir(parents=True, exist_ok=True)
        parts = [part for part in PARTS if (self.folder / part).exists()]
        unshare = ["/usr/bin/unshare", *self._namespaces, "--fork", "--kill-child"]
        self._holder = subprocess.Popen(
            [*DIES_WITH_US, *unshare, "/bin/sh", str(SCRIPT), str(self.folder), *parts],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert self._holder.stdout is not None
        said = ""
        for line in self._holder.stdout:
            if line.startswith("ready "):
                self._pid = int(line.split()[1])
                if self.alone:
                    run(self, ["/usr/bin/python3", "-c", LOOPBACK_UP]).must()
                return
            said += line
        self.stop()
        raise StackError(f"This machine lets no mount namespace be made (a container needs CAP_SYS_ADMIN): {said}")

    def start(self, *, build: Build = "debian", faketime: str | None = None) -> Supervisord:
        """Run it: its supervisord, and by that its programs; raises supervisord.Refused where it would not start."""
        if not self._pid:
            self.open()
        try:
            self.supervisord = Supervisord.start(
                "/etc/supervisor/supervisord.conf",
                socket=self.folder / "run/supervisor.sock",
                log=self.folder / "var/log/supervisor/supervisord.log",
                output=self.folder / "run/supervisord.output",
                room=self,
                build=build,
                faketime=faketime,
            )
        except BaseException:
            self.stop()
            raise
        return self.supervisord

    @contextlib.contextmanager
    def running(self, *, build: Build = "debian", faketime: str | None = None) -> Iterator[Supervisord]:
        """Its supervisord, for as long as the block lasts."""
        try:
            yield self.start(build=build, faketime=faketime)
        finally:
            self.stop()

    @contextlib.contextmanager
    def opened(self) -> Iterator[Host]:
        """The host without its supervisord, for as long as the block lasts."""
        try:
            self.open()
            yield self
        finally:
            self.stop()

    def cron(self, *, speed: int = 60) -> Cron:
        """Run its cron, `speed` times as fast as time, until stop()."""
        self._cron = Cron.start(self, self.folder / "run", speed)
        return self._cron

    def stop(self) -> None:
        """End every process in it at once; its folder stays as it is."""
        if self._holder is not None:
            assert self._holder.stdin is not None
            assert self._holder.stdout is not None
            self._holder.stdin.close()  # its first process ends, and the kernel ends the others
            try:
                self._holder.wait(20)
            except subprocess.TimeoutExpired:
                self._holder.kill()
                self._holder.wait()
            first = Path(f"/proc/{self._pid}")
            if self._pid:  # it is the last to go: till then somebody may still be writing
                until(lambda: not first.exists(), 5, "every process of the host has ended")
            self._holder.stdout.close()
            self._holder = None
            self._pid = 0
        if self.supervisord is not None:
            self.supervisord.child.end(seconds=1)
            self.supervisord = None
        if self._cron is not None:
            self._cron.stop()
            self._cron = None
        with contextlib.suppress(OSError):
            (self.folder / ".mount").rmdir()

    def forget(self) -> None:
        """Remove what a run left: journal, logs, sockets; the host's files stay, so it can be run again."""
        app = self.laravel.folder / "storage"
        for path in (app / "journal.jsonl", *app.glob("logs/*.log"), *app.glob("framework/cache/data/??")):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        for name in ("run", "var/log"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        (self.folder / "run").mkdir()
        (self.folder / "var/log/supervisor").mkdir(parents=True)

    def processes(self, *words: str) -> list[Process]:
        """Its processes whose command holds each of these words."""
        found = []
        for folder in Path(f"/proc/{self._pid}/root/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (folder / "cmdline").read_text(errors="replace").replace("\0", " ").strip()
                if command and all(word in command for word in words):
                    lines = (folder / "status").read_text().splitlines()
                    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
                    uid = int(status["Uid"].split()[0])
                    found.append(Process(int(folder.name), int(status["PPid"]), uid, command))
        return sorted(found)

    def workers(self) -> list[Process]:
        """Its PHP queue workers (not the shells around them).

        A worker that starts a program is for a moment two of the same command: the child that is to become it is none.
        """
        found = {one.pid: one for one in self.processes("queue:") if one.command.startswith(("php ", "/usr/bin/php"))}
        return [one for one in found.values() if one.parent not in found or found[one.parent].command != one.command]

    def kill(self, pid: int, how: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to a process by its number inside."""
        subprocess.run(self.command(["/bin/kill", f"-{how.value}", str(pid)]), check=True)
