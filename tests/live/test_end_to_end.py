"""The command line on real hosts: what real applications pushed, what a real supervisord runs; and nothing is changed."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.live.host import Host, found
from tests.live.real import real_host, worker, write_programs
from tests.live.test_counts import monitored
from tests.live.test_nothing_changes import files
from tests.stack.backends import SQLITE, Backend, on_mariadb, on_redis
from tests.stack.laravel import Laravel
from tests.stack.mariadb import Database
from tests.stack.polling import until
from tests.stack.redis import Redis
from tests.stack.supervisord import SOCKET, Supervisord


@pytest.fixture(params=["redis", "mariadb", "sqlite"])
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each backend in turn."""
    if request.param == "redis":
        return on_redis(request.getfixturevalue("redis_server"))
    return on_mariadb(request.getfixturevalue("database")) if request.param == "mariadb" else SQLITE


def test_sizes_are_laravels(backend: Backend, tmp_path: Path) -> None:
    """What the command line says of each queue that a real application pushed to is what queue:monitor says."""
    host, app = real_host(tmp_path / "host", backend.env)
    if backend.name == "mariadb":
        app.migrate()
    write_programs(host, worker(app))
    app.push("J", count=4).must()
    app.push("M", queue="mails", count=2).must()

    told = host.run("facts", "--live")

    live = json.loads(told.output)["live"]
    sizes = {queue["name"]: queue["size"] for queue in live["queues"]}
    assert sizes == monitored(app, backend.connection, ("default", "mails")) == {"default": 4, "mails": 2}
    assert {queue["connection"] for queue in live["queues"]} == {backend.connection}
    outcomes = {probe["kind"]: probe["outcome"] for probe in live["probes"]}
    assert outcomes["supervisord"] == "refused"
    assert set(outcomes.values()) == {"ok", "refused"}
    if backend.server is not None:
        assert "works-password" not in told.output


def test_failures_are_laravels(tmp_path: Path) -> None:
    """A job that a real worker gave up after its time-out is found as one, by its class, with no word of its exception."""
    host, app = real_host(tmp_path / "host", SQLITE.env)
    write_programs(host, worker(app))
    app.push("J", seconds=20, tries=1).must()
    app.artisan("queue:work", "--timeout=1", "--stop-when-empty", "--sleep=0", "--tries=1")

    (failed,) = found(host.audit(), "backend/failed-jobs-recent")

    assert "Among the newest failed jobs 1 job ended because" in failed["message"]
    assert '(Work on queue "default")' in failed["message"]


def test_what_a_redis_says_reaches_older_rules(tmp_path: Path) -> None:
    """A real Redis that throws queues away when full, saves nothing and is nearly full: each rule takes its own word."""
    server = Redis.start(tmp_path, "--maxmemory", "3mb", "--maxmemory-policy", "allkeys-lru")
    try:
        host, app = real_host(tmp_path / "host", on_redis(server).env)
        write_programs(host, worker(app))
        server.cli("EVAL", "redis.call('SET', 'filling', string.rep('x', 1900000))", "0")

        report = host.audit()
    finally:
        server.stop()

    name = f"redis://127.0.0.1:{server.port}/0"
    (evicts,) = found(report, "queue/redis-eviction")
    assert f"{name} keeps the jobs" in evicts["message"]
    assert "maxmemory-policy allkeys-lru" in evicts["message"]
    (near,) = found(report, "backend/redis-maxmemory-near")
    assert "of the 3 MiB it may: soon it throws keys away" in near["message"]
    assert [one["subject"] for one in found(report, "queue/redis-not-persistent")] == [name]


def test_what_a_database_says_reaches_older_rules(database: Database, tmp_path: Path) -> None:
    """A real MariaDB has fewer connections than there are workers, and tells its release."""
    host, app = real_host(tmp_path / "host", on_mariadb(database).env)
    app.migrate()
    write_programs(host, worker(app, more="numprocs=160\nprocess_name=%(program_name)s_%(process_num)02d\n"))

    report = host.audit()

    (many,) = found(report, "memory/database-connections")
    assert many["message"].startswith("160 worker processes of the app in ")
    assert "allows 151 in all" in many["message"]
    assert not found(report, "queue/database-without-skip-locked"), "10.11 has it"
    assert not found(report, "backend/jobs-table-missing")


