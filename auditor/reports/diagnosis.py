"""A diagnosis for a person, and as JSON: the causes in order, the evidence of each, and what was not checked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from auditor.diagnosis import Diagnosis, Standing, Suspect
from auditor.reports.console import Paint, coloured, finding_lines, plain
from auditor.reports.json_report import written

FORMAT = 1
"""Version of the JSON; it grows by one when a reader of the older one could misread it."""
_REST: Mapping[Standing, str] = {
    Standing.OPEN: "not ruled out, for not everything could be judged:",
    Standing.ABSENT: "nothing here speaks for:",
}
"""What is told of the causes that nothing supports."""
_MOST = 3
"""Subjects, and reasons, named in one line."""


def console(diagnosis: Diagnosis, *, colour: bool = False, everything: bool = False) -> str:
    """What supports each cause and what speaks against it; then what stays open; then what nothing speaks for."""
    paint: Paint = coloured if colour else plain
    blocks = [paint(f"{diagnosis.title}: why?", "rule")]
    blocks += ["\n".join(_supported(place, one, paint)) for place, one in enumerate(diagnosis.supported, 1)]
    if not diagnosis.supported:
        blocks.append("Nothing that was found here brings it about.")
    for standing, head in _REST.items():
        rest = [one for one in diagnosis.suspects if one.standing is standing]
        if rest:
            lines = [line for one in rest for line in _unsupported(one, paint, everything=everything)]
            blocks.append("\n".join([paint(head, "dim"), *lines]))
    return "\n\n".join(blocks) + "\n"


def _supported(place: int, one: Suspect, paint: Paint) -> list[str]:
    lines = [f"{place}. {paint(one.title, 'rule')} ({one.often.value} behind it)", f"   {one.so}"]
    for finding in one.speaks_for:
        head, *rest = finding_lines(finding, paint)
        lines += [f"   {paint('for', 'error')}      {head}", *(f"            {line.strip()}" for line in rest)]
    return [*lines, *_against(one, paint), *_unchecked(one, paint)]


def _unsupported(one: Suspect, paint: Paint, *, everything: bool) -> list[str]:
    count = len(one.speaks_against)
    judged = f" ({count} judgement{'' if count == 1 else 's'} against it)" if count else ""
    against = _against(one, paint) if everything else []
    return [f"   {one.title}{'' if everything else judged}", *against, *_unchecked(one, paint)]


def _against(one: Suspect, paint: Paint) -> list[str]:
    by_title: dict[str, list[str]] = defaultdict(list)
    for held in one.speaks_against:
        by_title[held.title].append(held.subject)
    return [f"   {paint('against', 'clean')}  {title} ({_some(subjects)})" for title, subjects in by_title.items()]


def _unchecked(one: Suspect, paint: Paint) -> list[str]:
    by_reason: dict[str, list[str]] = defaultdict(list)
    for skipped in one.unchecked:
        by_reason[skipped.reason].append(skipped.rule)
    return [f"   {paint('unknown', 'dim')}  {_some(rules)}: {reason}" for reason, rules in by_reason.items()]


def _some(names: Sequence[str]) -> str:
    named = list(dict.fromkeys(names))
    more = f" and {len(named) - _MOST} more" if len(named) > _MOST else ""
    return ", ".join(named[:_MOST]) + more


def as_json(diagnosis: Diagnosis, *, version: str) -> str:
    """One JSON object; docs/diagnosis.schema.json describes it."""
    head = {"format": FORMAT, "tool": "queue-auditor", "version": version}
    return written({**head, **msgspec.to_builtins(diagnosis)}, indent=2) + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema of that; docs/diagnosis.schema.json is this."""
    made = msgspec.json.schema(Diagnosis)
    own = made["$defs"].pop("Diagnosis")
    head = {"format": {"const": FORMAT}, "tool": {"const": "queue-auditor"}, "version": {"type": "string"}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What `queue-auditor why --format json` prints",
        **own,
        "properties": {**head, **own["properties"]},
        "required": [*head, *own["required"]],
        "additionalProperties": False,
        "$defs": made["$defs"],
    }
