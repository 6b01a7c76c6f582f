"""Dockerfiles, as BuildKit reads them: instructions with flags, continued lines, the JSON form and here-documents.

https://docs.docker.com/reference/dockerfile/ is the grammar; nothing is built, and nothing here raises for a text.
"""

from __future__ import annotations

import bisect
import json
import re

MAX_CHARACTERS = 1024 * 1024
"""No longer file is read."""

_DIRECTIVE = re.compile(r"#\s*(\w+)\s*=\s*(\S+)\s*")
_HEREDOC = re.compile(r"(?<![<\w$])(\d*)<<(-?)([\"']?)([A-Za-z_][\w.-]*)\3")
_FLAG = re.compile(r"--([a-z][a-z-]*)(?:=(\"[^\"]*\"|'[^']*'|\S*))?(?:\s+|$)")
_PAIR = re.compile(r"([A-Za-z_][\w.-]*)=((?:\"(?:[^\"\\]|\\.)*\"|'[^']*'|\\.|[^\s\"'\\])*)", re.DOTALL)
_VARIABLE = re.compile(r"\\\$|\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-+?])([^{}]*))?\})")
_TAKES_HEREDOCS = frozenset({"run", "copy", "add"})
_TAKES_FLAGS = frozenset({"from", "run", "copy", "add", "healthcheck"})


class Heredoc:
    """One here-document of an instruction."""

    __slots__ = ("expands", "line", "name", "text")

    def __init__(self, name: str, line: int, text: str, *, expands: bool) -> None:
        """See the fields."""
        self.name = name
        """The word that ends it."""
        self.line = line
        """The line (from 1) on which its text begins."""
        self.text = text
        """Its lines, each with its line end."""
        self.expands = expands
        """Whether variables in it are expanded: its word stands without quotes."""


class Instruction:
    """One instruction."""

    __slots__ = ("_lines", "_starts", "end", "flags", "heredocs", "line", "name", "text", "words")

    def __init__(self, name: str, line: int) -> None:
        """See the fields."""
        self.name = name
        """Its name in lower case."""
        self.line = line
        """Where it begins, from 1."""
        self.end = line
        """Its last line, here-documents included."""
        self.text = ""
        """What follows the name and its flags, continued lines joined."""
        self.words: list[str] | None = None
        """The words of the JSON form; None where it is not written in it."""
        self.flags: dict[str, str] = {}
        """Its flags without dashes, as `--from=builder`."""
        self.heredocs: list[Heredoc] = []
        """Its here-documents."""
        self._starts: list[int] = [0]
        self._lines: list[int] = [line]

    def line_of(self, offset: int) -> int:
        """The line on which a character of `text` stands."""
        return self._lines[max(0, bisect.bisect_right(self._starts, offset) - 1)]


def parse(text: str) -> list[Instruction]:
    """Every instruction, in order; [] for what is too long."""
    if len(text) > MAX_CHARACTERS:
        return []
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    escape = _escape(lines)
    found: list[Instruction] = []
    last = {line.lstrip("\t"): index for index, line in enumerate(lines)} if "<<" in text else {}
    at = 0
    while at < len(lines):
        stripped = lines[at].strip()
        if not stripped or stripped[0] == "#":
            at += 1
            continue
        at = _instruction(lines, at, escape, found, last)
    return found


def _escape(lines: list[str]) -> str:
    for line in lines:
        directive = _DIRECTIVE.fullmatch(line.strip())
        if directive is None:
            return "\\"
        if directive[1].lower() == "escape" and directive[2] in ("`", "\\"):
            return directive[2]
    return "\\"


def _instruction(lines: list[str], at: int, escape: str, found: list[Instruction], last: dict[str, int]) -> int:
    """Read the instruction that begins on this line; the line behind it."""
    start = at
    parts: list[str] = []
    starts: list[int] = []
    numbers: list[int] = []
    length = 0
    while at < len(lines):
        line = lines[at]
        stripped = line.strip()
        if parts and (not stripped or stripped[0] == "#"):
            at += 1  # comments and empty lines inside a continued instruction are passed over
            continue
        body = line.rstrip(" \t") if line.rstrip(" \t").endswith(escape) else line
        goes_on = body.endswith(escape)
        part = body[:-1] if goes_on else body
        if not parts:
            part = part.lstrip()
        parts.append(part)
        starts.append(length)
        numbers.append(at + 1)
        length += len(part)
        at += 1
        if not goes_on:
            break
    whole = "".join(parts)
    name, gap, rest = _split(whole)
    made = Instruction(name.lower(), start + 1)
    skip = len(name) + gap
    if made.name in _TAKES_FLAGS:
        while flag := _FLAG.match(rest):
            made.flags[flag[1]] = (flag[2] if flag[2] is not None else "true").strip("\"'")
            rest = rest[flag.end() :]
            skip += flag.end()
    made.text = rest.rstrip()
    made._starts = [max(0, begin - skip) for begin in starts]  # noqa: SLF001
    made._lines = numbers  # noqa: SLF001
    if rest.lstrip()[:1] == "[":
        made.words = _json(rest)
    if made.name in _TAKES_HEREDOCS and made.words is None and "<<" in rest:
        at = _heredocs(made, lines, at, last)
    made.end = at
    found.append(made)
    return at


