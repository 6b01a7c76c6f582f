"""What our own edits can write: for each fact that a fix may bind, where it is written and how.

A fix may bind only these; whatever else a rule would have changed is advice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple


class Lever(NamedTuple):
    """How one fact is written."""

    kind: str
    """"artisan" (an option of the command), "setting" (an option of the program's section), or one edit of the command:
    "connection", "queues" (blanks taken out), "exec" (put before the program), "join" (lines joined), "plain" (no shell)."""
    name: str
    """The option's name: "timeout", "stopwaitsecs"."""
    least: float = -math.inf
    """The least number it can hold and still mean what it says: a timeout of 0 is none."""


LEVERS: Mapping[str, Lever] = {
    "worker.timeout": Lever("artisan", "timeout", 1),
    "worker.memory": Lever("artisan", "memory", 32),
    "worker.sleep": Lever("artisan", "sleep", 0),
    "worker.rest": Lever("artisan", "rest", 0),
    "worker.tries": Lever("artisan", "tries", 1),
    "worker.max_time": Lever("artisan", "max-time", 1),
    "worker.connection": Lever("connection", "connection"),
    "worker.queue_with_space": Lever("queues", "queue"),
    "command.shell_stays": Lever("exec", "command"),
    "command.newline_escaped": Lever("join", "command"),
    "command.shell_reads_it": Lever("plain", "command"),
    "program.stopwaitsecs": Lever("setting", "stopwaitsecs", 0),
    "program.startsecs": Lever("setting", "startsecs", 0),
    "program.startretries": Lever("setting", "startretries", 0),
    "program.numprocs": Lever("setting", "numprocs", 1),
    "program.process_name": Lever("setting", "process_name"),
    "program.autostart": Lever("setting", "autostart"),
    "program.autorestart": Lever("setting", "autorestart"),
    "program.stopsignal": Lever("setting", "stopsignal"),
    "program.stopasgroup": Lever("setting", "stopasgroup"),
    "program.killasgroup": Lever("setting", "killasgroup"),
    "program.user": Lever("setting", "user"),
    "program.directory": Lever("setting", "directory"),
    "program.redirect_stderr": Lever("setting", "redirect_stderr"),
    "program.stdout_logfile": Lever("setting", "stdout_logfile"),
    "program.stdout_logfile_maxbytes": Lever("setting", "stdout_logfile_maxbytes", 0),
    "program.stdout_logfile_backups": Lever("setting", "stdout_logfile_backups", 0),
    "program.stderr_logfile_maxbytes": Lever("setting", "stderr_logfile_maxbytes", 0),
}
"""Fact to how it is written."""

_EDITS = {
    "connection": "the connection “{}” in the command",
    "queues": "--queue without blanks",
    "exec": "`exec` before the program",
    "join": "the command on one line",
    "plain": "directory= and stdout_logfile= in place of shell syntax",
}
_MEBIBYTES = frozenset(name for name in LEVERS if name.endswith("_maxbytes"))


def written(fact: str, value: float | bool | str) -> str:
    """A value as its option holds it: true, 80, 50MB."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if fact in _MEBIBYTES:
        return f"{int(value)}MB" if value else "0"
    return str(int(value)) if value == int(value) else f"{value:g}"


def shown(fact: str, value: float | bool | str) -> str:
    """As a report tells it: "--timeout=80", "stopwaitsecs=90"."""
    lever = LEVERS[fact]
    if lever.kind in _EDITS:
        return _EDITS[lever.kind].format(value)
    prefix = "--" if lever.kind == "artisan" else ""
    return f"{prefix}{lever.name}={written(fact, value)}"
