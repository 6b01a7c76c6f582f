"""Whatever it is given, the auditor ends soon, in little memory, in one clear sentence, and leaves everything as it was."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bad_input.calling import run
from tests.bad_input.cases import CASES, Case
from tests.bad_input.world import MAIN, SOUND, WORKER, Folder, build, snapshot

SECONDS = 10.0
"""Of the processor's time: no input takes more, on however busy a machine."""


def clear(complained: str) -> None:
    """What went wrong is one sentence of ours."""
    assert complained.startswith("queue-auditor: ")
    assert complained.rstrip("\n").count("\n") == 0
    assert complained.rstrip().endswith((".", "?"))
    assert len(complained) < 1000 + 5000 * ("x" * 100 in complained)


@pytest.fixture(autouse=True)
def unlocked(tmp_path: Path) -> Iterator[None]:
    """Let pytest clean up what a case locked."""
    yield
    for folder, folders, _ in os.walk(tmp_path):
        for name in folders:
            where = Path(folder, name)
            if not where.is_symlink():
                where.chmod(0o755)


def test_the_sound_host_is_sound(tmp_path: Path) -> None:
    """What every case starts from has no finding and nothing unread, so that what a case shows is its own."""
    build(tmp_path / "host", {})

    status, told, complained, _ = run(tmp_path, "audit", "host")

    assert (status, complained) == (0, ""), told
    assert "no findings in 1 program, 1 worker, 1 scheduler, 1 app" in told
    assert "not read" not in told


def test_the_table_is_long() -> None:
    """There are many ways to be broken."""
    assert len({case.name for case in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input(case: Case, tmp_path: Path) -> None:
    """It ends with its status, says what is wrong, in time and memory, and nothing audited has changed."""
    build(tmp_path / "host", case.files)
    before = snapshot(tmp_path)

    status, told, complained, seconds = run(tmp_path, *case.arguments, environment=case.environment)

    assert "Traceback" not in complained
    assert (status, complained if status != case.status else "") == (case.status, "")
    if status in (2, 3):
        clear(complained)
        assert case.says in complained
    else:
        assert complained == ""
        assert case.says in told
    assert seconds < SECONDS
    assert snapshot(tmp_path) == before
    assert "hunter2" not in told + complained


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.arguments == ("audit", "host") and not case.environment],
    ids=lambda case: case.name,
)
def test_mending_bad_input(case: Case, tmp_path: Path) -> None:
    """Nor does mending crash on it; without --write it changes nothing."""
    build(tmp_path / "host", case.files)
    before = snapshot(tmp_path)

    status, _, complained, seconds = run(tmp_path, "fix", "host", "--unsafe")

    assert status in (0, 2, 3), complained
    if complained:
        clear(complained)
    assert seconds < 3 * SECONDS
    assert snapshot(tmp_path) == before


FAULTY = SOUND[WORKER].replace("stopwaitsecs=100", "stopwaitsecs=10")


