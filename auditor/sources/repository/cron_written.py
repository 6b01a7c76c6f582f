"""Lines that a script gives to cron: what becomes of their variables, and whose they are."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PUT_IN = re.compile(r"(?<!\\)\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)[^{}]*\})")
_LISTS = re.compile(r"crontab\b[^|]*\s-l\b")


class CronWritten:
    """Lines given to cron: where they stand, whose they are, and the table they go to."""

    __slots__ = ("filled", "lines", "path", "user")

    def __init__(
        self, lines: list[tuple[int, str]], path: str | None, user: str | None, filled: frozenset[str] = frozenset()
    ) -> None:
        """See the fields."""
        self.filled = filled
        """Variables whose values the shell that writes the lines puts in, so that cron never sees their names."""
        self.lines = lines
        """Line number and text of each."""
        self.path = path
        """The table's path on the machine; None for `crontab -`, the user's own."""
        self.user = user
        """The account named, None for whoever runs the script."""

    def fill(self, values: Mapping[str, str]) -> None:
        """Put in those of the variables that are known."""
        known = {name: values[name] for name in self.filled if name in values}
        if known:
            self.lines = [
                (number, _PUT_IN.sub(lambda found: known.get(found[1] or found[2], found[0]), text))
                for number, text in self.lines
            ]


def put_in(text: str) -> frozenset[str]:
    """The variables of a text between double quotes, in whose place the shell that reads it puts their values."""
    return frozenset(found[1] or found[2] for found in _PUT_IN.finditer(text))


def user_of(text: str) -> str | None:
    """The account whose table a statement writes, by -u or by who runs it; None where none is named."""
    named = re.search(r"\bcrontab\s+(?:-\w\s+)*-u\s*[\"']?([^\s\"';|]+)", text) or re.search(
        r"\b(?:sudo\s+(?:-\w+\s+)*-u|gosu|su-exec|runuser\s+-u|su\s+(?:-\s+)?)\s*[\"']?([\w$.{}-]+)[\"']?\s[^|]*\bcrontab\b",
        text,
    )
    return named[1] if named else None


def is_piped_into_crontab(text: str) -> bool:
    """Whether a statement's last crontab is given a table, and does not list one."""
    at = text.rfind("crontab")
    return at >= 0 and "|" in text[:at] and _LISTS.match(text, at) is None
