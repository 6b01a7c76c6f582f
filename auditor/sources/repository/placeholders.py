"""Placeholders of templates, put in where their value is written in the repository; all others stay as they are."""

from __future__ import annotations

import re
from collections.abc import Mapping

_JINJA = re.compile(r"\{\{-?\s*([A-Za-z_]\w*)\s*((?:\|\s*[a-z_]+\s*(?:\([^(){}]*\))?\s*)*)-?\}\}")
_FILTER = re.compile(r"\|\s*([a-z_]+)\s*(?:\(([^(){}]*)\))?")
_PLAIN = ("int", "string", "trim", "lower", "upper")
_ENVSUBST = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")
MAX_ROUNDS = 4
"""A variable whose value holds variables is followed no further."""


def fill_jinja(text: str, values: Mapping[str, str]) -> str:
    """`{{ name }}` and `{{ name | default(x) }}` with plain values put in, line for line."""

    def put(found: re.Match[str]) -> str:
        value = values.get(found[1])
        for name, argument in _FILTER.findall(found[2]):
            if name in ("default", "d"):
                if value is None:
                    first = argument.split(",")[0].strip()
                    value = (
                        first[1:-1]
                        if first[:1] in "\"'" and first[-1:] == first[:1] and len(first) > 1
                        else first
                        if re.fullmatch(r"[\w.-]+", first)
                        else None
                    )
            elif name not in _PLAIN or value is None:
                return found[0]
            elif name in ("lower", "upper"):
                value = value.lower() if name == "lower" else value.upper()
        return found[0] if value is None or "\n" in value else value

    for _ in range(MAX_ROUNDS):
        done = _JINJA.sub(put, text)
        if done == text or len(done) > 2 * len(text) + 10_000:
            return done
        text = done
    return text


def fill_environment(text: str, values: Mapping[str, str]) -> str:
    """`${NAME}` as envsubst puts it in, for names that are known."""
    return _ENVSUBST.sub(lambda found: values.get(found[1], found[0]), text)
