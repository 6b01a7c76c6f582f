"""Artisan's own command line, read as Symfony's console reads it (Application::find and ArgvInput, 4 to 7).

All faults are kept, the first being the one it would end with; what stands behind a fault is read on as if it were not
there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from auditor.dialects.command_unwrap import End, Unwrapped, is_operator
from auditor.dialects.command_words import Text, Word
from auditor.facts.artisan_options import (
    COMMANDS,
    GLOBAL_OPTIONS,
    HIDDEN,
    NEIGHBOURS,
    SHORTCUTS,
    WORKERS,
    ArtisanOption,
    options_of,
    reached,
)
from auditor.facts.origin import Version
from auditor.patterns import late

# QUEUE_CONNECTION, queue_driver
_CONNECTION_NAME = late(r"(?:connection|conn|driver)\b", re.IGNORECASE)

LASTING = frozenset({*WORKERS, "horizon", "horizon:supervisor", "schedule:work", "schedule:run"})
"""What a command is kept running for, and so what counts in a text that runs several."""


class Given:
    """One option as it is given."""

    __slots__ = ("index", "name", "value", "value_index")

    def __init__(self, name: str, value: str | None, index: int, value_index: int) -> None:
        """See the fields."""
        self.name = name
        """Its long name."""
        self.value = value
        """Its value; None where it has none."""
        self.index = index
        """Which word it stands in."""
        self.value_index = value_index
        """Which word its value stands in: the same, or the next."""


class Fault:
    """One reason why artisan refuses the command."""

    __slots__ = ("index", "kind", "name", "text")

    def __init__(self, kind: str, name: str, index: int, text: str) -> None:
        """See the fields."""
        self.kind = kind
        """ "unknown-option", "too-new-option", "needless-value", "argument", "ambiguous"."""
        self.name = name
        """The option, or the argument, it is about."""
        self.index = index
        """Which word it stands in."""
        self.text = text
        """What artisan says, without the full stop."""


class Line:
    """One artisan command line."""

    __slots__ = (
        "arguments",
        "closed",
        "command",
        "faults",
        "help",
        "name",
        "name_index",
        "options",
        "verbosity",
        "version",
    )

    def __init__(self) -> None:
        """Nothing yet."""
        self.name: str | None = None
        """The command's name as written; None where there is none, and artisan lists its commands."""
        self.name_index = -1
        """Which word it stands in."""
        self.command: str | None = None
        """Its full name, where it is one of the framework's or Horizon's; None for any other."""
        self.closed = False
        """Whether all its options and arguments are known."""
        self.arguments: list[tuple[str, int]] = []
        """The arguments behind the name, each with its word."""
        self.options: dict[str, list[Given]] = {}
        """The options given, by long name, in order; the last one counts."""
        self.faults: list[Fault] = []
        """Why it is refused, in order."""
        self.verbosity = 0
        """-1 quiet, 0 normal, 1 to 3 verbose."""
        self.help = False
        """Whether it only prints the command's help."""
        self.version = False
        """Whether it only prints the framework's version."""

    def last(self, name: str) -> Given | None:
        """The one that counts of an option given."""
        found = self.options.get(name)
        return found[-1] if found else None


def read_line(words: Sequence[str], version: Version | None = None) -> Line:
    """The words behind `artisan`, as that Laravel version takes them; None for the newest one known."""
    line = Line()
    before_dashes = words[: words.index("--")] if "--" in words else words
    line.version = any(word == "--version" or word.startswith(("--version=", "-V")) for word in before_dashes)
    line.help = any(word == "--help" or word.startswith(("--help=", "-h")) for word in before_dashes)
    line.verbosity = _verbosity(before_dashes)
    line.name_index = _first_argument(words)
    if line.name_index < 0 or words[line.name_index] in ("", "0"):  # what PHP takes for false
        line.name_index = -1
        return line
    line.name = words[line.name_index]
    line.command, ambiguous = resolve(line.name, version)
    if ambiguous:
        several = ", ".join(ambiguous)
        text = f'Command "{line.name}" is ambiguous ({several})'
        line.faults.append(Fault("ambiguous", line.name, line.name_index, text))
    known = COMMANDS.get(line.command or "")
    line.closed = known is not None and known.closed
    _Binder(line, words, options_of(line.command or ""), known.arguments if known else ("…",), version).run()
    return line


