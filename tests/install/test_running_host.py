"""The whole run on a running host: the real supervisord, PHP and jobs, and the command as root calls it there."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.stack.backends import SQLITE
from tests.stack.host import Host
from tests.stack.polling import until
from tests.stack.rooms import Finished, run

OTHER = "[program:other]\ncommand=/bin/sleep 1000\nautostart=true\nautorestart=true\n"
CHECKOUT = str(Path(__file__).resolve().parents[2])


def files(host: Host) -> dict[str, bytes]:
    """What lies in the folders that an installation writes to."""
    folders = ("etc", "var/lib")
    return {
        str(path.relative_to(host.folder)): path.read_bytes()
        for folder in folders
        for path in (host.folder / folder).rglob("*")
        if path.is_file()
    }


def call(host: Host, *words: str) -> Finished:
    """queue-auditor, as root calls it on the host."""
    path = os.pathsep.join([CHECKOUT, *filter(None, [os.environ.get("PYTHONPATH")])])
    env = {"PYTHONPATH": path, "LC_ALL": "C.UTF-8"}
    return run(host, [sys.executable, "-m", "auditor", *words, "--app", "/var/www/app"], env=env, seconds=60)


def test_install_and_uninstall_on_a_running_host(tmp_path: Path) -> None:
    """--apply starts the worker, which runs a job; another program goes on undisturbed; uninstall gives all back."""
    host = Host.lay_out(tmp_path / "host", OTHER, env=SQLITE.env)
    for folder in ("etc/cron.d", "etc/logrotate.d", "var/lib/queue-auditor"):
        (host.folder / folder).mkdir(parents=True)
    before = files(host)
    with host.running() as supervisord:
        supervisord.wait_for("other", "RUNNING")
        other = supervisord.pid("other")

        done = call(
            host, "install", "/", "--write", "--apply", "--numprocs", "1", "--memory", "96", "--fail-on", "never"
        )

        assert done.exit_code == 0, done.output
        supervisord.wait_for("laravel-worker", "RUNNING", 20)
        assert "laravel-worker: available" in done.output
        assert supervisord.pid("other") == other
        host.laravel.push()
        host.laravel.await_end(seconds=20)

        again = call(host, "install", "/", "--write", "--apply", "--fail-on", "never")
        assert "# nothing to change" in again.output
        assert "supervisorctl" not in again.output

        gone = call(host, "uninstall", "/", "--write")
        assert gone.exit_code == 0, gone.output
        assert "# then run: supervisorctl -c /etc/supervisor/supervisord.conf reread" in gone.output
        assert files(host) == before
        supervisord.ctl("reread").must()
        supervisord.ctl("update", "laravel-worker").must()
        until(lambda: supervisord.states() == {"other": "RUNNING"}, 10, "the worker is gone")
        assert supervisord.pid("other") == other
