"""The real stack that tests and proofs run on: each part starts, does its work, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stack import mariadb, processes
from tests.stack.backends import Backend
from tests.stack.fixtures import database, mariadb_server, on_each_backend, redis_server  # noqa: F401
from tests.stack.host import Host
from tests.stack.laravel import Laravel
from tests.stack.polling import StackError, until
from tests.stack.redis import Redis
from tests.stack.supervisord import Build, Refused, Supervisord

WORKER = """\
[program:worker]
command=php /var/www/app/artisan queue:work --sleep=0.1
directory=/var/www/app
user=www-data
environment=HOME="/var/www",USER="www-data"
autorestart=true
redirect_stderr=true
stdout_logfile=/var/log/supervisor/worker.log
"""


STARTS = 100
"""How many bare starts of Python, some 10 ms each where a core is free, make a second."""


def quick(start: Callable[[], object]) -> bool:
    """Whether one of several starts takes no longer than STARTS bare starts of Python do beside it.

    That is a second where a core is free, and the same work on a machine that is slow, or that others use too.
    """
    bare = [sys.executable, "-I", "-S", "-c", ""]

    def seconds(act: Callable[[], object], times: int = 1) -> float:
        begun = time.monotonic()
        for _ in range(times):
            act()
        return time.monotonic() - begun

    for _ in range(12):
        before = seconds(lambda: subprocess.run(bare, check=True), 3)
        taken = seconds(start)
        after = seconds(lambda: subprocess.run(bare, check=True), 3)
        if taken < STARTS * (before + after) / 6:
            return True
    return False


def in_namespace(name: str) -> list[int]:
    """The pids of all processes of this machine in that pid namespace."""
    found = []
    for link in Path("/proc").glob("[0-9]*/ns/pid"):
        try:
            if str(link.readlink()) == name:
                found.append(int(link.parts[2]))
        except OSError:
            continue
    return found


def test_redis_keeps_and_forgets(tmp_path: Path) -> None:
    """Redis answers within a second, and its process is gone after stop()."""
    started: list[Redis] = []

    assert quick(lambda: started.append(Redis.start(tmp_path)))

    server = started[-1]
    assert server.cli("SET", "a", "1") == "OK"
    assert server.cli("GET", "a") == "1"
    assert server.info("maxmemory_policy") == "noeviction"
    for one in started:
        one.stop()
    assert server.child.exit_code == -signal.SIGKILL
    assert processes.inside(tmp_path) == []


def test_mariadb_answers_and_goes(tmp_path_factory: pytest.TempPathFactory) -> None:
    """MariaDB answers within a second on the template's copy, is not run by root, and leaves nothing behind."""
    with mariadb.open_folder() as cache:
        empty = mariadb.template(cache)

        def start() -> None:
            with mariadb.open_folder() as folder:
                server = mariadb.MariaDB.start(folder, empty)
                owners.append(Path(f"/proc/{server.child.pid}").stat().st_uid)
                with server.database() as made:
                    answers.append(made.sql("SELECT 1 + 1"))
                server.stop()
                folders.append(folder)

        owners: list[int] = []
        answers: list[list[list[str]]] = []
        folders: list[Path] = []

        assert quick(start)

    assert answers[-1] == [["2"]]
    assert 0 not in owners
    assert not any(folder.exists() for folder in folders)
    assert processes.inside(folders[-1]) == []


@pytest.mark.parametrize("build", ["debian", "pypi"])
def test_supervisord_runs_programs(tmp_path: Path, build: Build) -> None:
    """Both builds of supervisord start a program, restart it with a new pid, and take everything with them."""
    server = Supervisord.of(tmp_path, f"[program:idle]\ncommand=sleep 600\ndirectory={tmp_path}\n", build=build)
    try:
        server.wait_for("idle", "RUNNING")
        first = server.pid("idle")
        server.restart("idle")

        assert server.states() == {"idle": "RUNNING"}
        assert server.pid("idle") != first
        assert "idle" in server.ctl("status").output
        assert server.exits("idle") == []
        assert "stopped: idle (terminated by SIGTERM)" in server.log
    finally:
        server.stop()
    assert processes.inside(tmp_path) == []


def test_supervisord_refuses(tmp_path: Path) -> None:
    """A conf that supervisord does not like is told with its exit code and its words."""
    with pytest.raises(Refused) as refused:
        Supervisord.of(tmp_path, "[program:two]\ncommand=sleep 600\nnumprocs=2\n")

    assert refused.value.exit_code == 2
    assert "%(process_num) must be present" in refused.value.output


