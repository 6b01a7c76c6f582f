"""Supervisor configurations that scripts and Dockerfiles hold, and templates whose placeholders are known here."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from auditor.facts.origin import Grade, declared
from auditor.facts.supervisor import Program, SupervisorConf
from auditor.sources.repository import Repository
from auditor.sources.supervisor import read_text


def read_embedded(repository: Repository) -> list[SupervisorConf]:
    """Each configuration that stands inside another file, its lines told where they stand there."""
    found = []
    for embedded in repository.embedded:
        text = "\n" * (embedded.first - 1) + embedded.text
        conf = read_text(text.encode(), embedded.path, repository.ties.variables_for(embedded.path))
        if conf.programs:
            found.append(conf)
    return found


def with_placeholders(
    conf: SupervisorConf, repository: Repository, variables: Mapping[str, str] | None
) -> SupervisorConf:
    """The configuration with what a template leaves open filled in, where the repository holds the value."""
    filled = {path: data for path in conf.files if (data := repository.filled(path)) is not None}
    if not filled:
        return conf
    known = {}
    for path, data in filled.items():
        for program in read_text(data, path, variables).programs:
            known[program.section, program.file] = program
    programs = tuple(_filled(program, known.get((program.section, program.file))) for program in conf.programs)
    return msgspec.structs.replace(conf, programs=programs)


def _filled(program: Program, known: Program | None) -> Program:
    """A program with those of its fields that only the filled text tells; each stays placed where it is written."""
    if known is None:
        return program
    values: dict[str, object] = {}
    marks = dict(program.marks)
    for field, mark in program.marks.items():
        if mark.grade is Grade.UNKNOWN and not known.is_unknown(field):
            values[field] = getattr(known, field)
            marks[field] = declared(mark.origin)
    if "{{" in program.command or "${" in program.command:
        values["command"] = known.command
    return msgspec.structs.replace(program, marks=marks, **values)
