"""`--live` through the command line: what is asked, judged, kept in a facts file, and left out of a static audit."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.host import NOW, SUPERVISOR, Host, found, skipped

BACKLOG = f"INSERT INTO jobs VALUES (1, 'default', '{{}}', 0, NULL, {NOW - 7200}, {NOW - 7200});"


def test_a_backlog_is_found_live_and_from_a_facts_file(tmp_path: Path) -> None:
    """A job that waits for two hours is found by a live audit, and by an audit of the facts that were taken live."""
    host = Host.of(tmp_path, {"QUEUE_CONNECTION": "database"})
    host.sqlite(BACKLOG)

    (finding,) = found(host.audit("--now", str(NOW)), "backend/backlog-old")
    assert "the oldest of 1 ready job has waited 2 h." in finding["message"]
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


def test_a_baseline_holds_what_was_seen_live(tmp_path: Path) -> None:
    """What was found live is lived with later, whatever its numbers are by then; a static pruning leaves it in."""
    host = Host.of(tmp_path / "host", {"QUEUE_CONNECTION": "database"})
    host.sqlite(BACKLOG)
    baseline = str(tmp_path / "baseline.json")
    host.run("baseline", "--live", "--now", str(NOW), "--output", baseline)

    later = ["--now", str(NOW + 5000), "--baseline", baseline]
    assert not host.audit(*later)["findings"]
    static = host.run("audit", "--no-config", "--baseline", baseline)
    assert "no longer found" not in static.output
    host.run("baseline", "--prune", "--output", baseline)
    assert not host.audit(*later)["findings"]


def test_no_supervisord_need_run_for_no_program(tmp_path: Path) -> None:
    """Where nothing is supervised, a supervisord that does not run is no finding."""
    host = Host.of(tmp_path, {"QUEUE_CONNECTION": "database"}, supervisor=SUPERVISOR.partition("[program:")[0])
    host.sqlite()

    report = host.audit()

    assert not found(report, "backend/unreachable")
    (left,) = skipped(report, "backend/unreachable")
    assert "no program is supervised here" in left["reason"]


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


TROUBLE = f"""
INSERT INTO jobs VALUES (1, 'mails', '{{}}', 3, {NOW - 90000}, {NOW - 90000}, {NOW - 90000});
INSERT INTO jobs VALUES (2, 'default', '{{}}', 254, {NOW - 10}, {NOW - 10}, {NOW - 10});
INSERT INTO failed_jobs VALUES (1, 'u1', 'database', 'default', '{{"displayName":"App\\\\Jobs\\\\Sync"}}',
  'Illuminate\\Queue\\TimeoutExceededException: secret words', datetime({NOW - 3600}, 'unixepoch'));
"""


def test_every_trouble_of_a_table_is_found(tmp_path: Path) -> None:
    """Stuck jobs, attempts near their limit and recent failures are each one finding, and nothing of a payload is told."""
    host = Host.of(tmp_path, {"QUEUE_CONNECTION": "database"})
    host.sqlite(TROUBLE)

    report = host.audit("--now", str(NOW))

    (stuck,) = found(report, "backend/reserved-job-stuck")
    assert (stuck["subject"], "1 job cannot" in stuck["message"]) == ("database:mails", True)
    assert "1 d 1 h ago" in stuck["message"]
    assert [one["subject"] for one in found(report, "backend/jobs-nobody-takes")] == ["database:mails"]
    (failed,) = found(report, "backend/failed-jobs-recent")
    assert "ran longer than it may, the last of them 1 h ago (Sync on queue" in failed["message"]
    assert "secret" not in json.dumps(report)


def test_missing_tables_are_found(tmp_path: Path) -> None:
    """A database without the queue's tables is one finding, and one without the table of failed jobs another."""
    host = Host.of(tmp_path, {"QUEUE_CONNECTION": "database"})
    host.sqlite("DROP TABLE jobs; DROP TABLE failed_jobs;")

    report = host.audit()

    (jobs,) = found(report, "backend/jobs-table-missing")
    assert "lacks jobs, which" in jobs["message"]
    (lost,) = found(report, "queue/failed-jobs-lost")
    assert "no table failed_jobs" in lost["message"]


