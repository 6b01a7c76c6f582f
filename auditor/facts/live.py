"""One look at the running system: everything that was asked at one moment, and how each question went."""

from __future__ import annotations

from auditor.facts.backend import DatabaseServer, Probe, QueueState, RedisServer
from auditor.facts.bank import BankFeed
from auditor.facts.invoiceninja import NinjaState
from auditor.facts.logged import LogEvents
from auditor.facts.origin import Fact, Seconds
from auditor.facts.running import Daemon, DaemonProcess, WorkerProcess


class Written(Fact, frozen=True, kw_only=True):
    """A file that something appends its output to."""

    name: str = ""
    """Its path below the audited root."""
    age: Seconds = 0.0
    """How long ago something was last written there."""


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
    written: tuple[Written, ...] = ()
    """The files that cron lines append their output to, where they are there."""
    logged: tuple[LogEvents, ...] = ()
    """What the ends of the apps' own logs tell."""
    crons: tuple[str, ...] | None = None
    """Names of the cron daemons that run; None where the process table was not read, or is not that of the audited root."""
    ninjas: tuple[NinjaState, ...] = ()
    """What each InvoiceNinja's database says of the app."""
    feeds: tuple[BankFeed, ...] = ()
    """The bank feeds of every InvoiceNinja whose database answered."""
