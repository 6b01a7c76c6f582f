"""GitLab's Code Quality report: what a merge request shows beside its diff."""

from __future__ import annotations

import hashlib

from auditor.findings import Severity, Verdict
from auditor.reports.json_report import written
from auditor.reports.words import counted, path, told

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.NOTE: "minor"}


def gitlab(verdict: Verdict) -> str:
    """A JSON array; every fingerprint is there once, and stays when lines move."""
    entries = [
        {
            "description": f"{told(finding)} ({finding.subject})",
            "check_name": finding.rule,
            "fingerprint": hashlib.blake2b(fingerprint.encode(), digest_size=16).hexdigest(),
            "severity": _SEVERITIES[finding.severity],
            "location": {
                "path": path(verdict, finding.file),
                "lines": {"begin": (finding.locations[0].line if finding.locations else None) or 1},
            },
        }
        for finding, fingerprint in counted(verdict.findings)
    ]
    return written(entries, indent=1) + "\n"
