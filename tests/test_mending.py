"""Mending: the smallest change that satisfies the rules, in any file; written whole, or not at all."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from auditor import audit, mend
from auditor.bounds import settled
from auditor.cli import fix
from auditor.dialects.conf import lex, lines_with_ends
from auditor.errors import CannotMend
from auditor.facts.levers import LEVERS
from auditor.findings import Bound
from auditor.remedies import deliver as delivering
from auditor.remedies.deliver import Write, deliver
from auditor.remedies.plan import Corrected
from auditor.reports.diff import file_diff
from auditor.suppress.whole import Lived
from tests.bad_input.calling import run
from tests.bad_input.world import CRON, LOCK, MAIN, QUEUE, SOUND, WORKER, Gone, Locked, build
from tests.mending.hosts import hosts, repositories
from tests.supervisor.oracle import Oracle

RULES = audit.rulebook()
LIVED = Lived()
"""What comments ask to be left alone."""
SUPERVISORD = "etc/supervisor/supervisord.conf"
EDITS = {"connection", "queues", "exec", "join", "plain"}
"""Levers that change the command, and, with shell syntax taken out of it, what stands in place of that."""


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Oracle]:
    """The real parser."""
    oracle = Oracle()
    yield oracle
    oracle.close()


def texts(root: Path) -> dict[str, bytes]:
    """Every file, by path."""
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def confs(found: dict[str, bytes]) -> dict[str, str]:
    """What supervisor is asked about."""
    return {p: data.decode("utf-8", "surrogateescape") for p, data in found.items() if p.endswith(".conf")}


def touched(file: Corrected) -> set[tuple[str, str]]:
    """The options, by section, that the changes of a file may have touched."""
    names = {lever.name: lever for lever in LEVERS.values() if lever.kind == "setting"}
    found: set[tuple[str, str]] = set()
    for change in file.changes:
        option = change.told.partition("=")[0]
        alone = option in names and " and " not in change.told
        changed = [option] if alone else ["command", "directory", "stdout_logfile", "redirect_stderr"]
        found |= {(f"program:{change.subject}", name) for name in changed}
    return found


def untouched(data: bytes, options: set[tuple[str, str]]) -> list[str]:
    """The lines, with their ends, that belong to none of these options; the last one's end may be missing."""
    text = data.decode()
    lexed = lex(text)
    mine = {
        number
        for block in lexed.blocks
        for assignment in block.assignments
        if (block.name, assignment.name) in options
        for number in (assignment.line, *assignment.more)
    }
    return [line for number, line in enumerate(lines_with_ends(text), 1) if number not in mine]


def examples(share: int) -> int:
    """How many worlds are tried; the environment's N asks for a longer run."""
    return int(os.environ.get("N", str(share)))


INNOCENT_HOST = {
    "etc/supervisor/conf.d/shop.conf": (
        b"[program:schedule]\nstartretries=0\nstartsecs=0\ncommand=php /var/www/shop/current/artisan schedule:work\n"
    ),
    "var/spool/cron/crontabs/www-data": b"* * * * * php /var/www/shop/artisan schedule:run\n",
    "etc/cron.d/shop": b"*/5 * * * * www-data php /var/www/shop/artisan schedule:run",
}
"""Ending the last line of etc/cron.d/shop brings a second scheduler, and the program's startretries were blamed for it."""
INNOCENT_REPOSITORY = {
    "config/queue.php": (
        b"<?php\nreturn [\n'connections' => [\n'redis' => ['driver' => 'redis', 'block_for' => 120],\n'database' => [],\n],\n];\n"
    ),
    "composer.lock": b'{"packages": [{"name": "laravel/framework", "version": "v11.0.0"}]}',
    ".env": b"QUEUE_CONNECTION=redis\n",
    "docker/shop.conf": (
        b"[program:mail]\nstartretries=0\nstartsecs=0\n"
        b'command=php /srv/other/artisan queue:work sync --tries=2 --queue="high, default"\n'
    ),
}
"""Another connection brings another timeout, and startretries were blamed for it."""
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=examples(120), suppress_health_check=SLOW)
@given(found=hosts())
@example(found=INNOCENT_HOST)
def test_any_host(found: dict[str, bytes], supervisor: Oracle) -> None:
    """What was written is accepted, has nothing left to fix but what was named, and nothing else has changed."""
    mend_any(found, "host", supervisor)


