"""A look at everything leaves servers, files and processes as they were."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import psutil

from auditor.facts.laravel import App
from auditor.facts.site import Site
from auditor.sources.live.access import Queue, Tables
from auditor.sources.live.database import look_at_sql
from auditor.sources.live.logs import look_at_logs
from auditor.sources.live.processes import list_processes
from auditor.sources.live.redis import look_at_redis
from auditor.sources.live.settings import database_access, redis_access
from auditor.sources.live.sqlite import look_at_sqlite
from auditor.sources.live.supervisord import ask_supervisord
from auditor.sources.supervisor import read_configuration
from auditor.sources.tree import Tree
from tests.stack import mariadb
from tests.stack.laravel import Laravel
from tests.stack.polling import until
from tests.stack.redis import Redis
from tests.stack.supervisord import Supervisord

QUEUES = [Queue("default", 90, 60), Queue("mails", 90, 60)]
TABLES = Tables(cache="cache", cache_locks="cache_locks", batches="job_batches")


def files(folder: Path) -> dict[str, tuple[int, int, int, int]]:
    """Every file below: inode, size, mode, and when it was changed."""
    found = {}
    for path in folder.rglob("*"):
        status = path.lstat()
        found[str(path)] = (status.st_ino, status.st_size, status.st_mode, status.st_mtime_ns)
    return found


def test_nothing_changes(tmp_path: Path, redis_server: Redis, database: mariadb.Database) -> None:
    """Each server's data, settings, clients, each file and each process is the same before and after the looks."""
    app = Laravel.lay_out(tmp_path / "app", env={"QUEUE_CONNECTION": "redis", **redis_server.env, **database.env})
    app.migrate()
    app.push("J", count=2).must()
    app.push("J", connection="database", count=2).must()
    app.push("J", connection="none")  # leaves an error in the app's log
    logging = Site(apps=(App(name=str(app.folder).lstrip("/")),))
    folder = tmp_path / "supervisor"
    folder.mkdir()
    programs = f"[program:idle]\ncommand=sleep 600\n[program:worker]\ncommand=php artisan schedule:work\ndirectory={app.folder}\n"
    server = Supervisord.of(folder, programs, build="pypi")
    try:
        server.wait_for("idle", "RUNNING")
        server.wait_for("worker", "RUNNING")
        conf = read_configuration(Tree("/"), server.conf.lstrip("/"))
        redis = redis_access({"port": redis_server.port}, prefix="works_database_")
        table = database_access(
            {"driver": "mysql", "host": "127.0.0.1", "port": database.server.port, "database": database.name,
             "username": mariadb.USER, "password": mariadb.PASSWORD}
        )  # fmt: skip
        file = database_access({"driver": "sqlite", "database": str(app.folder / "database/database.sqlite")})

        def state() -> dict[str, object]:
            infos = server.rpc.getAllProcessInfo()
            for one in infos:
                del one["now"], one["description"]
            settings = dict(zip(*[iter(redis_server.cli("CONFIG", "GET", "*").split("\n"))] * 2, strict=False))
            dump = {
                key: redis_server.cli("LRANGE", key, "0", "-1")
                for key in sorted(redis_server.cli("KEYS", "*").splitlines())
            }
            variables = database.sql("SHOW GLOBAL VARIABLES")
            noise = re.compile(r"timestamp|rand_seed|last_|gtid|version_source|_ms$|innodb_buffer_pool_load")
            return {
                "redis": (settings, dump, redis_server.cli("DBSIZE"), redis_server.info("rdb_changes_since_last_save")),
                "tables": [database.sql(f"SELECT * FROM {name}") for name in ("jobs", "failed_jobs", "migrations")],
                "variables": [row for row in variables if not noise.search(row[0])],
                "writes": database.sql("SHOW GLOBAL STATUS WHERE Variable_name IN ('Innodb_rows_inserted', "
                                       "'Innodb_rows_updated', 'Innodb_rows_deleted', 'Handler_write_rows')"),
                "daemon": (infos, server.rpc.getAllConfigInfo(), server.log),
                "files": {**files(app.folder), **{k: v for k, v in files(folder).items() if "/worker-std" not in k}},
                "processes": {(p.pid, p.name()) for p in psutil.Process(server.child.pid).children()},
            }  # fmt: skip

        def clients() -> int:
            return int(database.sql("SELECT COUNT(*) FROM information_schema.processlist")[0][0])

        before, connected = state(), clients()
        for _ in range(2):
            now = time.time()
            probes = [
                look_at_redis(redis, QUEUES, now).probe,
                look_at_sql(table, TABLES, QUEUES, now).probe,
                look_at_sqlite(file, TABLES, QUEUES, now).probe,
                ask_supervisord(conf.http_servers[0], conf=conf).probe,
                list_processes([str(app.folder)]).probe,
            ]
            assert [probe.outcome for probe in probes] == ["ok"] * 5, probes
            assert [event.kind for event in look_at_logs(Tree("/"), logging, now)] == ["other"]
        until(lambda: clients() == connected, 5, "no connection is left open")
        until(lambda: redis_server.info("connected_clients") == "1", 5, "no client is left")
        after = state()

        for part, value in before.items():
            assert after[part] == value, part
    finally:
        server.stop()


def test_no_thread_and_no_descriptor_stay(redis_server: Redis) -> None:
    """After a look its thread and its descriptors are gone."""
    access = redis_access({"port": redis_server.port})
    look_at_redis(access, QUEUES, 1.0)
    before = held()
    for _ in range(5):
        look_at_redis(access, QUEUES, 1.0)

    # What another test left may end meanwhile; what is new must go.
    until(lambda: not held() - before, 5, "no thread and no descriptor of a look is left")


def held() -> set[str]:
    """The threads and descriptors of this process; those of the question itself come and go with it."""
    threads = {f"thread {each.id}" for each in psutil.Process().threads()}
    # a socket's link leads nowhere: it is asked whether the link is there, and the listing's own is gone by then
    kept = {f"descriptor {name}" for name in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{name}")}  # noqa: PTH208
    return threads | kept
