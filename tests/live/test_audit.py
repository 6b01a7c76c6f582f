"""`--live` through the command line: what is asked, judged, kept in a facts file, and left out of a static audit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.host import NOW, Host, found, skipped

BACKLOG = f"INSERT INTO jobs VALUES (1, 'default', '{{}}', 0, NULL, {NOW - 7200}, {NOW - 7200});"


def test_a_backlog_is_found_live_and_from_a_facts_file(tmp_path: Path) -> None:
    """A job that waits for two hours is found by a live audit, and by an audit of the facts that were taken live."""
    host = Host.of(tmp_path, {"QUEUE_CONNECTION": "database"})
    host.sqlite(BACKLOG)

    (finding,) = found(host.audit("--now", str(NOW)), "backend/backlog-old")
    assert "the oldest of 1 ready job has waited 7200 s" in finding["message"]
    assert finding["locations"][0]["file"] == "var/www/shop/config/queue.php"

    facts = tmp_path / "facts.json"
    assert host.run("facts", "--live", "--now", "2026-01-01T00:00:00Z", "--output", str(facts)).status == 0
    offline = json.loads(
        subprocess.run(
            [sys.executable, "-m", "auditor", "audit", str(facts), "--format", "json"],
            capture_output=True, check=False,
        ).stdout
    )  # fmt: skip
    assert found(offline, "backend/backlog-old") == [finding]
    assert "needs_live" not in offline


def test_a_static_audit_leaves_live_rules_out_quietly(tmp_path: Path) -> None:
    """Without --live no live rule is judged, skipped or shown but by name, and no finding comes of a backlog."""
    host = Host.of(tmp_path, {"QUEUE_CONNECTION": "database"})
    host.sqlite(BACKLOG)

    report = json.loads(host.run("audit", "--format", "json", "--no-config").output)

    assert "backend/backlog-old" in report["needs_live"]
    assert not [one for one in (*report["findings"], *report["skipped"]) if one["rule"] in report["needs_live"]]
    plain = host.run("audit", "--no-config")
    assert "--live" not in plain.output
    assert "backend/backlog-old" in host.run("audit", "--no-config", "--show-skipped").output


@pytest.mark.parametrize("driver", ["sqs", "beanstalkd"])
def test_a_backend_that_is_not_looked_at_is_told(driver: str, tmp_path: Path) -> None:
    """SQS and beanstalkd are skipped with the reason, and are no finding."""
    host = Host.of(tmp_path, {"QUEUE_CONNECTION": driver})
    host.sqlite()

    report = host.audit()

    (left,) = skipped(report, "backend/unreachable")
    assert driver in left["subject"]
    assert left["reason"]
    assert [one["subject"] for one in found(report, "backend/unreachable")] == ["unix:///run/supervisor.sock"]


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    """--live asks a host, and nothing but a host; --now is the present of a live look."""
    host = Host.of(tmp_path / "host", {})
    facts = tmp_path / "facts.json"
    host.run("facts", "--output", str(facts))

    for words, why in (
        (["--live", "--as", "repository"], "is a repository"),
        (["--now", "0"], "there is no --live"),
        (["--live", "--now", "yesterday"], "neither ISO 8601"),
        (["--live", "--now", "inf"], "neither ISO 8601"),
    ):
        told = host.run("audit", *words)
        assert told.status == 2
        assert why in told.errors
    assert "facts file" in Host(facts).run("audit", "--live").errors


def test_a_static_audit_imports_nothing_live(tmp_path: Path) -> None:
    """Neither a look nor a library of one is imported where nobody asks for it."""
    host = Host.of(tmp_path, {"QUEUE_CONNECTION": "redis"})
    script = (
        "import sys\nfrom auditor.cli import main\n"
        f"sys.argv = ['queue-auditor', 'audit', {str(host.root)!r}, '--no-config']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('redis', 'pymysql', 'psutil', 'psycopg', 'sqlite3')"
        " or 'sources.live' in m])"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"
