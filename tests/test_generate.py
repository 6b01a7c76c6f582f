"""`generate` gives files that supervisor and cron take, to which no rule objects, and the sum behind them; or one sentence."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from auditor import audit
from auditor.sources.tree import Tree
from tests.bad_input.calling import run
from tests.bad_input.world import CRON, ENV, LOCK, MAIN, QUEUE, SOUND, WORKER, Content, Gone, build
from tests.supervisor.oracle import Oracle, pythons

APP = ("--app", "var/www/shop")
BARE: Mapping[str, Content] = {WORKER: Gone(), CRON: Gone()}
"""The sound host before anything runs its queue and its scheduler."""
TABLE = SOUND[QUEUE].replace(
    "'redis' => [\n            'driver' => 'redis',\n            'connection' => 'default',",
    "'database' => [\n            'driver' => 'database',\n            'table' => 'jobs',",
)
DATABASES = (
    "<?php return ['default' => env('DB_CONNECTION', 'mysql'), 'connections' => ["
    "'mysql' => ['driver' => 'mysql', 'database' => 'shop'], 'sqlite' => ['driver' => 'sqlite', 'database' => 'shop.sqlite']]];\n"
)
HORIZON = (
    "<?php return ['use' => 'default', 'defaults' => ['main' => ['connection' => 'redis', 'queue' => ['default'], "
    "'timeout' => %s, 'maxProcesses' => 1]], 'environments' => ['production' => ['main' => ['maxProcesses' => 4]]]];\n"
)
NINJA: Mapping[str, Content] = {
    "var/www/shop/VERSION.txt": "5.12.50",
    "var/www/shop/composer.json": '{"name": "invoiceninja/invoiceninja"}\n',
    "var/www/shop/config/ninja.php": "<?php return ['environment' => env('NINJA_ENVIRONMENT', 'selfhost')];\n",
    ENV: (
        "APP_ENV=production\nQUEUE_CONNECTION=redis\nCACHE_DRIVER=redis\nNINJA_ENVIRONMENT=selfhost\n"
        "INTERNAL_QUEUE_ENABLED=false\n"
    ),
    QUEUE: SOUND[QUEUE].replace("90", "4000"),
    "var/www/shop/storage/logs/.keep": "",
}


class Sound(NamedTuple):
    """One host, and what its files must say."""

    name: str
    """What it is."""
    files: Mapping[str, Content]
    """What differs from the bare host."""
    options: tuple[str, ...]
    """Further words of the command line."""
    runs: str
    """A part of the worker's command."""
    processes: int
    """numprocs."""
    sum: str
    """A part of the arithmetic that is told."""


HOSTS = (
    Sound("redis", {}, (), "artisan queue:work redis ", 4, "(7812 MiB of the host"),
    Sound(
        "jobs in a table",
        {QUEUE: TABLE, ENV: "APP_ENV=production\nQUEUE_CONNECTION=database\nCACHE_STORE=redis\n"},
        (),
        "artisan queue:work database ",
        2,
        "the jobs table: 2",
    ),
    Sound(
        "jobs in SQLite",
        {
            QUEUE: TABLE,
            ENV: "APP_ENV=production\nQUEUE_CONNECTION=database\nDB_CONNECTION=sqlite\nCACHE_STORE=redis\n",
            "var/www/shop/config/database.php": DATABASES,
        },
        (),
        "artisan queue:work database ",
        1,
        "SQLite takes one writer",
    ),
    Sound(
        "retry_after below a minute",
        {QUEUE: SOUND[QUEUE].replace("90", "45")},
        (),
        "--timeout=35 ",
        4,
        "45 s of retry_after",
    ),
    Sound("a small host", {"proc/meminfo": "MemTotal: 900000 kB\n"}, (), "queue:work", 1, "numprocs: 1, by memory"),
    Sound("a limited container", {"sys/fs/cgroup/memory.max": "943718400\n"}, (), "queue:work", 2, "900 MiB"),
    Sound(
        "Horizon",
        {"var/www/shop/config/horizon.php": HORIZON % 75, LOCK: SOUND[LOCK].replace("v10.48.0", "v11.31.0")},
        (),
        "artisan horizon",
        1,
        "stopwaitsecs",
    ),
    Sound("InvoiceNinja", NINJA, (), "--timeout=3600 ", 4, "300 of a job"),
    Sound(
        "as asked",
        {},
        ("--numprocs", "3", "--memory", "200", "--timeout", "70", "--user", "www-data", "--php", "/opt/php/bin/php"),
        "/opt/php/bin/php /var/www/shop/artisan queue:work redis ",
        3,
        "numprocs: 3, as asked",
    ),
)
"""Hosts that get what they need."""


