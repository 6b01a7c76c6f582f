"""How far the facts of subjects are known: worked out once, for the many rules that ask.

Thousands of workers differ in what they say, and hardly in what of it is known. So each subject has the number of a
state, and what a rule may take for certain is decided once for each state.
"""

from __future__ import annotations

import functools

from auditor.facts.origin import Fact, Grade
from auditor.facts.subjects import Absent, Subject

WHOLE = "*"
"""In place of a field: the fact as a whole."""
_HIDDEN = frozenset({WHOLE})
_CLEAR: frozenset[str] = frozenset()

State = tuple[frozenset[str] | None, ...]
"""For each root of a subject the fields that are unknown: WHOLE where nothing of it is known, None where there is none."""


class States:
    """The states of subjects, each with a number."""

    def __init__(self) -> None:
        """Know of none yet."""
        self.states: list[State] = []
        self._numbers: dict[State, int] = {}
        self._unknown: dict[int, frozenset[str]] = {}

    def of(self, subject: Subject) -> int:
        """The number of a subject's state."""
        state = tuple([self._root(root) for root in subject.roots])
        number = self._numbers.get(state)
        if number is None:
            number = self._numbers[state] = len(self.states)
            self.states.append(state)
        return number

    def _root(self, root: Fact | Absent) -> frozenset[str] | None:
        if isinstance(root, Absent):
            return _HIDDEN if root.reason else None
        found = self._unknown.get(id(root))
        if found is None:
            names = [name for name, mark in root.marks.items() if mark.grade is Grade.UNKNOWN]
            found = self._unknown[id(root)] = frozenset(names) if names else _CLEAR
        return found


@functools.cache
def rests_on(cls: type[Fact], field: str) -> tuple[str, ...]:
    """The plain fields that a fact rests on: itself, or those a derived one is computed from."""
    member = getattr(cls, field, None)
    if isinstance(member, property):
        return getattr(member.fget, "__derived__", (field,))
    return (field,)


@functools.cache
def hidden_by(cls: type[Fact], field: str) -> frozenset[str]:
    """What of a state makes this fact unknown."""
    return frozenset((WHOLE, *rests_on(cls, field)))
