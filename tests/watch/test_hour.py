"""An hour of a watch: of real Redis and supervisord, through rotations, restarts and kills; nothing lost, nothing twice."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.host import SUPERVISOR, Host
from tests.stack.polling import until
from tests.stack.processes import Child, free_port
from tests.stack.redis import Redis
from tests.stack.supervisord import Supervisord
from tests.watch.running import environment
from tests.watch.servers import hook

APP_LOG = "var/www/shop/storage/logs/laravel.log"
WORKER_LOG = "var/log/shop.log"
FIRST_HALF = 30
"""Minutes in which the watch is killed again and again."""
KILLS = 10
MOST_GROWTH = 3.0
"""MiB that the watch may grow by over the second half hour: the allocator's own coming and going."""
DAEMON = """\
[unix_http_server]
file={root}/run/supervisor.sock
[supervisord]
logfile={root}/var/log/supervisor/supervisord.log
pidfile={root}/run/supervisord.pid
childlogdir={root}/run
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[program:shop]
command=/bin/sleep 1000
autorestart=true
"""


class Written:
    """A log that numbered records are written into, and that is rotated in one way after the other."""

    def __init__(self, path: Path, record: str, ways: str) -> None:
        """`ways`: r for rename, c for copy and cut, z for a rename that is compressed at once."""
        self.path = path
        self.record = record
        self.ways = ways
        self.count = 0
        self.rotations = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self.file = path.open("a", buffering=1)

    def write(self, records: int) -> None:
        """So many more."""
        for _ in range(records):
            self.count += 1
            self.file.write(self.record.format(self.count))

    def rotate(self) -> None:
        """Once more: the writer has the renamed file open for some lines yet, as a worker has."""
        way = self.ways[self.rotations % len(self.ways)]
        self.rotations += 1
        for number in range(6, 0, -1):
            for ending in ("", ".gz"):
                old = Path(f"{self.path}.{number}{ending}")
                if old.exists():
                    old.rename(f"{self.path}.{number + 1}{ending}")
        first = Path(f"{self.path}.1")
        if way == "c":
            shutil.copyfile(self.path, first)
            os.truncate(self.path, 0)
            return
        self.path.rename(first)
        self.path.touch()
        self.write(2)
        self.file.close()
        self.file = self.path.open("a", buffering=1)
        if way == "z":
            status = first.stat()
            with first.open("rb") as plain, gzip.open(f"{first}.gz", "wb") as packed:
                shutil.copyfileobj(plain, packed)
            os.utime(f"{first}.gz", ns=(status.st_atime_ns, status.st_mtime_ns))
            first.unlink()


