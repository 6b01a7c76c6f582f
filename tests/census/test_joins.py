"""What the census joins for the rules on time-outs and processes."""

from __future__ import annotations

import pytest

from auditor.facts.census import take_census
from auditor.facts.laravel import App
from auditor.facts.launch import Launch
from auditor.facts.origin import declared, origin
from auditor.facts.queue import Connection
from auditor.facts.schedule import Unit
from auditor.facts.site import Site
from auditor.facts.subjects import Totals, Worker
from auditor.sources.commands import understand
from auditor.sources.supervisor import read_text

WORK = "php /srv/app/artisan queue:work"


def _launch(name: str, file: str, text: str, runner: str = "supervisor") -> Launch:
    command = understand(text, runner="execve", place=origin(file, 1))
    return Launch(name=name, runner=runner, file=file, conf="a.conf", app="srv/app", command=command)


def _workers(*launches: Launch, kind: str = "host") -> dict[str, Worker]:
    app = App(name="srv/app", configured=True, default_connection="redis")
    site = Site(kind=kind, apps=(app,), launches=launches)
    found = [subject.roots[0] for subject in take_census(site).of("worker")]
    return {worker.name: worker for worker in found if isinstance(worker, Worker)}


def test_the_same_work_in_two_files_is_seen_from_both() -> None:
    """A worker that supervisor and systemd both start is told of the other one, by each."""
    workers = _workers(
        _launch("emails", "a.conf", f"{WORK} redis --queue=emails"),
        _launch("emails.service", "emails.service", f"{WORK} redis --queue=emails --tries=3", "systemd"),
    )

    assert workers["emails"].twins == ("emails.service",)
    assert workers["emails.service"].twins == ("emails",)


@pytest.mark.parametrize(
    "other",
    [
        _launch("two", "a.conf", f"{WORK} redis --queue=emails"),
        _launch("two", "b.conf", f"{WORK} redis --queue=emails --tries=3"),
        _launch("two", "two.service", f"{WORK} redis --queue=reports", "systemd"),
    ],
    ids=["in one file", "another command of one supervisord", "another queue"],
)
def test_what_is_meant_is_no_twin(other: Launch) -> None:
    """Two programs in one file, or with different options, or for different queues, are meant."""
    workers = _workers(_launch("one", "a.conf", f"{WORK} redis --queue=emails"), other)

    assert workers["one"].twins == ()


def test_in_a_repository_nothing_is_a_twin() -> None:
    """Files of unknown destination may be alternatives of one another."""
    first = _launch("one", "a.conf", f"{WORK} redis --queue=emails")
    second = _launch("two", "b.conf", f"{WORK} redis --queue=emails")

    assert not any(worker.has_twins for worker in _workers(first, second, kind="repository").values())


def _shared(timeout: str, stopwaitsecs: str) -> str:
    text = f"[program:emails]\ncommand={WORK} --timeout={timeout}\nstopwaitsecs={stopwaitsecs}\n"
    conf = read_text(text, "a.conf")
    program = conf.programs[0]
    launch = Launch(
        name="emails", conf=conf.main, command=understand(program.command, runner="execve", place=program.place)
    )
    (subject,) = take_census(Site(confs=(conf,), launches=(launch,))).of("worker")
    worker = subject.roots[0]
    assert isinstance(worker, Worker)
    return worker.shared_variable


@pytest.mark.parametrize(
    ("timeout", "stopwaitsecs", "shared"),
    [
        ("%(ENV_LIMIT)s", "%(ENV_LIMIT)s", "%(ENV_LIMIT)s"),
        ("{{ limit }}", "{{ limit }}", "{{ limit }}"),
        ("%(ENV_LIMIT)s", "%(ENV_PATIENCE)s", ""),
        ("%(ENV_LIMIT)s", "3600", ""),
        ("60", "%(ENV_LIMIT)s", ""),
        ("60", "60", ""),
    ],
)
def test_one_variable_for_both(timeout: str, stopwaitsecs: str, shared: str) -> None:
    """What is not known is still equal to itself."""
    assert _shared(timeout, stopwaitsecs) == shared


def _used(*launches: Launch) -> dict[str, bool | None]:
    connections = tuple(
        Connection(name=name, driver=name, is_default=name == "redis") for name in ("redis", "database", "sqs")
    )
    app = App(name="srv/app", configured=True, default_connection="redis", connections=connections)
    found = take_census(Site(apps=(app,), launches=launches)).of("connection")
    facts = [subject.roots[0] for subject in found]
    return {c.name: None if c.is_unknown("used") else c.used for c in facts if isinstance(c, Connection)}


def test_a_connection_is_used_by_default_or_by_a_worker() -> None:
    """The default connection is used, one that a worker names is, and no other."""
    assert _used() == {"redis": True, "database": False, "sqs": False}
    assert _used(_launch("one", "a.conf", f"{WORK} database")) == {"redis": True, "database": True, "sqs": False}


def test_a_worker_of_unknown_connection_may_use_any() -> None:
    """Where a variable names the connection, nothing is told of those that are not the default."""
    assert _used(_launch("one", "a.conf", f"{WORK} $QUEUE_CONNECTION")) == {
        "redis": True,
        "database": None,
        "sqs": None,
    }


def test_how_long_systemd_lets_supervisord_stop() -> None:
    """The time-out of the one unit that starts supervisord counts; of two it is not told which."""
    unit = Unit(
        name="supervisor.service", path="a", exec_start=("/usr/bin/supervisord -n",), timeout_stop=90.0,
        marks={"name": declared(origin("a", 1))},
    )  # fmt: skip

    def granted(*units: Unit) -> float | None:
        totals = take_census(Site(units=units)).of("site")[0].roots[0]
        assert isinstance(totals, Totals)
        return totals.stop_granted

    assert granted() is None
    assert granted(unit) == 90.0
    assert granted(unit, unit) is None
