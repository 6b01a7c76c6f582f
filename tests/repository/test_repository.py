"""Small repositories: what runs where, as whom, with how long to stop."""

from __future__ import annotations

import pathlib

import pytest

from auditor.facts.census import take_census
from auditor.facts.container import Image, Service
from auditor.facts.laravel import App
from auditor.facts.launch import Launch
from auditor.facts.queue import Connection
from auditor.facts.site import Site
from auditor.facts.subjects import Absent
from auditor.sources.survey import read_site

CONF = """[supervisord]
nodaemon=true

[program:worker]
command=php /app/artisan queue:work --timeout=%(ENV_QUEUE_TIMEOUT)s
stopwaitsecs=%(ENV_QUEUE_TIMEOUT)s
"""
APP = {
    "artisan": "",
    "composer.json": '{"require": {"laravel/framework": "^11.0"}}',
    "config/queue.php": "<?php return ['default' => 'redis', 'connections' => ['redis' => ['driver' => 'redis',"
    " 'connection' => 'default', 'queue' => 'default', 'retry_after' => 90]]];",
}
IMAGE = "FROM php:8.3-cli\nWORKDIR /app\nCOPY s.conf /etc/supervisord.conf\n"
SUPERVISED = 'CMD ["supervisord", "-n", "-c", "/etc/supervisord.conf"]\n'


def site_of(folder: pathlib.Path, files: dict[str, str]) -> Site:
    """A repository of these files, read."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return read_site(str(folder), kind="repository")


def launch_of(site: Site, name: str) -> Launch:
    """The launch of that name."""
    return next(launch for launch in site.launches if launch.name == name)


def service_of(site: Site, name: str) -> Service:
    """The service of that name, as the census tells it."""
    found = (subject.roots[0] for subject in take_census(site).of("service") if subject.name == name)
    service = next(found)
    assert isinstance(service, Service)
    return service


DIRECT = [
    ("command: php artisan queue:work --timeout=90", 90, 10),
    ("command: [php, artisan, queue:work]\n    stop_grace_period: 1m30s", 60, 90),
    ("command: php artisan schedule:work", None, 10),
    ("command: gosu www-data php artisan queue:work", 60, 10),
]


@pytest.mark.parametrize(("text", "needs", "grace"), DIRECT)
def test_a_service_that_runs_a_worker_itself(
    tmp_path: pathlib.Path, text: str, needs: float | None, grace: float
) -> None:
    """What it needs to stop is its worker's time-out."""
    service = service_of(site_of(tmp_path, {"compose.yml": f"services:\n  w:\n    image: x\n    {text}\n"}), "w")

    assert (service.needs, service.stop_grace) == (needs, grace)


def test_a_service_that_runs_supervisord(tmp_path: pathlib.Path) -> None:
    """COPY ties the configuration to it, and its environment, its account and its time to stop reach the programs."""
    compose = "services:\n  app:\n    build: .\n    environment:\n      - QUEUE_TIMEOUT=${Q:-3600}\n"
    site = site_of(tmp_path, {"compose.yml": compose, "Dockerfile": f"{IMAGE}USER app\n{SUPERVISED}", "s.conf": CONF})

    (program,) = site.confs[0].programs
    service = service_of(site, "app")

    assert program.stopwaitsecs == 3600
    assert launch_of(site, "worker").command.timeout == 3600
    assert launch_of(site, "worker").user == "app"
    assert (service.needs, service.supervised, service.confs) == (3600, True, ("s.conf",))


def test_a_service_that_does_something_else_runs_no_configuration(tmp_path: pathlib.Path) -> None:
    """The image holds one, but this service's command is another."""
    compose = "services:\n  app:\n    build: .\n    command: php artisan migrate\n"
    site = site_of(tmp_path, {"compose.yml": compose, "Dockerfile": IMAGE + SUPERVISED, "s.conf": CONF})

    assert service_of(site, "app").confs == ()


