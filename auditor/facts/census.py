"""The census: every fact of a site joined with those it belongs with, as the subjects that rules are judged for.

A rule that compares a worker with its connection needs both in one hand. The join is made here, once, so no rule loops.
What a subject lacks is `Absent`: with a reason where it cannot be known, without one where there is none.
"""

from __future__ import annotations

import fnmatch
from collections import defaultdict
from typing import Any

import msgspec

from auditor.facts.container import PRODUCTION_KINDS, Service
from auditor.facts.deployment import Deployment
from auditor.facts.host import Php
from auditor.facts.invoiceninja import Ninja
from auditor.facts.laravel import App
from auditor.facts.launch import SCHEDULER_KINDS, WORKER_KINDS, Launch
from auditor.facts.live import Live
from auditor.facts.observed import Observed
from auditor.facts.origin import NEVER, Fact, Mark, declared, observed, unknown
from auditor.facts.queue import Connection, Pool
from auditor.facts.schedule import CronLine, CronTable, Unit
from auditor.facts.site import Site
from auditor.facts.subjects import (
    BESIDE_HEAP,
    NONE,
    Absent,
    Census,
    Horizon,
    Joined,
    Scheduler,
    Subject,
    Totals,
    Worker,
)
from auditor.facts.supervisor import Program, SupervisorConf

_USUAL_HOMES = {"root": "/root", "www-data": "/var/www", "nobody": "/nonexistent"}
"""Debian's, for where etc/passwd does not tell."""
_URGENT = ("critical", "urgent", "high")
_ORDINARY = ("default", "low")
"""Names that say how soon a queue wants to be drained; other names say nothing."""


def take_census(site: Site) -> Census:
    """Join everything once."""
    return _Joiner(site).join()


