"""What the census joins for the rules on queues, memory and the scheduler."""

from __future__ import annotations

import pytest

from auditor.facts.census import take_census
from auditor.facts.host import Host, Php
from auditor.facts.laravel import App
from auditor.facts.launch import Launch
from auditor.facts.origin import Mark, declared, origin, unknown
from auditor.facts.queue import Connection, Pool
from auditor.facts.schedule import CronLine, CronTable
from auditor.facts.site import Site
from auditor.facts.subjects import Scheduler, Totals, Worker
from auditor.facts.supervisor import Program, SupervisorConf
from auditor.sources.commands import understand

ARTISAN = "php /srv/shop/artisan"
REDIS = Connection(
    name="redis", driver="redis", is_default=True, redis_address="127.0.0.1:6379/0", redis_prefix="shop_"
)
SHOP = App(name="srv/shop", configured=True, default_connection="redis", connections=(REDIS,))
HORIZON = Pool(name="supervisor-1", connection="redis", queues=("default",))


def _launch(name: str, arguments: str, app: str = "srv/shop", **more: object) -> Launch:
    command = understand(f"{ARTISAN} {arguments}", runner="execve", place=origin("a.conf", 1))
    return Launch(**{"name": name, "command": command, "app": app, "file": "a.conf", "conf": "a.conf", **more})  # type: ignore[arg-type]


def _connection(site: Site, name: str = "redis", app: str = "srv/shop") -> Connection:
    for subject in take_census(site).of("connection"):
        found = subject.roots[0]
        if isinstance(found, Connection) and subject.name == name and getattr(subject.roots[1], "name", "") == app:
            return found
    raise AssertionError(name)


def _worker(site: Site, name: str = "emails") -> Worker:
    found = next(subject.roots[0] for subject in take_census(site).of("worker") if subject.name == name)
    assert isinstance(found, Worker)
    return found


def _schedulers(site: Site) -> dict[str, Scheduler]:
    found = [subject.roots[0] for subject in take_census(site).of("scheduler")]
    return {scheduler.name: scheduler for scheduler in found if isinstance(scheduler, Scheduler)}


def test_a_connection_knows_who_polls_it() -> None:
    """The queues of its workers and of Horizon's pools are gathered, those of other connections are not."""
    app = App(
        name="srv/shop",
        configured=True,
        default_connection="redis",
        connections=(REDIS, Connection(name="database", driver="database")),
        pools=(HORIZON,),
    )
    launches = (
        _launch("emails", "queue:work redis --queue=high,emails", processes=3),
        _launch("reports", "queue:work database --queue=reports"),
        _launch("horizon", "horizon"),
    )
    site = Site(apps=(app,), launches=launches)

    assert _connection(site).served == ("high", "emails", "default")
    assert (_connection(site).processes, _connection(site).programs) == (4, 2)
    assert _connection(site, "database").served == ("reports",)


@pytest.mark.parametrize(
    "site",
    [
        Site(apps=(SHOP,), launches=(_launch("emails", "queue:work redis --queue=%(ENV_QUEUES)s"),)),
        Site(apps=(SHOP,), launches=(_launch("emails", "queue:work %(ENV_CONNECTION)s"),)),
        Site(apps=(SHOP,), launches=(_launch("emails", "queue:work", marks={"app": unknown("it is not told")}),)),
        Site(apps=(SHOP,), launches=(_launch("horizon", "horizon"),)),
        Site(apps=(SHOP,), worker_hints=("deploy.sh",)),
        Site(apps=(SHOP,), kind="file"),
    ],
    ids=["its queues", "its connection", "its app", "what Horizon serves", "a file not read", "one file"],
)
def test_a_worker_that_is_not_understood_makes_the_polled_queues_unknown(site: Site) -> None:
    """A queue may only be called unserved where every worker is known."""
    assert _connection(site).is_unknown("served")


def test_apps_with_the_same_keys_share_their_jobs() -> None:
    """The same server, database, prefix and queue make one list of two apps' jobs; another prefix does not."""
    blog = App(name="srv/blog", configured=True, connections=(REDIS,))
    apart = Connection(name="redis", driver="redis", redis_address=REDIS.redis_address, redis_prefix="wiki_")
    wiki = App(name="srv/wiki", configured=True, connections=(apart,))
    site = Site(apps=(SHOP, blog, wiki))

    assert _connection(site).shared_with == ("srv/blog",)
    assert _connection(site, app="srv/wiki").shared_with == ()


