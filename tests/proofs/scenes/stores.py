"""Harms of what keeps the queue: SQLite, a database's column, Redis and its keys."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from tests.proofs.scenes.scene import CRON, NAME, Change, Scene, Seen, see
from tests.stack.host import Host
from tests.stack.journal import Journal
from tests.stack.laravel import Laravel, web_user
from tests.stack.mariadb import Database
from tests.stack.polling import until
from tests.stack.redis import Redis
from tests.stack.supervisord import Supervisord

LOCKED = "database is locked"
"""What SQLite says to who comes second."""

SLOTS = "All keys do not map to the same slot"
"""What phpredis says to a script whose keys a cluster keeps apart."""


class Prepared(Scene):
    """A host whose jobs are pushed before its workers start."""

    @override
    def observe(self, host: Host) -> Seen:
        with host.opened():
            self.push(host)
            return self.act(host, host.start(build="pypi", faketime=self.clock))

    def push(self, host: Host) -> None:
        """Push them."""
        raise NotImplementedError


class SqliteLocks(Prepared):
    """Several processes on a queue in SQLite lock one another out: "database is locked", in the middle of their work."""

    rule = "queue/sqlite-several-workers"
    then = "One process runs every job, once."
    bad = Change(program={"numprocs": "6"})
    clock: ClassVar[str | None] = None  # SQLite waits for a lock by the real one
    backends: ClassVar[tuple[str, ...]] = ("sqlite",)

    @override
    def push(self, host: Host) -> None:
        host.laravel.push("J", count=400).must()

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        enough = 400 if len(server.processes()) > 1 else 100
        until(
            lambda: LOCKED in host.laravel.log or len(host.journal.ends()) >= enough,
            40,
            "a worker is locked out, or enough is done",
            server.log_path,
        )
        return see(host, output=host.laravel.log)

    @override
    def harmed(self, seen: Seen) -> None:
        assert LOCKED in seen.output

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.output == ""
        assert len(seen.ends) == len(seen.labels("end")) >= 100


class SqliteTwoPrograms(SqliteLocks):
    """Programs of different queues in one SQLite file lock one another out: all queues are rows of one table."""

    rule = "queue/sqlite-several-programs"
    subject = "database"
    then = "One program polls both queues, and runs every job, once."
    good = Change(options={"queue": "mails,default"})

    @override
    def conf(self, change: Change, *, bad: bool) -> str:
        text = super().conf(change, bad=bad)
        more = [text.replace("[program:worker]", f"[program:{name}]") for name in ("mails", "more", "most")]
        return "\n".join([text, *more]) if bad else text


class PackedJobRunsAgain(Scene):
    """With a serializer a job that has ended is not found among the reserved ones, and is run once more."""

    rule = "queue/redis-serializer"
    subject = "redis"
    then = "The job is run once."
    bad = Change(config={"database.redis.default.database": "env('REDIS_DB', '0'), 'serializer' => 1"})
    clock: ClassVar[str | None] = "+0 x60"

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        host.laravel.push("J").must()
        host.laravel.await_end("J")
        self.await_if_harmed(lambda: len(host.journal.ends("J")) >= 2, 150 / 60, "J ends again", server.log_path)
        return see(host)

    @override
    def harmed(self, seen: Seen) -> None:
        assert len(seen.ends) >= 2
        assert seen.starts[1].time - seen.starts[0].time >= 85

    @override
    def unharmed(self, seen: Seen) -> None:
        assert [len(seen.starts), len(seen.ends)] == [1, 1]


class ClusterRefusesJobs(Scene):
    """On a Redis cluster the keys of a queue lie in different slots: no job is taken in, and each look is an error."""

    rule = "queue/redis-cluster-tag"
    subject = "redis"
    bad = Change(env={"REDIS_QUEUE": "default"})
    good = Change(env={"REDIS_QUEUE": "{default}"})
    backends: ClassVar[tuple[str, ...]] = ("redis_cluster",)

    @override
    def prepare(self, host: Host, *, bad: bool) -> None:
        path = host.folder / "var/www/app/config/database.php"
        single = "\n        'default' => ["
        node = "[['host' => env('REDIS_HOST'), 'port' => env('REDIS_PORT'), 'database' => 0]]"
        text = path.read_text()
        assert single in text
        path.write_text(
            text.replace(single, f"\n        'clusters' => ['default' => {node}],{single.replace('default', 'one')}")
        )

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        pushed = host.laravel.push("J")
        self.await_job_unless_harmed(host, "J", 0)
        self.await_if_harmed(lambda: SLOTS in host.laravel.log, 0, "the worker is refused", server.log_path)
        server.wait_for(NAME, "RUNNING")
        return see(host, output=pushed.output, exit_code=pushed.exit_code)

    @override
    def harmed(self, seen: Seen) -> None:
        """`output` and `exit_code` are the push's own."""
        assert seen.exit_code == 1
        assert SLOTS in seen.output
        assert seen.states == {NAME: "RUNNING"}
        assert not seen.starts

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.exit_code == 0
        assert seen.labels("end") == {"J"}


