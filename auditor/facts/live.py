"""One look at the running system: everything that was asked at one moment, and how each question went."""

from __future__ import annotations

from auditor.facts.backend import (
    Daemon,
    DaemonProcess,
    DatabaseServer,
    Probe,
    QueueState,
    RedisServer,
    WorkerProcess,
)
from auditor.facts.origin import Fact, Seconds


class Live(Fact, frozen=True, kw_only=True):
    """What the running system said of itself, each thing once; a site that was not asked has none."""

    taken: Seconds = 0.0
    """When it was asked, in seconds since 1970."""
    probes: tuple[Probe, ...] = ()
    """How each question went, those that were not asked among them."""
    redis_servers: tuple[RedisServer, ...] = ()
    """The Redis server of each queue connection."""
    database_servers: tuple[DatabaseServer, ...] = ()
    """The database of each queue connection, of failed jobs and of the cache."""
    queues: tuple[QueueState, ...] = ()
    """Every queue of every connection that was asked."""
    daemons: tuple[Daemon, ...] = ()
    """Every supervisord that answered."""
    supervised: tuple[DaemonProcess, ...] = ()
    """Their processes."""
    processes: tuple[WorkerProcess, ...] = ()
    """Every worker, scheduler and supervisord that runs, whatever started it."""
    has_cron: bool = False
    """Whether a cron daemon runs."""