def test_services_that_differ_leave_it_open(tmp_path: pathlib.Path) -> None:
    """Two services with other values for one variable, and other accounts: neither is taken."""
    service = "    build: .\n    user: {}\n    environment: {{QUEUE_TIMEOUT: {}}}\n"
    compose = "services:\n  a:\n" + service.format("app", 60) + "  b:\n" + service.format("web", 90)
    site = site_of(tmp_path, {"compose.yml": compose, "Dockerfile": IMAGE + SUPERVISED, "s.conf": CONF})

    assert site.confs[0].programs[0].is_unknown("stopwaitsecs")
    assert launch_of(site, "worker").is_unknown("user")


def test_a_mounted_folder_ties_as_well(tmp_path: pathlib.Path) -> None:
    """An image from elsewhere, and the repository's conf.d mounted into it."""
    compose = (
        "services:\n  app:\n    image: x/y\n    environment: {QUEUE_TIMEOUT: 120}\n"
        "    volumes:\n      - ${PWD}/conf.d:/etc/supervisor/conf.d\n"
    )
    site = site_of(tmp_path, {"deploy/compose.yml": compose, "conf.d/w.conf": CONF})

    assert service_of(site, "app").needs == 120


def test_laravel_sail_is_a_developers(tmp_path: pathlib.Path) -> None:
    """Nothing of it becomes a launch, and its services say what they are."""
    compose = "services:\n  w:\n    build: ./vendor/laravel/sail/runtimes/8.3\n    command: php artisan queue:listen\n"
    site = site_of(tmp_path, {"compose.yml": compose})

    assert site.launches == ()
    assert service_of(site, "w").development


def test_kubernetes(tmp_path: pathlib.Path) -> None:
    """Deployments and CronJobs: the worker's time to stop is 30 s, and the clock is the CronJob's."""
    manifest = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: w}\nspec:\n  replicas: 3\n  template:\n    spec:\n"
        "      containers:\n        - name: w\n          image: x\n          command: [php]\n"
        "          args: [artisan, 'queue:work']\n---\napiVersion: batch/v1\nkind: CronJob\nmetadata: {name: s}\nspec:\n"
        "  schedule: '*/5 * * * *'\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          containers:\n"
        "            - name: s\n              image: x\n              command: [php, artisan, 'schedule:run']\n"
    )
    site = site_of(tmp_path, {"k8s.yaml": manifest})
    scheduler = next(subject.roots[0] for subject in take_census(site).of("scheduler"))

    assert service_of(site, "w").stop_grace == 30
    assert launch_of(site, "w").processes == 3
    assert scheduler.every_minute is False  # type: ignore[union-attr]


SCHEDULERS = [
    ({"Dockerfile": "FROM php:8.3\nRUN echo '* * * * * php /app/artisan schedule:run' | crontab -\n"}, "Dockerfile:2"),
    (
        {
            "Dockerfile": "FROM x\nCOPY crontab /etc/cron.d/app\n",
            "crontab": "* * * * * root php /app/artisan schedule:run\n",
        },
        "crontab:1",
    ),
    ({"start.sh": "#!/bin/sh\necho '* * * * * php /app/artisan schedule:run' | crontab -\n"}, "start.sh:2"),
    (
        {
            "play.yml": "- hosts: all\n  tasks:\n    - cron:\n        user: app\n        job: php /app/artisan schedule:run\n"
        },
        "play.yml:5",
    ),
    ({"Procfile": "web: x\nclock: php artisan schedule:work\n"}, "clock"),
    ({".do/app.yaml": "workers:\n  - name: s\n    run_command: php artisan schedule:work\n"}, "s"),
]


@pytest.mark.parametrize(("files", "name"), SCHEDULERS)
def test_schedulers(tmp_path: pathlib.Path, files: dict[str, str], name: str) -> None:
    """Whatever arranges the scheduler is found where it is written, and no hint is left."""
    site = site_of(tmp_path, {**APP, **files})

    assert launch_of(site, name).app == "."
    assert site.scheduler_hints == ()


