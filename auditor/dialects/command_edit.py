"""One change to a command as it is written, and nothing else touched.

Texts in, texts out. The text may stand inside any shell's quotes; what it starts afterwards is read again and compared,
so an edit that cannot be made with certainty raises CannotMend and changes nothing. `runner` is as for `unwrap`:
"execve" for a command that no shell reads, "shell" for a shell's text.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from typing import NamedTuple

from auditor.dialects.command_artisan import Line, artisan_words, may_be_options, rank, read_line
from auditor.dialects.command_unwrap import SHELLS, End, Unwrapped, unwrap
from auditor.dialects.command_words import Refused, Word, cut_for_execve
from auditor.errors import CannotMend
from auditor.facts.artisan_options import COMMANDS, options_of
from auditor.patterns import late

_PLAIN = late(r"[A-Za-z0-9_.,:/@+=-]*")
_BLANKS = " \t\r\n"


class Plain(NamedTuple):
    """A command that needs no shell, and what the shell did for it."""

    command: str
    """The program and its arguments."""
    directory: str | None
    """The folder to start it in, or None for no change."""
    log_file: str | None
    """The file its standard output goes to, or None."""
    stderr_too: bool
    """Whether its errors go there as well."""


def set_option(text: str, option: str, value: str | None, *, runner: str = "execve") -> str:
    """The command with this option of artisan's set to this value; "" for a flag that is to be there, None for neither.

    An option already written keeps its place and form, and its last one counts; a new one goes behind the last option,
    or behind artisan's last word. None takes every one of them out.
    """
    if value is not None and not _PLAIN.fullmatch(value):
        raise _no(f"{value!r} cannot be written without quotes")
    target = _Target(text, runner)
    known = options_of(target.line.command or "").get(option)
    if known is None and value is not None:
        raise _no(f'"{target.shown(target.line.name or "list")}" has no option --{option}')
    flag = known is not None and known.kind == "flag"
    given = target.line.options.get(option, [])
    if value is None:
        edited, expected = target.without([index for one in given for index in {one.index, one.value_index}])
    elif not given:
        written = f"--{option}" if flag else f"--{option}={value}"
        edited, expected = target.inserted(written)
    elif flag:
        return text
    else:
        last = given[-1]
        word = target.words[last.value_index]
        if last.index != last.value_index:
            edited = target.replaced(word, 0, value)
            expected = target.expecting(last.value_index, value)
        else:
            head = f"--{option}="
            if last.value is None:  # the option alone
                edited = text[: word.end] + f"={value}" + text[word.end :]
            else:
                edited = target.replaced(word, len(head), value)
            expected = target.expecting(last.index, head + value)
    return target.checked(edited, expected)


def set_connection(text: str, name: str | None, *, runner: str = "execve") -> str:
    """The command with this connection named, or with none for None."""
    if name is not None and (not name or name.startswith("-") or not _PLAIN.fullmatch(name)):
        raise _no(f"{name!r} cannot be written as a connection")
    target = _Target(text, runner)
    known = COMMANDS.get(target.line.command or "")
    if known is None or known.arguments[:1] != ("connection",):
        raise _no("its artisan command takes no connection")
    if target.line.arguments:
        _, index = target.line.arguments[0]
        if name is None:
            edited, expected = target.without([index])
        else:
            edited = target.replaced(target.words[index], 0, name)
            expected = target.expecting(index, name)
    elif name is None:
        return text
    else:
        edited, expected = target.inserted(name, behind=target.line.name_index)
    return target.checked(edited, expected)


def strip_queue_spaces(text: str, *, runner: str = "execve") -> str:
    """The command with no blanks around the names in --queue."""
    target = _Target(text, runner)
    last = target.line.last("queue")
    if last is None or not last.value:
        return text
    value = ",".join(part.strip() for part in last.value.split(","))
    if value == last.value:
        return text
    word = target.words[last.value_index]
    offset = len("--queue=") if last.index == last.value_index else 0
    edited = target.replaced(word, offset, target.found.text.shown(value))
    expected = target.expecting(last.value_index, target.shown(word.value[:offset]) + target.found.text.shown(value))
    return target.checked(edited, expected)


def join_lines(text: str) -> str:
    """The command of a program without the backslashes at its lines' ends, for no shell takes these away."""
    found = unwrap(text, "execve")
    if found.refused is not None:
        raise _no(f"its text cannot be read: {found.refused}")
    parts: list[str] = []
    done = 0
    for word in found.words:
        if not word.continued:
            continue
        for match in re.finditer(r"\\\r?\n[ \t]*", text[word.start : word.end]):
            start = word.start + match.start()
            parts.append(text[done:start].rstrip(" \t"))
            parts.append(" ")
            done = word.start + match.end()
            while done < len(text) and text[done] in _BLANKS:
                done += 1
    edited = ("".join(parts) + text[done:]).rstrip(_BLANKS) if parts else text
    if any(word.continued for word in unwrap(edited, "execve").words):
        raise _no("a backslash at a line's end is not where it could be taken away")
    return edited


