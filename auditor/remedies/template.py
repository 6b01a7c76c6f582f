"""The templates of what we write: jinja2, strict about names, with a check that no value breaks its format."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from auditor.errors import CannotMend
from auditor.templating import environment

if TYPE_CHECKING:
    from jinja2 import Environment

_SAFE_WORD = re.compile(r"[\w@%+=:,./-]+", re.ASCII)


def render(name: str, **values: Any) -> str:
    """The text of templates/<name> with these values."""
    return _environment().get_template(name).render(**values)


@functools.cache
def _environment() -> Environment:
    return environment(autoescape=False)  # these are configuration files; what may stand in them is checked by `word`


def word(value: str, what: str, path: str) -> str:
    """A value that is one plain word for a shell, cron and supervisor alike; raises CannotMend for any other."""
    if not _SAFE_WORD.fullmatch(value):
        raise CannotMend(path, f"{what}, “{value}”, holds a character that cannot be written there plainly")
    return value