def test_a_script_that_a_service_runs_is_its_command(tmp_path: pathlib.Path) -> None:
    """The launch is the service's, and the script is not told of by itself."""
    compose = "services:\n  h:\n    build: .\n    command: bash -c 'chmod +x /app/run.sh && /app/run.sh'\n"
    files = {
        "compose.yml": compose,
        "Dockerfile": "FROM php:8.3\nCOPY . /app\n",
        "run.sh": "exec php artisan horizon\n",
    }
    site = site_of(tmp_path, files)

    assert [(launch.name, launch.runner, launch.command.kind) for launch in site.launches] == [
        ("h", "compose", "horizon")
    ]


def test_scripts_of_one_name_that_differ_are_nobodys(tmp_path: pathlib.Path) -> None:
    """Which of two queue.sh an image from elsewhere holds is not guessed."""
    files = {
        "compose.yml": "services:\n  q:\n    image: x\n    command: queue.sh\n",
        "4/queue.sh": "exec php artisan queue:work --timeout=0\n",
        "5/queue.sh": "exec php artisan queue:work --timeout=60\n",
    }
    site = site_of(tmp_path, files)

    assert {launch.runner for launch in site.launches} == {"script"}


REDIS = [
    ("redis-server --maxmemory 1gb --maxmemory-policy allkeys-lru", True),
    ("[redis-server, --maxmemory, 1gb, --maxmemory-policy, allkeys-lru]", True),
    ("redis-server --maxmemory 1gb", False),
    ("redis-server --maxmemory-policy allkeys-lru", False),
]


@pytest.mark.parametrize(("command", "evicts"), REDIS)
def test_the_redis_of_a_queue(tmp_path: pathlib.Path, command: str, evicts: bool) -> None:
    """Its arguments tell whether it throws queues away; without a limit it never does."""
    compose = f"services:\n  redis:\n    image: redis:7-alpine\n    command: {command}\n"
    (subject,) = take_census(site_of(tmp_path, {**APP, "compose.yml": compose})).of("connection")
    connection = subject.roots[0]
    assert isinstance(connection, Connection)

    assert (connection.redis_server, connection.redis_evicts) == ("redis", evicts)


def test_an_image_tells_whom_it_gives_files_to_and_what_it_sets(tmp_path: pathlib.Path) -> None:
    """`ENV NAME value`, the last USER, and chown of what was copied."""
    text = "FROM debian\nCOPY . /app\nWORKDIR /app\nENV QUEUE_DRIVER sync\nRUN chown -R www-data:www-data /app\nUSER a\nUSER b\n"
    (image,) = site_of(tmp_path, {"Dockerfile": text}).images
    assert isinstance(image, Image)

    assert (image.user, image.idle_connection, image.files_owner) == ("b", "sync", "www-data")


def test_ansible_defaults_fill_a_template(tmp_path: pathlib.Path) -> None:
    """A role's default, and a default inside the template; what has none stays unknown."""
    conf = "[program:w]\ncommand=php artisan queue:work\nnumprocs={{ n | default(2) }}\nstopwaitsecs={{ wait }}\npriority={{ p }}\n"
    files = {"roles/q/templates/w.conf.j2": conf, "roles/q/defaults/main.yml": "wait: 90\n"}
    (program,) = site_of(tmp_path, files).confs[0].programs

    assert (program.numprocs, program.stopwaitsecs, program.is_unknown("priority")) == (2, 90, True)


def test_a_configuration_in_a_script_stands_where_it_is_written(tmp_path: pathlib.Path) -> None:
    """Its lines are the script's."""
    script = "#!/bin/sh\ncat > /etc/supervisor/conf.d/w.conf <<EOF\n[program:w]\ncommand=php artisan queue:work\nEOF\n"
    (conf,) = site_of(tmp_path, {"install.sh": script}).confs

    place = conf.programs[0].mark("command").origin

    assert place is not None
    assert (place.file, place.line) == ("install.sh", 4)


def test_a_program_that_no_container_is_seen_to_run(tmp_path: pathlib.Path) -> None:
    """Its service is not known, which is a reason and not a guess."""
    (subject,) = take_census(site_of(tmp_path, {"s.conf": CONF})).of("worker")

    assert isinstance(subject.roots[-1], Absent)
    assert subject.roots[-1].reason


