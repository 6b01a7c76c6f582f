"""Profiles: what a kind of application asks of its workers, and how many of them a host can carry. One YAML file each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from auditor.dialects import yaml_text
from auditor.errors import UsageError
from auditor.facts.host import Host
from auditor.facts.laravel import App
from auditor.facts.queue import Connection
from auditor.facts.subjects import BESIDE_HEAP
from auditor.places import data_dir

DATABASE_WORKERS = 2
"""So many workers on a jobs table whose server cannot skip locked rows, or is not known to (facts on deadlocks: more wait)."""
MARGIN = 10.0
"""Seconds between --timeout and retry_after."""
STOP_MARGIN = 30.0
"""Seconds that supervisord waits beyond --timeout."""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a worker gets on a host of at least so much memory."""

    from_: float = msgspec.field(name="from")
    """MiB of RAM from which on it holds."""
    memory: float
    """--memory in MiB."""
    timeout: float | None = None
    """--timeout in seconds; None keeps the profile's."""


class Sizing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many workers a host can carry."""

    reserve: float
    """MiB left to everything else: web server, database, system."""
    per_job: float
    """MiB that a job takes beside its worker: a browser that renders a PDF."""
    most_per_cpu: float
    """Workers for each processor at most."""
    most: int
    """Workers at most."""
    steps: tuple[Step, ...]
    """From the smallest host up."""


class WorkerPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The options of its workers."""

    kind: str
    """"queue:work" or "horizon"."""
    queues: tuple[str, ...] = ()
    """Queues to poll; () leaves the connection's own."""
    sleep: int = 3
    """--sleep in seconds."""
    tries: int = 1
    """--tries."""
    max_time: int = 3600
    """--max-time in seconds."""
    timeout: float = 60
    """--timeout in seconds."""
    startretries: int = 20
    """How often supervisord tries to start it: a backend may be slow to boot."""
    killasgroup: bool = False
    """Whether children of a worker that had to be killed are killed with it."""
    php_memory_limit: float | None = None
    """PHP's memory_limit in MiB, given on its command line."""


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of application."""

    title: str
    """What it is for."""
    detects: Mapping[str, str | bool]
    """What an app must have: product, horizon; {} fits every app."""
    worker: WorkerPlan
    """The options of its workers."""
    sizing: Sizing
    """How many of them."""


class Size(msgspec.Struct, frozen=True):
    """The outcome, and the sum that led to it."""

    numprocs: int
    """Workers."""
    memory: float
    """--memory of each, in MiB."""
    timeout: float
    """--timeout in seconds."""
    stopwaitsecs: float
    """How long supervisord waits for a job at stop."""
    sums: tuple[str, ...]
    """The arithmetic, a line each."""


def profiles() -> dict[str, Profile]:
    """Every profile by name."""
    return {path.stem: read_profile(path) for path in sorted((data_dir("templates") / "profiles").glob("*.yaml"))}


def read_profile(path: Path) -> Profile:
    """One profile's file; raises UsageError with its name."""
    data, _ = yaml_text.load(path.read_text(encoding="utf-8"), path.name)
    try:
        return msgspec.convert(data, Profile)
    except msgspec.ValidationError as problem:
        raise UsageError(f"the profile {path.name} is not one: {problem}") from None


def choose(app: App, wanted: str | None) -> tuple[str, Profile]:
    """The profile that was asked for, else the one that asks most of what this app is."""
    known = profiles()
    if wanted is not None:
        if wanted not in known:
            raise UsageError(f"there is no profile “{wanted}”; there are {', '.join(known)}")
        return wanted, known[wanted]
    has: dict[str, Any] = {"product": app.product, "horizon": app.has_horizon}
    fitting = [name for name, profile in known.items() if all(has.get(k) == v for k, v in profile.detects.items())]
    name = max(fitting, key=lambda name: len(known[name].detects))
    return name, known[name]


def size(profile: Profile, host: Host, connection: Connection | None) -> Size:
    """As many workers as the host can carry; raises UsageError where its memory is not known."""
    if host.is_unknown("memory") or host.usable_memory <= 0:
        raise UsageError("how much memory the host has is not known; name it with --host-memory")
    sizing = profile.sizing
    memory = host.usable_memory
    step = (
        [step for step in sizing.steps if step.from_ <= memory][-1]
        if memory >= sizing.steps[0].from_
        else sizing.steps[0]
    )
    each = step.memory + BESIDE_HEAP + sizing.per_job
    fit = int((memory - sizing.reserve) // each)
    beside = f" + {BESIDE_HEAP:.0f} of PHP beside it" + (f" + {sizing.per_job:.0f} of a job" if sizing.per_job else "")
    sums = [
        (
            f"memory: ({memory:.0f} MiB of the host − {sizing.reserve:.0f} reserved) ÷ ({step.memory:.0f} --memory{beside}) "
            f"= {max(fit, 0)}"
        ),
    ]
    limits = {"memory": fit, "processors": int(sizing.most_per_cpu * host.cpus), "the profile": sizing.most}
    sums.append(f"processors: {sizing.most_per_cpu:g} × {host.cpus} = {limits['processors']}")
    if connection is not None and connection.driver == "database":
        limits["the jobs table"] = 1 if connection.database_driver == "sqlite" else DATABASE_WORKERS
        why = (
            "SQLite takes one writer"
            if connection.database_driver == "sqlite"
            else "workers wait for each other's locks"
        )
        sums.append(f"the jobs table: {limits['the jobs table']} ({why})")
    numprocs = max(1, min(limits.values()))
    least = min(limits, key=lambda name: limits[name])
    sums.append(f"numprocs: {numprocs}, by {least}")
    timeout = step.timeout or profile.worker.timeout
    if connection is not None and connection.retry_after is not None and not connection.is_unknown("retry_after"):
        most = connection.retry_after - MARGIN
        if most < timeout:
            sums.append(f"timeout: {connection.retry_after:.0f} s retry_after − {MARGIN:.0f} s = {most:.0f} s")
            timeout = most
    if timeout < 1:
        raise UsageError(
            "retry_after is so short that no job has time to end before it is handed out again; raise it first"
        )
    stop = timeout + STOP_MARGIN
    sums.append(f"stopwaitsecs: {timeout:.0f} s --timeout + {STOP_MARGIN:.0f} s = {stop:.0f} s")
    return Size(numprocs, step.memory, timeout, stop, tuple(sums))
