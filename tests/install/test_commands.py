"""`install` and `uninstall` on small hosts: what is mended, what is made, what is left alone, and what is given back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from auditor import audit, install
from auditor.errors import CannotMend, UsageError
from auditor.ground import Wishes
from tests.bad_input.calling import run
from tests.bad_input.world import CRON, ENV, MAIN, SOUND, WORKER, Content, Gone, Link, build
from tests.install.test_principle import texts

RULES = audit.rulebook()
APP = "var/www/shop"
BARE: Mapping[str, Content] = {WORKER: Gone(), CRON: Gone(), "etc/cron.d/.keep": "", "etc/logrotate.d/.keep": ""}
"""What takes the worker and the scheduler of the sound host away."""
RICH = (
    "; the mails, as the manual says\n"
    "[program:mails]\n"
    "command=/usr/bin/php /var/www/shop/artisan queue:work redis --queue=high,default --name=mails --tries=5 --backoff=7 "
    "--timeout=80 --memory=100 --max-jobs=500 --env=production -v\n"
    "user=www-data ; not root\n"
    "priority=5\n"
    "autostart=true\nautorestart=true\nstopwaitsecs=10\n"
    "redirect_stderr=true\nstdout_logfile=/var/log/supervisor/mails.log\n"
)
MADE = "etc/supervisor/conf.d/shop-worker.conf"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where a host is built."""
    return tmp_path / "host"


def plan(root: Path, *, with_env: bool = False, unsafe: bool = False, **wishes: Any) -> install.Plan:
    """What would be installed there."""
    return install.plan(str(root), APP, RULES, Wishes(**wishes), with_env=with_env, unsafe=unsafe)


def changed(planned: install.Plan) -> dict[str, str]:
    """The files that change, as they will be."""
    return {path: text.decode() for path, text in planned.texts.items()}


def test_a_running_worker_keeps_all_that_no_rule_objects_to(root: Path) -> None:
    """Its queues, connection, name, options, comments and order stay; only what kills its jobs is put right."""
    build(root, {WORKER: RICH, "etc/logrotate.d/.keep": ""})

    planned = plan(root)

    assert changed(planned) == {WORKER: RICH.replace("stopwaitsecs=10\n", "stopwaitsecs=90\n")}
    assert planned.sums == (), "no sum is made where none is needed"
    assert planned.stays[0].startswith("mails (etc/supervisor/conf.d/worker.conf) takes its jobs")


def test_what_is_missing_is_made(root: Path) -> None:
    """Where nothing takes the jobs and nothing runs the schedule, a program and a cron file by the profile are made."""
    build(root, BARE)

    planned = plan(root)
    install.write(planned)

    assert set(changed(planned)) == {MADE, "etc/cron.d/shop-scheduler"}
    assert "artisan queue:work redis --sleep=3 --tries=3 --timeout=60 --memory=256" in changed(planned)[MADE]
    assert "user=www-data" in changed(planned)[MADE]
    assert planned.commands[-1] == "supervisorctl -c /etc/supervisor/supervisord.conf update shop-worker"
    assert audit.judge(audit.look(str(root), apps=[APP], kind="host"), RULES).findings == ()
    assert plan(root).pieces == ()


def test_a_worker_on_another_connection_stays_and_the_default_gets_one(root: Path) -> None:
    """Nothing takes jobs off the default connection: that one is missing, whatever else runs."""
    queue = SOUND["var/www/shop/config/queue.php"].replace(
        "'connections' => [", "'connections' => ['database' => ['driver' => 'database', 'retry_after' => 90],"
    )
    other = SOUND[WORKER].replace("work redis", "work database")
    build(root, {WORKER: other, "var/www/shop/config/queue.php": queue})

    assert set(changed(plan(root))) == {MADE.replace(".conf", "-2.conf")}, "the name is taken"