@settings(max_examples=examples(40), suppress_health_check=SLOW)
@given(found=repositories())
@example(found=INNOCENT_REPOSITORY)
def test_any_repository(found: dict[str, bytes], supervisor: Oracle) -> None:
    """The same holds of what will be copied to hosts and into images."""
    mend_any(found, "repository", supervisor)


def mend_any(found: dict[str, bytes], kind: str, supervisor: Oracle) -> None:
    """Mend a world by everything we have, and look at it as supervisor, a reader of its diff, and we ourselves would."""
    root = Path(tempfile.mkdtemp())
    try:
        for path, data in found.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
        plan = mend.plan(str(root), RULES, unsafe=True, kind=kind, lived=LIVED)
        assert texts(root) == found, "planning writes nothing"
        fix._write(plan, None)
        after = texts(root)
        backups = {path for path in after if path.endswith(".bak")}
        assert set(after) - backups == set(found) | {file.path for file in plan.files}
        for file in plan.files:
            assert file.before == found.get(file.path)
            assert after[file.path] == file.after
            if file.path.endswith(".conf"):
                only_what_was_named_has_changed(file)
        unplanned = set(found) - {file.path for file in plan.files}
        assert all(after[path] == found[path] for path in unplanned)
        accepted_as_before(found, after, supervisor)
        verdict = audit.judge(audit.look(str(root), kind=kind), RULES)
        named = {(rule, left.subject) for left in plan.by_hand for rule in left.rules}
        lived = audit.live_with(verdict, audit.look(str(root), kind=kind), RULES, LIVED)
        left = [f"{f.rule} {f.subject}" for f in lived.findings if f.fixable and (f.rule, f.subject) not in named]
        assert left == []
        assert verdict == plan.after, "what was planned is what is judged once it is written"
        assert mend.plan(str(root), RULES, unsafe=True, kind=kind, lived=LIVED).files == ()
    finally:
        shutil.rmtree(root)


def only_what_was_named_has_changed(file: Corrected) -> None:
    """Every line that belongs to no option of the file's changes is as it was, to its end."""
    assert file.before is not None
    before, after = (untouched(each, touched(file)) for each in (file.before, file.after))
    assert [line.rstrip("\r\n") for line in before] == [line.rstrip("\r\n") for line in after]
    assert before[:-1] == after[:-1], "ends of lines stay"
    ends = {line[len(line.rstrip("\r\n")) :] for line in lines_with_ends(file.after.decode())}
    known = {line[len(line.rstrip("\r\n")) :] for line in lines_with_ends(file.before.decode())}
    assert ends <= {"", *known} | ({"\n"} if b"\n" not in file.before else set())


def accepted_as_before(before: dict[str, bytes], after: dict[str, bytes], supervisor: Oracle) -> None:
    """Whatever supervisor took, it takes."""
    for main in (SUPERVISORD,) if SUPERVISORD in before else [path for path in before if path.endswith(".conf")]:
        if supervisor.ask(confs(before), main)["refused"] is None:
            assert supervisor.ask(confs(after), main)["refused"] is None


bounds = st.builds(
    Bound,
    st.just("worker.timeout"),
    st.sampled_from(["at_least", "at_most"]),
    st.integers(-5, 200).map(float) | st.just(float("inf")),
)


@given(now=st.integers(0, 300).map(float), asked=st.lists(bounds, min_size=1, max_size=5), data=st.data())
def test_bounds_join_in_any_order(now: float, asked: list[Bound], data: st.DataObject) -> None:
    """The value does not depend on the order of rules, allows every one, and is the nearest that does."""
    value = settled("worker.timeout", now, asked)

    assert value == settled("worker.timeout", now, data.draw(st.permutations(asked)))
    low = max([1.0, *(float(b.value) for b in asked if b.operator == "at_least")])
    high = min([float("inf"), *(float(b.value) for b in asked if b.operator == "at_most")])
    if value is None:
        assert low > high or min(max(now, low), high) == float("inf") or now < 1
    else:
        assert low <= float(value) <= high
        assert value == min(max(now, low), high)


