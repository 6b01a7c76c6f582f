"""What the running system said, joined with what its configuration says: the subjects that live rules are judged for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from auditor.facts.backend import Daemon, DaemonProcess, Probe
from auditor.facts.command import Command
from auditor.facts.laravel import App
from auditor.facts.launch import Launch
from auditor.facts.live import Live
from auditor.facts.origin import unknown
from auditor.facts.queue import Connection
from auditor.facts.site import Site
from auditor.facts.subjects import NONE, Absent, Subject, Totals
from auditor.facts.supervisor import Program, SupervisorConf


class Observed:
    """One look at a site, to be joined with the site's own facts."""

    def __init__(self, site: Site, apps: Mapping[str, App], launches: Mapping[tuple[str, str], Launch]) -> None:
        """Take the apps as the census has them, and supervisor's launches by configuration and program."""
        self.live = site.live or Live()
        self.host = site.host
        self.apps = apps
        self.launches = launches
        self.confs = {conf.main: conf for conf in site.confs}
        self.programs = {
            (conf.main, program.group, name): program
            for conf in site.confs
            for program in conf.programs
            for name in program.process_names
        }
        self.daemons = {daemon.name: daemon for daemon in self.live.daemons}

    def subjects(self, totals: Totals) -> Iterator[Subject]:
        """Everything that was observed, each with what it belongs to."""
        live = self.live
        for probe in live.probes:
            conf = self.confs.get(probe.conf, NONE)
            roots = (_told(probe), self.connection(probe.app, probe.connection), conf, self.app(probe.app), totals)
            yield Subject("probe", _of(probe), roots)
        for queue in live.queues:
            connection = self.connection(queue.app, queue.connection)
            yield Subject("queue", f"{queue.connection}:{queue.name}", (queue, connection, self.app(queue.app), totals))
        for redis in live.redis_servers:
            joined = (redis, self.connection(redis.app, redis.connection), self.app(redis.app), totals)
            yield Subject("redis", redis.name, joined)
        for database in live.database_servers:
            app = self.app(database.app)
            connection = self.connection(database.app, database.connection)
            yield Subject("database", database.name, (database, connection, app, self.host, totals))
            for failure in database.failed_recent:
                yield Subject("failure", f"{database.name} {failure.name}", (failure, database, app, totals))
        for daemon in live.daemons:
            yield Subject("daemon", daemon.name, (daemon, self.confs.get(daemon.conf, NONE), totals))
        for process in live.supervised:
            yield self.supervised(process, totals)
        for running in live.processes:
            program, conf = self.program_of(running.group, running.process)
            yield Subject("process", running.name, (running, program, conf, self.app(running.app), totals))

    def app(self, name: str) -> App | Absent:
        """An app by its folder."""
        return self.apps.get(name, NONE)

    def connection(self, app: str, name: str) -> Connection | Absent:
        """A connection of an app by its name."""
        found = self.apps.get(app)
        return next((c for c in found.connections if c.name == name), NONE) if found is not None else NONE

    def supervised(self, process: DaemonProcess, totals: Totals) -> Subject:
        """A process of a daemon with its program, where the files still have it."""
        program = self.programs.get((process.conf, process.group, process.name), NONE)
        launch = self.launches.get((process.conf, program.name)) if isinstance(program, Program) else None
        daemon: Daemon | Absent = self.daemons.get(process.daemon, NONE)
        command: Command | Absent = launch.command if launch is not None else NONE
        app = self.app(launch.app) if launch is not None and not launch.is_unknown("app") else NONE
        name = process.name if process.name == process.group else f"{process.group}:{process.name}"
        conf = self.confs.get(process.conf, NONE)
        return Subject("supervised", name, (process, program, command, daemon, conf, app, totals))

    def program_of(self, group: str, process: str) -> tuple[Program | Absent, SupervisorConf | Absent]:
        """The one program that a process with these marks of supervisor's is of."""
        found = [(program, conf) for (conf, *key), program in self.programs.items() if key == [group, process]]
        return (found[0][0], self.confs[found[0][1]]) if len(found) == 1 else (NONE, NONE)


_UNASKED = ("denied", "unsupported")
"""Outcomes that tell nothing of what should have been asked."""


def _told(probe: Probe) -> Probe:
    """The probe; where nothing was asked, or only the process table did not tell, how that would have gone is unknown."""
    if probe.answered or (probe.outcome not in _UNASKED and probe.kind != "processes"):
        return probe
    return msgspec.structs.replace(probe, marks={**probe.marks, "outcome": unknown(probe.reason)})


def _of(probe: Probe) -> str:
    return f"{probe.connection} ({probe.name})" if probe.connection and probe.connection != probe.name else probe.name
