"""Where a site's programs and their options are written, and what holds the facts that a fix binds."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.facts.scopes import SCOPES
from auditor.facts.site import Site
from auditor.facts.subjects import Absent, Census, Subject
from auditor.facts.supervisor import Program

Place = tuple[str, str]
"""Main file of a configuration and name of a section."""


class Places:
    """Where the programs of a site and their options are written."""

    def __init__(self, site: Site) -> None:
        """Look through a site once."""
        self.mains = {id(program): conf.main for conf in site.confs for program in conf.programs}
        """Main file of each program, by the program's identity."""
        self.assigned = {
            (conf.main, section.name, setting.name): setting.written[-1].file
            for conf in site.confs
            for section in conf.sections
            for setting in section.settings
        }
        """The file whose assignment counts, by main file, section and option."""


def root_of(scope: str, subject: Subject, root: str) -> object:
    """One of the facts that a subject is judged with; Absent where its scope has no such root."""
    order = list(SCOPES[scope])
    return subject.roots[order.index(root)] if root in order else Absent()


def expanded(value: float | bool | str, program: Program) -> float | bool | str:
    """A text as supervisord expands it for the program's first process, which is how facts hold paths."""
    if not isinstance(value, str) or "%(" not in value:
        return value
    names = {
        "program_name": program.name,
        "group_name": program.group,
        "process_num": program.numprocs_start,
        "numprocs": program.numprocs,
    }
    try:
        return value % names
    except (KeyError, TypeError, ValueError):
        return value


def holders(places: Places, census: Census, fact: str) -> Iterator[tuple[Place, Program, object]]:
    """What holds a fact, for every program of a site."""
    root = fact.partition(".")[0]
    scope = root if root in SCOPES else "program"
    for subject in census.of(scope):
        program = root_of(scope, subject, "program")
        if isinstance(program, Program):
            yield (places.mains[id(program)], program.section), program, root_of(scope, subject, root)
