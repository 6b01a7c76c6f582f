"""A baseline: known findings are lived with, new ones are told, lines may move."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.suppress.shop import RULE, WORKER, audit, run, write

FILE = "queue-auditor-baseline.json"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A repository whose one finding is in its baseline."""
    write(tmp_path, **{"worker.conf": WORKER})
    assert run(tmp_path, "baseline", ".").err == f"1 finding in {FILE}.\n"
    return tmp_path


def test_what_is_known_is_ignored(shop: Path) -> None:
    """The finding is told as ignored, and counted."""
    told = audit(shop, "--baseline", FILE)

    assert (told.status, told.rules(), told.rules("ignored")) == (0, [], [RULE])
    assert told.report["ignored"][0]["how"] == "baseline"


def test_lines_may_move(shop: Path) -> None:
    """It is keyed by content: comments, blanks and other sections above change nothing."""
    write(shop, **{"worker.conf": f"# one\n# two\n\n[program:web]\ncommand=/bin/true\n\n{WORKER}"})

    assert RULE not in audit(shop, "--baseline", FILE).rules()


@pytest.mark.parametrize(
    "files",
    [
        {"worker.conf": WORKER.replace("stopwaitsecs=30", "stopwaitsecs=20")},
        {"worker.conf": WORKER.replace("mail-worker", "sms-worker")},
        {"worker.conf": WORKER, "other.conf": WORKER},
    ],
    ids=["another figure", "another program", "another file"],
)
def test_what_is_new_is_told(shop: Path, files: dict[str, str]) -> None:
    """Whatever has other evidence, another subject or another file is a finding of its own."""
    write(shop, **files)

    told = audit(shop, "--baseline", FILE)

    assert told.rules().count(RULE) == 1
    assert told.status == 1


def test_what_it_holds_in_vain_is_counted(shop: Path) -> None:
    """A mended finding's entry is stale; --prune takes it out and adds nothing."""
    write(shop, **{"worker.conf": WORKER.replace("stopwaitsecs=30", "stopwaitsecs=140"), "other.conf": WORKER})

    assert audit(shop, "--baseline", FILE).report["stale"] == 1
    assert audit(shop, "--baseline", FILE, "--select", "processes").report.get("stale", 0) == 0
    assert run(shop, "baseline", ".", "--prune").status == 0
    assert json.loads((shop / FILE).read_text())["findings"] == []


def test_it_reads_well_in_a_diff(shop: Path) -> None:
    """An entry a line, sorted, written alike every time."""
    text = (shop / FILE).read_text()
    run(shop, "baseline", ".")

    assert (shop / FILE).read_text() == text
    assert sum(line.strip().startswith('{"rule": ') for line in text.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no baseline"),
        ("[]", "no baseline"),
        ("\xff\x00", "no baseline"),
        ('{"tool": "queue-auditor", "format": 9, "findings": []}', "format 9"),
        ('{"tool": "other", "format": 1, "findings": []}', "format 1"),
        ('{"tool": "queue-auditor", "format": 1, "findings": [{"rule": "x"}]}', "missing required field"),
        ("[" * 100_000, "no baseline"),
    ],
)
def test_any_other_file_is_refused(shop: Path, text: str, told: str) -> None:
    """What is no baseline is refused in a sentence with exit 2: an audit never runs as if there were none."""
    (shop / FILE).write_text(text, encoding="latin-1")

    done = audit(shop, "--baseline", FILE)

    assert done.status == 2
    assert told in done.err
    assert "Traceback" not in done.err


def test_a_baseline_that_is_missing_is_refused(shop: Path) -> None:
    """A misspelt path is no empty baseline."""
    assert audit(shop, "--baseline", "nope.json").status == 2
