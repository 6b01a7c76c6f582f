"""Everything that is asked of a running system, at once: each question in a thread of its own, all of them in bounded time."""

from __future__ import annotations

import stat
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from auditor.facts.bank import Banks
from auditor.facts.laravel import App
from auditor.facts.live import Live, Written
from auditor.facts.site import Site
from auditor.sources.live.bank import KIND as FEEDS
from auditor.sources.live.bank import look_at_feeds
from auditor.sources.live.logs import look_at_logs
from auditor.sources.live.looking import NoAnswer, unsupported
from auditor.sources.live.questions import Question, questions
from auditor.sources.live.witness import seen
from auditor.sources.tree import Tree

AT_ONCE = 8
"""Questions that are asked at the same time."""
TOTAL = 30.0
"""Seconds after which no further question is asked; the last may take its own time beyond."""


_SAID = tuple(
    field for field, default in zip(Live.__struct_fields__, Live.__struct_defaults__, strict=True) if default == ()
)
"""The fields of a look that each answer adds to."""


class Task(NamedTuple):
    """One question, and how it is called where it is never asked."""

    ask: Callable[[], Live]
    kind: str
    name: str
    app: str = ""
    connection: str = ""
    conf: str = ""


def observe(site: Site, *, now: float, banks: Banks, logs: bool = True, total: float = TOTAL) -> Live:
    """Ask whatever the configuration of a host names, and its process table; `now` is in seconds since 1970.

    `banks` is what the banks ask of the feeds that are found; without `logs` the apps' own logs are not read.
    """
    tree = Tree(site.name)
    asked = questions(tree, site)
    tasks = [_of_backend(question, now) for question in asked.questions]
    tasks += [_of_conf(tree, site, conf.main) for conf in site.confs if conf.is_main and conf.http_servers]
    tasks.append(Task(lambda: _processes(tree, site), "processes", "processes"))
    if logs:
        tasks.append(Task(lambda: Live(logged=look_at_logs(tree, site, now)), "logs", "the apps' logs"))
    tasks += _of_ninjas(tree, site, banks, now)
    found = _joined(run(tasks, total))
    probes = (*found.probes, *asked.probes)
    return msgspec.structs.replace(found, taken=now, probes=probes, written=_written(tree, site, now))


def observe_feeds(site: Site, *, now: float, banks: Banks, total: float = TOTAL) -> Live:
    """Ask the database of each InvoiceNinja of a host for its bank feeds, and nothing else."""
    found = _joined(run(_of_ninjas(Tree(site.name), site, banks, now), total))
    return msgspec.structs.replace(found, taken=now)


def _joined(parts: Sequence[Live]) -> Live:
    """All answers as one; a server that fails for two questions alike is told once."""
    said: dict[str, Any] = {field: tuple(one for part in parts for one in getattr(part, field)) for field in _SAID}
    failed = {(one.name, one.outcome) for one in said["probes"] if one.connection and not one.answered}
    said["probes"] = tuple(one for one in said["probes"] if one.kind != FEEDS or (one.name, one.outcome) not in failed)
    return Live(crons=next((part.crons for part in parts if part.crons is not None), None), **said)


def _written(tree: Tree, site: Site, now: float) -> tuple[Written, ...]:
    """When each file that a cron line appends to was last written; a file that is not there yet tells nothing."""
    paths = dict.fromkeys(line.appends_to for table in site.tables for line in table.lines if line.runs_schedule)
    found = []
    for path in paths:
        status = tree.stat(tree.relative(path)) if path and path.startswith("/") and "$" not in path else None
        if status is not None and stat.S_ISREG(status.st_mode):
            found.append(seen(Written, {}, name=tree.relative(path or ""), age=max(now - status.st_mtime, 0.0)))
    return tuple(found)


def run(tasks: Sequence[Task], total: float) -> list[Live]:
    """Every task's answer, in their order, AT_ONCE at a time; those whose turn comes too late are Probes."""
    import threading

    end = time.monotonic() + total
    parts: list[Live] = [Live()] * len(tasks)
    waiting = iter(range(len(tasks)))
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                at = next(waiting, None)
            if at is None:
                return
            parts[at] = tasks[at].ask() if time.monotonic() < end else _too_late(tasks[at], total)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(AT_ONCE, len(tasks)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return parts


def _too_late(task: Task, total: float) -> Live:
    probe = unsupported(f"{total:g} s had passed before its turn came").probe(
        task.kind, task.name, task.app, task.connection
    )
    return Live(probes=(msgspec.structs.replace(probe, conf=task.conf),))


def _of_backend(question: Question, now: float) -> Task:
    end = question.access.endpoint

    def ask() -> Live:
        if end.kind == "redis":
            from auditor.sources.live.redis import look_at_redis

            redis = look_at_redis(question.access, question.queues, now)
            return Live(
                probes=(redis.probe,), redis_servers=(redis.server,) if redis.server else (), queues=redis.queues
            )
        if end.kind == "sqlite":
            from auditor.sources.live.sqlite import look_at_sqlite as look
        else:
            from auditor.sources.live.database import look_at_sql as look
        found = look(question.access, question.tables, question.queues, now, question.zone)
        return Live(
            probes=(found.probe,), database_servers=(found.server,) if found.server else (), queues=found.queues
        )

    return Task(ask, end.kind, end.name, end.app, end.connection)


def _of_ninjas(tree: Tree, site: Site, banks: Banks, now: float) -> list[Task]:
    return [_of_ninja(tree, app, banks, now) for app in site.apps if app.ninja is not None]


def _of_ninja(tree: Tree, app: App, banks: Banks, now: float) -> Task:
    def ask() -> Live:
        from auditor.sources.live.app_settings import AppSettings

        try:
            access = AppSettings(tree, app).database("")
        except NoAnswer as problem:
            return Live(probes=(unsupported(problem.reason).probe(FEEDS, "its database", app.name),))
        found = look_at_feeds(access, banks, now, app.ninja.timezone if app.ninja is not None else "UTC")
        return Live(probes=(found.probe,), ninjas=(found.state,) if found.state else (), feeds=found.feeds)

    return Task(ask, FEEDS, "its database", app.name)


def _of_conf(tree: Tree, site: Site, main: str) -> Task:
    conf = next(conf for conf in site.confs if conf.main == main)

    def ask() -> Live:
        from auditor.sources.live.daemons import ask_daemon

        found = ask_daemon(tree, conf)
        return Live(probes=(found.probe,), daemons=(found.daemon,) if found.daemon else (), supervised=found.processes)

    return Task(ask, "supervisord", main, conf=main)


def _processes(tree: Tree, site: Site) -> Live:
    from auditor.sources.live.processes import list_processes

    root = tree.root.rstrip("/")
    folders = {f"{root}/{app.name}".removesuffix("/.") or "/": app.name for app in site.apps}
    found = list_processes(folders)
    named = (msgspec.structs.replace(one, app=folders.get(one.app, "")) for one in found.processes)
    # Below another root only what runs an app there is that host's; the rest is this machine's own.
    return Live(
        probes=(found.probe,),
        processes=tuple(one for one in named if one.app or not root),
        crons=found.crons if found.probe.answered and not root else None,
    )
