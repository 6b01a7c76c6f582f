"""Harms of which queue is read, and by which configuration."""

from __future__ import annotations

import os

from typing_extensions import override

from tests.proofs.scenes.scene import NAME, Change, NeverRuns, Scene, Seen, see
from tests.stack.host import Host
from tests.stack.polling import until
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
        self.await_job_unless_passed_over(host, "D")
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
        self.await_job_unless_passed_over(host, "J")
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


class EnvSwallowed(Scene):
    """A quote that is not closed takes all lines behind it out of the .env, and nobody says so."""

    rule = "queue/env-unreadable"
    subject = "var/www/app"
    then = "The application and its worker use the queue that the .env names."
    bad = Change(env={"MAIL_FROM_NAME": '"Our Works', "REDIS_QUEUE": "mails"})
    good = Change(env={"MAIL_FROM_NAME": '"Our Works"', "REDIS_QUEUE": "mails"})

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        server.wait_for(NAME, "RUNNING")
        said = host.laravel.artisan("config:value", "queue.connections.redis.queue").must()
        return see(host, extra=said.strip())

    @override
    def harmed(self, seen: Seen) -> None:
        """`extra` is the queue's name as the application has it."""
        assert seen.extra == '"default"'
        assert seen.states == {NAME: "RUNNING"}

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.extra == '"mails"'


class WorkerOnIdleConnection(Scene):
    """A worker of a connection that never hands out a job is RUNNING, and idles for ever while the jobs wait."""

    rule = "queue/worker-on-idle-connection"
    bad = Change(connection="sync")

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        server.wait_for(NAME, "RUNNING")
        host.laravel.push("J").must()
        self.await_job_unless_harmed(host, "J", 2)
        return see(host, left=host.laravel.count())

    @override
    def harmed(self, seen: Seen) -> None:
        assert seen.states == {NAME: "RUNNING"}
        assert seen.output == ""
        assert seen.left == 1

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.labels("end") == {"J"}


class FailedJobIsGone(Scene):
    """With the failed-job driver null a job that has used up its tries leaves no trace."""

    rule = "queue/failed-jobs-lost"
    subject = "var/www/app"
    then = "queue:failed lists the job."
    bad = Change(env={"QUEUE_FAILED_DRIVER": "null"})

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        host.laravel.push("J", breaks=True, tries=1).must()
        host.laravel.await_failure("J")
        until(lambda: host.laravel.count() == 0, 5, "the job is out of the queue")
        return see(host, output=host.laravel.failed())

    @override
    def harmed(self, seen: Seen) -> None:
        assert "No failed jobs!" in seen.output

    @override
    def unharmed(self, seen: Seen) -> None:
        assert "App\\Jobs\\Work" in seen.output
