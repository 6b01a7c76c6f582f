"""Supervisor's configuration, read as supervisord reads it, without supervisord and without this machine."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.dialects.conf import lex
from auditor.facts.origin import Mark, Origin, declared
from auditor.facts.supervisor import SupervisorConf
from auditor.sources.supervisor.daemon import read_plugins, read_servers, read_supervisorctl, read_supervisord
from auditor.sources.supervisor.merge import Text, add, read_all, start
from auditor.sources.supervisor.oddities import hide_pairs, oddity
from auditor.sources.supervisor.programs import read_programs
from auditor.sources.supervisor.reading import Reading
from auditor.sources.supervisor.sections import read_sections, tell_default
from auditor.sources.tree import Tree

__all__ = ["log_parents", "read_configuration", "read_file", "read_text"]


def read_configuration(
    tree: Tree, main: str, overrides: Mapping[str, bytes] | None = None, variables: Mapping[str, str] | None = None
) -> SupervisorConf:
    """A main file and everything its [include] names; `overrides` gives files' bytes in place of what is there.

    `variables` are those known of the environment that supervisord is started with.
    Raises Unreadable where the main file cannot be read.
    """
    return _understand(read_all(tree, main, overrides), whole=True, variables=variables)


def read_file(
    tree: Tree, path: str, overrides: Mapping[str, bytes] | None = None, variables: Mapping[str, str] | None = None
) -> SupervisorConf:
    """One file alone, [include] not followed: what it lacks, another file may have. Raises Unreadable."""
    return _understand(read_all(tree, path, overrides, follow=False), whole=False, variables=variables)


def read_text(data: bytes | str, path: str, variables: Mapping[str, str] | None = None) -> SupervisorConf:
    """A text as if it were the file at `path`, read alone."""
    text = start(path)
    add(text, path, lex(data), here=None)
    return _understand(text, whole=False, variables=variables)


def log_parents(conf: SupervisorConf) -> tuple[str, ...]:
    """The folders that must exist before supervisord starts, as written (absolute, or relative to its start folder)."""
    found: dict[str, None] = {}
    paths: list[str | None] = [conf.supervisord.logfile, conf.supervisord.pidfile] if conf.is_main else []
    for program in conf.programs:
        if program.numprocs > 0:
            paths += (program.stdout_logfile, program.stderr_logfile)
    for path in paths:
        if path is not None and "/" in path:
            found[path.rpartition("/")[0] or "/"] = None
    if conf.supervisord.childlogdir is not None:
        found[conf.supervisord.childlogdir.rstrip("/") or "/"] = None
    return tuple(found)


def _understand(text: Text, *, whole: bool, variables: Mapping[str, str] | None = None) -> SupervisorConf:
    reading = Reading(text)
    is_main = "supervisord" in text.sections
    if whole and not is_main:
        reading.oddities.append(
            oddity("supervisord-section-missing", "it has no [supervisord] section", Origin(text.main), refuses=True)
        )
    tell_default(reading)
    supervisord, environment = read_supervisord(reading)
    known: dict[str, object] = {"here": text.here}
    outer = {f"ENV_{name}": value for name, value in hide_pairs(dict(variables or {}))}
    known.update(outer)
    known.update({f"ENV_{name}": value for name, value in hide_pairs(environment.pairs)})
    has_rpcinterface = read_plugins(reading, known)
    programs, groups = read_programs(reading, environment, whole=whole, outer=outer)
    servers = read_servers(reading, known)
    supervisorctl = read_supervisorctl(text, reading)
    order = {file: place for place, file in enumerate(text.files)}
    place = text.sections["supervisord"].headers[-1] if is_main else Origin(text.main)
    return SupervisorConf(
        marks={**dict.fromkeys(_FIELDS, declared(place)), **_supervisorctl_place(text)},
        main=text.main,
        files=tuple(text.files),
        is_main=is_main,
        sections=read_sections(text),
        programs=programs,
        groups=groups,
        oddities=tuple(sorted(reading.oddities, key=lambda odd: _place(odd.mark("kind").origin, order))),
        supervisord=supervisord,
        http_servers=servers,
        supervisorctl=supervisorctl,
        has_rpcinterface=has_rpcinterface,
    )


_FIELDS = ("main", "is_main", "has_rpcinterface", "supervisorctl", "not_included")
"""What is told of a configuration as a whole: placed at its [supervisord], or in its file."""


def _supervisorctl_place(text: Text) -> dict[str, Mark]:
    section = text.sections.get("supervisorctl")
    if section is None:
        return {}
    written = section.options.get("serverurl")
    return {"supervisorctl": declared(written[-1].origin if written else section.headers[0])}


def _place(place: Origin | None, order: dict[str, int]) -> tuple[int, int]:
    return (0, 0) if place is None else (order.get(place.file, 0), place.line or 0)
