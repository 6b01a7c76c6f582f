"""SARIF 2.1.0: what GitHub's code scanning and most editors read.

Its fixes are edits that a reader may make one by one, so a finding has one only where it is mended by that alone; what
would mend the others stands in their messages.
"""

from __future__ import annotations

from typing import Any

from auditor.facts.site import Unread
from auditor.findings import Edit, Finding, Fix, Ignored, Location, Severity, Skipped, Verdict
from auditor.reports.json_report import written
from auditor.reports.words import Describe, RuleText, counted, path, whole

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
"""Where the schema of this format is published."""
FINGERPRINT = "queueAuditorKey/v1"
"""Name of our fingerprint: rule, subject, file and evidence, and its number among equal ones; never a line."""
_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")


def sarif(verdict: Verdict, *, version: str, describe: Describe = lambda _: None) -> str:
    """One run; what was not judged or not read stands in its invocation's notifications."""
    found = [*verdict.findings, *(one.finding for one in verdict.ignored)]
    named = dict.fromkeys([*(f.rule for f in found), *(s.rule for s in verdict.skipped)])
    index = {rule: number for number, rule in enumerate(named)}
    worst = {f.rule: f.severity for f in sorted(found, key=lambda f: f.order, reverse=True)}
    ignored = {id(one.finding): one for one in verdict.ignored}
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "queue-auditor",
                "version": version,
                "rules": [_rule(rule, describe(rule), worst.get(rule)) for rule in named],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    *(_skipped(left, index) for left in verdict.skipped),
                    *(_unread(verdict, one) for one in verdict.unread),
                ],
            }
        ],
        "results": [
            _result(verdict, finding, fingerprint, index[finding.rule], ignored.get(id(finding)))
            for finding, fingerprint in counted(found)
        ],
    }
    if verdict.deploy is not None:
        run["properties"] = {"deploy": [restart.told for restart in verdict.deploy.restarts]}
    return written({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _rule(rule: str, text: RuleText | None, found: Severity | None) -> dict[str, Any]:
    if text is None:
        return {"id": rule, "defaultConfiguration": {"level": (found or Severity.WARNING).value}}
    references = "\n".join(f"- <{address}>" for address in text.references)
    described: dict[str, Any] = {
        "id": rule,
        "shortDescription": {"text": f"{text.title}."},
        "fullDescription": {"text": text.rationale.split("\n\n")[0].replace("\n", " ")},
        "help": {
            "text": text.rationale,
            "markdown": f"{text.rationale}\n\n{references}".strip(),
        },
        "defaultConfiguration": {"level": text.severity.value},
        "properties": {"tags": [rule.partition("/")[0]]},
    }
    if text.references:
        described["helpUri"] = text.references[0]
    return described


def _result(
    verdict: Verdict, finding: Finding, fingerprint: str, index: int, ignored: Ignored | None
) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.severity.value,
        "message": {"text": f"{finding.subject}: {whole(finding)}"},
        "locations": [_place(verdict, place) for place in finding.locations[:1]],
        "partialFingerprints": {FINGERPRINT: fingerprint},
    }
    if len(finding.locations) > 1:
        result["relatedLocations"] = [
            {
                "id": number,
                **_place(verdict, place),
                "message": {"text": place.note or place.text.strip() or place.file},
            }
            for number, place in enumerate(finding.locations[1:], 1)
        ]
    if finding.fix is not None:
        result["fixes"] = [_fix(verdict, finding.fix)]
    if ignored is not None:
        suppression = {"kind": "inSource" if ignored.how == "inline" else "external", "status": "accepted"}
        if ignored.reason:
            suppression["justification"] = ignored.reason
        result["suppressions"] = [suppression]
    return result


def _fix(verdict: Verdict, fix: Fix) -> dict[str, Any]:
    files: dict[str, list[Edit]] = {}
    for edit in fix.edits:
        files.setdefault(edit.file, []).append(edit)
    return {
        "description": {"text": fix.told},
        "artifactChanges": [
            {
                "artifactLocation": {"uri": _uri(path(verdict, file))},
                "replacements": [_replacement(edit) for edit in edits],
            }
            for file, edits in files.items()
        ],
    }


def _replacement(edit: Edit) -> dict[str, Any]:
    region = {
        "startLine": edit.line, "startColumn": edit.column, "endLine": edit.end_line, "endColumn": edit.end_column
    }  # fmt: skip
    return {"deletedRegion": region, **({"insertedContent": {"text": edit.text}} if edit.text else {})}


def _place(verdict: Verdict, place: Location) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(path(verdict, place.file))}}
    if place.line is not None:
        region: dict[str, Any] = {"startLine": place.line}
        if place.text:
            region["snippet"] = {"text": place.text}
        physical["region"] = region
    return {"physicalLocation": physical}


def _uri(file: str) -> str:
    quoted = "".join(
        character
        if character in _SAFE
        else "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
        for character in file
    )
    return f"file://{quoted}" if quoted.startswith("/") else quoted


def _skipped(left: Skipped, index: dict[str, int]) -> dict[str, Any]:
    fact = f" ({left.fact})" if left.fact else ""
    return {
        "level": "note",
        "message": {"text": f"{left.rule} was not judged for {left.subject}{fact}: {left.reason}."},
        "associatedRule": {"id": left.rule, "index": index[left.rule]},
    }


def _unread(verdict: Verdict, one: Unread) -> dict[str, Any]:
    return {
        "level": "warning",
        "message": {"text": f"{one.path} was not read: {one.reason}."},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(path(verdict, one.path))}}}],
    }
