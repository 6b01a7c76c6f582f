"""The configuration file: where it is found, what it may say, and what takes effect of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.settings.file import find, read
from auditor.settings.shape import KEYS, SettingsRefused
from auditor.suppress.chosen import matches
from tests.suppress.shop import RULE, WORKER, audit, run, write

NAME = "queue-auditor.yaml"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A repository with one finding, an error."""
    write(tmp_path, **{".git/HEAD": "", "deploy/worker.conf": WORKER})
    return tmp_path


def shown(folder: Path, *words: str, **environment: str) -> dict[str, tuple[object, str]]:
    """What `config show` says takes effect: key to value and origin."""
    told = json.loads(run(folder, "config", "show", ".", "--format", "json", *words, **environment).out)
    return {key: (value["value"], value["origin"]) for key, value in told.items() if key != "file"}


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", 1),
        ("fail_on: never\n", 0),
        ("select: processes\n", 0),
        ("select: [timeouts, processes]\n", 1),
        ("ignore: timeouts\n", 0),
        (f"ignore:\n  - rule: {RULE}\n    reason: mails are short\n    until: 2999-12-31\n", 0),
        (f"ignore:\n  - rule: {RULE}\n    until: 2020-12-31\n", 1),
        (f"ignore:\n  - {{rule: {RULE}, paths: deploy}}\n", 0),
        (f"ignore:\n  - {{rule: {RULE}, paths: ['**/*.conf']}}\n", 0),
        (f"ignore:\n  - {{rule: {RULE}, paths: ['staging/**', '*.conf']}}\n", 1),
        (f"override: {{{RULE}: {{severity: note}}}}\nfail_on: warning\n", 0),
        (f"override: {{{RULE}: {{severity: note}}}}\nmin_severity: warning\n", 0),
        ("min_severity: error\n", 1),
        ("inline_ignores: false\n", 1),
    ],
)
def test_it_takes_effect(shop: Path, text: str, status: int) -> None:
    """Each key changes what an audit finds or how it ends, as its sentence says."""
    write(shop, **{NAME: text})

    assert audit(shop).status == status


def test_a_figure_is_overridden(shop: Path) -> None:
    """A rule's own figure has the site's value, also in what fix writes."""
    write(shop, **{NAME: f"override:\n  {RULE}:\n    let: {{margin: 60}}\n"})

    assert "+stopwaitsecs=180" in run(shop, "fix", ".").out
    assert "stopwaitsecs=180" in run(shop, "audit", ".").out


def test_what_the_configuration_ignores_is_told_with_its_reason(shop: Path) -> None:
    """Nothing vanishes: it is counted, and tells why."""
    write(shop, **{NAME: f"ignore: [{{rule: {RULE}, reason: mails are short}}]\n"})

    (ignored,) = audit(shop).report["ignored"]

    assert (ignored["how"], ignored["reason"]) == ("config", "mails are short")


def test_paths_count_from_the_report_and_from_the_file(shop: Path) -> None:
    """A path means the same file whichever folder of the repository is audited."""
    write(shop, **{NAME: f"ignore: [{{rule: {RULE}, paths: deploy/worker.conf}}]\n"})

    assert run(shop, "audit", ".").status == 0
    assert run(shop, "audit", "deploy").status == 0
    assert run(shop / "deploy", "audit", ".").status == 0


def test_it_is_found_upward_to_the_checkout(tmp_path: Path) -> None:
    """The nearest one counts; above the checkout's top none is looked for; a host's lies in its etc/."""
    write(
        tmp_path,
        **dict.fromkeys(
            (NAME, "repo/.git/HEAD", f"repo/a/{NAME}", "repo/a/b/c/x.conf", "repo/d/x.conf", f"host/etc/{NAME}"), ""
        ),
    )

    assert Path(find(str(tmp_path / "repo/a/b/c")) or "").resolve() == tmp_path / "repo/a" / NAME
    assert Path(find(str(tmp_path / "repo/a/b/c/x.conf")) or "").resolve() == tmp_path / "repo/a" / NAME
    assert find(str(tmp_path / "repo/d")) is None
    assert Path(find(str(tmp_path / "host")) or "").resolve() == tmp_path / "host/etc" / NAME


def test_every_value_tells_where_it_comes_from(shop: Path) -> None:
    """Flags go before the environment, the environment before the file, the file before the default."""
    write(shop, **{NAME: "fail_on: warning\n\nmin_severity: error\nselect: [timeouts]\n"})

    found = shown(
        shop,
        "--fail-on",
        "error",
        "--no-inline-ignores",
        QUEUE_AUDITOR_MIN_SEVERITY="warning",
        QUEUE_AUDITOR_FAIL_ON="never",
    )

    assert found["fail_on"] == ("error", "flag --fail-on")
    assert found["inline_ignores"] == (False, "flag --no-inline-ignores")
    assert found["min_severity"] == ("warning", "environment QUEUE_AUDITOR_MIN_SEVERITY")
    assert found["select"] == (["timeouts"], f"{NAME}:4")
    assert found["baseline"] == ("", "default")
    assert list(found) == list(KEYS)


def test_config_show_is_read_by_a_person(shop: Path) -> None:
    """A line a key, with its origin."""
    write(shop, **{NAME: "fail_on: warning\n"})

    told = run(shop, "config", "show", ".").out.splitlines()

    assert told[0] == f"file: {NAME}"
    assert f'fail_on:        "warning"   # {NAME}:1' in told


