"""Changing options in a supervisor file, and not one character else."""

from __future__ import annotations

import re
from collections.abc import Sequence

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
    """The file with these changes, every other byte as it was; `path` is for the error's sentence.

    A changed option keeps its last line, with its indentation, spacing, inline comment and line end; its continuation
    lines go, the comments between them stay. A new one stands after the option people write it after. Raises CannotMend
    where the file is not UTF-8, has no such section, or where the format cannot carry the value.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise CannotMend(path, "it is not UTF-8") from None
    for change in changes:
        text = _apply(text, change, path)
    return text.encode()


def _apply(text: str, change: Change, path: str) -> str:
    lexed = lex(text)
    lines = lines_with_ends(text)
    blocks = [block for block in lexed.blocks if block.name == change.section]
    if not blocks:
        if change.value is None:
            return text
        raise CannotMend(path, f"it has no section [{change.section}]")
    found = [
        (block, assignment) for block in blocks for assignment in block.assignments if assignment.name == change.option
    ]
    if change.value is None:
        for _, assignment in reversed(found):
            _remove(lines, assignment)
    else:
        _check(change.option, change.value, path)
        if found:
            _replace(lines, found[-1][1], change.value)
        else:
            _insert(lines, lexed, blocks[-1], change.option, change.value)
    mended = "".join(lines)
    wanted = _meaning(lexed)
    if change.value is None:
        wanted.pop((change.section, change.option), None)
    else:
        wanted[change.section, change.option] = change.value
    if _meaning(lex(mended)) != wanted:
        raise CannotMend(path, f"{change.option}={change.value} would be read as something else there")
    return mended


def _meaning(lexed: Lexed) -> dict[tuple[str, str], str]:
    return {(block.name, one.name): one.value for block in lexed.blocks for one in block.assignments}


def _check(option: str, value: str, path: str) -> None:
    why = None
    if "\n" in value or "\r" in value:
        why = "a line break"
    elif value != value.strip():
        why = "white space at its ends"
    elif _UNSAFE.search(value):
        why = "white space followed by ; or #, which starts a comment"
    if why is not None:
        raise CannotMend(path, f"the value of {option} holds {why}, and the format cannot carry that")


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
    ending = _end_of(lines[after - 1]) or next((_end_of(line) for line in lines if _end_of(line)), "\n")
    if not _end_of(lines[after - 1]):
        lines[after - 1] += ending
        ending = ""
    lines.insert(after, f"{indent}{option}{spacing}{value}{ending}")


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
