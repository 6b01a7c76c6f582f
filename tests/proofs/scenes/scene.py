"""The ground every scene stands on: a sound host, what is changed in it, and what is seen when it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from typing_extensions import override

from tests.stack.backends import Backend
from tests.stack.host import Host
from tests.stack.journal import Entry
from tests.stack.polling import until
from tests.stack.redis import Redis
from tests.stack.supervisord import Supervisord

NAME = "worker_00"
"""The process that most scenes watch."""
SECTION = {
    "process_name": "%(program_name)s_%(process_num)02d",
    "numprocs": "1",
    "directory": "/var/www/app",
    "user": "www-data",
    "environment": 'HOME="/var/www",USER="www-data"',
    "autostart": "true",
    "autorestart": "true",
    "startsecs": "1",
    "stopwaitsecs": "75",
    "redirect_stderr": "true",
    "stdout_logfile": "/var/log/supervisor/%(program_name)s.log",
}
"""A sound program's options, its command apart."""
OPTIONS = {"sleep": "1", "tries": "3", "timeout": "60", "max-jobs": "1000"}
"""A sound worker's options."""
EMPTY: Mapping[str, Any] = {}
CRON = "* * * * * www-data cd /var/www/app && php artisan schedule:run >> /dev/null 2>&1\n"
"""A sound line of etc/cron.d/works."""
PASSWD = """\
root:x:0:0:root:/root:/bin/bash
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
backup:x:34:34:backup:/var/backups:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
"""The host's accounts, for who audits it."""


class Change(NamedTuple):
    """What is otherwise than on the sound host; a value of None takes the option away."""

    program: Mapping[str, str | None] = EMPTY
    """Options of the `[program:worker]` section; "command" may hold {worker}, the sound one's words after artisan."""
    options: Mapping[str, str | None] = EMPTY
    """Options of queue:work; an empty text makes a bare flag."""
    connection: str | None = None
    """What the worker is told to read; "" tells it nothing, None names the backend's connection."""
    config: Mapping[str, str | float | bool | None] = EMPTY
    """Literals of config/*.php; {connection} in a name is the backend's connection."""
    env: Mapping[str, str] = EMPTY
    """Lines of the .env."""
    files: Mapping[str, str] = EMPTY
    """Further files of the host, by their path."""

    def over(self, other: Change) -> Change:
        """Both, this one on top."""
        return Change(
            {**other.program, **self.program},
            {**other.options, **self.options},
            other.connection if self.connection is None else self.connection,
            {**other.config, **self.config},
            {**other.env, **self.env},
            {**other.files, **self.files},
        )


class Seen(NamedTuple):
    """What came to pass on a host that was run."""

    starts: Sequence[Entry] = ()
    """Every begin of a job."""
    ends: Sequence[Entry] = ()
    """Every proper end of a job."""
    failures: Sequence[Entry] = ()
    """Every job given up for good."""
    states: Mapping[str, str] = EMPTY
    """supervisord's word on each process at the end."""
    exits: Sequence[str] = ()
    """How the runs of the watched process ended, in supervisord's words."""
    log: str = ""
    """supervisord's main log."""
    output: str = ""
    """What the watched process printed, or what a command that was run said."""
    left: int = 0
    """Jobs still in the queue: ready, delayed or reserved."""
    exit_code: int | None = None
    """Of supervisord if it would not start, or of a command that was run."""
    orphans: Sequence[str] = ()
    """Commands of workers without a parent."""
    workers: int = 0
    """Queue workers that run at the end."""
    extra: Any = None
    """What else a scene looks at; its own docstring says what."""

    def labels(self, event: str) -> set[str]:
        """The jobs that have had that event."""
        return {one.label for one in {"start": self.starts, "end": self.ends, "failed": self.failures}[event]}

    def overlaps(self, label: str) -> bool:
        """Whether the job was begun anew before an earlier begin of it, in another process, came to its end."""
        ends = {(one.pid, one.attempt): one.time for one in self.ends if one.label == label}
        begun = [one for one in self.starts if one.label == label]
        return any(
            later.time < ends.get((earlier.pid, earlier.attempt), 0)
            for n, earlier in enumerate(begun)
            for later in begun[n + 1 :]
            if later.pid != earlier.pid
        )


