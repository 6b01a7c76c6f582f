"""Checkstyle's XML: what reviewdog, Jenkins and editors read."""

from __future__ import annotations

from collections import defaultdict

from auditor.findings import Finding, Severity, Verdict
from auditor.reports.words import path, whole, xml

_SEVERITIES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "info"}


def checkstyle(verdict: Verdict) -> str:
    """Findings by file, files in the order of their gravest finding."""
    files: dict[str, list[Finding]] = defaultdict(list)
    for finding in verdict.findings:
        files[path(verdict, finding.file)].append(finding)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<checkstyle version="8.0">']
    for name, findings in files.items():
        lines.append(f'  <file name="{xml(name)}">')
        lines += [f"    {_error(finding)}" for finding in findings]
        lines.append("  </file>")
    return "\n".join([*lines, "</checkstyle>", ""])


def _error(finding: Finding) -> str:
    line = (finding.locations[0].line if finding.locations else None) or 1
    told = xml(f"{finding.subject}: {whole(finding)}")
    source = xml(f"queue-auditor.{finding.rule}")
    return f'<error line="{line}" severity="{_SEVERITIES[finding.severity]}" message="{told}" source="{source}"/>'
