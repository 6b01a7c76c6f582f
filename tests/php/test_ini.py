"""php.ini files against PHP's own scanner and its own memory limit."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from auditor.facts.origin import NEVER, Grade
from auditor.sources.php.ini import find_php_inis, mebibytes, parse, read_ini
from auditor.sources.tree import Tree

PARSE = (
    "echo json_encode(array_map(fn ($t) => @parse_ini_string($t, false, INI_SCANNER_NORMAL),"
    " json_decode(stream_get_contents(STDIN), true)), JSON_INVALID_UTF8_SUBSTITUTE);"
)


def theirs(texts: list[str]) -> list[dict[str, str] | bool]:
    """What parse_ini_string makes of each text: names and values, or false."""
    done = subprocess.run(["php", "-r", PARSE], input=json.dumps(texts).encode(), capture_output=True, check=True)
    answers = json.loads(done.stdout)
    return [{} if answer == [] else answer for answer in answers]


def agrees(text: str, answer: dict[str, str] | bool) -> bool:
    """Whether every value that we claim to know is PHP's, and nothing is missing."""
    found, stopped = parse(text)
    if isinstance(answer, bool):
        return stopped is not None
    if stopped is not None:
        return True
    mine = {setting.name: setting.value for setting in found}
    return mine.keys() == answer.keys() and all(
        value is None or value == str(answer[name]).rstrip(" \t") or value == answer[name]
        for name, value in mine.items()
    )


TABLE: list[tuple[str, str | None]] = [
    ("a = b c ; x", "b c"),
    ('a = "b ; c" ; d', "b ; c"),
    ("a=b;c", "b"),
    ("a = 'x;y'", "x;y"),
    ("a = On", "1"),
    ("a = off", ""),
    ("a = none", ""),
    ("a = null", ""),
    ("a='on'", "on"),
    ('a="on"', "on"),
    ("a =", ""),
    (r'a = "x\"y"', 'x"y'),
    (r'a="x\ny"', r"x\ny"),
    ('a = x"y"', None),
    ('a = "b" "c"', None),
    ("[S]\na = 128M ;c", "128M"),
    ("a = -1", "-1"),
    ("a\t=\t5\t; c", "5"),
    ("a = 5 # x", "5 # x"),
    ("a = E_ALL & ~E_NOTICE", None),
    ("a = ${HOME}", None),
    ("a = PHP_VERSION", None),
    ('a = "x\ny"', "x\ny"),
    ("; b=1\n\n  a  =  b", "b"),
    ("a=1\r\na=2", "2"),
]


def test_table() -> None:
    """Each form of a value is read as PHP reads it."""
    answers = theirs([text for text, _ in TABLE])
    for (text, expected), answer in zip(TABLE, answers, strict=True):
        found, stopped = parse(text)

        assert stopped is None, text
        assert found[-1].name == "a"
        assert found[-1].value == expected, text
        assert isinstance(answer, dict)
        assert expected is None or answer["a"] == expected, text


PIECES = [
    "a",
    "b",
    "memory_limit",
    "=",
    "=",
    "= ",
    "\n",
    "\n",
    "\r\n",
    ";",
    "#",
    '"',
    '"',
    "'",
    "[",
    "]",
    " ",
    "\t",
    "128M",
    "-1",
    "on",
    "Off",
    "null",
    "E_ALL",
    "&",
    "|",
    "~",
    "!",
    "(",
    ")",
    "${HOME}",
    "$",
    "{",
    "}",
    "\\",
    ",",
    "x.so",
    "\na=",
    "\n[S]\n",
    "^",
    "?",
]
texts = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@settings(deadline=None, max_examples=25, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.lists(texts, min_size=150, max_size=150))
def test_same_as_php(cases: list[str]) -> None:
    """On generated files, values are PHP's, or not claimed to be known."""
    for text, answer in zip(cases, theirs(cases), strict=True):
        if not agrees(text, answer):
            pytest.fail(f"{text!r}: {parse(text)} against {answer!r}")


LIMITS = ["128M", "1G", "512m", "134217728", "1.5G", "0x80M", "0200M", "3000K", "2M", "+256M", " 256M", "2g"]
TOO_SMALL = ["128MB", "64K", "", "0", "1", "none"]


def test_memory_limit_is_what_php_enforces() -> None:
    """PHP itself, given the text as its limit, names the same number of bytes when it runs out."""
    for text in LIMITS:
        done = subprocess.run(
            ["php", "-n", "-d", f"memory_limit='{text}'", "-r", "str_repeat('x', PHP_INT_MAX >> 2);"],
            capture_output=True,
            check=False,
        )
        found = re.search(rb"memory size of (\d+) bytes", done.stdout + done.stderr)

        assert found is not None, (text, done)
        assert mebibytes(text) == int(found[1]) / 1024**2, text


def test_a_limit_too_small_to_be_one() -> None:
    """Below 2 MiB, this PHP keeps its default and an older one does not: unknown."""
    assert [mebibytes(text) for text in TOO_SMALL] == [None] * len(TOO_SMALL)


def test_no_memory_limit() -> None:
    """-1 is no limit."""
    assert mebibytes("-1") == NEVER


