"""From a symptom to its causes: the table, what a text is taken to mean, the order of causes, and what is printed."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.diagnosis import Cause, Often, Standing, Symptom, Symptoms, diagnose, meant
from auditor.errors import UsageError
from auditor.findings import Finding, Held, Severity, Skipped
from auditor.judge.rulebook import load_folder, rules_folder
from auditor.sources.symptoms import load_symptoms
from auditor.why import which

TOP = Path(__file__).resolve().parents[2]
TABLE = load_symptoms()


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """`queue-auditor why` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "auditor", "why", *words], capture_output=True, text=True, cwd=TOP, check=False
    )


@cache
def told(symptom: str, host: str) -> dict[str, Any]:
    """The JSON of one symptom on one example host."""
    return json.loads(run(symptom, f"examples/{host}/host", "--format", "json").stdout)  # type: ignore[no-any-return]


def test_every_rule_that_a_cause_names_exists() -> None:
    """A rule that was renamed would never speak for its cause again."""
    known = {rule.id for rule in load_folder(rules_folder())}
    assert [(name, rule) for name, cause in TABLE.causes.items() for rule in cause.rules if rule not in known] == []


def test_every_cause_is_behind_some_symptom() -> None:
    """A cause that no symptom names is never told."""
    assert set(TABLE.causes) == {name for one in TABLE.symptoms.values() for name in one.causes}


MEANT = [
    ("bank connection expires after 7 days", "bank-connection-expires"),
    ("Rabobank asks to reconnect every week", "bank-connection-expires"),
    ("mail not sent", "mail-not-sent"),
    ("e-mails are never delivered", "mail-not-sent"),
    ("job ran twice", "job-ran-twice"),
    ("a job ran two times", "job-ran-twice"),
    ("customers get duplicates", "job-ran-twice"),
    ("recurring invoices missing", "recurring-invoices-missing"),
    ("scheduled tasks do not happen", "recurring-invoices-missing"),
    ("workers vanish", "workers-vanish"),
    ("supervisor says FATAL", "workers-vanish"),
    ("queue grows", "queue-grows"),
    ("the backlog is growing", "queue-grows"),
    ("jobs are lost", "jobs-disappear"),
    ("my deploy has no effect", "changes-have-no-effect"),
    ("OOM killer", "host-runs-out-of-memory"),
    ("pages are slow", "pages-are-slow"),
    ("jobs-disappear", "jobs-disappear"),
]


@pytest.mark.parametrize(("text", "symptom"), MEANT, ids=[text for text, _ in MEANT])
def test_what_a_text_is_taken_to_mean(text: str, symptom: str) -> None:
    """People tell of it in words of their own."""
    assert which(text, TABLE)[0] == symptom


@given(st.text(max_size=200))
def test_any_text_means_something_or_is_refused(text: str) -> None:
    """No text breaks the search, and what it finds is known."""
    assert set(meant(text, TABLE)) <= set(TABLE.symptoms)


def test_a_text_of_no_symptom_is_refused_with_those_there_are() -> None:
    """The sentence lists what can be asked."""
    with pytest.raises(UsageError, match="queue-grows"):
        which("xyzzy", TABLE)


SMALL = Symptoms(
    causes={name: Cause(name, "So.", (f"group/{name}",)) for name in ("one", "two", "three")},
    symptoms={
        "it": Symptom("It", ("it",), {"one": Often.SELDOM, "two": Often.SOMETIMES, "three": Often.OFTEN}),
    },
)


def found(rule: str, severity: Severity) -> Finding:
    """A finding of a rule."""
    return Finding(rule=f"group/{rule}", severity=severity, subject="s", message="m.")


ORDER = [
    ("with nothing known, what is behind it most often comes first", [], [], ["three", "two", "one"]),
    ("a finding outweighs how often a cause is behind it", [("one", "note")], [], ["one", "three", "two"]),
    ("an error outweighs a warning of the same cause", [("two", "error"), ("three", "note")], [], ["two", "three", "one"]),
    ("a warning about the usual outweighs an error about the rare", [("one", "error"), ("three", "warning")], [],
     ["three", "one", "two"]),
    ("of equals the one that stands first in the table comes first", [("two", "warning"), ("three", "error"), ("two", "note"),
     ("one", "error")], [], ["three", "two", "one"]),
    ("what could not be judged comes before what nothing speaks for", [], ["one"], ["one", "three", "two"]),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "findings", "unknown", "order"), ORDER, ids=[row[0] for row in ORDER])
