"""Small repositories as people have them: what is told of each, how gravely, and what is not."""

from __future__ import annotations

import functools
import pathlib

import pytest

from auditor import audit
from auditor.sources.repository.scripts import read_shell_text
from auditor.sources.survey import read_site

APP = {
    "artisan": "",
    "composer.json": '{"require": {"laravel/framework": "^11.0", "laravel/horizon": "^5.0"}}',
    "config/queue.php": "<?php return ['default' => env('QUEUE_CONNECTION', 'database'), 'connections' => ["
    "'database' => ['driver' => 'database', 'table' => 'jobs', 'queue' => 'default', 'retry_after' => 90],"
    "'redis' => ['driver' => 'redis', 'connection' => 'default', 'queue' => 'default', 'retry_after' => 90]]];",
    "config/database.php": "<?php return ['default' => env('DB_CONNECTION', 'sqlite'), 'connections' => ["
    "'sqlite' => ['driver' => 'sqlite'], 'pgsql' => ['driver' => 'pgsql']],"
    "'redis' => ['default' => ['host' => 'redis', 'port' => 6379, 'database' => 0]]];",
}
SCHEDULED = {"routes/console.php": "<?php Schedule::command('shop:prune')->daily();"}
WORKER = (
    "[program:worker]\nprocess_name=%(program_name)s_%(process_num)02d\nnumprocs=4\nuser=www-data\nstopwaitsecs=3600\n"
    "command=php /app/artisan queue:work --timeout=60 --tries=3 --max-time=3600\n"
)
REDIS_WORKER = {"w.conf": WORKER.replace("queue:work", "queue:work redis")}
EVICTS = "services:\n  redis:\n    image: redis:7\n    command: redis-server --maxmemory 1gb --maxmemory-policy allkeys-lru\n"
HORIZON = "[program:horizon]\ncommand=php /app/artisan horizon\nuser=www-data\n"
ROLES = (
    '#!/bin/bash\nstart() {\n  local role="${CONTAINER_ROLE:-app}"\n  case "$role" in\n'
    "    scheduler) while true; do php artisan schedule:run & sleep 60; done ;;\n    app) exec php-fpm ;;\n  esac\n}\nstart\n"
)
HELD = """#!/bin/bash
LINE="* * * * * cd ${APP_DIR} && php artisan schedule:run >> /dev/null 2>&1"
(crontab -u www-data -l 2>/dev/null | grep -v schedule:run; echo "${LINE}") | crontab -u www-data -
"""
CRON = "* * * * * cd /app && php artisan schedule:run\n"
ROOT_CRON = "* * * * * root cd /app && php artisan schedule:run\n"
LINKED = "FROM php:8.3-fpm\nRUN ln -s /usr/local/bin/php /usr/bin/php\n"
PACKAGED = "FROM php:8.3-fpm\nRUN apt-get update && apt-get install -y \\\n    cron \\\n    php-cli\n"
NO_PROCESS = "supervisor/task-names-no-process"
RESTARTS = (
    "- hosts: web\n  tasks:\n    - name: restart\n"
    "      community.general.supervisorctl:\n        name: {}\n        state: {}\n"
)
TOLD = {
    "a task asks for a program of four processes": (
        {"worker.conf": WORKER, "site.yml": RESTARTS.format("worker", "restarted")},
        f"warning {NO_PROCESS}",
        "",
    ),
    "a task's words on one line": (
        {
            "worker.conf": WORKER,
            "site.yml": "- hosts: web\n  handlers:\n    - supervisorctl: name=worker state=restarted\n",
        },
        f"warning {NO_PROCESS}",
        "",
    ),
    "a task asks for a group": (
        {"worker.conf": WORKER, "site.yml": RESTARTS.format("'worker:'", "restarted")},
        "",
        NO_PROCESS,
    ),
    "a task makes a program known": (
        {"worker.conf": WORKER, "site.yml": RESTARTS.format("worker", "present")},
        "",
        NO_PROCESS,
    ),
    "a task asks for all": ({"worker.conf": WORKER, "site.yml": RESTARTS.format("all", "restarted")}, "", NO_PROCESS),
    "a task asks for what a playbook fills in": (
        {"worker.conf": WORKER, "site.yml": RESTARTS.format('"{{ worker }}"', "restarted")},
        "",
        NO_PROCESS,
    ),
    "a task asks for the one process": (
        {"horizon.conf": HORIZON, "site.yml": RESTARTS.format("horizon", "restarted")},
        "",
        NO_PROCESS,
    ),
    "a task asks for a process in a group": (
        {
            "horizon.conf": f"{HORIZON}[group:shop]\nprograms=horizon\n",
            "site.yml": RESTARTS.format("horizon", "restarted"),
        },
        f"warning {NO_PROCESS}",
        "",
    ),
    "a task asks for one of two of a name": (
        {"a/w.conf": WORKER, "b/w.conf": WORKER, "site.yml": RESTARTS.format("worker", "restarted")},
        "",
        NO_PROCESS,
    ),
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
    "cron in PHP's image finds no php": (
        {"Dockerfile": "FROM php:8.3-fpm\nRUN apt-get install -y cron\nCOPY cron /etc/cron.d/app\n", "cron": ROOT_CRON},
        "error scheduler/cron-path",
        "",
    ),
    "a line written by RUN": (
        {"Dockerfile": f"FROM php:8.3-fpm\nRUN echo '{ROOT_CRON.strip()}' > /etc/cron.d/app\n"},
        "error scheduler/cron-path",
        "",
    ),
    "with PATH it does": (
        {
            "Dockerfile": "FROM php:8.3-fpm\nCOPY cron /etc/cron.d/app\n",
            "cron": f"PATH=/usr/local/bin:/bin\n{ROOT_CRON}",
        },
        "",
        "scheduler/cron-path",
    ),
    "with a link it does": (
        {"Dockerfile": f"{LINKED}COPY cron /etc/cron.d/app\n", "cron": ROOT_CRON},
        "",
        "scheduler/cron-path",
    ),
    "with Debian's php it does": (
        {"Dockerfile": f"{PACKAGED}COPY cron /etc/cron.d/app\n", "cron": ROOT_CRON},
        "",
        "scheduler/cron-path",
    ),
    "on Alpine it does": (
        {"Dockerfile": "FROM php:8.3-fpm-alpine\nCOPY cron /etc/crontabs/root\n", "cron": CRON},
        "",
        "scheduler/cron-path",
    ),
    "a cron line that a variable holds": (
        APP | SCHEDULED | {"deploy.sh": HELD, "w.conf": WORKER},
        "",
        "scheduler/missing",
    ),
    "the same, never given to cron": (
        APP | SCHEDULED | {"w.conf": WORKER, "deploy.sh": HELD.partition("(")[0]},
        "",
        "scheduler/missing",
    ),
    "a cron line in a variable, written into a drop-in": (
        APP
        | SCHEDULED
        | {"w.conf": WORKER, "deploy.sh": HELD.partition("(")[0] + 'echo "$LINE" | sudo tee /etc/cron.d/app\n'},
        "",
        "scheduler/missing",
    ),
    "a variable that holds no cron line": (
        APP | SCHEDULED | {"w.conf": WORKER, "deploy.sh": 'LINE="every minute"\necho "$LINE" | crontab -\n'},
        "warning scheduler/missing",
        "",
    ),
    "Redis of the tests": (APP | REDIS_WORKER | {"compose.test.yml": EVICTS}, "", "queue/redis-eviction"),
    "Redis of a deployment": (APP | REDIS_WORKER | {"compose.yml": EVICTS}, "error queue/redis-eviction", ""),
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


def test_a_function_knows_what_it_sets_for_itself() -> None:
    """What a role starts is decided by a variable that is local to the function which asks for it."""
    shell = read_shell_text(ROLES)
    (schedule,) = shell.starts
    runs = {
        role: schedule.when.holds(shell.given([], {"CONTAINER_ROLE": role}, whole=True))
        for role in ("app", "scheduler")
    }
    assert runs == {"app": False, "scheduler": True}