@pytest.mark.parametrize("arguments", [("audit", "host"), ("facts", "host"), ("rules",), ("fix", "host"), ("--help",)])
def test_closed_standard_output(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """A reader that has gone, as `| head -1` does, is no error, and an audit's status is still its verdict."""
    build(tmp_path / "host", {WORKER: FAULTY})
    read, write = os.pipe()
    os.close(read)
    try:
        status, _, complained, _ = run(tmp_path, *arguments, stdout=write)
    finally:
        os.close(write)

    assert (status, complained) == (1 if arguments[0] == "audit" else 0, "")


def test_full_standard_output(tmp_path: Path) -> None:
    """A report that does not reach the disk is an error."""
    build(tmp_path / "host", {})
    with Path("/dev/full").open("wb") as full:
        status, _, complained, _ = run(tmp_path, "audit", "host", stdout=full.fileno())

    assert (status, complained) == (2, "queue-auditor: standard output: no space left on device.\n")


@pytest.mark.parametrize(
    "moment", ["auditor.audit.judge", "auditor.audit.look", "auditor.cli.deliver.save"], ids=lambda moment: moment
)
def test_interrupted(moment: str, tmp_path: Path) -> None:
    """Ctrl-C ends it in one sentence, and an --output is whole or not there."""
    build(tmp_path / "host", {})
    before = snapshot(tmp_path)
    module, _, name = moment.rpartition(".")
    program = (
        # a shell's background job inherits an ignored SIGINT, which no terminal's Ctrl-C meets
        f"import importlib, signal; from auditor.cli import main; "
        f"signal.signal(signal.SIGINT, signal.default_int_handler); "
        f"setattr(importlib.import_module({module!r}), {name!r}, lambda *a, **k: signal.raise_signal(signal.SIGINT)); main()"
    )

    status, told, complained, _ = run(tmp_path, "audit", "host", "--output", "report", program=("-c", program))

    assert (status, told, complained.strip()) == (130, "", "queue-auditor: interrupted.")
    assert snapshot(tmp_path) == before


def test_fix_in_a_folder_nobody_may_write_to(tmp_path: Path) -> None:
    """It is refused before anything is written."""
    build(tmp_path / "host", {WORKER: FAULTY})
    (tmp_path / "host" / WORKER).parent.chmod(0o555)
    before = snapshot(tmp_path)

    status, told, complained, _ = run(tmp_path, "fix", "host", "--write")

    assert status == 2
    clear(complained)
    assert f"{WORKER}: it cannot be written: permission denied; nothing was changed" in complained
    assert "written" not in told
    assert snapshot(tmp_path) == before


def test_fix_of_two_files_of_which_one_cannot_be_written(tmp_path: Path) -> None:
    """Neither is."""
    other = "etc/supervisord.d/other.ini"
    build(
        tmp_path / "host",
        {
            MAIN: SOUND[MAIN].replace("conf.d/*.conf", "conf.d/*.conf /etc/supervisord.d/*.ini"),
            WORKER: FAULTY,
            other: FAULTY.replace("shop-worker", "other-worker").replace("--tries", "--queue=other --tries"),
        },
    )
    (tmp_path / "host" / other).parent.chmod(0o555)
    before = snapshot(tmp_path)

    status, _, complained, _ = run(tmp_path, "fix", "host", "--write")

    assert status == 2
    assert "nothing was changed" in complained
    assert snapshot(tmp_path) == before


def test_fix_of_a_file_that_somebody_else_changes_meanwhile(tmp_path: Path) -> None:
    """Their change is kept, ours is not made."""
    build(tmp_path / "host", {WORKER: FAULTY})
    program = (
        "from auditor import mend; from pathlib import Path; made = mend.plan\n"
        "def plan(*a, **k):\n"
        "    found = made(*a, **k)\n"
        f"    Path('host', {WORKER!r}).write_text('[program:mine]\\ncommand=/bin/true\\n')\n"
        "    return found\n"
        "mend.plan = plan\n"
        "from auditor.cli import main; main()"
    )

    status, _, complained, _ = run(tmp_path, "fix", "host", "--write", program=("-c", program))

    assert status == 2
    clear(complained)
    assert "changed by somebody else meanwhile" in complained
    assert (tmp_path / "host" / WORKER).read_text() == "[program:mine]\ncommand=/bin/true\n"
    assert [path.name for path in (tmp_path / "host" / WORKER).parent.iterdir()] == ["worker.conf"]


def test_fix_below_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """--output names where it fails."""
    build(tmp_path / "host", {WORKER: FAULTY, "../closed": Folder(0o555)})
    before = snapshot(tmp_path)

    status, _, complained, _ = run(tmp_path, "fix", "host", "--output", "closed/out")

    assert status == 2
    clear(complained)
    assert "permission denied" in complained
    assert snapshot(tmp_path) == before
