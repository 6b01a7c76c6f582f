"""A real supervisord."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import sys
import time
import xmlrpc.client
from pathlib import Path
from typing import Any, Literal

from typing_extensions import override

from tests.stack.polling import PATIENCE, StackError, until
from tests.stack.processes import Child, kill_inside
from tests.stack.rooms import Finished, Here, Room, run

Build = Literal["debian", "pypi"]
"""Debian's 4.2.5 under the system's Python, or the newest release among the tests' own packages."""
WORDS: dict[Build, list[str]] = {
    "debian": ["/usr/bin/python3", "/usr/bin/supervisord"],
    "pypi": [sys.executable, "-m", "supervisor.supervisord"],
}
SOCKET = "s"
"""Its socket's name: an address holds 107 bytes, of which a test's folder may take up most."""
HEAD = """\
[unix_http_server]
file={folder}/s

[supervisord]
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
childlogdir={folder}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{folder}/s

"""
"""What a conf of ours says before its programs."""


class Refused(StackError):
    """supervisord would not start: its exit code and its own words."""

    def __init__(self, exit_code: int, output: str) -> None:
        """As it ended."""
        super().__init__(f"supervisord exited {exit_code}: {output}")
        self.exit_code = exit_code
        self.output = output


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost")
        self.path = path

    @override
    def connect(self) -> None:
        # A socket's address holds 107 bytes, a test's folder may be longer: go through the open folder.
        handle = os.open(self.path.parent, os.O_PATH)
        self.sock = socket.socket(socket.AF_UNIX)
        try:
            self.sock.settimeout(30 * PATIENCE)
            self.sock.connect(f"/proc/self/fd/{handle}/{self.path.name}")
        except BaseException:
            self.sock.close()
            raise
        finally:
            os.close(handle)


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    @override
    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = _Connection(self.path)
        self._connection = host, connection  # where close() looks for it
        return connection

    @override
    def request(self, *words: Any, **more: Any) -> Any:
        # Kept open, a connection would outlive the server that is spoken to.
        try:
            return super().request(*words, **more)
        finally:
            self.close()


class Supervisord:
    """supervisord in the foreground, spoken to by XML-RPC over its socket."""

    def __init__(self, child: Child, conf: str, socket: Path, log: Path, room: Room, build: Build) -> None:
        """See start()."""
        self.child = child
        self.conf = conf
        self.log_path = log
        self.room = room
        self.build = build
        proxy = xmlrpc.client.ServerProxy("http://localhost", transport=_Transport(socket))
        self.rpc: Any = proxy.supervisor
        """Its methods: rpc.getAllProcessInfo() …"""

    @classmethod
    def start(
        cls,
        conf: str | Path,
        *,
        socket: Path,
        log: Path,
        output: Path,
        room: Room | None = None,
        build: Build = "debian",
        faketime: str | None = None,
    ) -> Supervisord:
        """Start it by this conf, which names that socket and log; raises Refused where it does not like the conf.

        `conf` is the path inside `room`, the others are here. `faketime="+0 x30"` gives it, and all it starts, one
        common clock, thirty times as fast.
        """
        room = Here() if room is None else room
        words = [*WORDS[build], "-n", "-c", str(conf)]
        env = {}
        if faketime is not None:
            words = ["/usr/bin/faketime", "-f", faketime, *words]
            env["FAKETIME_DONT_RESET"] = "1"
        child = Child(room.command(words, env=env), output)
        server = cls(child, str(conf), socket, log, room, build)
        try:
            until(server._answers, 10, "supervisord answers", output, log)
        except BaseException:
            child.end(how=signal.SIGKILL)
            raise
        return server

    @classmethod
    def of(cls, folder: Path, programs: str, *, build: Build = "debian", faketime: str | None = None) -> Supervisord:
        """Start one in `folder`, of these `[program:…]` sections."""
        conf = folder / "supervisord.conf"
        conf.write_text(HEAD.format(folder=folder) + programs)
        return cls.start(
            conf,
            socket=folder / SOCKET,
            log=folder / "supervisord.log",
            output=folder / "output.log",
            build=build,
            faketime=faketime,
        )

    def _answers(self) -> bool:
        if self.child.exit_code is not None:
            raise Refused(self.child.exit_code, self.child.log.read_text(errors="replace"))
        with contextlib.suppress(OSError):
            return bool(self.rpc.getState()["statename"] == "RUNNING")
        return False

    def processes(self) -> dict[str, dict[str, Any]]:
        """Everything it says of each process, by the process's name."""
        return {one["name"]: one for one in self.rpc.getAllProcessInfo()}

    def states(self) -> dict[str, str]:
        """RUNNING, BACKOFF, FATAL … by the process's name."""
        return {name: one["statename"] for name, one in self.processes().items()}

    def pid(self, name: str) -> int:
        """The process's pid as its own host numbers it; 0 where it does not run."""
        return int(self.processes()[name]["pid"])

    def wait_for(self, name: str, state: str, seconds: float = 10) -> None:
        """Wait until that process is in that state."""
        until(lambda: self.states().get(name) == state, seconds, f"{name} is {state}", self.log_path)

    def restart(self, name: str) -> float:
        """Stop and start it as `supervisorctl restart` does; the seconds that took."""
        full = f"{self.processes()[name]['group']}:{name}"
        begun = time.monotonic()
        self.rpc.stopProcess(full)
        self.rpc.startProcess(full)
        return time.monotonic() - begun

    def ctl(self, *words: str) -> Finished:
        """What the real supervisorctl of the same build says."""
        tool = {"debian": ["/usr/bin/supervisorctl"], "pypi": [sys.executable, "-m", "supervisor.supervisorctl"]}
        return run(self.room, [*tool[self.build], "-c", self.conf, *words])

    @property
    def log(self) -> str:
        """Its main log."""
        return self.log_path.read_text(errors="replace") if self.log_path.is_file() else ""

    def exits(self, name: str) -> list[str]:
        """How each of that process's runs ended: "exit status 0; expected", "terminated by SIGKILL; not expected"."""
        return re.findall(rf"exited: {re.escape(name)} \((.*)\)", self.log)

    def output(self, name: str) -> str:
        """What a process has printed to its log, through the server (which knows where that is)."""
        return str(self.rpc.readProcessStdoutLog(f"{self.processes()[name]['group']}:{name}", 0, 0))

    def stop(self, seconds: float = 12) -> None:
        """End it in its own order, then whatever works in its folder."""
        if self.child.exit_code is None:
            with contextlib.suppress(OSError, xmlrpc.client.Error):
                self.rpc.shutdown()
            with contextlib.suppress(StackError):
                until(lambda: self.child.exit_code is not None, seconds, "supervisord ends")
        self.child.end(seconds=1)
        kill_inside(self.log_path.parent)