ENTRY = """#!/bin/sh
case "${1:-$ROLE}" in
  queue) exec php artisan queue:work --timeout=90 ;;
  supervisor) exec supervisord -c /etc/supervisord.conf ;;
  *) exec php-fpm ;;
esac
"""
ROLES = [("web", None), ("queue", 90.0), ("supervisor", 3600.0)]


@pytest.mark.parametrize(("role", "needs"), ROLES)
@pytest.mark.parametrize("how", ["    command: {}", "    environment:\n      ROLE: {}"])
def test_one_entrypoint_of_several_services(tmp_path: pathlib.Path, role: str, needs: float | None, how: str) -> None:
    """Which branch of it a service takes is told by its arguments, or by its environment; a shared image is one build."""
    image = f'{IMAGE}COPY entry.sh /entry.sh\nENTRYPOINT ["/entry.sh"]\n'
    compose = "services:\n  first:\n    build: .\n    image: shop\n    command: other\n  it:\n    image: shop\n"
    conf = CONF.replace("%(ENV_QUEUE_TIMEOUT)s", "3600")
    files = {"compose.yml": compose + how.format(role) + "\n", "Dockerfile": image, "entry.sh": ENTRY, "s.conf": conf}
    site = site_of(tmp_path, files)

    assert service_of(site, "it").needs == needs
    assert service_of(site, "first").needs is None


def test_an_entrypoint_whose_question_is_not_answered(tmp_path: pathlib.Path) -> None:
    """What a service needs to stop is not known, and the worker is not said to be in use."""
    entry = "#!/bin/sh\nif [ -f /run/worker ]; then php artisan queue:work --timeout=90; fi\n"
    image = 'FROM php:8.3\nCOPY entry.sh /entry.sh\nCMD ["/entry.sh"]\n'
    site = site_of(tmp_path, {"compose.yml": "services:\n  a:\n    build: .\n", "Dockerfile": image, "entry.sh": entry})

    assert service_of(site, "a").is_unknown("needs")
    assert not launch_of(site, "a").live


WRITTEN_LINES = [
    ('echo "* * * * * php $APP/artisan schedule:run" | crontab -', ()),
    ("echo '* * * * * php $APP/artisan schedule:run' | crontab -", ("APP",)),
    ('echo "* * * * * php \\$APP/artisan schedule:run" | crontab -', ("APP",)),
    ("crontab - <<X\n* * * * * php ${APP:-/app}/artisan schedule:run\nX", ()),
    ("crontab - <<'X'\n* * * * * php $APP/artisan schedule:run\nX", ("APP",)),
]


@pytest.mark.parametrize(("text", "undefined"), WRITTEN_LINES)
def test_the_shell_that_writes_a_cron_line_fills_it(
    tmp_path: pathlib.Path, text: str, undefined: tuple[str, ...]
) -> None:
    """A variable between double quotes never reaches cron; one that is quoted or escaped does."""
    (table,) = site_of(tmp_path, {"setup.sh": f"#!/bin/sh\nAPP=/srv/app\n{text}\n"}).tables
    (line,) = (line for line in table.lines if line.runs_schedule)

    assert line.undefined_variables == undefined


def test_an_image_fills_the_lines_it_writes_for_supercronic(tmp_path: pathlib.Path) -> None:
    """ENV is put in where RUN writes the line, and supercronic's folder makes it a table of supercronic's."""
    image = (
        'FROM php:8.3\nENV ROOT=/srv/app\nRUN echo "* * * * * php $ROOT/artisan schedule:run" > /etc/supercronic/app\n'
    )
    (table,) = site_of(tmp_path, {"Dockerfile": image}).tables

    assert (table.kind, table.lines[0].command) == ("supercronic", "php /srv/app/artisan schedule:run")


