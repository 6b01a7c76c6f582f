"""What supervisord refuses as a whole: whatever else stands in any file, no program runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from typing_extensions import override

from tests.proofs.scenes.scene import Scene, Seen, see
from tests.proofs.scenes.supervisor import MAIN, Edited
from tests.stack.backends import Backend
from tests.stack.host import Host
from tests.stack.supervisord import Refused, Supervisord


class Fault(NamedTuple):
    """One thing that supervisord refuses."""

    rule: str
    """The rule that objects."""
    name: str
    """Its test's id."""
    harm: str
    """The harm in a sentence."""
    old: str
    """A piece of the sound conf; "" for its end."""
    new: str
    """What stands there instead."""
    words: str
    """What supervisord says."""
    subject: str = "program:worker"
    """What the finding is about."""


class RefusesAll(Edited):
    """supervisord does not start, and no program of any file runs."""

    then = "supervisord starts, and the job is run."

    def __init__(self, backend: Backend, fault: Fault) -> None:
        """The scene of one fault."""
        super().__init__(backend)
        self.fault = fault
        self.rule, self.subject = fault.rule, fault.subject
        self.old, self.new = fault.old, fault.new

    @override
    def harm(self) -> str:
        return self.fault.harm

    @override
    def observe(self, host: Host) -> Seen:
        try:
            return super().observe(host)
        except Refused as refused:
            return Seen(exit_code=refused.exit_code, output=refused.output, starts=host.journal.starts())

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        host.laravel.push("J").must()
        host.laravel.await_end("J")
        return see(host)

    @override
    def harmed(self, seen: Seen) -> None:
        assert seen.exit_code == 2
        assert self.fault.words in seen.output
        assert not seen.starts

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.labels("end") == {"J"}


LOG = "stdout_logfile=/var/log/supervisor/%(program_name)s.log"
FAULTS = (
    Fault(
        "supervisor/bom",
        "byte-order-mark",
        "A byte order mark, which no editor shows, is text before the first section: supervisord does not start.",
        "[program:worker]",
        "\ufeff[program:worker]",
        "File contains no section headers",
        MAIN,
    ),
    Fault(
        "supervisor/percent-unescaped",
        "date-format",
        "A date format in a value is taken for an expansion: supervisord does not start.",
        'USER="www-data"',
        'USER="www-data",FORMAT="%d.%m.%Y"',
        "is badly formatted",
    ),
    Fault(
        "supervisor/percent-unescaped",
        "unknown-name",
        "An expansion that an option does not know: supervisord does not start.",
        LOG,
        LOG.replace("program_name", "process_name"),
        "process_name",
    ),
    Fault(
        "supervisor/program-without-command",
        "shared-options",
        "A section of shared options has no command: supervisord does not start.",
        "",
        "\n[program:defaults]\nautorestart=true\n",
        "program section program:defaults does not specify a command",
        "program:defaults",
    ),
    Fault(
        "supervisor/invalid-value",
        "autorestart",
        "One word that autorestart does not have: supervisord does not start.",
        "autorestart=true",
        "autorestart=always",
        "invalid 'autorestart' value 'always'",
        "worker",
    ),
    Fault(
        "supervisor/invalid-value",
        "unit",
        "Seconds with a unit: supervisord does not start.",
        "startsecs=1",
        "startsecs=1s",
        "invalid literal for int()",
        "worker",
    ),
    Fault(
        "supervisor/invalid-value",
        "signal",
        "A signal that is none: supervisord does not start.",
        "startsecs=1",
        "startsecs=1\nstopsignal=TERMINATE",
        "is not a valid signal",
        "worker",
    ),
    Fault(
        "supervisor/log-dir-missing",
        "log-folder",
        "A log's folder is not there: supervisord does not start.",
        LOG,
        "stdout_logfile=/var/log/works/worker.log",
        "The directory named as part of the path /var/log/works/worker.log does not exist",
        "worker",
    ),
    Fault(
        "supervisor/quoted-value",
        "user",
        "A user's name in quotes is nobody's: supervisord does not start.",
        "user=www-data",
        'user="www-data"',
        "Invalid user name",
    ),
    Fault(
        "supervisor/quoted-value",
        "log",
        "A log's path in quotes lies in a folder that begins with one: supervisord does not start.",
        LOG,
        'stdout_logfile="/var/log/supervisor/worker.log"',
        "does not exist",
    ),
    Fault(
        "supervisor/conf-parse-error",
        "no-delimiter",
        "A line that is neither an option nor a section: supervisord does not start.",
        "autostart=true",
        "autostart true",
        "autostart true",
        MAIN,
    ),
    Fault(
        "supervisor/conf-parse-error",
        "no-section",
        "An option before any section: supervisord does not start.",
        "[program:worker]",
        "numprocs=1\n[program:worker]",
        "File contains no section headers",
        MAIN,
    ),
    Fault(
        "supervisor/conf-parse-error",
        "group",
        "A group lists a program that is not there: supervisord does not start.",
        "",
        "\n[group:works]\nprograms=wroker\n",
        "names unknown program or fcgi-program wroker",
        "group:works",
    ),
    Fault(
        "supervisor/conf-parse-error",
        "event-listener",
        "An event listener without events: supervisord does not start.",
        "",
        "\n[eventlistener:watch]\ncommand=/bin/cat\n",
        '[eventlistener:watch] section requires an "events" line',
        "eventlistener:watch",
    ),
)
"""Everything that is refused as a whole; whatever else stands in any file, nothing runs."""


def faults(*rules: str) -> list[Fault]:
    """Those of these rules."""
    return [fault for fault in FAULTS if fault.rule in rules]


Kind = Callable[[Backend], Scene]
"""What makes a scene of a backend."""


def of(fault: Fault) -> Kind:
    """The scene of one fault."""
    return lambda backend: RefusesAll(backend, fault)
