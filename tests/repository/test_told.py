"""Small repositories as people have them: what is told of each, how gravely, and what is not."""

from __future__ import annotations

import functools
import pathlib

import pytest

from auditor import audit
from auditor.sources.survey import read_site

APP = {
    "artisan": "",
    "composer.json": '{"require": {"laravel/framework": "^11.0", "laravel/horizon": "^5.0"}}',
    "config/queue.php": "<?php return ['default' => env('QUEUE_CONNECTION', 'database'), 'connections' => ["
    "'database' => ['driver' => 'database', 'table' => 'jobs', 'queue' => 'default', 'retry_after' => 90],"
    "'redis' => ['driver' => 'redis', 'connection' => 'default', 'queue' => 'default', 'retry_after' => 90]]];",
    "config/database.php": "<?php return ['default' => env('DB_CONNECTION', 'sqlite'), 'connections' => ["
    "'sqlite' => ['driver' => 'sqlite'], 'pgsql' => ['driver' => 'pgsql']]];",
}
SCHEDULED = {"routes/console.php": "<?php Schedule::command('shop:prune')->daily();"}
WORKER = (
    "[program:worker]\nprocess_name=%(program_name)s_%(process_num)02d\nnumprocs=4\nuser=www-data\nstopwaitsecs=3600\n"
    "command=php /app/artisan queue:work --timeout=60 --tries=3 --max-time=3600\n"
)
HORIZON = "[program:horizon]\ncommand=php /app/artisan horizon\nuser=www-data\n"
CRON = "* * * * * cd /app && php artisan schedule:run\n"
TOLD = {
    "an example's SQLite is a developer's": (
        APP | {"worker.conf": WORKER, ".env.example": "DB_CONNECTION=sqlite\n"},
        "",
        "queue/sqlite-several-workers",
    ),
    "SQLite by a deployment's own file": (
        APP | {"worker.conf": WORKER, ".env.production": "DB_CONNECTION=sqlite\n"},
        "error queue/sqlite-several-workers",
        "",
    ),
    "Horizon alone": ({"horizon.conf": HORIZON}, "warning timeouts/horizon-stopwaitsecs", ""),
    "Horizon without a configuration": (APP | {"horizon.conf": HORIZON}, "warning timeouts/horizon-stopwaitsecs", ""),
    "Horizon alone, given time": (
        {"horizon.conf": f"{HORIZON}stopwaitsecs=3600\n"},
        "",
        "timeouts/horizon-stopwaitsecs",
    ),
    "a listener for development": (
        {"docker/supervisord.dev.conf": "[program:q]\ncommand=php /app/artisan queue:listen\n"},
        "",
        "processes/listen-or-once",
    ),
    "the same for all": (
        {"docker/supervisord.conf": "[program:q]\ncommand=php /app/artisan queue:listen\n"},
        "warning processes/listen-or-once",
        "",
    ),
    "a table without an account, put in place once": (
        {"Dockerfile": "FROM debian\nCOPY cron /etc/cron.d/app\n", "cron": CRON},
        "error scheduler/cron-user-field",
        "",
    ),
    "a table without an account, put in place twice": (
        {"Dockerfile": "FROM debian\nCOPY cron /etc/cron.d/app\nRUN crontab /etc/cron.d/app\n", "cron": CRON},
        "warning scheduler/cron-user-field",
        "",
    ),
    "a stack's schedule": (
        APP
        | SCHEDULED
        | {"docker/stack.yml": "services:\n  s:\n    image: x\n    command: php artisan schedule:work\n"},
        "",
        "scheduler/missing",
    ),
}


rules = functools.cache(audit.rulebook)


@pytest.mark.parametrize("name", TOLD)
def test_told(name: str, tmp_path: pathlib.Path) -> None:
    """What the table says is told with its severity, and what it forbids is not."""
    files, expected, forbidden = TOLD[name]
    for path, text in files.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    verdict = audit.judge(read_site(str(tmp_path), kind="repository"), rules())
    told = [f"{one.severity.value} {one.rule}" for one in verdict.findings]
    assert not expected or expected in told, told
    assert not forbidden or not [one for one in told if one.endswith(f" {forbidden}")], told