def test_the_order_of_causes(
    sentence: str, findings: list[tuple[str, str]], unknown: list[str], order: list[str]
) -> None:
    """The likeliest cause comes first."""
    diagnosis = diagnose(
        "it",
        SMALL,
        findings=[found(rule, Severity(severity)) for rule, severity in findings],
        held=[],
        skipped=[Skipped(f"group/{rule}", "s", "it is unknown") for rule in unknown],
    )
    assert [one.cause for one in diagnosis.suspects] == order, sentence


def test_each_cause_has_its_own_evidence() -> None:
    """What speaks for, against, and neither is told of that cause alone."""
    diagnosis = diagnose(
        "it",
        SMALL,
        findings=[found("one", Severity.ERROR)],
        held=[Held("group/two", "s", "All is well")],
        skipped=[Skipped("group/three", "s", "it is unknown")],
    )
    told = {one.cause: one for one in diagnosis.suspects}
    assert [one.standing for one in diagnosis.suspects] == [Standing.SUPPORTED, Standing.OPEN, Standing.ABSENT]
    evidence = {name: (len(one.speaks_for), len(one.speaks_against), len(one.unchecked)) for name, one in told.items()}
    assert evidence == {"one": (1, 0, 0), "two": (0, 1, 0), "three": (0, 0, 1)}


def test_the_popular_advice_loses_the_bank_feed_for_want_of_a_scheduler() -> None:
    """The first user's question, asked of the first user's host."""
    answer = told("bank connection expires after 7 days", "invoiceninja-popular-advice")
    first = answer["suspects"][0]
    assert answer["symptom"] == "bank-connection-expires"
    assert first["cause"] == "scheduler-does-not-run"
    assert [finding["rule"] for finding in first["speaks_for"]] == ["scheduler/missing"]
    unable = next(one for one in answer["suspects"] if one["cause"] == "worker-cannot-start")
    assert unable["standing"] == "open", "a live look may still find it given up by supervisord"
    assert "processes/unknown-option" in {held["rule"] for held in unable["speaks_against"]}


def test_what_only_a_running_system_can_tell_stays_open() -> None:
    """Without --live nobody knows whether the backend answers, and the answer says so; with it, it is judged."""
    answer = told("the queue grows", "clean")
    backend = next(one for one in answer["suspects"] if one["cause"] == "backend-does-not-answer")
    assert backend["standing"] == "open"
    assert "backend/unreachable" in {one["rule"] for one in backend["unchecked"] if "--live" in one["reason"]}
    live = json.loads(run("the queue grows", "examples/clean/host", "--live", "--format", "json").stdout)
    asked = next(one for one in live["suspects"] if one["cause"] == "backend-does-not-answer")
    assert "--live" not in json.dumps(asked)


def test_the_json_is_as_its_schema_says() -> None:
    """docs/diagnosis.schema.json describes what `why --format json` prints."""
    schema = json.loads((TOP / "docs/diagnosis.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema_rs.validator_for(schema)
    for symptom in TABLE.symptoms:
        faults = [error.message for error in validator.iter_errors(told(symptom, "horizon"))]
        assert faults == []


STATUS = [
    (("mail not sent", "examples/invoiceninja-popular-advice/host"), 1, "Workers take more memory than there is"),
    (("job ran twice", "examples/clean/host"), 0, "Nothing that was found here brings it about."),
    (("xyzzy", "examples/clean/host"), 2, "tells of no symptom"),
    (("mail not sent", "examples/nowhere"), 2, "examples/nowhere"),
    (("mail not sent", "requirements"), 3, "nothing to audit"),
    ((), 0, "bank-connection-expires"),
]


@pytest.mark.parametrize(("words", "status", "says"), STATUS, ids=[" ".join(row[0]) or "nothing" for row in STATUS])
def test_the_exit_status(words: tuple[str, ...], status: int, says: str) -> None:
    """0 nothing brings it about, 1 something does, 2 it could not be told, 3 there is nothing to tell of."""
    result = run(*words)
    assert (result.returncode, says in result.stdout + result.stderr) == (status, True), result.stdout + result.stderr


def test_all_evidence_against_is_told_when_asked_for() -> None:
    """By default a cause that nothing speaks for has one line."""
    short = run("mail not sent", "examples/clean/host").stdout
    long = run("mail not sent", "examples/clean/host", "--all").stdout
    assert "Supervisor starts a worker again whenever it ends" not in short
    assert "against  Supervisor starts a worker again whenever it ends (" in long
