"""Markdown: the summary of a CI job, or a comment on a merge request."""

from __future__ import annotations

import re
from collections import Counter

from auditor.findings import Finding, Location, Severity, Verdict
from auditor.reports.words import counts, mended, path, told

MAX_CHARACTERS = 900_000
"""GitHub refuses a job summary of more than 1 MiB, whole."""
_MARKS = {Severity.ERROR: "🔴 error", Severity.WARNING: "🟠 warning", Severity.NOTE: "🔵 note"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&])")


def markdown(verdict: Verdict) -> str:
    """A heading with the counts, a table of findings, one part for each; then what was not judged, and what restarts."""
    blocks = [f"## queue-auditor: {counts(verdict)}"]
    if verdict.findings:
        blocks.append(_table(verdict))
    if verdict.deploy is not None:
        blocks.append(_deploy(verdict))
    tail = _tail(verdict)
    budget = MAX_CHARACTERS - sum(map(len, blocks)) - sum(map(len, tail))
    for number, finding in enumerate(verdict.findings):
        part = _part(verdict, finding)
        budget -= len(part.encode("utf-8", "surrogatepass")) + 2
        if budget < 0:
            blocks.append(f"…and {len(verdict.findings) - number} more findings: this summary has a limit of size.")
            break
        blocks.append(part)
    return "\n\n".join([*blocks, *tail]) + "\n"


MAX_ROWS = 500
"""Rows of the table."""


def _table(verdict: Verdict) -> str:
    lines = ["| | rule | about | where |", "|---|---|---|---|"]
    for finding in verdict.findings[:MAX_ROWS]:
        place = _where(verdict, finding.locations[0]) if finding.locations else ""
        cells = (
            _MARKS[finding.severity],
            _code(finding.rule),
            _plain(finding.subject),
            _code(place).replace("|", "\\|"),
        )
        lines.append(f"| {' | '.join(cells)} |")
    if len(verdict.findings) > MAX_ROWS:
        lines.append(f"| | | | …and {len(verdict.findings) - MAX_ROWS} more |")
    return "\n".join(lines)


def _part(verdict: Verdict, finding: Finding) -> str:
    lines = [
        f"### {_MARKS[finding.severity]}: {_plain(finding.rule)} – {_plain(finding.subject)}",
        "",
        _plain(told(finding)),
    ]
    if finding.locations:
        lines.append("")
    for place in finding.locations:
        note = f" ({_plain(place.note)})" if place.note else ""
        text = f": {_code(place.text.strip())}" if place.text.strip() else ""
        lines.append(f"- {_code(_where(verdict, place))}{text}{note}")
    if fix := mended(finding):
        lines += ["", f"**Fix:** {_plain(fix)}"]
    if finding.advice:
        lines += ["", f"**Advice:** {_plain(finding.advice)}"]
    return "\n".join(lines)


def _tail(verdict: Verdict) -> list[str]:
    blocks = []
    if verdict.ignored:
        rows = [
            f"- {_code(one.finding.rule)} {_plain(one.finding.subject)} ({one.how}{': ' if one.reason else ''}{_plain(one.reason)})"
            for one in verdict.ignored[:MAX_ROWS]
        ]
        blocks.append(_fold(f"Ignored ({len(verdict.ignored)})", rows))
    if verdict.skipped:
        reasons = Counter(left.reason for left in verdict.skipped).most_common(50)
        blocks.append(
            _fold(f"Not judged ({len(verdict.skipped)})", [f"- {count} × {_plain(why)}" for why, count in reasons])
        )
    if verdict.unread:
        rows = [f"- {_code(one.path)}: {_plain(one.reason)}" for one in verdict.unread[:50]]
        blocks.append(_fold(f"Not read ({len(verdict.unread)})", rows))
    if verdict.stale:
        blocks.append(f"{verdict.stale} entries of the baseline are no longer found.")
    return blocks


def _deploy(verdict: Verdict) -> str:
    assert verdict.deploy is not None
    head = f"### Deployed, this change since {_plain(verdict.deploy.base)}"
    if not verdict.deploy.restarts:
        return f"{head} restarts nothing under supervisor."
    return "\n".join(
        [f"{head} does this to supervisor's programs", "", *(f"- {_plain(r.told)}" for r in verdict.deploy.restarts)]
    )


def _fold(title: str, rows: list[str]) -> str:
    return "\n".join([f"<details><summary>{title}</summary>", "", *rows, "", "</details>"])


def _where(verdict: Verdict, place: Location) -> str:
    file = path(verdict, place.file)
    return file if place.line is None else f"{file}:{place.line}"


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    """A code span, whose text may itself hold backticks."""
    if not text:
        return ""
    bare = " ".join(text.split())
    fence = "`" * (max((len(run) for run in re.findall("`+", bare)), default=0) + 1)
    pad = " " if bare.startswith("`") or bare.endswith("`") else ""
    return f"{fence}{pad}{bare}{pad}{fence}"
