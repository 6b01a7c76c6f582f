"""What a watch knows from one round to the next, in one small file: written whole or not at all, held by one watch.

How far each log is read, which problems are open, and which messages are still to be sent stand in the same file. So a
watch that is killed at any moment goes on from its last whole round: no line is lost or told twice, and a message that
was made is sent, at least once and always under the same id.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from typing import IO

import msgspec

from auditor.errors import UsageError
from auditor.sources.logs.follow import Log
from auditor.watch.events import Events
from auditor.watch.outbox import Outbox
from auditor.watch.problems import Track
from auditor.watch.trends import Sample, Starts
from auditor.writing import replace

VERSION = 1
"""Of this shape; a file of another one is begun anew."""
MOST_BYTES = 32 * 1024 * 1024
"""A larger file is none of ours."""


class State(msgspec.Struct):
    """All of it."""

    version: int = VERSION
    """Of this shape."""
    site: str = ""
    """The folder that is watched."""
    rounds: int = 0
    """Rounds that were made."""
    last: float = 0.0
    """When the last round was made, in seconds since 1970."""
    logs: dict[str, Log] = {}
    """Path of a log to how far it was read."""
    events: dict[str, Events] = {}
    """What the logs told, by log and kind of signature."""
    tracks: dict[str, Track] = {}
    """Every problem that is there, or was within the last hour."""
    queues: dict[str, list[Sample]] = {}
    """The last sizes of each queue."""
    starts: dict[str, Starts] = {}
    """The last starts of each supervised process."""
    outbox: Outbox = msgspec.field(default_factory=Outbox)
    """What is still to be sent."""


def default_path(site: str) -> str:
    """Where the state of a watch lies: where systemd says, in /var/lib for root, in the user's own folder otherwise."""
    home = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    folder = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if not folder:
        folder = os.path.join("/var/lib" if os.geteuid() == 0 else home, "queue-auditor")
    whole = os.path.realpath(site)
    mark = "" if whole == "/" else f"-{hashlib.blake2b(os.fsencode(whole), digest_size=4).hexdigest()}"
    return os.path.join(folder, f"watch{mark}.json")


class StateFile:
    """The file, held by us alone until we end: the lock is the kernel's, so it does not outlive a kill."""

    def __init__(self, path: str) -> None:
        """Take it; raises UsageError where another watch has it, or where its folder cannot be written in."""
        self.path = path
        folder = os.path.dirname(path) or "."
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            self._lock: IO[bytes] = open(f"{path}.lock", "ab")  # noqa: SIM115 - it is held until the end
        except OSError as problem:
            raise UsageError(f"the state {path} cannot be kept: {(problem.strerror or str(problem)).lower()}") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise UsageError(f"another watch is running on the state {path}; name another one with --state") from None

    def load(self, site: str) -> tuple[State, str]:
        """The state, and why it is begun anew: a clause, "" where it is not, or where there has been none."""
        fresh = State(site=site)
        try:
            with open(self.path, "rb") as stream:
                data = stream.read(MOST_BYTES + 1)
        except FileNotFoundError:
            return fresh, ""
        except OSError as problem:
            raise UsageError(f"the state {self.path} cannot be read: {(problem.strerror or '').lower()}") from None
        try:
            version = msgspec.json.decode(data, type=_Versioned).version
            if version != VERSION:
                return fresh, f"the state {self.path} is of version {version}, not {VERSION}"
            found = msgspec.json.decode(data, type=State)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return fresh, f"the state {self.path} is damaged"
        if found.site != site:
            return fresh, f"the state {self.path} is that of {found.site}"
        return found, ""

    def save(self, state: State) -> None:
        """Write it whole; raises OSError, and leaves the last one as it was, where it cannot be."""
        replace(self.path, msgspec.json.encode(state), mode=0o600)

    def close(self) -> None:
        """Let another watch have it."""
        self._lock.close()


class _Versioned(msgspec.Struct):
    version: int


def copied(state: State) -> State:
    """One of its own: a round that fails has changed nothing."""
    return msgspec.json.decode(msgspec.json.encode(state), type=State)
