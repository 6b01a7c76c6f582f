"""Who is there: every fact of a site joined with those it belongs with, as the subjects that rules are judged for.

A rule that compares a worker with its connection needs both in one hand. The join is made here, once, so no rule loops.
What a subject lacks is `Absent`: with a reason where it cannot be known, without one where there is none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from auditor.facts.command import Command
from auditor.facts.host import Php
from auditor.facts.laravel import App
from auditor.facts.launch import SCHEDULER_KINDS, WORKER_KINDS, Launch
from auditor.facts.origin import NEVER, Fact, Mark, MiB, Seconds, declared, derived, unknown
from auditor.facts.queue import Connection, Pool
from auditor.facts.schedule import CronLine, CronTable, Unit
from auditor.facts.site import Site
from auditor.facts.supervisor import Program, SupervisorConf


class Absent(NamedTuple):
    """In place of a fact that a subject does not have."""

    reason: str = ""
    """Why it cannot be known; "" where there simply is none, so that rules about it do not apply."""


NONE = Absent()
Joined = Fact | Absent


class Subject(NamedTuple):
    """One thing that rules are judged for."""

    scope: str
    """A key of SCOPES."""
    name: str
    """As a report names it."""
    roots: tuple[Joined, ...]
    """What the scope's roots stand for, in the scope's order."""


class Worker(Fact):
    """Processes that take jobs off a queue: `queue:work` or `queue:listen`, whatever starts them."""

    name: str = ""
    """The program's, unit's or service's name."""
    kind: str = "queue:work"
    """"queue:work" or "queue:listen"."""
    runner: str = "supervisor"
    """What starts it: "supervisor", "systemd", "cron" …"""
    processes: int = 1
    """How many copies run."""
    user: str = "root"
    """The account it runs under."""
    connection_named: bool = False
    """Whether its command names a connection."""
    connection: str = ""
    """Name of the connection it uses: the one named, or the app's default."""
    queues: tuple[str, ...] = ()
    """The queues it polls, in order of priority, as written."""
    timeout: Seconds = 60.0
    """Seconds a job may run; NEVER for --timeout=0."""
    timeout_written: bool = False
    """Whether --timeout is given."""
    memory: MiB = 128.0
    """MiB at which it restarts between two jobs."""
    sleep: Seconds = 3.0
    """Seconds it waits when no job is ready."""
    rest: Seconds = 0.0
    """Seconds it waits after each job."""
    tries: int = 1
    """Attempts a job gets; 0 has no limit."""
    tries_written: bool = False
    """Whether --tries is given."""
    max_jobs: int = 0
    """Jobs after which it ends; 0 never."""
    max_time: Seconds = NEVER
    """Seconds after which it ends; NEVER where it does not."""
    once: bool = False
    """Whether it ends after one job."""
    stop_when_empty: bool = False
    """Whether it ends when no job is ready."""
    can_be_recycled: bool = True
    """Whether its Laravel has --max-time and --max-jobs: false only where that is known to be older than 8."""
    shared_variable: str = ""
    """The variable of unknown value that is both its --timeout and its program's stopwaitsecs, as written; "" where
    there is none."""
    twins: tuple[str, ...] = ()
    """Other workers on this host, defined elsewhere, that take the same jobs."""
    beside_horizon: tuple[str, ...] = ()
    """Horizon masters here that serve one of its queues on the same connection."""

    @derived("twins")
    def has_twins(self) -> bool:
        """Whether the same work is defined elsewhere as well."""
        return bool(self.twins)

    @derived("queues")
    def polls_several(self) -> bool:
        """Whether it polls more than one queue."""
        return len(self.queues) > 1

    @derived("queues")
    def queue_with_space(self) -> str:
        """The first queue name that begins or ends with a blank, "" where none does."""
        return next((q for q in self.queues if q != q.strip()), "")

    @derived("once", "stop_when_empty", "max_jobs", "max_time")
    def ends_by_itself(self) -> bool:
        """Whether it ends without being told to, sooner or later."""
        return self.once or self.stop_when_empty or self.max_jobs > 0 or self.max_time != NEVER


class Horizon(Fact):
    """A Horizon master."""

    name: str = ""
    """The program's name."""
    runner: str = "supervisor"
    """What starts it."""
    processes: int = 1
    """How many masters run."""
    user: str = "root"
    """The account it runs under."""
    environment: str = ""
    """The environment whose supervisors it starts: --environment, else the app's."""
    longest_timeout: Seconds = 60.0
    """The largest timeout of the Horizon supervisors it starts; NEVER where one has none."""
    pools: int = 0
    """How many Horizon supervisors it starts."""
    max_workers: int = 0
    """Workers they start at most, all together."""