def test_growth_takes_two_looks(tmp_path: Path) -> None:
    """A queue that has grown since an earlier facts file is found, and not by one look alone."""
    host = Host.of(tmp_path, {"QUEUE_CONNECTION": "database"})
    database = host.sqlite()
    before = tmp_path / "before.json"
    host.run("facts", "--live", "--now", str(NOW), "--output", str(before))
    rows = (
        f"INSERT INTO jobs (queue, payload, attempts, available_at, created_at) SELECT 'default', '', 0, {NOW}, {NOW}"
    )
    with sqlite3.connect(database) as made:
        made.executescript(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150) {rows} FROM n;"
        )
    made.close()

    later = ["--now", str(NOW + 300)]
    assert not found(host.audit(*later), "backend/backlog-grows")
    (grown,) = found(host.audit(*later, "--previous", str(before)), "backend/backlog-grows")
    assert "has 150 jobs, 150 more than 5 min before" in grown["message"]

    with sqlite3.connect(database) as made:
        made.executescript(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) {rows} FROM n;"
        )
    made.close()
    (beyond,) = found(host.audit(*later, "--previous", str(before)), "backend/backlog-grows")
    assert "has at least 2000 jobs, 2000 more than 5 min before" in beyond["message"]
    host.run("facts", "--live", *later, "--output", str(before))
    report = host.audit("--now", str(NOW + 600), "--previous", str(before))
    assert not found(report, "backend/backlog-grows")
    (left,) = skipped(report, "backend/backlog-grows")
    assert "it had more than 2,000 jobs at both looks" in left["reason"]


def test_a_schedule_that_writes_nothing_is_silent(tmp_path: Path) -> None:
    """A cron line's log that nothing was written to for minutes is found, by the file's own time."""
    host = Host.of(tmp_path, {"QUEUE_CONNECTION": "database"})
    host.sqlite()
    table, log = tmp_path / "etc/cron.d/shop", tmp_path / "var/log/schedule.log"
    table.parent.mkdir()
    table.write_text(
        "* * * * * www-data cd /var/www/shop && /usr/bin/php artisan schedule:run >> /var/log/schedule.log 2>&1\n"
    )
    log.parent.mkdir(exist_ok=True)
    log.write_text("No scheduled commands are ready to run.\n")
    os.utime(log, (NOW, NOW))

    assert not found(host.audit("--now", str(NOW + 70)), "backend/scheduler-silent")
    (silent,) = found(host.audit("--now", str(NOW + 3600)), "backend/scheduler-silent")
    assert "has not for 60 minutes" in silent["message"]
    assert silent["locations"][0]["file"] == "etc/cron.d/shop"


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
        (["--now", "0"], "--now goes with --live"),
        (["--live", "--now", "yesterday"], "neither ISO 8601"),
        (["--live", "--now", "inf"], "neither ISO 8601"),
        (["--previous", str(facts)], "--previous goes with --live"),
        (["--live", "--previous", str(facts)], "was not taken with --live"),
    ):
        told = host.run("audit", *words)
        assert told.status == 2
        assert why in told.errors
    assert "facts file" in Host(facts).run("audit", "--live").errors


def test_a_static_audit_imports_nothing_live(tmp_path: Path) -> None:
    """Neither a look nor a library of one is imported where nobody asks for it."""
    host = Host.of(tmp_path, {"QUEUE_CONNECTION": "redis"})
    script = (
        "import sys\nfrom auditor.cli import answer\n"
        f"sys.argv = ['queue-auditor', 'audit', {str(host.root)!r}, '--no-config']\n"
        "try:\n    answer()\nexcept SystemExit:\n    pass\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('redis', 'pymysql', 'psutil', 'psycopg', 'sqlite3')"
        " or 'sources.live' in m])"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"
