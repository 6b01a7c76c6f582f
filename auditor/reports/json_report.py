"""The report as JSON: the model itself, versioned; docs/report.schema.json describes it."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from auditor.errors import Unreadable
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
    return written(found, indent=2) + "\n"


def written(value: Any, *, indent: int | None = None) -> str:
    """A value as JSON in UTF-8; a byte of no encoding, which no UTF-8 holds, becomes JSON's own escape of it.

    JSON has no infinity: a bound without a limit is written as a text.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        from auditor.facts.wire import finite

        value = finite(value)
        text = json.dumps(value, ensure_ascii=False)
    if indent is None:
        return text.encode("utf-8", "backslashreplace").decode()
    try:  # the standard library indents in Python, ten times as slowly
        return msgspec.json.format(text, indent=indent)
    except (msgspec.MsgspecError, UnicodeError):  # which also refuse half a surrogate pair
        text = json.dumps(value, indent=indent, ensure_ascii=False)
        return text.encode("utf-8", "backslashreplace").decode()


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
        **report,
        "title": "A report of queue-auditor",
        "additionalProperties": False,
        "$defs": verdict["$defs"],
    }


class ReportRefused(Unreadable):
    """A saved report is not one that this version can read."""


MAX_BYTES = 256 * 1024 * 1024
"""No report is larger."""


def read_report(path: str) -> Verdict:
    """The verdict of a saved report; raises ReportRefused."""
    from pathlib import Path

    try:
        with Path(path).open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as problem:
        raise ReportRefused(path, (problem.strerror or "it cannot be read").lower()) from None
    if len(data) > MAX_BYTES:
        raise ReportRefused(path, f"it is larger than {MAX_BYTES:,} bytes")
    try:
        found = json.loads(data)  # not msgspec's reader, which refuses the bytes of no encoding that we write as \udcXX
        head = msgspec.convert(found, _Head)
        if head.tool != "queue-auditor" or head.summary is None:
            raise ReportRefused(path, "it is no JSON report of queue-auditor (`audit --format json` writes one)")
        if head.format != FORMAT:
            raise ReportRefused(path, f"its format is {head.format}, and this version reads format {FORMAT}")
        return msgspec.convert(found, Verdict)
    except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
        told = str(problem)[:200]
        raise ReportRefused(path, f"it is no JSON report of queue-auditor: {told[:1].lower()}{told[1:]}") from None


class _Head(msgspec.Struct):
    """What every report says of itself."""

    tool: str = ""
    format: int | None = None
    summary: dict[str, int] | None = None
