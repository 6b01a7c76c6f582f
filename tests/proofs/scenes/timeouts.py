"""Harms of the chain of time-outs: job < --timeout < retry_after, --timeout < stopwaitsecs."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from tests.proofs.scenes.scene import NAME, Change, Scene, Seen, see
from tests.stack.host import Host
from tests.stack.polling import until
from tests.stack.supervisord import Supervisord

RETRY_AFTER = "queue.connections.{connection}.retry_after"
LONG = 120
"""Seconds of a job midway between a retry_after of 90 and a --timeout of 150: a whole real second on the fast clock
lies on either side, in which even a busy machine gets to the second worker, and to the job's end."""


class JobRunsTwice(Scene):
    """A job that outlasts retry_after is begun by a second worker while the first is still at it."""

    rule = "timeouts/timeout-below-retry-after"
    then = "Whoever begins the job anew does so only after the first worker has given it up."
    always = Change(program={"numprocs": "2", "stopwaitsecs": "180"}, options={"timeout": "150"})
    bad = Change(config={RETRY_AFTER: 90})
    good = Change(config={RETRY_AFTER: 180})
    clock: ClassVar[str | None] = "+0 x30"
    backends: ClassVar[tuple[str, ...]] = ("redis", "mariadb", "sqlite")

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        host.laravel.push("J", seconds=LONG).must()
        # A host put right by a shorter --timeout never lets it end, but begins it again, later.
        until(lambda: host.journal.ends("J") or len(host.journal.starts("J")) > 1, 12, "J ends or is begun again")
        _await_first_worker(host)
        return see(host)

    @override
    def harmed(self, seen: Seen) -> None:
        assert len(seen.starts) >= 2
        assert 80 <= seen.starts[1].time - seen.starts[0].time <= LONG
        assert seen.overlaps("J")

    @override
    def unharmed(self, seen: Seen) -> None:
        assert not seen.overlaps("J")


def _await_first_worker(host: Host) -> None:
    first = host.journal.starts("J")[0].pid
    until(
        lambda: host.journal.ends("J") or first not in {one.pid for one in host.workers()},
        12,
        "whoever began J first has ended it, or is gone",
        host.journal.path,
    )


class JobFailsAndSucceeds(JobRunsTwice):
    """With one try, the second worker writes off a job that the first then finishes."""

    then = "The job ends or is written off, never both."
    always = Change(program={"numprocs": "2", "stopwaitsecs": "180"}, options={"timeout": "150", "tries": "1"})
    backends: ClassVar[tuple[str, ...]] = ("redis",)

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        host.laravel.push("J", seconds=LONG).must()
        until(lambda: host.journal.ends("J") or host.journal.failures("J"), 12, "J ends or is given up")
        _await_first_worker(host)
        return see(host, output=host.laravel.failed())

    @override
    def harmed(self, seen: Seen) -> None:
        assert len(seen.starts) == 1
        assert seen.ends[0].time > seen.failures[0].time
        assert seen.ends[0].pid != seen.failures[0].pid

    @override
    def unharmed(self, seen: Seen) -> None:
        assert not (seen.ends and seen.failures)


class JobHasNoLimit(JobRunsTwice):
    """Without a time limit a job outlasts any retry_after, and a second worker begins it."""

    rule = "timeouts/timeout-unlimited"
    bad = Change(options={"timeout": "0"})
    good = Change(options={"timeout": "80"})
    backends: ClassVar[tuple[str, ...]] = ("redis",)


class RetryAfterIsZero(Scene):
    """A retry_after cast from a variable that is not there is 0: a running job is handed out again at once."""

    rule = "timeouts/retry-after-missing"
    subject = "{connection}"
    then = "One worker runs the job, once."
    always = Change(program={"numprocs": "2"})
    bad = Change(config={RETRY_AFTER: "(int) env('REDIS_QUEUE_RETRY_AFTER')"})
    good = Change(config={RETRY_AFTER: "(int) env('REDIS_QUEUE_RETRY_AFTER', 90)"})

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        host.laravel.push("J", seconds=10).must()
        host.laravel.await_end("J")
        return see(host)

    @override
    def harmed(self, seen: Seen) -> None:
        assert seen.overlaps("J")

    @override
    def unharmed(self, seen: Seen) -> None:
        assert [len(seen.starts), len(seen.ends)] == [1, 1]


class JobIsNeverRetried(Scene):
    """A job whose worker was killed stays reserved for years, and nothing says so."""

    rule = "timeouts/retry-after-never"
    subject = "{connection}"
    then = "The second attempt finishes the job."
    bad = Change(config={RETRY_AFTER: 90000000})
    good = Change(config={RETRY_AFTER: 90})
    clock: ClassVar[str | None] = "+0 x60"
    backends: ClassVar[tuple[str, ...]] = ("redis", "mariadb", "sqlite")

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        server.wait_for(NAME, "RUNNING")
        worker = server.pid(NAME)  # asked before, as the job lasts less than a real second
        host.laravel.push("J", seconds=50).must()
        host.laravel.await_start("J")
        host.kill(worker)
        host.laravel.push("K").must()
        host.laravel.await_end("K")
        self.await_job_unless_harmed(host, "J", 150 / 60)
        return see(host, left=host.laravel.count())

    @override
    def harmed(self, seen: Seen) -> None:
        assert seen.labels("end") == {"K"}
        assert seen.left == 1
        assert not seen.failures

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.labels("end") == {"J", "K"}
        assert [one.attempt for one in seen.ends if one.label == "J"] == [2]


