"""A YAML file of data as a typed record: what its type says is checked, and a fault is told with file and line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from auditor.dialects import yaml_text
from auditor.errors import Unreadable

Table = TypeVar("Table")

_PATH = re.compile(r" - at `(key in )?\$?([^`]*)`$")
_STEP = re.compile(r"\.([\w-]+)|\[(\d+)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(.+)`$")


def read(
    file: Path, shown: str, table: type[Table], error: type[Unreadable] = Unreadable
) -> tuple[Table, yaml_text.Lines]:
    """The file as a `table`, and the line of each value; raises `error`, naming it as `shown`."""
    data, lines = yaml_text.load(yaml_text.read(file, shown, error), shown, error)
    try:
        return msgspec.convert(data if data is not None else {}, table), lines
    except msgspec.ValidationError as problem:
        told, at = _place(str(problem), data, table)
        raise error(shown, told, line_of(lines, at)) from None


def line_of(lines: yaml_text.Lines, at: tuple[str | int, ...]) -> int | None:
    """The line of a value, or of the nearest thing around it that has one."""
    while at and at not in lines:
        at = at[:-1]
    return lines.get(at)


def _place(problem: str, data: Any, table: type) -> tuple[str, tuple[str | int, ...]]:
    """msgspec's words without its path, and the path as keys and indexes.

    Below a mapping of names msgspec tells "[...]" in a key's place: such a path ends there.
    """
    found = _PATH.search(problem)
    path = found[2].partition("[...]")[0] if found is not None else ""
    told = problem[: found.start()] if found is not None else problem
    at: tuple[str | int, ...] = tuple(name or int(index) for name, index in _STEP.findall(path))
    unknown = _UNKNOWN.search(told)
    if unknown is not None:
        return f"there is no key “{unknown[1]}” here{_meant(unknown[1], table)}", _find(data, unknown[1], at)
    return _lower(told), at


def _find(data: Any, key: str, at: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Where the key stands at or below a path that may have ended early."""
    for step in at:
        data = data[step]
    pending = [(at, data)]
    while pending:
        here, value = pending.pop(0)
        if isinstance(value, dict):
            if key in value:
                return (*here, key)
            pending += [((*here, name), inner) for name, inner in value.items()]
    return at


def _meant(key: str, table: type) -> str:
    import difflib

    schema = msgspec.json.schema(table)
    shapes = [schema, *schema.get("$defs", {}).values()]
    close = difflib.get_close_matches(key, {name for shape in shapes for name in shape.get("properties", ())}, 1)
    return f"; did you mean “{close[0]}”?" if close else ""


def _lower(text: str) -> str:
    return re.sub("`([^`]*)`", r"“\1”", text[:1].lower() + text[1:])