class AppsShareQueues(Scene):
    """Two applications with the same prefix in one Redis take each other's jobs."""

    rule = "queue/redis-shared-prefix"
    subject = "redis"
    then = "Each application's jobs wait for its own worker."

    @override
    def conf(self, change: Change, *, bad: bool) -> str:
        text = super().conf(change, bad=bad)
        return text + text.replace("[program:worker]", "\n[program:shop]").replace("/var/www/app", "/var/www/shop")

    @override
    def prepare(self, host: Host, *, bad: bool) -> None:
        prefix = {} if bad else {"REDIS_PREFIX": "shop_"}
        Laravel.lay_out(host.folder / "var/www/shop", env={**self.backend.env, **prefix}, owner=web_user())
        (host.folder / "etc/cron.d/shop").write_text(CRON.replace("/var/www/app", "/var/www/shop"))

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        server.wait_for("shop_00", "RUNNING")
        server.wait_for(NAME, "RUNNING")
        server.rpc.stopProcess(f"worker:{NAME}")
        host.laravel.push("J").must()
        shop = Journal(host.folder / "var/www/shop/storage/journal.jsonl")
        if self.put_right:
            self.await_looks()
        self.await_if_harmed(lambda: shop.ends("J"), 0, "the shop's worker runs the job", shop.path)
        return see(host, left=host.laravel.count(), extra=len(shop.ends("J")))

    @override
    def harmed(self, seen: Seen) -> None:
        """`extra` is how often the other application ran the job."""
        assert seen.extra == 1
        assert seen.left == 0

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.extra == 0
        assert seen.left == 1


class AttemptsOverflow(Prepared):
    """Tried without end, a job that always fails reaches the 256th attempt, which its column does not hold.

    Every look into the queue then ends with the database's error, and all jobs behind it wait.
    """

    rule = "processes/tries-zero"
    then = "The job is given up, and the one behind it is run."
    bad = Change(options={"tries": "0"})
    backends: ClassVar[tuple[str, ...]] = ("mariadb",)

    @override
    def push(self, host: Host) -> None:
        host.laravel.push("J", breaks=True).must()
        assert isinstance(self.backend.server, Database)
        self.backend.server.sql("UPDATE jobs SET attempts = 250")  # so much for the first 250

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        until(
            lambda: host.journal.failures("J") or "Out of range" in host.laravel.log,
            15,
            "J is given up or its attempts overflow",
            server.log_path,
        )
        host.laravel.push("K").must()
        self.await_job_unless_harmed(host, "K", 2)
        return see(host, output=host.laravel.log, left=host.laravel.count())

    @override
    def harmed(self, seen: Seen) -> None:
        assert "Out of range value for column 'attempts'" in seen.output
        assert seen.left == 2
        assert not seen.ends

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.labels("failed") == {"J"}
        assert seen.labels("end") == {"K"}


COMPOSE = """\
services:
  redis:
    image: redis:7
    command: redis-server --maxmemory 3mb --maxmemory-policy {policy}
"""
"""How a deployment starts its Redis; the words of its last line are given to the one that runs."""


class RedisEvicts(Scene):
    """A Redis that may evict any key throws a whole queue away to make room, and every push succeeds."""

    rule = "queue/redis-eviction"
    then = "The queue is kept, and the push that finds no room fails."
    subject = "redis"
    bad = Change(files={"compose.yml": COMPOSE.format(policy="allkeys-lru")})
    good = Change(files={"compose.yml": COMPOSE.format(policy="noeviction")})

    @override
    def observe(self, host: Host) -> Seen:
        with host.opened():
            return self._fill(host)

    def _fill(self, host: Host) -> Seen:
        server = self.backend.server
        assert isinstance(server, Redis)
        for words in (host.folder / "compose.yml").read_text().split("--")[1:]:
            server.cli("CONFIG", "SET", *words.split())
        before = int(server.info("evicted_keys"))
        host.laravel.push("M", queue="mails", count=20).must()
        pushed = host.laravel.push("J", count=300, kilobytes=10)
        left = sum(int(server.cli("LLEN", f"works_database_queues:{name}")) for name in ("mails", "default"))
        evicted = int(server.info("evicted_keys")) - before
        server.cli("CONFIG", "SET", "maxmemory", "0")
        return Seen(exit_code=pushed.exit_code, output=pushed.output, left=left, extra=evicted)

    @override
    def harmed(self, seen: Seen) -> None:
        """`left` are all jobs of 320, `extra` the evicted keys: which of the two queues goes is Redis' own choice."""
        assert seen.left <= 300
        assert seen.extra > 0
        assert seen.exit_code == 0

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.left > 20
        assert seen.extra == 0
        assert seen.exit_code != 0
        assert "OOM command not allowed" in seen.output