@pytest.fixture(scope="module", params=pythons())
def supervisor(request: pytest.FixtureRequest) -> Iterator[Oracle]:
    """The real parser, of both releases."""
    oracle = Oracle(request.param)
    yield oracle
    oracle.close()


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, str]]:
    """For each host: its root with the generated files in place, and what was told."""
    found = {}
    for case in HOSTS:
        folder = tmp_path_factory.mktemp("generate")
        build(folder / "host", {**BARE, **case.files})
        status, told, complained, _ = run(folder, "generate", "host", *APP, *case.options, "--output", "host")
        assert (status, complained) == (0, ""), case.name
        found[case.name] = (folder / "host", told)
    return found


def files_of(root: Path, told: str) -> dict[str, str]:
    """The files that were written, by their path."""
    names = [line.rpartition("host/")[2] for line in told.splitlines() if line.startswith("# written: ")]
    return {name: (root / name).read_text() for name in names}


@pytest.mark.parametrize("case", HOSTS, ids=lambda case: case.name)
def test_no_rule_objects(case: Sound, generated: dict[str, tuple[Path, str]]) -> None:
    """With the files in place the host is as its sizing said, and no rule objects to anything but by a note."""
    root, told = generated[case.name]

    verdict = audit.judge(audit.look(str(root), kind="host"), audit.rulebook())

    assert [f"{f.rule}: {f.message}" for f in verdict.findings if f.severity != "note"] == []
    assert case.sum in told
    (program,) = (program for conf in audit.look(str(root), kind="host").confs for program in conf.programs)
    assert case.runs in f"{program.command} "
    assert program.numprocs == case.processes
    if case.processes == 1:
        assert "process_num" not in program.process_name
    assert "still to do" not in told


