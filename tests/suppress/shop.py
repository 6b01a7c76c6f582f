"""A small repository with one program, and the audit of it as a user starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

CHECKOUT = Path(__file__).resolve().parents[2]
WORKER = """\
[program:mail-worker]
command=php /var/www/shop/artisan queue:work redis --timeout=120 --tries=3 --max-time=3600
autostart=true
autorestart=true
user=www-data
stopwaitsecs=30
redirect_stderr=true
stdout_logfile=/var/log/mail-worker.log
"""
"""One finding: a job may take 120 s, and supervisor waits for 30."""
RULE = "timeouts/stopwaitsecs-covers-timeout"


class Told(NamedTuple):
    """What a command printed."""

    status: int
    """Its exit status."""
    out: str
    """Its standard output."""
    err: str
    """Its standard error."""

    @property
    def report(self) -> dict[str, Any]:
        """Its output as a JSON report."""
        found: dict[str, Any] = json.loads(self.out)
        return found

    def rules(self, key: str = "findings") -> list[str]:
        """The rules of what it found, or ignored."""
        return [one["rule"] if key == "findings" else one["finding"]["rule"] for one in self.report[key]]


def run(folder: Path, *words: str, stdin: str = "", **environment: str) -> Told:
    """`queue-auditor` in a folder."""
    done = subprocess.run(
        [sys.executable, "-m", "auditor", *words],
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env={**_clean(), "PYTHONPATH": str(CHECKOUT), **environment},
    )
    return Told(done.returncode, done.stdout, done.stderr)


def audit(folder: Path, *words: str, **environment: str) -> Told:
    """Its audit of that folder, as JSON."""
    return run(folder, "audit", ".", "--format", "json", *words, **environment)


def git(folder: Path, *words: str) -> str:
    """Git in a folder, with an author of its own and no one's configuration."""
    done = subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        env={**_clean(), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
    )
    return done.stdout.strip()


def repository(folder: Path, **files: str) -> Path:
    """A git repository with these files committed: WORKER alone where none is given."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", "-b", "main")
    write(folder, **(files or {"worker.conf": WORKER}))
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "before")
    return folder


def write(folder: Path, **files: str) -> None:
    """Files by their path."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def _clean() -> dict[str, str]:
    ours = ("QUEUE_AUDITOR", "GITHUB_", "CI_", "GIT_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}
