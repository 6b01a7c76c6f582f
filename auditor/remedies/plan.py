"""What mending would do: the files with their changes, and what is left to a person."""

from __future__ import annotations

from pathlib import Path

import msgspec

from auditor.findings import Bound, Verdict


class Ask(msgspec.Struct, frozen=True):
    """What someone asks of one program beside the rules: bounds join with those of the rules."""

    program: str
    """The program's name."""
    bound: Bound
    """The fact, and what it is to be."""
    by: str
    """Who asks, as a rule's id would stand there: "profile invoiceninja"."""


class Change(msgspec.Struct, frozen=True):
    """One fact that gets another value, and the rules that ask for it."""

    subject: str
    """The program it belongs to."""
    told: str
    """As it will be written: "stopwaitsecs=130"."""
    rules: tuple[str, ...]
    """The rules it satisfies."""
    unsafe: tuple[str, ...] = ()
    """Why it may change what the configuration means."""


class ByHand(msgspec.Struct, frozen=True):
    """What stays as it is, because no value satisfies all, or because it cannot be written with certainty."""

    subject: str
    """What it is about."""
    rules: tuple[str, ...]
    """The rules that ask for it."""
    reason: str
    """Why it is left, as a clause."""


class Corrected(msgspec.Struct, frozen=True):
    """One file, before and after."""

    path: str
    """Path below the audited root."""
    before: bytes | None
    """What it holds, None where it is new."""
    after: bytes
    """What it is to hold."""
    changes: tuple[Change, ...]
    """What was changed in it, and for which rules."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that mending would do."""

    root: Path
    """The audited root on this machine."""
    files: tuple[Corrected, ...] = ()
    """The files to write, by path."""
    by_hand: tuple[ByHand, ...] = ()
    """What is left to a person."""
    withheld: tuple[ByHand, ...] = ()
    """Unsafe changes that were not asked for."""
    before: Verdict = Verdict()
    """How the site was judged."""
    after: Verdict = Verdict()
    """How it would be judged once the files are written."""
