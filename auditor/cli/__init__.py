"""The command line: one thin module a command, each loaded only when it is called."""

from __future__ import annotations

import gc
import os
import sys

YOUNG = 200_000
"""Objects that are made before the collector looks for cycles: a small audit ends before, a large one is looked through
now and then."""


def main() -> None:
    """Answer one command line and end the process."""
    gc.set_threshold(YOUNG, 20, 20)
    try:
        answer()
    except SystemExit as end:
        _leave(end)
    _leave(SystemExit(0))


def answer() -> None:
    """Run the command line; `--version` alone answers before anything is imported. Raises SystemExit."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from auditor import __version__

        print(f"queue-auditor {__version__}")
        return
    try:
        from auditor.cli.commands import run

        run()
    except KeyboardInterrupt:
        print("queue-auditor: interrupted.", file=sys.stderr)
        sys.exit(130)


def _leave(end: SystemExit) -> None:
    """End without taking the interpreter apart object by object, which takes a sixth of a small audit.

    What is printed is out by then and every file is closed. A profiler or debugger that watches gets the usual end, and
    so does a stream that cannot be written to, of which Python itself tells.
    """
    if sys.getprofile() is not None or sys.gettrace() is not None or not isinstance(end.code, int):
        raise end
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        raise end from None
    os._exit(end.code)
