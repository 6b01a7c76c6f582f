"""A small host with an InvoiceNinja: its files as far as they are read, and its tables in the shapes that its schema gives them."""

from __future__ import annotations

import datetime
import json
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema_rs

SCHEMA = Path(__file__).resolve().parents[2] / "docs/bank.schema.json"
"""What `bank --format json` has to fit."""
APP = "var/www/ninja"
TODAY = datetime.date(2026, 6, 10)
NOW = 1_781_092_800
"""2026-06-10T12:00:00Z."""
ID, KEY = "7d2c51f0-an-example-id", "0badc0ffee-an-example-key"
"""The keys of the bank feeds in its .env."""

KERNEL = """<?php

namespace App\\Console;

use App\\Jobs\\Ninja\\BankTransactionSync;
use Illuminate\\Console\\Scheduling\\Schedule;
use Illuminate\\Foundation\\Console\\Kernel as ConsoleKernel;

class Kernel extends ConsoleKernel
{
    protected function schedule(Schedule $schedule)
    {
        $schedule->job(new BankTransactionSync())->FREQUENCY->withoutOverlapping()->name('bank-trans-sync-job')->onOneServer();
    }
}
"""
CONFIG = {
    "app": "'env' => env('APP_ENV'), 'key' => env('APP_KEY'), 'timezone' => env('SERVER_TIMEZONE', 'UTC')",
    "cache": """'default' => env('CACHE_DRIVER', 'file'), 'stores' => ['file' => ['driver' => 'file'],
        'database' => ['driver' => 'database', 'table' => 'cache']]""",
    "database": """'default' => env('DB_CONNECTION', 'mysql'), 'connections' => [
        'sqlite' => ['driver' => 'sqlite', 'database' => database_path('database.sqlite'), 'prefix' => ''],
        'mysql' => ['driver' => 'mysql', 'host' => env('DB_HOST', 'localhost'), 'port' => env('DB_PORT', '3306'),
            'database' => env('DB_DATABASE', 'ninja'), 'username' => env('DB_USERNAME', 'ninja'),
            'password' => env('DB_PASSWORD', ''), 'unix_socket' => env('DB_SOCKET', ''), 'prefix' => '',
            'strict' => env('DB_STRICT', false)],
        'pgsql' => ['driver' => 'pgsql', 'host' => env('DB_HOST', 'localhost'), 'database' => 'ninja']]""",
    "ninja": """'environment' => env('NINJA_ENVIRONMENT', 'selfhost'), 'is_docker' => env('IS_DOCKER', false),
        'internal_queue_enabled' => env('INTERNAL_QUEUE_ENABLED', true), 'expanded_logging' => env('EXPANDED_LOGGING', false),
        'nordigen' => ['secret_id' => env('NORDIGEN_SECRET_ID', false), 'secret_key' => env('NORDIGEN_SECRET_KEY', false)]""",
    "queue": """'default' => env('QUEUE_CONNECTION', 'sync'), 'connections' => ['sync' => ['driver' => 'sync'],
        'database' => ['driver' => 'database', 'table' => 'jobs', 'queue' => 'default', 'retry_after' => 90000000]],
        'failed' => ['driver' => 'database-uuids', 'table' => 'failed_jobs']""",
}
ENV = {
    "APP_ENV": "production",
    "DB_CONNECTION": "sqlite",
    "QUEUE_CONNECTION": "database",
    "INTERNAL_QUEUE_ENABLED": "false",
    "NORDIGEN_SECRET_ID": ID,
    "NORDIGEN_SECRET_KEY": KEY,
}

