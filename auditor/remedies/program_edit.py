"""From what was settled for a program to the text of its file: each fact's lever pulled, nothing else touched."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from auditor.dialects.command_edit import (
    add_exec,
    join_lines,
    set_connection,
    set_option,
    strip_queue_spaces,
    without_shell,
)
from auditor.dialects.conf import lex
from auditor.errors import CannotMend
from auditor.facts.levers import LEVERS, written
from auditor.remedies.conf_edit import Change, edit


class Settled(msgspec.Struct, frozen=True):
    """One fact of one program, and the value it is to have."""

    fact: str
    """Dotted: "worker.timeout"."""
    value: float | bool | str
    """What it is to be."""


def rewrite(data: bytes, section: str, settled: Sequence[Settled], path: str) -> bytes:
    """The file with these facts of one section as settled; raises CannotMend where the format cannot say it."""
    for one in settled:
        data = edit(data, _changes(data, section, one, path), path)
    return data


def file_of(section: str, option: str, files: Sequence[tuple[str, bytes]], otherwise: str) -> str:
    """Of a configuration's files in reading order, the one whose assignment of an option is effective; else `otherwise`."""
    for path, data in reversed(files):
        if _value(data, section, option) is not None:
            return path
    return otherwise


def option_of(fact: str) -> str:
    """The option of a program's section that holds a fact."""
    lever = LEVERS[fact]
    return lever.name if lever.kind == "setting" else "command"


def _changes(data: bytes, section: str, one: Settled, path: str) -> list[Change]:
    lever = LEVERS[one.fact]
    if lever.kind == "setting":
        return [Change(section, lever.name, written(one.fact, one.value))]
    command = _value(data, section, "command")
    if command is None:
        raise CannotMend(path, f"[{section}] has no command here")
    match lever.kind:
        case "artisan":
            command = set_option(command, lever.name, written(one.fact, one.value))
        case "connection":
            command = set_connection(command, str(one.value))
        case "queues":
            command = strip_queue_spaces(command)
        case "exec":
            command = add_exec(command)
        case "join":
            command = join_lines(command)
        case "plain":
            return _without_shell(command, section)
        case _:
            raise CannotMend(path, f"nothing of ours writes {one.fact}")
    return [Change(section, "command", command)]


def _without_shell(command: str, section: str) -> list[Change]:
    plain = without_shell(command)
    changes = [Change(section, "command", plain.command)]
    if plain.directory is not None:
        changes.append(Change(section, "directory", plain.directory))
    if plain.log_file is not None:
        changes.append(Change(section, "stdout_logfile", plain.log_file))
        if plain.stderr_too:
            changes.append(Change(section, "redirect_stderr", "true"))
    return changes


def _value(data: bytes, section: str, option: str) -> str | None:
    """The raw value of an option's last assignment in one file: unlike the facts', it still holds its secrets."""
    found = None
    for block in lex(data).blocks:
        if block.name == section:
            for assignment in block.assignments:
                if assignment.name == option:
                    found = assignment.value
    return found