def test_in_a_repository_no_app_shares_its_keys() -> None:
    """Apps of one repository may run on any machines."""
    blog = App(name="srv/blog", configured=True, connections=(REDIS,))

    assert _connection(Site(kind="repository", apps=(SHOP, blog))).shared_with == ()


@pytest.mark.parametrize(
    ("arguments", "pools", "certain", "likely"),
    [
        ("queue:work redis --queue=default", (HORIZON,), True, False),
        ("queue:work redis --queue=emails", (HORIZON,), False, False),
        ("queue:work database --queue=default", (HORIZON,), False, False),
        ("queue:work redis --queue=default", (), False, True),
        ("queue:work redis --queue=emails", (), False, False),
        ("queue:work %(ENV_CONNECTION)s", (HORIZON,), False, False),
    ],
)
def test_a_worker_beside_horizon(arguments: str, pools: tuple[Pool, ...], certain: bool, likely: bool) -> None:
    """What both serve is certain with config/horizon.php, and likely without it for the published defaults."""
    app = App(name="srv/shop", configured=True, default_connection="redis", connections=(REDIS,), pools=pools)
    worker = _worker(Site(apps=(app,), launches=(_launch("emails", arguments), _launch("horizon", "horizon"))))

    assert worker.is_beside_horizon is certain
    assert bool(worker.maybe_beside_horizon) is likely


def test_horizon_of_another_instance_is_not_beside() -> None:
    """Two configurations of one repository are alternatives."""
    app = App(name="srv/shop", configured=True, default_connection="redis", connections=(REDIS,), pools=(HORIZON,))
    launches = (_launch("emails", "queue:work redis", instance="a"), _launch("horizon", "horizon", instance="b"))

    assert not _worker(Site(kind="repository", apps=(app,), launches=launches)).shares_with_horizon


@pytest.mark.parametrize(
    ("queues", "urgent", "ordinary"),
    [
        ("default,tenant,critical", "critical", "default"),
        ("low,default,high", "high", "low"),
        ("high,default,low", "", ""),
        ("tenant_isolated,tenant_critical", "", ""),
        ("default,emails", "", ""),
    ],
)
def test_urgent_queues_are_known_by_their_names(queues: str, urgent: str, ordinary: str) -> None:
    """Only the very names count, and only where one stands behind the other."""
    worker = _worker(Site(apps=(SHOP,), launches=(_launch("emails", f"queue:work redis --queue={queues}"),)))

    assert (worker.urgent_behind, worker.ordinary_before) == (urgent, ordinary)


@pytest.mark.parametrize(("cached", "expected"), [(False, "database"), (True, "redis")])
def test_environment_of_the_program_beats_the_apps(cached: bool, expected: str) -> None:
    """A connection set in environment= is the worker's own, unless the configuration is cached."""
    app = App(
        name="srv/shop",
        configured=True,
        config_cached=cached,
        default_connection="redis",
        queue_env_name="QUEUE_CONNECTION",
        connections=(REDIS, Connection(name="database", driver="database")),
    )
    program = Program(
        name="emails",
        section="program:emails",
        file="a.conf",
        group="emails",
        environment=(("QUEUE_CONNECTION", "database"),),
        marks={"environment": declared(origin("a.conf", 3))},
    )
    conf = SupervisorConf(main="a.conf", files=("a.conf",), programs=(program,))
    worker = _worker(Site(apps=(app,), confs=(conf,), launches=(_launch("emails", "queue:work"),)))

    assert worker.connection == expected


def _table(*lines: CronLine) -> CronTable:
    return CronTable(path="etc/cron.d/shop", kind="drop-in", lines=lines)


def _line(number: int, user: str = "www-data", **more: object) -> CronLine:
    marks: dict[str, Mark] = {"schedule": declared(origin("etc/cron.d/shop", number))}
    return CronLine(**{"marks": marks, "user": user, "every_minute": True, "command": "x", **more})  # type: ignore[arg-type]