def artisan_words(found: Unwrapped, end: End) -> tuple[Sequence[Word], Sequence[Word]] | None:
    """What an end hands to artisan, and what follows an operator that no shell reads; None where it is no artisan."""
    if end.artisan is None and not end.assumed:
        return None
    if not found.syntax or found.intended:
        return end.arguments, ()
    outer = {id(word) for word in found.words}
    for number, word in enumerate(end.arguments):
        if id(word) in outer and is_operator(word.value):
            return end.arguments[:number], end.arguments[number:]
    return end.arguments, ()


def may_be_options(text: Text, word: Word) -> bool:
    """Whether the word is a variable that may stand for any options: one named for a connection holds nothing else."""
    return text.is_hole(word) and not _CONNECTION_NAME.search(text.unknowns(word)[0])


def rank(line: Line) -> int:
    """How much a command counts among several of one text: 0 for what is kept running, 2 for any other of the app's."""
    if line.command in LASTING:
        return 0
    return 1 if line.command in COMMANDS else 2


def _verbosity(words: Sequence[str]) -> int:
    if any(word == "--quiet" or word.startswith(("--quiet=", "-q")) for word in words):
        return -1
    if any(word.startswith("-vvv") or word == "--verbose=3" for word in words):
        return 3
    if any(word.startswith("-vv") or word == "--verbose=2" for word in words):
        return 2
    return int(any(word == "--verbose" or word.startswith(("-v", "--verbose=")) for word in words))


def _first_argument(words: Sequence[str]) -> int:
    """Where the command's name stands, as ArgvInput::getFirstArgument finds it; -1 where there is none.

    It knows of one option that takes the next word: Laravel's `--env`, and that only where all that stands before
    could be bound without the command's own options.
    """
    bound = Line()
    binder = _Binder(bound, words, {option.name: option for option in GLOBAL_OPTIONS}, (), None, strict=True)
    binder.run()
    given = bound.last("env")
    skip = False
    for i, word in enumerate(words):
        if word and word != "0" and word[0] == "-":
            if "=" not in word and i + 1 < len(words):
                name = word[2:] if word[1:2] == "-" else word[-1]
                if name == "env" and given is not None and given.value == words[i + 1]:
                    skip = True
            continue
        if skip:
            skip = False
            continue
        return i
    return -1