def _split(whole: str) -> tuple[str, int, str]:
    for index, char in enumerate(whole):
        if char in " \t":
            rest = whole[index:].lstrip(" \t")
            return whole[:index], len(whole) - index - len(rest), rest
    return whole, 0, ""


def _json(text: str) -> list[str] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) and all(isinstance(word, str) for word in found) else None


def _heredocs(made: Instruction, lines: list[str], at: int, last: dict[str, int]) -> int:
    for match in list(_HEREDOC.finditer(made.text))[:16]:
        if made.name != "run" and match.start() and not made.text[match.start() - 1].isspace():
            continue
        tabs, word = match[2] == "-", match[4]
        if last.get(word, -1) < at:
            return at  # never closed: it was none, and what follows are instructions
        begin = at
        body: list[str] = []
        while at < len(lines):
            line = lines[at].lstrip("\t") if tabs else lines[at]
            at += 1
            if line == word:
                break
            body.append(line)
        else:  # only closed with tabs before the word, which `<<` does not allow
            return begin
        made.heredocs.append(Heredoc(word, begin + 1, "".join(f"{line}\n" for line in body), expands=not match[3]))
    return at


def pairs(instruction: Instruction) -> list[tuple[str, str, int]]:
    """What ENV, ARG or LABEL sets: name, value with its variables unexpanded, line. `ENV NAME value` is one pair."""
    text = instruction.text
    if instruction.name == "arg":
        found = [(word, instruction.line_of(at)) for at, word in _shell_words(text)]
        return [
            (word.partition("=")[0], _unquoted(word.partition("=")[2]), line) for word, line in found if "=" in word
        ]
    first = text.split(None, 1)
    if not first:
        return []
    if "=" not in first[0]:
        value = first[1].strip() if len(first) > 1 else ""
        return [(first[0], _unquoted(value) if value[:1] in "\"'" else value, instruction.line)]
    return [(match[1], _unquoted(match[2]), instruction.line_of(match.start())) for match in _PAIR.finditer(text)]


def _shell_words(text: str) -> list[tuple[int, str]]:
    return [
        (match.start(), match[0]) for match in re.finditer(r"(?:\"(?:[^\"\\]|\\.)*\"|'[^']*'|\\.|[^\s\"'\\])+", text)
    ]


def _unquoted(text: str) -> str:
    out: list[str] = []
    quote = ""
    at = 0
    while at < len(text):
        char = text[at]
        if quote:
            if char == quote:
                quote = ""
            elif char == "\\" and quote == '"' and text[at + 1 : at + 2] in ('"', "\\"):
                at += 1
                out.append(text[at])
            else:
                out.append(char)
        elif char in "\"'":
            quote = char
        elif char == "\\" and at + 1 < len(text) and text[at + 1] != "$":
            at += 1
            out.append(text[at])
        else:
            out.append(char)
        at += 1
    return "".join(out)


def expand(text: str, values: dict[str, str]) -> str | None:
    """The text with `$X`, `${X}`, `${X:-default}` and `${X:+other}` put in; None where a variable is not known.

    A `$` that a backslash stands before is taken as it is.
    """
    if "$" not in text:
        return text
    known = True

    def put(found: re.Match[str]) -> str:
        nonlocal known
        name = found[1] or found[2]
        if name is None:
            return "$"
        value = values.get(name)
        operator, other = found[3] or "", found[4] or ""
        empty = value is None or (operator.startswith(":") and value == "")
        if operator.endswith("-") and empty:
            inner = expand(other, values)
            known = known and inner is not None
            return inner or ""
        if operator.endswith("+"):
            return "" if empty else other
        if value is None:
            known = False
            return ""
        return value

    done = _VARIABLE.sub(put, text)
    return done if known else None


def is_dockerfile(name: str) -> bool:
    """Whether a file of this name (without its folder) is meant to be a Dockerfile."""
    low = name.lower()
    if low.endswith((".md", ".txt", ".sh", ".yml", ".yaml", ".json", ".php", ".py", ".j2", ".dockerignore")):
        return False
    return low.startswith(("dockerfile", "containerfile")) or low.endswith((".dockerfile", ".containerfile"))


__all__ = ["Heredoc", "Instruction", "expand", "is_dockerfile", "pairs", "parse"]
