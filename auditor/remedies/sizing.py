"""How many workers a host can carry, and what each may take: the numbers, and the sums that lead to them."""

from __future__ import annotations

import msgspec

from auditor.errors import UsageError
from auditor.facts.host import Host
from auditor.facts.laravel import App
from auditor.facts.origin import NEVER
from auditor.facts.queue import Connection
from auditor.facts.subjects import BESIDE_HEAP
from auditor.remedies.profile import Profile, Step

DATABASE_WORKERS = 2
"""So many workers on a jobs table whose server cannot skip locked rows, or is not known to: more wait for each other."""
SKIPS_LOCKED = {"mysql": (8, 0, 1), "mariadb": (10, 6)}
"""The releases from which on Laravel's database queue passes over locked rows (Queue/DatabaseQueue.php)."""
MARGIN = 10.0
"""Seconds between --timeout and retry_after."""
STOP_MARGIN = 30.0
"""Seconds that supervisord waits beyond --timeout."""
ROOM = 0.75
"""A worker restarts between two jobs at this part of memory_limit at most, so that no job meets the limit itself."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers that the caller decides; None leaves one to the sum."""

    numprocs: int | None = None
    """Workers."""
    memory: float | None = None
    """--memory in MiB."""
    timeout: float | None = None
    """--timeout in seconds."""


class Size(msgspec.Struct, frozen=True):
    """The outcome, and the sum that led to it."""

    numprocs: int
    """Processes that supervisord keeps."""
    memory: float
    """--memory of each, in MiB; 0 for Horizon, which has its own."""
    timeout: float
    """--timeout in seconds; the longest one of Horizon's supervisors."""
    stopwaitsecs: float
    """How long supervisord waits for a job at stop."""
    php_memory_limit: float | None
    """PHP's memory_limit on the command line, in MiB; None leaves php.ini's."""
    sums: tuple[str, ...]
    """The arithmetic, a line each."""


