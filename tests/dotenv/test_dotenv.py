"""The .env reader against the real phpdotenv and Laravel's Env::get."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from auditor.errors import Unreadable
from auditor.sources.dotenv import DotEnv, env_value, parse

ORACLE = Path(__file__).with_name("oracle.php")
Case = tuple[bytes, dict[str, str]]


def ask(cases: list[Case]) -> list[dict[str, Any]]:
    """What phpdotenv makes of each text, all in one php process."""
    question = [{"text": base64.b64encode(text).decode(), "real": real or {}} for text, real in cases]
    done = subprocess.run(
        ["php", "-d", "display_errors=stderr", "-d", "error_reporting=22527", str(ORACLE)],
        input=json.dumps(question).encode(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def text_of(value: Any) -> Any:
    """A value as php sent it: texts travel in base64."""
    return base64.b64decode(value["text"]).decode() if isinstance(value, dict) else value


def theirs(answer: dict[str, Any]) -> Any:
    """The oracle's answer in our terms."""
    if "error" in answer:
        return base64.b64decode(answer["error"]).decode()
    return {base64.b64decode(name).decode(): (text_of(t), text_of(v)) for name, t, v in answer["values"]}


def ours(text: bytes, real: dict[str, str]) -> Any:
    """Our answer in the same form."""
    found = parse(text)
    if found.refusal is not None:
        return found.refusal.sentence
    return {name: (value, env_value(value)) for name, value in found.values(real).items()}


def same(mine: Any, other: Any) -> bool:
    """Equal, but for a secret that our sentence hides and a long text that it cuts."""
    if isinstance(mine, str) and isinstance(other, str) and mine.endswith(("at [***].", " …].")):
        return other.startswith(mine.removesuffix("***].").removesuffix(" …]."))
    return bool(mine == other)


def differs_in_version(text: bytes) -> bool:
    """Whether phpdotenv 5.4.1, the oracle, is known to read this text in another way than 5.6.

    1. Before 5.5, names were ASCII only, so a name outside ASCII was refused.
    2. Before 5.6, every line within an open quote was asked whether it opens a quote, so that a closing line that holds
       `="` itself did not close anything.
    """
    if not text.isascii():
        return True
    lines = re.split(rb"\r\n|\n|\r", text)
    opened = False
    for line in lines:
        if opened and b'="' in line:
            return True
        if not opened and b'="' in line:
            opened = len(re.findall(rb'(?<=[^\\])"', line.replace(rb"\\", b""))) < 2
        elif opened:
            opened = not (line == b'"' or re.search(rb'(?<=[^\\])"', line.replace(rb"\\", b"")))
    return False


PREFIX = "Failed to parse dotenv file. Encountered "
WHITESPACE = PREFIX + "unexpected whitespace at [{}]."
ESCAPE = PREFIX + "an unexpected escape sequence at [{}]."
NAME = PREFIX + "an invalid name at [{}]."
QUOTE = PREFIX + "a missing closing quote at [{}]."
EQUALS = PREFIX + "an unexpected equals at [{}]."

