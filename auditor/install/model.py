"""What an installation would do, told before anything is done."""

from __future__ import annotations

from pathlib import Path

import msgspec

from auditor.remedies.env_edit import quoted
from auditor.remedies.plan import ByHand


class Piece(msgspec.Struct, frozen=True):
    """One file that changes."""

    path: str
    """Its path below the root."""
    before: bytes | None
    """What it holds, None where it is not there."""
    after: bytes
    """What it is to hold."""
    notes: tuple[str, ...]
    """What changes, and why, a line each."""


class Setting(msgspec.Struct, frozen=True):
    """One setting of .env that is not as it should be."""

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
    kind: str = "host"
    """As what the root is audited: "host", or "repository" for one of containers."""
    profile: str = ""
    """The profile it follows."""
    found: tuple[tuple[str, str], ...] = ()
    """What was found and chosen: label, and value with its reason."""
    sums: tuple[str, ...] = ()
    """The arithmetic behind the numbers; () where none was needed."""
    stays: tuple[str, ...] = ()
    """What does its work already, and what of it is not as the profile would have it, a sentence each."""
    pieces: tuple[Piece, ...] = ()
    """The files that change, the .env only where it is to be written."""
    env: tuple[Setting, ...] = ()
    """The settings of .env that are not yet as they should be."""
    env_piece: Piece | None = None
    """The .env with them; None where it cannot be changed, or need not be."""
    with_env: bool = False
    """Whether it is to be written."""
    by_hand: tuple[str, ...] = ()
    """What is left to a person, a sentence each."""
    left: tuple[ByHand, ...] = ()
    """What of that which runs already is not mended, by the rules that ask for it."""
    withheld: tuple[ByHand, ...] = ()
    """Changes of it that may alter what it means, and were not asked for."""
    conf: str = ""
    """The main file of the supervisord that runs its programs; "" where none is seen."""
    groups: tuple[str, ...] = ()
    """The groups of the programs that change."""
    patience: float = 60.0
    """Seconds that the running jobs of those groups may take to end."""
    commands: tuple[str, ...] = ()
    """What is to be run afterwards, in order."""
    containers: tuple[str, ...] = ()
    """What to mount or set instead, where it runs in containers: then nothing is written."""

    @property
    def texts(self) -> dict[str, bytes]:
        """The files as they will be, by path."""
        return {piece.path: piece.after for piece in self.pieces}

    @property
    def waits(self) -> bool:
        """Whether something is left to a person, whatever the audit says."""
        return bool(self.by_hand or (self.env and not (self.with_env and self.env_piece is not None)))
