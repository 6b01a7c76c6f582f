"""What an app schedules: calls on the scheduler in Kernel.php, routes/console.php and bootstrap/app.php, by syntax tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from auditor.facts.origin import Mark, declared, origin, unknown

if TYPE_CHECKING:
    from tree_sitter import Node

FILES = ("app/Console/Kernel.php", "routes/console.php", "bootstrap/app.php")
"""Where Laravel 5 to 13 keep the schedule."""
_TASKS = (b"command", b"job", b"call", b"exec")
_LOCKS = (b"onOneServer", b"withoutOverlapping")
_CALLS = ("member_call_expression", "nullsafe_member_call_expression", "scoped_call_expression")
MAX_NODES = 200_000
"""No more of one file is walked."""


def read_schedule(read: Callable[[str], bytes | None], base: str, marks: dict[str, Mark]) -> dict[str, Any]:
    """The fields of an App that concern its schedule."""
    seen = False
    tasks = False
    locks: dict[str, None] = {}
    for path in FILES:
        data = read(path)
        if data is None:
            continue
        seen = True
        # Most files can be told from their bytes; only those that name the scheduler are parsed.
        if b"chedule" not in data:
            continue
        for call, line in _calls(data):
            if call in _TASKS and not tasks:
                tasks = True
                text = data.split(b"\n")[line].decode("utf-8", "replace").strip()
                marks["schedules_tasks"] = declared(origin(base + path, line + 1, text))
            elif call in _LOCKS:
                locks[call.decode()] = None
                if "schedule_locks" not in marks:
                    text = data.split(b"\n")[line].decode("utf-8", "replace").strip()
                    marks["schedule_locks"] = declared(origin(base + path, line + 1, text))
    if not seen:
        marks["schedules_tasks"] = marks["schedule_locks"] = unknown("the app's own code is not here")
    return {"schedules_tasks": tasks, "schedule_locks": tuple(locks)}


def _calls(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Names of the methods called on the scheduler or on what such a call returns, with their lines from 0."""
    from auditor.sources.php.evaluator import _parse

    pending = [_parse(data)]
    budget = MAX_NODES
    while pending and budget:
        node = pending.pop()
        budget -= 1
        if node.type in _CALLS and (name := node.child_by_field_name("name")) is not None and _of_scheduler(node):
            yield name.text or b"", name.start_point[0]
        pending.extend(reversed(node.children))


def _of_scheduler(call: Node) -> bool:
    """Whether a call's chain begins at `$schedule` or at the Schedule facade."""
    node: Node | None = call
    while node is not None and node.type in _CALLS:
        node = node.child_by_field_name("object") or node.child_by_field_name("scope")
    if node is None:
        return False
    text = node.text or b""
    return text == b"$schedule" or (
        node.type in ("name", "qualified_name") and text.rpartition(b"\\")[2] == b"Schedule"
    )
