"""Every error is proved, or says why it cannot be; what it names is there, and has been run."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from auditor.judge.rule import Rule
from auditor.judge.rulebook import load_folder, rules_folder
from tests.proofs.table import rules_in

RULES = load_folder(rules_folder())
PROVABLE = [rule for rule in RULES if rule.worst == "error" or rule.proof]


def named_in(folder: Path) -> set[str]:
    """The names of all tests right in a folder: "tests/proofs/test_x.py::test_y"."""
    return {
        f"tests/{folder.name}/{path.name}::{node.name}"
        for path in folder.glob("test_*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


@pytest.fixture(scope="module")
def proofs(checkout: Path) -> set[str]:
    """The names of all proofs."""
    return named_in(checkout / "tests/proofs")


@pytest.fixture(scope="module")
def shown(checkout: Path) -> set[tuple[str, str, str]]:
    """What docs/proofs.md says has been shown: rule, test and severity."""
    return rules_in((checkout / "docs/proofs.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("rule", PROVABLE, ids=lambda rule: rule.id)
def test_a_proof_is_there_or_a_reason(
    rule: Rule, checkout: Path, proofs: set[str], shown: set[tuple[str, str, str]]
) -> None:
    """What can be an error names a test that exists and has shown it as one, or tells why none can."""
    assert rule.proof, "an error names its proof, or says why there is none"
    if rule.proof.startswith("none:"):
        assert len(rule.proof.removeprefix("none:").split()) >= 5, "a reason is a clause"
        named = set(re.findall(r"tests/\w+/\w+\.py\S*\w", rule.proof))
        assert named <= proofs | named_in(checkout / "tests/bank"), "there is no such test"
    else:
        assert rule.proof in proofs, "there is no such test"
        severities = {severity for *line, severity in shown if line == [rule.id, rule.proof]}
        assert severities, "docs/proofs.md has no line of it: run `make proofs`"
        assert rule.worst != "error" or "error" in severities, "it can be an error, and was shown as less"


def test_the_page_tells_nothing_that_is_gone(proofs: set[str], shown: set[tuple[str, str, str]]) -> None:
    """Every line of docs/proofs.md is of a rule and a test that are there."""
    assert {rule for rule, _, _ in shown} <= {rule.id for rule in RULES}
    assert {test for _, test, _ in shown} <= proofs