def add_exec(text: str, *, runner: str = "execve") -> str:
    """The command with `exec` in front of the program, so that its shell does not stay."""
    target = _Target(text, runner)
    way = target.end.way
    if way.stays is False:
        return text
    edited = text
    for place in reversed(way.exec_places):
        if place is None:
            raise _no("its shell has more to do after the program, or runs it beside itself")
        edited = f"{edited[:place]}exec {edited[place:]}"
    after = _Target(edited, runner)
    if after.end.way.stays is not False or [target.shown(word.value) for word in target.end.words] != [
        after.shown(word.value) for word in after.end.words
    ]:
        raise _no("an exec in front of the program would not make every shell go")
    return edited


def without_shell(text: str) -> Plain:
    """The command of a program with its shell syntax turned into what supervisor can do itself.

    For `cd X && program > log 2>&1`, as it stands or inside one `sh -c`. Raises CannotMend for anything more.
    """
    outer = _unwrapped(text, "execve")
    found = _unwrapped(text, "shell") if outer.syntax or outer.intended else outer
    if len(found.ends) != 1:
        raise _no("it starts more than one program")
    end = found.ends[0]
    way = end.way
    if way.assigned or way.background or way.loop or way.open:
        raise _no("its shell does more than change the folder and redirect the output")
    if [name for name in way.wrappers if name.split()[0] not in SHELLS] or len(way.wrappers) > 1:
        raise _no("more than a shell stands before the program")
    if any(found.text.unknowns(word) for word in end.words if word.expanded and "$" in text[word.start : word.end]):
        raise _no("a variable of the shell is part of it")
    command = text[end.words[0].start : end.words[-1].end]
    try:
        cut = [word.value for word in cut_for_execve(command)]
    except Refused as error:
        raise _no(f"without its shell it cannot be read: {error}") from None
    if cut != [found.text.shown(word.value) for word in end.words]:
        raise _no("its quotes mean something else without its shell")
    directory = way.directory
    if directory is not None and (not directory.startswith("/") or found.text.unknowns(directory)):
        raise _no("the folder it changes to is not an absolute path")
    log_file, both = _log(found, directory)
    return Plain(command, directory, log_file, both)


def _log(found: Unwrapped, directory: str | None) -> tuple[str | None, bool]:
    """Where the one program's output goes."""
    log_file: str | None = None
    both = False
    for operator, word in found.ends[0].way.redirects:
        target = word.value
        if operator == "2>&" and target == "1" and log_file is not None:
            both = True
        elif operator.lstrip("1") in (">", ">>", "&>", "&>>") and log_file is None and not found.text.unknowns(word):
            log_file = target
            both = operator.startswith("&")
        elif operator in ("<", "0<") and target == "/dev/null":
            continue
        else:
            raise _no(f'its redirection "{operator}{found.text.shown(target)}" has no counterpart')
    if log_file is not None and not log_file.startswith("/"):
        if directory is None:
            raise _no("its log's path is relative, and the folder it is started in is not known")
        log_file = posixpath.normpath(posixpath.join(directory, log_file))
    return log_file, both


