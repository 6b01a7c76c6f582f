"""The explaining flow: a symptom, the causes it can have, and what this site says of each."""

from __future__ import annotations

from auditor.diagnosis import Diagnosis, Symptoms, diagnose, meant
from auditor.errors import UsageError
from auditor.facts.census import take_census
from auditor.facts.site import Site
from auditor.findings import Skipped, Verdict
from auditor.judge.rulebook import Rulebook
from auditor.judge.weigh import standing
from auditor.sources.symptoms import load_symptoms

_NOT_LIVE = "only the running system can tell; ask again with --live"


def symptoms() -> Symptoms:
    """The table of what can be asked."""
    return load_symptoms()


def which(text: str, table: Symptoms) -> tuple[str, ...]:
    """The symptom that a text tells of, then those that are nearly as near; raises UsageError where it tells of none."""
    found = meant(text, table)
    if not found:
        known = ", ".join(table.symptoms)
        raise UsageError(f"“{text}” tells of no symptom that is known; there are {known}")
    return found


def why(name: str, table: Symptoms, site: Site, verdict: Verdict, rules: Rulebook) -> Diagnosis:
    """What can be behind a symptom, ranked by what was found; what someone lives with is evidence all the same."""
    named = {rule for cause in table.symptoms[name].causes for rule in table.causes[cause].rules}
    asked = [rule for rule in rules if {rule.id, rule.group} & named]
    return diagnose(
        name,
        table,
        findings=(*verdict.findings, *(ignored.finding for ignored in verdict.ignored)),
        held=tuple(standing(asked, take_census(site))),
        skipped=(*verdict.skipped, *(Skipped(rule, site.name, _NOT_LIVE) for rule in verdict.needs_live)),
    )
