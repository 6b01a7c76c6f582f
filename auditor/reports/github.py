"""Workflow commands: GitHub shows each as an annotation beside the line it is about."""

from __future__ import annotations

from auditor.findings import Finding, Severity, Verdict
from auditor.reports.words import path, whole

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def github(verdict: Verdict) -> str:
    """One line a finding, the gravest first: GitHub shows ten of each level for one step."""
    return "".join(f"{_command(verdict, finding)}\n" for finding in verdict.findings)


def _command(verdict: Verdict, finding: Finding) -> str:
    properties = {}
    if finding.locations:
        properties["file"] = path(verdict, finding.file)
        line = finding.locations[0].line
        if line is not None:
            properties["line"] = str(line)
    properties["title"] = f"{finding.rule} ({finding.subject})"
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_LEVELS[finding.severity]} {written}::{_data(_message(verdict, finding))}"


def _message(verdict: Verdict, finding: Finding) -> str:
    others = [
        f"See {path(verdict, place.file)}:{place.line}: {place.text.strip()}"
        for place in finding.locations[1:]
        if place.line is not None
    ]
    return "\n".join([whole(finding), *others])


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
