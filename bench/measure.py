"""What whole processes take: the processor's time and the memory that the kernel counts, so that a busy machine lies little."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
from typing import NamedTuple


class Taken(NamedTuple):
    """What one process took, those it waited for included."""

    seconds: float
    """Of the processor, user and system."""
    mebibytes: int
    """At most in memory."""


def taken(command: list[str], folder: str | None = None, limit: float | None = None) -> Taken | None:
    """One run, or None where it did not end within `limit` seconds of the clock.

    Ends the benchmark where it failed: what breaks off early is not fast. An audit's status is 1 where it finds something.
    """
    with tempfile.TemporaryFile() as complained:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=complained)
        watch = threading.Timer(limit, process.kill) if limit is not None else None
        if watch is not None:
            watch.start()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if watch is not None:
            watch.cancel()
            if process.returncode < 0:
                return None
        complained.seek(0)
        told = complained.read().decode(errors="replace")
    if process.returncode not in (0, 1) or told:
        sys.exit(f"{' '.join(command)[:200]} failed ({process.returncode}): {told[-500:]}")
    return Taken(used.ru_utime + used.ru_stime, used.ru_maxrss // 1024)


def in_turn(
    commands: dict[str, list[str]], rounds: int, folder: str | None = None, limit: float | None = None
) -> dict[str, Taken | None]:
    """The median of each, all run one after another in every round; None for what once did not end in time."""
    runs: dict[str, list[Taken | None]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            runs[name].append(taken(command, folder, limit))
    return {name: _median(found) for name, found in runs.items()}


def _median(found: list[Taken | None]) -> Taken | None:
    ended = [one for one in found if one is not None]
    if len(ended) < len(found):
        return None
    return Taken(statistics.median(one.seconds for one in ended), max(one.mebibytes for one in ended))
