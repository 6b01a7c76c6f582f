"""Harms of memory: of one worker's, and of the whole machine's."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from tests.proofs.scenes.scene import NAME, Change, Scene, Seen, see
from tests.stack.host import Host
from tests.stack.memory import MemoryLimit
from tests.stack.polling import until
from tests.stack.supervisord import Supervisord

KILLED = "terminated by SIGKILL; not expected"
"""What supervisord says of a worker that it did not kill itself."""


class MemoryRestartsFatal(Scene):
    """A --memory that one job fills makes each job cost a restart, and enough of them the worker."""

    rule = "memory/memory-restarts-fatal"
    then = "One process runs every job."
    always = Change(program={"startsecs": "60"})
    bad = Change(options={"memory": "32"})
    good = Change(options={"memory": "256"})
    clock: ClassVar[str | None] = "+0 x10"

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        host.laravel.push("J", megabytes=30, count=6).must()
        until(
            lambda: len(host.journal.ends()) == 6 or server.states()[NAME] == "FATAL",
            12,
            "all is done or the worker is FATAL",
            server.log_path,
        )
        return see(host, left=host.laravel.count())

    @override
    def harmed(self, seen: Seen) -> None:
        assert seen.states == {NAME: "FATAL"}
        assert set(seen.exits) == {"exit status 12; not expected"}
        assert seen.left > 0

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.left == 0
        assert len({one.pid for one in seen.ends}) == 1


class MemoryRunsOut(Scene):
    """Workers that may together take more memory than there is are killed by the kernel, in the middle of their jobs."""

    rule = "memory/workers-fit-host"
    subject = "{folder}"
    then = "Every job ends."
    always = Change(
        options={"memory": "300"},
        files={"proc/meminfo": "MemTotal: 16000000 kB\n", "sys/fs/cgroup/memory.max": f"{700 << 20}\n"},
    )
    bad = Change(program={"numprocs": "3"})
    good = Change(program={"numprocs": "1"})

    @override
    def observe(self, host: Host) -> Seen:
        host.memory = MemoryLimit(700)
        try:
            return super().observe(host)
        finally:
            host.memory.remove()

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        host.laravel.push("J", megabytes=250, seconds=10, count=3).must()
        until(
            lambda: len(host.journal.ends()) == 3 or KILLED in server.log,
            15,
            "all jobs end, or a worker is killed",
            server.log_path,
        )
        return see(host)

    @override
    def harmed(self, seen: Seen) -> None:
        assert KILLED in seen.log
        assert seen.labels("start") - seen.labels("end")

    @override
    def unharmed(self, seen: Seen) -> None:
        assert KILLED not in seen.log
        assert len(seen.ends) == len(seen.starts) == 3


class DiesInMidJob(Scene):
    """Where PHP's memory_limit is below --memory, a leak ends a worker in a job and not between two."""

    rule = "memory/memory-below-limit"
    then = "The worker ends between two jobs, and every job ends."
    always = Change(program={"command": "php -d memory_limit=128M /var/www/app/artisan {worker}"})
    bad = Change(options={"memory": "256"})
    good = Change(options={"memory": "64"})

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        host.laravel.push("J", megabytes=50, count=3).must()
        until(lambda: len(host.journal.starts()) == 3, 12, "all jobs are begun", server.log_path)
        until(lambda: server.exits(NAME), 12, "a worker ends", server.log_path)
        self.await_unless_harmed(lambda: len(host.journal.ends()) == 3, 1, "all jobs end", server.log_path)
        return see(host, left=host.laravel.count())

    @override
    def harmed(self, seen: Seen) -> None:
        assert seen.exits[0] == "exit status 255; not expected"
        assert "Allowed memory size" in seen.output
        assert len(seen.ends) == 2
        assert seen.left == 1

    @override
    def unharmed(self, seen: Seen) -> None:
        assert len(seen.ends) == 3
        assert set(seen.exits) <= {"exit status 12; not expected"}
        assert seen.left == 0