def size(
    profile: Profile,
    host: Host,
    app: App,
    connection: Connection | None,
    wanted: Wanted,
) -> Size:
    """As many workers as the host can carry; raises UsageError where its memory is not known, or no time is left a job."""
    if profile.worker.kind == "horizon":
        return _horizon(profile, app)
    sums: list[str] = []
    step = _step(profile, host, wanted)
    memory = wanted.memory or step.memory
    numprocs = _numprocs(profile, step, memory, host, connection, wanted, sums)
    if wanted.memory:
        sums.append(f"--memory: {memory:g} MiB, as asked")
    limit = step.php_memory_limit or profile.worker.php_memory_limit
    if limit is not None:
        needed = -(-memory // ROOM)
        limit = max(limit, needed)
        sums.append(f"memory_limit: {limit:g} MiB, so that --memory {memory:g} is at most {ROOM:.0%} of it")
    timeout = _timeout(profile, step, connection, wanted, sums)
    stop = timeout + STOP_MARGIN
    sums.append(f"stopwaitsecs: {timeout:.0f} s --timeout + {STOP_MARGIN:.0f} s = {stop:.0f} s")
    return Size(numprocs, memory, timeout, stop, limit, tuple(sums))


def _step(profile: Profile, host: Host, wanted: Wanted) -> Step:
    steps = profile.sizing.steps
    if host.is_unknown("memory") or host.usable_memory <= 0:
        if wanted.numprocs is None or wanted.memory is None:
            raise UsageError("how much memory the host has is not known; name it with --host-memory")
        return steps[0]
    return [step for step in steps if step.from_ <= host.usable_memory][-1]


def _numprocs(
    profile: Profile,
    step: Step,
    memory: float,
    host: Host,
    connection: Connection | None,
    wanted: Wanted,
    sums: list[str],
) -> int:
    limits: dict[str, int] = {}
    if not host.is_unknown("memory"):
        usable, sizing = host.usable_memory, profile.sizing
        limits["memory"] = max(0, int((usable - step.reserve) // (memory + BESIDE_HEAP + sizing.per_job)))
        beside = f" + {BESIDE_HEAP:.0f} of PHP beside it"
        beside += f" + {sizing.per_job:.0f} of a job" if sizing.per_job else ""
        sums.append(
            f"memory: ({usable:.0f} MiB of the host − {step.reserve:.0f} reserved) ÷ ({memory:.0f} --memory{beside}) "
            f"= {limits['memory']}"
        )
    if not host.is_unknown("cpus"):
        limits["processors"] = int(profile.sizing.most_per_cpu * host.cpus)
        sums.append(f"processors: {profile.sizing.most_per_cpu:g} × {host.cpus} = {limits['processors']}")
    limits["the profile"] = step.most
    sums.append(f"the profile: {step.most} at most on such a host")
    if connection is not None and connection.driver == "database":
        most, why = _on_table(connection)
        if most is not None:
            limits["the jobs table"] = most
            sums.append(f"the jobs table: {most} ({why})")
    least = min(limits, key=lambda name: limits[name])
    if wanted.numprocs is not None:
        sums.append(f"numprocs: {wanted.numprocs}, as asked (the sum gives {max(1, limits[least])})")
        return wanted.numprocs
    if limits[least] < 1:
        sums.append(f"numprocs: 1, the least there is, though {least} leaves no room for one")
        return 1
    sums.append(f"numprocs: {limits[least]}, by {least}")
    return limits[least]


def _on_table(connection: Connection) -> tuple[int | None, str]:
    """How many workers a table of jobs takes at most, and why; None where there is no such limit."""
    if connection.database_driver == "sqlite":
        return 1, "SQLite takes one writer"
    since = SKIPS_LOCKED["mariadb" if connection.is_mariadb else "mysql"]
    if connection.database_driver in SKIPS_LOCKED and connection.database_version >= since:
        return None, ""
    if connection.database_driver == "pgsql":
        return None, ""
    return DATABASE_WORKERS, "more would wait for each other's locks, unless its server passes over locked rows"


def _timeout(
    profile: Profile,
    step: Step,
    connection: Connection | None,
    wanted: Wanted,
    sums: list[str],
) -> float:
    timeout = wanted.timeout or step.timeout or profile.worker.timeout
    known = connection is not None and connection.retry_after is not None and not connection.is_unknown("retry_after")
    most = (
        float((connection.retry_after - MARGIN) // 1)
        if connection is not None and known and connection.retry_after
        else NEVER
    )
    if wanted.timeout is not None:
        if wanted.timeout > most:
            raise UsageError(
                f"--timeout {wanted.timeout:g} is not below retry_after − {MARGIN:.0f} s = {most:.0f} s: a second worker "
                "would take the job; raise retry_after first"
            )
        sums.append(f"timeout: {timeout:.0f} s, as asked")
    elif most < timeout:
        sums.append(f"timeout: {most + MARGIN:.0f} s of retry_after − {MARGIN:.0f} s = {most:.0f} s")
        timeout = most
    else:
        sums.append(f"timeout: {timeout:.0f} s, by the profile")
    if timeout < 1:
        raise UsageError(
            "retry_after is so short that no job has time to end before it is handed out again; raise it first"
        )
    return timeout


def _horizon(profile: Profile, app: App) -> Size:
    """One master, which is waited for as long as the longest of its supervisors may work."""
    pools = [pool for pool in app.pools if pool.live]
    if any(pool.is_unknown("timeout") for pool in pools):
        raise UsageError("how long a Horizon supervisor gives a job is not known; write it out in config/horizon.php")
    longest = max((pool.timeout for pool in pools), default=profile.worker.timeout)
    if longest == NEVER:
        raise UsageError("a Horizon supervisor has no timeout; set one in config/horizon.php first")
    stop = longest + STOP_MARGIN
    sums = ["numprocs: 1, a Horizon master, which starts its workers itself"]
    if pools:
        workers = sum(pool.max_processes for pool in pools)
        sums.append(f"workers: {workers} at most, by config/horizon.php")
    sums.append(
        f"stopwaitsecs: {longest:.0f} s, the longest timeout of Horizon's supervisors, + {STOP_MARGIN:.0f} s = {stop:.0f} s"
    )
    return Size(1, 0, longest, stop, profile.worker.php_memory_limit, tuple(sums))
