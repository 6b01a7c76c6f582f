"""Comments in audited files: what they speak of, for how long, and what is found where they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.sources.ignores import MARK, read_ignores
from tests.suppress.shop import RULE, WORKER, audit, run, write

LINE = "stopwaitsecs=30\n"
CASES = {
    "at the end of its line": WORKER.replace(
        LINE, f"stopwaitsecs=30  ; queue-auditor: ignore[{RULE}] mails are short\n"
    ),
    "on the line above": WORKER.replace(LINE, f"; queue-auditor: ignore[{RULE}] mails are short\n{LINE}"),
    "above, with comments and blanks between": WORKER.replace(
        LINE, f"# queue-auditor: ignore[{RULE}] mails are short\n\n; ten is too few\n{LINE}"
    ),
    "at the other side of the fault": WORKER.replace(
        "[program:mail-worker]\n", f"[program:mail-worker]\n# queue-auditor: ignore[{RULE}] mails are short\n"
    ),
    "above the section": f"# queue-auditor: ignore[{RULE}] mails are short\n{WORKER}",
    "at the section's header": WORKER.replace(
        "[program:mail-worker]\n", f"[program:mail-worker] ; queue-auditor: ignore[{RULE}] mails are short\n"
    ),
    "by its group": WORKER.replace(LINE, f"; queue-auditor: ignore[timeouts] mails are short\n{LINE}"),
    "among others, with a colon": WORKER.replace(
        LINE, f"; queue-auditor: ignore[ {RULE} , memory/memory-below-limit ]: mails are short\n{LINE}"
    ),
    "until a day that is still to come": WORKER.replace(
        LINE, f"; queue-auditor: ignore[{RULE}] mails are short until=2999-12-31\n{LINE}"
    ),
    "until a day, reason behind it": WORKER.replace(
        LINE, f"; queue-auditor: ignore[{RULE}] until=2999-12-31 mails are short\n{LINE}"
    ),
}


@pytest.mark.parametrize("text", CASES.values(), ids=CASES)
def test_what_a_comment_speaks_of_is_ignored(tmp_path: Path, text: str) -> None:
    """The finding is told as ignored, with the comment's reason, and the exit status is that of no finding."""
    write(tmp_path, **{"worker.conf": text})

    told = audit(tmp_path)

    assert told.status == 0, told.out
    (ignored,) = told.report["ignored"]
    assert (ignored["finding"]["rule"], ignored["how"], ignored["reason"]) == (RULE, "inline", "mails are short")


def test_above_a_line_of_a_cron_table(tmp_path: Path) -> None:
    """A line that begins with the asterisk of every minute is what a comment above it speaks for, and is no comment."""
    comment = "# queue-auditor: ignore[scheduler/cron-user-field] old\n"
    line = "* * * * * php /var/www/shop/artisan schedule:run\n"
    write(tmp_path, **{"etc/crontab": f"SHELL=/bin/sh\n{comment}{line}{line.replace('shop', 'blog')}"})

    told = audit(tmp_path, "--select", "scheduler/cron-user-field").report

    assert [one["finding"]["locations"][0]["line"] for one in told["ignored"]] == [3]
    assert [one["locations"][0]["line"] for one in told["findings"]] == [4]


def test_a_block_comment_of_php_goes_on_over_its_asterisks() -> None:
    """In PHP such a line is the comment's next one: what is spoken of is the code that follows it."""
    text = "<?php\n\nreturn [\n    /* queue-auditor: ignore[queue] why\n     * and why not\n     */\n    'default' => 'sync',\n];\n"

    (ignore,) = read_ignores({"config/queue.php": text.encode()})

    assert (ignore.first, ignore.last) == (7, 7)


@pytest.mark.parametrize(
    "text",
    [
        WORKER.replace(LINE, f"{LINE}; queue-auditor: ignore[{RULE}]\n"),
        f"[program:other]\ncommand=/bin/true ; queue-auditor: ignore[{RULE}]\n{WORKER}",
        f"[program:other] ; queue-auditor: ignore[{RULE}]\ncommand=/bin/true\n\n{WORKER}",
    ],
    ids=["below its line", "in another section", "at another section's header"],
)
def test_elsewhere_it_does_nothing_and_is_unused(tmp_path: Path, text: str) -> None:
    """A comment that speaks of another place leaves the finding, and is found itself."""
    write(tmp_path, **{"worker.conf": text})

    told = audit(tmp_path)

    assert RULE in told.rules()
    assert "queue-auditor/unused-ignore" in told.rules()


def test_an_unused_comment_is_found_where_nothing_else_is(tmp_path: Path) -> None:
    """What was mended leaves a comment behind, and it is told with its line."""
    mended = WORKER.replace(LINE, f"stopwaitsecs=140 ; queue-auditor: ignore[{RULE}] mails are short\n")
    write(tmp_path, **{"worker.conf": mended})

    told = audit(tmp_path)

    (finding,) = told.report["findings"]
    assert (finding["rule"], finding["severity"]) == ("queue-auditor/unused-ignore", "note")
    assert finding["locations"][0]["line"] == 6
    assert told.status == 1