def see(host: Host, name: str = NAME, **more: Any) -> Seen:
    """All that is generally to be seen of a running host."""
    server = host.supervisord
    assert server is not None
    workers = host.workers()
    found: dict[str, Any] = {
        "starts": host.journal.starts(),
        "ends": host.journal.ends(),
        "failures": host.journal.failures(),
        "states": server.states(),
        "exits": server.exits(name),
        "log": server.log,
        "output": output(host),
        "orphans": [one.command for one in workers if one.parent == 1],
        "workers": len(workers),
    }
    return Seen(**{**found, **more})


def worker_log(host: Host) -> Path:
    """Where the worker's output goes."""
    return host.folder / "var/log/supervisor/worker.log"


def output(host: Host) -> str:
    """What the worker has printed to its log."""
    path = worker_log(host)
    return path.read_text(errors="replace") if path.is_file() else ""


def comes(condition: Callable[[], object], seconds: float) -> bool:
    """Whether it becomes true within that long; that it does not may be the very harm."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Scene:
    """One harm: a bad host, what is done with it and seen, and how that tells the harm from its absence.

    The docstring of each subclass is the harm in one sentence.
    """

    rule: str
    """The rule that must object to the bad host."""
    subject: str = "worker"
    """What its finding is about; {connection} is the backend's, {folder} the host's own."""
    audited: ClassVar[str] = ""
    """What of the host's folder is audited; "" for all of it."""
    then: ClassVar[str] = "The job is run."
    """What is seen once the host is put right, in a sentence."""
    always: ClassVar[Change] = Change()
    """What belongs to the scene itself: figures that are right as they are."""
    bad: ClassVar[Change] = Change()
    """What is wrong with the bad host."""
    good: ClassVar[Change] = Change()
    """How a person would put it right."""
    clock: ClassVar[str | None] = "+0 x5"
    """The speed of the host's clock: "+0 x30" makes 90 s pass in 3.

    libfaketime's alarm() knows whole real seconds only: on that clock a --timeout acts as the multiple of 30 below.
    """
    backends: ClassVar[tuple[str, ...]] = ("redis",)
    """The backends that it is shown on."""

    def __init__(self, backend: Backend) -> None:
        """The scene on that backend."""
        self.backend = backend
        self.put_right = False
        """Whether the host that is observed is no longer the bad one."""

    def lay_out(self, folder: Path, *, bad: bool) -> Host:
        """Write the sound host with `always` and what is bad, or put right, into `folder`; empty the backend."""
        change = (self.bad if bad else self.good).over(self.always)
        connection = self.backend.connection
        config = {name.replace("{connection}", connection): value for name, value in change.config.items()}
        host = Host.lay_out(
            folder,
            self.conf(change, bad=bad),
            env={**self.backend.env, **change.env},
            config=config,
            files={"etc/passwd": PASSWD, "etc/cron.d/works": CRON, **change.files},
        )
        self.empty(host)
        self.prepare(host, bad=bad)
        return host

    def empty(self, host: Host) -> None:
        """Take every job out of its queues."""
        if self.backend.name == "mariadb":
            with host.opened():
                host.laravel.artisan("migrate:fresh", "--force").must()
        elif isinstance(self.backend.server, Redis):
            self.backend.server.cli("FLUSHALL")

    def renew(self, host: Host) -> None:
        """Make a host that has run as it was before, its own files apart."""
        host.forget()
        host.laravel.forget()
        self.empty(host)

    def harm(self) -> str:
        """The harm in one sentence."""
        return (type(self).__doc__ or "").partition("\n")[0]

    def prepare(self, host: Host, *, bad: bool) -> None:
        """What else has happened on the host before it runs."""

    def conf(self, change: Change, *, bad: bool) -> str:
        """The text of etc/supervisor/conf.d/works.conf."""
        connection = self.backend.connection if change.connection is None else change.connection
        options = {**OPTIONS, **change.options}
        flags = [f"--{name}={value}" if value else f"--{name}" for name, value in options.items() if value is not None]
        worker = " ".join(["queue:work", *([connection] if connection else []), *flags])
        section: dict[str, str | None] = {"command": "php /var/www/app/artisan {worker}", **SECTION, **change.program}
        section["command"] = str(section["command"]).replace("{worker}", worker)
        lines = [f"{name}={value}\n" for name, value in section.items() if value is not None]
        return "[program:worker]\n" + "".join(lines)

    def observe(self, host: Host) -> Seen:
        """Run the host, do what the scene does, and tell what came to pass; nothing of it runs on."""
        with host.running(build="pypi", faketime=self.clock) as server:
            return self.act(host, server)

    def act(self, host: Host, server: Supervisord) -> Seen:
        """What is done with the running host, and what is seen."""
        raise NotImplementedError

    def await_unless_harmed(self, condition: Callable[[], object], seconds: float, why: str, *logs: Path) -> None:
        """Wait for what the harm prevents: for so many seconds on the bad host, on one put right until it happens."""
        if self.put_right:
            until(condition, 10, why, *logs)
        else:
            comes(condition, seconds)

    def await_if_harmed(self, condition: Callable[[], object], seconds: float, why: str, *logs: Path) -> None:
        """Wait for what the harm brings about: until it happens on the bad host, for so many seconds on one put right."""
        if self.put_right:
            comes(condition, seconds)
        else:
            until(condition, 10, why, *logs)

    def await_job_unless_harmed(self, host: Host, label: str, seconds: float = 1) -> None:
        """Wait for the end of a job that the harm prevents."""
        self.await_unless_harmed(
            lambda: host.journal.ends(label), seconds, f"job {label} ends", host.journal.path, worker_log(host)
        )

    def await_looks(self) -> None:
        """Wait until workers have looked into Redis some times more: what they have not taken by then they pass over."""
        server = self.backend.server
        assert isinstance(server, Redis)
        enough = server.scripts() + 12
        until(lambda: server.scripts() >= enough, 10, "workers look into Redis", server.child.log)

    def await_job_unless_passed_over(self, host: Host, label: str) -> None:
        """Wait for the end of a job that, by the harm, the workers pass over."""
        if not self.put_right:
            self.await_looks()
        self.await_job_unless_harmed(host, label, 0)

    def harmed(self, seen: Seen) -> None:
        """Assert that the harm is there."""
        raise NotImplementedError

    def unharmed(self, seen: Seen) -> None:
        """Assert that it is not."""
        raise NotImplementedError


class NeverRuns(Scene):
    """A worker that supervisord gives up: scenes differ only in what it stumbles over."""

    always = Change(program={"startsecs": "60"})  # six real seconds: even a busy machine ends a start within
    clock: ClassVar[str | None] = "+0 x10"
    words: ClassVar[str]
    """What somebody says of it, in supervisord's log or in the worker's."""

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        self.push(host)
        until(
            lambda: host.journal.ends("J") or "FATAL" in server.states().values(),
            30,
            "J ends or the worker is FATAL",
            server.log_path,
        )
        return see(host)

    def push(self, host: Host) -> None:
        """Give it the job J."""
        host.laravel.push("J").must()

    @override
    def harmed(self, seen: Seen) -> None:
        assert seen.states == {NAME: "FATAL"}
        assert self.words in seen.log + seen.output
        assert not seen.labels("end")

    @override
    def unharmed(self, seen: Seen) -> None:
        assert "FATAL" not in seen.states.values()
        assert self.words not in seen.log + seen.output
        assert seen.labels("end") == {"J"}
