"""What a configuration file may ask of its surroundings."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from auditor.facts.origin import Version
from auditor.sources.dotenv import env_value
from auditor.sources.php.values import MISSING, Missing, Unknown

EnvLookup = Callable[[str], "str | bool | Unknown | Missing | None"]
"""What Laravel's `env()` finds under a name: MISSING where it is not set, Unknown where that cannot be known."""


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """The surroundings in which a file is evaluated."""

    env: EnvLookup
    """How `env()` looks a name up."""
    base: str | None = None
    """The application's folder as the audited host names it ("/var/www/app"); None where that is not known."""
    file: str | None = None
    """The evaluated file as the audited host names it, for `__FILE__` and `__DIR__`; None where that is not known."""
    laravel: Version | None = None
    """The application's release of Laravel; None where that is not known."""
    php: Version | None = None
    """The release of PHP that runs it; None where that is not known."""


def environment(values: Mapping[str, str | None], laravel: Version | None = None) -> EnvLookup:
    """A lookup in texts as `DotEnv.values()` gives them; a name that is not there is not set."""

    def lookup(name: str) -> str | bool | Unknown | Missing | None:
        text = values.get(name)
        return MISSING if text is None else env_value(text, laravel)

    return lookup


def no_environment(reason: str) -> EnvLookup:
    """A lookup that knows nothing, and why (a clause without a full stop)."""
    answer = Unknown(reason, 0)
    return lambda _: answer
