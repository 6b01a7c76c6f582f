"""Cutting a command into words, against shlex (as supervisor cuts) and against a real shell."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.dialects.command_unwrap import unwrap
from auditor.dialects.command_words import Beyond, Refused, Simple, Text, Word, cut_for_execve, read_shell

QUOTED = st.text(st.sampled_from("ab '\"\\\t\n\r$`;|&#=-%(){}é\0"), max_size=24)


@settings(max_examples=1500)
@given(QUOTED)
def test_as_shlex_cuts(text: str) -> None:
    """The words are those of shlex.split, and so are the refusals."""
    try:
        expected: list[str] | str = shlex.split(text)
    except ValueError as error:
        expected = str(error)
    try:
        found: list[str] | str = [word.value for word in cut_for_execve(text)]
    except Refused as error:
        found = str(error)
    assert found == expected


@settings(max_examples=400)
@given(QUOTED)
def test_words_know_their_places(text: str) -> None:
    """Each character of a word stands in the text where the word says, and the words' places do not overlap."""
    try:
        words = cut_for_execve(text)
    except Refused:
        return
    behind = 0
    for word in words:
        assert behind <= word.start <= word.end <= len(text)
        assert "".join(text[place] for place in word.at) == word.value
        assert all(word.start <= place < word.end for place in word.at)
        assert cut_for_execve(text[word.start : word.end])[0].value == word.value
        behind = word.end


def words_of(text: str) -> list[Word]:
    """The words of the one simple command that a shell text is."""
    (_, pipeline, _) = read_shell(Text(text), text).items[0]
    (command,) = pipeline.commands
    assert isinstance(command, Simple)
    return command.words


@settings(max_examples=150)
@given(st.text(st.sampled_from("ab '\"\\\n=-/.:,%é"), max_size=16).map(lambda tail: f"printf '%s\\0' w {tail}"))
def test_as_a_shell_cuts(text: str) -> None:
    """Where no expansion is asked for, the words are those that a real shell hands to a program, as are refusals."""
    done = subprocess.run(["dash", "-c", text], capture_output=True, check=False)
    try:
        listing = read_shell(Text(text), text)
    except Refused:
        assert done.returncode != 0
        return
    if len(listing.items) > 1:  # a line end begins another command, which is none that exists
        return
    (_, pipeline, _) = listing.items[0]
    (command,) = pipeline.commands
    assert isinstance(command, Simple)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode() == "".join(f"{word.value}\0" for word in command.words[2:])


@pytest.mark.parametrize(
    ("text", "holes"),
    [
        ("a $B c", ["$B"]),
        ('a "$B-${C:-x}" c', ["$B", "${C:-x}"]),
        ("a '$B' c", []),
        ("a \\$B", []),
        ("a $(b 'c)' $(d)) e", ["$(b 'c)' $(d))"]),
        ("a `b c` d", ["`b c`"]),
        ("a ~/x ~bob/y a~b", ["~", "~bob"]),
        ("a *.php b?", ["*", "?"]),
        ("a {b,c} {d} e{1..3}", ["{b,c}", "{1..3}"]),
        ("a $'x\\'y' b", ["$'x\\'y'"]),
        ("a $ $1 $@ b$", ["$1", "$@"]),
        ("a {{ x }} '{{ y }}'", ["{{ x }}", "{{ y }}"]),
        ("a %(ENV_X)s @HOST@ %%USER%% <path>", ["%(ENV_X)s", "@HOST@", "%%USER%%", "<path>"]),
    ],
)
def test_holes(text: str, holes: list[str]) -> None:
    """What only a run or a template would tell is a hole that shows what is written there; all else is no hole."""
    source = Text(text)
    (_, pipeline, _) = read_shell(source, source.masked).items[0]
    (command,) = pipeline.commands
    assert isinstance(command, Simple)
    assert [hole for word in command.words for hole in source.unknowns(word)] == holes


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("cat <<E\nx\nE", "a here-document"),
        ("diff <(a) b", "a process substitution"),
        ("case a in b) c;; esac", "a case"),
        ("f() { a; }", "a function"),
        ("function f { a; }", "a function"),
        ("((a = 1))", "an arithmetic command"),
        ("for ((;;)); do a; done", "an arithmetic for"),
    ],
)
def test_what_is_not_followed(text: str, what: str) -> None:
    """Shell programs beyond lists, loops and tests are named, not guessed at."""
    with pytest.raises(Beyond, match=what):
        read_shell(Text(text), text)


@pytest.mark.parametrize(
    "text",
    [
        "a '",
        'a "',
        "a `",
        "a $(b",
        "(a",
        "a)",
        "{ a",
        "a; }",
        "if a; then b",
        "while a; done",
        "a |",
        "a &&",
        "a >",
        "| a",
        "a ;; b",
        "done",
        "a && ; b",
        "a (b)",
    ],
)
def test_refusals_are_those_of_a_shell(text: str) -> None:
    """What a real shell refuses to read is refused."""
    done = subprocess.run(["dash", "-n", "-c", text], capture_output=True, check=False)
    assert done.returncode == 2
    with pytest.raises(Refused):
        read_shell(Text(text), text)


@pytest.mark.parametrize(
    "text",
    [
        "a; b & c && d || e | f",
        "(a; b) > c 2>&1",
        "{ a; } & b",
        "if a; then b; elif c; then d; else e; fi",
        "a # b '",
        "while a; do b; done < c",
        "until a; do b; done",
        "for i in 1 2; do a $i; done",
        "! a",
        "A=1 B='2 3' c",
        "a \\\n b",
        "a 2>/dev/null >>b <c",
        "a &&\nb",
        "\n\na\n\n",
        "a 'b\nc' \"d\"e",
    ],
)
def test_readable_texts_are_those_of_a_shell(text: str) -> None:
    """What a real shell can read, of what is followed here, is read."""
    assert subprocess.run(["dash", "-n", "-c", text], capture_output=True, check=False).returncode == 0
    read_shell(Text(text), text)


def test_places_through_shells_in_shells() -> None:
    """A word knows its place in the text through any number of quotes around it."""
    text = """sh -c "cd /srv && bash -c 'php artisan queue:work \\"--timeout=90\\"'" """
    (*_, end) = unwrap(text, "execve").ends
    word = end.arguments[-1]
    assert word.value == "--timeout=90"
    assert text[word.at[0] : word.at[-1] + 1] == "--timeout=90"


def test_comments_redirections_and_continued_lines() -> None:
    """A comment ends a command, a redirection is none of its words, and a backslash joins lines."""
    assert [word.value for word in words_of("a b#c \\\n d 2>&1 >/dev/null # e")] == ["a", "b#c", "d"]
