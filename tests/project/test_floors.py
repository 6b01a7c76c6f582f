"""The house keeps its floors: import-linter's contracts in pyproject.toml hold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LINTER = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """import-linter's verdict on the auditor package in `folder`, by the contracts in its pyproject.toml."""
    return subprocess.run(
        [sys.executable, "-c", LINTER, "--no-cache", "--no-logo"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_nothing_imports_upward(checkout: Path) -> None:
    """No module imports from a higher floor, no room from its neighbour, and every module has a floor."""
    verdict = lint(checkout)

    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


def test_an_upward_import_is_noticed(checkout: Path, tmp_path: Path) -> None:
    """The contracts do bite: a copy of the house whose errors import its findings is refused."""
    (tmp_path / "pyproject.toml").write_bytes((checkout / "pyproject.toml").read_bytes())
    for source in (checkout / "auditor").rglob("*.py"):
        copy = tmp_path / source.relative_to(checkout)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(source.read_bytes())
    with (tmp_path / "auditor" / "errors.py").open("a", encoding="utf-8") as file:
        file.write("\nimport auditor.findings\n")

    verdict = lint(tmp_path)

    assert verdict.returncode == 1
    assert "auditor.errors is not allowed to import auditor.findings" in verdict.stdout
