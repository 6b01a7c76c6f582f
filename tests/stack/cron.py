"""Debian's own cron on a host, with a minute that lasts a second."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from pathlib import Path

from tests.stack.polling import until
from tests.stack.processes import Child
from tests.stack.rooms import Room

BEGINNING = "@2026-01-01 00:00:50"
"""Ten seconds before a full minute, so that the first tick comes soon."""


class Cron:
    """cron in the foreground, its syslog heard; the jobs it starts live in real time."""

    def __init__(self, child: Child, heard: socket.socket, path: Path) -> None:
        """See start()."""
        self.child = child
        self.lines: list[str] = []
        """What cron logged, a line each, without the syslog's time and pid: "(root) CMD (php …)"."""
        self._heard = heard
        self._path = path
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @classmethod
    def start(cls, room: Room, run: Path, speed: int = 60) -> Cron:
        """Start it in `room`, whose /run is the folder `run` here; Linux's /dev/log leads there."""
        path = run / "log.socket"
        path.unlink(missing_ok=True)
        heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with contextlib.chdir(run):  # a socket's address holds no long path
            heard.bind("log.socket")
        path.chmod(0o666)
        words = ["/usr/bin/faketime", "-f", f"{BEGINNING} x{speed}", "/usr/sbin/cron", "-f", "-L", "15"]
        return cls(Child(room.command(words), run / "cron.output"), heard, path)

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while message := self._heard.recv(8192):
                text = message.decode(errors="replace")
                self.lines.append(re.sub(r"^<\d+>\w+ +\d+ [\d:]+ ", "", text).rstrip("\0\n"))

    @property
    def log(self) -> str:
        """All that cron logged."""
        return "\n".join(self.lines)

    def started(self, words: str) -> list[str]:
        """The lines that say cron started a command holding `words`."""
        return [line for line in self.lines if " CMD (" in line and words in line]

    def wait_for(self, words: str, seconds: float = 10) -> None:
        """Wait until cron has logged a line holding `words`."""
        until(lambda: words in self.log, seconds, f"cron logs {words!r}", self.child.log)

    def stop(self) -> None:
        """Stop hearing it: the host that it runs in has ended it."""
        self.child.end(seconds=1)
        with contextlib.suppress(OSError):
            self._heard.shutdown(socket.SHUT_RDWR)
        self._heard.close()
        self._listener.join(2)
        self._path.unlink(missing_ok=True)
