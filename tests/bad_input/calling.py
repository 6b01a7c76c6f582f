"""The command line, called as a person calls it, with bounded memory and without root's rights over modes."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

BYTES = 1536 * 1024 * 1024
"""Address space, libraries included, that no input exhausts."""


def obey_modes() -> None:
    """In the child: bounded memory; and root loses the right to read and write what modes forbid."""
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def run(
    folder: Path,
    *arguments: str,
    environment: Mapping[str, str] = {},
    program: tuple[str, ...] = ("-m", "auditor"),
    stdout: int | None = None,
) -> tuple[int, str, str, float]:
    """One call from a folder: its status, what it printed and complained, and the processor's seconds it took.

    A busy machine makes a call wait, and not work more.
    """
    checkout = Path(__file__).resolve().parents[2]
    path = os.pathsep.join([str(checkout), *filter(None, [os.environ.get("PYTHONPATH")])])
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, *program, *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path, "LC_ALL": "C.UTF-8", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if stdout is None else stdout,
        stderr=subprocess.PIPE,
        preexec_fn=obey_modes,
        timeout=180,
        check=False,
    )
    told, complained = ((text or b"").decode("utf-8", "surrogateescape") for text in (done.stdout, done.stderr))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.returncode, told, complained, taken