@pytest.mark.parametrize(
    ("memory", "numbers", "become"),
    [
        ("3000000", (8, 4, 4), (4, 2, 2)),
        ("3000000", (2, 1, 1), (2, 1, 1)),
        ("700000", (8, 4, 4), (1, 1, 1)),
    ],
)
def test_the_profiles_sum_divides_what_the_memory_holds(
    root: Path, memory: str, numbers: tuple[int, ...], become: tuple[int, ...]
) -> None:
    """Where all workers together do not fit, they come down to what the sum gives, in the proportion they had."""
    programs = "".join(
        SOUND[WORKER]
        .replace("shop-worker", name)
        .replace("queue:work redis", f"queue:work redis --queue={name} --memory=1024")
        + f"numprocs={number}\nprocess_name=%(program_name)s_%(process_num)02d\n"
        for name, number in zip("abc", numbers, strict=True)
    )
    build(root, {WORKER: programs, "proc/meminfo": f"MemTotal:  {memory} kB\n", "proc/cpuinfo": "processor: 0\n" * 8})

    planned = plan(root)
    text = changed(planned)[WORKER]

    assert [line for line in text.splitlines() if line.startswith("numprocs=")] == [f"numprocs={one}" for one in become]
    assert text.count("--memory=128") == 3
    for name in "abc":
        assert f"--queue={name} " in text
    assert any("profile laravel" in note for note in planned.pieces[0].notes)
    assert planned.sums


def test_numbers_asked_for_take_effect_on_what_runs(root: Path) -> None:
    """--timeout, --memory and --numprocs are the caller's word, and the stop's patience follows."""
    build(root, {WORKER: RICH})

    text = changed(plan(root, timeout=70, memory=200, numprocs=3))[WORKER]

    assert "--timeout=70 --memory=200 --max-jobs=500" in text
    assert "numprocs=3" in text
    assert "process_name=%(program_name)s_%(process_num)02d" in text
    assert "stopwaitsecs=80" in text


@pytest.mark.parametrize(
    ("files", "told"),
    [
        pytest.param(
            {"etc/supervisor/conf.d/worker.conf.off": SOUND[WORKER], WORKER: Gone()}, None, id="a file of no effect"
        ),
        pytest.param(
            {
                WORKER: SOUND[WORKER].replace("/var/www/shop/artisan", "artisan"),
                "var/www/blog/artisan": "#!/usr/bin/env php\n",
                CRON: SOUND[CRON].replace("shop", "blog") + SOUND[CRON],
            },
            "may take its jobs",
            id="an app that cannot be told",
        ),
        pytest.param(
            {WORKER: Gone(), "etc/supervisord.d/x.ini": SOUND[WORKER]}, "nothing starts it", id="a program not included"
        ),
    ],
)
def test_nothing_is_added_beside_what_is_not_certain(root: Path, files: dict[str, Content], told: str | None) -> None:
    """A second worker would take jobs of another's queue, so doubt is left to a person; what has no effect is no doubt."""
    build(root, files)

    planned = plan(root)

    assert (MADE in changed(planned)) == (told is None)
    if told is not None:
        assert any(told in one for one in planned.by_hand), planned.by_hand


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "etc/systemd/system/shop-queue.service",
            (
                "[Service]\nUser=www-data\nExecStart=/usr/bin/php /var/www/shop/artisan queue:work redis --queue=high,default\n"
                "Restart=always\n[Install]\nWantedBy=multi-user.target\n"
            ),
        ),
        (
            "etc/cron.d/queue",
            "* * * * * www-data cd /var/www/shop && /usr/bin/php artisan queue:work --stop-when-empty\n",
        ),
    ],
)
def test_whatever_starts_a_worker_it_is_there(root: Path, path: str, text: str) -> None:
    """A unit of systemd, or a line of cron, takes the jobs as well: no program is added beside it."""
    build(root, {WORKER: Gone(), path: text})

    planned = plan(root)

    assert MADE not in changed(planned)
    assert path not in changed(planned)
    assert any("takes its jobs" in one for one in planned.stays), planned.stays


