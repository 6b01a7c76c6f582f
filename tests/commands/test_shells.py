"""Whether a shell stays beside the program it starts, against the real dash and bash."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from auditor.dialects.command_edit import add_exec
from auditor.sources.commands import understand

SHAPES = [
    "{}",
    "exec {}",
    "cd / && {}",
    "cd / && exec {}",
    "cd /; {}",
    "cd /\n{}",
    "{};",
    "A=1 {}",
    "A=1 exec {}",
    "{} > /dev/null 2>&1",
    "exec {} > /dev/null 2>&1",
    "cd / && {} >> /dev/null",
    "{} | cat",
    "exec {} | cat",
    "{}; true",
    "{} && true",
    "false || {}",
    "true && cd / && {}",
    "({})",
    "(exec {})",
    "{{ {}; }}",
    "{{ exec {}; }}",
    "if true; then {}; fi",
    "if true; then exec {}; fi",
    "! {}",
    "trap : TERM; {}",
    "while true; do {}; done",
    "export A=1; {}",
    "cd / && {} # all day",
    "env A=1 {}",
]


def children(pid: int) -> list[int]:
    """The processes that this one started and that are still there."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []


def runs(pid: int, program: str) -> bool:
    """Whether the process is this program by now."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(program.encode() + b"\0")
    except OSError:
        return False


def really_stays(shell: str, text: str) -> bool:
    """Whether the shell is still there once the program it starts is."""
    process = subprocess.Popen(
        [shell, "-c", text], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if runs(process.pid, "sleep"):
                return False
            pending = children(process.pid)
            while pending:
                child = pending.pop()
                if runs(child, "sleep"):
                    return True
                pending.extend(children(child))
            os.sched_yield()
        pytest.fail("the program was never seen")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize("shape", SHAPES)
def test_shell_stays(shell: str, shape: str) -> None:
    """The shell stays in the fact where it stays in fact."""
    text = shape.format("php artisan queue:work")
    quoted = text.replace("'", "'\\''")
    command = understand(f"{shell} -c '{quoted}'", runner="execve")
    assert command.kind == "queue:work"
    assert not command.is_unknown("shell_stays")
    assert command.shell_stays is really_stays(shell, shape.format("sleep 30"))


@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize("shape", ["{}", "cd / && {}", "A=1 {}", "cd /; {} > /dev/null 2>&1", "trap : TERM; {}"])
def test_exec_makes_it_go(shell: str, shape: str) -> None:
    """With the exec that the edit adds, the real shell is gone."""
    artisan = f"{shell} -c '{shape.format('php artisan queue:work')}'"
    mended = add_exec(artisan)
    assert not understand(mended, runner="execve").shell_stays
    assert mended.startswith(f"{shell} -c '")
    text = mended.removeprefix(f"{shell} -c '").removesuffix("'").replace("php artisan queue:work", "sleep 30")
    assert not really_stays(shell, text)