class Scheduler(Fact):
    """Something that runs the application's scheduled tasks."""

    name: str = ""
    """The cron file and line, the program's or the unit's name."""
    kind: str = "schedule:run"
    """"schedule:run" or "schedule:work"."""
    runner: str = "cron"
    """What starts it."""
    loop: bool = False
    """Whether a shell loop repeats it."""
    background: bool = False
    """Whether the loop starts each run in the background."""
    user: str = "root"
    """The account it runs under."""
    every_minute: bool = True
    """Whether it runs once every minute."""
    others: tuple[str, ...] = ()
    """Other schedulers of the same app."""
    worker_users: tuple[str, ...] = ()
    """The accounts that the same app's workers run under."""

    @derived("user", "worker_users")
    def user_differs(self) -> bool:
        """Whether workers of the app run, and none under its account."""
        return bool(self.worker_users) and self.user not in self.worker_users


class Totals(Fact):
    """The site as a whole: its kind, and its sums."""

    name: str = ""
    """The audited path."""
    kind: str = "host"
    """"host", "repository" or "file"."""
    workers: int = 0
    """Worker processes, those of Horizon included."""
    workers_memory: MiB = 0.0
    """Sum over all workers of processes × (--memory + what PHP takes beside it)."""
    stop_sum: Seconds = 0.0
    """How long stopping everything can take: supervisord stops one group after another."""
    stop_longest: Seconds = 0.0
    """How long the slowest of its groups can take."""
    stop_granted: Seconds | None = None
    """How long systemd lets supervisord stop before it kills it; None where no unit that starts it is seen."""
    schedulers: int = 0
    """Schedulers found."""


class Census:
    """Every subject of a site, by scope."""

    def __init__(self, subjects: dict[str, list[Subject]]) -> None:
        """Hold the subjects."""
        self.subjects = subjects

    def of(self, scope: str) -> list[Subject]:
        """The subjects of one scope."""
        return self.subjects.get(scope, [])


BESIDE_HEAP = 32.0
"""MiB that a PHP worker's process holds beside the heap that --memory watches: the interpreter, opcache and extensions."""


def take_census(site: Site) -> Census:
    """Join everything once."""
    return _Joiner(site).join()


