"""What several reports say alike: where a finding is, what it says, what would mend it."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from auditor.facts.levers import LEVERS, shown
from auditor.findings import Bound, Finding, Severity, Verdict

_NO_XML = "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"


WRITES = {
    "cron": "writes a file for cron",
    "cron-line": "corrects the line for cron",
    "cron-table": "corrects the file for cron",
}
"""What mending writes, by what a rule adds."""


class RuleText(NamedTuple):
    """What a report tells of a rule."""

    id: str
    """The rule's id."""
    title: str
    """What holds where all is well, without a full stop."""
    rationale: str
    """Why it matters."""
    severity: Severity
    """The gravest it can be."""
    references: tuple[str, ...] = ()
    """Where it is documented."""


Describe = Callable[[str], "RuleText | None"]
"""A rule's id to its text, None where nobody knows it."""


def path(verdict: Verdict, file: str) -> str:
    """A file of the audited tree, seen from where the audit was started: what a CI system links to."""
    whole = posixpath.join(verdict.root, file) if file else verdict.root
    return whole.rstrip("/") or verdict.root or "."


def told(finding: Finding) -> str:
    """The message, after the arithmetic where there is one."""
    return f"{finding.arithmetic}: {finding.message}" if finding.arithmetic else finding.message


def mended(finding: Finding) -> str:
    """What would mend it, "" where nothing of ours would: "--timeout=80 (unsafe: longer jobs are ended)"."""
    if finding.adds:
        return f"`queue-auditor fix` {WRITES[finding.adds]}"
    return bound(finding.bounds)


def bound(bounds: tuple[Bound, ...]) -> str:
    """Bounds as they would be written."""
    written = "  ".join(shown(each.fact, each.value) for each in bounds if each.fact in LEVERS)
    unsafe = next((each.unsafe for each in bounds if each.unsafe), "")
    return f"{written} (unsafe: {unsafe})" if unsafe else written


def whole(finding: Finding) -> str:
    """Everything there is to say, a line each: message, fix, advice."""
    lines = [told(finding)]
    if fix := mended(finding):
        lines.append(f"Fix: {fix}")
    if finding.advice:
        lines.append(f"Advice: {finding.advice}")
    return "\n".join(lines)


def counted(findings: Iterable[Finding]) -> Iterator[tuple[Finding, str]]:
    """Each finding with a fingerprint of its own: its key, and its number among those that share it."""
    seen: Counter[str] = Counter()
    for finding in findings:
        seen[finding.key] += 1
        yield finding, f"{finding.key}:{seen[finding.key]}"


def counts(verdict: Verdict) -> str:
    """How many of each severity, as words: "2 errors, 1 note"."""
    found = Counter(finding.severity.value for finding in verdict.findings)
    parts = [
        f"{found[name]} {name}{'' if found[name] == 1 else 's'}" for name in ("error", "warning", "note") if found[name]
    ]
    return ", ".join(parts) or "no findings"


def seen(verdict: Verdict) -> str:
    """What there was to judge: "2 programs, 1 app"."""
    names = {"program": "program", "worker": "worker", "horizon": "Horizon", "scheduler": "scheduler", "app": "app"}
    parts = [
        f"{verdict.subjects[scope]} {name}{'s' if verdict.subjects[scope] != 1 and name != 'Horizon' else ''}"
        for scope, name in names.items()
        if verdict.subjects.get(scope)
    ]
    return ", ".join(parts) or "nothing that runs a queue"


def xml(text: str) -> str:
    """Text as an XML attribute or element holds it; what XML 1.0 cannot hold at all becomes U+FFFD."""
    clean = re.sub(_NO_XML, "\ufffd", text)
    clean = clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return clean.replace("\n", "&#10;").replace("\r", "&#13;").replace("\t", "&#9;")
