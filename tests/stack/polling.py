"""Waiting for a thing to happen, and saying what was seen when it does not."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

TAIL = 2000
"""Characters of each log that a failure shows."""
PATIENCE = 6
"""How many times as long as alone a machine may take on which others work too."""


class StackError(AssertionError):
    """A part of the real stack did not do what it was started for; the text says what and shows the logs."""


def until(condition: Callable[[], T], seconds: float, why: str, *logs: Path) -> T:
    """The first true value of `condition`, asked again and again for the `seconds` that a machine of our own may take.

    A busy machine is given PATIENCE times as long: to wait costs nothing where the thing happens.
    `why` is a clause: "the worker takes the job". Raises StackError with it and the tails of `logs`.
    """
    seconds *= PATIENCE
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise StackError(f"Within {seconds:g} s it did not come about that {why}.{tails(*logs)}")
        time.sleep(0.01)
    return value


def tails(*logs: Path) -> str:
    """The last part of each log that is there, each under its name."""
    shown = [f"\n--- {log} ---\n{log.read_text(errors='replace')[-TAIL:]}" for log in logs if log.is_file()]
    return "".join(shown)