@pytest.mark.parametrize(
    ("fact", "now", "asked", "value"),
    [
        ("program.stopwaitsecs", 10.0, [("at_least", 90.5)], 91.0),
        ("worker.timeout", 100.0, [("at_most", 80.5)], 80.0),
        ("worker.timeout", 100.0, [("at_most", 80), ("at_least", 90)], None),
        ("worker.timeout", 100.0, [("at_most", 0)], None),
        ("worker.timeout", float("inf"), [("at_most", 80)], 80.0),
        ("program.stopwaitsecs", 10.0, [("at_least", float("inf"))], None),
        ("program.stopsignal", "KILL", [("exactly", "TERM"), ("exactly", "TERM")], "TERM"),
        ("program.stopsignal", "KILL", [("exactly", "TERM"), ("exactly", "QUIT")], None),
        ("program.numprocs", 0, [("exactly", 1), ("at_most", 4)], 1),
        ("program.numprocs", 0, [("exactly", 8), ("at_most", 4)], None),
        ("program.autorestart", "false", [("exactly", "true")], "true"),
    ],
)
def test_bounds_collide(
    fact: str, now: float | str, asked: list[tuple[str, float | str]], value: float | str | None
) -> None:
    """A bound is met in whole units on its safe side; where two collide there is no value."""
    assert settled(fact, now, [Bound(fact, operator, bound) for operator, bound in asked]) == value


def write(path: Path, after: bytes, before: bytes | None = None) -> Write:
    """One file to write."""
    return Write(path.name, path, before, after)


def test_mode_owner_and_backup(tmp_path: Path) -> None:
    """A file keeps its mode and owner, and so does its backup, which no include pattern and no cron takes."""
    path = tmp_path / "a.conf"
    path.write_bytes(b"old")
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 33, 34)
    owner = (path.stat().st_uid, path.stat().st_gid)

    backups = deliver([write(path, b"new", b"old")])

    assert path.read_bytes() == b"new"
    assert backups == [tmp_path / ".a.conf.bak"]
    assert backups[0].read_bytes() == b"old"
    for each in (path, backups[0]):
        assert stat.S_IMODE(each.stat().st_mode) == 0o640
        assert (each.stat().st_uid, each.stat().st_gid) == owner
    assert deliver([write(path, b"newer", b"new")]) == [tmp_path / ".a.conf.bak1"]
    assert sorted(each.name for each in tmp_path.iterdir()) == [".a.conf.bak", ".a.conf.bak1", "a.conf"]


def test_new_file(tmp_path: Path) -> None:
    """A file of ours that was not there can be written by its owner alone, as cron wants it, and has no backup."""
    path = tmp_path / "etc/cron.d/shop"

    assert deliver([write(path, b"new")]) == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("fails", ["stage", "backup", "replace"])
