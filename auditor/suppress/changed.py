"""A change looked at by itself: what it does not touch, and did not bring about, is not told again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import msgspec

from auditor.findings import Ignored, Verdict


def touched(verdict: Verdict, files: Collection[str], before: Verdict, base: str) -> Verdict:
    """The verdict with what the change leaves as it was moved to `ignored`.

    A finding stays where any of its sides lies in a changed file: the line at fault is often the other side's. It stays,
    too, where the site before the change did not have it: what a removed file did is missed elsewhere.
    """
    known = Counter(finding.key for finding in before.findings)
    kept, ignored = [], []
    for finding in verdict.findings:
        if any(place.file in files for place in finding.locations):
            kept.append(finding)
        elif known[finding.key] > 0:
            known[finding.key] -= 1
            ignored.append(Ignored(finding, "diff-base", f"the change since {base} does not touch it"))
        else:
            kept.append(finding)
    return msgspec.structs.replace(verdict, findings=tuple(kept), ignored=(*verdict.ignored, *ignored))
