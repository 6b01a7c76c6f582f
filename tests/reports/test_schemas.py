"""The published schemas: each is what the code says, and what the auditor itself writes and reads fits it."""

from __future__ import annotations

import json
import runpy
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from auditor.dialects import yaml_text
from auditor.errors import RuleRefused
from auditor.judge.rule import KEYS as RULE_KEYS
from auditor.judge.rule import read_rule
from auditor.judge.rulebook import rules_folder
from auditor.remedies.profile import shipped
from auditor.settings.file import read
from auditor.settings.shape import KEYS, WATCH, SettingsRefused
from tests.examples import names
from tests.suppress.shop import RULE, WORKER, run, write

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCHEMAS = ("bank", "config", "diagnosis", "facts", "profile", "report", "rule")


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


def shipped_rule(name: str) -> Any:
    """A rule's file as plain data."""
    text = (rules_folder() / f"{name}.yaml").read_text(encoding="utf-8")
    return json.loads(json.dumps(YAML(typ="safe").load(text), default=str))


def taken(name: str, rule: Any) -> bool:
    """Whether the auditor takes a rule."""
    try:
        read_rule(name, json.dumps(rule, ensure_ascii=False), "r.yaml")
    except RuleRefused:
        return False
    return True


@pytest.mark.parametrize(
    "change",
    [
        {"titel": "x"},
        {"severity": "fatal"},
        {"severity": ["error"]},
        {"for": "wroker"},
        {"fix": {"worker.timeout": {"below": 3}}},
        {"fix": {"x": {"at_most": 1}}},
        {"fix": {"add": "corn"}},
        {"references": ["http://x"]},
        {"live": "yes"},
        {"message": ""},
        {"proof": None},
        {"examples": {"good": []}},
    ],
    ids=str,
)
def test_what_is_no_rule_does_not_fit(change: dict[str, Any]) -> None:
    """The schema finds what the auditor refuses."""
    name = "timeouts/timeout-below-retry-after"
    rule = shipped_rule(name)

    assert taken(name, rule)
    assert not taken(name, {**rule, **change})
    assert faults("rule", {**rule, **change})


VALUES = st.sampled_from(
    ["", "x", "error", "worker.timeout", "1 > 0", None, True, 1, 1.5, [], {}, ["x"], {"x": 1}, {"error": True}, {"add": "cron"},
     {"add": ""}, {"worker.timeout": {"at_most": 3}}, {"add": "cron", "worker.timeout": {"at_most": 1}}]
)  # fmt: skip


@settings(max_examples=300)
@given(
    st.sampled_from(["timeouts/timeout-below-retry-after", "scheduler/not-every-minute", "backend/auth-refused"]),
    st.sampled_from(RULE_KEYS),
    st.none() | st.tuples(VALUES),
)
def test_what_the_auditor_takes_fits(name: str, key: str, value: tuple[Any] | None) -> None:
    """A rule with any key gone, or of another value, is one by the schema wherever the auditor takes it."""
    rule = {**shipped_rule(name), **({key: value[0]} if value else {})}
    if value is None:
        rule.pop(key, None)

    assert not taken(name, rule) or faults("rule", rule) == []


@pytest.mark.parametrize("name", ["invoiceninja-banks", "invoiceninja-popular-advice"])
def test_how_bank_feeds_stand_fits(name: str, checkout: Path) -> None:
    """What `bank` prints fits its schema, its database answering or not, and with a field more or less it does not."""
    told = json.loads(run(checkout, "bank", f"examples/{name}/host", "--format", "json", "--no-config").out)

    assert faults("bank", told) == []
    assert faults("bank", {**told, "more": 1})
    assert faults("bank", {key: value for key, value in told.items() if key != "apps"})


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
    written = yaml_text.load(page.partition("```yaml\n")[2].partition("```")[0], "page")[0]

    assert faults("config", written) == []
    assert list(written) == list(json.loads((DOCS / "config.schema.json").read_text(encoding="utf-8"))["properties"])


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


LEAVES = (
    st.sampled_from(["error", "never", "timeouts", "", "2027-06-30", "2027-13-01", None, 1e9, 0.5])
    | st.integers(-1, 3)
    | st.booleans()
)
INNER = ("rule", "reason", "until", "paths", "severity", "let", "x", *WATCH)
ANY = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(INNER), inner, max_size=3),
    max_leaves=6,
)
CHOICES = st.fixed_dictionaries({"rule": st.just("timeouts")}, optional={"reason": ANY, "until": ANY, "paths": ANY})
OVERRIDES = st.fixed_dictionaries(
    {}, optional={"severity": LEAVES, "let": LEAVES | st.fixed_dictionaries({"margin": LEAVES})}
)
CONFIGURATIONS = st.one_of(
    st.dictionaries(st.sampled_from([*KEYS, "nope"]), ANY, max_size=3),
    st.fixed_dictionaries({"ignore": CHOICES | st.lists(CHOICES | LEAVES, max_size=3)}),
    st.fixed_dictionaries({"override": st.fixed_dictionaries({RULE: OVERRIDES})}),
    st.fixed_dictionaries({"watch": st.dictionaries(st.sampled_from(list(WATCH)), ANY, max_size=2)}),
)


@settings(max_examples=400)
@given(CONFIGURATIONS)
@example({"fail_onn": "note"})
@example({"fail_on": "high"})
@example({"ignore": [{"reason": "x"}]})
@example({"ignore": [""]})
@example({"ignore": {"rule": "timeouts", "until": None}})
@example({"override": {RULE: {"severity": ""}}})
@example({"watch": {"every": 1e9}})
def test_schema_and_auditor_agree_on_a_configuration(
    tmp_path_factory: pytest.TempPathFactory, found: dict[str, Any]
) -> None:
    """Whatever stands in it, an editor's word by the schema is the auditor's: one that it can follow, or not."""
    file = tmp_path_factory.getbasetemp() / "configuration.yaml"
    file.write_text(json.dumps(found), encoding="utf-8")
    try:
        read(str(file))
        followed = True
    except SettingsRefused:
        followed = False

    assert (faults("config", found) == []) == followed