SCHEDULES = {**APP, "routes/console.php": "<?php\nSchedule::command('x')->daily();\n"}
DEPLOYED = [
    ({}, None),
    ({"compose.yml": "services:\n  web:\n    image: nginx\n"}, None),
    ({"s.conf": CONF}, 0),
    ({".do/app.yaml": "services:\n  - name: web\n    run_command: heroku-php-nginx public\n"}, 0),
    ({"compose.yml": "services:\n  s:\n    image: x\n    command: php artisan schedule:work\n"}, 1),
]


@pytest.mark.parametrize(("files", "count"), DEPLOYED)
def test_a_scheduler_is_missed_only_where_something_says_how_the_app_is_run(
    tmp_path: pathlib.Path, files: dict[str, str], count: int | None
) -> None:
    """An app's own repository that tells nothing of its deployment leaves nothing out."""
    (subject,) = take_census(site_of(tmp_path, {**SCHEDULES, **files})).of("app")
    app = subject.roots[0]
    assert isinstance(app, App)

    assert (None if app.is_unknown("schedulers") else app.schedulers) == count


def test_a_script_fills_what_it_starts_and_writes(tmp_path: pathlib.Path) -> None:
    """A default of the script, or the service's own value, is a worker's; what is not told is a placeholder."""
    entry = (
        "#!/bin/sh\nTIMEOUT=${TIMEOUT:-90}\nUSER_NAME=shop\ncat > /etc/supervisor/conf.d/w.conf <<EOF\n[program:mail]\n"
        'command=php artisan queue:work\nuser=$USER_NAME\nnumprocs=$COUNT\nstopwaitsecs=$(nproc)\nenvironment=A="\\$B"\nEOF\n'
        "exec php artisan queue:work --timeout=\"$TIMEOUT\" --tries=$TRIES --name='$X'\n"
    )
    image = 'FROM php:8.3\nCOPY entry.sh /entry.sh\nCMD ["/entry.sh"]\n'
    compose = "services:\n  a:\n    build: .\n    environment: {TRIES: 5}\n"
    site = site_of(tmp_path, {"compose.yml": compose, "Dockerfile": image, "entry.sh": entry})
    command = launch_of(site, "a").command
    (program,) = site.confs[0].programs

    assert (command.timeout, command.tries, command.name) == (90, 5, "$X")
    assert program.user == "shop"
    assert program.is_unknown("numprocs")
    assert program.is_unknown("stopwaitsecs")
    assert dict(program.environment) == {"A": "$B"}
    assert not site.confs[0].refused


@pytest.mark.parametrize("path", ["docker-compose.dev.yml", "compose.local.yaml", ".devcontainer/docker-compose.yml"])
def test_a_compose_file_for_developers(tmp_path: pathlib.Path, path: str) -> None:
    """Its name says so: nothing of it is judged as a deployment."""
    site = site_of(tmp_path, {path: "services:\n  w:\n    image: x\n    command: php artisan queue:work\n"})

    assert site.launches == ()
    assert service_of(site, "w").development


def test_what_asks_a_container_how_it_is_starts_nothing(tmp_path: pathlib.Path) -> None:
    """A health check that looks for the worker leaves no mention that is not understood."""
    compose = "services:\n  w:\n    image: x\n    healthcheck:\n      test: pgrep -f 'artisan queue:work'\n"

    assert site_of(tmp_path, {**APP, "compose.yml": compose}).worker_hints == ()


def test_a_listener_needs_no_time_to_stop(tmp_path: pathlib.Path) -> None:
    """queue:listen ends at once, whatever time it is given."""
    compose = "services:\n  w:\n    image: x\n    command: php artisan queue:listen\n"

    assert service_of(site_of(tmp_path, {"compose.yml": compose}), "w").needs is None


SPEC = "workers:\n  - name: q\n    run_command: php artisan queue:work\n{}"
WEB = SPEC.format("services:\n  - name: web\n    dockerfile_path: Dockerfile\n")
CRON = "* * * * * php /app/artisan schedule:run\n"
UNSCHEDULED: list[tuple[str, dict[str, str], tuple[str, ...] | None]] = [
    (SPEC.format(""), {}, (".do/app.yaml",)),
    (SPEC.format("  - name: s\n    run_command: php artisan schedule:work\n"), {}, ()),
    (WEB, {"Dockerfile": "FROM php:8.3\n"}, (".do/app.yaml",)),
    (
        SPEC.format("services:\n  - name: web\n    dockerfile_path: Dockerfile\n"),
        {"Dockerfile": "FROM php:8.3\nCOPY cron /etc/crontabs/root\n", "cron": CRON},
        (),
    ),
    (SPEC.format("services:\n  - name: web\n    dockerfile_path: other/Dockerfile\n"), {}, None),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "files", "wanted"), UNSCHEDULED)