class _Target:
    """The artisan command of a text that counts, and the places of its words."""

    def __init__(self, text: str, runner: str) -> None:
        self.text = text
        self.runner = runner
        self.found = _unwrapped(text, runner)
        candidates: list[tuple[int, int, Sequence[Word], Line]] = []
        for number, end in enumerate(self.found.ends):
            words = artisan_words(self.found, end)
            if words is not None:
                line = read_line([word.value for word in words[0]])
                candidates.append((rank(line), number, words[0], line))
        if not candidates:
            raise _no("no artisan command is seen in it")
        best = min(candidates, key=lambda candidate: candidate[:2])
        if sum(candidate[0] == best[0] for candidate in candidates) > 1:
            raise _no("it runs several artisan commands, and which one is meant is not certain")
        _, self.number, self.words, self.line = best
        self.end: End = self.found.ends[self.number]

    def shown(self, value: str) -> str:
        return self.found.text.shown(value)

    def expecting(self, index: int, value: str) -> list[str]:
        """Artisan's words with that one changed."""
        words = [self.shown(word.value) for word in self.words]
        words[index] = value
        return words

    def replaced(self, word: Word, offset: int, value: str) -> str:
        """The text with the word's characters from the offset on replaced by this value."""
        at = word.at[offset:]
        if not at:
            if offset == 0:
                raise _no("its value is empty, and where to write another is not certain")
            start = end = word.at[offset - 1] + 1
        else:
            start, end = at[0], at[-1] + 1
            if end - start != len(at):
                raise _no("its value is written with quotes or escapes in between")
        return self.text[:start] + value + self.text[end:]

    def inserted(self, written: str, behind: int | None = None) -> tuple[str, list[str]]:
        """The text with a new word behind the one of that index, by default behind artisan's last option."""
        if behind is None:
            places = [one.value_index for given in self.line.options.values() for one in given]
            dashes = next((i for i, word in enumerate(self.words) if word.value == "--"), len(self.words))
            behind = max(places, default=dashes - 1)
        if any(may_be_options(self.found.text, self.words[index]) for _, index in self.line.arguments):
            raise _no("a variable in it may already hold that option")
        if behind < 0:
            raise _no("its artisan command is not named")
        place = self.words[behind].end
        expected = [self.shown(word.value) for word in self.words]
        expected.insert(behind + 1, written)
        return f"{self.text[:place]} {written}{self.text[place:]}", expected

    def without(self, indexes: list[int]) -> tuple[str, list[str]]:
        """The text without these words and the blanks before each."""
        edited = self.text
        gone = sorted(set(indexes), reverse=True)
        for index in gone:
            start, end = self.words[index].start, self.words[index].end
            while start > 0 and edited[start - 1] in " \t":
                start -= 1
            edited = edited[:start] + edited[end:]
        return edited, [self.shown(word.value) for i, word in enumerate(self.words) if i not in gone]

    def checked(self, edited: str, expected: list[str]) -> str:
        """The edited text, once it is sure to start what it did, with artisan's words as expected."""
        if edited == self.text:
            return edited
        after = unwrap(edited, self.runner)
        if after.refused or after.beyond or len(after.ends) != len(self.found.ends):
            raise _no("the change would alter more than that")
        for number, (old, new) in enumerate(zip(self.found.ends, after.ends, strict=True)):
            before = [self.shown(word.value) for word in old.words]
            if number == self.number:
                start, count = self._artisan_part(old), len(self.words)
                before[start : start + count] = expected
            if before != [after.text.shown(word.value) for word in new.words] or old.way.wrappers != new.way.wrappers:
                raise _no("the change would alter more than that")
        return edited

    def _artisan_part(self, end: End) -> int:
        """Which of the end's words is the first that artisan is given."""
        return len(end.words) - len(end.arguments)


def _unwrapped(text: str, runner: str) -> Unwrapped:
    found = unwrap(text, runner)
    if found.refused is not None:
        raise _no(f"its text cannot be read: {found.refused}")
    if found.beyond is not None:
        raise _no(f"its shell text is not followed, for {found.beyond}")
    return found


def _no(why: str) -> CannotMend:
    return CannotMend("command", why)


__all__ = [
    "Plain",
    "add_exec",
    "join_lines",
    "set_connection",
    "set_option",
    "strip_queue_spaces",
    "without_shell",
]
