"""What a live audit costs: with a Redis as a multiple of bare Python, and on queues of millions beside empty ones."""

from __future__ import annotations

import sqlite3
import statistics
import subprocess
import sys
import time
from pathlib import Path

from tests.live.host import APP, TABLES, Host
from tests.stack import mariadb
from tests.stack.redis import Redis

REDIS_JOBS = 1_000_000
ROWS = 2_000_000
ROUNDS = 15
OVER_BARE = 25.0
"""How many times a bare `python -c pass` a live audit of a Redis queue and a MiB of the app's log may take."""
OVER_EMPTY = 1.5
"""How many times the audit of an empty queue that of a full one may take."""
PUSH = """
local payload = '{"uuid":"0","displayName":"Work","job":"","data":{"command":"' .. string.rep('x', 300) .. '"}}'
for n = 1, tonumber(ARGV[1]) do redis.call('RPUSH', KEYS[1], payload) end
"""
MYSQL = """
CREATE TABLE jobs (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, queue VARCHAR(191) NOT NULL,
  payload LONGTEXT NOT NULL, attempts TINYINT UNSIGNED NOT NULL, reserved_at INT UNSIGNED, available_at INT UNSIGNED NOT NULL,
  created_at INT UNSIGNED NOT NULL, KEY jobs_queue_index (queue));
CREATE TABLE failed_jobs (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, uuid VARCHAR(191) NOT NULL UNIQUE,
  connection TEXT NOT NULL, queue TEXT NOT NULL, payload LONGTEXT NOT NULL, exception LONGTEXT NOT NULL,
  failed_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
"""
PLAIN = "".join(f"[2026-03-01 10:00:{n:02}] production.INFO: Order {n} was packed and sent  \n" for n in range(60))
FAULT = "[%Y-%m-%d %H:%M:%S] production.ERROR: OOM command not allowed\n"
FILL = "INSERT INTO jobs SELECT {number}, 'default', {payload}, 0, NULL, 1700000000, 1700000000 FROM {source};"


def audited(host: Host) -> float:
    """Seconds of a whole live audit; ends the run where the backend was not asked."""
    begun = time.perf_counter()
    done = subprocess.run(
        [str(Path(sys.executable).with_name("queue-auditor")), "audit", str(host.root), "--live", "--no-config"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    taken = time.perf_counter() - begun
    unasked = any(f"backend/unreachable  {name}" in done.stdout for name in ("redis", "database"))
    if done.returncode not in (0, 1) or done.stderr or unasked:
        sys.exit(f"the audit of {host.root} failed ({done.returncode}): {done.stdout[-500:]}{done.stderr[-500:]}")
    return taken


def beside(name: str, empty: Host, full: Host) -> None:
    """Audit both in turn and print what the full one costs."""
    taken = [(audited(empty), audited(full)) for _ in range(ROUNDS)]
    small, large = (statistics.median(times) for times in zip(*taken, strict=True))
    ratio = large / small
    kept = "kept" if ratio <= OVER_EMPTY else "OVER"
    print(
        f"  {name:<28} {small * 1000:6.0f} ms {large * 1000:6.0f} ms {ratio:6.2f}   budget {OVER_EMPTY:4.1f}   {kept}"
    )


def live(folder: Path) -> None:
    """Each backend empty and full, on servers of its own."""
    print(f"a live audit of an empty queue, and of {REDIS_JOBS:,} jobs in Redis or {ROWS:,} rows of a table")
    servers: list[Redis] = []
    try:
        hosts = []
        for name in ("empty", "full"):
            place = folder / f"redis-{name}"
            place.mkdir()
            servers.append(Redis.start(place))
            env = {"QUEUE_CONNECTION": "redis", "QUEUE_FAILED_DRIVER": "null", **servers[-1].env}
            hosts.append(Host.of(folder / f"redis-host-{name}", env))
        for _ in range(100):
            servers[1].cli("EVAL", PUSH, "1", "shop_database_queues:default", str(REDIS_JOBS // 100))
        beside("Redis", *hosts)
        hosts[0].write(f"{APP}/storage/logs/laravel.log", PLAIN * 300 + time.strftime(FAULT))
        taken = [(_bare(), audited(hosts[0])) for _ in range(ROUNDS)]
        bare, asked = (statistics.median(times) for times in zip(*taken, strict=True))
        ratio = asked / bare
        kept = "kept" if ratio <= OVER_BARE else "OVER"
        print(f"  {'Redis, a log; over Python':<28} {ratio:27.1f}   budget {OVER_BARE:4.1f}   {kept}")
    finally:
        for server in servers:
            server.stop()
    in_mariadb(folder)
    in_sqlite(folder)


def _bare() -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - begun


def in_mariadb(folder: Path) -> None:
    """Two databases of one server."""
    with mariadb.open_folder() as place:
        server = mariadb.MariaDB.start(place, mariadb.template(folder))
        try:
            with server.database() as empty, server.database() as full:
                hosts = []
                for name, database in (("empty", empty), ("full", full)):
                    database.sql(MYSQL)
                    env = {"QUEUE_CONNECTION": "database", **database.env}
                    hosts.append(Host.of(folder / f"mariadb-host-{name}", env))
                step = ROWS // 20
                for first in range(1, ROWS, step):
                    source = f"seq_{first}_to_{first + step - 1}"
                    full.sql(FILL.format(number="seq", payload="REPEAT('x', 400)", source=source))
                beside("MariaDB", *hosts)
        finally:
            server.stop()


def in_sqlite(folder: Path) -> None:
    """Two files."""
    hosts = []
    for name in ("empty", "full"):
        hosts.append(Host.of(folder / f"sqlite-host-{name}", {"QUEUE_CONNECTION": "database"}))
        path = hosts[-1].root / APP / "database/database.sqlite"
        path.parent.mkdir()
        with sqlite3.connect(path) as made:
            made.executescript(TABLES)
            if name == "full":
                numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {ROWS}) "
                fill = FILL.format(number="i", payload="printf('%400s', '')", source="n")
                made.executescript(fill.replace("INSERT", numbers + "INSERT", 1))
        made.close()
    beside("SQLite", *hosts)