# text, and the values or the sentence it must give
TABLE: list[tuple[str, dict[str, str | None] | str]] = [
    ("APP_NAME=My App", WHITESPACE.format("My App")),
    ("A=a\tb", WHITESPACE.format("a\tb")),
    ("A=`b c`", WHITESPACE.format("`b c`")),
    ('A={"a": 1}', WHITESPACE.format('{"a": 1}')),
    ("A=b#c", {"A": "b"}),
    ("A=p#w", {"A": "p"}),
    ("A=https://x/y#z", {"A": "https://x/y"}),
    ("A=#c", {"A": ""}),
    ("A=b # c", {"A": "b"}),
    ('A="b"c', WHITESPACE.format('"b"c')),
    ('A="b" c', WHITESPACE.format('"b" c')),
    ('A="b" # c', {"A": "b"}),
    ('A="b"#c', {"A": "b"}),
    (r'A="a\qb"', ESCAPE.format(r'"a\qb"')),
    (r'A="C:\Users\x"', ESCAPE.format(r'"C:\Users\x"')),
    (r'A="x\ay"', ESCAPE.format(r'"x\ay"')),
    (r'A="\"\\\$\f\n\r\t\v"', {"A": '"\\$\f\n\r\t\v'}),
    (r"A='a\'b'", WHITESPACE.format(r"'a\'b'")),
    (r"A='a\\b'", {"A": r"a\\b"}),
    ('B=1\nA="\\${B}"', {"B": "1", "A": "${B}"}),
    ("B=1\nA='${B}'", {"B": "1", "A": "${B}"}),
    ("A=${NOPE}", {"A": "${NOPE}"}),
    ("A=${B}\nB=1", {"A": "${B}", "B": "1"}),
    ("A=${NOPE:-d}", {"A": "${NOPE:-d}"}),
    ("B=C\nC=1\nA=${${B}}", {"B": "C", "C": "1", "A": "1"}),
    ("B=1\nA=${${B}}", {"B": "1", "A": "${1}"}),
    ("C=x\nB='${C}'\nA=${B}", {"C": "x", "B": "${C}", "A": "${C}"}),
    ("B={C}\nC=x\nA=$${B}", {"B": "{C}", "C": "x", "A": "x"}),
    ("B=1\nA=$B", {"B": "1", "A": "$B"}),
    ("A=$$", {"A": "$$"}),
    ("export A=b", NAME.format("export A")),
    ("export AB=b", {"AB": "b"}),
    ("export\tAB=b", {"AB": "b"}),
    ("A='x\ny'", QUOTE.format("'x")),
    ('A= "x\ny"', QUOTE.format('"x')),
    ('A="x\ny"', {"A": "x\ny"}),
    ('A="x\r\ny"', {"A": "x\ny"}),
    ('A="x\n"', {"A": "x\n"}),
    ('A="x\nB=1\nC=2', {}),
    ('Z=0\n#A="x\nB=1', {"Z": "0"}),
    ("A='q=\"x'\nB=1", {}),
    ("A-B=1", NAME.format("A-B")),
    ("A B=1", NAME.format("A B")),
    ("// A=1", NAME.format("// A")),
    ("; A=1", NAME.format("; A")),
    ("A: 1", NAME.format("A: 1")),
    ("<<<<<<< HEAD", NAME.format("<<<<<<< HEAD")),
    ("=x", EQUALS.format("=x")),
    (" A", NAME.format(" A")),
    ("A.B=1", {"A.B": "1"}),
    ("1A=1", {"1A": "1"}),
    ("1=x", {"1": "x"}),
    ("a=1", {"a": "1"}),
    ("A=1\nA", {"A": None}),
    ("A=1\nA=2", {"A": "2"}),
    ("A = b", {"A": "b"}),
    ("'A'=b", {"A": "b"}),
    ('"A"=b', {"A": "b"}),
    ("A=", {"A": ""}),
    ("A=''", {"A": ""}),
    ('A=""', {"A": ""}),
    ("A=base64:q+/=", {"A": "base64:q+/="}),
    ("A=1\rB=2\r\nC=3", {"A": "1", "B": "2", "C": "3"}),
    ("\ufeffA=1", {"A": "1"}),
    ("A=it's", {"A": "it's"}),
    ('A=a"b"', {"A": 'a"b"'}),
    ("A=\x0cb", {"A": "\x0cb"}),
    ("A='b", QUOTE.format("'b")),
    ("A=é", {"A": "é"}),
    ("", {}),
    ("\n \n# c\n", {}),
]
# The same for names outside ASCII, which the installed phpdotenv does not know yet.
NEWER: list[tuple[str, dict[str, str | None] | str]] = [
    ("Ж=1", {"Ж": "1"}),
    ("行=1", NAME.format("行")),
    ('A="x\nB="', {"A": "x\nB="}),
]


@pytest.mark.parametrize(("text", "expected"), TABLE + NEWER)
def test_table(text: str, expected: dict[str, str | None] | str) -> None:
    """Each known peculiarity gives its values or its sentence."""
    found = parse(text.encode())

    if isinstance(expected, str):
        assert found.refusal is not None
        assert found.refusal.sentence == expected
    else:
        assert found.refusal is None
        assert found.values() == expected


