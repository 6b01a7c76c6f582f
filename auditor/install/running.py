"""What already runs an app's jobs and its schedule: it is mended and never replaced, so here is what is asked of it.

Rules say what must change. Where they object to all workers together (they do not fit the machine), the profile's sum
divides what there is among them; nothing else of a running worker is touched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from auditor.dialects.conf import lex
from auditor.errors import CannotMend, UsageError
from auditor.facts.census import take_census
from auditor.facts.command import Command
from auditor.facts.laravel import App
from auditor.facts.launch import SCHEDULER_KINDS, WORKER_KINDS, Launch
from auditor.facts.origin import NEVER
from auditor.facts.queue import Connection
from auditor.facts.schedule import CronLine
from auditor.facts.scopes import SCOPES
from auditor.facts.site import Site
from auditor.facts.subjects import Census, Subject, Worker
from auditor.facts.supervisor import Program
from auditor.findings import Bound, Verdict
from auditor.ground import Ground
from auditor.remedies.conf_edit import Change, edit
from auditor.remedies.plan import Ask
from auditor.remedies.sizing import Size, Wanted
from auditor.remedies.template import word
from auditor.sources.tree import Tree

TAKES_JOBS = (*WORKER_KINDS, "horizon")
"""Commands by which an app's jobs are taken."""
SIZED: Mapping[str, tuple[str, ...]] = {
    "memory/workers-fit-host": ("worker.memory", "program.numprocs"),
    "queue/database-without-skip-locked": ("program.numprocs",),
}
"""Rules that object to all workers together, and the facts for which the profile's sum has a value."""
NEEDS_HOME = "processes/user-home"
"""The rule that asks for a HOME, which only the host's accounts can tell."""

GROWS = "scheduler/output-grows"
"""The rule that asks for the rotation of a scheduler's output."""


class Running(NamedTuple):
    """One supervised worker of the app."""

    worker: Worker
    """The worker."""
    program: Program
    """Its program."""
    command: Command
    """Its command."""


def of_app(site: Site, app: App, kinds: Sequence[str]) -> list[Launch]:
    """What starts a command of these kinds for the app."""
    return [one for one in site.launches if one.app == app.name and one.command.kind in kinds]


def workers(site: Site, app: App) -> list[Running]:
    """The app's supervised workers that are in use."""
    live = {(one.file, one.name) for one in of_app(site, app, WORKER_KINDS) if one.live}
    found = []
    for subject in take_census(site).of("worker"):
        roots = dict(zip(SCOPES["worker"], subject.roots, strict=True))
        worker, program, command, of = roots["worker"], roots["program"], roots["command"], roots["app"]
        if (
            isinstance(worker, Worker)
            and isinstance(program, Program)
            and isinstance(command, Command)
            and isinstance(of, App)
            and of.name == app.name
            and (program.file, program.name) in live
        ):
            found.append(Running(worker, program, command))
    return found


def takes_default(ground: Ground) -> list[Launch]:
    """What takes jobs off the app's connection, or may: where its connection is not known, it is not added to."""
    connection = ground.connection
    found = []
    for launch in of_app(ground.site, ground.app, TAKES_JOBS):
        command = launch.command
        named = command.connection or ground.app.default_connection
        if (
            connection is None
            or command.kind == "horizon"
            or command.is_unknown("connection")
            or named == connection.name
            or (command.connection is None and (ground.app.is_unknown("default_connection") or _idles(ground.app)))
        ):
            found.append(launch)
    return found


def _idles(app: App) -> bool:
    """Whether the app's jobs now run at once: a worker that names no connection takes the one that .env is to name."""
    default: Connection | None = next((c for c in app.connections if c.name == app.default_connection), None)
    return default is not None and default.idles


def mended(ground: Ground) -> Callable[[Subject], bool]:
    """What tells of a subject of a rule whether it is the app's, and so to be mended."""
    site, app = ground.site, ground.app
    kinds = (*TAKES_JOBS, *SCHEDULER_KINDS)
    named = re.compile(rf"{re.escape(ground.folder)}(?![\w.-])")
    tables = {one.file for one in of_app(site, app, kinds) if one.runner == "cron"}
    tables |= {
        table.path for table in site.tables for line in table.lines if line.runs_schedule and named.search(line.command)
    }

    def ours(subject: Subject) -> bool:
        names = SCOPES[subject.scope]
        if subject.scope == "table":
            return subject.name in tables
        of = subject.roots[list(names).index("app")] if "app" in names else None
        return isinstance(of, App) and of.name == app.name

    return ours


