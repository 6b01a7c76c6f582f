"""Harms of how often, and how often at once, the scheduled tasks are run."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from tests.proofs.scenes.scene import CRON, Change, Scene, Seen
from tests.stack.host import Host
from tests.stack.polling import until

SPEED = 12
"""A minute of cron's lasts five seconds."""


class UnderCron(Scene):
    """A host whose cron runs for some minutes; the workers' supervisord is left out."""

    backends: ClassVar[tuple[str, ...]] = ("sqlite",)

    @override
    def observe(self, host: Host) -> Seen:
        with host.opened():
            cron = host.cron(speed=SPEED)
            until(lambda: len(cron.started("artisan")) >= 2, 30, "cron starts two commands", cron.child.log)
            return self.look(host)

    def look(self, host: Host) -> Seen:
        """What is seen once cron has started its second command."""
        raise NotImplementedError


class WorkPilesUp(UnderCron):
    """Cron starts schedule:work every minute, and none of them ever ends."""

    rule = "scheduler/work-started-by-cron"
    subject = "etc/cron.d/works:1"
    then = "What is started every minute ends within it."
    bad = Change(files={"etc/cron.d/works": CRON.replace("schedule:run", "schedule:work")})

    @override
    def look(self, host: Host) -> Seen:
        self.await_if_harmed(lambda: len(_running(host)) >= 2, 0, "two schedulers run")
        if self.put_right:  # what runs a moment later is the next minute's
            until(lambda: not _running(host), 10, "no scheduler runs")
            return Seen(workers=0)
        return Seen(workers=len(_running(host)))

    @override
    def harmed(self, seen: Seen) -> None:
        """`workers` are the schedulers that run."""
        assert seen.workers >= 2

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.workers == 0


def _running(host: Host) -> list[str]:
    return [
        one.command for one in host.processes("artisan schedule:") if one.command.startswith(("php", "/usr/bin/php"))
    ]


class TwoSchedulers(UnderCron):
    """Two schedulers of one application both run what is due."""

    rule = "scheduler/duplicate"
    subject = "etc/cron.d/works-too:1"
    then = "Each task that is due is run once."
    bad = Change(files={"etc/cron.d/works-too": CRON})

    @override
    def look(self, host: Host) -> Seen:
        until(lambda: len(host.journal.ticks()) >= 2, 8, "the task has run twice", host.journal.path)
        return Seen(starts=host.journal.ticks())

    @override
    def harmed(self, seen: Seen) -> None:
        """`starts` are the runs of the task that is due each minute."""
        assert abs(seen.starts[1].time - seen.starts[0].time) < 3

    @override
    def unharmed(self, seen: Seen) -> None:
        assert abs(seen.starts[1].time - seen.starts[0].time) > 3


KERNEL = """\
<?php

namespace App\\Console;

use App\\Journal;
use Illuminate\\Console\\Scheduling\\Schedule;
use Illuminate\\Foundation\\Console\\Kernel as ConsoleKernel;

class Kernel extends ConsoleKernel
{
    protected function schedule(Schedule $schedule)
    {
        $schedule->call(function () {
            Journal::write('start', 'T');
            $deadline = microtime(true) + 9;
            while (microtime(true) < $deadline) {
                usleep(20000);
            }
            Journal::write('end', 'T');
        })->name('long')->everyMinute()->withoutOverlapping();
    }

    protected function commands()
    {
        $this->load(__DIR__.'/Commands');
    }
}
"""
"""A schedule with one task that takes almost two of cron's minutes."""


class TaskOverlaps(UnderCron):
    """A cache that lives in one process keeps no lock: a task that must not overlap is begun while it still runs."""

    rule = "scheduler/overlap-needs-locks"
    subject = "var/www/app"
    then = "While the task runs, it is not begun again."
    always = Change(files={"var/www/app/app/Console/Kernel.php": KERNEL})
    bad = Change(env={"CACHE_DRIVER": "array"})
    good = Change(env={"CACHE_DRIVER": "file"})

    @override
    def look(self, host: Host) -> Seen:
        until(host.journal.starts, 8, "the task is begun", host.journal.path)
        until(
            lambda: len(host.journal.starts()) >= 2 or host.journal.ends(),
            12,
            "it is begun again or ends",
            host.journal.path,
        )
        return Seen(starts=host.journal.starts(), ends=host.journal.ends())

    @override
    def harmed(self, seen: Seen) -> None:
        assert len(seen.starts) >= 2
        assert not seen.ends

    @override
    def unharmed(self, seen: Seen) -> None:
        assert len(seen.starts) == 1
        assert len(seen.ends) == 1