@pytest.mark.parametrize(
    "how", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full", "interrupted"]
)
def test_all_or_none(tmp_path: Path, fails: str, how: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the last of three files cannot be written, at whatever step, everything is as it was."""
    paths = [tmp_path / name for name in "abc"]
    for path in paths[:2]:
        path.write_bytes(b"old")
    writes = [write(paths[0], b"new", b"old"), write(paths[1], b"new", b"old"), write(paths[2], b"new")]
    real = {"stage": os.fsync, "backup": delivering._backup, "replace": os.replace}[fails]
    count = {"stage": 3, "backup": 2, "replace": 3}[fails]
    calls: list[object] = []

    def failing(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) == count:
            raise how
        return real(*arguments)  # type: ignore[operator]

    where = {"stage": (os, "fsync"), "backup": (delivering, "_backup"), "replace": (os, "replace")}[fails]
    monkeypatch.setattr(*where, failing)

    with pytest.raises(CannotMend if isinstance(how, OSError) else KeyboardInterrupt):
        deliver(writes)

    assert len(calls) >= count
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"old", "b": b"old"}


def test_somebody_elses_change_is_kept(tmp_path: Path) -> None:
    """A file that holds something else than what was judged is not overwritten, nor is one that has come meanwhile."""
    path = tmp_path / "a"
    path.write_bytes(b"theirs")

    for before in (b"old", None):
        with pytest.raises(CannotMend, match="changed by somebody else meanwhile"):
            deliver([write(path, b"new", before)])
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"theirs"]


FAULTY = SOUND[WORKER].replace("stopwaitsecs=100", "stopwaitsecs=10")
MENDED = SOUND[WORKER].replace("stopwaitsecs=100", "stopwaitsecs=90")


@pytest.mark.parametrize("target", ["../../../opt/site/worker.conf", "/opt/site/worker.conf"])
def test_a_link_stays_a_link(tmp_path: Path, target: str) -> None:
    """What a symlink of the audited root leads to is written, absolute links taken inside the root."""
    from tests.bad_input.world import Link

    build(tmp_path / "host", {WORKER: Link(target), "opt/site/worker.conf": FAULTY})

    status, told, complained, _ = run(tmp_path, "fix", "host", "--write")

    assert (status, complained) == (0, "")
    assert (tmp_path / "host" / WORKER).is_symlink()
    assert (tmp_path / "host/opt/site/worker.conf").read_text() == MENDED, told
    assert (tmp_path / "host/opt/site/.worker.conf.bak").read_text() == FAULTY


def test_fix_shows_and_writes(tmp_path: Path) -> None:
    """The diff is shown, --check tells by its status, --output writes elsewhere, --write in place; then all is well."""
    build(tmp_path / "host", {WORKER: FAULTY})
    before = texts(tmp_path)

    status, told, complained, _ = run(tmp_path, "fix", "host")
    assert (status, complained) == (0, "")
    assert told.splitlines() == [
        "# shop-worker: stopwaitsecs=90   timeouts/stopwaitsecs-covers-timeout",
        f"--- a/{WORKER}",
        f"+++ b/{WORKER}",
        "@@ -3,6 +3,6 @@",
        " user=www-data",
        " autostart=true",
        " autorestart=true",
        "-stopwaitsecs=10",
        "+stopwaitsecs=90",
        " redirect_stderr=true",
        " stdout_logfile=/var/log/supervisor/shop.log",
    ]
    assert run(tmp_path, "fix", "host", "--check")[:2] == (1, told)
    assert texts(tmp_path) == before

    status, _, complained, _ = run(tmp_path, "fix", "host", "--output", "out")
    assert (status, complained) == (0, "")
    assert texts(tmp_path) == before | {f"out/{WORKER}": MENDED.encode()}

    status, _, complained, _ = run(tmp_path, "fix", "host", "--write")
    assert (status, complained) == (0, "")
    assert (tmp_path / "host" / WORKER).read_text() == MENDED
    assert run(tmp_path, "fix", "host", "--check")[:2] == (0, "# nothing to change\n")
    assert run(tmp_path, "audit", "host")[0] == 0


@pytest.mark.parametrize("sign", ["", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_the_diff_is_a_patch(sign: str, tmp_path: Path) -> None:
    """Applied as a patch, the diff gives what --write writes, the missing end of a last line and odd signs included."""
    text = (
        FAULTY.replace("stopwaitsecs=10\n", "").rstrip("\n").replace("autostart=true\n", f"autostart=true\n;{sign}x\n")
    )
    build(tmp_path / "host", {WORKER: text})

    _, told, _, _ = run(tmp_path, "fix", "host")
    shutil.copytree(tmp_path / "host", tmp_path / "patched")
    done = subprocess.run(
        ["git", "apply"], cwd=tmp_path / "patched", input=told.encode(), capture_output=True, check=False
    )
    run(tmp_path, "fix", "host", "--write")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "patched" / WORKER).read_bytes() == (tmp_path / "host" / WORKER).read_bytes()


def test_the_diff_hides_secrets() -> None:
    """A line beside a change may hold a password."""
    before = b"[program:a]\nenvironment=DB_PASSWORD=hunter2\nstopwaitsecs=10\n"

    told = file_diff("a.conf", before, before.replace(b"10", b"90"), ["a: stopwaitsecs=90"])

    assert "hunter2" not in told
    assert "+stopwaitsecs=90\n" in told


def test_unsafe_changes_are_withheld_by_name(tmp_path: Path) -> None:
    """What may change the meaning is told, and done on --unsafe alone."""
    build(tmp_path / "host", {WORKER: SOUND[WORKER].replace("--timeout=80", "--timeout=95").replace("=100", "=200")})

    _, told, _, _ = run(tmp_path, "fix", "host")
    assert told.splitlines() == [
        (
            "# only with --unsafe: shop-worker: --timeout=80: jobs that take longer than 80 s are ended "
            "(timeouts/timeout-below-retry-after)"
        ),
        "# nothing to change",
    ]
    _, told, _, _ = run(tmp_path, "fix", "host", "--unsafe", "--write")
    assert "--timeout=80 --max-time" in (tmp_path / "host" / WORKER).read_text(), told


def test_the_main_file_is_mended_where_the_program_stands_in_it(tmp_path: Path) -> None:
    """An option is changed in the file whose assignment counts."""
    build(tmp_path / "host", {MAIN: SOUND[MAIN].replace("[include]\nfiles = /etc/supervisor/conf.d/*.conf\n", FAULTY)})
    (tmp_path / "host" / WORKER).unlink()

    run(tmp_path, "fix", "host", "--write")

    assert "stopwaitsecs=90" in (tmp_path / "host" / MAIN).read_text()


@pytest.mark.parametrize("shape", ["one file", "many files"])
def test_mending_takes_time_in_proportion(tmp_path: Path, shape: str) -> None:
    """Four times the programs take about four times as long: each file is rewritten once for each fact."""
    took = {}
    for count in (100, 400):
        programs = [
            FAULTY.replace("shop-worker", f"w{n}").replace("--tries", f"--queue=q{n} --tries") for n in range(count)
        ]
        whole = {WORKER: "\n".join(programs)}
        apart = {f"etc/supervisor/conf.d/w{n}.conf": text for n, text in enumerate(programs)}
        root = tmp_path / str(count)
        build(root, {WORKER: Gone(), **(whole if shape == "one file" else apart)})
        started = time.process_time()
        plan = mend.plan(str(root), RULES, kind="host")
        took[count] = time.process_time() - started
        assert sum(len(file.changes) for file in plan.files) == count
    assert took[400] < 10 * took[100]


def test_what_no_correction_brings_takes_none_back(tmp_path: Path) -> None:
    """A table that cron takes again shows what it hid; its lines are mended in the same go, and a second has nothing to do."""
    worker = "[program:{}]\ncommand=php /var/www/shop/artisan queue:work\n"
    table = "*/5 * * * * www-data php /var/www/shop/artisan schedule:run"
    build(
        tmp_path / "host",
        {WORKER: "".join(map(worker.format, ("one", "two"))), CRON: table, "etc/passwd": Gone()},
    )

    _, told, _, _ = run(tmp_path, "fix", "host", "--unsafe", "--write")

    assert (tmp_path / "host" / CRON).read_text() == SOUND[CRON]
    assert "by hand" not in told
    assert "scheduler/runs-as-other-user" in run(tmp_path, "audit", "host")[1]
    assert run(tmp_path, "fix", "host", "--unsafe", "--check")[:2] == (0, "# nothing to change\n")


def test_one_correction_for_two_rules(tmp_path: Path) -> None:
    """Where what one rule asks for satisfies another, the change names both, and neither is left to a person."""
    build(tmp_path / "host", {CRON: "# ours\r\n" + SOUND[CRON].rstrip("\n") + "\r\n1 2 * * * root /usr/bin/backup"})

    _, told, _, _ = run(tmp_path, "fix", "host")

    assert told.splitlines()[:2] == [
        f"# {CRON}:2: line ends put right   scheduler/cron-crlf",
        f"# {CRON}: line ends put right   scheduler/cron-no-newline",
    ]
    assert "by hand" not in told


def test_rules_that_undo_each_other(tmp_path: Path) -> None:
    """Somebody's rules may never settle: what they ask for is left to a person, and what others ask for is done."""
    flip = (
        "title: It flips\nseverity: note\nfor: program\nwhen: program.kind == 'program' and {when}\nthat: {that}\n"
        "message: It does not.\nfix: {{ {fix} }}\nrationale: None.\n"
        "examples: {{ good: [{{ program.startsecs: 0, program.autostart: false }}], bad: [{bad}] }}\n"
    )
    pairs = {
        "a": ("program.startsecs > 4", "program.autostart", "program.autostart: { exactly: true }"),
        "b": ("program.autostart", "program.startsecs <= 4", "program.startsecs: { at_most: 4 }"),
        "c": ("program.startsecs in [1, 4]", "not program.autostart", "program.autostart: { exactly: false }"),
        "d": ("not program.autostart", "program.startsecs not in [1, 4]", "program.startsecs: { at_least: 5 }"),
    }
    bad = {
        "a": "{ program.startsecs: 9, program.autostart: false }",
        "b": "{ program.startsecs: 9, program.autostart: true }",
        "c": "{ program.startsecs: 4, program.autostart: true }",
        "d": "{ program.startsecs: 4, program.autostart: false }",
    }
    rules = {
        f"../rules/own/{name}.yaml": flip.format(when=when, that=that, fix=fix, bad=bad[name])
        for name, (when, that, fix) in pairs.items()
    }
    build(tmp_path / "host", {WORKER: FAULTY, **rules})

    status, told, complained, _ = run(tmp_path, "fix", "host", "--rules", "rules", "--write")

    assert (status, complained) == (0, "")
    assert "# by hand: shop-worker: corrected, it would have to be corrected again and again (own/" in told
    assert (tmp_path / "host" / WORKER).read_text() == MENDED
    assert "# written" not in run(tmp_path, "fix", "host", "--rules", "rules", "--write")[1]


@pytest.mark.parametrize(
    ("before", "says"),
    [
        ("stopwaitsecs=%(ENV_WAIT)s", "stopwaitsecs follows the variable %(ENV_WAIT)s, which is set elsewhere"),
        ("stopwaitsecs=5%(ENV_WAIT)s ; as ops want it", "stopwaitsecs follows the variable %(ENV_WAIT)s"),
    ],
)
def test_a_variable_is_not_cut_off(before: str, says: str, tmp_path: Path) -> None:
    """What an environment decides is left to a person: a figure in its place would follow it no longer."""
    worker = FAULTY.replace("stopwaitsecs=10", before)
    image = "FROM php:8.2\nENV WAIT=7\nCOPY docker/worker.conf /etc/supervisor/conf.d/worker.conf\n"
    start = 'CMD ["supervisord", "-n", "-c", "/etc/supervisor/conf.d/worker.conf"]\n'
    build(tmp_path / "repository", {"docker/worker.conf": worker, "Dockerfile": image + start}, {"artisan": ""})

    _, told, complained, _ = run(tmp_path, "fix", "repository")

    assert complained == ""
    assert f"# by hand: shop-worker: {says}" in told
    assert "--- a/" not in told


def test_names_of_programs_are_told(tmp_path: Path) -> None:
    """A program that is called after secrets has none in its name: what changes is told; a value's secret is not."""
    build(tmp_path / "host", {WORKER: FAULTY.replace("shop-worker", "secret-token")})

    _, told, _, _ = run(tmp_path, "fix", "host")

    assert told.startswith("# secret-token: stopwaitsecs=90   timeouts/stopwaitsecs-covers-timeout\n")
    assert "hunter2" not in file_diff("a", b"", b"", ["secret-token: DB_PASSWORD=hunter2", "DB_PASSWORD=hunter2: why"])


def test_an_option_that_the_release_may_not_know(tmp_path: Path) -> None:
    """--max-time came with Laravel 8: where the release is not known, adding it may keep the worker from starting."""
    worker = SOUND[WORKER].replace(" --max-time=3600", "")
    build(tmp_path / "host", {WORKER: worker, LOCK: Gone()})
    build(tmp_path / "known", {WORKER: worker})

    assert (
        "# only with --unsafe: shop-worker: --max-time=3600: a Laravel older than 8" in run(tmp_path, "fix", "host")[1]
    )
    assert "# shop-worker: --max-time=3600   processes/no-recycling\n" in run(tmp_path, "fix", "known")[1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--check", "--write"), "--diff, --check and --write exclude one another"),
        (("--write", "--diff"), "--diff, --check and --write exclude one another"),
        (
            ("--write", "--output", "out"),
            "--output writes the files elsewhere, and goes with neither --check nor --write",
        ),
        (
            ("--check", "--output", "out"),
            "--output writes the files elsewhere, and goes with neither --check nor --write",
        ),
    ],
)
def test_wishes_that_exclude_one_another(arguments: tuple[str, ...], says: str, tmp_path: Path) -> None:
    """Whoever asks for two things that cannot both be done gets neither."""
    build(tmp_path / "host", {WORKER: FAULTY})
    before = texts(tmp_path)

    status, told, complained, _ = run(tmp_path, "fix", "host", *arguments)

    assert (status, told, complained) == (2, "", f"queue-auditor: {says}.\n")
    assert texts(tmp_path) == before


