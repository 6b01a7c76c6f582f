"""Which logs a host has, and of which form each is: told by its apps, programs, cron tables and supervisords."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from auditor.facts.launch import SCHEDULER_KINDS, Launch
from auditor.facts.site import Site
from auditor.facts.supervisor import Program, SupervisorConf
from auditor.sources.supervisor.expand import Names, expand

MOST_LOGS = 200
"""No more logs than that are followed."""
_MOST_PROCESSES = 64
_NINJA_LOGS = ("invoiceninja.log", "invoiceninja-reminders.log")
_NOT_FILES = re.compile(r"/dev/|/proc/")
_HORIZON = "horizon"


class LogPlace(NamedTuple):
    """One log."""

    path: str
    """Where it lies, relative to the audited root."""
    form: str
    """One of the forms of signatures.py."""
    name: str
    """Whose it is: an app's folder, a program's name, "cron", "supervisord"."""


def log_places(site: Site) -> tuple[LogPlace, ...]:
    """Every log of the site that is a file, each once, in a stable order."""
    found: dict[str, LogPlace] = {}
    for place in _all(site):
        if place.path and place.path.isprintable():
            found.setdefault(place.path, place)
    return tuple(list(found.values())[:MOST_LOGS])


def _all(site: Site) -> Iterator[LogPlace]:
    for app in site.apps:
        folder = posixpath.normpath(f"{app.name}/storage/logs").removeprefix("./")
        ninja = app.product == "invoiceninja"
        yield LogPlace(f"{folder}/laravel.log", "ninja" if ninja else "laravel", app.name)
        for name in _NINJA_LOGS if ninja else ():
            yield LogPlace(f"{folder}/{name}", "ninja", app.name)
    for conf in site.confs:
        if conf.is_main and not conf.supervisord.is_unknown("logfile"):
            yield from _file(conf.supervisord.logfile, conf.works_in, "supervisord", "supervisord")
    working = {(launch.conf, launch.name) for launch in site.launches if _works(launch)}
    for conf in site.confs:
        for program in conf.programs:
            if (conf.main, program.name) in working:
                yield from _outputs(conf, program)
    for table in site.tables:
        for line in table.lines:
            if line.appends_to and line.runs_schedule:
                yield from _file(line.appends_to, None, "output", "cron")


def _works(launch: Launch) -> bool:
    command = launch.command
    return launch.runner == "supervisor" and (command.is_worker or command.kind in (*SCHEDULER_KINDS, _HORIZON))


def _outputs(conf: SupervisorConf, program: Program) -> Iterator[LogPlace]:
    for option in ("stdout_logfile", "stderr_logfile"):
        first = getattr(program, option)
        if first in (None, "AUTO") or program.is_unknown(option):
            continue
        for path in (first, *_others(conf, program, option)):
            yield from _file(path, program.directory, "output", program.name)


def _others(conf: SupervisorConf, program: Program, option: str) -> Iterator[str]:
    """The logs of the program's other processes, where each has its own."""
    section = next((section for section in conf.sections if section.name == program.section), None)
    setting = next((one for one in section.settings if one.name == option), None) if section else None
    if setting is None or "%(process_num)" not in setting.value or program.processes < 2:
        return
    start = program.numprocs_start
    for number in range(start + 1, start + min(program.processes, _MOST_PROCESSES)):
        names = Names(
            {
                "program_name": program.name,
                "group_name": program.group,
                "process_num": number,
                "numprocs": program.numprocs,
                "here": f"/{posixpath.dirname(program.file)}",
            }
        )
        expanded = expand(setting.value, names)
        if not expanded.symbols and not expanded.kind:
            yield expanded.text


def _file(path: str | None, folder: str | None, form: str, name: str) -> Iterator[LogPlace]:
    if not path or path in ("syslog", "NONE") or "%(" in path or _NOT_FILES.match(path):
        return
    whole = path if path.startswith("/") else f"{folder}/{path}" if folder else ""
    if whole:
        yield LogPlace(posixpath.normpath(whole).lstrip("/"), form, name)
