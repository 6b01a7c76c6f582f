"""From a command's text to its fact."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from auditor.dialects.command_artisan import Line, artisan_words, may_be_options, nearest, rank, read_line
from auditor.dialects.command_unwrap import End, Unwrapped, php_version, unwrap
from auditor.dialects.command_words import MAX_TEXT, Text, Word, clipped
from auditor.facts.artisan_options import (
    COMMANDS,
    WORKERS,
    default_tries,
    options_of,
    reached,
    spoken,
)
from auditor.facts.command import Command, Setting, Suggestion, TooNew, WrittenValue
from auditor.facts.origin import Mark, Origin, Version, declared, unknown
from auditor.sources.commands.options import FIELDS, FLAGS, NUMBERS, TEXTS, memory_limit, sleep_seconds

_PLACEHOLDER = (
    r"/?\bpath[/_-]to\b(?:/your\b[\w.-]*)?"
    r"|\byour[-_. ]?(?:app|project|user|domain|site|laravel|name|path|server|web|folder|queue|company)[\w.-]*"
    r"|<[A-Za-z_][\w.-]{0,64}>(?![\w<>])|\#[A-Za-z][\w-]{0,64}\#"
    r"|--[a-z-]{1,32}=\$(?![\w{(])|/home/forge/(?:app|example)\.com\b|\bCHANGE_?ME\b"
    r"|(?<=[/=])(?:my[-_])?(?:app|project|queue|site|domain|user)[-_]?name(?![\w(.-])|(?<=/)(?:www\.)?example\.(?:com|org|net)\b"
)
_NAMES = ("_name", "username", "app-name", "queue-name", "project-name", "/example.", "/www.example.")
# A text without any of these holds no placeholder: most are spared the pattern, and its compiling.
_PLACEHOLDER_SIGNS = ("path", "your", "<", "#", "=$", "change", *_NAMES)
MOST_KEPT = 20_000
"""No more texts are remembered."""
_HERE = declared(None)
_IDENTITY = ("text", "words", "runner", "program", "kind")


def understand(
    text: str,
    *,
    runner: str,
    place: Origin | None = None,
    laravel: Version | None = None,
    directory: str | None = None,
    sh: str = "dash",
) -> Command:
    """What one command line starts.

    `runner` is "execve" (supervisor, systemd: no shell) or "shell" (cron, `sh -c`). `place` is where it is written.
    `laravel` is the app's version, as much as is known of it. `directory` is the absolute folder it is started in,
    where that is known. `sh` is what /bin/sh is there: "dash", "bash", or "" for not known.
    Of several artisan commands in one text the one that is kept running counts, and the others are in `others`.
    """
    return _at(place, _understood(text, runner, laravel or None, directory, sh)[0])


def understand_all(
    text: str,
    *,
    runner: str,
    place: Origin | None = None,
    laravel: Version | None = None,
    directory: str | None = None,
    sh: str = "dash",
) -> tuple[Command, ...]:
    """Every artisan command of one text, the one that counts first; where there is none, the one command as it is."""
    return tuple([_at(place, found) for found in _understood(text, runner, laravel or None, directory, sh)])


_Key = tuple[str, str, Version | None, str | None, str]
_seen: dict[_Key, tuple[Command, ...]] = {}


def _understood(text: str, runner: str, laravel: Version | None, directory: str | None, sh: str) -> tuple[Command, ...]:
    """The commands of a text, wherever it is written: each text is understood once for all its places and readings."""
    key = (text, runner, laravel, directory, sh)
    found = _seen.get(key)
    if found is None:
        readers, names = _readers(text, runner, laravel, directory, sh)
        found = tuple([r.command((*names[:number], *names[number + 1 :])) for number, r in enumerate(readers)])
        if len(_seen) < MOST_KEPT and len(text) <= MAX_TEXT:
            _seen[key] = found
    return found


def _at(place: Origin | None, command: Command) -> Command:
    """The command as it is written at a place: there stands what is declared, and what cannot be known."""
    marks = dict.fromkeys(command.marks, declared(place))
    for field, mark in command.marks.items():
        if mark.reason is not None:
            marks[field] = unknown(mark.reason, place)
    return msgspec.structs.replace(command, marks=marks)


def _readers(
    text: str, runner: str, laravel: Version | None, directory: str | None, sh: str
) -> tuple[list[_Reader], tuple[str, ...]]:
    """The artisan commands of a text, the one that counts first, and their names; or the one command there is."""
    found = unwrap(text, runner, sh)
    started = [_Reader(found, end, text, runner, laravel, directory) for end in found.ends]
    artisan = [reader for reader in started if reader.is_artisan]
    if not artisan:
        bare = started[0] if started else _Reader(found, None, text, runner, laravel, directory)
        return [bare], ()
    artisan.sort(key=lambda reader: reader.rank)  # stable: the first of equals counts
    return artisan, tuple(reader.full_name for reader in artisan)


def _placeholders(text: str) -> tuple[str, ...]:
    """What in the text looks as if a person was to fill it in, each once."""
    lower = text.lower()
    if not any(sign in lower for sign in _PLACEHOLDER_SIGNS):
        return ()
    return tuple(dict.fromkeys(match[0] for match in re.finditer(_PLACEHOLDER, text, re.IGNORECASE)))


class _Reader:
    """Makes the fact of one end of a command, its place left open."""

    def __init__(
        self,
        found: Unwrapped,
        end: End | None,
        source: str,
        runner: str,
        laravel: Version | None,
        directory: str | None,
    ) -> None:
        self.found = found
        self.end = end
        self.text: Text = found.text
        self.source = source
        self.runner = runner
        self.laravel = laravel
        self.base = directory
        self.marks: dict[str, Mark] = dict.fromkeys(_IDENTITY, _HERE)
        self.fields: dict[str, Any] = {}
        self.refusal: str | None = found.refused
        self.line: Line | None = None
        self.literal: Line | None = None
        self.arguments: Sequence[Word] = ()
        self.unseen: Sequence[Word] = ()
        parts = artisan_words(found, end) if end is not None else None
        if parts is not None:
            self.arguments, self.unseen = parts
            words = [word.value for word in self.arguments]
            self.line = self.literal = read_line(words, laravel)
            if any(word.continued for word in self.arguments):
                # What artisan gets begins with a line's end and is refused for it; what was meant is plain all the same.
                self.line = read_line([word.removeprefix("\n") for word in words], laravel)

    # --- what it is ---

    @property
    def is_artisan(self) -> bool:
        return self.line is not None

    @property
    def full_name(self) -> str:
        line = self.line
        if line is None:
            return ""
        return line.command or self.text.shown(line.name or "list")

    @property
    def kind(self) -> str:
        if self.line is None:
            return "other"
        return self.line.command if self.line.command in COMMANDS and self.line.command else "other-artisan"

    @property
    def rank(self) -> int:
        return 2 if self.line is None else rank(self.line)

    # --- marks ---

    def set(self, field: str, value: object) -> None:
        """It is written."""
        self.fields[field] = value
        self.marks[field] = _HERE

    def leave(self, field: str, reason: str) -> None:
        """It cannot be known."""
        self.fields.pop(field, None)
        self.marks[field] = unknown(reason)

    def value(self, field: str, word: Word | str) -> str | None:
        """What a word says, or None after having marked the field unknown for the hole in it."""
        holes = self.text.unknowns(word)
        if holes:
            self.leave(field, f"it holds {clipped(holes[0])}, whose value is not known here")
            return None
        return word if isinstance(word, str) else word.value

    # --- the fact ---

    def command(self, others: tuple[str, ...]) -> Command:
        found, shown = self.found, self.text.shown
        self.fields.update(
            text=self.source,
            words=tuple(shown(word.value) for word in found.words),
            runner=self.runner,
            kind=self.kind,
            others=others,
            program=shown(found.words[0].value) if found.words else None,
        )
        if found.syntax:
            self.set("shell_syntax", found.syntax)
        if any(word.continued for word in found.words):
            self.set("newline_escaped", True)
        if self.runner == "execve" and found.words:
            first = shown(found.words[0].value)
            if "/" in first and not first.startswith("/") and self.text.masked[found.words[0].start].isascii():
                self.set("relative_command", True)
        if placeholders := _placeholders(self.source[:MAX_TEXT]):
            self.set("placeholders", placeholders)
        if found.refused is not None and self.line is None:
            self.marks["kind"] = unknown(f"its text cannot be read: {found.refused}")
        elif found.beyond is not None and (self.line is None or self.rank) and self._may_be_artisan():
            self.marks["kind"] = unknown(f"its shell text is not followed, for {found.beyond}")
        self._refuse_syntax()
        if self.end is not None:
            self._way(self.end)
            self._php(self.end)
        if self.line is not None:
            self._artisan(self.line)
        if self.refusal is not None:
            self.set("refusal", self.refusal)
        return Command(marks=self.marks, **self.fields)

    def _may_be_artisan(self) -> bool:
        return "artisan" in self.source

    def _refuse(self, why: str) -> None:
        if self.refusal is None:
            self.refusal = why

    def _refuse_syntax(self) -> None:
        found = self.found
        if self.runner != "execve":
            return
        if not found.words and found.refused is None and found.beyond is None:
            self._refuse("the command is empty")
        if found.intended:
            first = self.text.shown(found.words[0].value)
            self._refuse(f'no program is called "{first}", and no shell reads it')
        elif self.unseen:
            operator = self.text.shown(self.unseen[0].value)
            self._refuse(f'"{operator}" is handed on as an argument, for no shell reads it')

    def _way(self, end: End) -> None:
        way, shown = end.way, self.text.shown
        if way.wrappers:
            self.set("wrappers", tuple(shown(name) for name in way.wrappers))
        for field, value in (
            ("shell", way.shell if not self.found.intended else ""),
            ("backgrounded", way.background),
            ("in_container", way.container),
            ("loop", way.loop),
            ("can_exec", bool(way.exec_places) and None not in way.exec_places),
        ):
            if value:
                self.set(field, value)
        if way.loop_sleep is not None:
            seconds = sleep_seconds(way.loop_sleep)
            if seconds is None:
                self.leave("loop_sleep", f"{clipped(way.loop_sleep)} is no number of seconds that is known here")
            else:
                self.set("loop_sleep", seconds)
        if way.stays is None:
            self.leave("shell_stays", self._why_unsure(end))
        elif way.stays:
            self.set("shell_stays", True)
        if way.user is not None:
            self.set("user", way.user)
        if way.directory is not None:
            directory = self.value("directory", way.directory)
            if directory is not None:
                self.set("directory", directory)
        for operator, target in way.redirects:
            if operator.lstrip("1") in (">", ">>", ">|", "&>", "&>>"):
                self.set("output", shown(target.value))
                self.set("output_appends", operator.endswith(">>"))
        for field, reason in way.open.items():
            if field in ("user", "directory", "php", "shell_stays", "backgrounded", "artisan"):
                self.leave(field, reason)
            elif field == "php_settings":
                self.leave("php_settings", reason)
                self.leave("memory_limit", reason)
            elif field == "everything":
                self.marks["kind"] = unknown(reason)

    def _why_unsure(self, end: End) -> str:
        if "shell_stays" in end.way.open:
            return end.way.open["shell_stays"]
        name = {"login": "the user's own shell", "": "the shell"}.get(end.way.shell, end.way.shell)
        return f"whether {name} stays depends on which one it is there"

    def _php(self, end: End) -> None:
        shown = self.text.shown
        if end.php is not None:
            written = shown(end.php.value)
            self.set("php", written)
            if self.text.unknowns(end.php):
                self.value("php_version", end.php)
            elif version := php_version(written):
                self.set("php_version", version)
        if end.php_settings:
            settings = []
            for pair, _ in end.php_settings:
                name, equals, value = shown(pair).partition("=")
                settings.append(Setting(name.strip(), value.strip().strip("\"'") if equals else "1"))
            self.set("php_settings", tuple(settings))
            for (pair, word), setting in zip(end.php_settings, settings, strict=True):
                if setting.name != "memory_limit":
                    continue
                if self.text.unknowns(pair) or self.text.unknowns(word):
                    self.value("memory_limit", word)
                    continue
                limit = memory_limit(setting.value)
                if limit is None:
                    self.leave("memory_limit", f'"{setting.value}" is no size')
                else:
                    self.set("memory_limit", limit)

    # --- artisan's part ---

    def _artisan(self, line: Line) -> None:
        end = self.end
        assert end is not None
        if end.artisan is not None:
            self._place_of(end, end.artisan)
        elif self.found.intended is False:
            self.leave("app", end.way.open.get("artisan", "where artisan lies is not known here"))
        name = self.text.shown(line.name or "list")
        self.set("artisan_command", name)
        if line.name is not None and (holes := self.text.unknowns(self.arguments[line.name_index])):
            self.marks["kind"] = self.marks["artisan_command"] = unknown(
                f"it holds {clipped(holes[0])}, whose value is not known here"
            )
        elif line.command is None and name.partition(":")[0] in ("queue", "schedule", "horizon"):
            likely = nearest(name, tuple(COMMANDS))
            if likely is not None:
                self.set("nearest_command", likely)
        if line.version:
            self._refuse("-V makes artisan print its version and end")
        elif line.help:
            self._refuse("-h makes artisan print a help page and end")
        if self.kind in WORKERS:
            self.fields["tries"] = default_tries(self.kind, self.laravel)
        self._options(line)
        assert self.literal is not None
        self._faults(self.literal)

    def _place_of(self, end: End, artisan: Word) -> None:
        way = end.way
        written = self.text.shown(artisan.value)
        self.set("artisan", written)
        relative = not written.startswith("/")
        if relative and self.text.masked[artisan.start].isascii():
            self.set("relative_artisan", True)
        path = self.value("app", artisan)
        if path is None:
            return
        if relative:
            base = way.directory
            if "directory" in way.open:
                self.leave("app", way.open["directory"])
                return
            if base is not None and (holes := self.text.unknowns(base)):
                self.leave("app", f"it holds {clipped(holes[0])}, whose value is not known here")
                return
            if base is None or not base.startswith("/"):
                if self.base is None or way.container or not self.base.startswith("/"):
                    self.leave("app", "artisan's path is relative, and the folder it is started in is not known")
                    return
                base = posixpath.join(self.base, base or "")
            path = posixpath.join(base, path)
        self.set("app", posixpath.dirname(posixpath.normpath(path)) or "/")

    def _options(self, line: Line) -> None:
        way_open = self.end.way.open.get("options") if self.end is not None else None
        hidden: str | None = way_open
        known = options_of(line.command or "")
        written: dict[str, None] = {}
        not_numbers: list[WrittenValue] = []
        for option, all_given in line.options.items():
            if holes := self.text.unknowns(option):
                hidden = f"{clipped(holes[0])} may stand for any option"
                continue
            written[option] = None
            given = all_given[0] if option == "env" else all_given[-1]
            field = FIELDS.get(option)
            if field is None or option not in known:
                continue
            word = self.arguments[given.value_index]
            if given.value is not None and (holes := self._holes(given.value, word)):
                self.leave(field, f"--{option} is {clipped(holes[0])}, whose value is not known here")
                if option == "timeout":
                    self.set("timeout_variable", self.text.shown(given.value))
                if option == "queue":
                    self.leave("queues_text", f"--queue is {clipped(holes[0])}, whose value is not known here")
                continue
            if option in NUMBERS:
                value = NUMBERS[option][1](given.value)
                if value is None:
                    not_numbers.append(WrittenValue(option, given.value or ""))
                    self.leave(field, f'--{option}="{clipped(given.value or "")}" is no number')
                else:
                    self.set(field, value)
            elif option in FLAGS:
                self.set(field, True)
            elif option in TEXTS:
                if given.value:
                    self.set(field, given.value)
            elif option == "queue" and given.value:
                self.set("queues", tuple(given.value.split(",")))
                self.set("queues_text", given.value)
        if line.verbosity:
            self.set("quiet" if line.verbosity < 0 else "verbose", True if line.verbosity < 0 else line.verbosity)
        if not_numbers:
            self.set("not_integer_options", tuple(not_numbers))
        hidden = self._arguments(line) or hidden
        if written:
            self.set("written", tuple(written))
        deprecated = tuple(
            name
            for name in written
            if name in known and known[name].deprecated and reached(self.laravel, known[name].deprecated) is not False
        )
        if deprecated:
            self.set("deprecated_options", deprecated)
        if hidden is not None:
            for option, field in FIELDS.items():
                if option not in written and field not in self.marks:
                    self.leave(field, hidden)
            if "connection" not in self.marks:
                self.leave("connection", hidden)

    def _holes(self, value: str, word: Word) -> list[str]:
        """The holes in an option's value, which is the end of that word."""
        holes = self.text.unknowns(value)
        if not holes and not word.expanded and "$" in value:
            holes = self.text.unknowns(Word(value, (), 0, 0, expanded=False))
        return holes

    def _arguments(self, line: Line) -> str | None:
        """The connection; and, where a variable may hold further options, why all that is not written is open."""
        hidden: str | None = None
        known = COMMANDS.get(line.command or "")
        if known is None or "connection" not in known.arguments:
            return None
        position = known.arguments.index("connection")
        for number, (value, index) in enumerate(line.arguments):
            word = self.arguments[index]
            holes = self.text.unknowns(word)
            if holes and may_be_options(self.text, word):
                hidden = hidden or f"{clipped(holes[0])} may stand for any options"
            if number == position:
                if holes:
                    self.leave("connection", f"it is {clipped(holes[0])}, whose value is not known here")
                elif word.continued:
                    self.leave("connection", "the backslash at a line's end has become part of it")
                elif value:
                    self.set("connection", value)
        for fault in line.faults:
            if fault.kind == "argument" and (holes := self.text.unknowns(self.arguments[fault.index])):
                hidden = hidden or f"{clipped(holes[0])} may stand for any options"
        return hidden

    def _faults(self, line: Line) -> None:
        unknown_options: list[Suggestion] = []
        too_new: list[TooNew] = []
        extra: list[str] = []
        known = options_of(line.command or "")
        for fault in line.faults:
            shown = self.text.shown(fault.name)
            if self.text.unknowns(self.arguments[fault.index]):
                continue  # what a variable stands for may be right
            if fault.kind in ("unknown-option", "too-new-option") and not line.closed:
                continue
            if fault.kind == "unknown-option":
                likely = None if shown.startswith("-") else nearest(shown, tuple(known))
                unknown_options.append(Suggestion(shown, likely))
            elif fault.kind == "too-new-option":
                too_new.append(TooNew(shown, spoken(known[fault.name].since)))
            elif fault.kind == "argument":
                extra.append(shown)
            self._refuse(self.text.shown(fault.text))
        extra.extend(self.text.shown(word.value) for word in self.unseen)
        for field, value in (
            ("unknown_options", tuple(unknown_options)),
            ("too_new_options", tuple(too_new)),
            ("extra_arguments", tuple(extra)),
        ):
            if value:
                self.set(field, value)
