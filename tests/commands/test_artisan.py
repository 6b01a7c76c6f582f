"""Artisan's command line, against Symfony's console and Laravel 8's own definitions."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from auditor.dialects.command_artisan import nearest, read_line, resolve
from auditor.facts.artisan_options import COMMANDS, options_of, reached, spoken

ORACLE = Path(__file__).with_name("oracle.php")
LARAVEL = (8, 83, 26)

NAMES = ("queue:work", "queue:listen", "q:w", "queue:l", "schedule:run", "schedule:work", "s:w")
OPTIONS = tuple(
    sorted({option for name in ("queue:work", "queue:listen", "schedule:run") for option in options_of(name)})
)
WORDS = st.one_of(
    st.sampled_from(
        ["redis", "", "0", "-", "--", "5", "a,b", "-v", "-vvv", "-q", "-nv", "-x", "-vx", "-h", "-V", "--=1"]
    ),
    st.sampled_from(OPTIONS).map(lambda name: f"--{name}"),
    st.builds("--{}={}".format, st.sampled_from(OPTIONS), st.sampled_from(["", "7", "0", "x y", "a=b", "-1", "é"])),
    st.sampled_from(["--tires=3", "--time", "--ANSI", "--foo", "--queue", "--tries"]),
)
ARGV = st.tuples(st.lists(WORDS, max_size=2), st.sampled_from(NAMES), st.lists(WORDS, max_size=5)).map(
    lambda parts: [*parts[0], parts[1], *parts[2]]
)


def ask(lines: list[list[str]]) -> list[dict[str, Any]]:
    """What Symfony makes of each line, all in one php process."""
    done = subprocess.run(
        ["php", "-d", "error_reporting=22527", "-d", "display_errors=stderr", str(ORACLE)],
        input=json.dumps(lines).encode(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def agrees(words: list[str], answer: dict[str, Any]) -> None:
    """Our reading of the words is the answer's."""
    line = read_line(words, LARAVEL)
    assert (line.name or None) == (answer["name"] or None)
    assert line.help is answer["help"]
    assert line.version is answer["version"]
    if "command" not in answer:
        assert line.command not in COMMANDS or line.name is None
        return
    assert line.command == answer["command"]
    if "error" in answer:
        assert line.faults
        assert f"{line.faults[0].text}." == answer["error"]
        return
    assert [fault.text for fault in line.faults] == []
    given_arguments = [value for value in answer["arguments"].values() if value is not None]
    assert [value for value, _ in line.arguments] == given_arguments
    for name, value in answer["options"].items():
        last = line.last(name)
        if name == "ansi":
            continue  # --no-ansi is its negation there
        if last is None:
            option = options_of(answer["command"])[name]
            assert value == (False if option.kind == "flag" else option.default), name
        else:
            assert value == (True if options_of(answer["command"])[name].kind == "flag" else last.value), name


@settings(max_examples=20, phases=[Phase.explicit, Phase.generate])  # shrinking would start php a thousand times
@given(st.lists(ARGV, min_size=30, max_size=60))
@example([["--queue", "queue:listen", "0", "", ""], ["--queue", "queue:work", "", "x", "y"]])
def test_as_symfony_reads_it(lines: list[list[str]]) -> None:
    """Names, arguments, options, defaults and the first refusal are those of the real console."""
    for words, answer in zip(lines, ask(lines), strict=True):
        agrees(words, answer)


PLAIN = [
    ["queue:work"],
    ["queue:work", "redis", "--tries", "3", "--timeout=5"],
    ["queue:work", "--queue", "--tries=3"],
    ["queue:work", "--queue=", "a"],
    ["queue:work", "--timeout"],
    ["queue:work", "--", "--tries=3"],
    ["queue:work", "redis", "default"],
    ["queue:work", "--json"],
    ["queue:work", "--stop-when-empty-for=3"],
    ["queue:listen", "--max-time=3"],
    ["queue:listen", "--rest=3"],
    ["schedule:run", "--whisper"],
    ["schedule:work", "--run-output-file=x"],
    ["schedule:run", "x"],
    ["--env", "prod", "queue:work", "sqs"],
    ["--tries", "3", "queue:work"],
    ["--", "queue:work"],
    ["0"],
    [""],
    [],
]


def test_plain_lines() -> None:
    """The lines people write, and the ones they get wrong, are read as the real console reads them."""
    for words, answer in zip(PLAIN, ask(PLAIN), strict=True):
        agrees(words, answer)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("queue:work", "queue:work"),
        ("q:w", "queue:work"),
        ("que:wor", "queue:work"),
        ("q:l", "queue:listen"),
        ("sche:r", "schedule:run"),
        ("horizon", "horizon"),
        ("horizon:st", "horizon:status"),
        ("queue:work-slowly", None),
        ("queue:worker", None),
        ("app:queue:work", None),
        ("work", None),
        ("queue", None),
        ("[", None),
        ("q" * 1000, None),
    ],
)
def test_abbreviations(name: str, command: str | None) -> None:
    """A name is what it begins, part by part, and never what only looks like it."""
    assert resolve(name)[0] == command


def test_ambiguous_abbreviations() -> None:
    """What begins several commands is none of them; a command that does not exist yet does not count."""
    assert resolve("queue:re") == (None, ("queue:restart", "queue:retry", "queue:retry-batch"))
    assert resolve("queue:p")[1] == ("queue:pause", "queue:prune-batches", "queue:prune-failed")
    assert resolve("queue:p", (8, 30)) == ("queue:prune-batches", ())


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("tiemout", "timeout"),
        ("timout", "timeout"),
        ("time-out", "timeout"),
        ("retries", "tries"),
        ("max_time", "max-time"),
        ("queues", "queue"),
        ("x", None),
        ("password", None),
    ],
)
def test_suggestions(name: str, meant: str | None) -> None:
    """A misspelt option is taken for the one most alike, and only where one is alike."""
    assert nearest(name, tuple(options_of("queue:work"))) == meant


def test_versions_are_in_order() -> None:
    """Each option's first versions ascend, one for each major, as `reached` counts on."""
    for command in COMMANDS.values():
        for option in command.options:
            for since in (option.since, option.deprecated):
                majors = [first[0] for first in since]
                assert majors == sorted(set(majors)), (command.name, option.name)


def test_reached() -> None:
    """A version has what came with it or before, on its own branch or an older one."""
    since = ((11, 53), (12, 60))
    assert reached((11, 52, 9), since) is False
    assert reached((11, 53, 0), since) is True
    assert reached((12, 1), since) is False
    assert reached((13, 0), since) is True
    assert reached((12,), since) is None
    assert reached((10,), since) is False
    assert reached(None, since) is None
    assert reached(None, ()) is True
    assert spoken(since) == "11.53, 12.60"
