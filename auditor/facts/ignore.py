"""What a comment in an audited file asks the auditor to leave alone."""

from __future__ import annotations

import msgspec


class Ignore(msgspec.Struct, frozen=True, omit_defaults=True):
    """One comment, `queue-auditor: ignore[…] reason until=YYYY-MM-DD`, and the lines it speaks for."""

    file: str
    """Path relative to the audited root."""
    line: int
    """Line of the comment, from 1."""
    text: str
    """That line as written, secrets hidden."""
    first: int
    """First line it speaks for; 0 where it opens its file and so speaks for the file as a whole too."""
    last: int
    """Last line it speaks for."""
    names: tuple[str, ...] = ()
    """The rules and groups it names."""
    reason: str = ""
    """Why, in its author's words."""
    until: str = ""
    """The last day it holds, as YYYY-MM-DD; "" where it has no end."""
    fault: str = ""
    """Why it cannot be followed, as a clause; "" where it can."""

    def covers(self, file: str, line: int | None) -> bool:
        """Whether it speaks for this place; a place without a line is its file as a whole."""
        return file == self.file and self.first <= (line or 0) <= self.last