def test_a_platform_without_a_scheduler(
    tmp_path: pathlib.Path, spec: str, files: dict[str, str], wanted: tuple[str, ...] | None
) -> None:
    """It is told by its file, where everything that runs there is seen, though another deployment has one."""
    elsewhere = {"s.conf": "[program:s]\ncommand=php artisan schedule:work\n"}
    (subject,) = take_census(site_of(tmp_path, {**SCHEDULES, ".do/app.yaml": spec, **elsewhere, **files})).of("app")
    app = subject.roots[0]
    assert isinstance(app, App)

    assert (None if app.is_unknown("unscheduled") else app.unscheduled) == wanted


ENV_APP = {
    **APP,
    "config/queue.php": "<?php return ['default' => env('QUEUE_CONNECTION', 'database'), 'connections' => ["
    "'redis' => ['driver' => 'redis', 'queue' => 'default', 'retry_after' => (int) env('RETRY', 90)],"
    "'database' => ['driver' => 'database', 'table' => 'jobs', 'queue' => 'default', 'retry_after' => 30]]];",
    ".env.example": "QUEUE_CONNECTION=database\n",
}
WORKS = "services:\n  w:\n    image: x\n    command: php artisan queue:work\n    environment:\n{}"
CONTAINED = [
    (WORKS.format("      QUEUE_CONNECTION: redis\n      RETRY: 200\n"), "redis", 200),
    (WORKS.format("      - QUEUE_CONNECTION=redis\n      - RETRY=${RETRY}\n"), "redis", 90),
    (WORKS.format("      RETRY: ${OTHER}\n"), "database", None),
    (
        WORKS.format("      RETRY: 200\n") + "  s:\n    image: x\n    command: php artisan schedule:work\n",
        "database",
        None,
    ),
]


@pytest.mark.parametrize(("compose", "connection", "retry_after"), CONTAINED)
def test_the_environment_of_containers_is_the_apps(
    tmp_path: pathlib.Path, compose: str, connection: str, retry_after: float | None
) -> None:
    """It counts before the environment files; what services do not agree on, or take from elsewhere, is not known."""
    census = take_census(site_of(tmp_path, {**ENV_APP, "compose.yml": compose}))
    (worker,) = (subject.roots[0] for subject in census.of("worker"))
    redis = next(subject.roots[0] for subject in census.of("connection") if subject.name == "redis")
    assert isinstance(redis, Connection)

    assert worker.connection == connection  # type: ignore[union-attr]
    assert (None if redis.is_unknown("retry_after") else redis.retry_after) == retry_after


def test_a_config_map_is_a_containers_environment(tmp_path: pathlib.Path) -> None:
    """What a container names of the same repository, and its own value before that."""
    manifests = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {QUEUE_CONNECTION: redis, RETRY: '200'}\n---\n"
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: w}\nspec:\n  template:\n    spec:\n      containers:\n"
        "        - name: w\n          image: x\n          command: [php, artisan, 'queue:work']\n          env:\n"
        "            - {name: RETRY, value: '300'}\n          envFrom:\n            - configMapRef: {name: c}\n"
    )
    settings, _, deployment = manifests.partition("---\n")
    files = {"k8s/config.yaml": settings, "k8s/worker.yaml": deployment}
    census = take_census(site_of(tmp_path, {**ENV_APP, **files}))
    redis = next(subject.roots[0] for subject in census.of("connection") if subject.name == "redis")
    assert isinstance(redis, Connection)

    assert (redis.is_default, redis.retry_after) == (True, 300)


