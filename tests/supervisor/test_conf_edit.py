"""One option is changed; supervisor reads just that change, and every other line is as it was."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from auditor.dialects.conf import lines_with_ends
from auditor.errors import CannotMend
from auditor.remedies.conf_edit import ORDER, Change, edit
from auditor.sources.supervisor.vocabulary import OPTIONS

CASES: list[tuple[str, str, str, str | None, str]] = [
    # what, before, option, value, after
    ("plain", "[program:x]\nstopwaitsecs=10\n", "stopwaitsecs", "90", "[program:x]\nstopwaitsecs=90\n"),
    ("spaces kept", "[program:x]\nuser = a\n", "user", "b", "[program:x]\nuser = b\n"),
    ("colon kept", "[program:x]\nuser: a\n", "user", "b", "[program:x]\nuser: b\n"),
    ("spelling kept", "[program:x]\nUser=a\n", "user", "b", "[program:x]\nUser=b\n"),
    ("comment kept", "[program:x]\nuser=a  ; why\n", "user", "b", "[program:x]\nuser=b  ; why\n"),
    ("hash comment kept", "[program:x]\nuser=a\t# why\n", "user", "b", "[program:x]\nuser=b\t# why\n"),
    ("indent kept", "[program:x]\n  user=a\n  umask=022\n", "user", "b", "[program:x]\n  user=b\n  umask=022\n"),
    ("CRLF kept", "[program:x]\r\nuser=a\r\n", "user", "b", "[program:x]\r\nuser=b\r\n"),
    ("no last newline", "[program:x]\nuser=a", "user", "b", "[program:x]\nuser=b"),
    ("blanks at the end", "[program:x]\nuser=a  \n", "user", "b", "[program:x]\nuser=b  \n"),
    ("empty value", "[program:x]\nuser=\n", "user", "b", "[program:x]\nuser=b\n"),
    ("empty value, blank", "[program:x]\nuser = \n", "user", "b", "[program:x]\nuser = b\n"),
    ("empty value, comment", "[program:x]\nuser = ; why\n", "user", "b", "[program:x]\nuser =b ; why\n"),
    ("to empty", "[program:x]\nuser=a ; why\n", "user", "", "[program:x]\nuser= ; why\n"),
    ("last of two", "[program:x]\nuser=a\nuser=b\n", "user", "c", "[program:x]\nuser=a\nuser=c\n"),
    (
        "last of two sections",
        "[program:x]\nuser=a\n[program:y]\nuser=z\n[program:x]\nuser=b\n",
        "user",
        "c",
        "[program:x]\nuser=a\n[program:y]\nuser=z\n[program:x]\nuser=c\n",
    ),
    ("continuation", "[program:x]\ncommand=a\n  b\n c\nuser=u\n", "command", "d", "[program:x]\ncommand=d\nuser=u\n"),
    (
        "comments in a continuation kept",
        "[program:x]\ncommand=a\n  ; one\n  b ; two\n# three\n  c\nuser=u\n",
        "command",
        "d",
        "[program:x]\ncommand=d\n  ; one\n  ; two\n# three\nuser=u\n",
    ),
    ("value begun on the next line", "[program:x]\ncommand=\n  a\n", "command", "d", "[program:x]\ncommand=d\n"),
    ("value like a comment", "[program:x]\nuser = a\n", "user", ";b", "[program:x]\nuser =;b\n"),
    ("taken out", "[program:x]\nuser=a\numask=022\n", "user", None, "[program:x]\numask=022\n"),
    ("taken out twice", "[program:x]\nuser=a\ncommand=c\nuser=b\n", "user", None, "[program:x]\ncommand=c\n"),
    ("taken out, comment kept", "[program:x]\nuser=a ; why\n", "user", None, "[program:x]\n; why\n"),
    ("taken out, not there", "[program:x]\ncommand=a\n", "user", None, "[program:x]\ncommand=a\n"),
    (
        "new, in the order of the field",
        "[program:x]\ncommand=a\nautostart=true\nuser=u\n\n[program:y]\ncommand=b\n",
        "autorestart",
        "true",
        "[program:x]\ncommand=a\nautostart=true\nautorestart=true\nuser=u\n\n[program:y]\ncommand=b\n",
    ),
    ("new, spacing kept", "[program:x]\ncommand = a\n", "user", "b", "[program:x]\ncommand = a\nuser = b\n"),
    ("new, indent kept", "[program:x]\n  command=a\n", "user", "b", "[program:x]\n  command=a\n  user=b\n"),
    ("new, continuation", "[program:x]\ncommand=a\n  b\n", "user", "u", "[program:x]\ncommand=a\n  b\nuser=u\n"),
    ("new, CRLF", "[program:x]\r\ncommand=a\r\n", "user", "b", "[program:x]\r\ncommand=a\r\nuser=b\r\n"),
    ("new, no last newline", "[program:x]\ncommand=a", "user", "b", "[program:x]\ncommand=a\nuser=b"),
    ("new, empty section", "[program:x]", "command", "a", "[program:x]\ncommand=a"),
    ("new, first", "[program:x]\n  user=b\n", "command", "a", "[program:x]\n  command=a\n  user=b\n"),
    (
        "new, before an indented header",
        "[program:x]\n  [program:y]\n  command=b\n",
        "command",
        "a",
        "[program:x]\n  command=a\n  [program:y]\n  command=b\n",
    ),
    (
        "new, last block of two",
        "[program:x]\ncommand=a\n[program:y]\n[program:x]\nuser=u\n",
        "stopwaitsecs",
        "9",
        "[program:x]\ncommand=a\n[program:y]\n[program:x]\nstopwaitsecs=9\nuser=u\n",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "option", "value", "after"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_edit(before: str, option: str, value: str | None, after: str) -> None:
    """Each tricky place is changed as a careful hand would change it."""
    assert edit(before.encode(), [Change("program:x", option, value)]).decode() == after


@pytest.mark.parametrize(
    "value",
    ["a ; b", "a #b", "a\t;b", "a\nb", "a\rb", " a", "a "],
    ids=["semicolon", "hash", "tab", "lf", "cr", "l", "t"],
)
def test_what_the_format_cannot_carry(value: str) -> None:
    """A value that would be cut is refused, never mangled."""
    with pytest.raises(CannotMend) as caught:
        edit(b"[program:x]\nuser=a\n", [Change("program:x", "command", value)], "etc/x.conf")

    assert str(caught.value).startswith("etc/x.conf: the value of command holds ")


def test_no_section() -> None:
    """An option cannot be put into a section that is not there."""
    with pytest.raises(CannotMend, match=r"x\.conf: it has no section \[program:y\]\."):
        edit(b"[program:x]\n", [Change("program:y", "user", "a")], "x.conf")


def test_not_utf8() -> None:
    """A file supervisord cannot decode is not touched."""
    with pytest.raises(CannotMend, match=r"it is not UTF-8"):
        edit(b"[program:x]\n; caf\xe9\n", [Change("program:x", "user", "a")])


def test_a_comment_the_new_value_would_move() -> None:
    """Where the value's own ; would make an old comment part of it, nothing is written."""
    with pytest.raises(CannotMend, match=r"would be read as something else"):
        edit(b"[program:x]\nuser=a ;x #y\n", [Change("program:x", "user", "b;c")])


