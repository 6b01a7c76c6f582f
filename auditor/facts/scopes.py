"""What a rule can be judged for, and what it may then name: the rules' vocabulary, one literal table."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.facts.backend import DatabaseServer, Probe, QueueState, RedisServer
from auditor.facts.bank import BankFeed
from auditor.facts.command import Command
from auditor.facts.container import Image, Service
from auditor.facts.failed import FailureCount
from auditor.facts.host import Host, Php
from auditor.facts.invoiceninja import Ninja, NinjaState
from auditor.facts.laravel import App
from auditor.facts.launch import Launch
from auditor.facts.logged import LogEvents
from auditor.facts.origin import Fact
from auditor.facts.queue import Connection, Pool
from auditor.facts.running import Daemon, DaemonProcess, WorkerProcess
from auditor.facts.schedule import CronLine, CronTable, Unit
from auditor.facts.subjects import Horizon, Scheduler, Totals, Worker
from auditor.facts.supervisor import HttpServer, Oddity, Program, Section, Setting, SupervisorConf

Roots = Mapping[str, type[Fact]]

SCOPES: Mapping[str, Roots] = {
    "site": {"site": Totals, "host": Host, "worker": Worker, "program": Program},
    "app": {"app": App, "site": Totals, "host": Host},
    "connection": {"connection": Connection, "app": App, "site": Totals, "ninja": Ninja},
    "pool": {"pool": Pool, "connection": Connection, "app": App, "site": Totals},
    "worker": {
        "worker": Worker, "command": Command, "program": Program, "unit": Unit, "connection": Connection,
        "app": App, "php": Php, "host": Host, "site": Totals, "ninja": Ninja, "service": Service,
    },
    "horizon": {
        "horizon": Horizon, "command": Command, "program": Program, "unit": Unit, "app": App, "php": Php,
        "host": Host, "site": Totals, "service": Service,
    },
    "scheduler": {
        "scheduler": Scheduler, "command": Command, "program": Program, "unit": Unit, "line": CronLine,
        "table": CronTable, "app": App, "host": Host, "site": Totals, "service": Service,
    },
    "program": {
        "program": Program, "command": Command, "launch": Launch, "conf": SupervisorConf, "app": App, "php": Php,
        "host": Host, "site": Totals, "ninja": Ninja, "service": Service,
    },
    "launch": {"launch": Launch, "command": Command, "app": App, "host": Host, "site": Totals},
    "table": {"table": CronTable, "site": Totals},
    "line": {"line": CronLine, "table": CronTable, "app": App, "host": Host, "site": Totals, "ninja": Ninja},
    "conf": {"conf": SupervisorConf, "site": Totals},
    "oddity": {"oddity": Oddity, "conf": SupervisorConf, "site": Totals},
    "server": {"server": HttpServer, "conf": SupervisorConf, "site": Totals},
    "section": {"section": Section, "conf": SupervisorConf, "site": Totals},
    "setting": {"setting": Setting, "section": Section, "conf": SupervisorConf, "site": Totals},
    "service": {"service": Service, "site": Totals},
    "image": {"image": Image, "site": Totals},
    "ninja": {"ninja": Ninja, "state": NinjaState, "app": App, "site": Totals, "host": Host},
    "feed": {"feed": BankFeed, "ninja": Ninja, "app": App, "site": Totals, "host": Host},
    "probe": {"probe": Probe, "connection": Connection, "conf": SupervisorConf, "app": App, "site": Totals},
    "queue": {"queue": QueueState, "connection": Connection, "app": App, "site": Totals},
    "redis": {"redis": RedisServer, "connection": Connection, "app": App, "site": Totals},
    "database": {"database": DatabaseServer, "connection": Connection, "app": App, "host": Host, "site": Totals},
    "failure": {"failure": FailureCount, "database": DatabaseServer, "app": App, "site": Totals},
    "event": {"event": LogEvents, "app": App, "site": Totals},
    "daemon": {"daemon": Daemon, "conf": SupervisorConf, "site": Totals},
    "supervised": {
        "supervised": DaemonProcess, "program": Program, "command": Command, "daemon": Daemon, "conf": SupervisorConf,
        "app": App, "site": Totals,
    },
    "process": {
        "process": WorkerProcess, "worker": Worker, "program": Program, "conf": SupervisorConf, "app": App,
        "site": Totals,
    },
}  # fmt: skip
"""Scope to its roots in order; the first is the subject itself, the others are joined to it where they exist."""