class JobIsKilledAtStop(Scene):
    """supervisord kills a worker in the middle of its job: the restart looks well, the job never ends."""

    rule = "timeouts/stopwaitsecs-covers-timeout"
    then = "supervisord waits until the job has ended."
    bad = Change(program={"stopwaitsecs": None})
    clock: ClassVar[str | None] = "+0 x20"

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        server.wait_for(NAME, "RUNNING")
        host.laravel.push("J", seconds=40).must()
        host.laravel.await_start("J")
        server.restart(NAME)
        return see(host)

    @override
    def harmed(self, seen: Seen) -> None:
        assert f"killing '{NAME}'" in seen.log
        assert "SIGKILL" in seen.log
        assert not seen.ends
        assert seen.states == {NAME: "RUNNING"}

    @override
    def unharmed(self, seen: Seen) -> None:
        assert "SIGKILL" not in seen.log
        assert seen.labels("end") == {"J"}


class DefaultTimeoutKills(Scene):
    """Without --timeout a job has 60 s; then its worker kills itself, and no line says why."""

    rule = "timeouts/timeout-not-written"
    then = "The job ends."
    always = Change(program={"stopwaitsecs": "100"}, options={"tries": "1"}, config={RETRY_AFTER: 120})
    bad = Change(options={"timeout": None})
    good = Change(options={"timeout": "90"})
    clock: ClassVar[str | None] = "+0 x30"

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        host.laravel.push("J", seconds=70).must()
        until(lambda: host.journal.ends("J") or server.exits(NAME), 10, "J ends or its worker does", server.log_path)
        return see(host)

    @override
    def harmed(self, seen: Seen) -> None:
        assert seen.exits == ["terminated by SIGKILL; not expected"]
        assert 55 <= seen.failures[0].time - seen.starts[0].time <= 70
        assert not seen.ends

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.labels("end") == {"J"}
        assert not seen.exits


class IdleWorkerKillsItself(Scene):
    """The alarm of --timeout also counts while a worker sleeps: with a longer --sleep it is killed when idle."""

    rule = "timeouts/sleep-below-timeout"
    then = "The idle worker lives on."
    bad = Change(options={"sleep": "120"})
    good = Change(options={"sleep": "3"})
    clock: ClassVar[str | None] = "+0 x30"

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        server.wait_for(NAME, "RUNNING")
        self.await_if_harmed(lambda: server.exits(NAME), 4, "the idle worker ends", server.log_path)
        return see(host)

    @override
    def harmed(self, seen: Seen) -> None:
        assert set(seen.exits) == {"terminated by SIGKILL; not expected"}

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.exits == []


class BlockedWorkerCannotStop(Scene):
    """With block_for 0 an idle worker hears no SIGTERM until a job arrives, so that every stop ends in SIGKILL."""

    rule = "timeouts/block-for-zero"
    subject = "redis"
    then = "The worker stops when it is told to."
    always = Change(program={"stopwaitsecs": "3"}, options={"timeout": "2"})
    bad = Change(config={"queue.connections.redis.block_for": 0})
    good = Change(config={"queue.connections.redis.block_for": 1})
    clock: ClassVar[str | None] = None  # Redis keeps its own

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        server.wait_for(NAME, "RUNNING")
        host.laravel.push("J").must()
        host.laravel.await_end("J")
        server.restart(NAME)
        return see(host)

    @override
    def harmed(self, seen: Seen) -> None:
        assert f"killing '{NAME}'" in seen.log

    @override
    def unharmed(self, seen: Seen) -> None:
        assert f"killing '{NAME}'" not in seen.log


class BlocksForText(Scene):
    """block_for as text, which env() gives, ends a worker as soon as it finds its queue empty, until it is FATAL."""

    rule = "timeouts/block-for-is-text"
    subject = "redis"
    always = Change(program={"startsecs": "30"})
    bad = Change(config={"queue.connections.redis.block_for": "env('REDIS_BLOCK_FOR', '5')"})
    good = Change(config={"queue.connections.redis.block_for": "(int) env('REDIS_BLOCK_FOR', 1)"})
    clock: ClassVar[str | None] = "+0 x10"

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        until(lambda: server.states()[NAME] in {"RUNNING", "FATAL"}, 15, "supervisord gives up or is content")
        host.laravel.push("J").must()
        self.await_job_unless_harmed(host, "J")
        return see(host, left=host.laravel.count())

    @override
    def harmed(self, seen: Seen) -> None:
        assert seen.states == {NAME: "FATAL"}
        assert set(seen.exits) == {"exit status 255; not expected"}
        assert seen.left == 1

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.exits == []
        assert seen.labels("end") == {"J"}