class _Joiner:
    def __init__(self, site: Site) -> None:
        self.site = site
        self.live = site.live if site.live is not None else Live()
        self.subjects: dict[str, list[Subject]] = defaultdict(list)
        self.apps = {app.name: app for app in site.apps}
        self.programs = {(conf.main, program.name): (conf, program) for conf in site.confs for program in conf.programs}
        self.units = {unit.path: unit for unit in site.units}
        self.lines: dict[tuple[str, int], list[tuple[CronTable, CronLine]]] = defaultdict(list)
        for table in site.tables:
            for line in table.lines:
                self.lines[table.path, line.number].append((table, line))
        self.deployment = Deployment(site)
        self.observed = Observed(site)
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
        self.add("site", self.site.name, totals, host, *self.heaviest())
        for app in self.apps.values():
            self.add("app", app.name, app, totals, host)
            for connection in app.connections:
                self.add("connection", connection.name, connection, app, totals, self.ninja(app))
            for pool in app.pools:
                self.add("pool", pool.name, pool, self.named(app, pool.connection), app, totals)
        for launch, worker in self.workers:
            app_ = self.app(launch)
            self.add(
                "worker", worker.name, worker, launch.command, self.program(launch), self.unit(launch),
                self.connection(launch, worker, app_), app_, self.php(launch), host, totals, self.ninja(app_),
                self.service(launch),
            )  # fmt: skip
        for launch, horizon in self.horizons:
            self.add(
                "horizon", horizon.name, horizon, launch.command, self.program(launch), self.unit(launch),
                self.app(launch), self.php(launch), host, totals, self.service(launch),
            )  # fmt: skip
        for launch, scheduler in self.schedulers:
            table, line = self.cron(launch)
            self.add(
                "scheduler", scheduler.name, self.observed.with_starter(scheduler, launch, line), launch.command,
                self.program(launch), self.unit(launch),
                line, table, self.app(launch), host, totals, self.service(launch),
            )  # fmt: skip
        for launch in self.site.launches:
            if launch.runner == "supervisor":
                self.add(
                    "program", launch.name, self.program(launch), launch.command, self.logged(launch),
                    self.conf(launch), self.app(launch), self.php(launch), host, totals, self.ninja(self.app(launch)),
                    self.service(launch),
                )  # fmt: skip
            self.add("launch", launch.name, launch, launch.command, self.app(launch), host, totals)
        for table in self.site.tables:
            self.add("table", table.path, table, totals)
            for line in table.lines:
                at = line.number
                app_ = self.app_of_line(table, at)
                self.add("line", f"{table.path}:{at}", self.rotating(line), table, app_, host, totals, self.ninja(app_))
        for conf in self.site.confs:
            self.of_conf(conf, totals)
        self.ninjas(totals)
        self.containers(totals)
        supervised = {(launch.conf, worker.name): worker for launch, worker in self.workers if launch.conf}
        for subject in self.observed.subjects(self.apps, supervised, totals):
            self.subjects[subject.scope].append(subject)
        return Census(dict(self.subjects), live=self.site.live is not None)

    def ninja(self, app: App | Absent) -> Ninja | Absent:
        """What an app is where it is an InvoiceNinja; rules about it do not apply to any other."""
        if isinstance(app, Absent):
            return app if any(one.ninja is not None for one in self.apps.values()) else NONE
        return app.ninja if app.ninja is not None else NONE

    def ninjas(self, totals: Totals) -> None:
        """Each InvoiceNinja with what its database says, and its bank feeds."""
        states = {state.app: state for state in self.live.ninjas}
        for app in self.apps.values():
            if app.ninja is not None:
                state = states.get(app.name) or self.unanswered(app)
                self.add("ninja", app.name, app.ninja, state, app, totals, self.site.host)
        for feed in self.live.feeds:
            app_ = self.apps.get(feed.app, NONE)
            self.add("feed", feed.name, feed, self.ninja(app_), app_, totals, self.site.host)

    def unanswered(self, app: App) -> Absent:
        """In place of what an InvoiceNinja's database says: why it did not answer, where it was asked."""
        reasons = (probe.reason for probe in self.live.probes if probe.app == app.name and probe.reason)
        return Absent(next(reasons, "")) if self.site.live is not None else NONE

    def counted_ninja(self, app: App, schedulers: Mark | None, count: int) -> Ninja | None:
        """Its InvoiceNinja with what serves it counted, and the accounts its bank sync asks."""
        if app.ninja is None:
            return None
        marks = dict(app.ninja.marks)
        if schedulers is not None and schedulers.reason is not None:
            marks["schedulers"] = schedulers
        launches = [launch for launch, _ in [*self.workers, *self.horizons]]
        workers = sum(1 for launch in launches if launch.live and launch.app == app.name)
        lost = next((launch.mark("app") for launch in launches if launch.is_unknown("app")), None)
        if not workers and (lost is not None or self.site.worker_hints):
            marks["workers"] = lost or unknown(
                f"{self.site.worker_hints[0]} mentions a worker, in a way that is not read"
            )
        state = next((state for state in self.live.ninjas if state.app == app.name), None)
        asked = sum(1 for feed in self.live.feeds if feed.app == app.name and feed.is_synced)
        if state is not None:
            marks["cache_table_made"] = observed()
        return msgspec.structs.replace(
            app.ninja,
            marks=marks,
            workers=workers,
            schedulers=count,
            feeds=asked if state is not None else 1,
            feeds_counted=state is not None,
            cache_table_made=app.ninja.cache_table_made if state is None else state.has_cache_table,
        )

    def containers(self, totals: Totals) -> None:
        """Each service of a deployment with what its workers need to stop, and each image."""
        running = [
            *((launch, worker, "timeout") for launch, worker in self.workers),
            *((launch, horizon, "longest_timeout") for launch, horizon in self.horizons),
        ]
        programs = {
            id(launch): program for launch, _, _ in running if isinstance(program := self.program(launch), Program)
        }
        for service in self.deployment.told(running, programs):
            self.add("service", service.name, service, totals)
        for image in self.deployment.images():
            self.add("image", image.name, image, totals)

    def service(self, launch: Launch) -> Service | Absent:
        """The container that a launch runs in."""
        found = self.deployment.of(launch)
        if isinstance(found, str):
            return Absent(found)
        return found if found is not None else NONE

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

    def logged(self, launch: Launch) -> Launch:
        """The launch, with what logrotate does to its log."""
        program = self.program(launch)
        if not isinstance(program, Program) or program.stdout_logfile in (None, "AUTO"):
            return launch
        marks = {**launch.marks, "log_rotated": self.rotation(program.stdout_logfile)}
        return msgspec.structs.replace(launch, marks=marks, log_rotated=self.rotates(program.stdout_logfile))

    def conf(self, launch: Launch) -> SupervisorConf | Absent:
        found = self.programs.get((launch.conf, launch.name))
        return found[0] if found else NONE

    def unit(self, launch: Launch) -> Unit | Absent:
        return self.units.get(launch.file, NONE) if launch.runner == "systemd" else NONE

    def app_of_line(self, table: CronTable, number: int) -> App | Absent:
        """The app a cron line runs: that of what it starts; where nothing is, the only one there is."""
        for launch in self.site.launches:
            if launch.runner == "cron" and launch.file == table.path and launch.line == number:
                return self.app(launch)
        if len(self.apps) == 1:
            return next(iter(self.apps.values()))
        return Absent("which app it runs is not known")

    def cron(self, launch: Launch) -> tuple[CronTable | Absent, CronLine | Absent]:
        found = self.lines.get((launch.file, launch.line)) if launch.runner == "cron" else None
        if not found:
            return NONE, NONE
        # A table that an instruction puts in place has all its lines there.
        schedules = launch.command.kind in SCHEDULER_KINDS
        return next((each for each in found if each[1].runs_schedule == schedules), found[0])

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
        if command.place is not None:
            marks["command"] = declared(command.place)
        connection, queues = command.connection or "", command.queues
        app, php = self.app(launch), self.php(launch)
        if not command.is_unknown("connection") and command.connection is None:
            if isinstance(app, Absent):
                marks["connection"] = unknown(app.reason)
            else:
                connection = app.default_connection
                marks["connection"] = app.mark("default_connection")
                own = self.environment_of(launch).get(app.queue_env_name, "") if not app.config_cached else ""
                if own:
                    connection, marks["connection"] = own, self.environment_mark(launch)
                if not app.configured:
                    marks["connection"] = unknown(f"the queue configuration of {_app(app)} was not read")
        if queues is None and not command.is_unknown("queues"):
            used = (
                self.named(app, connection)
                if "connection" not in marks or not _is_unknown(marks["connection"])
                else NONE
            )
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
            can_be_recycled=isinstance(app, Absent)
            or not app.laravel
            or app.is_unknown("laravel")
            or app.laravel[0] >= 8,
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
            heap=command.memory_limit or (php.memory_limit if isinstance(php, Php) else NEVER),
            sleep=command.sleep,
            rest=command.rest,
            tries=command.tries,
            tries_written="tries" in command.marks,
            laravel_known=isinstance(app, App) and bool(app.laravel) and not app.is_unknown("laravel"),
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

    def environment_of(self, launch: Launch) -> dict[str, str]:
        """What starts it puts into its environment: it beats the same name in .env."""
        found: dict[str, str] = {}
        for owner in self.owners(launch):
            found |= dict(owner.environment)
        return found

    def environment_mark(self, launch: Launch) -> Mark:
        """Where the nearest of those that set its environment does."""
        return next(
            (one.mark("environment") for one in reversed(self.owners(launch)) if one.environment),
            unknown("nothing sets it"),
        )

    def owners(self, launch: Launch) -> list[Service | Program | Unit]:
        """What sets its environment: the container it runs in, and in that its program or unit."""
        inner = self.program(launch) if launch.runner == "supervisor" else self.unit(launch)
        return [one for one in (self.service(launch), inner) if isinstance(one, Service | Program | Unit)]

    def horizon(self, launch: Launch) -> Horizon:
        marks = _taken(launch, "name", "user", "processes")
        app = self.app(launch)
        environment = launch.command.horizon_environment or launch.command.environment or ""
        if isinstance(app, Absent):
            for field in ("environment", "longest_timeout", "pools", "max_workers"):
                marks[field] = unknown(app.reason)
            return Horizon(
                marks=marks,
                name=launch.name,
                runner=launch.runner,
                processes=launch.processes,
                user=launch.user,
                configured=False,
            )
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
        timeout = longest.timeout if longest is not None else 60.0
        if longest is not None and "longest_timeout" not in marks and "timeout" in longest.marks:
            marks["longest_timeout"] = longest.marks["timeout"]
        if app.horizon_published and "longest_timeout" in marks:
            marks["expected_timeout"] = marks["longest_timeout"]
        if any(pool.is_unknown("max_processes") for pool in pools):
            marks["max_workers"] = unknown("a number of processes in config/horizon.php cannot be known from here")
        return Horizon(
            marks=marks,
            name=launch.name,
            runner=launch.runner,
            processes=launch.processes,
            user=launch.user,
            environment=environment,
            longest_timeout=timeout,
            expected_timeout=timeout,
            configured=app.horizon_published,
            pools=len(pools),
            max_workers=sum(pool.max_processes for pool in pools),
        )

    def scheduler(self, launch: Launch) -> Scheduler:
        marks = _taken(launch, "name", "user")
        command = launch.command
        table, line = self.cron(launch)
        unit = self.unit(launch)
        service = self.deployment.of(launch)
        every, gap = True, 60.0
        starts_in_app, marks["starts_in_app"] = self.starts_in_app(line)
        if isinstance(line, CronLine):
            every, gap = line.every_minute, line.largest_gap
            marks["every_minute"] = line.mark("every_minute" if line.is_unknown("every_minute") else "schedule")
            marks["largest_gap"] = line.mark("largest_gap" if line.is_unknown("largest_gap") else "schedule")
        elif isinstance(unit, Unit) and command.kind == "schedule:run" and not command.loop:
            every, marks["every_minute"] = self.timed(unit)
            if not every:
                marks["largest_gap"] = unknown("how far apart a timer's runs are is not worked out")
        elif isinstance(service, Service) and service.periodic and not command.loop:
            every, gap = service.every_minute, service.largest_gap
            marks |= _taken(service, "every_minute", "largest_gap")
        owner, mark = self.deployment.files_owner(launch, table if isinstance(table, CronTable) else None)
        if mark is not None:
            marks["files_owner"] = mark
        return Scheduler(
            marks=marks,
            files_owner=owner,
            name=launch.name,
            kind=command.kind,
            runner=launch.runner,
            loop=command.loop,
            background=command.backgrounded,
            user=launch.user,
            every_minute=every,
            largest_gap=gap,
            starts_in_app=starts_in_app,
        )

    def starts_in_app(self, line: CronLine | Absent) -> tuple[bool, Mark]:
        """Whether cron starts a line in its app's folder: it starts it in HOME, else in the account's home."""
        if not isinstance(line, CronLine):
            return False, unknown("the folder it starts in is not looked at")
        home = line.home
        if home is None and not line.is_unknown("user") and line.user is not None:
            home = dict(self.site.host.homes).get(line.user) or _USUAL_HOMES.get(line.user)
        if home is None:
            return False, unknown("the home folder that cron starts it in is not known")
        if not self.apps:
            return False, unknown("where the app lies is not known")
        return (home.strip("/") or ".") in self.apps, line.mark("command")

    def rotating(self, line: CronLine) -> CronLine:
        """A cron line, with what logrotate does to the file it appends its output to."""
        marks = {**line.marks, "output_rotated": self.rotation(line.appends_to)}
        return msgspec.structs.replace(line, marks=marks, output_rotated=self.rotates(line.appends_to))

    def rotates(self, path: str | None) -> bool:
        """Whether logrotate rotates a log."""
        return path is not None and any(fnmatch.fnmatchcase(path, pattern) for pattern in self.site.host.rotated)

    def rotation(self, path: str | None) -> Mark:
        """How it is known whether logrotate rotates a log."""
        if self.site.host.is_unknown("rotated"):
            return self.site.host.mark("rotated")
        if path is None or not path.startswith("/") or "$" in path:
            return unknown("which file its output goes to is not known")
        return self.site.host.mark("rotated")

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
        accounts: dict[str, Mark] = {}
        members: list[tuple[Launch, Worker | Horizon]] = [*self.workers, *self.horizons]
        for launch, member in members:
            if member.is_unknown("user"):
                unsure.add(launch.app)
            users[launch.app].add(member.user)
            if member.mark("user").origin is not None:
                accounts.setdefault(launch.app, member.mark("user"))
        related: list[tuple[Launch, Scheduler]] = []
        for launch, scheduler in self.schedulers:
            others = tuple(
                s.name
                for other, s in by_app[launch.app]
                if other is not launch and other.live and other.instance == launch.instance
            )
            marks = dict(scheduler.marks)
            before = {s.name for _, s in self.schedulers[: len(related)]}
            earlier = tuple(name for name in others if name in before)
            if launch.is_unknown("app"):
                others = earlier = ()
                marks["others"] = marks["earlier"] = marks["worker_users"] = launch.mark("app")
            elif launch.app in unsure:
                marks["worker_users"] = unknown("which account its workers run under is not known")
            elif launch.app in accounts:
                marks["worker_users"] = accounts[launch.app]
            related.append(
                (launch, msgspec.structs.replace(
                    scheduler, marks=marks, others=others, earlier=earlier,
                    worker_users=tuple(sorted(users[launch.app])),
                ))
            )  # fmt: skip
        self.schedulers = related
        same: dict[tuple[object, ...], list[tuple[Launch, Worker]]] = defaultdict(list)
        for launch, worker in self.workers:
            if launch.live and self.site.kind == "host":
                same[self.work_of(launch, worker)].append((launch, worker))
        self.workers = [
            (launch, msgspec.structs.replace(
                worker,
                twins=self.twins(launch, worker, same),
                **self.horizon_beside(launch, worker),
                **_misordered(worker),
            ))
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
            if other.file != launch.file
            and (other.runner != launch.runner or other.command.text == launch.command.text)
        )

    def horizon_beside(self, launch: Launch, worker: Worker) -> dict[str, Any]:
        """The Horizon masters beside a worker that serve its queues for certain, and those that probably do."""
        beside = [
            (other, horizon.name)
            for other, horizon in self.horizons
            if other.app == launch.app and other.instance == launch.instance
        ]
        served = self.serves(launch, worker) if beside else False
        if served is False:
            return {}
        field = "maybe_beside_horizon" if served is None else "beside_horizon"
        marks = {**worker.marks, field: declared(beside[0][0].place)}
        return {"marks": marks, field: tuple(name for _, name in beside)}

    def serves(self, launch: Launch, worker: Worker) -> bool | None:
        """Whether Horizon serves a queue of this worker; None where it is likely, and not known.

        Where config/horizon.php or the worker's connection is not known, Horizon as it is published (connection redis,
        queue default) beside a worker of the default queue is.
        """
        command = launch.command
        app = self.apps.get(launch.app)
        known = app is not None and bool(app.pools) and not app.is_unknown("pools")
        pools = [p for p in app.pools if p.live] if app is not None and known else [Pool()]
        likely = not known
        for pool in pools:
            if pool.is_unknown("queues") or pool.is_unknown("connection"):
                continue
            if not worker.is_unknown("connection"):
                on_it = pool.connection == worker.connection
            elif worker.connection_named or command.is_unknown("connection"):
                continue
            else:
                on_it, likely = True, True
            polled = worker.queues
            if worker.is_unknown("queues"):
                if command.is_unknown("queues"):
                    continue
                polled, likely = ("default",), True
            if on_it and set(pool.queues) & set(polled):
                return None if likely else True
        return False

    def counted(self, app: App) -> App:
        """The app with what serves it counted."""
        marks = dict(app.marks)
        schedulers = tuple(s.name for launch, s in self.schedulers if launch.live and launch.app == app.name)
        served = tuple(dict.fromkeys(q for launch, w in self.workers if launch.app == app.name for q in w.queues))
        unsure = any(launch.is_unknown("app") for launch, _ in self.schedulers)
        if not schedulers and (unsure or self.site.scheduler_hints):
            marks["schedulers"] = unknown(
                f"{self.site.scheduler_hints[0]} mentions the scheduler, in a way that is not read"
                if self.site.scheduler_hints
                else "a scheduler here runs an app that is not known"
            )
        elif not schedulers and (meant := self.meant_for(app)):
            marks["schedulers"] = unknown(f"a line of {meant} is meant to run it and cannot, which other rules judge")
        elif not schedulers and (maybe := self.idle_scheduler(app)):
            marks["schedulers"] = unknown(f"whether {maybe}, which runs it, is in use is not known")
        elif not schedulers and self.site.kind == "file":
            marks["schedulers"] = unknown("only one file was looked at")
        elif not schedulers and not self.deployed(app):
            marks["schedulers"] = unknown("nothing in this repository tells how the app is run where it is deployed")
        elif not schedulers and app.mark("schedules_tasks").origin is not None:
            marks["schedulers"] = declared(app.mark("schedules_tasks").origin)
        ninja = self.counted_ninja(app, marks.get("schedulers"), len(schedulers))
        if not schedulers and ninja is not None and ninja.webcron:
            marks["schedulers"] = unknown(
                "WEBCRON_SECRET is set, so that a request from elsewhere may run the schedule"
            )
        processes, marks["processes"] = self.processes(app)
        unserved, marks["unserved"] = self.unserved(app)
        unscheduled, mark = self.deployment.unscheduled(app.name, (launch for launch, _ in self.schedulers))
        if mark is not None:
            marks["unscheduled"] = mark
        return msgspec.structs.replace(
            app,
            marks=marks,
            ninja=ninja,
            processes=processes,
            failed_table_missing=self.observed.failed_table_missing(app.name),
            unserved=unserved,
            unscheduled=unscheduled,
            connections=tuple(self.polled(app, connection) for connection in self.told_used(app)),
            schedulers=len(schedulers),
            workers=sum(1 for launch, _ in [*self.workers, *self.horizons] if launch.live and launch.app == app.name),
            served_queues=served,
            horizons=sum(1 for launch, _ in self.horizons if launch.app == app.name),
            default_workers=sum(
                1
                for launch, worker in self.workers
                if launch.app == app.name
                and not worker.is_unknown("connection")
                and worker.connection == app.default_connection
            ),
        )

    def unserved(self, app: App) -> tuple[tuple[str, ...], Mark]:
        """Queues that its code names and that no worker here polls, on whichever connection; a doubt leaves it open."""
        members = [*self.workers, *self.horizons]
        lost = next((launch.mark("app").reason for launch, _ in members if launch.is_unknown("app")), None)
        if lost is None and self.site.worker_hints:
            lost = f"{self.site.worker_hints[0]} mentions a worker, in a way that is not read"
        served = {"sync"}
        for launch, worker in self.workers:
            if launch.app == app.name:
                served.update(queue.strip() for queue in worker.queues)
                lost = lost or worker.mark("queues").reason
        if any(launch.app == app.name for launch, _ in self.horizons):
            lost = lost or app.mark("pools").reason or ("" if app.pools else "which queues Horizon serves is not known")
            for pool in app.pools:
                served.update(pool.queues)
                lost = lost or pool.mark("queues").reason
        missing = [one for one in app.dispatches if one.name not in served]
        if lost and missing:
            return (), unknown(lost)
        return tuple(one.name for one in missing), declared(missing[0].place if missing else app.place)

    def deployed(self, app: App) -> bool:
        """Whether a site says how an app's background work is run: what says nothing of it leaves nothing out."""
        if self.site.kind != "repository" or any(
            launch.app == app.name for launch, _ in [*self.workers, *self.horizons]
        ):
            return True
        servers = {(server.file, server.name) for server in self.site.servers}
        return any(
            service.kind in PRODUCTION_KINDS and not service.periodic and (service.file, service.name) not in servers
            for service in self.site.services
        )

    def processes(self, app: App) -> tuple[int, Mark]:
        """How many processes work for an app at most, and how that is known."""
        count, marks = 0, []
        members = [(launch, worker, "processes") for launch, worker in self.workers]
        for launch, member, field in (*members, *((launch, one, "max_workers") for launch, one in self.horizons)):
            if launch.is_unknown("app") or (launch.app == app.name and member.is_unknown(field)):
                return 0, launch.mark("app") if launch.is_unknown("app") else member.mark(field)
            if launch.app == app.name and launch.live:
                count += getattr(member, field)
                marks.append(member.mark(field))
        return count, next((mark for mark in marks if mark.origin is not None), declared(app.place))

    def idle_scheduler(self, app: App) -> str:
        """A script of a repository that starts the app's scheduler, and of which it is not seen that anything runs it."""
        named = (
            scheduler.name
            for launch, scheduler in self.schedulers
            if self.site.kind == "repository" and launch.app == app.name and not launch.live
        )
        return next(named, "")

    def polled(self, app: App, connection: Connection) -> Connection:
        """The connection with the processes that take its jobs counted, and the queues they poll."""
        served: dict[str, None] = {}
        processes = programs = 0
        doubts = [
            launch.mark("app").reason for launch, _ in [*self.workers, *self.horizons] if launch.is_unknown("app")
        ]
        if self.site.worker_hints:
            doubts.append(f"{self.site.worker_hints[0]} mentions a worker, in a way that is not read")
        if self.site.kind == "file":
            doubts.append("only one file was looked at")
        for launch, worker in self.workers:
            if launch.app != app.name or launch.is_unknown("app"):
                continue
            if worker.is_unknown("connection"):
                doubts.append(worker.mark("connection").reason)
            elif worker.connection == connection.name:
                programs += 1
                processes += worker.processes
                served.update(dict.fromkeys(worker.queues))
                doubts += [worker.mark(field).reason for field in ("processes", "queues") if worker.is_unknown(field)]
        if any(launch.app == app.name for launch, _ in self.horizons):
            if app.is_unknown("pools") or not app.pools:
                doubts.append(app.mark("pools").reason or f"config/horizon.php of {_app(app)} was not found")
            for pool in app.pools:
                doubts += [
                    pool.mark(field).reason for field in ("connection", "queues", "live") if pool.is_unknown(field)
                ]
                if pool.live and pool.connection == connection.name:
                    programs += 1
                    processes += pool.max_processes
                    served.update(dict.fromkeys(pool.queues))
        marks = dict(connection.marks)
        if doubts:
            marks["served"] = marks["processes"] = marks["programs"] = unknown(
                doubts[0] or "a worker here is not known"
            )
        elif connection.place is not None:
            marks.setdefault("served", declared(connection.place))
        shared = self.sharing(app, connection)
        connection = self.deployment.with_servers(msgspec.structs.replace(connection, marks=marks))
        connection = self.observed.with_servers(connection)
        return msgspec.structs.replace(
            connection, processes=processes, programs=programs, served=tuple(served), shared_with=shared
        )

    def sharing(self, app: App, connection: Connection) -> tuple[str, ...]:
        """The other apps of a host whose jobs lie under the same keys of the same Redis."""
        if self.site.kind != "host" or connection.driver != "redis" or not connection.redis_address:
            return ()
        keys = ("driver", "redis_address", "redis_prefix", "queue")
        return tuple(
            other.name
            for other in self.site.apps
            if other.name != app.name
            and any(
                all(getattr(c, key) == getattr(connection, key) for key in keys)
                and not any(c.is_unknown(key) or connection.is_unknown(key) for key in keys)
                for c in other.connections
            )
        )

    def meant_for(self, app: App) -> str:
        """The cron table with a line that was to run the app's scheduler and that cron never runs; "" where none is."""
        for table in self.site.tables:
            for line in table.lines:
                found = self.app_of_line(table, line.number) if line.runs_schedule else NONE
                if isinstance(found, App) and found.name == app.name:
                    return table.path
        return ""

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
        for _, worker in self.workers:
            for field in ("processes", "memory"):
                if worker.is_unknown(field):
                    marks.setdefault("workers_memory", unknown(f"{field} of {worker.name} is not known"))
            memory += _times(worker.processes, worker.takes)
            count += worker.processes
        for launch, horizon in self.horizons:
            app = self.apps.get(launch.app)
            if app is None or horizon.is_unknown("max_workers"):
                marks.setdefault("workers_memory", unknown(f"how many workers {horizon.name} starts is not known"))
                continue
            for pool in app.pools:
                if pool.live:
                    memory += _times(pool.max_processes, pool.memory + BESIDE_HEAP)
                    count += pool.max_processes
        if memory == NEVER:
            marks.setdefault("workers_memory", unknown("a worker here has no limit of memory"))
        if any(worker.runner not in ("supervisor", "systemd", "cron") for _, worker in self.workers):
            marks.setdefault("workers_memory", unknown("workers here run on other machines or in other containers"))
        heaviest = max(self.workers, key=lambda w: _times(w[1].processes, w[1].memory), default=None)
        if heaviest is not None and heaviest[1].place is not None:
            marks.setdefault("workers_memory", declared(heaviest[1].place))
        if self.site.kind != "host":
            marks["workers_memory"] = unknown("which of these workers run on one machine is not known")
        if self.site.kind != "repository":
            marks["defines_environment"] = unknown(
                "what environment supervisord is started with is not known from here"
            )
        elif self.site.environment_hints:
            marks["defines_environment"] = unknown(
                f"{self.site.environment_hints[0]} may set the variables that supervisord is started with"
            )
        return Totals(
            marks=marks,
            name=self.site.name,
            kind=self.site.kind,
            workers=count,
            workers_memory=memory,
            stop_sum=self.stop_sum(),
            stop_longest=max(
                (g.stopwaitsecs for c in self.site.confs if c.is_main for g in c.groups if not g.dropped), default=0.0
            ),
            stop_granted=self.stop_granted(),
            schedulers=len(self.schedulers),
        )

    def heaviest(self) -> tuple[Joined, Joined]:
        """The worker that takes most in several processes, and its program: where fewer would help most."""
        several = [(launch, worker) for launch, worker in self.workers if worker.processes > 1]
        found = max(several, key=lambda one: _times(one[1].processes, one[1].takes), default=None)
        return (NONE, NONE) if found is None else (found[1], self.program(found[0]))

    def stop_granted(self) -> float | None:
        """TimeoutStopSec= of the one unit that starts supervisord."""
        found = [
            unit.timeout_stop
            for unit in self.site.units
            if unit.kind == "service"
            and not unit.masked
            and any("supervisord" in command for command in unit.exec_start)
        ]
        return found[0] if len(found) == 1 else None

    def stop_sum(self) -> float:
        """Groups are stopped one after another, the members of one together (supervisord's shutdown)."""
        return float(sum(conf.stop_seconds for conf in self.site.confs if conf.is_main))


def _times(count: int, each: float) -> float:
    """None of what has no limit is none, where floating-point numbers would make no number of it."""
    return count * each if count else 0.0


def _taken(source: Fact, *fields: str) -> dict[str, Mark]:
    return {field: source.marks[field] for field in fields if field in source.marks}


def _is_unknown(mark: Mark) -> bool:
    return mark.reason is not None


def _app(app: App) -> str:
    return "the app" if app.name == "." else f"the app in {app.name}"


def _misordered(worker: Worker) -> dict[str, str]:
    """The first urgent queue behind an ordinary one, by literal names only."""
    before = ""
    for queue in worker.queues:
        if queue in _ORDINARY:
            before = before or queue
        elif queue in _URGENT and before:
            return {"urgent_behind": queue, "ordinary_before": before}
    return {}


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
