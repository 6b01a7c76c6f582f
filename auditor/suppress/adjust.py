"""What the configuration makes of single rules: another severity, other figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.findings import Severity
from auditor.judge.expression import nearest
from auditor.judge.rule import Rule
from auditor.judge.rulebook import Rulebook
from auditor.settings.file import Settings
from auditor.settings.shape import Override, SettingsRefused
from auditor.suppress.own import GROUP, OWN


def adjusted(rules: Rulebook, settings: Settings) -> Rulebook:
    """The rules as the configuration wants them; raises SettingsRefused where it names what is not there."""
    names = {*rules.rules, *(rule.group for rule in rules), *OWN, GROUP}
    for (key, name), line in settings.places.items():
        if key in ("select", "ignore") and name not in names:
            near = nearest(name, sorted(names), otherwise="`queue-auditor rules` lists them")
            raise SettingsRefused(settings.path, f"there is no rule or group “{name}”; {near}", line)
    overrides: Mapping[str, Override] = settings.values.get("override", {})
    if not overrides:
        return rules
    changed = dict(rules.rules)
    for id_, override in overrides.items():
        rule = changed.get(id_)
        if rule is None:
            near = nearest(id_, sorted(changed), otherwise="`queue-auditor rules` lists them")
            raise SettingsRefused(settings.path, f"there is no rule “{id_}”; {near}", settings.places["override", id_])
        changed[id_] = _rule(rule, override, settings)
    return Rulebook(changed.values())


def _rule(rule: Rule, override: Override, settings: Settings) -> Rule:
    for name, value in override.let.items():
        line = settings.places.get((f"override {rule.id}", name))
        if name not in rule.let:
            near = nearest(name, list(rule.let)) if rule.let else "it has no figures to set"
            raise SettingsRefused(settings.path, f"{rule.id} lets no “{name}” be set; {near}", line)
        own = rule.let[name]
        if not _alike(own, value):
            kind = "a text" if isinstance(own, str) else "a number"
            raise SettingsRefused(settings.path, f"“{name}” of {rule.id} is {kind}, {own!r} by itself", line)
    severity = ((Severity(override.severity), None),) if override.severity else rule.severity
    return rule._replace(severity=severity, let={**rule.let, **override.let})


def _alike(own: Any, value: Any) -> bool:
    if isinstance(own, bool) or isinstance(value, bool):
        return isinstance(own, bool) and isinstance(value, bool)
    return isinstance(value, str) if isinstance(own, str) else isinstance(value, int | float)