class Hour:
    """The host, the watch of it, and its clock."""

    def __init__(self, folder: Path, url: str) -> None:
        """Lay it out; nothing runs yet."""
        self.port = free_port()
        self.root = folder / "host"
        log = "[supervisord]\nlogfile=/var/log/supervisor/supervisord.log\nchildlogdir=/run\n"
        self.host = Host.of(
            self.root,
            # Nobody listens on port 1: a look that fails is the one that leaves most behind.
            {
                "QUEUE_CONNECTION": "redis",
                "REDIS_PORT": str(self.port),
                "REDIS_PREFIX": "",
                "DB_CONNECTION": "mysql",
                "DB_PORT": "1",
            },
            supervisor=SUPERVISOR.replace("[supervisord]\n", log),
        )
        for name in ("run", "var/log/supervisor"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        self.app = Written(
            self.root / APP_LOG,
            "[2026-03-01 10:00:00] production.ERROR: Allowed memory size of 134217728 bytes exhausted, number {}\n"
            "[stacktrace]\n#0 /var/www/shop/vendor/x.php(12): A->b()\n#1 {{main}}\n",
            "rcz",
        )
        self.worker = Written(
            self.root / WORKER_LOG,
            "PHP Fatal error:  Allowed memory size of 134217728 bytes exhausted, number {}\n",
            "cr",
        )
        self.clock = folder / "clock"
        self.begun = float(int(time.time()) - 7200)
        self.clock.write_text(str(self.begun))
        self.state = folder / "state.json"
        self.output = folder / "watch.output"
        self.url = folder / "url"
        self.url.write_text(url)
        self.folder = folder
        self.watch: Child | None = None
        self.redis: Redis | None = None
        self.supervisord: Supervisord | None = None
        self.restarts = 0

    def start(self) -> Child:
        """Start the watch."""
        words = [
            "watch",
            str(self.root),
            "--state",
            str(self.state),
            "--notify",
            f"file:{self.url}",
            "--per-hour",
            "1000",
        ]
        self.watch = Child(
            [sys.executable, "-m", "tests.watch.fast", str(self.clock), *words], self.output, env=environment()
        )
        return self.watch

    def start_redis(self) -> None:
        """Start Redis on the port that the app has."""
        folder = self.folder / f"redis{self.restarts}"
        folder.mkdir()
        self.restarts += 1
        self.redis = Redis._start(folder, self.port)

    def start_supervisord(self) -> None:
        """Start supervisord on the socket that the host's configuration names."""
        conf = self.folder / "supervisord.conf"
        conf.write_text(DAEMON.format(root=self.root))
        self.supervisord = Supervisord.start(
            conf,
            socket=self.root / "run/supervisor.sock",
            log=self.root / "var/log/supervisor/supervisord.log",
            output=self.folder / "supervisord.output",
            build="pypi",
        )

    def minute(self) -> float:
        """Minutes of the watch's time."""
        return (float(self.clock.read_text()) - self.begun) / 60

    def to(self, minute: float) -> None:
        """Wait until its clock says so; the logs are written meanwhile."""
        last = self.minute()
        end = time.monotonic() + 300
        while (now := self.minute()) < minute:
            assert self.watch is not None
            self.watch.must_run()
            assert time.monotonic() < end, self.output.read_text()[-3000:]
            if now > last:
                last = now
                self.app.write(3)
                self.worker.write(2)
            time.sleep(0.01)

    def heard(self) -> dict[str, int]:
        """What the state says was told by each log that is written here."""
        events = json.loads(self.state.read_text())["events"].values()
        return {log: sum(one["total"] for one in events if one["log"] == log) for log in (APP_LOG, WORKER_LOG)}

    def resident(self) -> float:
        """MiB of the watch."""
        assert self.watch is not None
        pages = int(Path(f"/proc/{self.watch.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024

    def stop(self) -> None:
        """End everything."""
        if self.watch is not None:
            self.watch.end()
        if self.supervisord is not None:
            self.supervisord.stop()
        if self.redis is not None:
            self.redis.stop()
        self.app.file.close()
        self.worker.file.close()


@pytest.fixture
def short(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a short name: a socket's address holds no long one."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="hour-") as name:
        yield Path(name)


def test_an_hour(short: Path) -> None:
    """Ten kills, rotations of every kind, restarts of both servers, a queue that grows: each thing is told once, memory is flat."""
    chance = random.Random(7)
    with hook() as server:
        hour = Hour(short, server.url)
        try:
            hour.start_redis()
            hour.start_supervisord()
            hour.start()
            until(hour.state.exists, 60, "the watch has begun", hour.output)
            first_half(hour, chance)
            end = second_half(hour)
            hour.app.write(1)  # the last record is told when another begins behind it, or when it has settled
            hour.worker.write(1)
            written = {APP_LOG: hour.app.count, WORKER_LOG: hour.worker.count}
            until(lambda: hour.heard() == written, 20, f"{written} are told, and no more", hour.output, hour.state)
        finally:
            hour.stop()

        turns = defaultdict(list)
        for change in server.changes():
            turns[change["rule"], change["subject"]].append(change["what"])
        for key, what in turns.items():
            assert what == (["new", "over"] * len(what))[: len(what)], key
        redis = next(key for key in turns if key[0] == "backend/unreachable" and "redis" in key[1])
        daemon = next(key for key in turns if key[0] == "backend/unreachable" and "supervisor" in key[1])
        assert turns[redis] == ["new", "over"]
        assert turns[daemon] == ["new", "over"]
        assert turns["watch/backlog-grows", "redis:default"] == ["new", "over"]
        assert turns["log/memory", APP_LOG][0] == "new"
        assert hour.app.rotations + hour.worker.rotations >= 12
        grown = end[1] - end[0]
        assert grown < MOST_GROWTH, f"{end[0]:.1f} MiB became {end[1]:.1f} MiB"


def first_half(hour: Hour, chance: random.Random) -> None:
    """Kills at any moment, and a rotation after every second one."""
    for number in range(KILLS):
        hour.to((number + 1) * FIRST_HALF / (KILLS + 1))
        time.sleep(chance.uniform(0, 0.3))  # anywhere in a round: while it looks, reads, writes or sends
        assert hour.watch is not None
        hour.watch.end(how=signal.SIGKILL)
        hour.app.write(chance.randrange(5))
        if number % 2:
            hour.app.rotate()
        else:
            hour.worker.rotate()
        hour.start()
    hour.to(FIRST_HALF)


def second_half(hour: Hour) -> tuple[float, float]:
    """Restarts of the servers, a queue that grows and is emptied, more rotations; the watch's memory at begin and end."""
    hour.to(FIRST_HALF + 4)
    begin = hour.resident()
    assert hour.redis is not None
    hour.redis.stop()
    hour.to(FIRST_HALF + 8)
    hour.start_redis()
    hour.app.rotate()
    hour.to(FIRST_HALF + 11)
    assert hour.supervisord is not None
    hour.supervisord.stop()
    hour.worker.rotate()
    hour.to(FIRST_HALF + 15)
    hour.start_supervisord()
    hour.app.rotate()
    hour.to(FIRST_HALF + 18)
    for minute in range(18, 27):
        jobs = [json.dumps({"displayName": "App\\Jobs\\Mail", "pushedAt": hour.begun})] * 15
        hour.redis.cli("RPUSH", "queues:default", *jobs)
        hour.to(FIRST_HALF + minute + 1)
        if minute % 3 == 0:
            hour.worker.rotate()
    hour.redis.cli("DEL", "queues:default")
    hour.app.rotate()
    hour.to(64)
    return begin, hour.resident()
