"""A rule's page: what it judges, why it matters, what a fix does, good and bad examples, references."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.reports.console import coloured, plain
from auditor.reports.words import WRITES


def rule_page(rule: Any, *, colour: bool = False) -> str:
    """The page as text; headings always in the same order."""
    paint = coloured if colour else plain
    severity = ", else ".join(
        f"{s.value} where {condition.text}" if condition is not None else s.value for s, condition in rule.severity
    )
    blocks = [
        f"{paint(rule.id, 'rule')}\n{rule.title}.",
        f"Severity: {severity}. Judged for each {rule.scope}.",
        _section("What must hold", _condition(rule), paint),
        _section("Why it matters", rule.rationale, paint),
    ]
    if rule.let:
        figures = "\n".join(f"{name} = {value}" for name, value in rule.let.items())
        blocks.append(_section("Figures that a site may set", figures, paint))
    if rule.fixes or rule.adds:
        blocks.append(_section("What a fix does", _fixes(rule), paint))
    if rule.advice is not None:
        blocks.append(_section("What you can do", rule.advice.source, paint))
    blocks.append(_section("Silent for", "\n".join(_world(example.facts) for example in rule.good), paint))
    blocks.append(_section("Found for", "\n".join(_world(example.facts) for example in rule.bad), paint))
    if rule.proof:
        blocks.append(_section("Proof", _proof(rule.proof), paint))
    if rule.references:
        blocks.append(_section("References", "\n".join(rule.references), paint))
    return "\n\n".join(blocks) + "\n"


def _section(title: str, body: str, paint: Any) -> str:
    indented = "\n".join(f"  {line}".rstrip() for line in body.strip().splitlines())
    return f"{paint(title, 'rule')}\n{indented}"


def _condition(rule: Any) -> str:
    return f"{rule.that.text}\nwhere {rule.when.text}" if rule.when is not None else str(rule.that.text)


def _fixes(rule: Any) -> str:
    if rule.adds:
        return f"It {WRITES[rule.adds]}."
    words = {"at_most": "is lowered to at most", "at_least": "is raised to at least", "exactly": "becomes"}
    lines = [f"{fix.fact} {words[fix.operator]} {fix.value.text}" for fix in rule.fixes]
    lines.append(f"Unsafe: {rule.unsafe.source}." if rule.unsafe is not None else "Safe: only the hazard goes.")
    return "\n".join(lines)


def _world(facts: Mapping[str, Any]) -> str:
    return ", ".join(f"{fact} = {value}" for fact, value in facts.items()) or "everything at its default"


def _proof(proof: str) -> str:
    if proof.startswith("none:"):
        return f"None: {proof.removeprefix('none:').strip()}"
    return f"{proof} makes the harm happen on a real stack and shows the fix removing it."
