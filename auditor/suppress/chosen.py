"""What the configuration leaves alone, and how grave a finding must be to be told."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence

import msgspec

from auditor.findings import Finding, Ignored, Severity, Verdict
from auditor.settings.shape import Choice

Why = Callable[[Finding], str | None]
"""A finding to the reason for which it is left alone, None where it is not."""


def leave_out(verdict: Verdict, choices: Sequence[Choice], *, folder: str, today: str) -> Verdict:
    """The verdict with what the configuration ignores moved to `ignored`.

    A path is written as reports show it, or from the configuration's own folder: `folder` is the audited root from there.
    """
    return _moved(verdict, "config", leaving_out(choices, folder=folder, today=today))


def leaving_out(choices: Sequence[Choice], *, folder: str, today: str) -> Why:
    """Why a finding is one that the configuration ignores."""
    current = [choice for choice in choices if not choice.until or choice.until >= today]
    return lambda finding: next((choice.reason for choice in current if _meant(choice, finding, folder)), None)


def at_least(verdict: Verdict, severity: Severity) -> Verdict:
    """The verdict with what is less grave moved to `ignored`."""
    return _moved(verdict, "min-severity", lambda finding: None if finding.severity.rank >= severity.rank else "")


def _meant(choice: Choice, finding: Finding, folder: str) -> bool:
    if choice.rule not in (finding.rule, finding.rule.partition("/")[0]):
        return False
    if not choice.paths:
        return True
    names = [name for place in finding.locations for name in (place.file, posixpath.join(folder, place.file))]
    return any(matches(name, pattern) for name in names for pattern in choice.paths)


def matches(name: str, pattern: str) -> bool:
    """Whether a path is one that the pattern means: `*` stays in a folder, `**` does not, a folder means all below it."""
    return _parts(name.split("/"), pattern.strip("/").removeprefix("./").split("/"))


def _parts(name: list[str], pattern: list[str]) -> bool:
    """Matched from the left, each `**` taking as few folders as do: what a pattern of many `**` costs stays bounded."""
    import fnmatch

    reached = {0}
    for part in pattern:
        if part == "**":
            reached = set(range(min(reached), len(name) + 1)) if reached else set()
        else:
            reached = {at + 1 for at in reached if at < len(name) and fnmatch.fnmatchcase(name[at], part)}
    return bool(reached)


def _moved(verdict: Verdict, how: str, why: Why) -> Verdict:
    kept, ignored = [], []
    for finding in verdict.findings:
        reason = why(finding)
        if reason is None:
            kept.append(finding)
        else:
            ignored.append(Ignored(finding, how, reason))
    if not ignored:
        return verdict
    return msgspec.structs.replace(verdict, findings=tuple(kept), ignored=(*verdict.ignored, *ignored))
