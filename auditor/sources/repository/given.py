"""What a container gives a script, and what the script's words become by it: arguments, environment, assignments.

Words are filled as a POSIX shell fills them; what a command would have to be run for, or nobody tells, is not known.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence

MAX_DEPTH = 20
"""Variables that hold each other are followed no further."""

_PLAIN = re.compile(r"\$([A-Za-z_]\w*|\d)")
_BRACED = re.compile(r"\$\{(\w+)(:?[-=?+])?")
_IN_COMMAND = re.compile(r"\\.|'[^']*'|\"|\$\{|\$[A-Za-z_]\w*|\$\d", re.DOTALL)
_IN_TEXT = re.compile(r"\\[$`\\]|\$\{|\$\(|\$[A-Za-z_]\w*|\$\d")
_PLAIN_WORD = re.compile(r"[\w./:,@%+=-]*")
_NAME = re.compile(r"[A-Za-z_]\w*")
_SHELLS_OWN = ("PATH", "HOME", "HOSTNAME", "USER", "PWD", "SHELL", "UID", "EUID", "BASH", "LANG", "TERM")


def arguments_of(words: Sequence[str], script: str) -> list[str] | None:
    """What a command hands to a script of that name; None where it does not name it."""
    name = posixpath.basename(script)
    for at, word in enumerate(words):
        if posixpath.basename(word) == name:
            return list(words[at + 1 :])
    return None


class Given:
    """What a container gives a script: its arguments, its environment, and the script's own assignments."""

    def __init__(
        self,
        arguments: Sequence[str] | None,
        environment: Mapping[str, str | None],
        assigned: Mapping[str, str | None],
        *,
        whole: bool,
    ) -> None:
        """`whole` is whether the environment holds everything that is set; None as arguments, that they are not known."""
        self.arguments = arguments
        self.environment = environment
        self.assigned = assigned
        self.whole = whole
        self.answers: dict[int, bool | None] = {}
        """What was found of each condition, by its identity."""
        self.depth = 0
        """How many conditions are being worked out."""
        self._looking: set[str] = set()

    def value(self, written: str, depth: int = 0) -> str | None:
        """What a word becomes, quotes taken off; None where that is not known."""
        text = written[1:-1] if len(written) > 1 and written[0] == written[-1] and written[0] in "\"'" else written
        if written[:1] == "'" or "$" not in text:
            return None if "`" in text else text
        if "$(" in text or "`" in text or depth > MAX_DEPTH:
            return None
        parts: list[str] = []
        at = 0
        while (sign := text.find("$", at)) >= 0:
            parts.append(text[at:sign])
            found = _PLAIN.match(text, sign) or _BRACED.match(text, sign)
            if found is None:
                return None
            at, other = found.end(), ""
            if found.re is _BRACED:
                end = _closing(text, at)
                if end < 0 or (end > at and not found[2]):
                    return None
                other, at = text[at:end], end + 1
            value = self._looked_up(found[1], (found[2] or "") if found.re is _BRACED else "", other, depth)
            if value is None:
                return None
            parts.append(value)
        return "".join([*parts, text[at:]])

    def filled(self, command: str) -> str:
        """A command with those of its variables put in whose values are known and plain words."""
        out: list[str] = []
        at = place = 0
        quoted = False
        while (found := _IN_COMMAND.search(command, place)) is not None:
            place = found.end()
            if found[0] == '"':
                quoted = not quoted
            elif found[0][0] == "'" and quoted:
                place = found.start() + 1  # an apostrophe
            elif found[0][0] == "$":
                place = _end_of(command, found)
                value = self.value(command[found.start() : place])
                if value is not None and _PLAIN_WORD.fullmatch(value):
                    out += [command[at : found.start()], value]
                    at = place
        return "".join([*out, command[at:]])

    def written(self, text: str) -> str:
        """A here-document's text as the shell writes it; what it puts in and is not known becomes a placeholder."""
        out: list[str] = []
        at = 0
        for found in _IN_TEXT.finditer(text):
            if found.start() < at:
                continue
            out.append(text[at : found.start()])
            at = _end_of(text, found)
            piece = text[found.start() : at]
            if piece[0] == "\\":
                out.append(piece[1])
                continue
            value = None if piece.startswith("$(") else self.value(piece)
            name = _NAME.search(piece)
            out.append(value if value is not None and "\n" not in value else f"${{{name[0] if name else 'value'}}}")
        return "".join([*out, text[at:]])

    def _looked_up(self, name: str, operator: str, other: str, depth: int) -> str | None:
        value, known = self._of(name, depth)
        if not known:
            return None
        absent = value is None or (operator.startswith(":") and not value)
        if operator.endswith(("-", "=")):
            return self.value(other, depth + 1) if absent else value
        if operator.endswith("+"):
            return "" if absent else self.value(other, depth + 1)
        return value or ""

    def _of(self, name: str, depth: int) -> tuple[str | None, bool]:
        """A variable's value, None where it is not set, and whether that is known."""
        if name.isdecimal():
            if self.arguments is None or name == "0":
                return None, False
            at = int(name) - 1
            return (self.arguments[at] if at < len(self.arguments) else None), True
        if name in self.assigned and name not in self._looking:
            written = self.assigned[name]
            self._looking.add(name)  # NAME=${NAME:-other} asks what it was before
            value = self.value(written, depth + 1) if written is not None else None
            self._looking.discard(name)
            return value, value is not None
        if name in self.environment:
            value = self.environment[name]
            return value, value is not None
        return None, self.whole and name not in _SHELLS_OWN


def _closing(text: str, at: int, opened: str = "{") -> int:
    """Where a brace that is open at a place is closed, -1 where it is not."""
    depth = 1
    closed = "}" if opened == "{" else ")"
    for place in range(at, len(text)):
        depth += (text[place] == opened) - (text[place] == closed)
        if not depth:
            return place
    return -1


def _end_of(text: str, found: re.Match[str]) -> int:
    """Where a variable or a command that is put in ends."""
    if found[0][-1] not in "{(":
        return found.end()
    end = _closing(text, found.end(), found[0][-1])
    return end + 1 if end >= 0 else found.end()
