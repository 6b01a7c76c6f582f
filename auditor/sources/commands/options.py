"""What a worker makes of the options it is given: text in, numbers out, as PHP turns one into the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from auditor.facts.origin import NEVER
from auditor.patterns import late

# PHP takes a numeric string with white space around it where a number is wanted.
_NUMBER = late(r"\s*[+-]?(?:\d{1,18}(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?\s*")
_LIMIT = late(r"\s*([+-]?\d{1,18})")
_UNITS: Final = {"k": 1 / 1024, "m": 1.0, "g": 1024.0}


def number(text: str) -> float | None:
    """The number a text is for PHP, or None."""
    return float(text) if _NUMBER.fullmatch(text) else None


def _whole(text: str | None) -> int | None:
    """For an integer option: nothing and an empty text are 0, a fraction is cut off; None for what is no number."""
    if not text:
        return 0
    value = number(text)
    return None if value is None or abs(value) > 2**63 else int(value)


def _limit(text: str | None) -> float | None:
    """Seconds until something happens; 0 and less is never."""
    value = _whole(text)
    if value is None:
        return None
    return float(value) if value > 0 else NEVER


def _pause(text: str | None) -> float | None:
    """Seconds to sleep, fractions allowed; an empty text is no number for PHP's multiplication."""
    return 0.0 if text is None else number(text)


def _seconds(text: str | None) -> float | None:
    value = _whole(text)
    return None if value is None else float(value)


def _backoff(text: str | None) -> tuple[int, ...] | None:
    values = [_whole(part) for part in (text or "").split(",")]
    found = tuple(value for value in values if value is not None)
    return found if len(found) == len(values) else None


NUMBERS: Final[dict[str, tuple[str, Callable[[str | None], Any]]]] = {
    "timeout": ("timeout", _limit),
    "memory": ("memory", _seconds),
    "sleep": ("sleep", _pause),
    "rest": ("rest", _pause),
    "tries": ("tries", _whole),
    "backoff": ("backoff", _backoff),
    "delay": ("delay", _seconds),
    "max-jobs": ("max_jobs", _whole),
    "max-time": ("max_time", _limit),
    "stop-when-empty-for": ("stop_when_empty_for", _limit),
}
"""Option to the Command's field, and how its value is read; the reader gives None for what is no number."""

FLAGS: Final = {
    "once": "once",
    "stop-when-empty": "stop_when_empty",
    "daemon": "daemon",
    "force": "force",
    "json": "json",
}
"""Option without a value to the Command's field."""

TEXTS: Final = {"name": "name", "env": "environment", "environment": "horizon_environment"}
"""Option with a text to the Command's field."""

FIELDS: Final = {
    **{option: field for option, (field, _) in NUMBERS.items()},
    **FLAGS,
    **TEXTS,
    "queue": "queues",
    "verbose": "verbose",
    "quiet": "quiet",
}
"""Every option to the field that holds it."""


def memory_limit(text: str) -> float | None:
    """PHP's memory_limit in MiB: "512M", "1G", "-1" (NEVER), bytes without a unit; None for what is no number.

    PHP reads the leading digits, and of what follows only the last letter; it allows no less than 2 MiB.
    """
    match = _LIMIT.match(text)
    if match is None:
        return None
    value = int(match[1])
    if value < 0:
        return NEVER
    unit = _UNITS.get(text.rstrip()[-1].lower(), 1 / 1048576)
    return max(value * unit, 2.0)


def sleep_seconds(text: str) -> float | None:
    """What sleep(1) waits: "60", "0.5", "1m"; None for what it would not take."""
    factor = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(text[-1:], 0)
    value = number(text[:-1] if factor else text)
    return None if value is None else value * (factor or 1)