def asked(ground: Ground, found: Sequence[Running]) -> Iterator[Ask]:
    """The numbers that the caller wants, whatever the sum gives."""
    wanted: Wanted = ground.wanted
    numbers = {"worker.timeout": wanted.timeout, "worker.memory": wanted.memory, "program.numprocs": wanted.numprocs}
    for one in found:
        for fact, number in numbers.items():
            if number is not None and (fact != "program.numprocs" or len(found) == 1):
                yield Ask(one.program.name, Bound(fact, "exactly", float(number)), "as asked")


def sized(ground: Ground, found: Sequence[Running], verdict: Verdict, size: Callable[[], Size]) -> Iterator[Ask]:
    """What the profile's sum answers to rules that object to all workers together."""
    facts = {fact for finding in verdict.findings for fact in SIZED.get(finding.rule, ())}
    if not facts or not found or ground.profile.worker.kind != "queue:work":
        return
    try:
        most = size()
    except UsageError:
        return  # how much memory there is cannot be told: the rule's objection stands, and is told
    by = f"profile {ground.profile_name}"
    shares = _shares([one.program.numprocs for one in found], most.numprocs)
    for one, share in zip(found, shares, strict=True):
        bounds = {"worker.memory": most.memory, "program.numprocs": float(share)}
        for fact in ("worker.memory", "program.numprocs"):
            if fact in facts:
                yield Ask(one.program.name, Bound(fact, "at_most", bounds[fact]), by)


def _shares(numbers: Sequence[int], most: int) -> list[int]:
    """So many processes each that they are `most` together, in the proportion they have; none gets more or none at all."""
    total = sum(numbers)
    if total <= most:
        return list(numbers)
    return [max(1, min(number, number * most // total)) for number in numbers]


def growing(ground: Ground, verdict: Verdict) -> Iterator[str]:
    """The files that a scheduler's line of the app appends to, and to which the rule on that objects."""
    ours = mended(ground)
    for subject in take_census(ground.site).of("line"):
        line = subject.roots[0]
        objected = any(one.rule == GROWS and one.subject == subject.name for one in verdict.findings)
        if isinstance(line, CronLine) and line.appends_to and objected and ours(subject):
            yield line.appends_to


def homes(ground: Ground, lacking: Collection[str], tree: Tree) -> Iterator[tuple[str, str, bytes, str]]:
    """Path, program, new text and note for each of these programs that lack a HOME, where their account's is known."""
    known = dict(ground.site.host.homes)
    texts: dict[str, bytes] = {}
    for one in workers(ground.site, ground.app):
        program = one.program
        home = known.get(program.user or "")
        if program.name not in lacking or not home:
            continue
        data = texts.get(program.file, tree.read(program.file))
        written = [
            assignment.value
            for block in lex(data.decode("utf-8", "replace")).blocks
            for assignment in block.assignments
            if block.name == program.section and assignment.name == "environment"
        ]
        try:
            added = f'HOME="{word(home, "its home folder", program.file)}"'
            value = f"{written[-1].rstrip().rstrip(',')},{added}" if written and written[-1].strip() else added
            texts[program.file] = edit(data, [Change(program.section, "environment", value)], program.file)
        except CannotMend:
            continue
        yield program.file, program.name, texts[program.file], f"{program.name}: {added} in environment   {NEEDS_HOME}"


def differences(ground: Ground, after: Site) -> Iterator[str]:
    """What of its workers is not as the profile would have it and yet stays, where the profile's evidence weighs."""
    worker = ground.profile.worker
    longest = max([worker.timeout, *(step.timeout or 0 for step in ground.profile.sizing.steps)])
    for one in workers(after, ground.app):
        for evidence in ground.profile.evidence if worker.kind == "queue:work" else ():
            for key in evidence.of if evidence.weighs else ():
                told = ""
                if key == "worker.tries" and one.worker.tries != worker.tries:
                    told = f"--tries={one.worker.tries} stays; the profile has {worker.tries}"
                elif (
                    key == "worker.timeout"
                    and longest < one.worker.timeout < NEVER
                    and not one.worker.is_unknown("timeout")
                ):
                    told = f"--timeout={one.worker.timeout:.0f} stays; the profile has {longest:.0f} at most"
                elif key == "worker.queues" and (missing := set(worker.queues) - set(one.worker.queues)):
                    told = f"it does not poll {', '.join(sorted(missing))}; the profile does"
                if told:
                    yield f"{one.worker.name}: {told}. {evidence.says} ({evidence.source})"


def census_app(census: Census, app: App) -> App:
    """The app with what serves it counted."""
    return next(
        subject.roots[0]
        for subject in census.of("app")
        if isinstance(subject.roots[0], App) and subject.roots[0].name == app.name
    )