class _Joiner:
    def __init__(self, site: Site) -> None:
        self.site = site
        self.subjects: dict[str, list[Subject]] = defaultdict(list)
        self.apps = {app.name: app for app in site.apps}
        self.programs = {
            (conf.main, program.name): (conf, program) for conf in site.confs for program in conf.programs
        }
        self.units = {unit.path: unit for unit in site.units}
        self.lines: dict[tuple[str, int], tuple[CronTable, CronLine]] = {
            (table.path, line_number(line)): (table, line) for table in site.tables for line in table.lines
        }
        self.workers: list[tuple[Launch, Worker]] = []
        self.horizons: list[tuple[Launch, Horizon]] = []
        self.schedulers: list[tuple[Launch, Scheduler]] = []

    def add(self, scope: str, name: str, *roots: Joined) -> None:
        self.subjects[scope].append(Subject(scope, name, roots))

    def join(self) -> Census:
        for launch in self.site.launches:
            kind = launch.command.kind
            if kind in WORKER_KINDS:
                self.workers.append((launch, self.worker(launch)))
            elif kind == "horizon":
                self.horizons.append((launch, self.horizon(launch)))
            elif kind in SCHEDULER_KINDS:
                self.schedulers.append((launch, self.scheduler(launch)))
        self.relate()
        self.apps = {name: self.counted(app) for name, app in self.apps.items()}
        totals = self.totals()
        host = self.site.host
        self.add("site", self.site.name, totals, host)
        for app in self.apps.values():
            self.add("app", app.name, app, totals, host)
            for connection in app.connections:
                self.add("connection", connection.name, connection, app, totals)
            for pool in app.pools:
                self.add("pool", pool.name, pool, self.named(app, pool.connection), app, totals)
        for launch, worker in self.workers:
            app_ = self.app(launch)
            self.add(
                "worker", worker.name, worker, launch.command, self.program(launch), self.unit(launch),
                self.connection(launch, worker, app_), app_, self.php(launch), host, totals,
            )  # fmt: skip
        for launch, horizon in self.horizons:
            self.add(
                "horizon", horizon.name, horizon, launch.command, self.program(launch), self.unit(launch),
                self.app(launch), self.php(launch), host, totals,
            )  # fmt: skip
        for launch, scheduler in self.schedulers:
            table, line = self.cron(launch)
            self.add(
                "scheduler", scheduler.name, scheduler, launch.command, self.program(launch), self.unit(launch),
                line, table, self.app(launch), host, totals,
            )  # fmt: skip
        for launch in self.site.launches:
            if launch.runner == "supervisor":
                self.add(
                    "program", launch.name, self.program(launch), launch.command, launch, self.conf(launch),
                    self.app(launch), self.php(launch), host, totals,
                )  # fmt: skip
            self.add("launch", launch.name, launch, launch.command, self.app(launch), host, totals)
        for table in self.site.tables:
            self.add("table", table.path, table, totals)
        for conf in self.site.confs:
            self.of_conf(conf, totals)
        return Census(dict(self.subjects))

    def of_conf(self, conf: SupervisorConf, totals: Totals) -> None:
        self.add("conf", conf.main, conf, totals)
        for oddity in conf.oddities:
            self.add("oddity", oddity.section or conf.main, oddity, conf, totals)
        for server in conf.http_servers:
            self.add("server", server.section, server, conf, totals)
        for section in conf.sections:
            self.add("section", section.name, section, conf, totals)
            for setting in section.settings:
                self.add("setting", section.name.partition(":")[2] or section.name, setting, section, conf, totals)

    def program(self, launch: Launch) -> Program | Absent:
        found = self.programs.get((launch.conf, launch.name))
        return found[1] if found and launch.runner == "supervisor" else NONE

    def conf(self, launch: Launch) -> SupervisorConf | Absent:
        found = self.programs.get((launch.conf, launch.name))
        return found[0] if found else NONE

    def unit(self, launch: Launch) -> Unit | Absent:
        return self.units.get(launch.file, NONE) if launch.runner == "systemd" else NONE

    def cron(self, launch: Launch) -> tuple[CronTable | Absent, CronLine | Absent]:
        return self.lines.get((launch.file, launch.line), (NONE, NONE)) if launch.runner == "cron" else (NONE, NONE)

    def app(self, launch: Launch) -> App | Absent:
        mark = launch.mark("app")
        if launch.is_unknown("app"):
            return Absent(mark.reason or "which app it runs is not known")
        found = self.apps.get(launch.app)
        return found if found is not None else Absent("the Laravel app it runs was not found here")

    def php(self, launch: Launch) -> Php | Absent:
        if launch.command.in_container:
            return Absent("it runs in another container, whose PHP is not seen from here")
        wanted = launch.command.php_version
        for php in self.site.phps:
            if wanted is None or php.name in ("", wanted):
                return php
        return Absent("no php.ini of the PHP it runs was found here")

    def named(self, app: App | Absent, name: str) -> Connection | Absent:
        if isinstance(app, Absent):
            return app
        if not app.configured or app.is_unknown("connections"):
            return Absent(app.mark("connections").reason or f"the queue configuration of {_app(app)} was not read")
        return next((c for c in app.connections if c.name == name), NONE)

    def connection(self, launch: Launch, worker: Worker, app: App | Absent) -> Connection | Absent:
        if not worker.is_unknown("connection"):
            return self.named(app, worker.connection)
        reason = worker.mark("connection").reason or "which connection it uses is not known"
        if isinstance(app, Absent) or worker.connection_named or launch.command.is_unknown("connection"):
            return Absent(reason)
        return _agreed(app, reason)

    def worker(self, launch: Launch) -> Worker:
        command = launch.command
        marks = _taken(command, "timeout", "memory", "sleep", "rest", "tries", "max_jobs", "max_time", "once",
                       "stop_when_empty", "queues", "connection")  # fmt: skip
        marks |= _taken(launch, "name", "user", "processes")
        connection, queues = command.connection or "", command.queues
        app = self.app(launch)
        if not command.is_unknown("connection") and command.connection is None:
            if isinstance(app, Absent):
                marks["connection"] = unknown(app.reason)
            else:
                connection = app.default_connection
                marks["connection"] = app.mark("default_connection")
                if not app.configured:
                    marks["connection"] = unknown(f"the queue configuration of {_app(app)} was not read")
        if queues is None and not command.is_unknown("queues"):
            used = self.named(app, connection) if "connection" not in marks or not _is_unknown(marks["connection"]) else NONE
            if isinstance(used, Connection):
                queues = (used.queue,)
                marks["queues"] = used.mark("queue")
            else:
                queues = ()
                marks["queues"] = unknown("which queue it polls by default is not known")
        shared = self.shared_variable(launch)
        if shared:
            marks["shared_variable"] = declared(command.mark("timeout").origin)
        return Worker(
            marks=marks,
            can_be_recycled=isinstance(app, Absent) or not app.laravel or app.is_unknown("laravel") or app.laravel[0] >= 8,
            shared_variable=shared,
            name=launch.name,
            kind=command.kind,
            runner=launch.runner,
            processes=launch.processes,
            user=launch.user,
            connection_named=command.connection is not None,
            connection=connection,
            queues=queues or (),
            timeout=command.timeout,
            timeout_written="timeout" in command.marks,
            memory=command.memory,
            sleep=command.sleep,
            rest=command.rest,
            tries=command.tries,
            tries_written="tries" in command.marks,
            max_jobs=command.max_jobs,
            max_time=command.max_time,
            once=command.once,
            stop_when_empty=command.stop_when_empty,
        )

    def shared_variable(self, launch: Launch) -> str:
        """The one variable that a worker's --timeout and its program's stopwaitsecs both are, "" where they are not."""
        found, program = launch.command.timeout_variable, self.program(launch)
        if not found or isinstance(program, Absent) or not program.is_unknown("stopwaitsecs"):
            return ""
        conf, _ = self.programs[launch.conf, launch.name]
        values = (
            setting.value.strip()
            for section in conf.sections
            if section.name == program.section
            for setting in section.settings
            if setting.name == "stopwaitsecs"
        )
        return found if found in values else ""

    def horizon(self, launch: Launch) -> Horizon:
        marks = _taken(launch, "name", "user", "processes")
        app = self.app(launch)
        environment = launch.command.horizon_environment or launch.command.environment or ""
        if isinstance(app, Absent):
            for field in ("environment", "longest_timeout", "pools", "max_workers"):
                marks[field] = unknown(app.reason)
            return Horizon(marks=marks, name=launch.name, runner=launch.runner, processes=launch.processes, user=launch.user)
        pools = [pool for pool in app.pools if pool.live]
        if not environment:
            environment = app.environment
            marks["environment"] = app.mark("environment")
        if app.is_unknown("pools") or not app.pools:
            reason = app.mark("pools").reason or f"config/horizon.php of {_app(app)} was not found"
            for field in ("longest_timeout", "pools", "max_workers"):
                marks[field] = unknown(reason)
        elif any(pool.is_unknown("timeout") for pool in pools):
            marks["longest_timeout"] = unknown("a timeout in config/horizon.php cannot be known from here")
        longest = max(pools, key=lambda pool: pool.timeout, default=None)
        if longest is not None and "longest_timeout" not in marks and "timeout" in longest.marks:
            marks["longest_timeout"] = longest.marks["timeout"]
        if any(pool.is_unknown("max_processes") for pool in pools):
            marks["max_workers"] = unknown("a number of processes in config/horizon.php cannot be known from here")
        return Horizon(
            marks=marks,
            name=launch.name,
            runner=launch.runner,
            processes=launch.processes,
            user=launch.user,
            environment=environment,
            longest_timeout=longest.timeout if longest is not None else 60.0,
            pools=len(pools),
            max_workers=sum(pool.max_processes for pool in pools),
        )

    def scheduler(self, launch: Launch) -> Scheduler:
        marks = _taken(launch, "name", "user")
        command = launch.command
        table, line = self.cron(launch)
        unit = self.unit(launch)
        every = True
        if isinstance(line, CronLine):
            every = line.every_minute
            marks["every_minute"] = line.mark("schedule")
        elif isinstance(unit, Unit) and command.kind == "schedule:run" and not command.loop:
            every, marks["every_minute"] = self.timed(unit)
        return Scheduler(
            marks=marks,
            name=launch.name,
            kind=command.kind,
            runner=launch.runner,
            loop=command.loop,
            background=command.backgrounded,
            user=launch.user,
            every_minute=every,
        )

    def timed(self, unit: Unit) -> tuple[bool, Mark]:
        """Whether a timer starts a service every minute."""
        timers = [timer for timer in self.site.units if timer.name in unit.triggered_by]
        if not timers:
            return False, unknown("no timer that starts it was found")
        timer = max(timers, key=lambda timer: timer.every_minute)
        return timer.every_minute, timer.mark("every_minute")

    def relate(self) -> None:
        """Tell each worker, Horizon and scheduler of the others it shares work with."""
        by_app: dict[str, list[tuple[Launch, Scheduler]]] = defaultdict(list)
        for launch, scheduler in self.schedulers:
            by_app[launch.app].append((launch, scheduler))
        users: dict[str, set[str]] = defaultdict(set)
        unsure: set[str] = set()
        for launch, member in [*self.workers, *self.horizons]:
            if member.is_unknown("user"):
                unsure.add(launch.app)
            users[launch.app].add(member.user)
        related = []
        for launch, scheduler in self.schedulers:
            others = tuple(
                s.name for other, s in by_app[launch.app] if other is not launch and other.live and other.instance == launch.instance
            )
            marks = dict(scheduler.marks)
            if launch.app in unsure:
                marks["worker_users"] = unknown("which account its workers run under is not known")
            related.append(
                (launch, msgspec.structs.replace(
                    scheduler, marks=marks, others=others, worker_users=tuple(sorted(users[launch.app]))
                ))
            )  # fmt: skip
        self.schedulers = related
        same: dict[tuple[object, ...], list[tuple[Launch, Worker]]] = defaultdict(list)
        for launch, worker in self.workers:
            if launch.live and self.site.kind == "host":
                same[self.work_of(launch, worker)].append((launch, worker))
        self.workers = [
            (launch, msgspec.structs.replace(worker, twins=self.twins(launch, worker, same), beside_horizon=self.beside(launch, worker)))
            for launch, worker in self.workers
        ]  # fmt: skip

    def work_of(self, launch: Launch, worker: Worker) -> tuple[object, ...]:
        """What makes two workers take the same jobs; where that is not known, the same words."""
        if any(fact.is_unknown(field) for fact, field in ((launch, "app"), (worker, "connection"), (worker, "queues"))):
            return (launch.command.text,)
        return (launch.app, worker.connection, worker.queues)

    def twins(
        self, launch: Launch, worker: Worker, same: dict[tuple[object, ...], list[tuple[Launch, Worker]]]
    ) -> tuple[str, ...]:
        """Those of another file, started by something else or with the very same command: two in one file are meant."""
        return tuple(
            other_worker.name
            for other, other_worker in same.get(self.work_of(launch, worker), ())
            if other.file != launch.file and (other.runner != launch.runner or other.command.text == launch.command.text)
        )

    def beside(self, launch: Launch, worker: Worker) -> tuple[str, ...]:
        if worker.is_unknown("connection") or worker.is_unknown("queues"):
            return ()
        return tuple(
            horizon.name
            for other, horizon in self.horizons
            if other.app == launch.app and other.instance == launch.instance and self.serves(launch.app, worker)
        )

    def serves(self, app: str, worker: Worker) -> bool:
        found = self.apps.get(app)
        return found is not None and any(
            pool.connection == worker.connection and set(pool.queues) & set(worker.queues)
            for pool in found.pools
            if pool.live and not pool.is_unknown("queues")
        )

    def counted(self, app: App) -> App:
        """The app with what serves it counted."""
        marks = dict(app.marks)
        schedulers = tuple(s.name for launch, s in self.schedulers if launch.app == app.name)
        served = tuple(dict.fromkeys(q for launch, w in self.workers if launch.app == app.name for q in w.queues))
        unsure = any(launch.is_unknown("app") for launch, _ in self.schedulers)
        if not schedulers and (unsure or self.site.scheduler_hints):
            marks["schedulers"] = unknown(
                f"{self.site.scheduler_hints[0]} mentions the scheduler, in a way that is not read"
                if self.site.scheduler_hints
                else "a scheduler here runs an app that is not known"
            )
        elif not schedulers and self.site.kind == "file":
            marks["schedulers"] = unknown("only one file was looked at")
        return msgspec.structs.replace(
            app,
            marks=marks,
            connections=self.told_used(app),
            schedulers=len(schedulers),
            workers=sum(1 for launch, _ in [*self.workers, *self.horizons] if launch.app == app.name),
            served_queues=served,
        )

    def told_used(self, app: App) -> tuple[Connection, ...]:
        """Its connections, each told whether jobs go through it."""
        workers = [worker for launch, worker in self.workers if launch.app == app.name]
        names = {worker.connection for worker in workers if not worker.is_unknown("connection")}
        if any(launch.app == app.name for launch, _ in self.horizons):
            names.update(pool.connection for pool in app.pools if pool.live)
        unsure = len(names) < len(workers) and any(worker.is_unknown("connection") for worker in workers)
        found = []
        for connection in app.connections:
            used = connection.is_default or connection.name in names
            marks = dict(connection.marks)
            if not used and (unsure or connection.is_unknown("is_default")):
                marks["used"] = unknown("whether jobs go through this connection is not known")
            found.append(msgspec.structs.replace(connection, marks=marks, used=used))
        return tuple(found)

    def totals(self) -> Totals:
        marks: dict[str, Mark] = {}
        memory, count = 0.0, 0
        for launch, worker in self.workers:
            for field in ("processes", "memory"):
                if worker.is_unknown(field):
                    marks.setdefault("workers_memory", unknown(f"{field} of {worker.name} is not known"))
            memory += worker.processes * (worker.memory + BESIDE_HEAP)
            count += worker.processes
        for launch, horizon in self.horizons:
            app = self.apps.get(launch.app)
            if app is None or horizon.is_unknown("max_workers"):
                marks.setdefault("workers_memory", unknown(f"how many workers {horizon.name} starts is not known"))
                continue
            for pool in app.pools:
                if pool.live:
                    memory += pool.max_processes * (pool.memory + BESIDE_HEAP)
                    count += pool.max_processes
        if any(worker.runner not in ("supervisor", "systemd", "cron") for _, worker in self.workers):
            marks.setdefault("workers_memory", unknown("workers here run on other machines or in other containers"))
        if self.site.kind != "host":
            marks["workers_memory"] = unknown("which of these workers run on one machine is not known")
        return Totals(
            marks=marks,
            name=self.site.name,
            kind=self.site.kind,
            workers=count,
            workers_memory=memory,
            stop_sum=self.stop_sum(),
            stop_longest=max((g.stopwaitsecs for c in self.site.confs if c.is_main for g in c.groups if not g.dropped), default=0.0),
            stop_granted=self.stop_granted(),
            schedulers=len(self.schedulers),
        )

    def stop_granted(self) -> float | None:
        """TimeoutStopSec= of the one unit that starts supervisord."""
        found = [
            unit.timeout_stop
            for unit in self.site.units
            if unit.kind == "service" and not unit.masked and any("supervisord" in command for command in unit.exec_start)
        ]
        return found[0] if len(found) == 1 else None

    def stop_sum(self) -> float:
        """Groups are stopped one after another, the members of one together (supervisord's shutdown)."""
        return sum(conf.stop_seconds for conf in self.site.confs if conf.is_main)


