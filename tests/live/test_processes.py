"""The workers that really run are found by what they are, whoever started them."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import psutil
import pytest

from auditor.facts.running import WorkerProcess
from auditor.sources.live.processes import kind_of, list_processes
from tests.stack.laravel import Laravel
from tests.stack.polling import until
from tests.stack.processes import Child, kill_inside
from tests.stack.redis import Redis
from tests.stack.supervisord import Supervisord

WORK = ["/usr/bin/php", "artisan", "queue:work", "redis", "--sleep=0.2"]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("php artisan queue:work redis --tries=3", "queue:work"),
        ("/usr/bin/php8.2 -d memory_limit=1G /var/www/app/artisan -q queue:work", "queue:work"),
        ("php artisan q:w", "queue:work"),
        ("php artisan queue:l", "queue:listen"),
        ("php artisan horizon", "horizon"),
        ("/usr/bin/php artisan horizon:supervisor main redis", "horizon:supervisor"),
        ("php artisan schedule:work", "schedule:work"),
        ("/var/www/app/artisan queue:work", "queue:work"),
        ("php artisan queue:restart", ""),
        ("php artisan", ""),
        ("php artisan migrate", ""),
        ("php -r queue:work", ""),
        ("sudo -u www-data php artisan queue:work", ""),
        ("docker exec app php artisan queue:work", ""),
        ("vim artisan queue:work", ""),
        ("/usr/bin/python3 /usr/bin/supervisord -n", "supervisord"),
        ("python3 -m supervisor.supervisord -n", "supervisord"),
        ("supervisord", "supervisord"),
        ("grep supervisord", ""),
        ("", ""),
    ],
)
def test_what_a_command_line_is(line: str, kind: str) -> None:
    """PHP that runs one of the commands, full or abbreviated, and nothing that only wraps or names it."""
    assert kind_of(line.split()) == kind


@pytest.fixture
def app(tmp_path: Path, redis_server: Redis) -> Laravel:
    """An application on Redis."""
    return Laravel.lay_out(tmp_path / "app", env=redis_server.env)


def found(app: Laravel, *roots: str) -> dict[int, WorkerProcess]:
    """The workers of that application, by pid."""
    looked = list_processes(roots or [str(app.folder)])
    assert looked.probe.outcome == "ok", looked.probe.reason
    return {one.pid: one for one in looked.processes if one.app}


def test_a_worker(app: Laravel, tmp_path: Path) -> None:
    """A worker's account, folder, start and memory are the system's own figures; it is nobody's orphan."""
    worker = Child(WORK, tmp_path / "worker.log", cwd=app.folder)
    try:
        until(lambda: worker.pid in found(app), 5, "the worker is found")
        one = found(app)[worker.pid]
        real = psutil.Process(worker.pid)

        assert (one.kind, one.command) == ("queue:work", " ".join(WORK))
        assert (one.user, one.parent, one.cwd) == (real.username(), os.getpid(), str(app.folder))
        assert one.started == real.create_time()
        assert one.rss == pytest.approx(real.memory_info().rss / 1024 / 1024, abs=20)
        assert (one.app, one.group, one.process) == (str(app.folder), "", "")
        assert not one.orphan
        assert not one.supervised
        assert not one.older_than_code
        assert not one.older_than_config
        assert found(app, str(tmp_path / "elsewhere")) == {}
    finally:
        worker.end()


def test_older_than(app: Laravel, tmp_path: Path) -> None:
    """A worker from before a deploy, or from before its configuration was changed, is told with the file that shows it."""
    worker = Child(WORK, tmp_path / "worker.log", cwd=app.folder)
    try:
        until(lambda: worker.pid in found(app), 5, "the worker is found")
        later = time.time() + 100
        os.utime(app.folder / ".env", (later, later))
        one = found(app)[worker.pid]
        assert (one.older_than_code, one.config_changed) == (False, ".env")
        os.utime(app.folder / "composer.lock", (later, later))
        one = found(app)[worker.pid]
        assert (one.code_changed, one.config_changed) == ("composer.lock", ".env")
    finally:
        worker.end()


def test_releases(app: Laravel, tmp_path: Path) -> None:
    """Where the app is a link to a release, a worker in another release, deleted or not, is older than the code."""
    releases = tmp_path / "releases"
    releases.mkdir()
    shutil.copytree(app.folder, releases / "1")
    shutil.copytree(app.folder, releases / "2")
    current = tmp_path / "current"
    current.symlink_to(releases / "1")
    worker = Child(["/usr/bin/php", str(current / "artisan"), *WORK[2:]], tmp_path / "worker.log", cwd=current)
    inside = Child(WORK, tmp_path / "worker.log", cwd=current)
    try:
        until(lambda: {worker.pid, inside.pid} <= found(app, str(current)).keys(), 5, "the workers are found")
        assert not found(app, str(current))[inside.pid].older_than_code

        current.unlink()
        current.symlink_to(releases / "2")
        later = time.time() + 100
        os.utime(current, (later, later), follow_symlinks=False)
        workers = found(app, str(current))
        assert workers[inside.pid].code_changed == "current"
        assert workers[worker.pid].code_changed == "current"

        os.kill(inside.pid, signal.SIGSTOP)  # without its files it would end by itself
        shutil.rmtree(releases / "1")
        assert found(app, str(current))[inside.pid].older_than_code
        shutil.copytree(releases / "2", releases / "1")
        assert found(app, str(releases / "1"))[inside.pid].older_than_code
        os.kill(inside.pid, signal.SIGCONT)
    finally:
        worker.end()
        inside.end()


def test_supervised_and_orphaned(app: Laravel, tmp_path: Path) -> None:
    """A worker under supervisord has its group and name; one that a wrapper left behind is an orphan."""
    folder = tmp_path / "supervisor"
    folder.mkdir()
    programs = (
        f"[program:plain]\ncommand={' '.join(WORK)}\ndirectory={app.folder}\n"
        f'[program:wrapped]\ncommand=sh -c "{" ".join(WORK)}; true"\ndirectory={app.folder}\n'
    )
    server = Supervisord.of(folder, programs, build="pypi")
    try:
        until(lambda: len(found(app)) == 2, 5, "both workers are found")
        workers = {one.process: one for one in found(app).values()}
        assert workers.keys() == {"plain", "wrapped"}
        assert all(one.supervised and not one.orphan for one in workers.values())
        assert workers["plain"].group == "plain"
        assert workers["plain"].parent == server.child.pid
        assert workers["wrapped"].parent == server.pid("wrapped")

        server.rpc.stopProcess("wrapped:wrapped")
        until(lambda: any(one.orphan for one in found(app).values()), 5, "the wrapped one is an orphan")
        workers = {one.process: one for one in found(app).values()}
        assert workers["wrapped"].orphan
        assert not workers["wrapped"].supervised
        assert not workers["plain"].orphan
    finally:
        server.stop()
        kill_inside(app.folder)


def test_memory_of_children(app: Laravel, tmp_path: Path) -> None:
    """A worker's memory is its own and that of what its job has started."""
    grown = app.folder / "grown"
    (app.folder / "child.php").write_text("<?php $x = str_repeat('x', 60 << 20); touch('grown'); sleep(600);")
    (app.folder / "artisan").write_text("<?php proc_open([PHP_BINARY, 'child.php'], [], $p); sleep(600);")
    worker = Child(WORK, tmp_path / "worker.log", cwd=app.folder)
    try:
        until(grown.exists, 8, "the child has grown to its full size", worker.log)
        own = psutil.Process(worker.pid).memory_info().rss / 1024 / 1024
        assert found(app)[worker.pid].rss > own + 50
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.end()
