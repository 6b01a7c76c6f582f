"""A small host in a folder: one app, its queue on any backend, and one supervised worker."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

APP = "var/www/shop"
NOW = 1_767_225_600
"""2026-01-01T00:00:00Z: the present of hosts that hold their own data."""

QUEUE = """<?php
return [
    'default' => env('QUEUE_CONNECTION', 'database'),
    'connections' => [
        'database' => ['driver' => 'database', 'table' => 'jobs', 'queue' => 'default', 'retry_after' => 90],
        'redis' => ['driver' => 'redis', 'connection' => 'default', 'queue' => 'default', 'retry_after' => 90],
        'sqs' => ['driver' => 'sqs', 'queue' => 'default'],
        'beanstalkd' => ['driver' => 'beanstalkd', 'queue' => 'default', 'retry_after' => 90],
    ],
    'failed' => ['driver' => env('QUEUE_FAILED_DRIVER', 'database-uuids'), 'table' => 'failed_jobs'],
];
"""
DATABASE = """<?php
return [
    'default' => env('DB_CONNECTION', 'sqlite'),
    'connections' => [
        'sqlite' => ['driver' => 'sqlite', 'database' => database_path('database.sqlite'), 'prefix' => ''],
        'mysql' => ['driver' => 'mysql', 'url' => env('DATABASE_URL'), 'host' => env('DB_HOST', '127.0.0.1'),
            'port' => env('DB_PORT', '3306'), 'database' => env('DB_DATABASE', 'shop'),
            'username' => env('DB_USERNAME', 'shop'), 'password' => env('DB_PASSWORD', ''),
            'unix_socket' => env('DB_SOCKET', ''), 'prefix' => ''],
        'pgsql' => ['driver' => 'pgsql', 'host' => env('DB_HOST', '127.0.0.1'), 'port' => env('DB_PORT', '5432'),
            'database' => env('DB_DATABASE', 'shop'), 'username' => env('DB_USERNAME', 'shop'),
            'password' => env('DB_PASSWORD', ''), 'prefix' => ''],
    ],
    'redis' => [
        'client' => 'phpredis',
        'options' => ['prefix' => env('REDIS_PREFIX', 'shop_database_')],
        'default' => ['url' => env('REDIS_URL'), 'host' => env('REDIS_HOST', '127.0.0.1'),
            'username' => env('REDIS_USERNAME'), 'password' => env('REDIS_PASSWORD'),
            'port' => env('REDIS_PORT', '6379'), 'database' => '0'],
    ],
];
"""
SUPERVISOR = """[supervisord]
[unix_http_server]
file=/run/supervisor.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[program:shop]
command=php /var/www/shop/artisan queue:work --timeout=60 --tries=3 --max-time=3600
user=www-data
autorestart=true
stopwaitsecs=90
redirect_stderr=true
stdout_logfile=/var/log/shop.log
"""
TABLES = """
CREATE TABLE jobs (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, queue VARCHAR NOT NULL, payload TEXT NOT NULL,
  attempts INTEGER NOT NULL, reserved_at INTEGER, available_at INTEGER NOT NULL, created_at INTEGER NOT NULL);
CREATE INDEX jobs_queue_index ON jobs (queue);
CREATE TABLE failed_jobs (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, uuid VARCHAR NOT NULL, connection TEXT NOT NULL,
  queue TEXT NOT NULL, payload TEXT NOT NULL, exception TEXT NOT NULL, failed_at DATETIME NOT NULL);
"""


class Host:
    """The folder, and what the auditor says of it."""

    def __init__(self, root: Path) -> None:
        """Take it as it is."""
        self.root = root

    @classmethod
    def of(cls, root: Path, env: Mapping[str, str], *, supervisor: str = SUPERVISOR) -> Host:
        """Write it; `env` are the lines of .env."""
        host = cls(root)
        host.write("etc/supervisor/supervisord.conf", supervisor)
        host.write("etc/passwd", "root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/sh\n")
        host.add_app(APP, env)
        return host

    def write(self, name: str, text: str) -> Path:
        """One of its files."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def add_app(self, folder: str, env: Mapping[str, str]) -> None:
        """An app in a folder of it."""
        lines = {"APP_ENV": "production", **env}
        self.write(f"{folder}/artisan", "#!/usr/bin/env php\n")
        lock = '{"packages": [{"name": "laravel/framework", "version": "v8.83.26"}]}\n'
        self.write(f"{folder}/composer.lock", lock)
        self.write(f"{folder}/.env", "".join(f"{name}={value}\n" for name, value in lines.items()))
        self.write(f"{folder}/config/queue.php", QUEUE)
        self.write(f"{folder}/config/database.php", DATABASE)
        self.write(f"{folder}/config/app.php", "<?php\nreturn ['env' => env('APP_ENV'), 'timezone' => 'UTC'];\n")

    def sqlite(self, script: str = "") -> Path:
        """Its SQLite database with Laravel's tables, and what a script puts in."""
        path = self.root / APP / "database/database.sqlite"
        path.parent.mkdir(exist_ok=True)
        with sqlite3.connect(path) as made:
            made.executescript(TABLES + script)
        made.close()
        return path

    def run(self, command: str, *words: str, timeout: float = 120) -> Told:
        """One command of the auditor on it."""
        begun = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "auditor", command, str(self.root), *words],
            capture_output=True, check=False, timeout=timeout, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        return Told(done.returncode, done.stdout.decode(), done.stderr.decode(), time.monotonic() - begun)

    def audit(self, *words: str) -> dict[str, Any]:
        """The JSON report of a live audit."""
        told = self.run("audit", "--live", "--format", "json", "--no-config", *words)
        assert told.status in (0, 1), told
        assert not told.errors, told.errors
        found: dict[str, Any] = json.loads(told.output)
        return found


class Told:
    """What a command said."""

    def __init__(self, status: int, output: str, errors: str, seconds: float) -> None:
        """Keep it."""
        self.status = status
        self.output = output
        self.errors = errors
        self.seconds = seconds

    def __repr__(self) -> str:
        return f"{self.status}: {self.output}{self.errors}"


def found(report: Mapping[str, Any], rule: str) -> list[dict[str, Any]]:
    """The findings of one rule."""
    return [finding for finding in report["findings"] if finding["rule"] == rule]


def skipped(report: Mapping[str, Any], rule: str) -> list[dict[str, Any]]:
    """The skipped judgements of one rule."""
    return [left for left in report["skipped"] if left["rule"] == rule]
