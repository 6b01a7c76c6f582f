"""The example hosts: what each must give. `python -m tests.examples` writes their expected files anew, to be read in a diff."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def names() -> list[str]:
    """Every example, by its folder's name."""
    return sorted(path.name for path in EXAMPLES.iterdir() if (path / "host").is_dir())


def report(name: str) -> tuple[str, int]:
    """What `audit` prints for a host with the arguments that stand beside it, and its exit status."""
    return _run("audit", f"examples/{name}/host", "--no-color", *arguments(name))


def arguments(name: str) -> list[str]:
    """The further arguments of an example's audit."""
    file = EXAMPLES / name / "arguments.txt"
    return file.read_text(encoding="utf-8").split() if file.is_file() else []


def database(name: str) -> tuple[Path, Path]:
    """An example's SQLite database, and the script that it is made of."""
    return next((EXAMPLES / name / "host").rglob("database.sqlite")), EXAMPLES / name / "database.sql"


def make_database(target: Path, script: Path) -> None:
    """Run a script into a new database."""
    target.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(target)) as made:
        made.executescript(script.read_text(encoding="utf-8"))


def fixed(name: str, folder: Path) -> tuple[str, int]:
    """What `fix --unsafe` prints for a host; the corrected files go below a folder."""
    told, status = _run("fix", f"examples/{name}/host", "--unsafe", "--no-color", "--output", str(folder))
    return "".join(line for line in told.splitlines(keepends=True) if not line.startswith("# written: ")), status


def banks(name: str) -> str:
    """What `bank` prints for a host, on the day of its data."""
    return _run("bank", f"examples/{name}/host", "--no-color", "--now", "2026-06-10T12:00:00Z")[0]


def installs() -> list[str]:
    """The examples on which an installation is shown."""
    return [name for name in names() if (EXAMPLES / name / "install.txt").is_file()]


def installed(name: str, folder: Path) -> tuple[str, int, dict[str, str]]:
    """What `install --write --write-env` prints for a copy of a host in a folder, its status, and the files it writes."""
    host = EXAMPLES / name / "host"
    shutil.copytree(host, folder / "host")
    told, status = _run("install", "host", "--write", "--write-env", "--no-color", folder=folder)
    made = {
        path: text
        for path, text in tree(folder / "host").items()
        if not path.endswith(".bak") and not path.startswith("var/lib/") and tree(host).get(path) != text
    }
    lines = told.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(("# written: ", "# backup: "))), status, made


def tree(folder: Path) -> dict[str, str]:
    """Every file below a folder, by its path."""
    if not folder.is_dir():
        return {}
    return {str(p.relative_to(folder)): p.read_text(encoding="utf-8") for p in sorted(folder.rglob("*")) if p.is_file()}


def _run(*words: str, folder: Path = EXAMPLES.parent) -> tuple[str, int]:
    path = os.pathsep.join([str(EXAMPLES.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-m", "auditor", *words],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    assert not done.stderr, done.stderr
    return done.stdout, done.returncode


def refresh() -> None:
    """Write what every example gives now."""
    for name in names():
        place = EXAMPLES / name
        if (place / "database.sql").is_file():
            make_database(*database(name))
        (place / "report.txt").write_text(report(name)[0], encoding="utf-8")
        if (place / "bank.txt").is_file():
            (place / "bank.txt").write_text(banks(name), encoding="utf-8")
        shutil.rmtree(place / "fixed", ignore_errors=True)
        (place / "fix.diff").write_text(fixed(name, place / "fixed")[0], encoding="utf-8")
    for name in installs():
        place = EXAMPLES / name
        shutil.rmtree(place / "installed", ignore_errors=True)
        with tempfile.TemporaryDirectory() as folder:
            told, _, made = installed(name, Path(folder))
        (place / "install.txt").write_text(told, encoding="utf-8")
        for path, text in made.items():
            (place / "installed" / path).parent.mkdir(parents=True, exist_ok=True)
            (place / "installed" / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    refresh()
