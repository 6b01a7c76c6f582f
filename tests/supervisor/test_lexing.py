"""The lexer finds what supervisor's own parser finds, on realistic texts and on random ones."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.dialects.conf import comment_column, lex, lines_with_ends
from tests.supervisor.oracle import Oracle

TEXTS = [
    "[program:x]\ncommand=a ; b\n",
    "[program:x]\ncommand=a;b\n",
    "[program:x]\ncommand=a#b # c\n",
    "[program:x]\ncommand=a;b ;c #d\n",
    "[program:x]\ncommand=;c\n",
    "[program:x]\ncommand= ;c\n",
    "[program:x]\nCommand : a=b\n",
    "[program:x]\ncommand=a\n  b ; c\n\n  d\n ; e\n  # f\n  g\n",
    "[program:x]\nenvironment=A='1',\n  [program:y]\n  command=z\n",
    "  [program:x]\n  command=a\n  user=b\n    directory=c\n",
    "[program:x] and more\ncommand=a\n",
    "[a]b]\nx=1\n",
    "[DEFAULT]\nuser=x\n[program:x]\ncommand=a\n",
    "[program:x]\r\ncommand=a\r\n  b\r\n",
    "[program:x]\rcommand=a\r",
    "[program:x]\ncommand=a\x0bb\n",
    "[program:x]\ncommand=a\u2028 ;b\n",
    "[program:x]\ncommand=a\x85;b\n",
    "[program:x]\ncommand=a\n[program:x]\ncommand=b\n",
    "[program:x]\ncommand=a\ncommand=b\n c\n",
    "[program:x\ncommand=a\n",
    "[program:x]\n[program:y\ncommand=a\n",
    "[program:x]\ncommand\n  b=1\n",
    "[program:x]\n=a\n  b=1\n",
    "command=a\n",
    "\ufeff[program:x]\ncommand=a\n",
    "[]\na=1\n",
    "[program:x]\ncommand=a\\\n  b\n",
    "[program:x]\ncommand=\n  a\n  b\n",
    "",
    "; only a comment\n",
]


def meaning(text: str) -> dict[str, Any]:
    """What the lexer makes of a text, in the oracle's words."""
    lexed = lex(text)
    refused = lexed.bom or lexed.bad_byte is not None or any(fault.refused for fault in lexed.faults)
    if refused:
        return {"refused": True}
    found: dict[str, dict[str, str]] = {}
    for block in lexed.blocks:
        options = found.setdefault(block.name, {})
        for one in block.assignments:
            options[one.name] = one.value
    defaults = found.pop("DEFAULT", {})
    return {"refused": False, "parsed": found, "defaults": defaults}


def real(text: str) -> dict[str, Any]:
    """What supervisor 4.3.0's parser makes of it, as it would from a file."""
    from supervisor.options import ConfigParser, UnhosedConfigParser

    parser = UnhosedConfigParser()
    try:
        parser.read_file(io.StringIO(text, newline=None))
    except ConfigParser.Error:
        return {"refused": True}
    parsed = {name: dict(parser._sections[name]) for name in parser.sections()}
    return {"refused": False, "parsed": parsed, "defaults": dict(parser.defaults())}


@pytest.mark.parametrize("text", TEXTS)
def test_both_supervisors_read_the_same(text: str, supervisors: list[Oracle]) -> None:
    """Every text of the table is refused, or gives the values, as in both supervisors."""
    for supervisor in supervisors:
        answer = supervisor.ask({"x.conf": text}, "x.conf", lexing=True)
        expected: dict[str, Any] = {"refused": True}
        if answer["refused"] is None:
            expected = {"refused": False, "parsed": answer["parsed"], "defaults": answer["defaults"]}
        assert meaning(text) == expected


PIECES = st.sampled_from(
    [
        "[program:x]",
        "[program:y]",
        "[DEFAULT]",
        "[x",
        "]",
        "a",
        "b=",
        "a=1",
        "B : 2",
        "=",
        ":",
        ";",
        "#",
        " ;c",
        " #d",
        " ",
        "  ",
        "\t",
        "\n",
        "\n",
        "\n",
        "\r\n",
        "\r",
        "\n ",
        "\n  ",
        "\n    ",
        "v",
        '"',
        "'",
        "\x0b",
        "\xa0",
        "é",
        "[",
        "\\",
    ]
)


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="configparser 3.13 cuts inline comments by another order")
@settings(deadline=None, max_examples=3000)
@given(st.lists(PIECES, max_size=40).map("".join), st.booleans())
def test_random_texts_read_the_same(text: str, headed: bool) -> None:
    """Whatever is written, it is refused, or gives the values, as in supervisor."""
    if headed:
        text = "[program:x]\n" + text

    assert meaning(text) == real(text)


@settings(deadline=None, max_examples=1000)
@given(st.lists(PIECES, max_size=30).map("".join))
def test_spans_show_the_value(text: str) -> None:
    """The columns of an assignment hold its value's first line, and its lines are those it was cut from."""
    text = "[program:x]\n" + text
    lexed = lex(text)

    assert "".join(lines_with_ends(text)) == text
    assert len(lines_with_ends(text)) == len(lexed.lines)
    for block in lexed.blocks:
        for one in block.assignments:
            line = lexed.lines[one.line - 1]
            assert line[one.indent : one.indent + len(one.spelled)] == one.spelled
            assert line[one.delimiter] in "=:"
            assert line[one.start : one.end] == one.value.split("\n")[0]


@pytest.mark.parametrize(
    ("line", "column"),
    [("a=b ;c", 4), ("a=b;c", None), ("a=b#c ;d", 6), ("a;b ;c #d", 7), ("a=b\t#c", 4), (" ;c", 1), ("a=;b", None)],
)
def test_inline_comment(line: str, column: int | None) -> None:
    """A comment sign counts after white space alone, and the rounds of configparser are kept."""
    assert comment_column(line) == column


def test_bad_byte_has_its_line() -> None:
    """The first byte that is not UTF-8 is told by its line, and the rest is read all the same."""
    lexed = lex(b"[program:x]\r\ncommand=a\r\n;caf\xe9\nuser=b\n")

    assert lexed.bad_byte == 3
    assert [one.name for one in lexed.blocks[0].assignments] == ["command", "user"]


def test_large_inputs_take_linear_time() -> None:
    """Megabytes of comment signs, brackets or blanks on one line are cut at once."""
    for piece in (";", "#", "[", " ", "=", ";#", " x", "]", "\n", "%("):
        assert lex("[program:x]\na=" + piece * 1_000_000) is not None
