"""Changing options in a supervisor file, and not one character else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from auditor.dialects.conf import Assignment, Block, Lexed, comment_column, indent_of, lex, lines_with_ends
from auditor.errors import CannotMend

ORDER: dict[str, tuple[str, ...]] = {
    "program": (
        "command", "process_name", "directory", "numprocs", "numprocs_start", "priority", "autostart", "autorestart",
        "startsecs", "startretries", "exitcodes", "stopasgroup", "killasgroup", "stopsignal", "stopwaitsecs", "user",
        "umask", "environment", "redirect_stderr",
        "stdout_logfile", "stdout_logfile_maxbytes", "stdout_logfile_backups", "stdout_capture_maxbytes",
        "stdout_events_enabled", "stdout_syslog",
        "stderr_logfile", "stderr_logfile_maxbytes", "stderr_logfile_backups", "stderr_capture_maxbytes",
        "stderr_events_enabled", "stderr_syslog", "serverurl",
    ),
    "supervisord": (
        "logfile", "logfile_maxbytes", "logfile_backups", "loglevel", "pidfile", "nodaemon", "silent", "minfds",
        "minprocs", "umask", "user", "identifier", "directory", "nocleanup", "childlogdir", "strip_ansi", "environment",
    ),
    "unix_http_server": ("file", "chmod", "chown", "username", "password"),
    "inet_http_server": ("port", "username", "password"),
    "supervisorctl": ("serverurl", "username", "password", "prompt", "history_file"),
    "group": ("programs", "priority"),
    "include": ("files",),
}  # fmt: skip
"""The order in which people write a section's options: the one of Supervisor's manual, with command's company first."""

_KINDS = {"eventlistener": "program", "fcgi-program": "program"}
_UNSAFE = re.compile(r"\s[;#]")


class Change(msgspec.Struct, frozen=True):
    """One option that is to have another value in one file."""

    section: str
    """The section's whole name, as between its brackets."""
    option: str
    """The option's name, in lower case."""
    value: str | None
    """The value as it is to be written, `%` doubled where it is meant; None takes the option out."""


def edit(data: bytes, changes: Sequence[Change], path: str = "") -> bytes:
    """The file with these changes, one after the other, every other byte as it was; `path` is for the error's sentence.

    A changed option keeps its last line, with its indentation, spacing, inline comment and line end; its continuation
    lines go, the comments between them stay. A new one stands after the option people write it after. Raises CannotMend
    where the file is not UTF-8, has no such section, or where the format cannot carry the value.
    """
    text = _decoded(data, path)
    for change in changes:
        text, wrong = _apply(text, [change])
        if wrong:
            raise CannotMend(path, wrong[change.section])
    return text.encode()


def edit_sections(data: bytes, wanted: Mapping[str, Sequence[Change]], path: str) -> tuple[bytes, dict[str, str]]:
    """The file with each section's changes, as `edit` makes them, in as few readings as the longest list has changes.

    A section of which one change cannot be made is left as it is: the second part tells why, by section. Raises
    CannotMend where the file is not UTF-8.
    """
    before = _decoded(data, path)
    left: dict[str, str] = {}
    while True:
        text, wrong = _apply_each(before, [changes for section, changes in wanted.items() if section not in left])
        if not wrong:
            return text.encode(), left
        left.update(wrong)


