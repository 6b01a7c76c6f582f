"""One worker that a repository declares in several places: which of them starts it, and what is known of the others."""

from __future__ import annotations

import pathlib

import pytest

from auditor import audit
from auditor.facts.census import take_census
from auditor.facts.laravel import App
from auditor.facts.subjects import Worker
from tests.repository.test_repository import APP, service_of, site_of

WORK = "php artisan queue:work --timeout=60"
IMAGE = f"FROM php:8.3-cli\nWORKDIR /app\nCMD {WORK.split()}\n".replace("'", '"')
COMPOSE = "services:\n  jobs:\n    build: .\n"
POD = """kind: Deployment
metadata: {name: pod}
spec: {template: {spec: {containers: [{name: c, image: shop, command: [php, artisan, "queue:work", --timeout=60]}]}}}
"""
UNIT = "[Service]\nExecStart=/usr/bin/php /app/artisan queue:work --timeout=60\nWorkingDirectory=/app\n"
CONF = "[program:conf]\ncommand=php /app/artisan queue:work --timeout=60\n"
SCRIPT = f"#!/bin/sh\nexec {WORK}\n"
LIES = {"k8s/pod.yaml": POD, "etc/jobs.service": UNIT, "supervisor/w.conf": CONF}

PLACES = [
    ({"Dockerfile": IMAGE}, {"Dockerfile": True}),
    ({"Dockerfile": IMAGE, "compose.yml": COMPOSE}, {"jobs": True}),
    ({"Dockerfile": IMAGE, "compose.yml": f"{COMPOSE}    command: php-fpm\n"}, {}),
    ({"Dockerfile": IMAGE, "compose.yml": f"{COMPOSE}    command: {WORK} --tries=3\n"}, {"jobs": True}),
    ({"start.sh": SCRIPT}, {"start.sh:2": False}),
    (
        {"start.sh": SCRIPT, "compose.yml": "services:\n  jobs:\n    image: x\n    command: /app/start.sh\n"},
        {"jobs": True},
    ),
    (
        {"Dockerfile": IMAGE, "compose.yml": COMPOSE, "compose.prod.yml": COMPOSE.replace("jobs", "prod")},
        {"jobs": True, "prod": True},
    ),
    (
        {"Dockerfile": IMAGE, "compose.yml": COMPOSE, **LIES},
        dict.fromkeys(("jobs", "pod", "jobs.service", "conf"), True),
    ),
]


@pytest.mark.parametrize(("files", "live"), PLACES)
def test_each_start_is_told_once(tmp_path: pathlib.Path, files: dict[str, str], live: dict[str, bool]) -> None:
    """An image's command counts where no service replaces it, and a script where it is run; whether any other is used is open."""
    site = site_of(tmp_path, {**APP, **files})

    assert {launch.name: launch.live for launch in site.launches} == live


def test_other_ways_to_deploy_are_no_duplicates(tmp_path: pathlib.Path) -> None:
    """Files of unknown destination may be alternatives: none is a twin, and no sum over them is known."""
    site = site_of(tmp_path, {**APP, "Dockerfile": IMAGE, "compose.yml": COMPOSE, **LIES})
    census = take_census(site)
    workers = [subject.roots[0] for subject in census.of("worker")]
    (app,) = (subject.roots[0] for subject in census.of("app"))
    rules = {finding.rule for finding in audit.judge(site, audit.rulebook()).findings}

    assert isinstance(app, App)
    assert len(workers) == 4
    assert not any(worker.has_twins for worker in workers if isinstance(worker, Worker))
    assert "processes/duplicate-worker" not in rules
    assert census.of("site")[0].roots[0].is_unknown("workers_memory")  # type: ignore[union-attr]


def test_a_configuration_runs_in_the_container_that_takes_it_in(tmp_path: pathlib.Path) -> None:
    """Of two copies of a program the one in the image is tied to the service, and the other's container is not known."""
    image = 'FROM php:8.3-cli\nCOPY docker/s.conf /etc/supervisord.conf\nCMD ["supervisord", "-n"]\n'
    main = f"[supervisord]\nnodaemon=true\n{CONF}stopwaitsecs=70\n"
    files = {
        "Dockerfile": image,
        "compose.yml": COMPOSE,
        "docker/s.conf": main,
        "host/etc/supervisor/conf.d/w.conf": CONF,
    }
    site = site_of(tmp_path, {**APP, **files})
    services = {
        subject.roots[0].mark("name").origin.file: subject.roots[-1]  # type: ignore[union-attr]
        for subject in take_census(site).of("worker")
    }

    assert service_of(site, "jobs").confs == ("docker/s.conf",)
    assert service_of(site, "jobs").needs == 70
    assert "not known from here" in getattr(services["host/etc/supervisor/conf.d/w.conf"], "reason", "")


SCHEDULES = [
    ({"compose.yml": "services:\n  s:\n    image: x\n    command: php artisan schedule:work\n"}, 1),
    ({"crontab": "* * * * * cd /app && php artisan schedule:run\n"}, 1),
    (
        {
            "Dockerfile": "FROM php\nCOPY cron.txt /etc/cron.d/app\n",
            "cron.txt": "* * * * * root php /app/artisan schedule:run\n",
        },
        1,
    ),
]


@pytest.mark.parametrize(("files", "count"), SCHEDULES)
def test_a_scheduler_is_told_once(tmp_path: pathlib.Path, files: dict[str, str], count: int) -> None:
    """A table that an image takes in is that image's, and no second one."""
    site = site_of(tmp_path, {**APP, **files})

    assert len(take_census(site).of("scheduler")) == count
