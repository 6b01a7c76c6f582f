"""Whether the stop of a container reaches what works in it: shells in front, signals, background jobs."""

from __future__ import annotations

import pathlib

import pytest

from auditor import audit
from tests.repository.test_repository import APP, launch_of, service_of, site_of

LARAVEL = '{{"packages": [{{"name": "laravel/framework", "version": "v{}"}}]}}'
"""A composer.lock."""
WORK = "php artisan queue:work"
COMPOSE = "services:\n  jobs:\n    build: .\n"
FRONT = "processes/container-shell-in-front"
SIGNAL = "processes/container-stop-signal"
BEHIND = "processes/container-background-worker"
UNHEARD = "supervisor/container-stop-not-heard"
OURS = (FRONT, SIGNAL, BEHIND, UNHEARD)


def found(folder: pathlib.Path, files: dict[str, str]) -> list[str]:
    """The rules about stops that object to a repository of these files."""
    verdict = audit.judge(site_of(folder, files), audit.rulebook())
    return [finding.rule for finding in verdict.findings if finding.rule in OURS]


def skipped(folder: pathlib.Path, files: dict[str, str]) -> dict[str, str]:
    """Those that could not be judged, and why."""
    verdict = audit.judge(site_of(folder, files), audit.rulebook())
    return {one.rule: one.reason for one in verdict.skipped if one.rule in OURS}


FRONTS = [
    ("php:8.3-cli", f"CMD {WORK}\n", [FRONT]),
    ("php:8.3-cli", f"CMD exec {WORK}\n", []),
    ("php:8.3-cli", 'CMD ["php", "artisan", "queue:work"]\n', []),
    ("php:8.3-cli", f'CMD ["sh", "-c", "php artisan migrate && {WORK}"]\n', [FRONT]),
    ("php:8.3-cli", f'CMD ["bash", "-c", "php artisan migrate && {WORK}"]\n', []),
    ("php:8.3-cli", f'CMD ["bash", "-c", "{WORK}; true"]\n', [FRONT]),
    ("php:8.3-cli-alpine", f"CMD {WORK}\n", []),
    ("php:8.3-cli", "CMD php artisan schedule:work\n", []),
    ("php:8.3-cli", f'ENTRYPOINT ["tini", "--", "sh", "-c", "{WORK}; true"]\n', [FRONT]),
    ("php:8.3-cli", f'ENTRYPOINT ["dumb-init", "sh", "-c", "{WORK}; true"]\n', []),
]


@pytest.mark.parametrize(("base", "start", "rules"), FRONTS)
def test_a_shell_in_front(tmp_path: pathlib.Path, base: str, start: str, rules: list[str]) -> None:
    """A shell that stays keeps the signal from the worker; whether it stays depends on which it is."""
    assert found(tmp_path, {**APP, "Dockerfile": f"FROM {base}\n{start}", "compose.yml": COMPOSE}) == rules


SCRIPTS = [
    (f"{WORK}\n", [FRONT]),
    (f"exec {WORK}\n", []),
    (f"exec gosu www-data {WORK}\n", []),
    (f"gosu www-data {WORK}\n", [FRONT]),
    (f'trap "kill %1" TERM\n{WORK}\n', []),
    (f"{WORK} &\nexec php-fpm\n", [BEHIND]),
    (f"nohup {WORK} > /dev/null 2>&1 &\napache2-foreground\n", [BEHIND]),
    (f"{WORK} &\nphp-fpm &\nwait -n\n", []),
    (f'if [ "$ROLE" = jobs ]; then\n  {WORK}\nfi\n', []),
]


@pytest.mark.parametrize(("script", "rules"), SCRIPTS)
def test_a_script_in_front(tmp_path: pathlib.Path, script: str, rules: list[str]) -> None:
    """No shell makes way for what its script runs, unless it says exec; a trap and a choice leave it open."""
    image = 'FROM php:8.3-cli-alpine\nCOPY start.sh /start.sh\nCMD ["/start.sh"]\n'

    assert found(tmp_path, {**APP, "Dockerfile": image, "start.sh": f"#!/bin/sh\n{script}"}) == rules


