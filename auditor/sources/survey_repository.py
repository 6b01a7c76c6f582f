"""The survey of a repository, and of one file: what lies in it, and what of that starts what."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from auditor.errors import Unreadable
from auditor.facts.command import Command
from auditor.facts.host import Host
from auditor.facts.launch import Launch
from auditor.facts.origin import Mark, Origin, declared, unknown
from auditor.facts.schedule import Unit
from auditor.facts.site import Site, Unread
from auditor.facts.supervisor import Program, SupervisorConf
from auditor.sources.crontab import kind_of, read_crontab
from auditor.sources.discover import SCHEDULER, WORKER, Found, discover
from auditor.sources.php.values import Unknown
from auditor.sources.repository import Repository
from auditor.sources.repository.confs import read_embedded, with_placeholders
from auditor.sources.repository.starts import read_starts
from auditor.sources.survey import Overrides, Survey
from auditor.sources.systemd import join_timers, read_unit
from auditor.sources.tree import Tree


class RepositorySurvey(Survey):
    """Files of unknown destination: which of them runs where is not known, so each stands for itself."""

    kind = "repository"
    found = Found()

    def site(self) -> Site:
        """Everything of the repository."""
        found = self.found = discover(self.tree)
        self.repository = repository = Repository(self.tree, found, self.overrides)
        host = unknown_host("this is a repository, not a host")
        for folder in dict.fromkeys([*self.asked, *found.apps]) if not self.asked else self.asked:
            self.add_app(folder)
        confs = self.confs(found)
        tables = repository.tables
        units = join_timers(tuple(self.unit(found.units)))
        reader = self.reader()
        launches: list[Launch] = []
        for conf in confs:
            launches += reader.programs(conf, conf.main if conf.is_main else posixpath.dirname(conf.main))
        for table in tables:
            launches += reader.lines(table, table.path)
        for unit in units:
            launches += reader.units(unit, posixpath.dirname(unit.path))
        launches += read_starts(reader, repository.starts)
        found.scheduler_hints = repository.hints(found.scheduler_hints, SCHEDULER)
        found.worker_hints = repository.hints(found.worker_hints, WORKER)
        return msgspec.structs.replace(
            self.assemble(confs, launches, tables, units, host, found),
            images=repository.images,
            services=repository.services,
            servers=repository.servers,
        )

    def confs(self, found: Found) -> list[SupervisorConf]:
        """Main files with what they include of the repository; then each file that none of them includes."""
        read = []
        included: set[str] = set()
        fragments = []
        for path in found.confs:
            variables = self.repository.ties.variables_for(path)
            conf = self.conf(path, whole=False, variables=variables)
            if conf is None:
                continue
            conf = self.placed(with_placeholders(conf, self.repository, variables))
            if conf.is_main:
                whole = self.conf(path, whole=True, variables=variables)
                whole = self.placed(with_placeholders(whole, self.repository, variables)) if whole is not None else conf
                read.append(whole)
                included.update(whole.files)
            else:
                fragments.append(conf)
        rest = [conf for conf in fragments if conf.main not in included]
        return asked_for([*read, *rest, *read_embedded(self.repository)], self.repository.asked_for)

    def placed(self, conf: SupervisorConf) -> SupervisorConf:
        """A configuration, told where its supervisord is started."""
        if self.repository.ties.is_part(conf.main):
            conf = _part(conf)
        folder, mark = self.repository.ties.started_in(conf.main)
        marks = {**conf.marks, "started_in": mark} if mark is not None else conf.marks
        return msgspec.structs.replace(conf, marks=marks, started_in=folder)

    def daemon_user(self, conf: str) -> tuple[str, Mark] | None:
        """Who starts the supervisord of a configuration: the account of the services that run it."""
        return self.repository.ties.user_for(conf)

    def env_files(self, folder: str) -> tuple[str, ...]:
        """Every environment file of the repository that lies in no other app's folder."""
        others = [f"{app}/" for app in self.found.apps if app and app != folder]
        return tuple(path for path in self.found.env_files if not any(path.startswith(other) for other in others))

    def contained(self, folder: str) -> Mapping[str, str | Unknown]:
        """What the containers that are seen to run it set."""
        return self.repository.settings_of(folder, self.found.apps)

    def looks_for_queues(self) -> bool:
        """Only where something starts workers is it worth reading all of an app's code."""
        return bool(self.found.confs or self.found.units or self.repository.starts or self.repository.embedded)

    def unit(self, paths: Sequence[str]) -> list[Unit]:
        """The units of these files; one that cannot be read is noted."""
        units = []
        for path in paths:
            try:
                units.append(read_unit(self.tree, path, self.overrides.get(path)))
            except Unreadable as problem:
                self.unread.append(Unread(problem.path, problem.reason))
        return units

    def app_of(self, command: Command, directory: str | None) -> tuple[str, Mark | None]:
        """The one app there is; of several the one whose folder ends the command's path."""
        if command.artisan is None:
            return "", None
        if not self.apps:
            return "", unknown("there is no Laravel app in this repository", command.place)
        if len(self.apps) == 1:
            return next(iter(self.apps)), None
        path = (command.app or "").strip("/")
        fitting = [name for name in self.apps if name != "." and (path == name or path.endswith(f"/{name}"))]
        if len(fitting) == 1:
            return fitting[0], None
        return "", unknown(
            f"this repository holds {len(self.apps)} Laravel apps, and which one it runs is not told", command.place
        )


