"""YAML as plain data that knows its lines: one document, no aliases, no tags of its own, no repeated keys.

What a rules file, a configuration file or a table of data needs, and nothing a hostile one could use.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

from auditor.errors import Unreadable
from auditor.patterns import late

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 1024 * 1024
"""A file of rules or settings is never larger."""
MAX_DEPTH = 30
"""Nesting of one document."""

_HARMLESS = 500
"""The C reader stands that depth by far, and our own look at what it composed refuses more than MAX_DEPTH."""
_OPENERS = late(r"[\[{]|[-?:]\s")

Lines = dict[tuple[str | int, ...], int]
"""Path of keys and indexes to the line (from 1) on which that value's key, or the value itself, stands."""


def read(file: Path, path: str, error: type[Unreadable] = Unreadable) -> str:
    """The text of a file, shown as `path`; raises `error` where it is no regular file, too large, or not UTF-8."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe nobody writes to is not waited for
        with open(handle, "rb") as stream:  # noqa: PTH123 - it is open already
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise error(path, "it is not a regular file")
            data = stream.read(MAX_BYTES + 1)
    except OSError as problem:
        raise error(path, (problem.strerror or "it cannot be read").lower()) from None
    if len(data) > MAX_BYTES:
        raise error(path, f"it is longer than {MAX_BYTES:,} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise error(path, "it is not UTF-8", data.count(b"\n", 0, problem.start) + 1) from None


def load(text: str, path: str, error: type[Unreadable] = Unreadable) -> tuple[Any, Lines]:
    """The document as dicts, lists and scalars, and the line of every value; raises `error` with file and line."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    if len(text) > MAX_BYTES:
        raise error(path, f"it is longer than {MAX_BYTES:,} characters")
    yaml = YAML(typ="safe")
    try:
        _check_depth(text, path, error)
        node = yaml.compose(text)
    except MarkedYAMLError as problem:
        mark = problem.problem_mark
        raise error(path, f"not YAML: {problem.problem}", mark.line + 1 if mark else None) from None
    except (YAMLError, RecursionError, ValueError) as problem:
        raise error(path, f"not YAML: {str(problem).splitlines()[0]}") from None
    lines: Lines = {}
    if node is None:
        return None, lines
    return _Builder(path, error, lines).build(node, (), MAX_DEPTH), lines


def _check_depth(text: str, path: str, error: type[Unreadable]) -> None:
    """Refuse what is nested too deeply before it is composed: the C reader does that by recursion, without a limit."""
    if len(_OPENERS.findall(text)) <= _HARMLESS:
        return
    from ruamel.yaml import YAML

    depth = 0
    for event in YAML(typ="safe").parse(text):
        kind = type(event).__name__
        depth += kind.endswith(("MappingStartEvent", "SequenceStartEvent"))
        depth -= kind.endswith(("MappingEndEvent", "SequenceEndEvent"))
        if depth > MAX_DEPTH:
            raise error(path, f"nested more than {MAX_DEPTH} deep", event.start_mark.line + 1)


class _Builder:
    def __init__(self, path: str, error: type[Unreadable], lines: Lines) -> None:
        self.path = path
        self.error = error
        self.lines = lines
        self.seen: set[int] = set()

    def build(self, node: Any, at: tuple[str | int, ...], depth: int) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(at, line)
        if depth <= 0:
            raise self.error(self.path, f"nested more than {MAX_DEPTH} deep", line)
        if id(node) in self.seen:
            raise self.error(self.path, "aliases (*name) are not taken here", line)
        if node.id != "scalar" or node.anchor:
            self.seen.add(id(node))
        if node.anchor:
            raise self.error(self.path, "anchors (&name) are not taken here", line)
        kind = str(node.tag).removeprefix("tag:yaml.org,2002:")
        if node.id == "mapping" and kind == "map":
            found: dict[str, Any] = {}
            for key_node, value_node in node.value:
                key = self._scalar(key_node) if key_node.id == "scalar" else None
                here = key_node.start_mark.line + 1
                if not isinstance(key, str):
                    raise self.error(self.path, "every key is a plain text", here)
                if key in found:
                    raise self.error(self.path, f"“{key}” stands here twice", here)
                self.lines[(*at, key)] = here
                found[key] = self.build(value_node, (*at, key), depth - 1)
            return found
        if node.id == "sequence" and kind == "seq":
            return [self.build(item, (*at, index), depth - 1) for index, item in enumerate(node.value)]
        if node.id == "scalar":
            return self._scalar(node)
        raise self.error(self.path, f"the tag {node.tag} is not taken here", line)

    def _scalar(self, node: Any) -> Any:
        kind = str(node.tag).removeprefix("tag:yaml.org,2002:")
        text = node.value
        try:
            match kind:
                case "str":
                    return text
                case "int":
                    return int(text.replace("_", ""), 0) if text.lstrip("+-")[:2] in ("0x", "0o") else int(text)
                case "float":
                    return float(text.replace(".inf", "inf"))  # what is no number, .nan, compares with none
                case "bool":
                    return text.lower() == "true"
                case "null":
                    return None
                case "timestamp":
                    return text
                case _:
                    pass
        except ValueError:
            pass
        raise self.error(self.path, f"“{text[:40]}” is not taken here", node.start_mark.line + 1)
