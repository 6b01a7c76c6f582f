"""Bounds joined: what several rules ask of one fact, as the one value that is nearest to what it holds now.

Bounds join by max and min, so the order of rules never matters. Where they collide, or where what is left means
something else (a time-out of 0 is none), there is no value: that is for a person.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from auditor.facts.levers import LEVERS
from auditor.findings import Bound


def settled(fact: str, now: float | bool | str, bounds: Iterable[Bound]) -> float | bool | str | None:
    """The nearest value to `now` that every bound allows, or None where there is none."""
    bounds = list(bounds)
    exact = {bound.value for bound in bounds if bound.operator == "exactly"}
    if len(exact) > 1:
        return None
    low, high = -math.inf, math.inf
    for bound in bounds:
        if bound.operator == "at_least":
            low = max(low, _number(whole(bound.operator, bound.value)))
        elif bound.operator == "at_most":
            high = min(high, _number(whole(bound.operator, bound.value)))
    if low > high:
        return None
    if exact:
        value = exact.pop()
        fits = isinstance(value, str | bool) or low <= value <= high
        return value if fits else None
    value = min(max(_number(now), low), high)
    lever = LEVERS.get(fact)
    if lever is None or value < lever.least or value == math.inf:
        return None
    return value


def _number(value: float | bool | str) -> float:
    return float(value)


def whole(operator: str, value: float | bool | str) -> float | bool | str:
    """A bound's value as the whole number on its safe side: what our levers write has no fractions."""
    to = {"at_least": math.ceil, "at_most": math.floor}.get(operator)
    if to is None or isinstance(value, bool | str) or math.isinf(value):
        return value
    return float(to(value))
