"""Every rule is judged, fixed and told by its own examples; coverage is a property of the files."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from auditor.facts.scopes import SCOPES
from auditor.facts.subjects import Absent
from auditor.judge.example import problems, subject
from auditor.judge.expression import UNKNOWN
from auditor.judge.rule import Rule
from auditor.judge.rulebook import load_folder, rules_folder
from auditor.judge.settle import Open, evaluate
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


@pytest.mark.parametrize("rule", list(RULEBOOK), ids=lambda rule: rule.id)
def test_every_way_of_evaluating_agrees(rule: Rule) -> None:
    """What is settled ahead of the subject, what is worked out for it, and the compiled lambda give the same value."""
    expressions = [rule.that, *(fix.value for fix in rule.fixes), *([rule.when] if rule.when is not None else [])]
    for example in (*rule.good, *rule.bad):
        roots = dict(zip(SCOPES[rule.scope], subject(rule, example).roots, strict=True))
        for expression in expressions:
            for hidden in ("", *expression.facts):

                def there(root: str, field: str, hidden: str = hidden, roots: Mapping[str, object] = roots) -> object:
                    gone = f"{root}.{field}" == hidden or isinstance(roots[root], Absent)
                    return UNKNOWN if gone else getattr(roots[root], field)

                def later(root: str, field: str, hidden: str = hidden) -> object:
                    return UNKNOWN if f"{root}.{field}" == hidden else Open(lambda look: look(root, field))

                worked_out = evaluate(expression.node, there, rule.let)
                settled = evaluate(expression.node, later, rule.let)
                settled = settled.of(there) if isinstance(settled, Open) else settled
                assert settled == worked_out, (expression.text, hidden)
                held = rule.when is None or evaluate(rule.when.node, there, rule.let) is True
                named = [fact.partition(".") for fact in expression.facts]
                if held and all(there(root, field) is not UNKNOWN for root, _, field in named):
                    compiled = expression.call(*roots.values(), *rule.let.values())
                    assert compiled == worked_out, expression.text
