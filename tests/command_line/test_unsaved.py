"""A file as an editor holds it: judged before it is saved, by itself or among the others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from auditor.sources.tree import MAX_BYTES

TOP = Path(__file__).resolve().parents[2]
HOST = TOP / "examples/clean/host"
CONF = "etc/supervisor/conf.d/shop-worker.conf"
SAVED = (HOST / CONF).read_bytes()
EDITED = SAVED.replace(b"autorestart=true", b"autorestart=false")


def run(*words: str, typed: bytes, cwd: Path = TOP) -> subprocess.CompletedProcess[bytes]:
    """`queue-auditor audit` with an editor's buffer on standard input."""
    return subprocess.run(
        [sys.executable, "-m", "auditor", "audit", *words],
        input=typed,
        capture_output=True,
        cwd=cwd,
        check=False,
        env={"PYTHONPATH": str(TOP)},
    )


@pytest.mark.parametrize("name", [str(HOST / CONF), CONF, f"/{CONF}", f"examples/clean/host/{CONF}"])
def test_what_is_typed_stands_in_for_what_is_saved(name: str) -> None:
    """The fault that only the editor holds is found, however the file is named."""
    edited = run("--stdin-filename", name, str(HOST), typed=EDITED)
    assert (edited.returncode, b"processes/autorestart" in edited.stdout) == (1, True)
    assert run("--stdin-filename", name, str(HOST), typed=SAVED).returncode == 0
    assert (HOST / CONF).read_bytes() == SAVED


def test_a_file_that_is_not_saved_yet(tmp_path: Path) -> None:
    """A new file has a name and no content on disk; nothing is written."""
    found = run("--stdin-filename", "new/worker.conf", typed=EDITED, cwd=tmp_path)
    assert (found.returncode, b"worker.conf:7   autorestart=false" in found.stdout) == (1, True)
    assert list(tmp_path.iterdir()) == []


REFUSED = [
    (("--stdin-filename", "x.conf", "examples/clean/host/etc/passwd"), b"x", b"names a file of a folder"),
    (("--stdin-filename", "x.conf"), b"#" * (MAX_BYTES + 1), b"standard input: it is larger than 8 MiB"),
]


@pytest.mark.parametrize(("words", "typed", "says"), REFUSED, ids=[says.decode() for _, _, says in REFUSED])
def test_what_cannot_be_taken_in(words: tuple[str, ...], typed: bytes, says: bytes) -> None:
    """One sentence, and status 2."""
    refused = run(*words, typed=typed)
    assert (refused.returncode, says in refused.stderr) == (2, True), refused.stderr
