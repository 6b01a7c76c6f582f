"""The fix of each finding by itself: which part of what mending would write does for it alone.

Mending settles all that is asked for together. A reader of a report may make one correction and not the next, so each
corrected section is put into the files alone, read again and judged again: it is the fix of the findings that are gone
then, as long as no other has come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import msgspec

from auditor import audit, mend
from auditor.errors import AuditorError
from auditor.facts.redaction import redact
from auditor.findings import Finding, Fix, Verdict
from auditor.judge.rulebook import Rulebook
from auditor.remedies.edits import Part, parts
from auditor.remedies.plan import Corrected, Plan
from auditor.suppress.whole import Lived

MOST = 32
"""No more parts are tried: each is one more look at everything."""
MOST_PROGRAMS = 2000
"""Nor are more programs read for it: a second or two."""

Known = tuple[str, str, str]
"""Rule, subject and file of a finding: what stays of it where only its evidence changes."""


def with_fixes(
    verdict: Verdict,
    path: str,
    rules: Rulebook,
    *,
    apps: Sequence[str] = (),
    kind: str | None = None,
    lived: Lived | None = None,
    overrides: Mapping[str, bytes] | None = None,
) -> Verdict:
    """The verdict whose findings have their fix, as far as safe edits of files that are there mend them one by one."""
    if not any(map(_editable, verdict.findings)):
        return verdict
    texts = overrides or {}
    try:
        plan = mend.plan(path, rules, apps=apps, kind=kind, lived=lived, start=texts)
    except AuditorError:  # what cannot be mended has no fix, and is found all the same
        return verdict
    told = {place.file for finding in verdict.findings if _editable(finding) for place in finding.locations}
    fixes: dict[Known, Fix] = {}
    was = _count(plan.before)
    tried = min(MOST, MOST_PROGRAMS // max(1, verdict.subjects.get("program", 0)))
    for file, part in islice((each for each in _parts(plan, texts) if each[0].path in told), tried):
        site = audit.look(path, apps=apps, kind=kind, overrides={**texts, file.path: part.text.encode()})
        now = _count(audit.judge(site, rules))
        if now <= was:
            fixes = dict.fromkeys((one for one in was if one not in now), Fix(_told(file, part), part.edits)) | fixes
    return msgspec.structs.replace(
        verdict, findings=tuple(msgspec.structs.replace(one, fix=fixes.get(_known(one))) for one in verdict.findings)
    )


def _editable(finding: Finding) -> bool:
    """Whether a safe change of a file that is there already may mend it."""
    return finding.adds in ("cron-line", "cron-table") or any(not bound.unsafe for bound in finding.bounds)


def _parts(plan: Plan, texts: Mapping[str, bytes]) -> Iterator[tuple[Corrected, Part]]:
    for file in plan.files:
        try:
            before, after = texts.get(file.path, file.before or b"").decode(), file.after.decode()
        except UnicodeDecodeError:  # which no report can quote
            continue
        if before and not before.startswith("\ufeff"):  # SARIF does not count a byte order mark
            yield from ((file, part) for part in parts(file.path, before, after))


def _count(verdict: Verdict) -> Counter[Known]:
    return Counter(map(_known, verdict.findings))


def _known(finding: Finding) -> Known:
    return finding.rule, finding.subject, finding.file


def _told(file: Corrected, part: Part) -> str:
    """Which program gets what, secrets hidden; where the part is no program's, all that changes in its file."""
    own = [change for change in file.changes if part.header.strip("[]").partition(":")[2].strip() == change.subject]
    texts: dict[str, list[str]] = {}
    for change in own or file.changes:
        texts.setdefault(change.subject, []).append(redact(change.told))
    return "; ".join(f"{subject}: {', '.join(told)}" for subject, told in texts.items())