def test_table_is_what_phpdotenv_does() -> None:
    """The table is not an opinion: the real phpdotenv gives the same."""
    for (text, expected), answer in zip(TABLE, ask([(text.encode(), {}) for text, _ in TABLE]), strict=True):
        got = theirs(answer)

        assert (got if isinstance(got, str) else {name: value for name, (value, _) in got.items()}) == expected, text


def test_bytes_that_are_not_utf8() -> None:
    """Bytes that are not UTF-8 become question marks, as many as mbstring writes."""
    broken = [
        b"a\xffb",
        b"\xc3",
        b"\xe2\x82",
        b"\xf0\x9f\x98",
        b"\xed\xa0\x80",
        b"\xc0\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\xe2\x28\xa1",
        b"\xf4\x90\x80\x80",
        b"\x80\x80",
        b"\xe2\x82x",
        b"\xf0\x9f\xc3\xa9",
        b"\xef\xbf\xbd",
    ]
    cases: list[Case] = [(b"A=" + text, {}) for text in broken]

    assert [ours(*case) for case in cases] == [theirs(answer) for answer in ask(cases)]


FRAGMENTS = [
    "A",
    "B",
    "C",
    "AB",
    "=",
    "=",
    "=",
    "\n",
    "\n",
    "\r\n",
    "\r",
    '"',
    '"',
    "'",
    "\\",
    "#",
    "$",
    "${",
    "${A}",
    "${B}",
    "}",
    "{",
    " ",
    "\t",
    "\x0b",
    "\x0c",
    "\0",
    "x",
    "1",
    "n",
    "q",
    "export ",
    "export\t",
    ".",
    "_",
    "-",
    "true",
    "(null)",
    "Empty",
    "FALSE",
    '="',
    "A=",
    "\nB=",
    '\nC="',
    "${C}",
    "long" * 300,
    "é",
]
LINES = [
    "A=1",
    "B=${A}",
    'C="${A}${B}"',
    "A=true",
    "C='x'",
    "# c",
    "",
    "AB",
    "export AB=x",
    'B="a\\nb"',
    'A="x',
    'y"',
    "A=x # c",
    '# A="x',
    '"',
    "C=${${A}}",
    "A=B",
    "A={B}",
    "B=$${A}",
    "A=a b",
    "C='${A}'",
    'B="(true)"',
    "A='\"q\"'",
    "A=\"'q'\"",
]
texts = st.one_of(
    st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join),
    st.lists(st.sampled_from(LINES), max_size=8).map("\n".join),
    st.lists(
        st.one_of(st.sampled_from(LINES), st.lists(st.sampled_from(FRAGMENTS), max_size=5).map("".join)), max_size=6
    ).map("\n".join),
).map(str.encode)
reals = st.dictionaries(st.sampled_from(["A", "B", "C"]), st.sampled_from(["", "os", "B", "{A}", "null"]), max_size=2)


# No shrinking: a batch of cases shrinks slowly, and the message shows the one case that differs.
@settings(deadline=None, max_examples=40, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.lists(st.tuples(texts, reals), min_size=100, max_size=100))
def test_same_as_phpdotenv(cases: list[Case]) -> None:
    """On generated files, under any real environment, values and sentences are phpdotenv's."""
    cases = [case for case in cases if not differs_in_version(case[0])]
    for case, answer in zip(cases, ask(cases), strict=True):
        mine, other = ours(*case), theirs(answer)
        assert same(mine, other), (case, mine, other)


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.binary(max_size=60), texts))
def test_never_crashes(text: bytes) -> None:
    """Any bytes give an answer whose lines lie in the file."""
    found = parse(text)
    found.values()
    last = len(re.split(rb"\r\n|\n|\r", text))

    assert all(1 <= e.line <= e.last_line <= last for e in found.entries)
    if found.swallowed is not None:
        assert 1 <= found.swallowed[0] <= found.swallowed[1] <= last


