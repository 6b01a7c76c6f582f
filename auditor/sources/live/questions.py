"""What there is to ask: for each app the backends that its jobs go through, and the tables it keeps beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeVar

from auditor.facts.backend import Endpoint, Probe
from auditor.facts.census import take_census
from auditor.facts.laravel import App
from auditor.facts.origin import Fact
from auditor.facts.queue import IDLE_DRIVERS, Connection
from auditor.facts.scopes import SCOPES
from auditor.facts.site import Site
from auditor.facts.subjects import Subject, Worker
from auditor.sources.live.access import Access, Queue, Tables
from auditor.sources.live.app_settings import AppSettings
from auditor.sources.live.looking import NoAnswer, unsupported
from auditor.sources.tree import Tree

F = TypeVar("F", bound=Fact)
NO_TABLES = Tables("", "", "", "", "")
_IN_DATABASE = ("database", "database-uuids")
"""Drivers of failed jobs that keep them in a table."""


class Question(NamedTuple):
    """One backend to ask."""

    access: Access
    """Where, and with which password."""
    queues: tuple[Queue, ...]
    """The queues to count."""
    tables: Tables
    """The tables to look for; for SQL."""
    zone: str
    """The app's time zone."""


class Asked(NamedTuple):
    """Everything there is to ask of backends."""

    questions: tuple[Question, ...]
    """Those that are asked."""
    probes: tuple[Probe, ...]
    """Those that are not, each with the reason."""


def questions(tree: Tree, site: Site) -> Asked:
    """The questions of every app of a site."""
    census = take_census(site)
    apps = [_root(subject, "app", App) for subject in census.of("app")]
    polled = _Polled(census.of("worker"))
    found: list[Question] = []
    probes: list[Probe] = []
    for app in apps:
        if app is not None and app.configured and not app.is_unknown("connections"):
            asking = _OfApp(AppSettings(tree, app), polled)
            asking.ask()
            found += asking.questions
            probes += asking.probes
    return Asked(tuple(found), tuple(probes))


class _Polled:
    """Which queues of a connection are polled, and the longest time-out of those who do."""

    def __init__(self, workers: Iterable[Subject]) -> None:
        self.timeouts: dict[tuple[str, str], dict[str, list[float | None]]] = defaultdict(lambda: defaultdict(list))
        for subject in workers:
            worker, connection = _root(subject, "worker", Worker), _root(subject, "connection", Connection)
            if worker is None or connection is None or worker.is_unknown("queues"):
                continue
            timeout = None if worker.is_unknown("timeout") else worker.timeout
            for queue in worker.queues:
                self.timeouts[connection.app, connection.name][queue].append(timeout)

    def of(self, app: App, connection: Connection) -> tuple[Queue, ...]:
        """The connection's own queue, and all that somebody polls on it."""
        retry_after = None if connection.is_unknown("retry_after") else connection.retry_after
        known = self.timeouts.get((app.name, connection.name), {})
        timeouts = {queue: list(found) for queue, found in known.items()}
        for pool in app.pools:
            if pool.live and pool.connection == connection.name and not pool.is_unknown("queues"):
                for queue in pool.queues:
                    timeouts.setdefault(queue, []).append(None if pool.is_unknown("timeout") else pool.timeout)
        if not connection.is_unknown("queue"):
            timeouts.setdefault(connection.queue, [])
        return tuple(Queue(name, retry_after, _longest(found)) for name, found in timeouts.items() if name)


def _longest(timeouts: list[float | None]) -> float | None:
    known = [timeout for timeout in timeouts if timeout is not None]
    return max(known) if known and len(known) == len(timeouts) else None


class _OfApp:
    """One app's questions, as they are found."""

    def __init__(self, settings: AppSettings, polled: _Polled) -> None:
        self.settings = settings
        self.app = settings.app
        self.polled = polled
        self.questions: list[Question] = []
        self.probes: list[Probe] = []

    def ask(self) -> None:
        kinds: Mapping[str, Callable[[Connection], None]] = {"redis": self.redis, "database": self.database}
        for connection in self.app.connections:
            if connection.is_unknown("used") or not connection.used or connection.driver in IDLE_DRIVERS:
                continue
            if connection.is_unknown("driver"):
                self.leave(connection, "", connection.mark("driver").reason or "its driver is not known")
                continue
            try:
                kinds.get(connection.driver, self.other)(connection)
            except NoAnswer as problem:
                self.leave(connection, connection.driver, problem.reason)
        for name, kept in (("failed jobs", self.failed), ("the cache", self.cache)):
            try:
                kept()
            except NoAnswer as problem:
                probe = unsupported(problem.reason).probe("database", f"the table of {name}", self.app.name)
                self.probes.append(probe)

    def leave(self, connection: Connection, kind: str, reason: str) -> None:
        """Note a connection that is not asked."""
        self.probes.append(unsupported(reason).probe(kind, connection.name, self.app.name, connection.name))

    def other(self, connection: Connection) -> None:
        from auditor.sources.live.database import not_looked_at

        end = Endpoint(name=connection.name, app=self.app.name, connection=connection.name, kind=connection.driver)
        self.probes.append(not_looked_at(end))

    def redis(self, connection: Connection) -> None:
        self.add(Question(self.settings.redis(connection), self.polled.of(self.app, connection), NO_TABLES, "UTC"))

    def database(self, connection: Connection) -> None:
        for field in ("database", "table"):
            if connection.is_unknown(field):
                raise NoAnswer("unsupported", connection.mark(field).reason or f"its {field} is not known")
        access = self.settings.database(connection.database, connection.name)
        jobs = access.endpoint.prefix + connection.table
        self.add(Question(access, self.polled.of(self.app, connection), NO_TABLES._replace(jobs=jobs), self.zone()))

    def failed(self) -> None:
        """The table of failed jobs, wherever it lies."""
        if not self.app.workers or self.app.is_unknown("failed_driver") or self.app.failed_driver not in _IN_DATABASE:
            return
        settings = self.settings
        access = settings.database(settings.text("queue", "failed", "database"))
        self.keep(
            access, failed=access.endpoint.prefix + settings.text("queue", "failed", "table", default="failed_jobs")
        )

    def cache(self) -> None:
        """The table of the cache, where the default store is one: workers learn from it that they are to restart."""
        if not self.app.workers or self.app.is_unknown("cache_driver") or self.app.cache_driver != "database":
            return
        settings = self.settings
        store = ("cache", "stores", settings.text("cache", "default"))
        access = settings.database(settings.text(*store, "connection"))
        self.keep(access, cache=access.endpoint.prefix + settings.text(*store, "table", default="cache"))

    def keep(self, access: Access, **tables: str) -> None:
        """Ask for a table together with what else is asked of the same database."""
        for at, question in enumerate(self.questions):
            if question.access.endpoint.name == access.endpoint.name:
                self.questions[at] = question._replace(tables=question.tables._replace(**tables))
                return
        self.add(Question(access, (), NO_TABLES._replace(**tables), self.zone()))

    def add(self, question: Question) -> None:
        self.questions.append(question)

    def zone(self) -> str:
        found = self.settings.config.get("app", "timezone")
        return found.value if found.known and isinstance(found.value, str) else "UTC"


def _root(subject: Subject, name: str, kind: type[F]) -> F | None:
    found = subject.roots[list(SCOPES[subject.scope]).index(name)]
    return found if isinstance(found, kind) else None
