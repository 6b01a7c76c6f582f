"""The published schemas: each is what the code says, and what the auditor itself writes and reads fits it."""

from __future__ import annotations

import json
import runpy
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from ruamel.yaml import YAML

from auditor.dialects import yaml_text
from auditor.judge.rulebook import rules_folder
from auditor.remedies.profile import shipped
from tests.examples import names
from tests.suppress.shop import RULE, WORKER, run, write

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCHEMAS = ("config", "diagnosis", "facts", "profile", "report", "rule")


@cache
def validator(name: str) -> Any:
    """The validator of one published schema."""
    return jsonschema_rs.validator_for(json.loads((DOCS / f"{name}.schema.json").read_text(encoding="utf-8")))


def faults(name: str, value: Any) -> list[str]:
    """What does not fit."""
    return [
        f"{'/'.join(map(str, error.instance_path))}: {error.message}" for error in validator(name).iter_errors(value)
    ]


def test_they_are_what_the_code_says() -> None:
    """`make docs` would write them as they are, and there is no other."""
    made = runpy.run_path(str(DOCS / "generate.py"))["schemas"]()

    assert sorted(made) == list(SCHEMAS)
    assert sorted(path.name.partition(".")[0] for path in DOCS.glob("*.schema.json")) == list(SCHEMAS)
    for name, text in made.items():
        assert (DOCS / f"{name}.schema.json").read_text(encoding="utf-8") == text, (
            f"docs/{name}.schema.json: run `make docs`"
        )


@pytest.mark.parametrize(
    "rule", sorted(rules_folder().glob("*/*.yaml")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_every_rule_fits(rule: Path) -> None:
    """The shipped rules are rules by the schema that editors check others' by."""
    assert faults("rule", YAML(typ="safe").load(rule.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", shipped().values(), ids=lambda path: path.stem)
def test_every_profile_fits(path: Path) -> None:
    """The shipped profiles are profiles by the schema, and one with a key too many is none."""
    data = YAML(typ="safe").load(path.read_text(encoding="utf-8"))

    assert faults("profile", json.loads(json.dumps(data, default=str))) == []
    assert faults("profile", {**json.loads(json.dumps(data, default=str)), "more": 1}) != []


@pytest.mark.parametrize(
    "change",
    [
        {"titel": "x"},
        {"severity": "fatal"},
        {"for": "wroker"},
        {"fix": {"worker.timeout": {"below": 3}}},
        {"fix": {"x": {"at_most": 1}}},
        {"references": ["http://x"]},
    ],
    ids=str,
)
def test_what_is_no_rule_does_not_fit(change: dict[str, Any]) -> None:
    """The schema finds what the auditor would refuse."""
    file = rules_folder() / "timeouts" / "timeout-below-retry-after.yaml"

    assert faults("rule", {**YAML(typ="safe").load(file.read_text(encoding="utf-8")), **change})


@pytest.mark.parametrize("name", names())
def test_the_facts_of_every_example_fit(name: str, checkout: Path) -> None:
    """What `facts` prints of each example host is a facts file by the schema."""
    assert faults("facts", json.loads(run(checkout, "facts", f"examples/{name}/host").out)) == []


def test_reports_with_everything_in_them_fit(tmp_path: Path) -> None:
    """A report with findings, ignored ones and a comment's fault fits as well."""
    write(tmp_path, **{"worker.conf": f"# queue-auditor: ignore[{RULE}, nope]\n{WORKER}"})

    report = run(tmp_path, "audit", ".", "--format", "json").report

    assert report["ignored"]
    assert report["findings"]
    assert faults("report", report) == []
    assert faults("report", {**report, "finding": []})


def test_the_manual_s_configuration_fits() -> None:
    """The example of docs/configuration.md is one that the auditor and the schema take, with every key there is."""
    page = (DOCS / "configuration.md").read_text(encoding="utf-8")
    example = yaml_text.load(page.partition("```yaml\n")[2].partition("```")[0], "page")[0]

    assert faults("config", example) == []
    assert list(example) == list(json.loads((DOCS / "config.schema.json").read_text(encoding="utf-8"))["properties"])


def test_the_manual_s_configuration_is_taken(tmp_path: Path) -> None:
    """An audit follows it."""
    page = (DOCS / "configuration.md").read_text(encoding="utf-8")
    write(tmp_path, **{"worker.conf": WORKER, "queue-auditor.yaml": page.partition("```yaml\n")[2].partition("```")[0]})
    write(
        tmp_path,
        **{"web/artisan": "", "ops/rules/shop/x.yaml": (rules_folder() / "processes/autorestart.yaml").read_text()},
    )
    run(tmp_path, "baseline", ".", "--output", "ops/known-findings.json", "--no-config")

    done = run(tmp_path, "config", "show", ".")

    assert done.err == ""
    assert "# queue-auditor.yaml:" in done.out
    assert run(tmp_path, "audit", ".").status in {0, 1}


@pytest.mark.parametrize(
    "text",
    [
        "fail_onn: note",
        "fail_on: high",
        "ignore: [{reason: x}]",
        "ignore: [{rule: a, until: soon}]",
        "override: {a: {severity: x}}",
    ],
)
def test_what_is_no_configuration_does_not_fit(text: str) -> None:
    """The schema finds what the auditor would refuse."""
    assert faults("config", YAML(typ="safe").load(text))
