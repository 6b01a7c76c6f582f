"""From what was settled for a program to the text of its file: each fact's lever pulled, nothing else touched."""

from __future__ import annotations

import re
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
from auditor.remedies.conf_edit import Change, edit_sections


class Settled(msgspec.Struct, frozen=True):
    """One fact of one program, and the value it is to have."""

    section: str
    """The program's section: "program:worker"."""
    fact: str
    """Dotted: "worker.timeout"."""
    value: float | bool | str
    """What it is to be."""


def rewrite(data: bytes, settled: Sequence[Settled], path: str) -> tuple[bytes, dict[str, str]]:
    """The file with one fact each of these sections as settled, and why a section is left as it is, where one is.

    Raises CannotMend where nothing in the file can be changed.
    """
    values = {(block.name, one.name): one.value for block in lex(data).blocks for one in block.assignments}
    changes: dict[str, list[Change]] = {}
    left: dict[str, str] = {}
    for one in settled:
        try:
            option = option_of(one.fact)
            _leave_variables(values.get((one.section, option), ""), one, path)
            changes[one.section] = _changes(values.get((one.section, "command")), one, path)
        except CannotMend as problem:
            left[one.section] = problem.reason
    mended, unfit = edit_sections(data, changes, path)
    return mended, left | unfit


def option_of(fact: str) -> str:
    """The option of a program's section that holds a fact."""
    lever = LEVERS[fact]
    return lever.name if lever.kind == "setting" else "command"


def _leave_variables(value: str, one: Settled, path: str) -> None:
    """A figure in place of a variable would no longer follow it, and what else follows it is not known."""
    lever = LEVERS[one.fact]
    before = {"artisan": rf"--{re.escape(lever.name)}[=\s]\s{{0,9}}\S{{0,99}}?", "setting": ""}.get(lever.kind)
    if before is None or "%(ENV_" not in value:
        return
    found = re.search(before + r"(%\(ENV_\w{1,99}\)s)", value)
    if found is not None:
        raise CannotMend(path, f"{lever.name} follows the variable {found[1]}, which is set elsewhere")


def _changes(command: str | None, one: Settled, path: str) -> list[Change]:
    section, lever = one.section, LEVERS[one.fact]
    if lever.kind == "setting":
        return [Change(section, lever.name, written(one.fact, one.value))]
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
