"""`environment=`: KEY=value pairs, cut into tokens as shlex does outside its POSIX mode (supervisor up to 4.3.0)."""

from __future__ import annotations

import re

import msgspec

from auditor.patterns import late

_WORD = r"[A-Za-z0-9_/.+\-():]"
# One token; a comment inside a word is cut out together with its line end, and the word goes on.
_TOKEN = late(
    rf"""(?P<gap>[ \t\r\n]+|\#[^\n]*\n?)|(?P<word>{_WORD}(?:{_WORD}|["']|\#[^\n]*\n?)*)"""
    r"""|(?P<quoted>"[^"]*"|'[^']*')|(?P<open>["'])|(?P<other>.)""",
    re.DOTALL,
)
_COMMENT = late(r"#[^\n]*\n?")


class Pairs(msgspec.Struct):
    """What one `environment=` gives."""

    pairs: dict[str, str]
    """Name to value; empty where it is refused."""
    refusal: str | None = None
    """Why supervisord refuses it, as a clause."""
    corruption: str | None = None
    """What it silently makes of it that it does not look like, as a clause; no value is shown."""


def parse(text: str) -> Pairs:
    """The pairs of an expanded `environment=` value."""
    tokens: list[str] = []
    comment = False
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        token = match[0]
        if kind == "gap":
            if token[0] == "#":
                comment = True
            continue
        if kind == "open":
            return Pairs({}, f"a quote {token} is not closed")
        if kind == "word" and "#" in token:
            comment = True
            token = _COMMENT.sub("", token)
        tokens.append(token)

    pairs: dict[str, str] = {}
    corruption = None
    for i in range(0, len(tokens), 4):
        three = tokens[i : i + 3]
        if len(three) != 3 or three[1] != "=":
            return Pairs({}, _why(tokens, i, pairs))
        name, _, value = three
        pairs[name] = value.strip("'\"")
        if corruption is not None:
            continue
        if name[0] in "\"'":
            corruption = f"the quotes around the name {name} are part of it"
        elif i + 3 < len(tokens) and tokens[i + 3] not in (",", ";"):
            corruption = f"what follows the first piece of {name}'s value is dropped"
        elif value[0] in "\"'" and value[-1:] == value[0] and pairs[name] != value[1:-1]:
            corruption = f"the quotes inside {name}'s value are stripped too"
    if corruption is None and comment:
        corruption = "a # outside quotes starts a comment, and what follows it on its line is dropped"
    return Pairs(pairs, None, corruption)


def _why(tokens: list[str], i: int, pairs: dict[str, str]) -> str:
    after = f" after {next(reversed(pairs))}" if pairs else ""
    # A piece of a secret that was cut there must not be told: what looks like a name is one.
    shown = tokens[i] if tokens[i].isidentifier() and len(tokens[i]) <= 40 else "a name"
    if len(tokens) - i == 2 and tokens[i + 1] == "=":
        return f"{shown} has no value{after}"
    if len(tokens) - i > 2 and tokens[i + 1] == "=" and tokens[i + 2] == ",":
        return f"{shown} has no value{after}"
    return (
        f"a NAME=value pair is expected{after or ' first'}; quote a value that holds other signs than A-Z 0-9 _/.+-():"
    )