def test_a_script_beside_the_dockerfile_is_meant(tmp_path: pathlib.Path) -> None:
    """Two images with a start.sh each: the one without a worker does not get the other's."""
    image = 'FROM php:8.3-cli\nCOPY start.sh /start.sh\nCMD ["/start.sh"]\n'
    files = {"web/Dockerfile": image, "web/start.sh": "#!/bin/sh\napache2-foreground\n"}
    site = site_of(tmp_path, {**files, "jobs/Dockerfile": image, "jobs/start.sh": f"#!/bin/sh\n{WORK}\n"})

    assert [launch.name for launch in site.launches] == ["jobs/Dockerfile"]


SIGNALS = [
    ("php:8.3-cli", "", "", "TERM", False),
    ("php:8.3-fpm", "", "", "QUIT", False),
    ("php:8.3-fpm-alpine", "", "", "QUIT", False),
    ("docker.io/library/php:8.3-apache", "", "", "WINCH", True),
    ("php:8.3-apache", "STOPSIGNAL SIGTERM\n", "", "TERM", False),
    ("php:8.3-apache", "", "    stop_signal: SIGTERM\n", "TERM", False),
    ("php:8.3-cli", "", "    stop_signal: SIGHUP\n", "HUP", True),
    ("php:8.3-cli", "STOPSIGNAL SIGINT\n", "", "INT", True),
    ("me/base", "", "", None, False),
    ("php:8.3-cli", "", "    stop_signal: ${HOW}\n", None, False),
]


@pytest.mark.parametrize(("base", "image", "service", "signal", "is_found"), SIGNALS)
def test_the_signal_of_a_container(
    tmp_path: pathlib.Path, base: str, image: str, service: str, signal: str | None, is_found: bool
) -> None:
    """Its own word counts before its image's, and that before the base's; what nobody tells is not known."""
    files = {
        "Dockerfile": f'FROM {base}\n{image}CMD ["php", "artisan", "queue:work"]\n',
        "compose.yml": COMPOSE + service,
    }
    files = {**APP, **files, "composer.lock": LARAVEL.format("11.0.0")}
    launch = launch_of(site_of(tmp_path, files), "jobs")

    assert (None if launch.is_unknown("stop_signal") else launch.stop_signal) == signal
    assert (SIGNAL in found(tmp_path, files)) is is_found
    assert (SIGNAL in skipped(tmp_path, files)) is (signal is None)


OLD = [("9.23.0", "QUIT", True), ("9.24.0", "QUIT", False), ("12.21.0", "INT", True), ("12.22.0", "INT", False)]


@pytest.mark.parametrize(("laravel", "signal", "is_found"), OLD)
def test_what_a_worker_listens_to_depends_on_its_laravel(
    tmp_path: pathlib.Path, laravel: str, signal: str, is_found: bool
) -> None:
    """SIGQUIT from 9.24 on, SIGINT from 12.22 on."""
    image = f'FROM php:8.3-cli\nSTOPSIGNAL SIG{signal}\nCMD ["php", "artisan", "queue:work"]\n'
    files = {**APP, "Dockerfile": image, "composer.lock": LARAVEL.format(laravel)}

    assert (SIGNAL in found(tmp_path, files)) is is_found


FLY = 'app = "shop"\n{}\n[processes]\n  job = "php artisan queue:work"\n'


@pytest.mark.parametrize(("more", "is_found"), [("", True), ('kill_signal = "SIGTERM"', False)])
def test_fly_sends_sigint(tmp_path: pathlib.Path, more: str, is_found: bool) -> None:
    """Where nothing else is written Fly interrupts, which a worker of Laravel 11 dies of."""
    files = {**APP, "fly.toml": FLY.format(more), "composer.lock": LARAVEL.format("11.0.0")}

    assert (SIGNAL in found(tmp_path, files)) is is_found