class Running:
    """A host with a real supervisord on it."""

    def __init__(self, host: Host, app: Laravel, server: Supervisord) -> None:
        """All three are there already."""
        self.host = host
        self.app = app
        self.server = server

    def state(self) -> dict[str, Any]:
        """All that an audit could have changed."""
        infos = self.server.rpc.getAllProcessInfo()
        for one in infos:
            del one["now"], one["description"]
        folder = self.host.root / "etc/supervisor"
        children = psutil.Process(self.server.child.pid).children(recursive=True)
        return {
            "processes": infos,
            "configuration": self.server.rpc.getAllConfigInfo(),
            "log": self.server.log,
            "files": {**files(self.app.folder), **{k: v for k, v in files(folder).items() if "-std" not in k}},
            "pids": sorted(child.pid for child in children),
            "database": (self.app.folder / "database/database.sqlite").read_bytes(),
        }


def test_a_running_host(tmp_path: Path) -> None:
    """Each trouble of a real supervisord and its workers is found; files, daemon and processes stay as they were."""
    host, app = real_host(tmp_path / "host", SQLITE.env)
    programs = worker(app) + worker(app, "wrong", options="--queue=other --what").replace("autorestart=true", "")
    programs += "[program:dead]\ncommand=/no/such/program\nstartretries=0\n"
    conf = write_programs(host, programs.replace("[program:wrong]", "[program:wrong]\nexitcodes=0,1"))
    server = Supervisord.start(
        conf, socket=conf.parent / SOCKET, log=conf.parent / "supervisord.log",
        output=conf.parent / "output.log", build="pypi",
    )  # fmt: skip
    running = Running(host, app, server)
    try:
        server.wait_for("shop", "RUNNING")
        server.wait_for("dead", "FATAL")
        server.wait_for("wrong", "EXITED")
        app.push("J").must()
        until(app.journal.ends, 20, "the worker works", server.log_path)
        until(lambda: app.count("database", "default") == 0, 20, "the queue is empty")
        conf.write_text(conf.read_text().replace("stopwaitsecs=70", "stopwaitsecs=75"))
        os.utime(app.folder / "artisan", (time.time() + 60, time.time() + 60))
        before = running.state()

        report = host.audit()

        after = running.state()
        for part, value in before.items():
            assert after[part] == value, part
    finally:
        server.stop()
    told = {
        rule: [one["subject"] for one in found(report, f"backend/{rule}")]
        for rule in ("process-fatal", "process-exited", "disk-vs-running", "worker-older-than-code", "unreachable")
    }
    assert told["process-fatal"] == ["dead"]
    assert told["process-exited"] == ["wrong"]
    assert told["unreachable"] == []
    (drift,) = found(report, "backend/disk-vs-running")
    assert "stopwaitsecs=75 in the files and 70 in the daemon" in drift["message"]
    (old,) = found(report, "backend/worker-older-than-code")
    assert "shop:shop" in old["subject"]
    assert "artisan changed" in old["message"]
    (fatal,) = found(report, "backend/process-fatal")
    assert "can't find command '/no/such/program'" in fatal["message"]


def test_an_orphan_is_found(tmp_path: Path) -> None:
    """A worker that a stop left behind a wrapper shell is found, and its supervisor's own is not."""
    host, app = real_host(tmp_path / "host", SQLITE.env)
    wrapped = worker(app).replace("command=php", "command=sh -c 'php").replace("--timeout=60", "--timeout=60; true'")
    conf = write_programs(host, wrapped)
    server = Supervisord.start(
        conf, socket=conf.parent / SOCKET, log=conf.parent / "supervisord.log",
        output=conf.parent / "output.log", build="pypi",
    )  # fmt: skip
    try:
        server.wait_for("shop", "RUNNING")
        shell = psutil.Process(server.pid("shop"))
        until(lambda: any("artisan" in " ".join(c.cmdline()) for c in shell.children()), 10, "the worker runs")
        left = next(child.pid for child in shell.children())
        server.restart("shop")

        (orphan,) = found(host.audit(), "backend/orphan-worker")

        assert orphan["subject"] == f"pid {left} (shop:shop)"
    finally:
        server.stop()
        for process in psutil.process_iter(["cmdline"]):
            if str(app.folder) in " ".join(process.info["cmdline"] or ()):
                process.kill()