def tree(folder: Path, files: dict[str, str]) -> Tree:
    """A host with these files."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Tree(folder)


def test_debian(tmp_path: Path) -> None:
    """php.ini comes first, then conf.d in order, and the last value wins."""
    host = tree(
        tmp_path,
        {
            "etc/php/8.2/cli/php.ini": "[PHP]\nmemory_limit = 256M\ndisable_functions = pcntl_alarm, exec\n",
            "etc/php/8.2/cli/conf.d/20-pcntl.ini": "extension=pcntl\n",
            "etc/php/8.2/cli/conf.d/99-local.ini": "; ours\nmemory_limit = -1 ; none\n",
            "etc/php/8.2/cli/conf.d/note.txt": "memory_limit = 1M\n",
            "etc/php/8.2/fpm/php.ini": "memory_limit = 2M\n",
        },
    )
    paths = find_php_inis(host)
    found = read_ini(host, paths)

    assert paths is not None
    assert [path.rpartition("/")[2] for path in paths] == ["php.ini", "20-pcntl.ini", "99-local.ini"]
    assert found.memory_limit == NEVER
    assert found.disable_functions == ("pcntl_alarm", "exec")
    assert found.extensions == ("pcntl",)
    place = found.mark("memory_limit").origin
    assert place is not None
    assert (place.file, place.line) == ("etc/php/8.2/cli/conf.d/99-local.ini", 2)


@pytest.mark.parametrize(
    ("files", "version", "first"),
    [
        (["etc/php.ini", "etc/php.d/10-x.ini"], None, "etc/php.ini"),
        (
            ["usr/local/etc/php/php.ini", "usr/local/etc/php/conf.d/x.ini", "usr/local/bin/php"],
            None,
            "usr/local/etc/php/php.ini",
        ),
        (["etc/php82/php.ini", "etc/php82/conf.d/x.ini"], None, "etc/php82/php.ini"),
        (["etc/opt/remi/php81/php.ini"], "8.1", "etc/opt/remi/php81/php.ini"),
        (["etc/php/8.1/cli/php.ini", "etc/php/8.2/cli/php.ini"], "8.1", "etc/php/8.1/cli/php.ini"),
        (["etc/php/8.1/cli/php.ini", "etc/php/8.2/cli/php.ini"], None, None),
        (["etc/php/8.2/cli/php.ini", "etc/php/8.2/cli/php-cli.ini"], None, "etc/php/8.2/cli/php-cli.ini"),
        (["etc/hosts"], None, None),
    ],
)
def test_where_php_keeps_its_files(tmp_path: Path, files: list[str], version: str | None, first: str | None) -> None:
    """Debian, RHEL, Alpine and the docker images are known; where it is not clear which counts, nothing is guessed."""
    host = tree(tmp_path, dict.fromkeys(files, ""))
    paths = find_php_inis(host, version)

    assert (paths[0] if paths else None) == first
    if first is None:
        assert paths is None
        assert read_ini(host, paths).is_unknown("memory_limit")


def test_the_link_decides(tmp_path: Path) -> None:
    """Of several releases, /usr/bin/php names the one that counts."""
    host = tree(tmp_path, dict.fromkeys(["etc/php/8.1/cli/php.ini", "etc/php/8.2/cli/php.ini", "usr/bin/php8.2"], ""))
    (tmp_path / "etc/alternatives").mkdir()
    (tmp_path / "etc/alternatives/php").symlink_to("/usr/bin/php8.2")
    (tmp_path / "usr/bin/php").symlink_to("/etc/alternatives/php")

    assert find_php_inis(host) == ("etc/php/8.2/cli/php.ini",)


def test_no_file_is_the_default(tmp_path: Path) -> None:
    """The docker images bring no php.ini: PHP's own 128 MiB."""
    (tmp_path / "usr/local/etc/php/conf.d").mkdir(parents=True)
    host = Tree(tmp_path)
    found = read_ini(host, find_php_inis(host))

    assert found.memory_limit == 128
    assert found.mark("memory_limit").grade is Grade.DEFAULT


def test_what_php_refuses_hides_the_rest(tmp_path: Path) -> None:
    """Behind a line at which PHP may stop, nothing is known; what only some web requests see does not count."""
    host = tree(tmp_path, {"a.ini": "memory_limit = 1G\nx = (\n", "b.ini": "[PATH=/www]\nmemory_limit = 1G\n"})

    assert read_ini(host, ("a.ini",)).is_unknown("memory_limit")
    assert read_ini(host, ("b.ini",)).memory_limit == 128


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=200))
def test_never_crashes(text: str) -> None:
    """Any text gives an answer whose lines lie in the file."""
    found, stopped = parse(text)
    last = len(re.split(r"\r\n|\n|\r", text))

    assert all(1 <= setting.line <= last for setting in found)
    assert stopped is None or 1 <= stopped <= last


@pytest.mark.parametrize(
    "text",
    [
        'a="' + "\\x" * 300_000,
        "a=" + "x " * 300_000 + "=",
        "a" * 600_000,
        "[" * 300_000,
        " " * 600_000 + "=",
        "a = (" * 100_000,
    ],
)
def test_hostile_files(text: str) -> None:
    """A long line made to hurt ends soon."""
    parse(text)
