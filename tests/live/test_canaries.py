"""Canary secrets are planted wherever a password can stand: no command shows one, in any form, log or traceback."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from auditor.cli.commands import COMMANDS
from auditor.cli.deliver import FORMATS
from tests.live import faulty
from tests.live.host import SUPERVISOR, Host

CANARY = "c4n4ry-0f-the-tests"
"""In every secret below, followed by its own number."""


def echoes(talk: socket.socket, over: threading.Event) -> None:
    """Answer each word with an error that repeats it."""
    talk.settimeout(0.5)
    with contextlib.suppress(OSError):
        while heard := talk.recv(4096):
            talk.sendall(b"-ERR you said " + heard.replace(b"\r\n", b" ") + b"\r\n")


def planted(root: Path, port: int) -> Host:
    """A host full of them, all of whose servers answer by repeating what they are told."""
    numbers = iter(range(100))

    def secret() -> str:
        return f"{CANARY}-{next(numbers)}"

    env = {
        "QUEUE_CONNECTION": "redis", "DB_CONNECTION": "mysql", "APP_KEY": f"base64:{secret()}",
        "REDIS_URL": f"redis://someone:{secret()}@127.0.0.1:{port}/1", "REDIS_PASSWORD": secret(),
        "DATABASE_URL": f"mysql://someone:{secret()}@127.0.0.1:{port}/shop", "DB_PASSWORD": secret(),
        "MAIL_PASSWORD": f"true-{secret()}", "AWS_SECRET_ACCESS_KEY": secret(), "NORDIGEN_SECRET_KEY": secret(),
    }  # fmt: skip
    server = f"port=127.0.0.1:{port}\nusername=someone\npassword={secret()}"
    conf = SUPERVISOR.replace("[unix_http_server]\nfile=/run/supervisor.sock", f"[inet_http_server]\n{server}")
    conf += f'environment=DB_PASSWORD="{secret()}",API_TOKEN="{secret()}"\n[supervisorctl]\npassword={secret()}\n'
    conf += f"[program:sync]\ncommand=/bin/sh -c 'MYSQL_PWD={secret()} sync --password={secret()} --timeout=a | cat'\n"
    host = Host.of(root, env, supervisor=conf)
    host.add_app("var/www/second", {**env, "REDIS_URL": "", "REDIS_PORT": str(port), "DATABASE_URL": "",
                 "DB_PORT": str(port), "REDIS_PASSWORD": secret(), "DB_PASSWORD": secret()})  # fmt: skip
    host.write(
        "etc/cron.d/shop", f"REDIS_PASSWORD={secret()}\n* * * * * root API_KEY={secret()} php artisan schedule:run"
    )
    full = f"OOM command not allowed by redis://someone:{secret()}@cache:6379 (password={secret()})"
    host.write(
        "var/www/shop/storage/logs/laravel.log", f"[{time.strftime('%Y-%m-%d %H:%M:%S')}] production.ERROR: {full}\n"
    )
    config = host.root / "var/www/second/config/database.php"
    config.write_text(config.read_text().replace("'prefix' => '']", f"'prefix' => '', 'options' => ['{secret()}']]"))
    return host


def test_no_command_shows_a_canary(tmp_path: Path) -> None:
    """Every command on a host full of canaries, in every form that it has; whatever it prints or writes holds none."""
    out = tmp_path / "out"
    out.mkdir()
    reports = [word for name in FORMATS for word in ("--format", name, "--output", str(out / f"report.{name}"))]
    with faulty.serving(echoes) as port:
        host = planted(tmp_path / "host", port)
        root = str(host.root)
        commands = {
            "audit": ["audit", root, "--live", "--show-skipped", *reports],
            "fix": ["fix", root, "--unsafe"],
            "generate": ["generate", "--app", f"{root}/var/www/shop"],
            "why": ["why", "jobs are not run", root, "--live", "--all"],
            "facts": ["facts", root, "--live"],
            "render": ["render", str(out / "report.json"), "--format", "markdown"],
            "baseline": ["baseline", root, "--live", "--output", str(out / "baseline.json")],
            "config": ["config", "show", root],
            "rules": ["rules"],
            "explain": ["explain", "backend/unreachable"],
            "bank": ["bank", root],
            "install": ["install", root, "--app", f"{root}/var/www/shop"],
            "uninstall": ["uninstall", root, "--app", f"{root}/var/www/shop"],
            "watch": ["watch", root, "--live", "--once", "--state", str(out / "state.json")],
        }
        assert commands.keys() == COMMANDS.keys()
        printed = {
            name: subprocess.run(
                [sys.executable, "-m", "auditor", *words], capture_output=True, text=True, check=False,
                env={**os.environ, "COLUMNS": "400"}, cwd=Path(__file__).parents[2],
            )
            for name, words in commands.items()
        }  # fmt: skip
    for name, done in printed.items():
        assert CANARY not in done.stdout + done.stderr, name
        assert "Traceback" not in done.stderr, done.stderr
    assert {path.name for path in out.iterdir()} >= {"baseline.json", *(f"report.{name}" for name in FORMATS)}
    for path in out.iterdir():
        assert CANARY not in path.read_text(), path.name
    told = (out / "report.console").read_text()
    assert "tells that Redis is full" in told, "the log was read"
    assert "backend/unreachable" in told + "backend/auth-refused"
    assert f"redis://127.0.0.1:{port}/1" in told, "the servers were asked"
    assert f"mysql://someone@127.0.0.1:{port}/shop" in told


CRASHES = (
    "auditor.sources.live.redis.look_at_redis",
    "auditor.sources.live.database.look_at_sql",
    "auditor.sources.live.daemons.ask_supervisord",
    "auditor.sources.live.questions.questions",
    "auditor.sources.live.observe.run",
)
"""Functions that are made to fail as only a fault of ours could."""


@pytest.mark.parametrize("name", CRASHES)
def test_no_traceback_shows_a_canary(name: str, tmp_path: Path) -> None:
    """Should a look itself fail, the traceback names no canary, though it is handed some."""
    module, _, function = name.rpartition(".")
    with faulty.serving(echoes) as port:
        host = planted(tmp_path, port)
        script = (
            f"import sys, {module} as module\n"
            "def fail(*words, **more):\n    raise ZeroDivisionError(repr((words, more)))\n"
            f"module.{function} = fail\nfrom auditor.cli import answer\n"
            f"sys.argv = ['queue-auditor', 'audit', {str(host.root)!r}, '--live', '--no-config']\nanswer()\n"
        )
        words = [sys.executable, "-c", script]
        done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert CANARY not in done.stdout + done.stderr
    assert "ZeroDivisionError" in done.stderr + done.stdout or done.returncode == 1