def _decoded(data: bytes, path: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise CannotMend(path, "it is not UTF-8") from None


def _apply_each(text: str, wanted: Sequence[Sequence[Change]]) -> tuple[str, dict[str, str]]:
    for turn in range(max(map(len, wanted), default=0)):
        text, wrong = _apply(text, [changes[turn] for changes in wanted if turn < len(changes)])
        if wrong:
            return text, wrong
    return text, {}


def _apply(text: str, changes: Sequence[Change]) -> tuple[str, dict[str, str]]:
    """Make one change each of different sections; the reason, by section, for every one that cannot be made."""
    lexed = lex(text)
    lines = lines_with_ends(text)
    blocks: dict[str, list[Block]] = {}
    for block in lexed.blocks:
        blocks.setdefault(block.name, []).append(block)
    wanted = _meaning(lexed)
    wrong: dict[str, str] = {}
    for change in changes:
        reason = _why_not(change, blocks)
        if reason is not None:
            wrong[change.section] = reason
        elif change.section in blocks:
            _make(lines, lexed, blocks[change.section], change)
            if change.value is None:
                wanted.pop((change.section, change.option), None)
            else:
                wanted[change.section, change.option] = change.value
    mended = "".join(lines)
    read = _meaning(lex(mended))
    if not wrong and read != wanted:
        guilty = {section for (section, _), _ in read.items() ^ wanted.items()}
        named = [change for change in changes if change.section in guilty] or changes
        wrong = {c.section: f"{c.option}={c.value} would be read as something else there" for c in named}
    return mended, wrong


def _why_not(change: Change, blocks: Mapping[str, object]) -> str | None:
    if change.value is None:
        return None
    if change.section not in blocks:
        return f"it has no section [{change.section}]"
    held = _unfit(change.value)
    return held and f"the value of {change.option} holds {held}, and the format cannot carry that"


def _make(lines: list[str], lexed: Lexed, blocks: Sequence[Block], change: Change) -> None:
    found = [assignment for block in blocks for assignment in block.assignments if assignment.name == change.option]
    if change.value is None:
        for assignment in found:
            _remove(lines, assignment)
    elif found:
        _replace(lines, found[-1], change.value)
    else:
        _insert(lines, lexed, blocks[-1], change.option, change.value)


def _meaning(lexed: Lexed) -> dict[tuple[str, str], str]:
    return {(block.name, one.name): one.value for block in lexed.blocks for one in block.assignments}


def _unfit(value: str) -> str | None:
    """What the format would not carry of a value."""
    if "\n" in value or "\r" in value:
        return "a line break"
    if value != value.strip():
        return "white space at its ends"
    return "white space followed by ; or #, which starts a comment" if _UNSAFE.search(value) else None


def _end_of(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def _replace(lines: list[str], assignment: Assignment, value: str) -> None:
    _drop_continuation(lines, assignment)
    at = assignment.line - 1
    line, end = lines[at].rstrip("\r\n"), _end_of(lines[at])
    before, after = line[: assignment.start], line[assignment.end :]
    if assignment.start == assignment.end:
        # Nothing is there yet: the white space after the delimiter, up to a comment, is the value's room.
        room = len(after) - len(after.lstrip())
        comment = after[room:]
        if comment and value:
            before, after = before + after[: max(room - 1, 0)], " " + comment
        elif value:
            before, after = before + after, ""
    if value[:1] in ("#", ";") and before[-1:].isspace():
        before = before.rstrip()
    lines[at] = before + value + after + end


def _drop_continuation(lines: list[str], assignment: Assignment) -> None:
    """Take the continuation out; what was a comment at a line's end becomes a comment of its own, deep as before."""
    for number in assignment.more:
        line = lines[number - 1]
        column = comment_column(line.rstrip("\r\n"))
        lines[number - 1] = "" if column is None else line[: indent_of(line)] + line[column:]


def _remove(lines: list[str], assignment: Assignment) -> None:
    _drop_continuation(lines, assignment)
    at = assignment.line - 1
    line = lines[at]
    column = comment_column(line.rstrip("\r\n"))
    lines[at] = "" if column is None else line[: assignment.indent] + line[column:]


def _insert(lines: list[str], lexed: Lexed, block: Block, option: str, value: str) -> None:
    neighbour = _neighbour(block, option)
    model = neighbour or _any_assignment(lexed)
    spacing = "="
    if model is not None:
        line = lexed.lines[model.line - 1]
        name_end = model.indent + len(model.spelled)
        spacing = line[name_end : model.start] if model.start < model.end else line[name_end : model.delimiter + 1]
        if "\n" in spacing or not spacing.strip():
            spacing = "="
    if value[:1] in ("#", ";"):
        spacing = spacing.rstrip()
    indent = ""
    after = block.line
    if neighbour is not None:
        indent = lexed.lines[neighbour.line - 1][: neighbour.indent]
        after = max((neighbour.line, *neighbour.more))
    elif not block.assignments:
        # As deep as the next header, so that it is no continuation of the new one.
        following = next((one for one in lexed.blocks if one.line > block.line), None)
        if following is not None:
            line = lexed.lines[following.line - 1]
            indent = line[: indent_of(line)]
    else:
        # Before the first option: its indentation, so that it is no continuation of the new one.
        first = block.assignments[0]
        indent = lexed.lines[first.line - 1][: first.indent]
    ending = _end_of(lines[after - 1]) or next((end for line in lines if (end := _end_of(line))), "\n")
    if not _end_of(lines[after - 1]):
        lines[after - 1] += ending
        ending = ""
    lines[after - 1] += f"{indent}{option}{spacing}{value}{ending}"  # in the same place: no other line moves


def _neighbour(block: Block, option: str) -> Assignment | None:
    """The option of the block to stand after, or None to stand right below the header."""
    kind = block.name.partition(":")[0]
    order = ORDER.get(_KINDS.get(kind, kind), ())
    assignments = block.assignments
    if not assignments:
        return None
    if option not in order:
        return assignments[-1]
    rank = {name: place for place, name in enumerate(order)}
    mine = rank[option]
    before = [one for one in assignments if rank.get(one.name, len(order)) < mine]
    if not before:
        return None
    nearest = max(rank[one.name] for one in before)
    return next(one for one in reversed(before) if rank[one.name] == nearest)


def _any_assignment(lexed: Lexed) -> Assignment | None:
    return next((one for block in lexed.blocks for one in block.assignments), None)
