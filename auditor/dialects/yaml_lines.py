"""Other people's YAML with its lines: compose files, manifests, playbooks, as far as they can be read at all.

Lenient where yaml_text is strict: anchors, aliases and merge keys are followed within bounds, tags are passed over,
`{{ … }}` may stand anywhere, and one document that is no YAML does not hide the others. Scalars stay the text that is
written, so that no dialect's idea of `yes`, `0777` or `1:30` gets in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

MAX_CHARACTERS = 1024 * 1024
"""No longer file is read."""
MAX_DEPTH = 60
"""Deeper values are left out."""
MAX_SLOW = 64 * 1024
"""A document that only the slower of two readers may understand is read up to that length."""
MAX_OPEN = 400
"""Files with more brackets open at once, or a deeper indentation in steps, are not read: the C reader recurses."""
MAX_NODES = 200_000
"""Values of one file, those that merge keys bring included."""

_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}")
_CONTROL = re.compile(
    r"[ \t]*(?:\{\{-?\s*(?:if\b|else\b|end\b|range\b|with\b|define\b|block\b|template\b|include\b|/\*)[^\n]*\}\}"
    r"|\{%[^\n]*%\})[ \t]*"
)
_STAND_IN = re.compile("\ue000([0-9]+)\ue001")
_BREAK = re.compile(r"(?:---|\.\.\.)(?:[ \t].*)?")
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ue000\ue001\ufffe\uffff]")


class Node:
    """One value and the lines it stands on."""

    __slots__ = ("end", "items", "keys", "kind", "line", "quoted", "text")

    def __init__(self, kind: str, line: int, end: int) -> None:
        """See the fields."""
        self.kind = kind
        """"map", "list", "text" or "null"."""
        self.line = line
        """The line (from 1) of its key, or of itself where it has none."""
        self.end = end
        """The last line it reaches."""
        self.text = ""
        """A scalar's text, templates as they are written; "" for others."""
        self.quoted = False
        """Whether the scalar stands in quotes or in a block."""
        self.items: list[Node] = []
        """A list's values."""
        self.keys: dict[str, Node] = {}
        """A map's values by key, in order."""

    def get(self, *path: str) -> Node | None:
        """The value below these keys, or None."""
        here: Node | None = self
        for key in path:
            here = here.keys.get(key) if here is not None else None
        return here

    def value(self, *path: str) -> str | None:
        """The text below these keys, or None where there is none."""
        found = self.get(*path)
        return found.text if found is not None and found.kind == "text" else None

    def each(self, *path: str) -> list[Node]:
        """The values of the list below these keys; a single value is a list of one; none where there is nothing."""
        found = self.get(*path)
        if found is None or found.kind == "null":
            return []
        return found.items if found.kind == "list" else [found]


def documents(text: str) -> Iterator[Node]:
    """Every document that can be read, in order; those that cannot are passed over."""
    if len(text) > MAX_CHARACTERS:
        return
    text = _UNREADABLE.sub("\ufffd", text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))
    masked, templates = _masked(text)
    lines = masked.split("\n")
    start = 0
    builder = _Builder(templates)
    for number, line in enumerate([*lines, "---"]):
        if (line[:1] in "-." and _BREAK.fullmatch(line)) or number == len(lines):
            chunk = lines[start:number]
            if any(part.strip() for part in chunk) and not _too_deep(chunk):
                found = builder.read("\n".join(chunk), start)
                if found is not None:
                    yield found
            rest = line[3:].strip()
            start = number + 1
            if rest and number < len(lines) and not rest.startswith("#"):
                lines[number] = f"   {line[3:]}"
                start = number


def load(text: str) -> Node | None:
    """The first document, or None."""
    return next(documents(text), None)


def _masked(text: str) -> tuple[str, list[str]]:
    """The text with each template as one plain word, and control lines as empty ones."""
    if "{{" not in text and "{%" not in text:
        return text, []
    templates: list[str] = []

    def stand_in(found: re.Match[str]) -> str:
        templates.append(found[0])
        return f"\ue000{len(templates) - 1}\ue001"

    lines = []
    for line in text.split("\n"):
        if len(line) > 20_000 or "{" not in line:
            lines.append(line)
        elif _CONTROL.fullmatch(line):
            lines.append("")
        else:
            lines.append(_TEMPLATE.sub(stand_in, line))
    return "\n".join(lines), templates


