"""The settings of an app's .env: which are not as they should be, and the file with them, read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from auditor.errors import CannotMend
from auditor.ground import Ground
from auditor.install.model import Piece, Setting
from auditor.remedies.env_edit import Place, edit_env
from auditor.sources.dotenv import DotEnv, env_value, parse


def settings(ground: Ground, data: bytes | None) -> tuple[list[Setting], Piece | None, list[str]]:
    """The settings to change, the file with them, and what is left to a person, a sentence each."""
    path = ground.app.env_file
    if path is None or data is None:
        lines = [Setting(one.name, None, one.value, one.why).line for one in ground.profile.env]
        return [], None, [f"the app has no .env here: give its environment {', '.join(lines)}"] if lines else []
    parsed = parse(data, path)
    fault = _fault(parsed)
    if fault:
        return [], None, [f"{path} {fault}: mend it, then run this again"]
    wanted, by_hand = _wanted(ground, parsed.values())
    if not wanted:
        return [], None, by_hand
    try:
        after = _with(data, parsed, wanted)
    except CannotMend as problem:
        lines = [one.line for one in wanted]
        return wanted, None, [*by_hand, f"{path} cannot be changed ({problem.reason}): write {', '.join(lines)}"]
    return wanted, Piece(path, data, after, tuple(f"{one.line}: {one.why}" for one in wanted)), by_hand


def _wanted(ground: Ground, values: Mapping[str, str | None]) -> tuple[list[Setting], list[str]]:
    found, by_hand = [], []
    app, connection = ground.app, ground.connection
    if connection is not None and not connection.idles:
        name = app.queue_env_name or "QUEUE_CONNECTION"
        now = values.get(name)
        takes = now if now is not None else ("" if app.is_unknown("default_connection") else app.default_connection)
        if env_value(takes) != env_value(connection.name):
            if app.queue_env_name or app.is_unknown("queue_env_name"):
                found.append(Setting(name, now, connection.name, "jobs go where the worker takes them from"))
            else:
                by_hand.append(
                    f"config/queue.php itself says “{takes}”: let it read QUEUE_CONNECTION, or say “{connection.name}”"
                )
    for one in ground.profile.env:
        now = values.get(one.name)
        takes_ = now if now is not None else one.otherwise
        if takes_ is None or env_value(takes_) != env_value(one.value):
            found.append(Setting(one.name, now, one.value, one.why))
    return found, by_hand


def _fault(parsed: DotEnv) -> str:
    """Why a .env is not edited, as a clause; "" where it can be."""
    if parsed.refusal is not None:
        return f"is refused by phpdotenv at line {parsed.refusal.line} ({parsed.refusal.problem})"
    if parsed.swallowed is not None:
        return f"loses its lines {parsed.swallowed[0]} to {parsed.swallowed[1]} behind a quote that is not closed"
    return ""


def _with(data: bytes, parsed: DotEnv, wanted: Sequence[Setting]) -> bytes:
    """The .env with these set, read again to make sure that it says that, and all else as before."""
    values = {one.name: one.wanted for one in wanted}
    after = edit_env(data, [Place(one.name, one.line, one.last_line) for one in parsed.entries], values, parsed.path)
    again = parse(after, parsed.path)
    expected = {**parsed.values(), **values}
    if _fault(again) or again.values() != expected:
        raise CannotMend(parsed.path, "changed, it would be read as something else")
    return after
