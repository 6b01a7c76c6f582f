"""What reports tell of rules: each one's text, read from its own file, and only where a report names it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from auditor.errors import RuleRefused
from auditor.judge.rule import read_rule
from auditor.judge.rulebook import rules_folder
from auditor.reports.words import Describe, RuleText
from auditor.suppress.own import OWN


def describing(folders: Sequence[str] = ()) -> Describe:
    """What knows the texts of the shipped rules, of those in these folders, and of the auditor's own notes."""

    def describe(rule: str) -> RuleText | None:
        own = OWN.get(rule)
        if own is not None:
            return RuleText(rule, own.title, own.rationale, own.severity)
        for folder in (rules_folder(), *map(Path, folders)):
            file = folder / f"{rule}.yaml"
            try:
                found = read_rule(rule, file.read_text(encoding="utf-8"), f"{folder.name}/{rule}.yaml")
            except (OSError, UnicodeDecodeError, RuleRefused):
                continue
            return RuleText(rule, found.title, found.rationale, found.worst, found.references)
        return None

    return describe
