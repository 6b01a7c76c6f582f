"""Every way the auditor can fail, each owning its one sentence.

AuditorError
├── UsageError          what was asked for makes no sense
├── Unreadable          a file or folder that exists cannot be taken in
├── RuleRefused         a rules file is not one the auditor can judge by
├── FactsRefused        a facts file is not one the auditor wrote
└── CannotMend          a corrected file would not say what was settled, so nothing is written
"""

from __future__ import annotations


class AuditorError(Exception):
    """The root of all: its text is one sentence a person can act on."""


class UsageError(AuditorError):
    """What was asked for makes no sense: exit 2."""


class Unreadable(AuditorError):
    """A file or folder that exists cannot be taken in."""

    def __init__(self, path: str, reason: str, line: int | None = None) -> None:
        """Name the place and why, as "etc/x.conf:3: reason."."""
        self.path = path
        """Where it lies, as a report shows it."""
        self.reason = reason
        """Why it cannot be read, without a full stop."""
        self.line = line
        """The line it fails at, from 1, or None for the whole file."""
        where = path if line is None else f"{path}:{line}"
        super().__init__(f"{where}: {reason}{'' if reason.endswith('?') else '.'}")


class RuleRefused(Unreadable):
    """A rules file is not one the auditor can judge by."""


class FactsRefused(Unreadable):
    """A facts file is not one the auditor wrote."""


class CannotMend(Unreadable):
    """A corrected file would not say what was settled, so nothing is written."""