def asked_for(confs: list[SupervisorConf], names: Mapping[str, Origin]) -> list[SupervisorConf]:
    """The configurations, whose programs bear what tasks ask for them as; of several of one name, which is meant is not known."""
    every = Counter(program.name for conf in confs for program in conf.programs)

    def told(program: Program) -> Program:
        place = names.get(program.name)
        if place is None or every[program.name] > 1:
            return program
        marks = {**program.marks, "asked_for_as": declared(place)}
        return msgspec.structs.replace(program, asked_for_as=program.name, marks=marks)

    if not names:
        return confs
    return [msgspec.structs.replace(conf, programs=tuple(map(told, conf.programs))) for conf in confs]


class FileSurvey(RepositorySurvey):
    """One file by itself."""

    kind = "file"

    def __init__(self, tree: Tree, name: str, file: str, apps: Sequence[str], overrides: Overrides) -> None:
        """Look at one file of the tree."""
        super().__init__(tree, name, apps, overrides)
        self.file = file

    def daemon_user(self, _conf: str) -> tuple[str, Mark] | None:
        """Nothing beside the file is seen."""
        return None

    def contained(self, _folder: str) -> Mapping[str, str | Unknown]:
        """Nothing beside the file is seen."""
        return {}

    def looks_for_queues(self) -> bool:
        """Nothing beside the file is looked at."""
        return False

    def site(self) -> Site:
        """What the file says."""
        data = self.overrides[self.file] if self.file in self.overrides else self.tree.read(self.file)
        found = Found()
        if self.file.endswith((".service", ".timer")):
            found.units.append(self.file)
        elif "cron" in self.file and b"[program:" not in data:
            found.tables.append(self.file)
        else:
            found.confs.append(self.file)
        for folder in self.asked:
            self.add_app(folder)
        confs = [conf for path in found.confs if (conf := self.conf(path, whole=False)) is not None]
        tables = [read_crontab(self.tree, path, kind_in_repository(path), data) for path in found.tables]
        units = self.unit(found.units)
        reader = self.reader()
        launches: list[Launch] = []
        for conf in confs:
            launches += reader.programs(conf, conf.main)
        for table in tables:
            launches += reader.lines(table, table.path)
        for unit in units:
            launches += reader.units(unit, unit.path)
        return self.assemble(confs, launches, tables, units, unknown_host("only one file was looked at"), found)


def _part(conf: SupervisorConf) -> SupervisorConf:
    """A file with a server's sections that is only a part of what runs: what it lacks may stand in the main file."""
    oddities = tuple(oddity for oddity in conf.oddities if oddity.kind != "server-without-address")
    return msgspec.structs.replace(conf, is_main=False, http_servers=(), supervisorctl=None, oddities=oddities)


def kind_in_repository(path: str) -> str:
    """A file below an overlay's etc/ is what it is there; any other has an unknown destination."""
    return kind_of(path)


def unknown_host(reason: str) -> Host:
    """A host of which nothing is known."""
    fields = ("memory", "cgroup_memory", "cpus", "users", "homes", "name", "rotated")
    return Host(marks={field: unknown(reason) for field in fields})
