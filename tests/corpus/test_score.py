"""The score itself: what counts as met, missed, false, tolerated."""

from __future__ import annotations

import json
import pathlib
import sys
from typing import Any

import pytest

from tests.corpus import score

CONF = "[program:fast]\ncommand=a\n\n[program:fast-mail]\ncommand=b\nstopwaitsecs=5\n"
COVERS = "timeouts/stopwaitsecs-covers-timeout"
RETRY = "timeouts/timeout-below-retry-after"


def found(rule: str, subject: str, *places: tuple[str, int], severity: str = "error", message: str = "") -> score.Found:
    """A finding with these places."""
    return score.Found(rule, severity, subject, message, tuple(score.Place(*place) for place in places))


def said(at: str, word: str, why: str = "", severity: str = "error") -> dict[str, str]:
    """One entry of labels.yaml."""
    return {"at": at, "id": word, "why": why, "severity": severity}


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with one supervisor file of two programs."""
    (tmp_path / "w.conf").write_text(CONF)
    return tmp_path


@pytest.mark.parametrize(
    ("at", "finding", "touched"),
    [
        ("w.conf#fast", found(COVERS, "fast", ("w.conf", 2)), True),
        ("w.conf#fast", found(COVERS, "fast_00", ("w.conf", 2)), True),
        ("w.conf#fast", found(COVERS, "fast:fast_00", ("config/queue.php", 9), ("w.conf", 2)), True),
        ("w.conf#fast", found(COVERS, "fast-mail", ("w.conf", 5)), False),
        ("w.conf#fast-mail", found(COVERS, "redis", ("config/queue.php", 9), ("w.conf", 6)), True),
        ("w.conf#fast", found(COVERS, "redis", ("config/queue.php", 9), ("w.conf", 6)), False),
        ("w.conf#fast", found(COVERS, "fast", ("other.conf", 2)), False),
        ("w.conf#fast", found(RETRY, "fast", ("w.conf", 2)), False),
        ("w.conf", found(COVERS, "fast", ("w.conf", 2)), True),
        ("w.conf", found(COVERS, "fast", ("v.conf", 2)), False),
        ("repo", found(COVERS, "anything", ("v.conf", 2)), True),
        ("w.conf#fast", found(COVERS, "fast"), True),
        ("w.conf", found(COVERS, "fast"), False),
    ],
)
def test_a_finding_touches_a_label(folder: pathlib.Path, at: str, finding: score.Found, touched: bool) -> None:
    """A label is touched by its rule in its file, about its program by name or by a line within its section."""
    repo = {"expect": [said(at, "stopwaitsecs-too-short")]}
    assert bool(score.compare(repo, [finding], folder).met) is touched


def test_every_finding_has_one_fate(folder: pathlib.Path) -> None:
    """Met, missed, false, tolerated and unlabelled are told apart, and a tolerated word forbids errors only."""
    repo: dict[str, Any] = {
        "expect": [said("w.conf#fast", "stopwaitsecs-too-short"), said("repo", "scheduler-missing")],
        "info_mechanical": [{"at": "w.conf#fast-mail", "ids": ["missing-max-time"]}],
        "must_not_flag": [said("w.conf#fast-mail", "stopwaitsecs-too-short"), said("w.conf#fast", "tries-unset")],
        "tolerated": ["stopwaitsecs-too-short"],
        "needs_app_code": [{"id": "queue-not-served", "why": ""}],
    }
    card = score.compare(
        repo,
        [
            found(COVERS, "fast", ("w.conf", 1)),
            found("processes/no-recycling", "fast-mail", ("w.conf", 4), severity="note"),
            found(COVERS, "fast-mail", ("w.conf", 6), severity="error"),
            found(COVERS, "fast-mail", ("w.conf", 6), severity="warning"),
            found("processes/tries-unset", "fast", ("w.conf", 2), severity="note"),
            found("queue/queue-not-served", "fast", ("w.conf", 2)),
            found("processes/autorestart", "fast", ("w.conf", 2)),
        ],
        folder,
    )
    assert [label.word for label, _ in card.met] == ["stopwaitsecs-too-short", "missing-max-time"]
    assert [label.word for label in card.missed] == ["scheduler-missing"]
    assert [(one.rule, one.severity) for _, one in card.false] == [(COVERS, "error"), ("processes/tries-unset", "note")]
    assert [one.rule for one in card.tolerated] == [COVERS, "queue/queue-not-served"]
    assert [one.rule for one in card.unlabelled] == ["processes/autorestart"]


def test_one_place_may_be_both_raised_and_silent(folder: pathlib.Path) -> None:
    """Where two labels contradict each other at one place, the name that begins each reason tells them apart."""
    repo = {
        "expect": [said("config/horizon.php", "timeout>=retry_after", "heavy: 3600 against 660")],
        "must_not_flag": [said("config/horizon.php", "timeout>=retry_after", "light: 60 < 90, heavy alone is wrong")],
    }
    heavy = found("timeouts/horizon-timeout-below-retry-after", "heavy", ("config/horizon.php", 3))
    light = found("timeouts/horizon-timeout-below-retry-after", "light", ("config/horizon.php", 9))
    assert score.compare(repo, [heavy], folder).false == []
    card = score.compare(repo, [light], folder)
    assert (len(card.met), len(card.missed), len(card.false)) == (0, 1, 1)


def test_groups_restrict_labels_and_findings(folder: pathlib.Path) -> None:
    """With groups named, a label of another group is neither missed nor a finding of another group counted."""
    repo = {"expect": [said("w.conf#fast", "stopwaitsecs-too-short"), said("repo", "queue-priority-order")]}
    card = score.compare(repo, [found(COVERS, "fast", ("w.conf", 1))], folder, ["processes"])
    assert card == score.Card([], [], [], [], [])


AUDITOR = """
import json, sys
assert sys.argv[1] == "audit" and sys.argv[3:] == ["--format", "json", "--allow-empty"]
{act}
"""
REPORT: dict[str, Any] = {
    "findings": [
        {
            "rule": COVERS,
            "severity": "error",
            "subject": "fast",
            "locations": [{"file": "w.conf", "line": 1}],
            "key": "k",
        }
    ],
    "skipped": [{"rule": RETRY, "subject": "fast", "reason": "no config/queue.php"}],
}


@pytest.mark.parametrize(
    ("act", "crash"),
    [
        (f"print(json.dumps({REPORT!r})); sys.exit(1)", ""),
        ("print('{}'); sys.exit(3)", ""),
        ("print('{}'); sys.exit(2)", "exit 2"),
        ("print('{}'); raise RuntimeError('boom')", "boom"),
        ("print('no')", "no JSON"),
        ("sys.exit(1)", "no JSON"),
        ("import time; time.sleep(60)", "still running"),
    ],
)
def test_crashes_are_told(folder: pathlib.Path, act: str, crash: str) -> None:
    """An exit code beyond 0, 1 and 3, a traceback, no JSON or no end is a crash; findings are not."""
    script = folder / "auditor.py"
    script.write_text(AUDITOR.format(act=act))
    run = score.audit(folder, (sys.executable, str(script)), limit=1 if "sleep" in act else 30)
    assert crash in run.crash
    assert bool(run.crash) is bool(crash)


def test_the_printed_score(
    folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The print names each miss and each false alarm, and the exit code tells of crashes."""
    root = folder.parent / "labelled"
    for name in ("001_a__b", "002_c__d"):
        (root / name).mkdir(parents=True)
    (root / "001_a__b" / "w.conf").write_text(CONF)
    labels = [
        {
            "id": "001",
            "dir": "001_a__b",
            "expect": [said("w.conf#fast", "timeout>=retry_after", "90 and 90")],
            "must_not_flag": [said("w.conf#fast", "stopwaitsecs-too-short", "long enough")],
        }
    ]
    (root / "labels.yaml").write_text(json.dumps({"repos": labels}))
    run = score.Run(score.read_findings(REPORT, root), tuple(REPORT["skipped"]), 0.1, "")
    monkeypatch.setattr(
        score, "audit", lambda path, *_: run if path.name.startswith("001") else run._replace(crash="x")
    )
    assert score.main([str(root)]) == 1
    printed = capsys.readouterr().out
    assert "missed  timeout>=retry_after at w.conf#fast: 90 and 90" in printed
    assert "skipped for fast: no config/queue.php" in printed
    assert f"FALSE   error   {COVERS}  fast  w.conf:1" in printed
    assert "1 folders without labels: 1 findings" in printed
    assert "1 crashes\n  002_c__d: x" in printed
    assert score.main([str(root), "--repository", "001"]) == 0
    assert "002_c__d" not in capsys.readouterr().out
