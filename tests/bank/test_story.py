"""The first user's own story, played on the real stack: a bank connection that lives for days where ninety were agreed.

Supervisord, its workers, Laravel's scheduler and MariaDB are real; inside the host all of them read one clock, which is set
from day to day. Cron's part is played by hand: what its files say is run at the minute at which it is due.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from typing_extensions import override

from tests.bank.banks import Banks, Clock
from tests.bank.ninja import ID, KEY, MARIADB_TABLES, Row, rows_sql
from tests.stack.host import Host
from tests.stack.mariadb import Database
from tests.stack.polling import until
from tests.stack.rooms import run

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
FIRST = datetime.datetime(2026, 6, 1, 13, 0, 5, tzinfo=datetime.UTC)
"""Day 0, some seconds after a full hour at which the bank sync is due."""
RABO = Row(1, "RABOBANK_RABONL2U", "Rabobank", fetched=None)
ROWS = [
    RABO,
    Row(2, fetched=None),
    Row(3, "BUNQ_BUNQNL2A", "bunq", fetched=None),
    Row(4, "KNAB_KNABNL2H", "Knab", fetched=None),
]
LINE = re.compile(r"^\* \* \* \* \* (\S+) (.+)$", re.MULTILINE)
GOOD = """\
[program:invoiceninja-worker]
command=/usr/bin/php artisan queue:work database --sleep=1 --tries=1 --timeout=900 --max-time=3600
directory=/var/www/app
environment=HOME="/var/www"
user=www-data
autorestart=true
stopwaitsecs=930
redirect_stderr=true
stdout_logfile=/var/log/supervisor/worker.log
"""
CRON = "* * * * * www-data cd /var/www/app && /usr/bin/php artisan schedule:run >> /dev/null 2>&1\n"


def by_clock(file: str) -> dict[str, str]:
    """The environment in which a program reads that clock, however it is set meanwhile."""
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    return {
        "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": file, "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip


class ClockedHost(Host):
    """A host in which every process reads the story's clock."""

    @override
    def command(
        self, words: Sequence[str], *, cwd: str = "/", user: str | None = None, env: Mapping[str, str] | None = None
    ) -> list[str]:
        """As any host's, in the story's time."""
        return super().command(words, cwd=cwd, user=user, env={**by_clock("/run/clock"), **(env or {})})


