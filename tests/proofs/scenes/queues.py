"""Harms of which queue is read, and of what keeps it."""

from __future__ import annotations

import os
from typing import ClassVar

from typing_extensions import override

from tests.proofs.scenes.scene import NAME, Change, NeverRuns, Scene, Seen, comes, see
from tests.stack.host import Host
from tests.stack.polling import until
from tests.stack.redis import Redis
from tests.stack.supervisord import Supervisord


class SyncWorkerIdles(Scene):
    """With the sync driver a job runs in whoever pushes it, and the worker waits for ever."""

    rule = "queue/sync-driver"
    subject = "var/www/app"
    then = "The worker runs the job."
    always = Change(connection="")
    bad = Change(env={"QUEUE_CONNECTION": "sync"})
    good = Change(env={"QUEUE_CONNECTION": "redis"})

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        server.wait_for(NAME, "RUNNING")
        host.laravel.push("J").must()
        host.laravel.await_end("J")
        return see(host, extra=server.pid(NAME))

    @override
    def harmed(self, seen: Seen) -> None:
        """`extra` is the worker's pid."""
        assert seen.starts[0].pid != seen.extra
        assert seen.states == {NAME: "RUNNING"}
        assert seen.output == ""

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.starts[0].pid == seen.extra


class ConnectionUnknown(NeverRuns):
    """A connection that config/queue.php does not have ends every start."""

    rule = "queue/connection-unknown"
    bad = Change(connection="redis2")
    words = "redis2"


class QueueWithSpace(Scene):
    """The name after ", " begins with a space: that queue is never read."""

    rule = "queue/queue-with-space"
    then = "Both queues are read."
    bad = Change(options={"queue": '"mails, default"'})
    good = Change(options={"queue": "mails,default"})

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        host.laravel.push("D", queue="default").must()
        host.laravel.push("M", queue="mails").must()
        host.laravel.await_end("M")
        comes(lambda: host.journal.ends("D"), 2)
        return see(host, left=host.laravel.count(queue="default"))

    @override
    def harmed(self, seen: Seen) -> None:
        assert seen.labels("end") == {"M"}
        assert seen.left == 1

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.labels("end") == {"M", "D"}
        assert seen.left == 0


class QueueNotServed(QueueWithSpace):
    """Jobs go to a queue that no worker reads."""

    rule = "queue/queue-not-served"
    subject = "redis"
    bad = Change(options={"queue": "mails"})


class ConfigCacheStale(Scene):
    """An edited .env changes nothing while the cached configuration is there: the worker reads the old queue."""

    rule = "queue/config-cache-stale"
    subject = "var/www/app"
    then = "The application and its worker use the new queue."
    always = Change(env={"REDIS_QUEUE": "default"})

    @override
    def prepare(self, host: Host, *, bad: bool) -> None:
        if not bad:
            host.laravel.set_env("REDIS_QUEUE", "mails")
        with host.opened():
            host.laravel.artisan("config:cache").must()
        if bad:
            cache = host.laravel.folder / "bootstrap/cache/config.php"
            os.utime(cache, (cache.stat().st_atime - 60, cache.stat().st_mtime - 60))
            host.laravel.set_env("REDIS_QUEUE", "mails")

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        host.laravel.push("J", queue="mails").must()
        comes(lambda: host.journal.ends("J"), 3)
        said = host.laravel.artisan("config:value", "queue.connections.redis.queue").must()
        return see(host, left=host.laravel.count(queue="mails"), extra=said.strip())

    @override
    def harmed(self, seen: Seen) -> None:
        """`extra` is the queue's name as the application has it."""
        assert seen.extra == '"default"'
        assert seen.left == 1

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.extra == '"mails"'
        assert seen.labels("end") == {"J"}


class EnvUnreadable(NeverRuns):
    """A .env that phpdotenv refuses ends every artisan, the workers' too."""

    rule = "queue/env-unreadable"
    subject = "var/www/app"
    bad = Change(env={"MAIL_FROM_NAME": "Our Works"})
    good = Change(env={"MAIL_FROM_NAME": '"Our Works"'})
    words = "Failed to parse dotenv file"

    @override
    def push(self, host: Host) -> None:
        host.laravel.push("J")  # which fails as well


class RedisEvicts(Scene):
    """A Redis that may evict any key throws a whole queue away to make room, and every push succeeds."""

    rule = "queue/redis-eviction"
    then = "The queue is kept, and the push that finds no room fails."
    bad = Change(files={"etc/redis/redis.conf": "maxmemory-policy allkeys-lru\n"})
    good = Change(files={"etc/redis/redis.conf": "maxmemory-policy noeviction\n"})

    @override
    def observe(self, host: Host) -> Seen:
        with host.opened():
            return self._fill(host)

    def _fill(self, host: Host) -> Seen:
        server = self.backend.server
        assert isinstance(server, Redis)
        policy = (host.folder / "etc/redis/redis.conf").read_text().split()[1]
        host.laravel.push("M", queue="mails", count=20).must()
        server.cli("CONFIG", "SET", "maxmemory", str(int(server.info("used_memory")) + 1_500_000))
        server.cli("CONFIG", "SET", "maxmemory-policy", policy)
        pushed = host.laravel.push("J", count=300, kilobytes=10)
        left = int(server.cli("LLEN", "works_database_queues:mails"))
        evicted = int(server.info("evicted_keys"))
        server.cli("CONFIG", "SET", "maxmemory", "0")
        return Seen(exit_code=pushed.exit_code, output=pushed.output, left=left, extra=evicted)

    @override
    def harmed(self, seen: Seen) -> None:
        """`left` are the mails, `extra` the evicted keys."""
        assert seen.left == 0
        assert seen.extra > 0
        assert seen.exit_code == 0

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.left == 20
        assert seen.exit_code != 0
        assert "OOM command not allowed" in seen.output


class MemoryRestartsFatal(Scene):
    """A --memory that one job fills makes each job cost a restart, and enough of them the worker."""

    rule = "memory/memory-restarts-fatal"
    then = "One process runs every job."
    always = Change(program={"startsecs": "10"})
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
        comes(lambda: len(host.journal.ends()) == 3, 1)
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