def test_output_over_what_is_there(tmp_path: Path) -> None:
    """Another file in its place is kept as a backup, the same one is left alone, and what is no file is not touched."""
    build(tmp_path / "host", {WORKER: FAULTY})
    mine = tmp_path / "out" / WORKER
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")

    assert run(tmp_path, "fix", "host", "--output", "out")[0] == 0
    assert (mine.read_text(), (mine.parent / ".worker.conf.bak").read_text()) == (MENDED, "mine")
    assert "# written" not in run(tmp_path, "fix", "host", "--output", "out")[1]
    mine.unlink()
    os.mkfifo(mine)
    status, _, complained, _ = run(tmp_path, "fix", "host", "--output", "out")
    assert (status, complained) == (2, f"queue-auditor: out/{WORKER}: there is something else than a file.\n")


def test_what_could_not_be_read_is_told(tmp_path: Path) -> None:
    """Nothing to change is a verdict on what was read: what was not is named, and where nothing is there that is told."""
    build(tmp_path / "host", {"etc/supervisor/conf.d/other.conf": Locked(FAULTY)})
    build(tmp_path / "closed", {WORKER: Gone(), CRON: Gone(), "var/www/shop/artisan": Gone(), MAIN: Locked(FAULTY)})
    (tmp_path / "empty").mkdir()

    assert run(tmp_path, "fix", "host")[:2] == (
        0,
        "# not read: etc/supervisor/conf.d/other.conf: permission denied\n# nothing to change\n",
    )
    assert run(tmp_path, "fix", "closed", "--as", "host")[0] == 2
    status, _, complained, _ = run(tmp_path, "fix", "empty")
    assert (status, complained[:50]) == (3, "queue-auditor: there is nothing to audit in empty:")


