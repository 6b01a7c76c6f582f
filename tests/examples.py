"""The example hosts: what each must give. `python -m tests.examples` writes their expected files anew, to be read in a diff."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def names() -> list[str]:
    """Every example, by its folder's name."""
    return sorted(path.name for path in EXAMPLES.iterdir() if (path / "host").is_dir())


def report(name: str) -> tuple[str, int]:
    """What `audit` prints for a host, and its exit status."""
    return _run("audit", f"examples/{name}/host", "--no-color")


def fixed(name: str, folder: Path) -> tuple[str, int]:
    """What `fix --unsafe` prints for a host; the corrected files go below a folder."""
    told, status = _run("fix", f"examples/{name}/host", "--unsafe", "--no-color", "--output", str(folder))
    return "".join(line for line in told.splitlines(keepends=True) if not line.startswith("# written: ")), status


def tree(folder: Path) -> dict[str, str]:
    """Every file below a folder, by its path."""
    if not folder.is_dir():
        return {}
    return {str(p.relative_to(folder)): p.read_text(encoding="utf-8") for p in sorted(folder.rglob("*")) if p.is_file()}


def _run(*words: str) -> tuple[str, int]:
    done = subprocess.run(
        [sys.executable, "-m", "auditor", *words], capture_output=True, text=True, cwd=EXAMPLES.parent, check=False
    )
    assert not done.stderr, done.stderr
    return done.stdout, done.returncode


def refresh() -> None:
    """Write what every example gives now."""
    for name in names():
        place = EXAMPLES / name
        (place / "report.txt").write_text(report(name)[0], encoding="utf-8")
        shutil.rmtree(place / "fixed", ignore_errors=True)
        (place / "fix.diff").write_text(fixed(name, place / "fixed")[0], encoding="utf-8")


if __name__ == "__main__":
    refresh()
