"""HTML: one page that stands alone, to hand to a colleague or to keep: it loads nothing and runs nothing."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from auditor.findings import Finding, Severity, Verdict
from auditor.reports.words import Describe, RuleText, counted, counts, mended, seen
from auditor.templating import environment

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

MOST_REASONS = 200
"""So many reasons of judgements that were not made are listed, the most frequent first."""


def html(verdict: Verdict, *, describe: Describe = lambda _: None) -> str:
    """Each finding with its places, the arithmetic, what mends it, and why its rule matters; then all that was left out."""
    text = functools.cache(describe)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            counts=counts(verdict),
            seen=seen(verdict),
            root=verdict.root,
            severities=[(s.value, verdict.count(s)) for s in Severity if verdict.count(s)],
            findings=[_finding(one, key, text(one.rule)) for one, key in counted(verdict.findings)],
            parts=list(_parts(verdict)),
            stale=verdict.stale,
        )
    )


def _finding(finding: Finding, key: str, text: RuleText | None) -> dict[str, Any]:
    places = []
    for place in finding.locations:
        where = place.file if place.line is None else f"{place.file}:{place.line}"
        places.append({"where": where, "text": place.text.strip(), "note": place.note})
    return {
        "severity": finding.severity.value,
        "id": key,
        "rule": finding.rule,
        "subject": finding.subject,
        "places": places,
        "arithmetic": finding.arithmetic,
        "message": finding.message,
        "fix": mended(finding),
        "advice": finding.advice,
        "why": None if text is None else _why(text),
    }


def _why(text: RuleText) -> dict[str, Any]:
    return {
        "title": text.title,
        "paragraphs": [" ".join(part.split()) for part in text.rationale.split("\n\n") if part.strip()],
        "references": [each for each in text.references if each.startswith(("https://", "http://"))],
    }


class _Part(NamedTuple):
    """A list below the findings."""

    title: str
    rows: list[str]
    open: bool = False


def _parts(verdict: Verdict) -> Iterator[_Part]:
    """What stands below the findings, folded but for what a change does to running jobs."""
    if verdict.deploy is not None:
        rows = [restart.told for restart in verdict.deploy.restarts] or ["nothing under supervisor restarts"]
        yield _Part(f"Deployed, the change since {verdict.deploy.base}", rows, open=True)
    if verdict.ignored:
        rows = [
            f"{one.finding.rule} {one.finding.subject} ({one.how}{f': {one.reason}' if one.reason else ''})"
            for one in verdict.ignored
        ]
        yield _Part(f"Ignored ({len(rows)})", rows)
    if verdict.skipped:
        reasons = Counter(left.reason for left in verdict.skipped).most_common()
        rows = [f"{count} × {reason}" for reason, count in reasons[:MOST_REASONS]]
        if len(reasons) > MOST_REASONS:
            rows.append(f"and {len(reasons) - MOST_REASONS} other reasons")
        yield _Part(f"Not judged ({len(verdict.skipped)})", rows)
    if verdict.needs_live:
        yield _Part(f"Not judged without --live ({len(verdict.needs_live)})", list(verdict.needs_live))
    if verdict.unread:
        yield _Part(f"Not read ({len(verdict.unread)})", [f"{one.path}: {one.reason}" for one in verdict.unread])


def _code(text: str) -> Markup:
    """Text whose `spans` are set as code."""
    from markupsafe import Markup, escape

    parts = re.split(r"`([^`]+)`", text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(parts)
    )


@functools.cache
def _environment() -> Environment:
    return environment(autoescape=True, code=_code)
