"""The settings of an app's .env: which are not as they should be, and the file with them, read again."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.errors import CannotMend
from auditor.remedies.env_edit import Place, edit_env
from auditor.sources.dotenv import DotEnv, env_value, parse


def same(one: str, other: str) -> bool:
    """Whether env() makes the same of both."""
    return env_value(one) == env_value(other)


def fault_of(parsed: DotEnv) -> str:
    """Why a .env is not edited, as a clause; "" where it can be."""
    if parsed.refusal is not None:
        return f"is refused by phpdotenv at line {parsed.refusal.line} ({parsed.refusal.problem})"
    if parsed.swallowed is not None:
        return f"loses its lines {parsed.swallowed[0]} to {parsed.swallowed[1]} behind a quote that is not closed"
    return ""


def with_settings(data: bytes, parsed: DotEnv, settings: Mapping[str, str | None]) -> bytes:
    """The .env with these names set or taken out, read again to make sure that it says that and all else as before."""
    places = [Place(entry.name, entry.line, entry.last_line) for entry in parsed.entries]
    after = edit_env(data, places, settings, parsed.path)
    again = parse(after, parsed.path)
    expected = {name: value for name, value in parsed.values().items() if name not in settings}
    expected.update({name: value for name, value in settings.items() if value is not None})
    if fault_of(again) or again.values() != expected:
        raise CannotMend(parsed.path, "changed, it would be read as something else")
    return after
