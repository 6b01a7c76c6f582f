"""Timetables that run the schedule, and those that do not, under Debian's cron."""

from __future__ import annotations

import pwd
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from auditor.findings import Finding, Verdict
from tests.proofs import proof
from tests.proofs.scenes import scheduler, tasks
from tests.proofs.scenes.scheduler import VARIANTS, Ticked

Prove = Callable[..., None]


class Tried(NamedTuple):
    """A variant's way from bad to good."""

    before: Verdict
    """The audit's word on it as it is."""
    bad: Ticked
    """What came of it as it is."""
    after: Verdict
    """The audit's word on it once it is put right."""
    good: Ticked
    """What came of it then."""
    remedy: str
    """What `fix` wrote; "" where it was put right by hand."""


def try_all(folder: Path) -> dict[str, Tried]:
    """What came of each variant: all run by one cron, put right, and run by another."""
    hosts = {name: scheduler.lay_out(folder / name, name) for name in VARIANTS}
    before = {name: proof.judged(host) for name, host in hosts.items()}
    bad = scheduler.observe(hosts, folder / "bad", [name for name, one in VARIANTS.items() if one.ticks], speed=30)
    remedies = dict.fromkeys(VARIANTS, "")
    for name, variant in VARIANTS.items():
        if variant.by_hand is not None:
            hosts[name] = scheduler.lay_out(folder / f"{name}-by-hand", name, bad=False)
        elif variant.rule is not None:
            try:
                remedies[name] = proof.fix(hosts[name], variant.rule)
            except AssertionError as problem:
                remedies[name] = f"none: {problem}"  # its own test says so
    after = {name: proof.judged(host) for name, host in hosts.items()}
    good = scheduler.observe(hosts, folder / "good", VARIANTS, speed=10)
    return {name: Tried(before[name], bad[name], after[name], good[name], remedies[name]) for name in VARIANTS}


def test_schedule_runs_or_not(
    tmp_path: Path, record_proof: Callable[[proof.Proved], None], subtests: pytest.Subtests
) -> None:
    """Each variant is found, runs the schedule or fails as its rule says, and runs once it is put right."""
    for name, one in try_all(tmp_path).items():
        with subtests.test(name):
            found = must_be_found(name, one)
            must_run_or_not(name, one)
            must_be_put_right(name, one)
            for each in found:
                severity, variant = each.severity.value, VARIANTS[name]
                record_proof(proof.Proved(each.rule, severity, variant.harm, one.remedy, variant.remedied))


def must_be_found(name: str, one: Tried) -> list[Finding]:
    """The finding of the variant's own rule; of a sound one none whatever."""
    variant = VARIANTS[name]
    about = (variant.rule, scheduler.subject(name))
    found = [each for each in one.before.findings if (each.rule, each.subject) == about]

    assert len(found) == (variant.rule is not None), proof.told(one.before)
    assert variant.rule is not None or not one.before.findings, proof.told(one.before)
    assert all(each.fixable == (variant.by_hand is None) for each in found), "what it can write, fix must write"
    return found


def must_run_or_not(name: str, one: Tried) -> None:
    """As it is, it runs the schedule or does not, and cron says of it what the variant expects."""
    variant = VARIANTS[name]

    assert bool(one.bad.ticks) == variant.ticks
    assert {each.uid for each in one.bad.ticks} == ({pwd.getpwnam(variant.user).pw_uid} if variant.ticks else set())
    assert variant.starts or not one.bad.started, "what cron refuses it never starts"
    assert name != "sound" or len(one.bad.started) >= 2
    assert variant.words in "\n".join(one.bad.said)
    if not variant.words:
        assert not [line for line in one.bad.said if "rror" in line]


def must_be_put_right(name: str, one: Tried) -> None:
    """Put right, no error is left of it, and it runs every minute as its own account."""
    variant = VARIANTS[name]
    left = [each for each in one.after.findings if each.rule == variant.rule or each.severity == "error"]

    assert not one.remedy.startswith("none"), one.remedy
    assert not left, proof.told(one.after)
    assert len(one.good.ticks) >= 2
    assert {each.uid for each in one.good.ticks} == {pwd.getpwnam(variant.account).pw_uid}
    assert not [line for line in one.good.said if "rror" in line]


def test_every_broken_variant_has_a_rule() -> None:
    """Only what runs every minute as the application's own user is left alone."""
    assert {name for name, one in VARIANTS.items() if one.rule is None} == {"sound", "user-crontab"}


def test_cron_piles_up_schedule_work(prove: Prove) -> None:
    """Cron starts schedule:work every minute, and none of them ever ends."""
    prove(tasks.WorkPilesUp, "sqlite")


def test_two_schedulers_run_each_task_twice(prove: Prove) -> None:
    """Two schedulers of one application both run what is due."""
    prove(tasks.TwoSchedulers, "sqlite")


def test_task_overlaps_without_locks(prove: Prove) -> None:
    """A cache that lives in one process keeps no lock: a task that must not overlap is begun while it still runs."""
    prove(tasks.TaskOverlaps, "sqlite")
