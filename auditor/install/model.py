"""What an installation would do, told before anything is done."""

from __future__ import annotations

from pathlib import Path

import msgspec

from auditor.findings import Verdict
from auditor.remedies.env_edit import quoted


class Piece(msgspec.Struct, frozen=True):
    """One file of the installation."""

    path: str
    """Its path below the root."""
    before: bytes | None
    """What it holds, None where it is not there."""
    after: bytes
    """What it is to hold."""
    told: str
    """What it is, as a clause."""

    @property
    def changes(self) -> bool:
        """Whether there is anything to write."""
        return self.before != self.after


class Change(msgspec.Struct, frozen=True):
    """One setting of .env."""

    name: str
    """Its name."""
    now: str | None
    """What it is; None where it is not set."""
    wanted: str
    """What it is to be."""
    why: str
    """What for, as a clause."""

    @property
    def line(self) -> str:
        """The line of .env that says so."""
        return f"{self.name}={quoted(self.wanted)}"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an installation would do."""

    root: Path
    """The root on this machine."""
    app: str
    """The app's root folder."""
    profile: str = ""
    """The profile it follows."""
    found: tuple[tuple[str, str], ...] = ()
    """What was found and chosen: label, and value with its reason."""
    sums: tuple[str, ...] = ()
    """The arithmetic behind the numbers."""
    pieces: tuple[Piece, ...] = ()
    """Its files, changed or not."""
    env: tuple[Change, ...] = ()
    """The settings of .env that are not yet as they should be."""
    env_piece: Piece | None = None
    """The .env with them; None where it cannot be changed, or need not be."""
    with_env: bool = False
    """Whether it is to be written."""
    kept: tuple[str, ...] = ()
    """What already does the work, and stays."""
    by_hand: tuple[str, ...] = ()
    """What is left to a person, a sentence each."""
    conf: str = ""
    """The main file of the supervisord that runs its program; "" where none is seen."""
    group: str = ""
    """The group of its program."""
    patience: float = 60.0
    """Seconds that the running jobs of that group may take to end."""
    commands: tuple[str, ...] = ()
    """What is to be run afterwards, in order."""
    containers: tuple[str, ...] = ()
    """What to mount or set instead, where it runs in containers: then nothing is written."""
    after: Verdict = Verdict()
    """How it is judged with the files in place."""

    @property
    def changed(self) -> list[Piece]:
        """The files to write."""
        env = [self.env_piece] if self.env_piece is not None and self.with_env else []
        return [piece for piece in (*self.pieces, *env) if piece.changes]