def test_orphans_are_ended(tmp_path: Path) -> None:
    """What a wrapper shell leaves in the folder ends with supervisord's stop()."""
    programs = f'[program:wrapped]\ncommand=sh -c "sleep 600; true"\ndirectory={tmp_path}\n'
    server = Supervisord.of(tmp_path, programs, build="pypi")
    try:
        until(lambda: len(processes.inside(tmp_path)) >= 2, 5, "the shell has its child")
    finally:
        server.stop()

    assert processes.inside(tmp_path) == []


@pytest.mark.parametrize("on_each_backend", ["redis", "mariadb", "sqlite"], indirect=True)
def test_a_host_does_its_work(tmp_path: Path, on_each_backend: Backend) -> None:  # noqa: F811
    """A pushed job is run, as www-data, by a worker under supervisord, on each backend; then nothing is left."""
    backend = on_each_backend
    host = Host.lay_out(tmp_path / "host", WORKER, env=backend.env)
    before = set(Path("/dev/shm").iterdir())
    with host.opened():
        if backend.name == "mariadb":
            host.laravel.migrate()
        namespace = str(Path(f"/proc/{host._pid}/ns/pid").readlink())
        server = host.start()
        host.laravel.push("J", seconds=0.1).must()
        host.laravel.await_end("J")

        server.wait_for("worker", "RUNNING")
        assert host.laravel.count() == 0
        assert [(one.event, one.attempt) for one in host.journal.entries("start")] == [("start", 1)]
        assert host.journal.starts()[0].pid == server.pid("worker") == host.workers()[0].pid
        assert host.journal.starts()[0].uid == host.workers()[0].uid != 0
        assert "Processed" in server.output("worker")
        assert not Path("/var/www/app").exists()
    assert in_namespace(namespace) == []
    assert set(Path("/dev/shm").iterdir()) <= before
    assert not (host.folder / ".mount").exists()


def test_a_host_starts_and_stops_quickly(tmp_path: Path) -> None:
    """A host's namespaces and its supervisord are there within a second, and gone within another."""
    host = Host.lay_out(tmp_path / "host", "[program:idle]\ncommand=sleep 600\n")

    def once() -> None:
        with host.running():
            pass

    assert quick(once)


def test_a_failing_test_leaves_nothing(tmp_path: Path) -> None:
    """Where a test fails in the middle, the host and all its orphans end all the same."""
    host = Host.lay_out(tmp_path / "host", '[program:wrapped]\ncommand=sh -c "sleep 600 & sleep 600 & wait"\n')
    namespaces = []

    def fail() -> None:
        with host.running():
            namespaces.append(str(Path(f"/proc/{host._pid}/ns/pid").readlink()))
            until(lambda: len(host.processes("sleep 600")) >= 2, 5, "the shell has its children")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert in_namespace(namespaces[0]) == []


def test_a_killed_run_leaves_nothing(tmp_path: Path, checkout: Path) -> None:
    """Where the test run itself is killed, its servers and its host are gone a moment later."""
    script = f"""
import pathlib, sys, time
from tests.stack.host import Host
from tests.stack.redis import Redis
folder = pathlib.Path({str(tmp_path)!r})
server = Redis.start(folder)
host = Host.lay_out(folder / "host", "[program:idle]\\ncommand=sleep 600\\n")
host.start()
link = pathlib.Path(f"/proc/{{host._pid}}/ns/pid")
print(link.readlink(), server.child.pid, flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", script], cwd=checkout, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        namespace, redis = run.stdout.readline().split()
        assert in_namespace(namespace)
        run.kill()

    until(lambda: in_namespace(namespace) == [], 5, "the host is gone")
    until(lambda: not Path(f"/proc/{redis}").exists(), 5, "Redis is gone")


def test_a_forked_worker_is_one(tmp_path: Path) -> None:
    """A worker that has just forked, to start a program, is still one worker."""
    script = "<?php if (pcntl_fork() === 0) { touch(__DIR__.'/storage/forked'); } sleep(600);"
    host = Host.lay_out(tmp_path / "host", WORKER, files={"var/www/app/artisan": script})
    with host.running(build="pypi") as server:
        until((host.laravel.folder / "storage/forked").exists, 5, "it has forked", server.log_path)

        assert len(host.processes("queue:work", "php ")) == 2
        assert [one.pid for one in host.workers()] == [server.pid("worker")]


def test_a_host_runs_twice(tmp_path: Path, redis_server: Redis) -> None:  # noqa: F811
    """After forget() the same folder runs again, and the second run knows nothing of the first."""
    host = Host.lay_out(tmp_path / "host", WORKER, env=redis_server.env)
    for _ in range(2):
        with host.running(build="pypi"):
            host.laravel.push("J").must()
            host.laravel.await_end("J")
        assert len(host.journal.ends("J")) == 1
        host.forget()


def test_fast_clock(tmp_path: Path, redis_server: Redis) -> None:  # noqa: F811
    """Under faketime a worker's 50 s pass in less than 2, at most thirty times as fast as time itself."""
    host = Host.lay_out(tmp_path / "host", WORKER, env=redis_server.env)
    begun = time.monotonic()
    with host.running(build="pypi", faketime="+0 x30"):
        host.laravel.push("J", seconds=50, job_timeout=100).must()
        host.laravel.await_end("J")

    (start,), (end,) = host.journal.starts("J"), host.journal.ends("J")
    taken = time.monotonic() - begun
    assert 50 <= end.time - start.time <= 30 * taken
    assert taken < 50


