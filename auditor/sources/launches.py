"""Everything that is started, from the programs, cron lines and units that start it: each command understood, each app named."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping

from auditor.facts.command import Command
from auditor.facts.launch import Launch
from auditor.facts.origin import Mark, Origin, Version, declared, unknown
from auditor.facts.schedule import CronLine, CronTable, Unit
from auditor.facts.supervisor import Program, SupervisorConf
from auditor.sources.commands import understand_all

AppOf = Callable[[Command, str | None], tuple[str, Mark | None]]
"""Command and its working folder to the app's name, and the mark that says how that is known."""

DaemonUser = Callable[[str], tuple[str, Mark] | None]
"""Main file of a configuration to the account that starts its supervisord, and how that is known; None where nothing is
seen to start it."""

_STARTED_BY_SUPERVISOR = ("program", "fcgi-program")


class Reader:
    """Turns what starts things into Launches, for one site."""

    def __init__(
        self,
        kind: str,
        app_of: AppOf,
        versions: Mapping[str, Version],
        apps: Container[str] = (),
        daemon_user: DaemonUser | None = None,
    ) -> None:
        """`kind` is the site's; `app_of` names a command's app; `versions` maps an app's name to its Laravel.

        `apps` are the names of the apps that were read; `daemon_user` tells who starts the supervisord of a
        configuration, where that is seen.
        """
        self.daemon_user = daemon_user
        self.kind = kind
        self.apps = apps
        self.app_of = app_of
        self.versions = versions

    def programs(self, conf: SupervisorConf, instance: str) -> Iterable[Launch]:
        """One launch for each program of a configuration."""
        for program in conf.programs:
            if program.kind in _STARTED_BY_SUPERVISOR:
                yield self._program(conf, program, instance)

    def _program(self, conf: SupervisorConf, program: Program, instance: str) -> Launch:
        place = program.mark("command").origin or program.place
        unseen = program.is_unknown("command") and not program.command
        directory = None if program.is_unknown("directory") else program.directory
        command, app, mark = self._command(program.command, "execve", place, directory)
        marks: dict[str, Mark] = {"name": declared(program.place)}
        if unseen:
            marks["command"] = program.marks["command"]
        if mark is not None:
            marks["app"] = mark
        user = self._user(conf, program, command, marks)
        if "numprocs" in program.marks:
            marks["processes"] = program.marks["numprocs"]
        return Launch(
            marks=marks,
            name=program.name,
            runner="supervisor",
            file=program.file,
            conf=conf.main,
            instance=instance,
            command=command,
            app=app,
            app_found=self.kind == "host" and app in self.apps,
            user=user,
            directory=directory,
            processes=program.processes,
            live=not conf.not_included,
        )

    def _user(self, conf: SupervisorConf, program: Program, command: Command, marks: dict[str, Mark]) -> str:
        """Who it runs as in the end: the command's own switch, user=, [supervisord] user=, or whoever starts supervisord."""
        if command.user is not None or command.is_unknown("user"):
            marks["user"] = command.mark("user")
            return command.user or "root"
        if program.user is not None or program.is_unknown("user"):
            marks["user"] = program.mark("user")
            return program.user or "root"
        if conf.supervisord.user is not None:
            marks["user"] = conf.supervisord.mark("user")
            return conf.supervisord.user
        started = self.daemon_user(conf.main) if self.daemon_user is not None else None
        if started is not None:
            marks["user"] = started[1]
            return started[0]
        if self.kind != "host" or not conf.is_main:
            marks["user"] = unknown("who starts supervisord is not known from here", program.place)
        return "root"

    def lines(self, table: CronTable, instance: str) -> Iterable[Launch]:
        """One launch for each artisan command of a cron table's lines."""
        for line in table.lines:
            place = line.mark("command").origin
            directory = None if line.home is None else line.home
            for command, app, mark in self.commands(line.command_seen, "shell", place, directory):
                if command.kind == "other":
                    continue
                yield self._line(table, line, instance, command, app, mark, place)

    def _line(
        self,
        table: CronTable,
        line: CronLine,
        instance: str,
        command: Command,
        app: str,
        mark: Mark | None,
        place: Origin | None,
    ) -> Launch:
        marks: dict[str, Mark] = {"name": declared(place)}
        if mark is not None:
            marks["app"] = mark
        if command.user is not None or command.is_unknown("user"):
            marks["user"] = command.mark("user")
        elif "user" in line.marks:
            marks["user"] = line.marks["user"]
        elif line.user is None:
            marks["user"] = unknown("whose crontab this is is not known from here", place)
        number = line.number
        return Launch(
            marks=marks,
            name=f"{table.path}:{number}",
            runner="cron",
            file=table.path,
            line=number,
            instance=instance,
            command=command,
            app=app,
            app_found=self.kind == "host" and app in self.apps,
            user=command.user or line.user or "root",
        )

    def units(self, unit: Unit, instance: str) -> Iterable[Launch]:
        """One launch for each artisan command that a service runs."""
        for text in unit.exec_start if unit.kind == "service" and not unit.masked else ():
            place = unit.mark("exec_start").origin
            for command, app, mark in self.commands(text, "execve", place, unit.working_directory):
                if command.kind == "other":
                    continue
                marks: dict[str, Mark] = {"name": declared(place)}
                if mark is not None:
                    marks["app"] = mark
                if "user" in unit.marks:
                    marks["user"] = unit.marks["user"]
                if "@" in unit.name:
                    marks["processes"] = unknown("how many instances of the template unit run is not known", place)
                yield Launch(
                    marks=marks,
                    name=unit.name,
                    runner="systemd",
                    file=unit.path,
                    instance=instance,
                    command=command,
                    app=app,
                    app_found=self.kind == "host" and app in self.apps,
                    user=command.user or unit.user,
                    directory=unit.working_directory,
                    processes=max(1, len(unit.instances)),
                )

    def _command(
        self, text: str, runner: str, place: Origin | None, directory: str | None
    ) -> tuple[Command, str, Mark | None]:
        return self.commands(text, runner, place, directory)[0]

    def commands(
        self, text: str, runner: str, place: Origin | None, directory: str | None, sh: str = "dash"
    ) -> list[tuple[Command, str, Mark | None]]:
        """Every artisan command of a text, or the one other that it is, each with its app."""
        found = []
        for understood in understand_all(text, runner=runner, place=place, directory=directory, sh=sh):
            command = understood
            app, mark = self.app_of(command, directory)
            version = self.versions.get(app, ()) if mark is None or mark.reason is None else ()
            if version:  # options and defaults are those of the app's own Laravel
                again = understand_all(text, runner=runner, place=place, directory=directory, laravel=version, sh=sh)
                command = next((c for c in again if c.kind == command.kind), command)
            found.append((command, app, mark))
        return found
