"""The rules of bank/ and invoiceninja/ that need a live look, judged by `audit --live`, and the figures they share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auditor.judge.rulebook import load_folder, rules_folder
from auditor.sources.banks import load_banks
from tests.bank.ninja import NOW, NinjaHost, Row, day

RABO = "RABOBANK_RABONL2U"
WORKER = """
[program:ninja]
command=php /var/www/ninja/artisan queue:work database --tries=3 --timeout=60
user=www-data
autorestart=true
"""


def judged(host: NinjaHost, *words: str) -> dict[str, list[Any]]:
    """Rule to its findings, of the two groups."""
    told = host.command(
        "audit", "--live", "--now", str(NOW), "--no-config", "--format", "json", "--select", "bank", "--select", "invoiceninja",
        str(host.root), *words,
    )  # fmt: skip
    assert not told.errors, told
    found: dict[str, list[Any]] = {}
    for finding in told.json["findings"]:
        found.setdefault(finding["rule"], []).append(finding)
    return found


def test_feeds_are_judged_live(tmp_path: Path) -> None:
    """What the database says of feeds, schedule and failed jobs is found, each with the severity that it has here."""
    rows = [
        Row(1, RABO, fetched=3),
        Row(2, fetched=2),
        Row(3, disabled=1),
        Row(4, status="ERROR"),
        *(Row(number) for number in range(5, 12)),
    ]
    failed = "".join(
        f"INSERT INTO failed_jobs VALUES ({n}, 'u{n}', 'database', 'default', '{{}}', 'x', '{day(1)} 00:00:00');"
        for n in range(101)
    )
    files = {"etc/supervisor/supervisord.conf": f"[supervisord]\n{WORKER}"}
    host = NinjaHost.of(tmp_path, files=files).sqlite(rows, failed, sign=f"{day(0)} 10:00:00")

    found = judged(host)

    severities = {rule: [finding["severity"] for finding in findings] for rule, findings in found.items()}
    assert severities.pop("bank/feed-stale") == ["error", "warning"]
    assert severities.pop("bank/feed-disabled") == ["error"]
    assert severities.pop("bank/feed-not-ready") == ["error"]
    assert severities.pop("invoiceninja/scheduler-silent") == ["error"]
    assert severities.pop("invoiceninja/failed-jobs-never-pruned") == ["note"]
    # Ten feeds of eleven are asked, and the worker ends the job after 60 s: surely too early.
    assert severities.pop("bank/sync-may-not-finish") == ["error"]
    assert "asks 10 bank accounts in turn" in found["bank/sync-may-not-finish"][0]["message"]
    assert "for 120 minutes: it ran once" in found["invoiceninja/scheduler-silent"][0]["message"]
    assert set(severities) == {
        "bank/retry-counts-toward-suspension", "invoiceninja/expanded-logging-off", "invoiceninja/tries-hide-timeouts",
        "invoiceninja/update-leaves-old-workers",
    }  # fmt: skip


def test_a_sound_host_is_silent(tmp_path: Path) -> None:
    """Feeds that were asked today, a schedule that runs, a worker with time enough: nothing is found."""
    worker = WORKER.replace("--tries=3 --timeout=60", "--tries=1 --timeout=900 --max-time=3600")
    files = {"etc/supervisor/supervisord.conf": f"[supervisord]\n{worker}"}
    host = NinjaHost.of(tmp_path, env={"EXPANDED_LOGGING": "true"}, files=files)

    assert judged(host.sqlite([Row(1), Row(2, RABO)])) == {}


def test_what_only_the_database_tells(tmp_path: Path) -> None:
    """Keys of payments beside connected accounts, a cadence a bank does not bear, a cache's table that is not there."""
    env = {"NORDIGEN_SECRET_ID": "", "NORDIGEN_SECRET_KEY": "", "GOCARDLESS_CLIENT_ID": "x", "CACHE_DRIVER": "database"}
    files = {"etc/supervisor/supervisord.conf": f"[supervisord]\n{WORKER}"}
    host = NinjaHost.of(tmp_path, env=env, frequency="weekly()", files=files).sqlite([Row(1, RABO)])
    (host.root / "var/www/ninja/database/migrations").mkdir()

    found = judged(host)

    assert {"invoiceninja/gocardless-keys-mistaken", "bank/sync-cadence-against-bank"} <= set(found)
    assert [finding["severity"] for finding in found["invoiceninja/cache-table-missing"]] == ["error"]
    assert found["bank/sync-cadence-against-bank"][0]["severity"] == "error"
    assert "invoiceninja/nordigen-keys-incomplete" not in found

    made = NinjaHost.of(tmp_path / "made", env=env, files=files).sqlite(
        [], 'CREATE TABLE cache ("key" TEXT, value TEXT, expiration INTEGER);'
    )
    (made.root / "var/www/ninja/database/migrations").mkdir()
    assert "invoiceninja/cache-table-missing" not in judged(made)


def test_a_database_that_is_down_is_told_once(tmp_path: Path) -> None:
    """One finding for the server, not one for each question; rules of the feeds are skipped with the reason."""
    files = {"etc/supervisor/supervisord.conf": f"[supervisord]\n{WORKER}"}
    host = NinjaHost.of(tmp_path, env={"DB_CONNECTION": "mysql", "DB_HOST": "127.0.0.1", "DB_PORT": "1"}, files=files)

    told = host.command("audit", "--live", "--no-config", "--format", "json", str(host.root)).json

    assert (
        len([one for one in told["findings"] if one["rule"] == "backend/unreachable" and "3306" not in one["subject"]])
        == 1
    )
    skipped = [one for one in told["skipped"] if one["rule"] == "invoiceninja/scheduler-silent"]
    assert [one["reason"] for one in skipped] == ["nobody listens there"]


def test_facts_taken_live_keep_the_feeds(tmp_path: Path) -> None:
    """A facts file taken live is judged elsewhere with the same findings."""
    host = NinjaHost.of(tmp_path / "host").sqlite([Row(1, RABO, fetched=4)])
    facts = tmp_path / "facts.json"
    host.command("facts", str(host.root), "--live", "--now", str(NOW), "--output", str(facts))

    told = host.command("audit", str(facts), "--format", "json", "--select", "bank/feed-stale").json

    assert [finding["severity"] for finding in told["findings"]] == ["error"]
    assert json.loads(facts.read_text())["live"]["feeds"][0]["institution"] == RABO


@pytest.mark.parametrize(
    ("rule", "name", "figure"),
    [
        ("bank/sync-over-quota", "granted", "calls_per_day"),
        ("bank/retry-counts-toward-suspension", "strikes", "strikes"),
    ],
)
def test_rules_and_table_name_the_same_figures(rule: str, name: str, figure: str) -> None:
    """What a rule lets be set is what the table of banks says, with its source."""
    (found,) = [one for one in load_folder(rules_folder()) if one.id == rule]

    assert found.let[name] == getattr(load_banks().provider, figure).figure
