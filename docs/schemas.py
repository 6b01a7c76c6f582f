"""The JSON Schemas of what the auditor writes and reads: report, diagnosis, bank feeds, facts, profiles, rules, configuration.

`make docs` writes each to docs/NAME.schema.json; the test suite fails where one is not what the code says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from auditor.facts.scopes import SCOPES
from auditor.facts.site import FORMAT, Site
from auditor.facts.wire import NO_LIMIT
from auditor.judge.rule import ADDS, OPERATORS
from auditor.judge.rule import KEYS as RULE_KEYS
from auditor.remedies.profile import Profile
from auditor.reports.diagnosis import schema as diagnosis
from auditor.reports.feeds import schema as bank
from auditor.reports.json_report import schema as report
from auditor.settings.shape import KEYS, MOST, SEVERITIES, Key

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def facts() -> dict[str, Any]:
    """What `queue-auditor facts` writes; a number without a limit is the text "Infinity"."""
    made = _unlimited(msgspec.json.schema(Site))
    site = made["$defs"].pop("Site")
    head = {"tool": {"const": "queue-auditor"}, "version": {"type": "string"}}
    return {
        "$schema": DIALECT,
        "title": "The facts file of queue-auditor",
        **site,
        "properties": {**head, **site["properties"], "format": {"const": FORMAT}},
        "required": [*head, "format"],
        "additionalProperties": False,
        "$defs": made["$defs"],
    }


def _unlimited(value: Any) -> Any:
    if isinstance(value, list):
        return [_unlimited(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _unlimited(inner) for key, inner in value.items() if key != "default"}
    if kept.get("type") == "number":
        return {"anyOf": [kept, {"const": NO_LIMIT}]}
    return kept


def rule() -> dict[str, Any]:
    """A rule's file; what its expressions may name is checked when it is loaded, by `queue-auditor rules test`."""
    text = {"type": "string", "minLength": 1}
    expression = {"type": ["string", "number", "boolean"]}
    severity = {"enum": list(SEVERITIES)}
    bound = {"type": "object", "properties": dict.fromkeys(OPERATORS, expression), "additionalProperties": False}
    conditions = {"type": "object", "additionalProperties": expression, "propertyNames": severity, "minProperties": 1}
    worlds = {"type": "array", "items": {"type": "object"}, "minItems": 1}
    special: Mapping[str, Any] = {
        "severity": {"anyOf": [severity, conditions]},
        "for": {"enum": list(SCOPES)},
        "when": expression,
        "that": expression,
        "let": {"type": "object", "additionalProperties": {"type": ["number", "string", "boolean"]}},
        "fix": {
            "anyOf": [
                {
                    "type": "object",
                    "properties": {"add": {"enum": list(ADDS)}},
                    "required": ["add"],
                    "additionalProperties": False,
                },
                {
                    "type": "object",
                    "additionalProperties": {**bound, "minProperties": 1, "maxProperties": 1},
                    "propertyNames": {"pattern": r"^[a-z_]+\.[a-z_]+$"},
                },
            ]
        },
        "references": {"type": "array", "items": {"type": "string", "pattern": "^https://"}},
        "examples": {"type": "object", "properties": {"good": worlds, "bad": worlds}, "required": ["good", "bad"]},
        "live": {"type": "boolean"},
    }
    return {
        "$schema": DIALECT,
        "title": "A rule of queue-auditor",
        "type": "object",
        "properties": {key: special.get(key, text) for key in RULE_KEYS},
        "required": ["title", "severity", "for", "that", "message", "rationale", "examples"],
        "additionalProperties": False,
    }


def config() -> dict[str, Any]:
    """The JSON Schema of the file, for editors."""
    text = {"type": "string", "minLength": 1}
    day = {"type": "string", "pattern": r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"}
    fields = {"rule": text, "reason": text, "until": day, "paths": _one_or_more(text)}
    choice = {"type": "object", "properties": fields, "required": ["rule"], "additionalProperties": False}
    override = {
        "type": "object",
        "properties": {
            "severity": {"enum": list(SEVERITIES)},
            "let": {"type": "object", "additionalProperties": {"type": ["number", "string", "boolean"]}},
        },
        "additionalProperties": False,
    }
    kinds: Mapping[str, Any] = {
        "flag": {"type": "boolean"},
        "choices": _one_or_more({"anyOf": [text, choice]}),
        "overrides": {"type": "object", "additionalProperties": override},
    }

    def described(keys: Mapping[str, Key]) -> dict[str, Any]:
        found = {}
        for name, key in keys.items():
            word = {"enum": list(key.among)} if key.among else text
            section = {"type": "object", "properties": described(key.inner), "additionalProperties": False}
            number = {"type": "number", "minimum": key.least, "exclusiveMaximum": MOST}
            of = {"text": word, "texts": _one_or_more(word), "number": number, "section": section, **kinds}
            found[name] = {"description": key.about, **of[key.kind]}
        return found

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The configuration of queue-auditor",
        "type": ["object", "null"],
        "properties": described(KEYS),
        "additionalProperties": False,
    }


def _one_or_more(item: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [item, {"type": "array", "items": item}]}


def profile() -> dict[str, Any]:
    """A profile's file; that the steps rise and the evidence is of what is set is checked when it is read."""
    made = msgspec.json.schema(Profile)
    head = made["$defs"].pop("Profile")
    return {"$schema": DIALECT, **head, "title": "A profile of queue-auditor", "$defs": made["$defs"]}


SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "report": report,
    "diagnosis": diagnosis,
    "bank": bank,
    "facts": facts,
    "profile": profile,
    "rule": rule,
    "config": config,
}
"""Name of a schema to what makes it."""
