"""What an InvoiceNinja's own files say: its bank sync's times, its code's generation, its keys and names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor import audit
from auditor.facts.invoiceninja import Ninja
from auditor.sources.invoiceninja import runs_of, tasks
from tests.bank.ninja import APP, NinjaHost

HOUR = 3600
TIMES: dict[str, tuple[int, float] | None] = {
    "everyFourHours()": (6, 4 * HOUR),
    "twiceDaily(1, 13)": (2, 12 * HOUR),
    "twiceDaily()": (2, 12 * HOUR),
    "twiceDaily(1, 4)": (2, 21 * HOUR),
    "twiceDailyAt(2, 14, 30)": (2, 12 * HOUR),
    "daily()": (1, 24 * HOUR),
    "dailyAt('04:30')": (1, 24 * HOUR),
    "weekly()": (1, 7 * 24 * HOUR),
    "hourly()": (24, HOUR),
    "everySixHours()->name('bank-trans-sync-job')": (4, 6 * HOUR),
    "cron('15 */8 * * *')": (3, 8 * HOUR),
    "everyMinute()": (1440, 60),
    "cron($expression)": None,
    "everyFourHours()->between('8:00', '17:00')": None,
    "daily()->when(fn () => true)": None,
    "twiceDaily(1, now()->hour)": None,
    "everyNow()": None,
}


def read(host: NinjaHost) -> Ninja:
    """The InvoiceNinja of a host."""
    (app,) = audit.look(str(host.root), kind="host").apps
    assert app.ninja is not None
    return app.ninja


@pytest.mark.parametrize("frequency", TIMES)
def test_when_the_bank_sync_runs(frequency: str, tmp_path: Path) -> None:
    """The calls of the schedule give runs a day and the longest gap; what is not plain to see is unknown, at its line."""
    ninja = read(NinjaHost.of(tmp_path, frequency=frequency))

    if TIMES[frequency] is None:
        assert ninja.is_unknown("syncs_per_day")
        assert ninja.is_unknown("sync_gap")
        place = ninja.mark("syncs_per_day").origin
    else:
        assert (ninja.syncs_per_day, ninja.sync_gap) == TIMES[frequency]
        place = ninja.mark("sync_schedule").origin
    assert place is not None
    assert (place.file, place.line) == (f"{APP}/app/Console/Kernel.php", 13)


def test_a_schedule_without_the_sync_or_none_at_all(tmp_path: Path) -> None:
    """A task that is gone is told; a schedule that is not here leaves it unknown."""
    host = NinjaHost.of(tmp_path)
    kernel = host.root / APP / "app/Console/Kernel.php"
    kernel.write_text(
        kernel.read_text().replace(
            "$schedule->job(new BankTransactionSync())", "$schedule->command('queue:prune-failed')"
        )
    )
    without = read(host)
    assert (without.has_bank_sync, without.prunes_failed_jobs) == (False, True)
    assert not without.is_unknown("has_bank_sync")

    kernel.unlink()
    assert read(host).is_unknown("has_bank_sync")


@pytest.mark.parametrize(
    ("code", "version", "generation"),
    [
        ("nlog('Nordigen getAccount() failed => ');", "5.10.42", "B"),
        ('nlog("Nordigen Rate Limit hit for account {$id}"); // getAccount() failed', "5.10.51", "C"),
        ("nlog(\"Nordigen account '{$id}' is not ready (status={$status})\");", "5.11.60", "D"),
        ("$this->bank_integration->requisition_id", "5.13.1", "E"),
        ("Cache::get('nordigen:wake:last:'.$id); // requisition_id", "5.13.30", "F"),
        ("// nothing of these", "5.8.10", "A"),
        (None, "5.10.17", "B"),
        (None, "5.13.1", None),
        (None, "5.1.0", None),
    ],
)  # fmt: skip
def test_which_generation_of_the_sync(code: str | None, version: str, generation: str | None, tmp_path: Path) -> None:
    """Words of its code tell which ways it has; without the code a release that is known tells."""
    files = {f"{APP}/VERSION.txt": f"{version}\n"}
    if code is not None:
        files[f"{APP}/app/Jobs/Bank/ProcessBankTransactionsNordigen.php"] = f"<?php\n{code}\n"

    ninja = read(NinjaHost.of(tmp_path, files=files))

    assert ninja.generation == (generation or "")
    assert ninja.is_unknown("generation") == (generation is None)


SETTINGS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "a plain one": ({}, {"is_selfhost": True, "starts_own_worker": False, "has_bank_keys": True, "makes_pdfs": True}),
    "its own worker": ({"INTERNAL_QUEUE_ENABLED": "true"}, {"starts_own_worker": True}),
    "its own worker, by (true)": ({"INTERNAL_QUEUE_ENABLED": "(true)"}, {"starts_own_worker": True}),
    "in a container": ({"INTERNAL_QUEUE_ENABLED": "true", "IS_DOCKER": "true"}, {"starts_own_worker": False}),
    "another environment": ({"NINJA_ENVIRONMENT": "production"}, {"is_selfhost": False, "environment": "production"}),
    "half the keys": ({"NORDIGEN_SECRET_KEY": ""}, {"has_half_the_keys": True, "keys_missing": ("NORDIGEN_SECRET_KEY",)}),
    "keys of payments": (
        {"NORDIGEN_SECRET_ID": "", "NORDIGEN_SECRET_KEY": "", "GOCARDLESS_CLIENT_ID": "x"},
        {"has_only_payment_keys": True},
    ),
    "the published key": (
        {"APP_KEY": "base64:RR++yx2rJ9kdxbdh3+AmbHLDQu+Q76i++co9Y8ybbno="},
        {"app_key_is_sample": True},
    ),
    "another key": ({"APP_KEY": "base64:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}, {"app_key_is_sample": False}),
    "two names of the cache": ({"CACHE_DRIVER": "file", "CACHE_STORE": "redis"}, {"ignored_cache_store": "redis"}),
    "one name of the cache": ({"CACHE_DRIVER": "file", "CACHE_STORE": "file"}, {"ignored_cache_store": ""}),
    "a cache in the database": ({"CACHE_DRIVER": "database"}, {"cache_in_database": True, "cache_table_made": False}),
}  # fmt: skip


@pytest.mark.parametrize("case", SETTINGS)
def test_what_its_settings_say(case: str, tmp_path: Path) -> None:
    """What .env and config/ninja.php say is taken as PHP takes it, and no key is a fact."""
    env, facts = SETTINGS[case]
    host = NinjaHost.of(tmp_path, env=env, files={f"{APP}/database/migrations/x.php": "<?php\n"})

    ninja = read(host)

    assert {name: getattr(ninja, name) for name in facts} == facts
    assert not [name for name, mark in ninja.marks.items() if mark.reason is not None and name in facts]
    assert "RR++" not in repr(ninja)


@pytest.mark.parametrize(
    ("lines", "generator"),
    [
        ("'pdf_generator' => 'hosted_ninja',", "hosted_ninja"),
        ("'pdf_generator' => 'snappdf',", "snappdf"),
        ("'pdf_generator' => false,", ""),
        ("'pdf_generator' => 'snappdf', 'invoiceninja_hosted_pdf_generation' => true,", "hosted_ninja"),
        ("'pdf_generator' => 'snappdf', 'phantomjs_pdf_generation' => 1,", "phantom"),
    ],
)
def test_who_makes_the_pdfs(lines: str, generator: str, tmp_path: Path) -> None:
    """The vendor's service and PhantomJS have switches of their own, which count first."""
    host = NinjaHost.of(tmp_path)
    config = host.root / APP / "config/ninja.php"
    config.write_text(config.read_text().replace("return [", f"return [ {lines}"))

    assert read(host).pdf_generator == generator


@settings(deadline=None, max_examples=150)
@given(st.text("$schedule->job(new BankTransactionSync())daily0123456789,'\";{}\n /*#\\:\0é", max_size=120))
def test_any_schedule(text: str) -> None:
    """Whatever stands in the file, the tasks are found or not, and nothing fails."""
    for task in tasks(b"<?php " + text.encode()):
        runs_of(task)
