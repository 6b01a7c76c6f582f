"""Setting names in a `.env`: the reader of such files says the new value, and every other line is as it was."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import CannotMend
from auditor.remedies.env_edit import Place, edit_env
from auditor.sources.dotenv import parse

NAMES = ["A", "B", "QUEUE_CONNECTION", "X.Y"]
line = st.one_of(
    st.builds(
        "{}={}".format, st.sampled_from(NAMES), st.sampled_from(["", "a", "'a b'", '"a b"', '"$A x"', "${A}", "a # c"])
    ),
    st.builds(
        "export {} = {}".format, st.sampled_from(["QUEUE_CONNECTION", "X.Y"]), st.sampled_from(["a", '"x#y" # why'])
    ),
    st.sampled_from(["", "# a comment", "  ", "B", 'A="two', 'lines"', "#A=1"]),
)
ENDS = re.compile(r"\r\n|\n")
value = st.text(st.sampled_from("ab $\"'\\#={}\n\té"), max_size=8)


@settings(max_examples=200)
@given(
    lines=st.lists(line, max_size=8),
    end=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
    wanted=st.dictionaries(st.sampled_from([*NAMES, "NEW"]), value, min_size=1, max_size=3),
)
def test_any_file(lines: list[str], end: str, last: bool, wanted: dict[str, str]) -> None:
    """What is set is read back, what is not set is read as before, and lines of other names stay to the byte."""
    data = (end.join(lines) + (end if last else "")).encode()
    before = parse(data)
    if before.refusal is not None or before.swallowed is not None:
        return
    places = [Place(one.name, one.line, one.last_line) for one in before.entries]
    try:
        after = edit_env(data, places, wanted, ".env")
    except CannotMend:
        return
    again = parse(after)
    mine = {number for one in before.entries if one.name in wanted for number in range(one.line, one.last_line + 1)}
    others = [text for number, text in enumerate(ENDS.split(data.decode()), 1) if number not in mine and text]

    assert again.refusal is None
    read = again.values()
    assert {name: read[name] for name in wanted} == wanted
    if not any("$" in (one.value or "") for one in before.entries):
        assert {n: v for n, v in read.items() if n not in wanted} == {
            n: v for n, v in before.values().items() if n not in wanted
        }
    kept = iter(ENDS.split(after.decode()))
    assert all(any(text == one for one in kept) for text in others)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("A=1\n", "A=2\n"),
        ("A=1", "A=2"),
        ("B=1", "B=1\nA=2\n"),
        ("", "A=2\n"),
        ("A=1 # why\nB=2\n", "A=2 # why\nB=2\n"),
        ("A=1\r\nB=2\r\n", "A=2\r\nB=2\r\n"),
        ("B=1\r\n", "B=1\r\nA=2\r\n"),
        ("A=0\nA=1\n", "A=0\nA=2\n"),
        ("A = 'one'\n", "A = 2\n"),
        ('A="one\ntwo"\nB=1\n', "A=2\nB=1\n"),
        ("#A=1\n", "#A=1\nA=2\n"),
    ],
)
def test_how_a_line_changes(before: str, after: str) -> None:
    """In place, with its comment and line end; a new name comes last, in the file's own line ends."""
    entries = parse(before.encode()).entries
    places = [Place(one.name, one.line, one.last_line) for one in entries]

    assert edit_env(before.encode(), places, {"A": "2"}, ".env") == after.encode()