@pytest.mark.parametrize(
    ("text", "swallowed"),
    [
        ('Z=0\nA="x\nB=1\nC=2\n', (2, 4)),
        ('Z=0\n#A="x\nB=1\n', (2, 3)),
        ('#A="x\nB=1\nC="y"\nD=1\n', (1, 3)),
        ("A='q=\"x'\nB=1", (1, 2)),
        ('#A="x\n\n', None),
        ('#A="x\n# say "y"\nB=1', None),
        ('A="x\ny"\nB=1', None),
        ('A="x', (1, 1)),
        ("A=1\nB=2", None),
    ],
)
def test_swallowed_lines(text: str, swallowed: tuple[int, int] | None) -> None:
    """Lines lost to a quote are told, from the line that opened it; comments and blanks are no loss."""
    if swallowed is not None and text.lstrip().startswith("#") and swallowed[1] == swallowed[0]:
        pytest.fail("a comment alone is no loss")
    assert parse(text.encode()).swallowed == swallowed


def test_lines() -> None:
    """Each entry knows where it begins and ends."""
    found = parse(b'# c\nA=1\r\nB="x\ny"\rC\n')

    assert [(e.name, e.value, e.line, e.last_line) for e in found.entries] == [
        ("A", "1", 2, 2),
        ("B", "x\ny", 3, 4),
        ("C", None, 5, 5),
    ]


def test_secrets_stay_hidden() -> None:
    """A refusal does not quote a value whose name tells that it is a secret."""
    found = parse(b"OK=1\nDB_PASSWORD=two words\n")

    assert found.refusal is not None
    assert found.refusal.line == 2
    assert "words" not in found.refusal.sentence


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("TRUE", True),
        ("(true)", True),
        ("False", False),
        ("(false)", False),
        ("null", None),
        ("(Null)", None),
        ("empty", ""),
        ("(empty)", ""),
        ("'x'", "x"),
        ('"x"', "x"),
        ('"x', '"x'),
        ("''", ""),
        ("'", "'"),
        ("\"x'", "\"x'"),
        ("'a\nb'", "'a\nb'"),
        ("1", "1"),
        ("", ""),
        (" true", " true"),
        ("truE ", "truE "),
    ],
)
def test_env_value(text: str, value: str | bool | None) -> None:
    """Laravel's words become values, and one pair of outer quotes goes."""
    assert env_value(text) is value if not isinstance(value, str) else env_value(text) == value


def test_env_value_of_old_laravel() -> None:
    """Before 5.8, single quotes stay."""
    assert env_value("'x'", (5, 7, 3)) == "'x'"
    assert env_value('"x"', (5, 7, 3)) == "x"
    assert env_value("'x'", (5, 8)) == "x"


SIZE = 1 << 20
HOSTILE: dict[str, bytes] = {
    "dollars": b"A=" + b"$" * SIZE,
    "references": b"A=" + b"${B}" * (SIZE // 4),
    "nested references": b"B=x\nA=" + b"${" * (SIZE // 2) + b"B}",
    "unclosed references": b"B=a\nA=" + b"${x${B}" * (SIZE // 8),
    "references made of values": b'B="{C}{C}{C}{C}"\nC=\nA=' + b"$" * (SIZE // 2) + b"${B}",
    "backslashes": b'A="' + b"\\\\" * (SIZE // 2),
    "quotes": b"A=" + b'="' * (SIZE // 2),
    "an open quote": b'A="x\n' + b"y\n" * (SIZE // 2),
    "not text": b"\xff" * SIZE,
    "spaces": b"A=x" + b" " * SIZE + b"y",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_take_linear_time(text: bytes) -> None:
    """A megabyte made to hurt is read in a moment."""
    began = time.process_time()
    found = parse(text)
    found.values()

    assert time.process_time() - began < 5


def test_multiplying_references_are_refused() -> None:
    """References that double again and again end in a sentence, not in all memory."""
    lines = ["A0=" + "x" * 1000] + [f"A{n + 1}=" + f"${{A{n}}}" * 10 for n in range(9)]
    found: DotEnv = parse("\n".join(lines).encode(), "app/.env")

    with pytest.raises(Unreadable, match=r"app/\.env:6: its references multiply"):
        found.values()
