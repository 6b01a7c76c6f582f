"""What runs the watch itself: a systemd unit or a supervisor program, of the options it was asked for with."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from auditor.errors import UsageError
from auditor.remedies.template import render

_PLAIN = re.compile(r"[\w@+=:,./~-]+", re.ASCII)
_NAME = re.compile(r"QUEUE_AUDITOR_[A-Z_]+")


def unit(
    form: str, words: Sequence[str], environment: Mapping[str, str], writes: Sequence[str], *, own_state: bool
) -> str:
    """The text for "systemd" or "supervisor".

    `words` are the watch's own arguments, `writes` the folders it writes in, and `own_state` says that its state lies
    where systemd's StateDirectory is. Raises UsageError where a value is one that the format cannot carry.
    """
    command = [_executable(), *words]
    for value in (*command, *environment.values(), *writes):
        if not value.isprintable() or "\ufffd" in value:
            raise UsageError("a unit holds no value with a line end or another control character")
    if any(not _NAME.fullmatch(name) for name in environment):
        raise UsageError("a unit takes over variables of queue-auditor's own alone")
    if form == "systemd":
        return render(
            "watch/systemd.j2",
            command=" ".join(map(_for_systemd, command)),
            environment=[(name, _for_systemd(value, exec_line=False)) for name, value in environment.items()],
            writable=" ".join(_for_systemd(path, exec_line=False) for path in writes),
            own_state=own_state,
        )
    return render(
        "watch/supervisor.j2",
        command=" ".join(map(_for_supervisor, command)),
        environment=",".join(f'{name}="{_in_quotes(value)}"' for name, value in environment.items()),
    )


def _executable() -> str:
    """This installation's own command, by its absolute path."""
    beside = Path(sys.executable).with_name("queue-auditor")
    return str(beside if beside.exists() else Path(sys.argv[0]).absolute())


def _for_systemd(value: str, *, exec_line: bool = True) -> str:
    """systemd.syntax(7): % begins a specifier, $ a variable in a command, a backslash an escape."""
    text = value.replace("%", "%%")
    if exec_line:
        text = text.replace("$", "$$")
    if _PLAIN.fullmatch(value):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _for_supervisor(value: str) -> str:
    """supervisor's command= is cut by a shell's rules; % is doubled, and no ; may stand behind a blank."""
    if _PLAIN.fullmatch(value):
        return value
    if re.search(r"\s[;#]|^[;#]", value) or "'" in value:
        raise UsageError(f"supervisor's command= cannot carry the value “{value}”")
    return "'" + value.replace("%", "%%") + "'"


def _in_quotes(value: str) -> str:
    if '"' in value or "\\" in value or re.search(r"\s[;#]", value):
        raise UsageError(f"supervisor's environment= cannot carry the value “{value}”")
    return value.replace("%", "%%")