def test_a_rule_that_was_not_asked_makes_no_comment_unused(tmp_path: Path) -> None:
    """An audit by other rules says nothing of a comment that it could not have needed."""
    write(tmp_path, **{"worker.conf": CASES["on the line above"]})

    assert audit(tmp_path, "--select", "processes").rules() == []


def test_a_comment_expires(tmp_path: Path) -> None:
    """After its day the finding is back, and the comment is found beside it."""
    write(
        tmp_path,
        **{"worker.conf": WORKER.replace(LINE, f"; queue-auditor: ignore[{RULE}] later until=2020-06-30\n{LINE}")},
    )

    assert sorted(audit(tmp_path).rules()) == ["queue-auditor/ignore-expired", RULE]


@pytest.mark.parametrize(
    ("comment", "rule", "told"),
    [
        ("ignore[timeouts/stopwaitsecs-cover-timeout]", "ignore-unknown", "did you mean “timeouts/stopwaitsecs-covers-timeout”?"),
        ("ignore", "ignore-malformed", "ignore[rule]"),
        ("ignore[]", "ignore-malformed", "names no rule"),
        ("ignroe[timeouts]", "ignore-malformed", "ignore[rule]"),
        ("ignore[timeouts] until=soon", "ignore-malformed", "YYYY-MM-DD"),
        ("ignore[timeouts] until=2027-13-01", "ignore-malformed", "YYYY-MM-DD"),
    ],
)  # fmt: skip
def test_a_comment_that_does_nothing_is_an_error(tmp_path: Path, comment: str, rule: str, told: str) -> None:
    """A misspelt rule or a broken comment leaves nothing alone, and is an error with what is wrong."""
    write(tmp_path, **{"worker.conf": WORKER.replace(LINE, f"; queue-auditor: {comment}\n{LINE}")})

    report = audit(tmp_path).report

    found = {one["rule"]: one for one in report["findings"]}
    assert RULE in found
    assert found[f"queue-auditor/{rule}"]["severity"] == "error"
    assert told in found[f"queue-auditor/{rule}"]["message"]


def test_an_organisation_may_ban_them(tmp_path: Path) -> None:
    """With --no-inline-ignores no comment counts, and none is judged."""
    write(tmp_path, **{"worker.conf": CASES["above the section"]})

    assert audit(tmp_path, "--no-inline-ignores").rules() == [RULE]
    assert audit(tmp_path, QUEUE_AUDITOR_INLINE_IGNORES="0").rules() == [RULE]


def test_the_facts_file_carries_them(tmp_path: Path) -> None:
    """An audit elsewhere honours the comments of the files that it never sees."""
    write(tmp_path, **{"worker.conf": CASES["on the line above"]})
    run(tmp_path, "facts", ".", "--output", "facts.json")

    told = run(tmp_path, "audit", "facts.json", "--format", "json")

    assert told.rules() == []
    assert told.rules("ignored") == [RULE]


def test_fix_leaves_alone_what_they_speak_of(tmp_path: Path) -> None:
    """What a comment asks to be left alone is not rewritten."""
    write(tmp_path, **{"worker.conf": CASES["on the line above"]})
    assert "nothing to change" in run(tmp_path, "fix", ".").out

    write(tmp_path, **{"worker.conf": WORKER})
    assert "+stopwaitsecs=130" in run(tmp_path, "fix", ".").out


def test_php_and_env_files_have_them_too() -> None:
    """`//` opens a comment in PHP, `#` in environment files."""
    found = read_ignores(
        {
            "config/queue.php": b"<?php\nreturn [\n  'retry_after' => 90, // queue-auditor: ignore[timeouts] on purpose\n];\n",
            ".env": b"# queue-auditor: ignore[queue/sync-driver] staging\nQUEUE_CONNECTION=sync\n",
            "README.md": b"# queue-auditor: ignore[queue]\n",
        }
    )

    assert [(one.file, one.first, one.last, one.names) for one in found] == [
        (".env", 0, 2, ("queue/sync-driver",)),
        ("config/queue.php", 3, 3, ("timeouts",)),
    ]


def test_the_first_thing_in_a_file_speaks_for_the_file() -> None:
    """A finding about a file as a whole has no line: only what opens the file speaks of it."""
    first, second = read_ignores(
        {"a": b"# queue-auditor: ignore[scheduler]\nx\n", "b": b"x\n# queue-auditor: ignore[scheduler]\ny\n"}
    )

    assert first.covers("a", None)
    assert not second.covers("b", None)
    assert not first.covers("b", 1)


PIECES = st.sampled_from(
    [
        "queue-auditor:",
        "ignore",
        "[",
        "]",
        "timeouts",
        ",",
        "until=",
        "2027-01-01",
        "#",
        ";",
        "//",
        "\n",
        " ",
        "[program:x]",
        "é",
        "\0",
        "\r",
    ]
)


@settings(max_examples=200)
@given(st.lists(PIECES, max_size=40))
def test_any_text_is_taken(pieces: list[str]) -> None:
    """Whatever stands in a file, each comment of it has a range of its own lines, and names or a fault."""
    data = "".join(pieces).encode()
    for one in read_ignores({"x.conf": data}):
        assert MARK in data
        assert 0 <= one.first <= one.last <= data.count(b"\n") + 1
        assert bool(one.names) or bool(one.fault)