def _cron(number: int, **more: object) -> Launch:
    path = "etc/cron.d/shop"
    place = {"name": f"{path}:{number}", "runner": "cron", "file": path, "line": number, "conf": ""}
    return _launch(arguments="schedule:run", **{**place, **more})  # type: ignore[arg-type]


def test_of_two_schedulers_the_second_is_told() -> None:
    """Both know of each other, and one of them comes second."""
    site = Site(apps=(SHOP,), launches=(_cron(1), _launch("shop-scheduler", "schedule:work")))
    found = _schedulers(site)

    assert found["shop-scheduler"].earlier == ("etc/cron.d/shop:1",)
    assert not found["etc/cron.d/shop:1"].comes_second


def test_schedulers_of_apps_that_are_not_known_are_no_pair() -> None:
    """Two schedulers whose apps cannot be told may run two apps."""
    lost = {"app": unknown("it is not told")}
    site = Site(launches=(_cron(1, app="", marks=lost), _cron(2, app="", marks=lost)))

    assert all(scheduler.is_unknown("earlier") for scheduler in _schedulers(site).values())


@pytest.mark.parametrize(
    ("line", "homes", "expected"),
    [
        (_line(1, user="shop"), (("shop", "/srv/shop"),), True),
        (_line(1, user="shop"), (("shop", "/home/shop"),), False),
        (_line(1, home="/srv/shop"), (), True),
        (_line(1, user="www-data"), (), False),
        (_line(1, user="shop"), (), None),
    ],
)
def test_cron_starts_in_a_home(line: CronLine, homes: tuple[tuple[str, str], ...], expected: bool | None) -> None:
    """HOME of the table, else the account's: artisan is found where that is the app's own folder."""
    site = Site(apps=(SHOP,), tables=(_table(line),), host=Host(homes=homes), launches=(_cron(1),))
    scheduler = _schedulers(site)["etc/cron.d/shop:1"]

    assert (None if scheduler.is_unknown("starts_in_app") else scheduler.starts_in_app) is expected


@pytest.mark.parametrize(
    ("host", "path", "expected"),
    [
        (Host(rotated=("/var/log/shop/*.log",)), "/var/log/shop/cron.log", True),
        (Host(rotated=("/var/log/nginx/*.log",)), "/var/log/shop/cron.log", False),
        (Host(rotated=("/var/log/*.log",)), "storage/cron.log", None),
        (Host(marks={"rotated": unknown("it is not told")}), "/var/log/cron.log", None),
    ],
)
def test_appended_output_is_rotated_or_not(host: Host, path: str, expected: bool | None) -> None:
    """What logrotate names is rotated; a relative path, or a host without logrotate, leaves it unknown."""
    site = Site(apps=(SHOP,), tables=(_table(_line(1, appends_to=path)),), host=host, launches=(_cron(1),))
    (subject,) = take_census(site).of("line")
    line = subject.roots[0]

    assert isinstance(line, CronLine)
    assert (None if line.is_unknown("output_rotated") else line.output_rotated) is expected


def test_a_broken_line_is_not_a_missing_one() -> None:
    """Where a line was to run the scheduler and cannot, a second one would be added beside it if it were called missing."""
    broken = _table(_line(1, command="cd /srv/shop && php artisan schedule:run >> x-$(date +%F)", cut_at_percent=True))
    (subject,) = take_census(Site(apps=(SHOP,), tables=(broken,))).of("app")
    app = subject.roots[0]

    assert isinstance(app, App)
    assert app.is_unknown("schedulers")


@pytest.mark.parametrize(
    ("arguments", "php", "expected"),
    [
        ("queue:work redis --memory=256", Php(memory_limit=512), 2 * (256 + 60)),
        ("queue:work redis --memory=2048", Php(memory_limit=512), 2 * (512 + 60)),
        ("queue:work redis --memory=0", Php(memory_limit=512), 2 * (512 + 60)),
    ],
)
def test_workers_take_what_ends_them_first(arguments: str, php: Php, expected: float) -> None:
    """--memory or PHP's memory_limit, whichever is less, and what PHP itself takes."""
    site = Site(apps=(SHOP,), phps=(php,), launches=(_launch("emails", arguments, processes=2),))
    (subject,) = take_census(site).of("site")
    totals = subject.roots[0]

    assert isinstance(totals, Totals)
    assert totals.workers_memory == expected