def test_another_file_or_none_can_be_named(shop: Path) -> None:
    """--config names it, --no-config leaves it out, and both together are refused."""
    write(shop, **{NAME: "fail_on: never\n", "other.yaml": "fail_on: note\n"})

    assert audit(shop).status == 0
    assert audit(shop, "--no-config").status == 1
    assert audit(shop, "--config", "other.yaml").status == 1
    assert audit(shop, "--config", "nope.yaml").status == 2
    assert audit(shop, "--config", "other.yaml", "--no-config").status == 2


def test_paths_in_it_count_from_its_folder(shop: Path) -> None:
    """A baseline and folders of rules lie where the file says, wherever the audit is started."""
    run(shop, "baseline", ".", "--output", "known.json")
    write(shop, **{NAME: "baseline: known.json\n"})

    assert run(shop, "audit", ".").status == 0
    assert run(shop / "deploy", "audit", "..").status == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("fail_onn: note", "q.yaml:1: there is no key “fail_onn”; did you mean “fail_on”?"),
        ("\n\nfail_on: high", "q.yaml:3: “high” is none of error, warning, note, never"),
        ("ignore: [timeouts/stopwaitsecs]", "q.yaml:1: there is no rule or group “timeouts/stopwaitsecs”; did you mean"),
        ("ignore:\n  - rule: timeots", "q.yaml:2: there is no rule or group “timeots”; did you mean “timeouts”?"),
        ("ignore:\n  - {rule: timeouts, untill: 2027-01-01}", "q.yaml:2: what is ignored has no “untill”; did you mean “until”?"),
        ("ignore:\n  - {rule: timeouts, until: soon}", "q.yaml:2: “until” is a day"),
        ("ignore: [3]", "q.yaml:1: what is ignored is a rule"),
        ("select: [timeots]", "q.yaml:1: there is no rule or group “timeots”"),
        ("override:\n  timeouts/nope: {severity: note}", "q.yaml:2: there is no rule “timeouts/nope”"),
        (f"override:\n  {RULE}:\n    sevrity: note", "q.yaml:3: a rule is given no “sevrity”; did you mean “severity”?"),
        (f"override:\n  {RULE}:\n    let:\n      margn: 3", f"q.yaml:4: {RULE} lets no “margn” be set; did you mean “margin”?"),
        (f"override:\n  {RULE}:\n    let: {{margin: many}}", f"q.yaml:3: “margin” of {RULE} is a number"),
        (f"override:\n  {RULE}:\n    let: {{margin: .nan}}", "q.yaml:3: “.nan” is not taken here"),
        (f"override:\n  {RULE}:\n    severity: fatal", "q.yaml:3: “fatal” is none of"),
        ("format: [srif]", "q.yaml:1: there is no format “srif”"),
        ("inline_ignores: maybe", "q.yaml:1: “inline_ignores” is true or false"),
        ("apps: {a: b}", "q.yaml:1: “apps” is a text"),
        ("- a", "q.yaml:1: a configuration is a mapping"),
        ("select: &x [timeouts]\nrules: *x", "q.yaml:1: aliases"),
        ("a: [", "not YAML"),
        ("fail_on: note\nfail_on: error", "q.yaml:2: “fail_on” stands here twice"),
        ("a: !!python/object:os.system b", "q.yaml:1:"),
    ],
)  # fmt: skip
def test_what_it_cannot_follow_is_refused(shop: Path, text: str, told: str) -> None:
    """A misspelt key or rule is an error with file, line and the nearest name, and exit 2; never a setting that does nothing."""
    write(shop, **{"q.yaml": text})

    done = audit(shop, "--config", "q.yaml")

    assert done.status == 2
    assert told in done.err
    assert done.err.count("\n") == 1


@settings(max_examples=150)
@given(
    st.binary(max_size=60)
    | st.sampled_from(list(KEYS)).flatmap(lambda key: st.text(max_size=20).map(lambda t: f"{key}: {t}".encode()))
)
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Whatever the file holds, it is a checked configuration or a SettingsRefused."""
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_bytes(data)
    try:
        found = read(str(file))
    except SettingsRefused:
        return
    assert set(found.values) <= set(KEYS)


@pytest.mark.parametrize(
    ("pattern", "meant", "not_meant"),
    [
        ("deploy", "deploy/a.conf deploy/x/a.conf", "a.conf x/deploy/a.conf deployed/a.conf"),
        ("deploy/*.conf", "deploy/a.conf", "deploy/x/a.conf"),
        ("deploy/**/*.conf", "deploy/a.conf deploy/x/a.conf deploy/x/y/a.conf", "x/deploy/a.conf deploy/a.ini"),
        ("**/a.conf", "a.conf x/a.conf x/y/a.conf", "b.conf"),
        ("/deploy/", "deploy/a.conf", "x/deploy"),
        ("./a.conf", "a.conf", "x/a.conf"),
        ("**", "a x/y", ""),
    ],
)
def test_a_pattern_means_paths(pattern: str, meant: str, not_meant: str) -> None:
    """`*` stays in its folder, `**` goes down any number, and a folder means all below it."""
    assert [name for name in meant.split() if not matches(name, pattern)] == []
    assert [name for name in not_meant.split() if matches(name, pattern)] == []


def test_a_pattern_of_many_stars_ends() -> None:
    """No pattern takes time that grows faster than its length times the path's."""
    assert not matches("/".join(["a"] * 200), "/".join(["**", "a"] * 100 + ["b"]))