def test_cron_ticks(tmp_path: Path) -> None:
    """Cron runs a host's own timetable every second, as the user it names, and never the machine's own."""
    line = "* * * * * www-data cd /var/www/app && php artisan schedule:run >> /dev/null 2>&1\n"
    host = Host.lay_out(tmp_path / "host", files={"etc/cron.d/works": line})
    with host.opened():
        cron = host.cron()
        until(lambda: len(host.journal.ticks()) >= 2, 10, "the schedule runs twice", cron.child.log)

    assert cron.started("schedule:run")
    assert len(cron.started("")) == len(cron.started("schedule:run"))
    assert {one.uid for one in host.journal.ticks()} != {0}


def test_configure_changes_one_literal(tmp_path: Path) -> None:
    """A dotted name changes that literal of config/*.php, and Laravel then reads it so."""
    app = Laravel.lay_out(tmp_path / "app", config={"queue.connections.redis.retry_after": 7})

    assert app.artisan("config:value", "queue.connections.redis.retry_after").must() == "7\n"
    assert app.artisan("config:value", "queue.connections.database.retry_after").must() == "90\n"
    assert app.artisan("list").must()
    with pytest.raises(LookupError, match=r"config/queue.php has no queue.connections.redis.none"):
        app.configure("queue.connections.redis.none", 1)


def test_an_emptied_database_is_empty(tmp_path: Path) -> None:
    """What a killed writer has left beside the database does not come back into it once it is emptied."""
    app = Laravel.lay_out(tmp_path / "app")
    path = app.folder / "database/database.sqlite"
    script = f"""
import os, signal, sqlite3
database = sqlite3.connect({str(path)!r}, isolation_level=None)
database.execute("PRAGMA cache_size = 1")  # so that it writes before it commits
for _ in range(2):
    database.execute("BEGIN")
    for n in range(300):
        row = (str(n % 7), "x" * 3000, 0, 0, 0)
        database.execute("INSERT INTO jobs (queue, payload, attempts, available_at, created_at) VALUES (?, ?, ?, ?, ?)", row)
    if database.execute("SELECT count(*) FROM jobs").fetchone()[0] > 300:
        os.kill(os.getpid(), signal.SIGKILL)
    database.execute("COMMIT")
"""
    subprocess.run([sys.executable, "-c", script], check=False)
    assert path.with_name("database.sqlite-journal").exists()

    app.forget()

    with contextlib.closing(sqlite3.connect(path)) as emptied:
        assert emptied.execute("SELECT count(*) FROM jobs").fetchone() == (0,)
        assert emptied.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_until_says_what_it_waited_for(tmp_path: Path) -> None:
    """A wait in vain tells what was awaited and shows the logs."""
    log = tmp_path / "some.log"
    log.write_text("the last words")

    with pytest.raises(StackError, match=r"(?s)it did not come about that pigs fly\..*the last words"):
        until(lambda: False, 0.05, "pigs fly", log)


def test_a_host_needs_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is not root is told so in a sentence."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(StackError, match="only root may make"):
        Host(tmp_path).open()