class Story:
    """The host, its banks and its clock."""

    def __init__(self, host: ClockedHost, banks: Banks, clock: Clock, database: Database) -> None:
        """Nothing has happened yet."""
        self.host = host
        self.banks = banks
        self.clock = clock
        self.database = database

    def go_to(self, day: int, hour: int = 13) -> None:
        """A day of the story, some seconds after a full hour."""
        self.clock.set((FIRST + datetime.timedelta(day, hours=hour - 13)).timestamp())

    def connect(self) -> None:
        """Every holder consents, and the app starts each feed's history ninety days back."""
        start = datetime.datetime.fromtimestamp(self.clock.now, datetime.UTC)
        for row in ROWS:
            self.banks.connect(row.account)
        self.database.sql(
            f"UPDATE bank_integrations SET from_date = '{(start - datetime.timedelta(90)).date()}', disabled_upstream = 0, "
            f"bank_account_status = 'READY', updated_at = '{start:%F %T}'"
        )

    def refresh(self) -> None:
        """The button: a sync is put on the queue, and the workers take it."""
        before = len(self.host.journal.ends("sync"))
        self.host.laravel.artisan("bank:refresh", user="www-data").must()
        self.await_sync(before)

    def tick(self) -> bool:
        """The minute of the clock: whatever cron's files run now is run; whether that was anything."""
        found = [
            line for path in sorted(self.host.folder.glob("etc/cron.d/*")) for line in LINE.findall(path.read_text())
        ]
        for user, command in found:
            run(self.host, ["/bin/sh", "-c", command], cwd="/var/www", user=user).must()
        return bool(found)

    def sync(self) -> None:
        """A minute at which the bank sync is due, and its end."""
        before = len(self.host.journal.ends("sync"))
        assert self.tick(), "nothing runs the scheduler"
        self.await_sync(before)

    def await_sync(self, before: int) -> None:
        """Wait until one more sync has come to its end."""
        log = self.host.laravel.folder / "storage/logs/laravel.log"
        until(lambda: len(self.host.journal.ends("sync")) > before, 10, "the sync ends", log, self.host.journal.path)

    def audit(self, command: str, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of the auditor on the host's folder, at the story's time."""
        whole = [sys.executable, "-m", "auditor", command, *words, str(self.host.folder), "--no-config"]
        env = {**os.environ, **by_clock(str(self.clock.file))}
        return subprocess.run(whole, capture_output=True, text=True, cwd=CHECKOUT, env=env, check=False)

    def feeds(self) -> dict[int, dict[str, Any]]:
        """What `bank` says of each feed on this day; a busy machine may need more than one look."""

        def look() -> list[dict[str, Any]]:
            told = self.audit("bank", "--format", "json")
            assert not told.stderr, told.stderr
            found: list[dict[str, Any]] = json.loads(told.stdout)["apps"][0]["feeds"]
            return found

        return {feed["id"]: feed for feed in until(look, 20, "the database is asked")}

    def watched(self, *words: str) -> None:
        """Wait until the watch, as a Nagios asks it, is critical and tells all these."""
        state = self.host.folder / "state"
        until(
            lambda: (
                (told := self.audit("watch", "--once", "--state", str(state))).returncode == 2
                and all(word in told.stdout for word in words)
            ),
            20,
            f"the watch tells {words}",
        )


@contextmanager
def story(
    folder: Path, database: Database, programs: str, *, files: Mapping[str, str] | None = None
) -> Iterator[Story]:
    """A running host with InvoiceNinja's bank sync, four accounts, and a provider."""
    (folder / "run").mkdir(parents=True)
    clock = Clock(folder / "run/clock", FIRST.timestamp())
    banks = Banks(lambda: clock.now, {RABO.account: 5})
    with banks.serving():
        env = {
            **database.env, "QUEUE_CONNECTION": "database", "NORDIGEN_SECRET_ID": ID, "NORDIGEN_SECRET_KEY": KEY,
            "NORDIGEN_URL": banks.url,
        }  # fmt: skip
        system = {
            "etc/passwd": "root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/var/www:/usr/sbin/nologin\n",
            "proc/meminfo": "MemTotal:        4020000 kB\n",
            "proc/cpuinfo": "processor\t: 0\n\nprocessor\t: 1\n",
        }
        config = {"queue.connections.database.retry_after": 90000000}
        host = ClockedHost.lay_out(folder, programs, env=env, config=config, files={**system, **(files or {})})
        assert isinstance(host, ClockedHost)
        shutil.copytree(HERE / "app", folder / "var/www/app", dirs_exist_ok=True)
        rows = [row._replace(created=f"{FIRST:%F %T}", updated=f"{FIRST:%F %T}") for row in ROWS]
        database.sql(MARIADB_TABLES + rows_sql(rows, sign=f"{FIRST:%F %T}"))
        try:
            yield Story(host, banks, clock, database)
        finally:
            host.stop()


def popular_advice() -> str:
    """The supervisor program that is passed around, as the example host has it."""
    text = (CHECKOUT / "examples/invoiceninja-popular-advice/host/etc/supervisor/conf.d/invoiceninja.conf").read_text()
    return text.replace("/invoiceninja/", "/var/www/app/")


def test_seven_days(database: Database, tmp_path: Path) -> None:
    """With the popular advice the feed dies in silence; `bank` tells days before, `why` names the cause, `install` mends it."""
    with story(tmp_path / "host", database, popular_advice()) as told:
        host = told.host
        host.start()
        told.connect()
        told.refresh()
        assert {feed["state"] for feed in told.feeds().values()} == {"fine"}

        # Eight workers wait for jobs that nobody puts on the queue.
        told.go_to(2)
        told.watched(
            "Rabobank …4300 (feed 1): the last data came on 2026-06-01, 2 days ago, and this bank ends the access after 5",
            "(invoiceninja/scheduler-silent)",
        )
        states = {}
        for day in (2, 3, 5, 7):
            told.go_to(day)
            assert not told.tick()
            rabobank = told.feeds()[1]
            states[day] = (rabobank["state"], rabobank["by"])
        assert states == {
            2: ("watch", "2026-06-06"), 3: ("danger", "2026-06-06"), 5: ("danger", None), 7: ("danger", None),
        }  # fmt: skip
        assert told.banks.status(RABO.account) == "ERROR"
        assert told.database.sql("SELECT DISTINCT bank_account_status FROM bank_integrations") == [["READY"]]
        told.refresh()
        assert told.database.sql("SELECT bank_account_status FROM bank_integrations WHERE id = 1") == [["ERROR"]]

        why = told.audit("why", "bank connection expires after 7 days", "--live", "--format", "json")
        causes = [one["cause"] for one in json.loads(why.stdout)["suspects"] if one["standing"] == "supported"]
        assert causes[0] == "scheduler-does-not-run", causes

        done = told.audit("install", "--write", "--write-env", "--unsafe", "--fail-on", "error")
        assert done.returncode == 1, done.stdout + done.stderr  # what is left is no error, and for a person
        for command in re.findall(r"(?:then run|     and): (supervisorctl .*)", done.stdout):
            run(host, ["/usr/bin/" + word if word == "supervisorctl" else word for word in command.split()]).must()
        until(lambda: len(host.workers()) == 2, 10, "two workers run")

        # The same four banks, for longer than the feed has lived before.
        told.connect()
        told.refresh()
        for day in (8, 11, 14, 17):
            told.go_to(day)
            told.sync()
        assert told.banks.status(RABO.account) == "READY"
        assert {feed["state"] for feed in told.feeds().values()} == {"fine"}
        assert told.banks.refused == []


def test_daily_limit(database: Database, tmp_path: Path) -> None:
    """A schedule of every four hours kills the feeds of an older release on the first day; twice a day keeps them."""
    with story(tmp_path / "host", database, GOOD, files={"etc/cron.d/ninja": CRON}) as told:
        shutil.copytree(HERE / "older", told.host.laravel.folder, dirs_exist_ok=True)
        kernel = told.host.laravel.folder / "app/Console/Kernel.php"
        text = kernel.read_text()
        kernel.write_text(text.replace("twiceDaily(1, 13)", "everyFourHours()"))
        found = {one["rule"]: one for one in json.loads(told.audit("audit", "--format", "json").stdout)["findings"]}
        assert found["bank/sync-over-quota"]["severity"] == "error"

        told.host.start()
        told.connect()
        for hours in range(5):
            told.go_to(0, 4 * hours)
            told.sync()
        assert {kind for _, kind in told.banks.refused} == {"details"}
        assert told.database.sql("SELECT DISTINCT disabled_upstream FROM bank_integrations") == [["1"]]
        feeds = told.feeds()
        assert {feed["state"] for feed in feeds.values()} == {"danger"}
        assert "turned it off" in feeds[1]["reason"]

        kernel.write_text(text)
        told.go_to(1)
        told.connect()
        told.refresh()
        for day, hour in ((2, 1), (2, 13), (3, 1)):
            told.go_to(day, hour)
            told.sync()
        assert {feed["state"] for feed in told.feeds().values()} == {"fine"}


def test_the_last_accounts_starve(database: Database, tmp_path: Path) -> None:
    """A worker whose time ends before the sync does reaches the same first accounts each time, and never the last."""
    hasty = GOOD.replace("--timeout=900", "--timeout=4")
    with story(tmp_path / "host", database, hasty, files={"etc/cron.d/ninja": CRON}) as told:
        told.banks.behaviour = lambda path: time.sleep(1.5) if path.endswith("/transactions/") else None
        found = {one["rule"]: one for one in json.loads(told.audit("audit", "--format", "json").stdout)["findings"]}
        assert found["bank/sync-may-not-finish"]["severity"] == "warning"

        told.host.start()
        told.connect()
        for day in (1, 2):
            told.go_to(day)
            assert told.tick()
            until(lambda: len(database.sql("SELECT id FROM failed_jobs")) == day, 15, "the sync is ended")  # noqa: B023

        asked = {account for account, _ in told.banks.calls}
        assert ROWS[0].account in asked
        assert ROWS[3].account not in asked
        assert len(told.host.journal.starts("sync")) == 2
        assert not told.host.journal.ends("sync")
        feeds = told.feeds()
        assert (feeds[1]["state"], feeds[4]["state"], feeds[4]["last_data"]) == ("fine", "watch", None)
