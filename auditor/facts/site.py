"""The whole of what was read: one host, one repository, or one file."""

from __future__ import annotations

import msgspec

from auditor.facts.container import Image, ServerImage, Service
from auditor.facts.host import Host, Php
from auditor.facts.ignore import Ignore
from auditor.facts.laravel import App
from auditor.facts.launch import Launch
from auditor.facts.live import Live
from auditor.facts.origin import Fact
from auditor.facts.schedule import CronTable, Unit
from auditor.facts.supervisor import SupervisorConf

FORMAT = 1
"""Version of the facts file; it grows by one when an older auditor could misread a newer file."""


class Unread(msgspec.Struct, frozen=True):
    """A file or folder that exists and could not be taken in."""

    path: str
    """Where it lies."""
    reason: str
    """Why, as a clause without a full stop."""


class Site(Fact, frozen=True):
    """Everything that was read, each thing once; the joins are made by the census."""

    format: int = FORMAT
    """Version of this shape."""
    name: str = ""
    """The audited path as it was asked for."""
    kind: str = "host"
    """"host" (a root file system), "repository" (files of unknown destination) or "file"."""
    host: Host = Host()
    """The machine."""
    phps: tuple[Php, ...] = ()
    """Every PHP command line found; the first is the default."""
    confs: tuple[SupervisorConf, ...] = ()
    """Every supervisord's configuration, or lone file of programs."""
    apps: tuple[App, ...] = ()
    """Every Laravel application."""
    launches: tuple[Launch, ...] = ()
    """Everything that is started."""
    tables: tuple[CronTable, ...] = ()
    """Every cron table."""
    units: tuple[Unit, ...] = ()
    """Every systemd unit that concerns us."""
    images: tuple[Image, ...] = ()
    """Every image that a Dockerfile here makes."""
    services: tuple[Service, ...] = ()
    """Every container that a deployment here runs."""
    servers: tuple[ServerImage, ...] = ()
    """Every Redis and database server among them."""
    scheduler_hints: tuple[str, ...] = ()
    """Files that mention the scheduler and that are of a kind nobody here reads."""
    worker_hints: tuple[str, ...] = ()
    """Files that mention a queue worker and that are of a kind nobody here reads."""
    environment_hints: tuple[str, ...] = ()
    """Files that may give supervisord its environment: of containers, of deployments, scripts, environment files."""
    unread: tuple[Unread, ...] = ()
    """What exists and could not be taken in."""
    ignores: tuple[Ignore, ...] = ()
    """Comments that ask for something to be left alone."""
    live: Live | None = None
    """What the running system said; None where it was not asked."""
    previous: Live | None = None
    """What it said the last time it was asked, for what only two looks can tell; None where there was none."""