def test_paths_are_told(tmp_path: Path) -> None:
    """A path that is called after secrets hides nothing of why it cannot be taken in."""
    assert run(tmp_path, "fix", "etc/passwd.json")[2] == "queue-auditor: etc/passwd.json: it does not exist.\n"
    assert run(tmp_path, "audit", "secret")[2] == "queue-auditor: secret: it does not exist.\n"


def test_what_the_innocent_was_blamed_for_is_tried_again(tmp_path: Path) -> None:
    """A correction taken back for a warning that is there all the same may itself have been needed by another."""
    worker = "[program:{}]\ncommand=php /var/www/shop/artisan queue:work {}\n".format
    confs = [
        worker("one", "--tries=0 --timeout=0 --sleep=90"),
        worker("two", "") + "user=www-data\nautorestart=true\nstdout_logfile=/var/log/w.log\nstopwaitsecs=3723\n",
        worker("three", "--tries=0 >> /var/log/w.log 2>&1"),
    ]
    app = {"artisan": "", ".env": "", "composer.lock": SOUND[LOCK], "composer.json": '{"name": "laravel/laravel"}'}
    queue = SOUND[QUEUE].replace("90", "30").replace("'database'", "'redis'")
    build(tmp_path / "app", {**app, "config/queue.php": queue, "docker/a.conf": "".join(confs)}, {})

    _, told, _, _ = run(tmp_path, "fix", "app", "--unsafe", "--write")

    assert "--tries=3 --timeout=20 --sleep=10" in (tmp_path / "app/docker/a.conf").read_text(), told
    assert run(tmp_path, "fix", "app", "--unsafe", "--check")[0] == 0
