"""Telling supervisord of a changed configuration, by its own supervisorctl: the one program that is ever started here.

Its words are fixed but for the configuration's path and the names of groups, which come from files that were just
written. Nothing audited is run.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

from auditor.errors import UsageError
from auditor.remedies.template import word

PLACES = ("/usr/bin/supervisorctl", "/usr/local/bin/supervisorctl", "/bin/supervisorctl")
"""Where packages and pip put it; a PATH that somebody set is not asked."""
REREAD_SECONDS = 30.0
"""Rereading takes no longer, or supervisord does not answer."""


class Told(msgspec.Struct, frozen=True):
    """What one call of supervisorctl said."""

    command: str
    """The call, as a shell would take it."""
    output: str
    """What it printed."""
    done: bool
    """Whether it ended, and with 0."""


def find() -> str:
    """Where supervisorctl lies; raises UsageError where there is none."""
    program = next((place for place in PLACES if Path(place).is_file()), None)
    if program is None:
        raise UsageError("there is no supervisorctl on this machine; install supervisor, then run this again")
    return program


def supervisorctl(conf: str, groups: Sequence[str], patience: float) -> list[Told]:
    """Reread the configuration, and update these groups alone; raises UsageError where there is no supervisorctl.

    `patience` is how many seconds running jobs may take to end: supervisorctl waits for them, and must not be cut off
    between the stop of a group and its start.
    """
    program = find()
    names = [word(group, "the group", conf) for group in groups]
    base = [program, "-c", f"/{conf}"]
    told = [_run([*base, "reread"], REREAD_SECONDS)]
    if told[0].done and "ERROR" not in told[0].output:
        told.append(_run([*base, "update", *names], patience))
    return told


def _run(words: list[str], seconds: float) -> Told:
    command = " ".join(words)
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
            env={"LC_ALL": "C.UTF-8"},
        )
    except subprocess.TimeoutExpired:
        return Told(command, f"it did not end within {seconds:.0f} s; run it again by hand", done=False)
    except OSError as problem:
        return Told(command, f"it cannot be started: {problem.strerror}", done=False)
    output = (done.stdout + done.stderr).decode("utf-8", "replace").strip()
    return Told(command, output, done.returncode == 0 and "ERROR" not in output and "error:" not in output)
