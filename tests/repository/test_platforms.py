"""Platforms that run an app from a file of theirs: what each starts, how often, and how long it may take to stop."""

from __future__ import annotations

import pathlib

import pytest

from auditor import audit
from auditor.facts.census import take_census
from auditor.facts.container import Service
from auditor.facts.subjects import Scheduler
from tests.repository.test_repository import APP, launch_of, service_of, site_of

KAMAL = """service: shop
image: me/shop
servers:
  web:
    - 10.0.0.1
  job:
    hosts: [10.0.0.2, 10.0.0.3]
    cmd: php artisan queue:work --timeout=90
    {more}
env:
  clear:
    QUEUE_CONNECTION: redis
"""
FLY = """app = "shop"
{more}
[env]
  QUEUE_CONNECTION = "redis"

[processes]
  app = ""
  job = "php artisan queue:work --timeout=90"
"""
RENDER = """services:
  - type: worker
    name: job
    runtime: docker
    dockerCommand: php artisan queue:work --timeout=90
    {more}
    envVars:
      - key: QUEUE_CONNECTION
        value: redis
"""
SPEC = """workers:
  - name: job
    run_command: php artisan queue:work --timeout=90
    instance_count: 2
    {more}
    envs:
      - key: QUEUE_CONNECTION
        value: redis
"""
ECS = """{{"family": "shop", "containerDefinitions": [
  {{"name": "job", "image": "shop", "command": ["php", "artisan", "queue:work", "--timeout=90"], {more}
    "environment": [{{"name": "QUEUE_CONNECTION", "value": "redis"}}]}}
]}}
"""
PLATFORMS = [
    ("config/deploy.yml", KAMAL, "", 30, "kamal", 2),
    ("config/deploy.yml", KAMAL, "stop_timeout: 120", 120, "kamal", 2),
    ("config/deploy.yml", KAMAL, "proxy: true", 10, "kamal", 2),
    ("fly.toml", FLY, "", 5, "fly", None),
    ("fly.toml", FLY, "kill_timeout = 120", 120, "fly", None),
    ("fly.toml", FLY, 'kill_timeout = "2m"', 120, "fly", None),
    ("render.yaml", RENDER, "", 30, "render", 1),
    ("render.yaml", RENDER, "maxShutdownDelaySeconds: 300", 300, "render", 1),
    (".do/app.yaml", SPEC, "", 120, "app-spec", 2),
    (".do/app.yaml", SPEC, "termination: {{grace_period_seconds: 600}}", 600, "app-spec", 2),
    ("ecs/task-definition.json", ECS, "", 30, "ecs", None),
    ("ecs/task-definition.json", ECS, '"stopTimeout": 120,', 120, "ecs", None),
]


@pytest.mark.parametrize(("path", "text", "more", "grace", "kind", "count"), PLATFORMS)
def test_a_platform_runs_a_worker(
    tmp_path: pathlib.Path, path: str, text: str, more: str, grace: float, kind: str, count: int | None
) -> None:
    """Its command, its time to stop, its environment, and how many of it run where that is told."""
    filled = text.format(more=more.replace("{{", "{").replace("}}", "}"))
    site = site_of(tmp_path, {**APP, path: filled})
    service: Service = service_of(site, "job")
    launch = launch_of(site, "job")

    assert (service.kind, service.needs, service.stop_grace) == (kind, 90, grace)
    assert dict(service.environment) == {"QUEUE_CONNECTION": "redis"}
    assert (None if launch.is_unknown("processes") else launch.processes) == count
    assert service.grace_setting != "the time to stop"
    assert site.worker_hints == ()


PROCFILE = "web: php artisan serve\nworker: php artisan queue:work\n"
FORMATIONS = [
    (None, None),
    ("{}", None),
    ('{"formation": {"web": {"quantity": 1}, "worker": {"quantity": 2}}}', 2),
    ('{"formation": {"web": {"quantity": 1}}}', 0),
    ('{"formation": {"worker": {"quantity": 0}}}', 0),
    ('{"formation": {"worker": {"size": "basic"}}}', None),
    ('{"formation": [{"process": "web", "quantity": 1}]}', 0),
    ('{"formation": []}', None),
    ('{"formation": ', None),
]


@pytest.mark.parametrize(("formation", "count"), FORMATIONS)
def test_an_app_json_scales_a_procfile(tmp_path: pathlib.Path, formation: str | None, count: int | None) -> None:
    """What its formation leaves out is not started; without a formation nothing tells, and the rule is skipped."""
    files = {"Procfile": PROCFILE, **({} if formation is None else {"app.json": formation})}
    site = site_of(tmp_path, {**APP, **files})
    launch = launch_of(site, "worker")
    verdict = audit.judge(site, audit.rulebook())
    rule = "processes/procfile-worker-not-scaled"

    assert (None if launch.is_unknown("processes") else launch.processes) == count
    assert (rule in {finding.rule for finding in verdict.findings}) is (count == 0)
    assert (rule in {one.rule for one in verdict.skipped}) is (count is None)


CRON = "  - type: cron\n    name: s\n    runtime: docker\n    dockerCommand: php artisan schedule:run\n    schedule: '{}'\n"
JOB = "  - name: s\n    run_command: php artisan schedule:run\n    {}\n"
CLOCKS = [
    ("render.yaml", f"services:\n{CRON}", "* * * * *", 60),
    ("render.yaml", f"services:\n{CRON}", "*/15 * * * *", 900),
    ("render.yaml", f"services:\n{CRON}", "now and then", None),
    (".do/app.yaml", f"jobs:\n{JOB}", "kind: PRE_DEPLOY", None),
    (".do/app.yaml", f"jobs:\n{JOB}", "schedule: {cron: '0 * * * *'}", 3600),
]


@pytest.mark.parametrize(("path", "text", "schedule", "gap"), CLOCKS)
def test_a_platform_starts_a_command_by_the_clock(
    tmp_path: pathlib.Path, path: str, text: str, schedule: str, gap: float | None
) -> None:
    """Render's cron and DigitalOcean's jobs run the scheduler as often as their schedule says, and no oftener."""
    (subject,) = take_census(site_of(tmp_path, {**APP, path: text.format(schedule)})).of("scheduler")
    scheduler = subject.roots[0]

    assert isinstance(scheduler, Scheduler)
    assert (None if scheduler.is_unknown("largest_gap") else scheduler.largest_gap) == gap
    assert scheduler.every_minute or gap != 60


BROKEN = ["", "= [", "[processes]\nx = 1\n", "processes = 3\nkill_timeout = [1]\n", "a = " + "[" * 3000]


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_file_is_no_platform(tmp_path: pathlib.Path, text: str) -> None:
    """What is no fly.toml, and what is no task definition, starts nothing and raises nothing."""
    site = site_of(tmp_path, {"fly.toml": text, "task-definition.json": text})

    assert site.launches == ()
