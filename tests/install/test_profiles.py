"""Profiles: each figure has its source, a file that is none is refused with its line, and the sums come out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from auditor.dialects import yaml_text
from auditor.facts.host import Host
from auditor.facts.laravel import App
from auditor.facts.origin import NEVER
from auditor.facts.queue import Connection
from auditor.facts.subjects import BESIDE_HEAP
from auditor.remedies.profile import Profile, ProfileRefused, choose, read_profile, shipped
from auditor.remedies.sizing import ROOM, Size, Wanted, size

NAMES = sorted(shipped())
QUEUE_WORK = [name for name in NAMES if read_profile(shipped()[name]).worker.kind == "queue:work"]
SOUND = """\
title: A shop
detects: { package: acme/shop }
worker:
  kind: queue:work
  tries: 2
sizing:
  steps:
    - { from: 0, reserve: 512, memory: 128, most: 2 }
evidence:
  - of: [worker.tries]
    says: It says so.
    source: https://example.org/manual
    date: 2025-01-31
"""


def load(name: str) -> Profile:
    """A shipped profile."""
    return read_profile(shipped()[name])


def sized(profile: Profile, memory: float, cpus: int = 4, **more: Any) -> Size:
    """What a profile gives a host."""
    connection = more.pop("connection", None)
    return size(profile, Host(memory=memory, cpus=cpus), App(name="shop"), connection, Wanted(**more))


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_its_source(name: str) -> None:
    """What a profile sets beside the command itself is told where it is from."""
    data, _ = yaml_text.load(shipped()[name].read_text(encoding="utf-8"), name)
    figures = {f"worker.{key}" for key in data["worker"]} - ({"worker.kind"} if name in QUEUE_WORK else set())
    figures |= data.keys() & {"sizing", "env", "scheduler"}

    assert figures <= {key for one in data["evidence"] for key in one["of"]}


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({}, "laravel"),
        ({"has_horizon": True}, "horizon"),
        ({"product": "invoiceninja"}, "invoiceninja"),
        ({"product": "invoiceninja", "has_horizon": True}, "invoiceninja"),
        ({"package": "pterodactyl/panel"}, "pterodactyl"),
        ({"package": "BookStackApp/BookStack"}, "bookstack"),
        ({"package": "pixelfed/pixelfed", "has_horizon": True}, "pixelfed"),
        ({"package": "pixelfed/pixelfed"}, "laravel"),
        ({"package": "acme/shop"}, "laravel"),
    ],
)
def test_the_profile_that_asks_most_is_chosen(facts: dict[str, Any], name: str) -> None:
    """By what its files show it to be; a name counts more than a trait."""
    assert choose(App(**facts), None)[0] == name


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (("  tries: 2", "  tris: 2"), "x.yaml:5: there is no key “tris” here; did you mean “tries”?"),
        (("worker:", "wroker:"), "x.yaml:3: there is no key “wroker” here; did you mean “worker”?"),
        (("  kind: queue:work", "  kind: queue:listen"), "x.yaml:4: invalid enum value"),
        (("  tries: 2", "  tries: 0"), "x.yaml:5: expected “int” >= 1"),
        (("from: 0", "from: 500"), "x.yaml:7: the steps begin at 0 and rise, each once"),
        (
            ("[worker.tries]", "[worker.sleep]"),
            "x.yaml:10: the evidence is of “worker.sleep”, which this file does not set",
        ),
        (("date: 2025-01-31", "date: soon"), "x.yaml:13: expected “str” matching regex"),
        (("title: A shop\n", ""), "object missing required field “title”"),
        (("https://example.org/manual", "a friend"), "x.yaml:12: expected “str” matching regex"),
        (("memory: 128", "memory: -1"), "x.yaml:8: expected “float” > 0"),
    ],
)
def test_what_is_no_profile_is_refused(tmp_path: Path, changed: tuple[str, str], told: str) -> None:
    """With file, line and the nearest name."""
    assert changed[0] in SOUND
    path = tmp_path / "x.yaml"
    path.write_text(SOUND.replace(*changed))

    with pytest.raises(ProfileRefused) as refused:
        read_profile(path)

    assert told in str(refused.value)


def test_the_manuals_profile_is_one(tmp_path: Path, checkout: Path) -> None:
    """What docs/profiles.md shows can be taken as it stands."""
    page = (checkout / "docs/profiles.md").read_text(encoding="utf-8")
    path = tmp_path / "shop.yaml"
    path.write_text(page.partition("```yaml\n")[2].partition("```")[0], encoding="utf-8")

    assert read_profile(path).worker.queues == ("orders", "default")


def test_a_profile_of_ones_own(tmp_path: Path) -> None:
    """A path names it; a name that has none is told with the nearest."""
    path = tmp_path / "shop.yaml"
    path.write_text(SOUND)

    assert choose(App(), str(path))[1].worker.tries == 2


@pytest.mark.parametrize("name", QUEUE_WORK)
@pytest.mark.parametrize("memory", [512, 1000, 1900, 2000, 3900, 7900, 16000, 64000])
@pytest.mark.parametrize("cpus", [1, 4])
def test_the_workers_fit_the_host(name: str, memory: float, cpus: int) -> None:
    """All together they leave what is reserved, unless even one does not; each ends before PHP ends it."""
    profile = load(name)
    found = sized(profile, memory, cpus)
    step = [one for one in profile.sizing.steps if one.from_ <= memory][-1]
    together = found.numprocs * (found.memory + BESIDE_HEAP + profile.sizing.per_job) + step.reserve

    assert found.numprocs == 1 or together <= memory
    assert found.numprocs == 1 or found.numprocs <= profile.sizing.most_per_cpu * cpus
    assert found.php_memory_limit is None or found.memory <= ROOM * found.php_memory_limit
    assert found.stopwaitsecs > found.timeout


@pytest.mark.parametrize(
    ("memory", "cpus", "numbers"),
    [
        (1000, 1, (1, 192, 900, 930)),
        (2000, 1, (2, 256, 1800, 1830)),
        (3926, 2, (2, 384, 3600, 3630)),
        (7900, 4, (4, 512, 3600, 3630)),
    ],
)
def test_invoiceninja_by_the_size_of_its_host(memory: float, cpus: int, numbers: tuple[int, ...]) -> None:
    """Workers, --memory, --timeout and stopwaitsecs from the smallest host that runs it to one with room."""
    found = sized(load("invoiceninja"), memory, cpus)

    assert (found.numprocs, found.memory, found.timeout, found.stopwaitsecs) == numbers


@pytest.mark.parametrize(
    ("connection", "most"),
    [
        (Connection(driver="redis"), 8),
        (Connection(driver="database", database_driver="sqlite"), 1),
        (Connection(driver="database", database_driver="mysql"), 2),
        (Connection(driver="database", database_driver="mysql", database_version=(5, 7)), 2),
        (Connection(driver="database", database_driver="mysql", database_version=(8, 0, 30)), 8),
        (Connection(driver="database", database_driver="mysql", database_version=(10, 5)), 2),
        (Connection(driver="database", database_driver="mariadb", database_version=(10, 11)), 8),
        (Connection(driver="database", database_driver="pgsql"), 8),
    ],
)
def test_a_table_of_jobs_takes_so_many_workers(connection: Connection, most: int) -> None:
    """Where the server passes over locked rows there is no limit of the table's."""
    assert sized(load("laravel"), 16000, connection=connection).numprocs == most


def test_the_timeout_ends_before_the_job_is_handed_out_again() -> None:
    """retry_after bounds it, whatever the profile has."""
    short = Connection(driver="redis", retry_after=50)

    assert sized(load("laravel"), 8000, connection=short).timeout == 40
    assert sized(load("laravel"), 8000, connection=Connection(driver="redis", retry_after=NEVER)).timeout == 60


@pytest.mark.parametrize("name", QUEUE_WORK)
def test_the_sum_that_is_told_is_the_sum(name: str) -> None:
    """The arithmetic is told so that it can be done again on paper."""
    found = sized(load(name), 3926, 2)
    told = next(line for line in found.sums if line.startswith("memory: "))
    left, _, result = told.partition(" = ")
    have, _, each = left.partition("÷")
    total, reserved = (float(one) for one in re.findall(r"\d+", have))

    assert int((total - reserved) // sum(float(one) for one in re.findall(r"\d+", each))) == int(result)
    assert f"numprocs: {found.numprocs}, by" in "\n".join(found.sums)