MARIADB_TABLES = """
CREATE TABLE accounts (
  id int(10) unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, is_scheduler_running tinyint(1) NOT NULL DEFAULT 0,
  created_at timestamp NULL DEFAULT NULL, updated_at timestamp NULL DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE bank_integrations (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, account_id int(10) unsigned NOT NULL,
  company_id int(10) unsigned NOT NULL, user_id int(10) unsigned NOT NULL, provider_name text NOT NULL,
  provider_id bigint(20) NOT NULL, bank_account_id bigint(20) NOT NULL, bank_account_name text DEFAULT NULL,
  bank_account_number text DEFAULT NULL, bank_account_status text DEFAULT NULL, bank_account_type text DEFAULT NULL,
  balance decimal(20,6) NOT NULL DEFAULT 0.000000, currency text DEFAULT NULL, nickname text NOT NULL DEFAULT '',
  from_date date DEFAULT NULL, is_deleted tinyint(1) NOT NULL DEFAULT 0, created_at timestamp(6) NULL DEFAULT NULL,
  updated_at timestamp(6) NULL DEFAULT NULL, deleted_at timestamp(6) NULL DEFAULT NULL,
  disabled_upstream tinyint(1) NOT NULL DEFAULT 0, auto_sync tinyint(1) NOT NULL DEFAULT 0,
  integration_type varchar(191) DEFAULT NULL, nordigen_account_id varchar(191) DEFAULT NULL,
  nordigen_institution_id varchar(191) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE failed_jobs (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, uuid varchar(191) DEFAULT NULL UNIQUE, connection text NOT NULL,
  queue text NOT NULL, payload longtext NOT NULL, exception longtext NOT NULL,
  failed_at timestamp NOT NULL DEFAULT current_timestamp()
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE jobs (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, queue varchar(191) NOT NULL, payload longtext NOT NULL,
  attempts tinyint(3) unsigned NOT NULL, reserved_at int(10) unsigned DEFAULT NULL, available_at int(10) unsigned NOT NULL,
  created_at int(10) unsigned NOT NULL, KEY jobs_queue_index (queue)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
"""
"""What is asked of an InvoiceNinja 5.10's schema, its columns' names and types as MariaDB shows them."""
SQLITE_TABLES = """
CREATE TABLE accounts (id INTEGER PRIMARY KEY, is_scheduler_running INTEGER NOT NULL DEFAULT 0, created_at TEXT, updated_at TEXT);
CREATE TABLE bank_integrations (
  id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, company_id INTEGER NOT NULL, user_id INTEGER NOT NULL,
  provider_name TEXT NOT NULL, provider_id INTEGER NOT NULL, bank_account_id INTEGER NOT NULL, bank_account_name TEXT,
  bank_account_number TEXT, bank_account_status TEXT, bank_account_type TEXT, balance NUMERIC NOT NULL DEFAULT 0, currency TEXT,
  nickname TEXT NOT NULL DEFAULT '', from_date DATE, is_deleted INTEGER NOT NULL DEFAULT 0, created_at TEXT, updated_at TEXT,
  deleted_at TEXT, disabled_upstream INTEGER NOT NULL DEFAULT 0, auto_sync INTEGER NOT NULL DEFAULT 0, integration_type TEXT,
  nordigen_account_id TEXT, nordigen_institution_id TEXT);
CREATE TABLE failed_jobs (id INTEGER PRIMARY KEY, uuid TEXT, connection TEXT NOT NULL, queue TEXT NOT NULL,
  payload TEXT NOT NULL, exception TEXT NOT NULL, failed_at TEXT NOT NULL);
CREATE TABLE jobs (id INTEGER PRIMARY KEY, queue TEXT NOT NULL, payload TEXT NOT NULL, attempts INTEGER NOT NULL,
  reserved_at INTEGER, available_at INTEGER NOT NULL, created_at INTEGER NOT NULL);
CREATE INDEX jobs_queue_index ON jobs (queue);
"""


def day(back: int) -> str:
    """So many days before TODAY."""
    return (TODAY - datetime.timedelta(back)).isoformat()


class Row(NamedTuple):
    """One row of bank_integrations, as far as it is read."""

    id: int
    institution: str = "INGB_NL_INGBNL2A"
    name: str = "ING"
    fetched: int | None = 0
    """Days since the last fetch; None where `from_date` says it otherwise."""
    from_date: str | None = None
    number: str = "NL91ABNA0417164300"
    status: str | None = "READY"
    disabled: int = 0
    auto_sync: int = 1
    deleted: int = 0
    created: str = f"{day(100)} 09:00:00"
    updated: str = f"{day(0)} 08:00:00"
    kind: str = "NORDIGEN"

    @property
    def account(self) -> str:
        """The provider's id of the account."""
        return f"{self.id:08d}-aaaa-4bbb-8ccc-dddddddddddd"

    @property
    def sql(self) -> str:
        """The statement that makes it."""
        start = self.from_date if self.fetched is None else day(self.fetched + 5)
        columns: dict[str, object] = {
            "id": self.id, "account_id": 1, "company_id": 1, "user_id": 1, "provider_name": self.name, "provider_id": 0,
            "bank_account_id": 0, "bank_account_name": "Holder's Name B.V.", "bank_account_number": self.number,
            "bank_account_status": self.status, "balance": 1234.56, "currency": "EUR", "from_date": start,
            "is_deleted": self.deleted, "created_at": self.created, "updated_at": self.updated,
            "disabled_upstream": self.disabled, "auto_sync": self.auto_sync, "integration_type": self.kind,
            "nordigen_account_id": self.account, "nordigen_institution_id": self.institution,
        }  # fmt: skip
        return (
            f"INSERT INTO bank_integrations ({', '.join(columns)}) VALUES ({', '.join(map(_sql, columns.values()))});\n"
        )


