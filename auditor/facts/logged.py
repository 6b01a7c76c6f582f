"""What an app's own log tells of the last day: records that mean something, by kind."""

from __future__ import annotations

from auditor.facts.origin import Fact, Seconds, derived


class LogEvents(Fact, frozen=True, kw_only=True):
    """The records of one kind in one log."""

    name: str = ""
    """The log's path below the audited root, before any rotation."""
    file: str = ""
    """The path of the file that was read: the one of that log which was last written to."""
    app: str = ""
    """The app whose log it is."""
    kind: str = ""
    """The kind of signature: "timeout", "redis-memory" …"""
    says: str = ""
    """What it means, as a clause."""
    severity: str = "note"
    """How bad it is: "error", "warning" or "note"."""
    remedy: str = ""
    """What a person can do, as sentences; "" where the table has no advice."""
    count: int = 0
    """How many there are of the last day, in the part that was read."""
    enough: bool = False
    """Whether as many of them came within as short a time as makes it worth telling."""
    age: Seconds = 0.0
    """How long ago the last one was written."""

    @derived("count")
    def told(self) -> str:
        """How many there are, as a sentence tells it."""
        return f"{self.count:,} record{'' if self.count == 1 else 's'}"

    @derived("remedy")
    def told_remedy(self) -> str:
        """What a person can do, whatever the table says of it."""
        return self.remedy or "Look at the record, and at what came before it."