def test_no_sum_is_needed_for_what_runs(root: Path) -> None:
    """How much memory there is matters where workers are made or must shrink, and nowhere else."""
    build(root, {WORKER: RICH, "proc/meminfo": Gone(), "etc/logrotate.d/.keep": ""})
    assert list(changed(plan(root, profile="invoiceninja"))) == ["etc/logrotate.d/shop-queue", WORKER]

    (root / WORKER).unlink()
    with pytest.raises(UsageError, match="how much memory the host has is not known; name it with --host-memory"):
        plan(root)
    assert MADE in changed(plan(root, host_memory=2000))


def test_the_stop_of_what_runs_is_waited_for(root: Path) -> None:
    """supervisord stops it by what it read last: the longer of old and new counts, and a minute more."""
    build(root, {WORKER: RICH.replace("stopwaitsecs=10\n", "stopwaitsecs=500\nautorestart=false\n")})

    assert plan(root).patience == 560
    assert plan(root).groups == ("mails",)


def test_env_is_shown_and_written_on_demand_and_given_back(root: Path) -> None:
    """The exact lines are told; they are written with --write-env alone, and uninstalling gives back every byte."""
    ninja = {
        "var/www/shop/composer.json": '{"name": "invoiceninja/invoiceninja"}\n',
        ENV: "QUEUE_CONNECTION=redis # the fast one\nINTERNAL_QUEUE_ENABLED=true\nCACHE_STORE=redis",
    }
    build(root, {**ninja, "etc/logrotate.d/.keep": ""})
    before = texts(root)

    shown = plan(root, profile="invoiceninja")
    assert ENV not in changed(shown)
    assert shown.waits
    assert [one.line for one in shown.env] == ["INTERNAL_QUEUE_ENABLED=false", "EXPANDED_LOGGING=true"]

    planned = plan(root, profile="invoiceninja", with_env=True)
    install.write(planned)
    assert (root / ENV).read_text() == (
        "QUEUE_CONNECTION=redis # the fast one\nINTERNAL_QUEUE_ENABLED=false\nCACHE_STORE=redis\nEXPANDED_LOGGING=true\n"
    )
    assert plan(root, profile="invoiceninja", with_env=True).pieces == ()

    install.remove(install.removal(str(root), APP))
    assert texts(root) == before, "the line end that it did not have, too"


def test_a_link_to_somebody_elses_file_is_not_followed(root: Path) -> None:
    """The app's account may let its .env point anywhere; root writes only where that account could write itself."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a link of another account's")
    build(root, {ENV: Link("/etc/environment"), "etc/environment": "PATH=/usr/bin\n"})

    assert plan(root, profile="invoiceninja").env
    os.chown(root / ENV, 1234, 1234, follow_symlinks=False)
    planned = plan(root, profile="invoiceninja", with_env=True)

    assert "etc/environment" not in planned.texts
    assert ENV not in planned.texts
    assert any("is not followed" in one for one in planned.by_hand)


def test_jobs_that_run_at_once_get_a_queue_where_the_profile_names_one(root: Path) -> None:
    """InvoiceNinja's own default is sync: the setting is told, and the worker is made for the queue it names."""
    queue = SOUND["var/www/shop/config/queue.php"].replace(
        "'connections' => [",
        "'connections' => ['sync' => ['driver' => 'sync'], 'database' => ['driver' => 'database', 'retry_after' => 9000],",
    )
    build(root, {**BARE, ENV: "QUEUE_CONNECTION=sync\n", "var/www/shop/config/queue.php": queue})

    planned = plan(root, profile="invoiceninja", with_env=True)
    assert "queue:work database --queue=default,scout" in changed(planned)[MADE]
    assert "QUEUE_CONNECTION=database\n" in changed(planned)[ENV]

    told = plan(root)
    assert MADE not in changed(told)
    assert any("runs jobs at once and needs no worker" in one for one in told.by_hand)


def test_what_schedules_nothing_gets_no_scheduler(root: Path) -> None:
    """A line of cron that starts PHP every minute for nothing is none that is missing."""
    build(root, BARE)

    planned = plan(root, profile="bookstack")

    assert list(changed(planned)) == [MADE]
    assert "BookStack schedules no task, so no scheduler is added" in planned.stays