def test_several_changes() -> None:
    """Changes are made one after the other, each seeing the last."""
    changes = [Change("program:x", "user", "b"), Change("program:x", "umask", "022"), Change("program:x", "user", "c")]

    assert edit(b"[program:x]\nuser=a\n", changes) == b"[program:x]\nuser=c\numask=022\n"


def test_order_names_every_option() -> None:
    """Every option supervisor reads has its place in the order, and no other has."""
    for kind, order in ORDER.items():
        assert set(order) == OPTIONS[kind]
        assert len(set(order)) == len(order)


def real(text: str) -> dict[tuple[str, str], str] | None:
    """What supervisor's parser makes of it, or None where it refuses."""
    from supervisor.options import ConfigParser, UnhosedConfigParser

    parser = UnhosedConfigParser()
    try:
        parser.read_file(io.StringIO(text, newline=None))
    except ConfigParser.Error:
        return None
    sections: dict[str, Any] = dict(parser._sections)
    return {(name, option): value for name, options in sections.items() for option, value in options.items()}


LINE = st.sampled_from(
    [
        "[program:x]",
        "[program:y]",
        "  [program:x]",
        "command=a",
        "command = a ; c",
        "  command: a",
        "  b",
        "    b # c",
        "user=u",
        "user =",
        "user= ;c",
        "  ; comment",
        "# comment",
        "",
        "  ",
        "\tuser=v",
        "environment=A='1',",
        "  B='2'",
        "startsecs=1;2",
        "Command=z  ",
    ]
)
VALUE = st.text(st.sampled_from("ab1 ;#%='\"[]\\:é"), max_size=8)


@settings(deadline=None, max_examples=1500)
@given(
    st.lists(LINE, max_size=14),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.sampled_from(["command", "user", "startsecs", "environment", "numprocs"]),
    st.one_of(st.none(), VALUE),
)
def test_random_edits(lines: list[str], ending: str, last: bool, option: str, value: str | None) -> None:
    """After an edit supervisor reads the old meaning with that one change, and no other line has changed."""
    text = ending.join(["[program:x]", *lines]) + (ending if last else "")
    before = real(text)
    assume(before is not None)
    assert before is not None
    try:
        after = edit(text.encode(), [Change("program:x", option, value)]).decode()
    except CannotMend:
        assert value is not None
        assert value != value.strip() or ";" in value or "#" in value
        return

    expected = dict(before)
    if value is None:
        expected.pop(("program:x", option), None)
    else:
        expected["program:x", option] = value
    assert real(after) == expected
    old, new = lines_with_ends(text), lines_with_ends(after)
    gone = [line for line in old if line.rstrip("\r\n") not in {one.rstrip("\r\n") for one in new}]
    came = [line for line in new if line.rstrip("\r\n") not in {one.rstrip("\r\n") for one in old}]
    if ("program:x", option) not in before:
        assert gone == []
        assert len(came) <= 1
    if ending in text:
        assert all(line.endswith(ending) for line in new[:-1])
    for line in gone:  # comments stay, and headers that are none but a part of the value go with it
        assert not line.startswith(("[", ";", "#", "  ;"))
