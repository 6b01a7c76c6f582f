"""Where a command runs: on this machine, or inside a host's own namespaces."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from typing import Protocol

from typing_extensions import override

from tests.stack.polling import PATIENCE, StackError
from tests.stack.processes import CLEAN


class Finished:
    """What a command that has ended gave back."""

    def __init__(self, exit_code: int, output: str) -> None:
        """Its exit code (negative for a signal), and its standard output and errors together."""
        self.exit_code = exit_code
        self.output = output

    @override
    def __repr__(self) -> str:
        """For a failed assertion."""
        return f"Finished({self.exit_code}, {self.output!r})"

    def must(self) -> str:
        """Its output; raises StackError unless it exited 0."""
        if self.exit_code != 0:
            raise StackError(f"It exited {self.exit_code}: {self.output}")
        return self.output


class Room(Protocol):
    """A place commands can be run in."""

    def command(
        self,
        words: Sequence[str],
        *,
        cwd: str = "/",
        user: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> list[str]:
        """The words that start `words` there: in that folder, as that user, with a clean environment and `env`."""


def start_words(words: Sequence[str], cwd: str, user: str | None, env: Mapping[str, str] | None) -> list[str]:
    """The words that set folder, user and environment before `words`."""
    variables = dict(CLEAN)
    if user is not None:
        variables |= {"HOME": "/var/www", "USER": user}
    variables |= env or {}
    switch = [] if user is None else ["/usr/bin/setpriv", "--reuid", user, "--regid", user, "--init-groups", "--"]
    # Switched first, so that the folder must be open to that user; then the environment, which the switch leaves alone.
    return [*switch, "/usr/bin/env", "-i", "-C", cwd, *(f"{k}={v}" for k, v in variables.items()), *words]


class Here:
    """This machine itself."""

    def command(
        self,
        words: Sequence[str],
        *,
        cwd: str = "/",
        user: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> list[str]:
        """See Room."""
        return start_words(words, cwd, user, env)


def run(
    room: Room,
    words: Sequence[str],
    *,
    cwd: str = "/",
    user: str | None = None,
    env: Mapping[str, str] | None = None,
    seconds: float = 20,
) -> Finished:
    """Run to the end there; raises StackError if that takes longer, as until() has it."""
    seconds *= PATIENCE
    command = room.command(words, cwd=cwd, user=user, env=env)
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            text=True,
            errors="replace",
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise StackError(f"It did not end within {seconds:g} s: {' '.join(words)}\n{error.stdout!r}") from None
    return Finished(done.returncode, done.stdout)