def line_number(line: CronLine) -> int:
    """The line of its table on which a job stands, from 1."""
    place = line.mark("schedule").origin
    return place.line or 0 if place is not None else 0


def _taken(source: Fact, *fields: str) -> dict[str, Mark]:
    return {field: source.marks[field] for field in fields if field in source.marks}


def _is_unknown(mark: Mark) -> bool:
    return mark.reason is not None


def _app(app: App) -> str:
    return "the app" if app.name == "." else f"the app in {app.name}"


def _agreed(app: App, reason: str) -> Connection | Absent:
    """What every connection that a worker could use agrees on, where which one it uses is not known."""
    candidates = [c for c in app.connections if not c.idles and not c.is_unknown("driver")]
    if not candidates or len(candidates) != sum(1 for c in app.connections if not c.idles):
        return Absent(reason)
    first = candidates[0]
    marks = dict(first.marks)
    for field in Connection.__struct_fields__:
        if field not in ("marks", "app") and any(
            getattr(c, field) != getattr(first, field) or c.is_unknown(field) for c in candidates
        ):
            marks[field] = unknown(reason)
    return msgspec.structs.replace(first, marks=marks)


def every(census: Census) -> Iterator[Subject]:
    """Every subject of every scope."""
    for subjects in census.subjects.values():
        yield from subjects


__all__ = ["NEVER", "Absent", "Census", "Command", "Horizon", "Pool", "Scheduler", "Subject", "Totals", "Worker", "take_census"]