def test_the_command_shows_writes_and_takes_away(tmp_path: Path, root: Path) -> None:
    """Without --write nothing is written; the exit status is the audit's; uninstall tells before it does."""
    build(root, {**BARE, WORKER: RICH})
    before = texts(root)
    shown = run(tmp_path, "install", "host")
    assert texts(root) == before
    assert shown[0] == 0, shown
    assert "no findings" in shown[1]

    status, told, complained, _ = run(tmp_path, "install", "host", "--write")
    assert (status, complained) == (0, "")
    assert f"# backup: {root}/etc/supervisor/conf.d/.worker.conf.bak\n" in told
    assert f"# written: {root}/etc/cron.d/shop-scheduler\n" in told
    after = texts(root)

    assert run(tmp_path, "uninstall", "host", "--app", APP)[0] == 0
    assert texts(root) == after
    status, told, complained, _ = run(tmp_path, "uninstall", "host", "--app", APP, "--write")
    assert (status, complained) == (0, "")
    assert "# deleted: etc/cron.d/shop-scheduler\n" in told
    assert texts(root) == before
    status, _, complained, _ = run(tmp_path, "uninstall", "host", "--app", APP)
    assert status == 2
    assert "has installed nothing for var/www/shop here" in complained


def test_what_was_changed_since_stays_and_stays_on_record(tmp_path: Path, root: Path) -> None:
    """One file was edited, one deleted: both are refused with a sentence each; put back, they can be taken away."""
    build(root, {**BARE, WORKER: RICH})
    before = texts(root)
    install.write(plan(root))
    after = texts(root)
    (root / WORKER).write_bytes(after[WORKER] + b"; mine\n")
    (root / "etc/cron.d/shop-scheduler").unlink()

    status, told, complained, _ = run(tmp_path, "uninstall", "host", "--app", APP, "--write")

    assert (status, complained) == (1, "")
    assert told.splitlines()[0] == (
        f"# {WORKER} was changed since, and stays so; what it was before lies in etc/supervisor/conf.d/.worker.conf.bak"
    )
    assert (root / WORKER).read_bytes() == after[WORKER] + b"; mine\n"

    (root / WORKER).write_bytes(after[WORKER])
    install.remove(install.removal(str(root), APP))
    assert texts(root) == before


def test_a_second_app_has_a_record_of_its_own(root: Path) -> None:
    """Two apps on one host are installed and taken away apart."""
    build(root, BARE)
    shutil.copytree(root / APP, root / "var/www/blog")
    first = plan(root)
    install.write(first)
    alone = texts(root)
    second = install.plan(str(root), "var/www/blog", RULES, Wishes())
    assert set(changed(second)) == {"etc/supervisor/conf.d/blog-worker.conf", "etc/cron.d/blog-scheduler"}
    install.write(second)

    install.remove(install.removal(str(root), "var/www/blog"))

    assert texts(root) == alone


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ("{}", "it is not a manifest of ours"),
        ('{"app": "x", "profile": "y", "format": 7}', "it has the form 7"),
        ('{"app": "x", "profile": "y", "files": [{"path": "../etc/passwd", "sha256": ""}]}', "does not lie below"),
        (
            '{"app": "x", "profile": "y", "files": [{"path": "a", "sha256": "", "backup": "/etc/passwd"}]}',
            "does not lie",
        ),
    ],
)
def test_a_record_that_is_none_is_refused(root: Path, record: str, says: str) -> None:
    """A record that somebody else wrote deletes nothing."""
    build(root, BARE)
    install.write(plan(root))
    path = next((root / "var/lib/queue-auditor").iterdir())
    path.write_text(record)

    with pytest.raises(Exception, match=says):
        install.removal(str(root), APP)


