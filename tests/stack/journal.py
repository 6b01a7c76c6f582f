"""What the application's jobs wrote down while they ran."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple


class Entry(NamedTuple):
    """One thing that happened."""

    event: str
    """start, end or failed of a job; tick of the schedule."""
    label: str
    """The job's name, as it was pushed."""
    time: float
    """Seconds since 1970, on the clock of the process that wrote it."""
    pid: int
    """That process, as its own host numbers it."""
    attempt: int
    """Which attempt of the job this is, from 1; 0 where there is none."""
    uid: int
    """The user it ran as."""


class Journal:
    """The journal of one application; read anew at every question."""

    def __init__(self, path: Path) -> None:
        """It need not exist yet."""
        self.path = path

    def entries(self, event: str | None = None, label: str | None = None) -> list[Entry]:
        """All entries, or those of one event or one job, in the order written."""
        if not self.path.is_file():
            return []
        # A line without its end is still being written.
        lines = self.path.read_text().splitlines(keepends=True)
        found = [Entry(**json.loads(line)) for line in lines if line.endswith("\n")]
        return [one for one in found if event in (None, one.event) and label in (None, one.label)]

    def starts(self, label: str | None = None) -> list[Entry]:
        """Where jobs were begun."""
        return self.entries("start", label)

    def ends(self, label: str | None = None) -> list[Entry]:
        """Where jobs came to their end."""
        return self.entries("end", label)

    def failures(self, label: str | None = None) -> list[Entry]:
        """Where jobs were given up for good."""
        return self.entries("failed", label)

    def ticks(self) -> list[Entry]:
        """Where the schedule ran."""
        return self.entries("tick")
