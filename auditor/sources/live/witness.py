"""Facts whose every field was observed, but for those that could not be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from auditor.facts.origin import Fact, observed, unknown

F = TypeVar("F", bound=Fact)


def seen(kind: type[F], missing: Mapping[str, str], /, **values: Any) -> F:
    """A fact of these values, graded observed; `missing` maps a field to why it is unknown, whatever its value here."""
    marks = {name: observed() for name in values if name not in missing}
    marks |= {name: unknown(reason) for name, reason in missing.items()}
    return kind(marks=marks, **{name: value for name, value in values.items() if name not in missing})


def release(text: str) -> tuple[int, ...]:
    """The numbers that a version's text begins with: "10.11.6-MariaDB-0+deb12u1" is (10, 11, 6)."""
    numbers: list[int] = []
    for part in text.strip().split("."):
        digits = part[: next((at for at, c in enumerate(part) if c not in "0123456789"), len(part))]
        if not digits or len(digits) > 9 or len(numbers) == 4:
            break
        numbers.append(int(digits))
        if digits != part:
            break
    return tuple(numbers)
