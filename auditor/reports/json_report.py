"""The report as JSON: the model itself, versioned; docs/report.schema.json describes it."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from auditor.findings import Verdict

FORMAT = 1
"""Version of this shape; it grows by one when a reader of the older one could misread it."""


def json_report(verdict: Verdict, *, version: str) -> str:
    """One JSON object, two spaces of indentation, keys in the model's order."""
    found: dict[str, Any] = {
        "format": FORMAT,
        "tool": "queue-auditor",
        "version": version,
        "summary": summary(verdict),
        **msgspec.to_builtins(verdict),
    }
    for key in ("findings", "skipped", "ignored", "unread"):
        found.setdefault(key, [])
    text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    return text.encode("utf-8", "backslashreplace").decode()  # a byte of no encoding becomes JSON's own \\udcXX


def summary(verdict: Verdict) -> dict[str, int]:
    """How many of each there are."""
    counts = dict.fromkeys(("error", "warning", "note"), 0)
    for finding in verdict.findings:
        counts[finding.severity.value] += 1
    return {**counts, "skipped": len(verdict.skipped), "ignored": len(verdict.ignored), "unread": len(verdict.unread)}


def schema() -> dict[str, Any]:
    """The JSON Schema of a report; docs/report.schema.json is this."""
    verdict = msgspec.json.schema(Verdict)
    (own,) = [name for name in verdict["$defs"] if name == "Verdict"]
    report = dict(verdict["$defs"].pop(own))
    head = {
        "format": {"const": FORMAT},
        "tool": {"const": "queue-auditor"},
        "version": {"type": "string"},
        "summary": {"type": "object", "additionalProperties": {"type": "integer"}},
    }
    report["properties"] = {**head, **report["properties"]}
    report["required"] = [*head, "findings", "skipped", "ignored"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A report of queue-auditor",
        **report,
        "additionalProperties": False,
        "$defs": verdict["$defs"],
    }
