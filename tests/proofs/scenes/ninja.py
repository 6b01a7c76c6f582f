"""Harms of InvoiceNinja's settings that are Laravel's own doing: its settings and schedule stand here, none of its code."""

from __future__ import annotations

import contextlib
import datetime
import sqlite3
from typing import ClassVar

from typing_extensions import override

from tests.bank.ninja import SQLITE_TABLES, Row, rows_sql
from tests.proofs.scenes.live import Live
from tests.proofs.scenes.scene import SECTION, Change, Scene, Seen, see
from tests.proofs.scenes.tasks import KERNEL, UnderCron
from tests.stack.host import Host
from tests.stack.polling import until
from tests.stack.supervisord import Supervisord

CONFIG = """\
<?php

return [

    'environment' => env('NINJA_ENVIRONMENT', 'selfhost'),

    'is_docker' => env('IS_DOCKER', false),

    'internal_queue_enabled' => env('INTERNAL_QUEUE_ENABLED', true),

    'expanded_logging' => env('EXPANDED_LOGGING', false),

    'nordigen' => [
        'secret_id' => env('NORDIGEN_SECRET_ID', false),
        'secret_key' => env('NORDIGEN_SECRET_KEY', false),
    ],

];
"""
"""Of config/ninja.php what the auditor reads."""
CACHE = """\
<?php

return [

    'default' => env('CACHE_DRIVER', 'file'),

    'stores' => [

        'database' => [
            'driver' => 'database',
            'table' => 'cache',
            'connection' => null,
        ],

        'file' => [
            'driver' => 'file',
            'path' => storage_path('framework/cache/data'),
        ],

    ],

    'prefix' => 'works_cache',

];
"""
"""A config/cache.php with a store in the database."""
NINJA = Change(
    files={"var/www/app/config/ninja.php": CONFIG, "var/www/app/VERSION.txt": "5.12.29\n"},
    env={"NINJA_ENVIRONMENT": "selfhost", "INTERNAL_QUEUE_ENABLED": "false"},
)
"""What makes the application one of InvoiceNinja's to the auditor."""


class CacheHasNoTable(UnderCron):
    """With the cache in a database that has no table for it a scheduled task gets no lock, and ends before it begins."""

    rule = "invoiceninja/cache-table-missing"
    subject = "var/www/app"
    then = "The task is run."
    always = Change(files={"var/www/app/app/Console/Kernel.php": KERNEL, "var/www/app/config/cache.php": CACHE}).over(
        NINJA
    )
    bad = Change(env={"CACHE_DRIVER": "database"})
    good = Change(env={"CACHE_DRIVER": "file"})

    @override
    def look(self, host: Host) -> Seen:
        until(lambda: host.journal.starts() or "no such table" in host.laravel.log, 8, "the task is run, or is not")
        return Seen(starts=host.journal.starts(), output=host.laravel.log)

    @override
    def harmed(self, seen: Seen) -> None:
        """`output` is the application's log."""
        assert "no such table: cache" in seen.output
        assert not seen.starts

    @override
    def unharmed(self, seen: Seen) -> None:
        assert "no such table" not in seen.output
        assert seen.starts


SCHEDULE = """\
<?php

namespace App\\Console;

use App\\Journal;
use Illuminate\\Console\\Scheduling\\Schedule;
use Illuminate\\Foundation\\Console\\Kernel as ConsoleKernel;

class Kernel extends ConsoleKernel
{
    protected function schedule(Schedule $schedule)
    {
        if (config('ninja.internal_queue_enabled')) {
            $schedule->command('queue:work database --stop-when-empty')->everyMinute()->withoutOverlapping();
        }
        $schedule->call(fn () => Journal::write('tick', 'schedule'))->everyMinute();
        $schedule->command('queue:prune-failed')->daily();
    }

    protected function commands()
    {
        $this->load(__DIR__.'/Commands');
    }
}
"""
"""A schedule that starts a worker of its own for the connection "database", as InvoiceNinja's does."""


