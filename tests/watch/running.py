"""A watch as a process: of a small host whose logs the test writes, telling a server of the test's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.stack.polling import tails, until
from tests.stack.processes import Child
from tests.suppress.shop import Told

CHECKOUT = Path(__file__).resolve().parents[2]
CLEAN_HOST = CHECKOUT / "examples" / "clean" / "host"
APP_LOG = "var/www/shop/storage/logs/laravel.log"
RECORD = "[2026-03-01 10:00:00] production.ERROR: Allowed memory size of 134217728 bytes exhausted, number {}\n"
HARMLESS = "[2026-03-01 10:00:00] production.INFO: all is well\n"


def command(*words: str) -> list[str]:
    """The words that start `queue-auditor watch`."""
    return [sys.executable, "-m", "auditor", "watch", *words]


def environment(**more: str) -> dict[str, str]:
    """A clean environment for it."""
    ours = ("QUEUE_AUDITOR", "FAKETIME", "LD_PRELOAD")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "PYTHONPATH": str(CHECKOUT), **more}


class Small:
    """A host's folder with nothing wrong in it, a state, and the output of the watches of it."""

    def __init__(self, folder: Path) -> None:
        """Lay it out."""
        self.root = folder / "host"
        shutil.copytree(CLEAN_HOST, self.root)
        self.log = self.root / APP_LOG
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.touch()
        self.state = folder / "state" / "watch.json"
        self.output = folder / "watch.output"
        self.url = folder / "hook.url"
        self.children: list[Child] = []

    def start(self, *words: str, live: bool = False) -> Child:
        """Start a watch, and wait until it has written its state."""
        before = self.state.stat().st_mtime_ns if self.state.exists() else 0
        child = Child(
            command(str(self.root), "--state", str(self.state), *(() if live else ("--no-live",)), *words),
            self.output,
            env=environment(),
        )
        self.children.append(child)

        def rounds() -> bool:
            child.must_run()
            return self.state.exists() and self.state.stat().st_mtime_ns > before

        until(rounds, 60, "the watch makes a round", self.output)
        return child

    def run(self, *words: str, **variables: str) -> Told:
        """Run a watch that ends by itself."""
        done = subprocess.run(
            command(str(self.root), "--state", str(self.state), "--no-live", *words),
            capture_output=True,
            text=True,
            check=False,
            env=environment(**variables),
            timeout=60,
        )
        return Told(done.returncode, done.stdout, done.stderr)

    def put(self, *numbers: int, whole: bool = True) -> None:
        """Write records into the app's log; where it is not `whole`, the last one may seem to be still written on."""
        with self.log.open("a") as file:
            file.write("".join(RECORD.format(number) for number in numbers) + (HARMLESS if whole else ""))

    def said(self) -> str:
        """What all watches printed."""
        return tails(self.output) if self.output.exists() else ""

    def end(self) -> None:
        """End what still runs."""
        for child in self.children:
            child.end()