POD = """kind: Deployment
spec:
  template:
    spec:
      containers:
        - name: jobs
          image: debian
          command: [sh, -c, "php artisan migrate; php artisan queue:work"]
{}"""
HOOKS = [
    ("", [FRONT], False),
    ("          lifecycle:\n            preStop: {exec: {command: [php, artisan, queue:restart]}}\n", [], True),
    ("          lifecycle:\n            preStop: {sleep: {seconds: 5}}\n", [FRONT], False),
]


@pytest.mark.parametrize(("more", "rules", "is_skipped"), HOOKS)
def test_what_is_run_before_the_stop_may_end_the_worker(
    tmp_path: pathlib.Path, more: str, rules: list[str], is_skipped: bool
) -> None:
    """A hook leaves it open, one that only waits does not."""
    files = {**APP, "k8s/jobs.yaml": POD.format(more)}

    assert found(tmp_path, files) == rules
    assert (FRONT in skipped(tmp_path, files)) is is_skipped


CONF = "[supervisord]\nnodaemon=true\n[program:w]\ncommand=php /app/artisan queue:work\nstopwaitsecs=70\n"
DAEMONS = [
    ("php:8.3-cli", "", 'CMD ["supervisord", "-n"]\n', []),
    ("php:8.3-cli", "", "CMD supervisord -n\n", [UNHEARD]),
    ("php:8.3-cli", "", "CMD exec supervisord -n\n", []),
    ("php:8.3-cli-alpine", "", "CMD supervisord -n\n", []),
    ("php:8.3-cli", "", 'CMD ["sh", "-c", "php artisan migrate; supervisord -n"]\n', [UNHEARD]),
    ("php:8.3-cli", "supervisord -n -c /etc/supervisord.conf\n", 'CMD ["/start.sh"]\n', [UNHEARD]),
    ("php:8.3-cli", "exec supervisord -n\n", 'CMD ["/start.sh"]\n', []),
    ("php:8.3-cli", "supervisord -n &\nexec php-fpm\n", 'CMD ["/start.sh"]\n', []),
    ("php:8.3-cli", "trap 'kill 7' TERM\nsupervisord -n\n", 'CMD ["/start.sh"]\n', []),
    ("php:8.3-fpm", "", 'CMD ["supervisord", "-n"]\n', []),
    ("php:8.3-apache", "", 'CMD ["supervisord", "-n"]\n', [UNHEARD]),
]


OWN = [
    ("supervisord -n", []),
    ("sh -c 'php artisan migrate; supervisord -n'", [UNHEARD]),
    ("sh -c 'php artisan migrate; exec supervisord -n'", []),
    ("bash -c 'php artisan migrate; supervisord -n'", []),
]


@pytest.mark.parametrize(("command", "rules"), OWN)
def test_no_shell_reads_a_service_s_command(tmp_path: pathlib.Path, command: str, rules: list[str]) -> None:
    """A compose file's text is only cut into words: a shell is there where the command names one."""
    files = {**APP, "Dockerfile": "FROM php:8.3-cli\nCOPY s.conf /etc/supervisord.conf\nCMD php-fpm\n", "s.conf": CONF}
    files["compose.yml"] = f"{COMPOSE}    stop_grace_period: 2m\n    command: {command}\n"

    assert service_of(site_of(tmp_path, files), "jobs").supervised
    assert found(tmp_path, files) == rules


@pytest.mark.parametrize(("base", "script", "start", "rules"), DAEMONS)
def test_the_stop_of_a_supervisord(
    tmp_path: pathlib.Path, base: str, script: str, start: str, rules: list[str]
) -> None:
    """A shell in front of it, and a signal that it does not listen to, keep the stop from it."""
    image = f"FROM {base}\nCOPY s.conf /etc/supervisord.conf\nCOPY start.sh /start.sh\n{start}"
    files = {**APP, "Dockerfile": image, "s.conf": CONF, "start.sh": f"#!/bin/bash\n{script}"}
    files["compose.yml"] = f"{COMPOSE}    stop_grace_period: 2m\n"

    assert service_of(site_of(tmp_path, files), "jobs").supervised
    assert [rule for rule in found(tmp_path, files) if rule == UNHEARD] == rules
