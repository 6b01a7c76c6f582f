"""Whole small hosts: each gives exactly its report and its corrected files."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from tests.examples import EXAMPLES, banks, database, fixed, installed, installs, make_database, names, report, tree


@pytest.mark.parametrize("name", names())
def test_report_is_as_expected(name: str) -> None:
    """An example's report is the one beside it, to the letter."""
    told, status = report(name)

    assert told == (EXAMPLES / name / "report.txt").read_text(encoding="utf-8")
    assert status == (0 if name == "clean" else 1)


@pytest.mark.parametrize("name", names())
def test_fixed_files_are_as_expected(name: str, tmp_path: Path) -> None:
    """The corrected files are those beside it, and the diff names each change's rule."""
    told, status = fixed(name, tmp_path)

    assert told == (EXAMPLES / name / "fix.diff").read_text(encoding="utf-8")
    assert tree(tmp_path) == tree(EXAMPLES / name / "fixed")
    assert status == 0


@pytest.mark.parametrize("name", installs())
def test_installed_files_are_as_expected(name: str, tmp_path: Path) -> None:
    """What an installation tells and writes is beside the example; only its audit's findings make it exit 1."""
    told, status, made = installed(name, tmp_path)

    assert told == (EXAMPLES / name / "install.txt").read_text(encoding="utf-8")
    assert made == tree(EXAMPLES / name / "installed")
    assert status == (0 if "\nno findings" in told else 1)


def test_a_clean_host_is_silent() -> None:
    """Nothing is found, skipped or changed on a host that is in order."""
    told, _ = report("clean")

    assert told.startswith("no findings")
    assert tree(EXAMPLES / "clean" / "fixed") == {}


def test_bank_feeds_are_as_expected() -> None:
    """What `bank` tells of an example's feeds is what lies beside it."""
    name = "invoiceninja-banks"

    assert banks(name) == (EXAMPLES / name / "bank.txt").read_text(encoding="utf-8")


def test_a_database_is_that_of_its_script(tmp_path: Path) -> None:
    """The SQLite database of an example holds what the script beside it says, and has nothing beside it."""
    kept, script = database("laravel-sqlite")
    make_database(tmp_path / "made.sqlite", script)

    dumps = []
    for path in (kept, tmp_path / "made.sqlite"):
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as read:
            dumps.append(list(read.iterdump()))
    assert dumps[0] == dumps[1]
    assert [path.name for path in kept.parent.iterdir()] == ["database.sqlite"]
