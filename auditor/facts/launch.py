"""What gets started, by whatever starts it: a supervisor program, a systemd unit, a cron line, a container."""

from __future__ import annotations

from auditor.facts.command import Command
from auditor.facts.origin import Fact, derived

WORKER_KINDS = ("queue:work", "queue:listen")
"""Commands that take jobs off a queue themselves."""
SCHEDULER_KINDS = ("schedule:run", "schedule:work")
"""Commands that run the application's scheduled tasks."""
DEVELOPERS = frozenset({"dev", "devel", "develop", "development", "local", "sail"})
"""Words in a file's name that say that what it holds is for a developer's machine."""


class Launch(Fact, frozen=True):
    """One command that something starts and, maybe, keeps alive."""

    name: str = ""
    """The program's, unit's, service's name; for cron its file and line."""
    runner: str = "supervisor"
    """"supervisor", "systemd", "cron", "compose", "kubernetes", "script", "scheduler" …"""
    file: str = ""
    """The file that declares it."""
    conf: str = ""
    """Supervisor: the main file of the configuration it belongs to."""
    instance: str = ""
    """What lives on one machine together: "" for a host, else the configuration's main file or folder."""
    line: int = 0
    """Cron: the line in its table."""
    command: Command = Command()
    """The command line, understood."""
    app: str = ""
    """Name of the app it runs; unknown where several could be meant."""
    app_found: bool = False
    """Whether that app lies where the command says, in the audited tree."""
    user: str = "root"
    """The account it runs under in the end."""
    directory: str | None = None
    """Its working folder; None where none is set."""
    processes: int = 1
    """How many copies of it are kept running."""
    live: bool = True
    """Whether it is known to be in use, and not just a file that lies about."""
    contained: bool = False
    """Whether it runs in a container that goes on until a signal to its first process stops it, and is started by that."""
    stop_signal: str = "TERM"
    """That signal, without SIG."""
    relayed: bool = False
    """Whether something besides that signal tells it to stop: a trap, a hook, an init that signals all."""
    log_rotated: bool = False
    """Whether logrotate rotates its log on stdout, found by the census."""

    @derived("file")
    def is_for_developers(self) -> bool:
        """Whether the name of its file says that it is for a developer's machine."""
        name = self.file.rpartition("/")[2].lower()
        return not DEVELOPERS.isdisjoint(name.replace("-", ".").replace("_", ".").split("."))
