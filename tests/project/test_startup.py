"""Starting costs little: what is heavy is imported by the function that needs it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import auditor

PROGRAM = """
import sys
from auditor.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print(*sorted(sys.modules), file=sys.stderr)
"""


def call(checkout: Path, *arguments: str) -> tuple[str, set[str]]:
    """What one call of the command prints, and every module loaded at its end."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, set(done.stderr.split())


def test_version_imports_next_to_nothing(checkout: Path) -> None:
    """`--version` answers before click, or any room of the house, is imported."""
    told, loaded = call(checkout, "--version")

    assert told == f"queue-auditor {auditor.__version__}\n"
    assert not {"click", "msgspec", "ast", "typing"} & loaded
    assert {name for name in loaded if name.startswith("auditor")} <= {"auditor", "auditor.cli"}


def test_help_imports_nothing_heavy(checkout: Path) -> None:
    """`--help` loads none of the libraries that pyproject.toml keeps out of the modules' top level."""
    with (checkout / "pyproject.toml").open("rb") as file:
        imports = tomllib.load(file)["tool"]["ruff"]["lint"]["flake8-tidy-imports"]
    heavy = set(imports["banned-module-level-imports"]) - {"inspect"}  # click's own

    told, loaded = call(checkout, "--help")

    assert told.startswith("Usage: queue-auditor")
    assert not heavy & loaded
