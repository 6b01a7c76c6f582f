"""Starting costs little: what is heavy is imported by the function that needs it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import auditor

PROGRAM = """
import sys
from auditor.cli import answer
try:
    answer()
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


def test_a_profiler_sees_the_end(checkout: Path) -> None:
    """A profiler's report is written: only where nothing watches does the process end at once."""
    done = subprocess.run(
        [sys.executable, "-m", "cProfile", "-m", "auditor", "--version"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "function calls" in done.stdout


def test_an_audit_imports_only_what_it_needs(checkout: Path) -> None:
    """With the rules compiled, a small audit loads no YAML, no template, no path objects and no OpenSSL."""
    words = ("audit", "examples/horizon/host", "--fail-on", "never")
    call(checkout, *words)  # in a fresh checkout this one compiles the rules

    told, loaded = call(checkout, *words)

    assert "3 errors" in told
    assert not {"ruamel", "jinja2", "pathlib", "hashlib", "importlib.resources", "difflib"} & loaded
