"""From a symptom to its causes: each with what speaks for it and against it, the likeliest first.

A cause is as likely as the gravest finding that speaks for it, times how often it is behind this symptom. What was judged
and holds speaks against it; what could not be judged is told, and neither raises nor lowers it.
"""

from __future__ import annotations

import enum
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from auditor.findings import Finding, Held, Severity, Skipped


class Often(enum.StrEnum):
    """How often a cause is behind a symptom."""

    OFTEN = "often"
    SOMETIMES = "sometimes"
    SELDOM = "seldom"

    @property
    def rank(self) -> int:
        """1 for seldom, 3 for often."""
        return ("seldom", "sometimes", "often").index(self.value) + 1


class Cause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that can be wrong, and the rules that tell whether it is."""

    title: str
    """What is wrong, as a sentence without a full stop."""
    so: str
    """What comes of it: one sentence."""
    rules: tuple[str, ...]
    """Rules or groups whose findings speak for it, and whose holding speaks against it."""


class Symptom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something an operator notices."""

    title: str
    """What is noticed, as a sentence without a full stop."""
    words: tuple[str, ...]
    """What people write when they tell of it; a word stands for all that begins like it."""
    causes: dict[str, Often]
    """Name of a cause to how often it is behind this."""


class Symptoms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole table."""

    causes: dict[str, Cause]
    """By name."""
    symptoms: dict[str, Symptom]
    """By name: "bank-connection-expires"."""


class Standing(enum.StrEnum):
    """What the evidence makes of a cause."""

    SUPPORTED = "supported"
    """Something was found that brings it about."""
    OPEN = "open"
    """Nothing was found, and not everything could be judged."""
    ABSENT = "absent"
    """Everything that was judged speaks against it, or nothing here could bring it about."""


class Suspect(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One cause, and what this site says of it."""

    cause: str
    """Its name."""
    title: str
    """What is wrong."""
    so: str
    """What comes of it."""
    often: Often
    """How often it is behind the symptom."""
    standing: Standing
    """What the evidence makes of it."""
    speaks_for: tuple[Finding, ...] = ()
    """Findings that bring it about, the gravest first."""
    speaks_against: tuple[Held, ...] = ()
    """Judgements that were made and found nothing, by rule."""
    unchecked: tuple[Skipped, ...] = ()
    """Judgements that could not be made, and why."""


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """The answer."""

    symptom: str
    """Name of the symptom that was taken to be meant."""
    title: str
    """What is noticed."""
    suspects: tuple[Suspect, ...]
    """The likeliest first."""

    @property
    def supported(self) -> tuple[Suspect, ...]:
        """The causes that something here brings about."""
        return tuple(one for one in self.suspects if one.standing is Standing.SUPPORTED)


Told = TypeVar("Told", Finding, Held, Skipped)

_POINTS: Mapping[Severity, int] = {Severity.ERROR: 6, Severity.WARNING: 3, Severity.NOTE: 1}
"""What the gravest finding is worth: a warning about what is often behind it outweighs an error about what seldom is."""
_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_NEAR = 0.5
"""Share of the best match that another needs to be worth a mention."""
_BEGINNING = 4
"""Letters from which on a word stands for all that begins like it."""


def meant(text: str, symptoms: Symptoms) -> tuple[str, ...]:
    """Names of the symptoms that a text may tell of, the likeliest first: every word counts, the more the fewer know it.

    A symptom's own name is that symptom alone.
    """
    wanted = text.strip().lower()
    if wanted in symptoms.symptoms:
        return (wanted,)
    said = dict.fromkeys(_WORD.findall(wanted))
    scores: dict[str, float] = defaultdict(float)
    for word in said:
        knowing = [name for name, one in symptoms.symptoms.items() if any(_alike(word, known) for known in one.words)]
        for name in knowing:
            scores[name] += 1 / len(knowing)
    best = max(scores.values(), default=0)
    return tuple(sorted((name for name in scores if scores[name] > _NEAR * best), key=lambda name: -scores[name]))


def _alike(word: str, known: str) -> bool:
    short, long = sorted((word, known.lower()), key=len)
    return short == long or (len(short) >= _BEGINNING and long.startswith(short))


def diagnose(
    name: str,
    table: Symptoms,
    *,
    findings: Sequence[Finding],
    held: Sequence[Held],
    skipped: Sequence[Skipped],
) -> Diagnosis:
    """Every cause of a symptom with its evidence; those that something supports come first, then what is open."""
    symptom = table.symptoms[name]
    suspects = []
    for key, often in symptom.causes.items():
        cause = table.causes[key]
        found = tuple(sorted(_about(cause, findings), key=lambda finding: finding.order))
        unchecked = tuple(_about(cause, skipped))
        standing = Standing.SUPPORTED if found else Standing.OPEN if unchecked else Standing.ABSENT
        suspects.append(
            Suspect(
                cause=key,
                title=cause.title,
                so=cause.so,
                often=often,
                standing=standing,
                speaks_for=found,
                speaks_against=tuple(_about(cause, held)),
                unchecked=unchecked,
            )
        )
    suspects.sort(key=_rank)
    return Diagnosis(symptom=name, title=symptom.title, suspects=tuple(suspects))


def _about(cause: Cause, told: Iterable[Told]) -> list[Told]:
    return [one for one in told if one.rule in cause.rules or one.rule.partition("/")[0] in cause.rules]


def _rank(suspect: Suspect) -> tuple[int, int, int]:
    """Supported before open before absent; then the weight of the gravest finding; equals stay in the table's order."""
    order = list(Standing).index(suspect.standing)
    gravest = max((_POINTS[finding.severity] for finding in suspect.speaks_for), default=1)
    return order, -gravest * suspect.often.rank, -suspect.often.rank