def _sql(value: object) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"


def rows_sql(rows: Iterable[Row], *, sign: str = f"{day(0)} 11:58:00") -> str:
    """All rows, and the account with the schedule's last sign."""
    account = f"INSERT INTO accounts VALUES (1, 1, '{day(100)} 09:00:00', '{sign}');\n"
    return account + "".join(row.sql for row in rows)


class Told(NamedTuple):
    """What a command said."""

    status: int
    output: str
    errors: str
    seconds: float

    @property
    def json(self) -> dict[str, Any]:
        """Its output, parsed."""
        found: dict[str, Any] = json.loads(self.output)
        return found


_LATE = re.compile(r"did not answer (within|in time)")
"""How a look says that its time was over."""


class NinjaHost:
    """The host's folder, and what the auditor says of it."""

    def __init__(self, root: Path) -> None:
        """Take it as it is."""
        self.root = root

    @classmethod
    def of(
        cls,
        root: Path,
        *,
        env: Mapping[str, str] | None = None,
        frequency: str = "twiceDaily(1, 13)",
        files: Mapping[str, str] | None = None,
    ) -> NinjaHost:
        """Write it; `env` over ENV, `frequency` is the bank sync's."""
        texts = {
            f"{APP}/artisan": "#!/usr/bin/env php\n",
            f"{APP}/VERSION.txt": "5.10.42\n",
            f"{APP}/composer.json": '{"name": "invoiceninja/invoiceninja"}\n',
            f"{APP}/composer.lock": '{"packages": [{"name": "laravel/framework", "version": "v11.27.2"}]}\n',
            f"{APP}/.env": "".join(f"{name}={value}\n" for name, value in {**ENV, **(env or {})}.items()),
            f"{APP}/app/Console/Kernel.php": KERNEL.replace("FREQUENCY", frequency),
            **{f"{APP}/config/{name}.php": f"<?php\n\nreturn [\n    {text},\n];\n" for name, text in CONFIG.items()},
            "etc/passwd": "root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/sh\n",
            "etc/supervisor/supervisord.conf": "[supervisord]\n",
            **(files or {}),
        }
        for name, text in texts.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return cls(root)

    def sqlite(self, rows: Iterable[Row] = (), more: str = "", **about: str) -> NinjaHost:
        """Give it an SQLite database with these rows."""
        path = self.root / APP / "database/database.sqlite"
        path.parent.mkdir(exist_ok=True)
        made = sqlite3.connect(path)
        made.executescript(SQLITE_TABLES + rows_sql(rows, **about) + more)
        made.close()
        return self

    def run(self, *words: str, now: int = NOW, patience: int = 5) -> Told:
        """`queue-auditor bank` on it."""
        return self.command("bank", str(self.root), "--now", str(now), "--no-config", *words, patience=patience)

    def command(self, *words: str, patience: int = 5) -> Told:
        """Any command of the auditor, run to its end; again where a database on a busy machine was too slow for it."""
        told = self._command(*words)
        while patience and _LATE.search(told.output):
            told, patience = self._command(*words), patience - 1
        return told

    def _command(self, *words: str) -> Told:
        begun = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "auditor", *words], capture_output=True, check=False, timeout=120,
            cwd=Path(__file__).parents[2],
        )  # fmt: skip
        return Told(done.returncode, done.stdout.decode(), done.stderr.decode(), time.monotonic() - begun)

    def feeds(self, *words: str, now: int = NOW) -> dict[int, dict[str, Any]]:
        """Each feed of the JSON report, by its number."""
        told = self.run("--format", "json", *words, now=now)
        assert not told.errors, told
        schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
        assert [error.message for error in jsonschema_rs.validator_for(schema).iter_errors(told.json)] == []
        return {feed["id"]: feed for feed in told.json["apps"][0]["feeds"]}
