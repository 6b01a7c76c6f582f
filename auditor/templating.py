"""The files in templates/, by jinja2: strict about names, and laid out alike for all that is written by them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from auditor.places import data_dir

if TYPE_CHECKING:
    from jinja2 import Environment


def environment(*, autoescape: bool, **filters: Callable[..., Any]) -> Environment:
    """What renders them, with further filters by their names; it is for whoever asks to keep.

    Without `autoescape` no value may hold what means something in the file that is written: to see to that is the caller's.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(data_dir("templates")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=autoescape,  # noqa: S701 - a configuration file is no HTML
    )
    made.filters.update(filters)
    return made
