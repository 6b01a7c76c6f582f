"""The queues that an app's own code sends jobs to by name: `onQueue()`, `$queue` of a job, `viaQueue()`, `Queue::pushOn()`.

Read by syntax tree, never run. Only a name that is written out, or that config/*.php gives, is told; a variable names no queue.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from auditor.errors import Unreadable
from auditor.facts.laravel import Dispatch
from auditor.facts.origin import declared, origin
from auditor.patterns import late
from auditor.sources.tree import Tree

if TYPE_CHECKING:
    from tree_sitter import Node

_MENTIONS = late(rb"[oO]nQueue\s*\(|viaQueues?\s*\(|(?:pushOn|laterOn)\s*\(|\$queue\s*=|->queue\s*=")
_SIGNS = (b"ueue", b"pushOn", b"laterOn")
"""What has none of these mentions none of those, and is ten times as quickly looked through."""
_TESTS = late(r"(?:^|/)(?:tests?|stubs?|database|storage|docs?|resources|public|node_modules)/", re.IGNORECASE)
_CALLS = ("member_call_expression", "nullsafe_member_call_expression", "scoped_call_expression")
_BY_NAME = {b"onQueue": 0, b"allOnQueue": 0, b"pushOn": 0, b"laterOn": 0}
"""Methods and which of their arguments names a queue."""
MAX_FILES = 4000
MAX_PARSED = 400
MAX_SIZE = 256 * 1024
"""No more files of one app are opened, or parsed, and no larger ones."""
MAX_NODES = 100_000
"""No more of one file is walked."""


def read_dispatches(tree: Tree, folder: str, configured: Callable[[str], object]) -> tuple[Dispatch, ...]:
    """Each queue that the code of the app in a folder names, at the first place that does.

    `configured` gives a value of the app's configuration by its dotted name, None where it cannot be told.
    """
    found: dict[str, Dispatch] = {}
    parsed = 0
    for path in _files(tree, folder):
        data = _read(tree, path)
        if data is None or not any(sign in data for sign in _SIGNS) or _MENTIONS.search(data) is None:
            continue
        parsed += 1
        if parsed > MAX_PARSED:
            break
        for name, line in _named(data, configured):
            if name and name not in found:
                text = data.split(b"\n")[line].decode("utf-8", "replace").strip()
                found[name] = Dispatch(marks={"name": declared(origin(path, line + 1, text))}, name=name)
    return tuple(found.values())


def _files(tree: Tree, folder: str) -> Iterator[str]:
    count = 0
    base = len(folder) + 1 if folder else 0
    for path in tree.walk(folder):
        if path.endswith(".php") and not path.endswith(".blade.php") and _TESTS.search(path[base:]) is None:
            count += 1
            if count > MAX_FILES:
                return
            yield path


def _read(tree: Tree, path: str) -> bytes | None:
    try:
        return tree.read(path, MAX_SIZE)
    except Unreadable:
        return None


def _named(data: bytes, configured: Callable[[str], object]) -> Iterator[tuple[str, int]]:
    """Names of queues and their lines from 0."""
    from auditor.sources.php.evaluator import _parse

    pending: list[tuple[Node, bool]] = [(_parse(data), False)]
    budget = MAX_NODES
    while pending and budget:
        node, queued = pending.pop()
        budget -= 1
        if node.type in ("class_declaration", "anonymous_class"):
            queued = _is_queued(node)
        values: Iterator[Node] = iter(())
        if node.type in _CALLS:
            values = _arguments(node)
        elif queued and node.type == "property_element":
            values = _property(node)
        elif queued and node.type == "method_declaration":
            values = _returned(node)
        elif queued and node.type == "assignment_expression" and _text(node, "left") == b"$this->queue":
            values = (value for value in (node.child_by_field_name("right"),) if value is not None)
        for value in values:
            name = _value(value, configured)
            if name is not None:
                yield name, value.start_point[0]
        pending.extend((child, queued) for child in reversed(node.children))


def _is_queued(node: Node) -> bool:
    """Whether a class says that it goes through a queue."""
    head = b" ".join(child.text or b"" for child in node.children if child.type == "class_interface_clause")
    return b"ShouldQueue" in head


def _arguments(call: Node) -> Iterator[Node]:
    at = _BY_NAME.get(_text(call, "name"))
    holder = call.child_by_field_name("arguments")
    if at is None or holder is None:
        return
    placed = [child for child in holder.named_children if child.type == "argument"]
    if len(placed) > at and placed[at].named_children:
        yield placed[at].named_children[-1]


def _property(node: Node) -> Iterator[Node]:
    names = [child for child in node.children if child.type == "variable_name"]
    value = node.child_by_field_name("default_value")
    if value is None and node.named_children:
        value = node.named_children[-1]
    if names and names[0].text == b"$queue" and value is not None and value.type != "variable_name":
        yield value


def _returned(node: Node) -> Iterator[Node]:
    if _text(node, "name") not in (b"viaQueue", b"viaQueues"):
        return
    pending = list(node.children)
    while pending:
        part = pending.pop()
        if part.type == "return_statement":
            for value in part.named_children:
                if value.type == "array_creation_expression":
                    yield from (item.named_children[-1] for item in value.named_children if item.named_children)
                else:
                    yield value
        else:
            pending.extend(part.children)


def _value(node: Node, configured: Callable[[str], object]) -> str | None:
    if node.type in ("string", "encapsed_string"):
        parts = node.named_children
        if len(parts) == 1 and parts[0].type in ("string_content", "string_value"):
            return (parts[0].text or b"").decode("utf-8", "replace")
        return None
    if node.type == "function_call_expression" and _text(node, "function") == b"config":
        holder = node.child_by_field_name("arguments")
        first = holder.named_children[:1] if holder is not None else []
        key = _value(first[0].named_children[-1], configured) if first and first[0].named_children else None
        value = configured(key) if key else None
        return value if isinstance(value, str) else None
    return None


def _text(node: Node, field: str) -> bytes:
    found = node.child_by_field_name(field)
    return (found.text or b"") if found is not None else b""
