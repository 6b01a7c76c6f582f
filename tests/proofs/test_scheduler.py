"""Timetables that run the schedule, and those that do not, under Debian's cron."""

from __future__ import annotations

import pwd
from pathlib import Path

import pytest

from tests.proofs.scenes import scheduler
from tests.proofs.scenes.scheduler import VARIANTS, Ticked


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ticked]:
    """What came of each variant, all run by one cron."""
    folder = tmp_path_factory.mktemp("cron")
    hosts = {name: scheduler.lay_out(folder / name, name) for name in VARIANTS}
    return scheduler.observe(hosts, folder / "all")


@pytest.mark.parametrize("name", VARIANTS)
def test_schedule_runs_or_not(seen: dict[str, Ticked], name: str) -> None:
    """Each variant runs the schedule as it must, or fails as its rule says."""
    variant, found = VARIANTS[name], seen[name]

    assert bool(found.ticks) == variant.ticks
    assert {one.uid for one in found.ticks} == ({pwd.getpwnam(variant.user).pw_uid} if variant.ticks else set())
    assert variant.words in "\n".join(found.said)
    if not variant.words:
        assert not [line for line in found.said if "rror" in line]


def test_every_broken_variant_has_a_rule() -> None:
    """Only what runs every minute as the application's own user is left alone."""
    assert {name for name, one in VARIANTS.items() if one.rule is None} == {"sound", "user-crontab"}


def test_cron_says_what_it_started(seen: dict[str, Ticked]) -> None:
    """What cron starts it logs, and what it refuses it never starts."""
    for name, variant in VARIANTS.items():
        if not variant.starts:
            assert not seen[name].started, name
    assert len(seen["sound"].started) >= 2


def test_nothing_of_root_is_left_by_a_sound_line(seen: dict[str, Ticked]) -> None:
    """A line for root makes the schedule write as root; a sound one never does."""
    assert {one.uid for one in seen["as-root"].ticks} == {0}
    assert 0 not in {one.uid for one in seen["sound"].ticks}
    assert Path("/etc/cron.d").is_dir()