RELATIVE = CONF.replace("/app/artisan", "artisan").replace("%(ENV_QUEUE_TIMEOUT)s", "%%TIMEOUT%%")
STARTED = [
    ({}, None, False),
    ({"Dockerfile": IMAGE + SUPERVISED}, "/app", False),
    ({"Dockerfile": IMAGE.replace("/app", "/") + SUPERVISED}, None, False),
    ({"Dockerfile": "FROM php:8.3\n"}, None, True),
]


@pytest.mark.parametrize(("files", "folder", "unseen"), STARTED)
def test_where_supervisord_is_started(
    tmp_path: pathlib.Path, files: dict[str, str], folder: str | None, unseen: bool
) -> None:
    """WORKDIR of the image that runs a configuration; an image that is here and not seen to run it leaves that open."""
    (conf,) = site_of(tmp_path, {"s.conf": RELATIVE, **files}).confs

    assert (conf.started_in, conf.is_unknown("started_in")) == (folder, unseen)


def test_a_placeholder_of_doubled_percent_signs_stays_one(tmp_path: pathlib.Path) -> None:
    """Supervisor would halve them; the number that a script puts there is not known."""
    command = launch_of(site_of(tmp_path, {"s.conf": RELATIVE}), "worker").command

    assert command.is_unknown("timeout")
    assert not command.has_not_integer_options


@pytest.mark.parametrize(
    "build", ["{dockerfile: docker/local/Dockerfile}", "{dockerfile: Dockerfile.dev}", "{target: development}"]
)
def test_an_image_for_developers(tmp_path: pathlib.Path, build: str) -> None:
    """What a service is built from can say that it is no deployment."""
    compose = f"services:\n  w:\n    build: {build}\n    command: php artisan queue:work\n"

    assert service_of(site_of(tmp_path, {"compose.yml": compose}), "w").development


PART = (
    "[supervisord]\nnodaemon=true\n\n[unix_http_server]\nusername=a\npassword=b\n\n"
    "[program:worker]\ncommand=php artisan horizon\n"
)


@pytest.mark.parametrize(
    ("command", "main"), [("supervisord", False), ("supervisord -c /etc/supervisor/conf.d/s.conf", True)]
)
def test_a_drop_in_with_a_servers_sections_is_a_part(tmp_path: pathlib.Path, command: str, main: bool) -> None:
    """Supervisor's own main file takes it in and has what it lacks; named on the command line it is the main file."""
    image = f"FROM php:8.3\nCOPY s.conf /etc/supervisor/conf.d/s.conf\nCMD {command}\n"
    (conf,) = site_of(tmp_path, {"Dockerfile": image, "s.conf": PART}).confs

    assert (conf.is_main, conf.refused, bool(conf.http_servers)) == (main, main, main)


def test_an_image_whose_base_starts_something_else_runs_no_configuration(tmp_path: pathlib.Path) -> None:
    """php-fpm is PHP's own command; the service that names supervisord runs it."""
    compose = (
        "services:\n  web:\n    build: .\n  it:\n    build: .\n    command: supervisord -c /etc/supervisord.conf\n"
    )
    site = site_of(tmp_path, {"compose.yml": compose, "Dockerfile": IMAGE, "s.conf": CONF})

    assert (service_of(site, "web").confs, service_of(site, "it").confs) == ((), ("s.conf",))


def test_a_scheduler_is_joined_with_its_own_line_of_a_table_that_is_put_in_place_twice(tmp_path: pathlib.Path) -> None:
    """All lines of the second copy stand at its COPY; another one's time is not the scheduler's."""
    files = {
        "Dockerfile": "FROM x\nCOPY cron /etc/crontabs/root\nCOPY cron /etc/cron.d/app\n",
        "cron": "* * * * * root php /app/artisan schedule:run\n0 0 * * * root php /app/artisan x:y\n",
    }
    schedulers = take_census(site_of(tmp_path, {**APP, **files})).of("scheduler")

    assert schedulers
    assert {subject.roots[0].every_minute for subject in schedulers} == {True}  # type: ignore[union-attr]