class _Binder:
    """Sorts words into options and arguments, as ArgvInput::parse does."""

    def __init__(
        self,
        line: Line,
        words: Sequence[str],
        options: Mapping[str, ArtisanOption],
        arguments: Sequence[str],
        version: Version | None,
        *,
        strict: bool = False,
    ) -> None:
        self.line = line
        self.words = words
        self.options = options
        self.arguments = arguments
        self.version = version
        self.strict = strict
        """Stop at the first fault."""
        self.open = bool(arguments) and arguments[-1] == "…"
        self.bound: str | None = None
        """The first argument: nearly always the command's name, unless an option before it has taken that."""
        self.i = 0

    def run(self) -> None:
        options = True
        words = self.words
        while self.i < len(words):
            word = words[self.i]
            if not options or not word or word[0] != "-" or word == "-":
                self._argument(word)
            elif word == "--":
                options = False
            elif word.startswith("--"):
                name, equals, value = word[2:].partition("=")
                self._long(name, value if equals else None)
            else:
                self._short(word[1:])
            self.i += 1
            if self.strict and self.line.faults:
                return

    def _fault(self, kind: str, name: str, text: str) -> None:
        self.line.faults.append(Fault(kind, name, self.i, text))

    def _argument(self, word: str) -> None:
        if self.bound is None:
            self.bound = word
            return
        taken = len(self.line.arguments)
        if taken >= len(self.arguments) and not self.open:
            named = self.bound not in ("", "0")  # PHP takes both for no name
            if self.arguments:
                expected = '" "'.join(self.arguments)
                to = f' to "{self.bound}" command' if named else ""
                text = f'Too many arguments{to}, expected arguments "{expected}"'
            else:
                of = f' for "{self.bound}" command' if named else ""
                text = f'No arguments expected{of}, got "{word}"'
            self._fault("argument", word, text)
            return
        self.line.arguments.append((word, self.i))

    def _short(self, letters: str) -> None:
        for letter in letters:
            name = SHORTCUTS.get(letter)
            if name is None:
                self._fault("unknown-option", f"-{letter}", f'The "-{letter}" option does not exist')
                return
            self._add(name, None)

    def _long(self, name: str, value: str | None) -> None:
        option = self.options.get(name)
        if option is None:
            if self.open and not self.strict:  # a command whose options are not known
                self._add(name, value)
            else:
                self._fault("unknown-option", name, f'The "--{name}" option does not exist')
                meant = None if value is not None or self.strict else nearest(name, tuple(self.options))
                if meant is not None and self.options[meant].kind != "flag":
                    self._following()  # its value, not an argument
            return
        if reached(self.version, option.since) is False:
            self._fault("too-new-option", name, f'The "--{name}" option does not exist')
            # what stands behind it would have been its value
            if option.kind != "flag" and value is None:
                self._following()
            return
        if option.kind == "flag":
            if value is not None:
                self._fault("needless-value", name, f'The "--{name}" option does not accept a value')
                return
            self._add(name, None)
            return
        index = self.i
        if value is None:
            value = self._following()
        self._add(name, value, index)

    def _following(self) -> str | None:
        """The next word as a value, where it is none of an option's."""
        if self.i + 1 < len(self.words):
            following = self.words[self.i + 1]
            if not following or following[0] != "-":
                self.i += 1
                return following
        return None

    def _add(self, name: str, value: str | None, index: int | None = None) -> None:
        given = Given(name, value, self.i if index is None else index, self.i)
        self.line.options.setdefault(name, []).append(given)


def resolve(name: str, version: Version | None = None) -> tuple[str | None, tuple[str, ...]]:
    """The full name of a command written in full or abbreviated, as Application::find tells it.

    None for a command that is neither the framework's nor Horizon's; with the candidates where several fit.
    """
    if name in COMMANDS or name in NEIGHBOURS:
        known = COMMANDS.get(name)
        if known is not None and reached(version, known.since) is False:
            return None, ()
        return name, ()
    if len(name) > 64 or name.count(":") > 4:
        return None, ()
    everything = [
        *(command.name for command in COMMANDS.values() if reached(version, command.since) is not False),
        *NEIGHBOURS,
    ]
    pattern = "[^:]*:".join(re.escape(part) for part in name.split(":")) + "[^:]*"
    found = [command for command in everything if re.match(pattern, command)]
    if not found:
        found = [command for command in everything if re.match(pattern, command, re.IGNORECASE)]
    if not any(re.fullmatch(pattern, command, re.IGNORECASE) for command in found):
        return None, ()
    if len(found) > 1:
        found = [command for command in found if command not in HIDDEN]
    if len(found) == 1:
        return found[0], ()
    return None, tuple(sorted(found))


def nearest(name: str, candidates: Sequence[str]) -> str | None:
    """The candidate a misspelt name most likely means, or None where none is near."""
    best: str | None = None
    least = max(1, len(name) // 3) + 1
    for candidate in candidates:
        if abs(len(candidate) - len(name)) >= least:
            continue
        distance = _distance(name, candidate)
        if distance < least:
            best, least = candidate, distance
    return best


def _distance(left: str, right: str) -> int:
    """How many letters must be put in, taken out, changed or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        older, before = before, row
        row = [i]
        for j, b in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]