def _too_deep(lines: list[str]) -> bool:
    """Whether reading it could recurse without end."""
    open_now = most = 0
    levels: list[int] = []
    for line in lines:
        body = line.lstrip(" ")
        if not body or body[0] == "#":
            continue
        indent = len(line) - len(body)
        while levels and levels[-1] >= indent:
            levels.pop()
        levels.append(indent)
        nested = body.count("- ", 0, 4 * MAX_OPEN) if body.startswith("- ") else 0
        if "[" in body or "{" in body:
            for char in body:
                if char in "[{":
                    open_now += 1
                    most = max(most, open_now)
                elif char in "]}":
                    open_now = max(0, open_now - 1)
        if most + len(levels) + nested > MAX_OPEN:
            return True
    return False


class _Builder:
    """Turns the reader's nodes into ours; one budget for all documents of a file."""

    def __init__(self, templates: list[str]) -> None:
        self.templates = templates
        self.budget = MAX_NODES
        self.offset = 0
        self.made: dict[int, Node] = {}

    def read(self, text: str, offset: int) -> Node | None:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import YAMLError

        found = None
        for pure in (False, True):  # the C reader knows no `[php, artisan, queue:work]`, which YAML 1.2 allows
            if pure and (":" not in text or len(text) > MAX_SLOW):
                return None
            try:
                found = YAML(typ="safe", pure=pure).compose(text)
                break
            except (YAMLError, RecursionError, ValueError, AttributeError, TypeError):
                continue
        self.offset = offset + 1
        self.made = {}
        return self.build(found, MAX_DEPTH) if found is not None else None

    def restore(self, text: str) -> str:
        if "\ue000" not in text:
            return text
        return _STAND_IN.sub(
            lambda found: self.templates[int(found[1])] if int(found[1]) < len(self.templates) else "", text
        )

    def build(self, node: Any, depth: int) -> Node:
        before = self.made.get(id(node))
        if before is not None:
            return before
        start, end = node.start_mark.line, node.end_mark.line
        if node.end_mark.column == 0 and end > start:
            end -= 1
        made = Node("null", start + self.offset, end + self.offset)
        self.made[id(node)] = made  # also what an anchor inside itself finds
        self.budget -= 1
        if depth <= 0 or self.budget <= 0:
            return made
        if node.id == "scalar":
            style = getattr(node, "style", None)
            made.quoted = style in ("'", '"', "|", ">")
            made.text = self.restore(node.value)
            plain_null = not made.quoted and node.value in ("", "~", "null", "Null", "NULL")
            made.kind = "null" if plain_null else "text"
        elif node.id == "sequence":
            made.kind = "list"
            made.items = [self.build(item, depth - 1) for item in node.value]
        else:
            made.kind = "map"
            self.fill(made, node, depth)
        return made

    def fill(self, made: Node, node: Any, depth: int) -> None:
        merged: list[Node] = []
        for key_node, value_node in node.value:
            if key_node.id != "scalar":
                continue
            key = self.restore(key_node.value)
            value = self.build(value_node, depth - 1)
            if key == "<<" and not getattr(key_node, "style", None):
                merged += value.items if value.kind == "list" else [value]
                continue
            line = key_node.start_mark.line + self.offset
            if value.line != line:
                value = _placed(value, line)
            made.keys[key] = value
        for source in merged:
            if source is made or source.kind != "map":
                continue
            for key, value in list(source.keys.items()):
                self.budget -= 1
                if self.budget <= 0:
                    return
                made.keys.setdefault(key, value)


def _placed(value: Node, line: int) -> Node:
    """The same value, told to stand where its key does; a block's own first line is still `end` minus its length."""
    other = Node(value.kind, line, max(value.end, line))
    other.text, other.quoted, other.items, other.keys = value.text, value.quoted, value.items, value.keys
    return other