def test_all_or_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the record cannot be written, no file is."""
    build(root, {**BARE, WORKER: RICH})
    before = texts(root)
    (root / "var/lib").write_bytes(b"")

    with pytest.raises(CannotMend, match="nothing was changed"):
        install.write(plan(root))

    (root / "var/lib").unlink()
    assert texts(root) == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--profile", "larvel"], "there is no profile “larvel”; did you mean “laravel”?"),
        (["--profile", "./no.yaml"], "./no.yaml: "),
        (["--user", "nobody-here"], "there is no account “nobody-here” on this host"),
        (["--user", "root"], "not to run as root"),
        (["--connection", "rabbit"], "config/queue.php has no connection “rabbit”; it has redis"),
        (["--app", "var/www"], "there is no Laravel app in var/www"),
        (["--apply"], "--apply goes with --write"),
        (["--apply", "--write"], "PATH is not its root"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, root: Path, arguments: list[str], says: str) -> None:
    """One sentence, exit status 2, and nothing is written."""
    build(root, BARE)
    before = texts(root)

    status, _, complained, _ = run(tmp_path, "install", "host", *arguments)

    assert status == 2
    assert says in complained
    assert texts(root) == before


def test_a_host_without_supervisor_is_told(root: Path) -> None:
    """The files are made where the distribution's package will look for them."""
    build(root, {**BARE, MAIN: Gone()})

    planned = plan(root)

    assert MADE in changed(planned)
    assert any("install supervisor" in one for one in planned.by_hand)


def test_containers_are_told_what_to_set(tmp_path: Path) -> None:
    """In a repository of containers nothing is written; what is missing, and what kills jobs, is told."""
    compose = (
        "services:\n  app:\n    image: invoiceninja/invoiceninja-debian:5\n    environment:\n      IS_DOCKER: 'true'\n"
        "  worker:\n    image: invoiceninja/invoiceninja-debian:5\n"
        "    command: php artisan queue:work redis --queue=mail --timeout=600\n"
    )
    build(tmp_path, {"docker-compose.yml": compose}, {})

    planned = install.plan(str(tmp_path), None, RULES, Wishes())

    assert planned.profile == "invoiceninja"
    told = "\n".join(planned.containers)
    assert "worker: stop_grace_period: 630s" in told
    assert "give one service, and one only, the command `php artisan schedule:work`" in told
    assert "environment: EXPANDED_LOGGING=true" in told
    assert "INTERNAL_QUEUE_ENABLED" not in told, "in its images the app schedules no worker of its own"
    assert "takes its jobs" not in told

    build(tmp_path, {"docker-compose.yml": compose.partition("  worker:")[0]}, {})
    told = "\n".join(install.plan(str(tmp_path), None, RULES, Wishes(host_memory=2000)).containers)
    assert "`php -d memory_limit=512M artisan queue:work --queue=default,scout" in told


def test_which_app_is_asked_where_there_are_several(root: Path) -> None:
    """With one app it need not be named; with two it must."""
    build(root, BARE)
    assert install.plan(str(root), None, RULES, Wishes()).app == APP
    shutil.copytree(root / APP, root / "var/www/blog")

    with pytest.raises(UsageError, match=r"there are var/www/blog, var/www/shop; name it with --app"):
        install.plan(str(root), None, RULES, Wishes())


def test_generate_makes_all_files_and_tells_what_already_runs(tmp_path: Path, root: Path) -> None:
    """Whole files from nothing, for a host to come or a repository; with them in place nothing is found."""
    build(root, {"etc/logrotate.d/.keep": "", "var/www/shop/storage/logs/.keep": ""})

    status, told, complained, _ = run(
        tmp_path, "generate", "host", "--app", APP, "--profile", "invoiceninja", "--timeout", "60", "--output", "out"
    )

    assert (status, complained) == (0, "")
    assert set(texts(tmp_path / "out")) == {MADE, "etc/cron.d/shop-scheduler", "etc/logrotate.d/shop-queue"}
    assert "# still to do: shop-worker already runs workers or the scheduler of this app; take it away first" in told
    assert "# timeout: 60 s, as asked" in told
    line = (tmp_path / "out/etc/cron.d/shop-scheduler").read_text().splitlines()[-1]
    assert line.endswith(" -d memory_limit=512M artisan schedule:run >> /var/www/shop/storage/logs/scheduler.log 2>&1")

    too_long = run(tmp_path, "generate", "host", "--app", APP, "--timeout", "85")
    assert too_long[0] == 2
    assert "--timeout 85 is not below retry_after − 10 s = 80 s" in too_long[2]