class OwnWorkerReadsDatabase(Scene):
    """The worker that InvoiceNinja's schedule starts reads the connection "database" alone: jobs in Redis wait for ever."""

    rule = "invoiceninja/internal-queue-only-database"
    subject = "var/www/app"
    always = Change(
        files={"var/www/app/app/Console/Kernel.php": SCHEDULE},
        env={"INTERNAL_QUEUE_ENABLED": "true"},
    ).over(NINJA)
    clock: ClassVar[str | None] = None

    @override
    def conf(self, change: Change, *, bad: bool) -> str:
        return "" if bad else super().conf(change, bad=bad)

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        host.laravel.push("J").must()
        host.laravel.push("D", connection="database").must()
        cron = host.cron(speed=30)
        until(lambda: host.journal.ends("D"), 15, "the schedule's own worker runs a job", cron.child.log)
        until(lambda: len(host.journal.ticks()) >= 2, 10, "the schedule runs twice", cron.child.log)
        self.await_job_unless_harmed(host, "J")
        return see(host, left=host.laravel.count())

    @override
    def harmed(self, seen: Seen) -> None:
        """`left` are the jobs in Redis."""
        assert seen.labels("end") == {"D"}
        assert seen.left == 1

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.labels("end") == {"D", "J"}
        assert seen.left == 0


BANK_TABLES = SQLITE_TABLES.partition("CREATE TABLE failed_jobs")[0]
"""Those of the bank accounts; an application of ours has the queue's."""
SCHEDULER = "\n[program:schedule]\ncommand=php /var/www/app/artisan schedule:work\n" + "".join(
    f"{name}={value}\n" for name, value in SECTION.items() if name != "stopwaitsecs"
)
"""What runs the schedule on the same clock as the workers; cron's jobs would live in real time."""


class OwnWorkerEndsJobs(Live):
    """Beside a worker that gives a job its time, the one of InvoiceNinja's schedule ends what it takes after 60 s."""

    rule = "invoiceninja/internal-queue-doubles"
    subject = "var/www/app"
    then = "Each job ends."
    always = Change(
        program={"stopwaitsecs": "915"},
        options={"timeout": "900", "tries": "1"},
        config={"queue.connections.database.retry_after": 90000},
        files={"var/www/app/app/Console/Kernel.php": SCHEDULE, "etc/cron.d/works": "# supervisor runs schedule:work\n"},
        env={"NORDIGEN_SECRET_ID": "an-id", "NORDIGEN_SECRET_KEY": "a-key"},
    ).over(NINJA)
    bad = Change(env={"INTERNAL_QUEUE_ENABLED": "true"})
    backends: ClassVar[tuple[str, ...]] = ("sqlite",)
    clock: ClassVar[str | None] = "+0 x60"

    @override
    def conf(self, change: Change, *, bad: bool) -> str:
        return super().conf(change, bad=bad) + SCHEDULER

    @override
    def prepare(self, host: Host, *, bad: bool) -> None:
        now = datetime.datetime.now(datetime.UTC)
        rows = [
            Row(number, fetched=None, from_date=f"{now:%F}", created=f"{now:%F %T}", updated=f"{now:%F %T}")
            for number in range(1, 5)
        ]
        with contextlib.closing(sqlite3.connect(host.laravel.folder / "database/database.sqlite")) as database:
            database.executescript(BANK_TABLES + rows_sql(rows, sign=f"{now:%F %T}"))

    @override
    def start_cron(self, host: Host) -> None:
        """It has none."""

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        # On the bad host each job takes so long that its worker is still at it when the other one comes for the next.
        seconds = 65 if self.put_right else 800
        host.laravel.push("J", seconds=seconds).must()
        host.laravel.await_start("J")
        host.laravel.push("K", seconds=seconds).must()
        until(
            lambda: host.journal.ends("K") or host.journal.failures(), 15, "K ends, or one is ended", host.journal.path
        )
        return see(host)

    @override
    def harmed(self, seen: Seen) -> None:
        (cut,) = seen.failures
        (begun,) = [one for one in seen.starts if one.label == cut.label]
        (other,) = [one for one in seen.starts if one.label != cut.label]
        assert cut.time - begun.time >= 55
        assert cut.label not in seen.labels("end")
        assert other.pid != cut.pid

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.labels("end") == {"J", "K"}
        assert not seen.failures
