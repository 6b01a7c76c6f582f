"""Every rule is judged, fixed and told by its own examples; coverage is a property of the files."""

from __future__ import annotations

import pytest

from auditor.facts.scopes import SCOPES
from auditor.judge.example import problems
from auditor.judge.rule import Rule
from auditor.judge.rulebook import load_folder, rules_folder
from auditor.judge.types import members, unit_of

RULEBOOK = load_folder(rules_folder())


@pytest.mark.parametrize("rule", list(RULEBOOK), ids=lambda rule: rule.id)
def test_examples_hold(rule: Rule) -> None:
    """Each good example stays silent, each bad one is found, told and mended as it says."""
    assert problems(rule) == []


@pytest.mark.parametrize("rule", list(RULEBOOK), ids=lambda rule: rule.id)
def test_prose_is_in_shape(rule: Rule) -> None:
    """A title is one sentence without its full stop; errors name their proof, or why there is none."""
    assert rule.title[0].isupper()
    assert not rule.title.endswith(".")
    assert rule.message.source.endswith((".", "}}")), "a message is a sentence"
    assert rule.rationale.endswith(".")
    assert len(rule.rationale.split()) >= 15
    assert rule.references, "a rule names where its claim is documented"
    if rule.worst == "error":
        assert rule.proof, "an error names the test that shows the harm, or says why none can"
    if rule.unsafe is not None:
        assert rule.fixes


def test_fixes_build_on_one_another_without_a_circle() -> None:
    """One pass settles a site, because every bound is computed from what is settled before it."""
    order = RULEBOOK.order()

    assert order.index("worker.timeout") < order.index("program.stopwaitsecs")


@pytest.mark.parametrize("scope", SCOPES)
def test_units_are_told_without_the_types(scope: str) -> None:
    """What reads a fact's unit from the words of its annotation finds the one that its type has."""
    for cls in SCOPES[scope].values():
        assert {name: unit_of(cls, name) for name in members(cls)} == {n: t.unit for n, t in members(cls).items()}
