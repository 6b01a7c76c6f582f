"""Regular expressions that are compiled when they are first asked something: most of the auditor's many never are.

One run reads a few of the dialects it knows, and compiling all their patterns would take a good part of a small audit.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


class _Late:
    """Stands for a pattern; each method it is asked for is then its own attribute, as quick to reach as the pattern's."""

    def __init__(self, text: str | bytes, flags: int) -> None:
        self.__text = text
        self.__flags = flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(self.__text, self.__flags), name)  # re itself keeps what it has compiled
        setattr(self, name, found)
        return found


def late(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """As re.compile, at the first use."""
    return cast("re.Pattern[AnyStr]", _Late(text, flags))