@pytest.mark.parametrize("case", HOSTS, ids=lambda case: case.name)
def test_supervisor_and_cron_take_them(
    case: Sound, generated: dict[str, tuple[Path, str]], supervisor: Oracle, tmp_path: Path
) -> None:
    """Supervisor's own parser finds the processes, and `crontab -n` nothing wrong."""
    root, told = generated[case.name]
    made = files_of(root, told)
    confs = {path: text for path, text in made.items() if path.startswith("etc/supervisor/")}
    tables = [text for path, text in made.items() if path.startswith("etc/cron.d/")]

    answer = supervisor.ask({MAIN: SOUND[MAIN], **confs}, MAIN)

    assert answer["refused"] is None
    assert len(confs) == len(tables) == 1
    (table,) = tables
    (tmp_path / "table").write_text(re.sub(r"(?m)^(\* \* \* \* \*) www-data ", r"\1 ", table))
    done = subprocess.run(["crontab", "-n", str(tmp_path / "table")], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("case", HOSTS, ids=lambda case: case.name)
def test_what_is_shown_is_what_is_written(case: Sound, generated: dict[str, tuple[Path, str]]) -> None:
    """Standard output holds each file whole, so that it can be read before it is written."""
    root, told = generated[case.name]

    for name, text in files_of(root, told).items():
        assert f"# file: /{name}\n{text}" in told


class Refused(NamedTuple):
    """One host or wish, and why nothing is generated."""

    name: str
    """What it is."""
    files: Mapping[str, Content]
    """What differs from the bare host."""
    options: tuple[str, ...]
    """Further words of the command line."""
    says: str
    """A part of the sentence."""


IDLE = SOUND[QUEUE].replace("'connections' => [", "'connections' => [\n        'sync' => ['driver' => 'sync'],")
REFUSED = (
    Refused("the memory is not known", {"proc/meminfo": Gone()}, (), "name it with --host-memory"),
    Refused("no account is known", {"etc/passwd": Gone()}, (), "account"),
    Refused("no such app", {}, ("--app", "var/www/nope"), "there is no such folder below the audited root"),
    Refused("no such connection", {}, ("--connection", "zz"), "config/queue.php has no connection “zz”"),
    Refused("no such profile", {}, ("--profile", "zz"), "there is no profile “zz”"),
    Refused("a path that no command line carries", {}, ("--php", "/opt/my php/bin/php"), "holds a character"),
    Refused("an account that is a command", {}, ("--user", "$(id)"), "no account “$(id)” on this host"),
    Refused("no job has time to end", {QUEUE: SOUND[QUEUE].replace("90", "5")}, (), "raise it first"),
    Refused("the queue is sync", {QUEUE: IDLE, ENV: "QUEUE_CONNECTION=sync\n"}, (), "needs no worker"),
    Refused("sync is asked for", {QUEUE: IDLE}, ("--connection", "sync"), "needs no worker"),
    Refused(
        "a timeout above retry_after", {}, ("--timeout", "300"), "--timeout 300 is not below retry_after − 10 s = 80 s"
    ),
    Refused("workers without number", {}, ("--numprocs", "0"), "--numprocs"),
    Refused("workers without end", {}, ("--numprocs", "1001"), "--numprocs"),
    Refused("no memory", {}, ("--memory", "1"), "--memory"),
    Refused(
        "a Horizon without a timeout",
        {"var/www/shop/config/horizon.php": HORIZON % 0},
        (),
        "a Horizon supervisor has no timeout",
    ),
)
"""What is refused, and in which words."""


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_refused(case: Refused, tmp_path: Path) -> None:
    """What cannot be generated rightly is not generated at all, with one sentence that says why."""
    build(tmp_path / "host", {**BARE, **case.files})

    status, told, complained, _ = run(tmp_path, "generate", "host", *APP, *case.options, "--output", "out")

    assert (status, told) == (2, "")
    assert complained.startswith("queue-auditor: ")
    assert complained.count("\n") == 1
    assert case.says in complained
    assert not (tmp_path / "out").exists()


def test_what_is_there_already_is_told(tmp_path: Path) -> None:
    """A worker of the same app that runs under another name is not run over: it is named, for a person to take away."""
    worker = SOUND[WORKER].replace("shop-worker", "jobs")
    build(tmp_path / "host", {CRON: Gone(), WORKER: worker})

    status, told, complained, _ = run(tmp_path, "generate", "host", *APP)

    assert (status, complained) == (0, "")
    assert "still to do: jobs already runs workers or the scheduler of this app" in told


def test_written_twice(tmp_path: Path) -> None:
    """A second time nothing is written; over another file, the old one is kept as a backup."""
    build(tmp_path / "host", BARE)
    first = run(tmp_path, "generate", "host", *APP, "--output", "out")
    (conf,) = (tmp_path / "out/etc/supervisor/conf.d").iterdir()
    text = conf.read_text()

    assert "# written: " in first[1]
    assert "# written: " not in run(tmp_path, "generate", "host", *APP, "--output", "out")[1]
    conf.write_text("[program:mine]\ncommand=/bin/true\n")
    told = run(tmp_path, "generate", "host", *APP, "--output", "out")[1]
    assert told.count("# written: ") == 1
    assert conf.read_text() == text
    assert (conf.parent / f".{conf.name}.bak").read_text() == "[program:mine]\ncommand=/bin/true\n"


def test_a_file_that_is_not_there_yet_is_looked_for(tmp_path: Path) -> None:
    """An include pattern takes in the file that is to be written, so that it is judged before it is; a dot file is none."""
    build(tmp_path / "host", BARE)
    planned = {
        "etc/supervisor/conf.d/new.conf": SOUND[WORKER].encode(),
        "etc/supervisor/conf.d/.x.conf": b"[program:x]\n",
    }

    (conf,) = audit.look(str(tmp_path / "host"), kind="host", overrides=planned).confs

    assert conf.files == (MAIN, "etc/supervisor/conf.d/new.conf")
    assert [program.name for program in conf.programs] == ["shop-worker"]
    tree = Tree(tmp_path / "host")
    assert tree.glob("etc/*/conf.d/[a-n]*.conf", also=planned) == ["etc/supervisor/conf.d/new.conf"]
    assert tree.glob("etc/*/conf.d/.*", also=planned) == ["etc/supervisor/conf.d/.x.conf"]
    assert tree.glob("etc/supervisor/supervisord.conf", also=[MAIN]) == [MAIN]
    assert tree.glob("etc/*", also=planned) == ["etc/hostname", "etc/passwd", "etc/supervisor"]
