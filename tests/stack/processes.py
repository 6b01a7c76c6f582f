"""Child processes: started with a log, known by pid, ended by pid."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.stack.polling import StackError, T, tails, until

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""A host's own PATH: the servers lie in sbin, where a user's PATH may not look."""
CLEAN = {"PATH": SEARCH_PATH, "LANG": "C.UTF-8", "HOME": "/root", "USER": "root"}
"""The environment of everything started: nothing of the test run's own leaks in."""
DIES_WITH_US = ("/usr/bin/setpriv", "--pdeathsig", "KILL", "--")
"""Before a command: the kernel kills it when the test run is gone, however that came about."""


class Child:
    """A process of ours, leader of its own session; it dies with us even if we are killed."""

    def __init__(
        self, command: Sequence[str], log: Path, *, cwd: Path | None = None, env: Mapping[str, str] = CLEAN
    ) -> None:
        """Start it, its output appended to `log`."""
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*DIES_WITH_US, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env=dict(env),
                start_new_session=True,
            )
        self.pid = self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative where a signal ended it."""
        return self._process.poll()

    def must_run(self) -> None:
        """Raise StackError with its log if it has ended."""
        if self.exit_code is not None:
            command = " ".join(map(str, self._process.args[len(DIES_WITH_US) :]))  # type: ignore[index]
            raise StackError(f"It ended at once with {self.exit_code}: {command}{tails(self.log)}")

    def end(self, seconds: float = 5, how: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to end, then, after that long, kill it and its session."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(how)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def on_free_port(start: Callable[[int], T]) -> T:
    """What `start` gives for a free port; with another port where somebody else was quicker to listen on it."""
    for _ in range(4):
        try:
            return start(free_port())
        except StackError as problem:
            if "Address already in use" not in str(problem):
                raise
    return start(free_port())


def inside(folder: Path) -> list[int]:
    """The pids of all processes that work in this folder or below."""
    root = os.path.realpath(folder)
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            where = str((process / "cwd").readlink())
            if where == root or where.startswith(f"{root}/"):
                found.append(int(process.name))
    return found


def kill_inside(folder: Path) -> None:
    """Kill by pid whatever works in this folder: orphans that wrappers left included."""

    def all_gone() -> bool:
        pids = [pid for pid in inside(folder) if pid != os.getpid()]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not pids

    until(all_gone, 5, f"the processes in {folder} are gone")
