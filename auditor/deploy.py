"""What a change does to running jobs once it is deployed: which programs `supervisorctl update` stops, and what it leaves them.

`update` compares each group as it runs with the group as it is configured. Where anything in it differs, the whole group
is stopped, with the patience of the configuration it was started with, and started anew. So the stopwaitsecs that counts
is the one from before the change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from auditor.facts.census import take_census
from auditor.facts.origin import NEVER, Fact, Grade
from auditor.facts.scopes import SCOPES
from auditor.facts.site import Site
from auditor.facts.supervisor import Program
from auditor.findings import Deploy, Restart

_NOT_COMPARED = frozenset(
    {"marks", "file", "section", "stdout_logfile_writers", "stderr_logfile_writers", "log_folder_missing"}
)
"""Fields of a program that are ours, and that supervisord does not compare."""

Key = tuple[str, str, str]
"""Main file of the configuration, group, program."""


def deploy(before: Site, after: Site, base: str) -> Deploy:
    """What stops and starts, by file and name."""
    old, new = _programs(before), _programs(after)
    _follow_moves(old, new)
    limits = _limits(before)
    changes = {key: change for key in {*old, *new} if (change := _change(old.get(key), new.get(key)))}
    groups = {key[:2] for key, change in changes.items()}
    for key in {*old} & {*new}:
        if key[:2] in groups:
            changes.setdefault(key, "in its group")
    restarts = [_restart(change, old.get(key), new.get(key), limits) for key, change in sorted(changes.items())]
    return Deploy(base, tuple(restarts))


def _programs(site: Site) -> dict[Key, Program]:
    return {(conf.main, program.group, program.name): program for conf in site.confs for program in conf.programs}


def _follow_moves(old: dict[Key, Program], new: dict[Key, Program]) -> None:
    """A program whose file was renamed, and that is there once before and once after, is the same program."""
    gone, come = defaultdict(list), defaultdict(list)
    for key in {*old} - {*new}:
        gone[key[1:]].append(key)
    for key in {*new} - {*old}:
        come[key[1:]].append(key)
    for name, keys in gone.items():
        if len(keys) == 1 and len(come.get(name, ())) == 1:
            old[come[name][0]] = old.pop(keys[0])


def _change(old: Program | None, new: Program | None) -> str:
    if old is None:
        return "added"
    if new is None:
        return "removed"
    return "" if _compared(old) == _compared(new) else "changed"


def _compared(program: Program) -> dict[str, Any]:
    """What supervisord compares; a value that cannot be known from here by how it is written."""
    fields = {name: getattr(program, name) for name in program.__struct_fields__ if name not in _NOT_COMPARED}
    for name, mark in program.marks.items():
        if mark.grade is Grade.UNKNOWN and name in fields:
            fields[name] = mark.origin.text if mark.origin is not None else mark.reason
    return fields


def _limits(site: Site) -> dict[int, float | None]:
    """How long a job may take, by the id of the program that runs it; None where that is unknown."""
    census = take_census(site)
    found: dict[int, float | None] = {}
    for scope, field in (("worker", "timeout"), ("horizon", "longest_timeout")):
        at = list(SCOPES[scope]).index("program")
        for subject in census.of(scope):
            fact, program = subject.roots[0], subject.roots[at]
            if isinstance(program, Program):
                known = isinstance(fact, Fact) and not fact.is_unknown(field)
                found[id(program)] = getattr(fact, field) if known else None
    return found


def _restart(change: str, old: Program | None, new: Program | None, limits: dict[int, float | None]) -> Restart:
    program = old or new
    assert program is not None
    running = old.processes if old is not None else 0
    grace = None if old is None or old.is_unknown("stopwaitsecs") else old.stopwaitsecs
    works = old is not None and id(old) in limits
    limit = limits.get(id(old))
    return Restart(
        program=program.name,
        group=program.group,
        change=change,
        processes=running,
        grace=grace,
        longest=None if limit == NEVER else limit,
        file=(new or program).file,
        told=" ".join(_sentence(program, change, running, grace, limit, works=works)),
    )


def _sentence(
    program: Program, change: str, running: int, grace: float | None, limit: float | None, *, works: bool
) -> Iterator[str]:
    if change == "added":
        yield f"{program.name} is started."
        return
    group = f" with its group {program.group}" if program.group != program.name else ""
    what = {
        "removed": "is stopped for good",
        "changed": f"is restarted{group}",
        "in its group": f"is restarted{group}, unchanged itself",
    }[change]
    count = f"{running} process{'' if running == 1 else 'es'}"
    if not works:
        yield f"{program.name} ({count}) {what}."
        return
    has = "an unknown time" if grace is None else f"{grace:g} s"
    yield f"{program.name} ({count}) {what}: a running job has {has} before KILL, the stopwaitsecs it was started with,"
    if limit is None:
        yield "and how long it may take is unknown."
    elif limit == NEVER:
        yield "and no time limit of its own: it is cut off if it takes longer."
    elif grace is not None and limit <= grace:
        yield f"and may take {limit:g} s: it can finish."
    else:
        yield f"and may take {limit:g} s: a long one is cut off and runs again later."
