"""JSON Lines: one object a line, each saying by "type" what it is; the last is the summary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from auditor.findings import Verdict
from auditor.reports.json_report import FORMAT, summary, written
from auditor.reports.words import path


def jsonl(verdict: Verdict, *, version: str) -> str:
    """Findings first, then what is ignored, what was not judged, what was not read, what a deploy restarts."""
    return "".join(written(entry) + "\n" for entry in _entries(verdict, version))


def _entries(verdict: Verdict, version: str) -> Iterator[dict[str, Any]]:
    for finding in verdict.findings:
        yield {"type": "finding", "path": path(verdict, finding.file), **msgspec.to_builtins(finding)}
    for one in verdict.ignored:
        yield {"type": "ignored", **msgspec.to_builtins(one)}
    for left in verdict.skipped:
        yield {"type": "skipped", **msgspec.to_builtins(left)}
    for unread in verdict.unread:
        yield {"type": "unread", **msgspec.to_builtins(unread)}
    for restart in verdict.deploy.restarts if verdict.deploy is not None else ():
        yield {"type": "restart", **msgspec.to_builtins(restart)}
    yield {"type": "summary", "format": FORMAT, "tool": "queue-auditor", "version": version, **summary(verdict)}
