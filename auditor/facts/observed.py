"""What the running system said, joined with what its configuration says: the subjects that live rules are judged for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from auditor.facts.backend import Probe, QueueState
from auditor.facts.command import Command
from auditor.facts.laravel import App
from auditor.facts.launch import Launch
from auditor.facts.live import Live
from auditor.facts.origin import observed, unknown
from auditor.facts.queue import Connection
from auditor.facts.running import Daemon, DaemonProcess
from auditor.facts.schedule import CronLine
from auditor.facts.site import Site
from auditor.facts.subjects import NONE, Absent, Scheduler, Subject, Totals, Worker
from auditor.facts.supervisor import Program, SupervisorConf


class Observed:
    """One look at a site, to be joined with the site's own facts."""

    def __init__(self, site: Site) -> None:
        """Take what was observed, if anything was."""
        self.live = site.live or Live()
        self.previous = site.previous or Live()
        self.host = site.host
        self.apps: Mapping[str, App] = {}
        self.launches = {(one.conf, one.name): one for one in site.launches if one.runner == "supervisor"}
        self.confs = {conf.main: conf for conf in site.confs}
        self.programs = {
            (conf.main, program.group, name): program
            for conf in (site.confs if site.live is not None else ())
            for program in conf.programs
            for name in program.process_names
        }
        self.daemons = {daemon.name: daemon for daemon in self.live.daemons}
        self.written = {one.name: one for one in self.live.written}

    def with_servers(self, connection: Connection) -> Connection:
        """The connection with what its server said, which is surer than what the files say of it."""
        values: dict[str, Any] = {}
        for redis in self.live.redis_servers:
            if (redis.app, redis.connection) == (connection.app, connection.name):
                values |= {"redis_server": redis.name, "redis_policy": redis.maxmemory_policy,
                           "redis_evicts": redis.evicts_queues}  # fmt: skip
                doubt = next((redis.mark(f) for f in ("maxmemory", "maxmemory_policy") if redis.is_unknown(f)), None)
                marks = dict.fromkeys(values, doubt or observed(connection.place))
                marks["redis_server"] = observed(connection.place)
                return msgspec.structs.replace(connection, marks={**connection.marks, **marks}, **values)
        for database in self.live.database_servers:
            same = (database.app, database.connection) == (connection.app, connection.name)
            told = not database.is_unknown("version") and not connection.database_version
            if same and told and database.product in ("mysql", "mariadb"):
                marks = {**connection.marks, "database_version": observed(connection.place)}
                return msgspec.structs.replace(connection, marks=marks, database_version=database.version)
        return connection

    def failed_table_missing(self, app: str) -> str:
        """The table of an app's failed jobs where its database has none; "" where it has, or was not asked."""
        found = [d for d in self.live.database_servers if d.app == app and not d.is_unknown("missing_tables")]
        return next((d.failed_table for d in found if d.lacks_failed_table), "")

    def with_starter(self, scheduler: Scheduler, launch: Launch, line: CronLine | Absent) -> Scheduler:
        """The scheduler with what was seen of what starts it, and when its output was last written."""
        values: dict[str, Any] = {}
        if launch.runner == "cron" and self.live.crons == ():
            values["starter"] = "a cron daemon"
        written = self.written.get((line.appends_to or "").lstrip("/")) if isinstance(line, CronLine) else None
        if written is not None:
            values |= {"output": written.name, "output_age": written.age}
        if not values:
            return scheduler
        marks = {**scheduler.marks, **dict.fromkeys(values, observed(launch.command.place))}
        return msgspec.structs.replace(scheduler, marks=marks, **values)

    def subjects(
        self, apps: Mapping[str, App], workers: Mapping[tuple[str, str], Worker], totals: Totals
    ) -> Iterator[Subject]:
        """Everything that was observed, each with what it belongs to.

        The apps are the census's own, and so are the workers that supervisor runs, by configuration and program.
        """
        self.apps = apps
        live = self.live
        queues = {(q.app, q.connection, q.name): q for q in self.previous.queues}
        starts = {(p.daemon, p.group, p.name): p for p in self.previous.supervised}
        for probe in live.probes:
            conf = self.confs.get(probe.conf, NONE)
            roots = (
                _told(probe, conf),
                self.connection(probe.app, probe.connection),
                conf,
                self.app(probe.app),
                totals,
            )
            yield Subject("probe", _of(probe), roots)
        for now in live.queues:
            queue = self.since(now, queues.get((now.app, now.connection, now.name)))
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
        for event in live.logged:
            yield Subject("event", f"{event.name} {event.kind}", (event, self.app(event.app), totals))
        for daemon in live.daemons:
            yield Subject("daemon", daemon.name, (daemon, self.confs.get(daemon.conf, NONE), totals))
        for process in live.supervised:
            before = starts.get((process.daemon, process.group, process.name))
            yield self.supervised(process, before, totals)
        for running in live.processes:
            program, conf = self.program_of(running.group, running.process)
            worker: Worker | Absent = NONE
            if isinstance(program, Program) and isinstance(conf, SupervisorConf):
                worker = workers.get((conf.main, program.name), NONE)
            yield Subject("process", running.name, (running, worker, program, conf, self.app(running.app), totals))

    def since(self, queue: QueueState, before: QueueState | None) -> QueueState:
        """The queue with its size at the look before; unknown where neither look counted it to the end."""
        if before is None or before.is_unknown("size"):
            return queue
        if queue.size_capped and before.size_capped:
            doubt = unknown(f"it had more than {before.size:,} jobs at both looks, which are not counted further")
            return msgspec.structs.replace(queue, marks={**queue.marks, "previous_size": doubt})
        ago = self.live.taken - self.previous.taken
        return msgspec.structs.replace(queue, previous_size=before.size, previous_ago=max(ago, 0.0))

    def app(self, name: str) -> App | Absent:
        """An app by its folder."""
        return self.apps.get(name, NONE)

    def connection(self, app: str, name: str) -> Connection | Absent:
        """A connection of an app by its name."""
        found = self.apps.get(app)
        return next((c for c in found.connections if c.name == name), NONE) if found is not None else NONE

    def supervised(self, process: DaemonProcess, before: DaemonProcess | None, totals: Totals) -> Subject:
        """A process of a daemon with its program, where the files still have it, and with what it was before."""
        if before is not None:
            process = msgspec.structs.replace(process, previous_start=before.start, previous_uptime=before.uptime)
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


def _told(probe: Probe, conf: SupervisorConf | Absent) -> Probe:
    """The probe; where it tells nothing of what should have been asked, how that would have gone is unknown."""
    reason = probe.reason if probe.outcome in _UNASKED or probe.kind == "processes" else ""
    if probe.kind == "supervisord" and isinstance(conf, SupervisorConf) and not conf.has_programs:
        reason = "no program is supervised here, so that no supervisord need run"
    if probe.answered or not reason:
        return probe
    return msgspec.structs.replace(probe, marks={**probe.marks, "outcome": unknown(reason)})


def _of(probe: Probe) -> str:
    return f"{probe.connection} ({probe.name})" if probe.connection and probe.connection != probe.name else probe.name
