"""A baseline: the findings of a day, by content and count, that later audits need not tell again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Annotated

import msgspec

from auditor.errors import Unreadable
from auditor.findings import Finding, Ignored, Verdict

FORMAT = 1
"""Version of this file's shape."""
MAX_BYTES = 64 * 1024 * 1024
"""No baseline is larger."""


class BaselineRefused(Unreadable):
    """A baseline is not one the auditor wrote."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Findings that are the same by content."""

    rule: str
    """Their rule."""
    subject: str
    """What they are about."""
    file: str
    """Their file."""
    key: str
    """Their identity: the rule, the subject, the file and the evidence, never a line."""
    count: Annotated[int, msgspec.Meta(ge=1)] = 1
    """How many of them there are."""


class Baseline(msgspec.Struct, frozen=True):
    """The file."""

    tool: str
    """Always "queue-auditor"."""
    format: int
    """Version of this shape."""
    findings: tuple[Entry, ...]
    """By rule, file, subject and key."""


def baseline_of(findings: Iterable[Finding]) -> Baseline:
    """The baseline that these findings make."""
    counted = Counter((f.rule, f.file, f.subject, f.key) for f in findings)
    entries = [Entry(rule, subject, file, key, count) for (rule, file, subject, key), count in sorted(counted.items())]
    return Baseline("queue-auditor", FORMAT, tuple(entries))


def pruned(old: Baseline, findings: Iterable[Finding], *, unasked: Collection[str] = ()) -> Baseline:
    """The old baseline without what is no longer found; of rules that were not asked, everything stays."""
    counted = Counter(f.key for f in findings)
    kept = []
    for entry in old.findings:
        count = entry.count if entry.rule in unasked else min(entry.count, counted[entry.key])
        if count > 0:
            kept.append(msgspec.structs.replace(entry, count=count))
    return msgspec.structs.replace(old, findings=tuple(kept))


def write_baseline(baseline: Baseline) -> str:
    """As JSON: an entry a line, so that a diff of it reads well."""
    lines = [f"    {json.dumps(msgspec.to_builtins(entry), ensure_ascii=False)}" for entry in baseline.findings]
    inside = ",\n".join(lines)
    listed = f"[\n{inside}\n  ]" if lines else "[]"
    return f'{{\n  "tool": "queue-auditor",\n  "format": {baseline.format},\n  "findings": {listed}\n}}\n'


def read_baseline(path: str) -> Baseline:
    """The baseline a file holds; raises BaselineRefused."""
    file = Path(path)
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as problem:
        raise BaselineRefused(path, (problem.strerror or "it cannot be read").lower()) from None
    if len(data) > MAX_BYTES:
        raise BaselineRefused(path, f"it is larger than {MAX_BYTES:,} bytes")
    try:
        found = msgspec.json.decode(data, type=Baseline)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        told = str(problem)
        raise BaselineRefused(path, f"it is no baseline of queue-auditor: {told[:1].lower()}{told[1:200]}") from None
    if found.tool != "queue-auditor" or found.format != FORMAT:
        raise BaselineRefused(
            path, f"it is a baseline of format {found.format}, and this version reads format {FORMAT}"
        )
    return found


def forgive(verdict: Verdict, baseline: Baseline, *, reason: str, asked: Collection[str]) -> Verdict:
    """The verdict with what the baseline holds moved to `ignored`, as often as it holds it.

    What it holds in vain is counted, as far as its rule is one of those asked.
    """
    left: Counter[str] = Counter()
    for entry in baseline.findings:
        left[entry.key] += entry.count
    kept, ignored = [], []
    for finding in verdict.findings:
        if left[finding.key] > 0:
            left[finding.key] -= 1
            ignored.append(Ignored(finding, "baseline", reason))
        else:
            kept.append(finding)
    stale = sum(left[key] for key in {entry.key for entry in baseline.findings if entry.rule in asked})
    return msgspec.structs.replace(verdict, findings=tuple(kept), ignored=(*verdict.ignored, *ignored), stale=stale)
