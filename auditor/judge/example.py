"""A rule's own examples, made into small worlds and judged: the tests that every rule carries with it."""

from __future__ import annotations

import functools
import typing
from collections.abc import Mapping
from typing import Any

import msgspec

from auditor.bounds import settled
from auditor.facts.origin import NEVER, Fact, Mark, declared, origin, unknown
from auditor.facts.scopes import SCOPES
from auditor.facts.subjects import NONE, Absent, Joined, Subject
from auditor.findings import Bound, Finding, Skipped
from auditor.judge.rule import Example, Rule
from auditor.judge.types import members
from auditor.judge.weigh import judge_one

BY_HAND = "by hand"
"""What a fix leaves where no value satisfies it."""


def problems(rule: Rule) -> list[str]:
    """What is wrong with a rule's examples, as sentences with file and line; none where all hold."""
    found: list[str] = []
    for kind, examples in (("good", rule.good), ("bad", rule.bad)):
        for example in examples:
            problem = _check(rule, example, bad=kind == "bad")
            if problem:
                found.append(f"{rule.path}:{example.line}: {kind} example: {problem}.")
    return found


def subject(rule: Rule, example: Example) -> Subject:
    """The small world of an example; raises ValueError for a value that no such fact can hold."""
    roots: dict[str, dict[str, Any]] = {}
    absent: dict[str, Absent] = {}
    for path, value in example.facts.items():
        root, _, field = path.partition(".")
        if not field:
            absent[root] = NONE if value in (None, "none") else Absent("it is not known here")
            continue
        roots.setdefault(root, {})[field] = value
    made: list[Joined] = [
        absent[root] if root in absent else _make(cls, roots.get(root, {})) for root, cls in SCOPES[rule.scope].items()
    ]
    return Subject(rule.scope, "example", tuple(made))


def _check(rule: Rule, example: Example, *, bad: bool) -> str:
    try:
        world = subject(rule, example)
    except (ValueError, msgspec.ValidationError) as problem:
        return str(problem)
    result = judge_one(rule, world)
    if not bad:
        if example.skips:
            return "" if isinstance(result, Skipped) else "it should be skipped, and is not"
        if isinstance(result, Finding):
            return f"it is found: {result.message}"
        return f"it is skipped: {result.reason}" if result is not None else ""
    if not isinstance(result, Finding):
        return f"it is skipped: {result.reason}" if result is not None else "it is not found"
    if example.says and example.says not in result.message:
        return f"its message does not say “{example.says}”, but “{result.message}”"
    if not result.message.endswith("."):
        return f"its message is no sentence: “{result.message}”"
    if "unknown" in result.message.split():
        return f"its message tells what is not known: “{result.message}”"
    return _check_leaves(rule, example, world, result) if example.leaves is not None else ""


def _check_leaves(rule: Rule, example: Example, world: Subject, finding: Finding) -> str:
    after = mend(rule, world, finding.bounds)
    if example.leaves == BY_HAND:
        return "" if after is None else "it can be mended, and should be by hand"
    if not isinstance(example.leaves, Mapping):
        return "“leaves” maps facts to values, or is “by hand”"
    if after is None:
        return "it cannot be mended"
    order = list(SCOPES[rule.scope])
    for path, value in example.leaves.items():
        root, _, field = path.partition(".")
        fact = after.roots[order.index(root)] if root in order else NONE
        if isinstance(fact, Absent):
            return f"there is no “{path}”"
        wanted = NEVER if value == "never" else value
        if getattr(fact, field, None) != wanted:
            return f"a fix leaves {path} at {getattr(fact, field, None)!r}, not {wanted!r}"
    still = judge_one(rule, after)
    return "" if not isinstance(still, Finding) else f"it is still found after the fix: {still.message}"


def mend(rule: Rule, world: Subject, bounds: tuple[Bound, ...]) -> Subject | None:
    """The world with a finding's bounds settled in it, or None where they cannot be."""
    if not bounds:
        return None
    order = list(SCOPES[rule.scope])
    roots = list(world.roots)
    for path in dict.fromkeys(bound.fact for bound in bounds):
        root, _, field = path.partition(".")
        fact = roots[order.index(root)]
        if isinstance(fact, Absent):
            return None
        value = settled(path, getattr(fact, field), [b for b in bounds if b.fact == path])
        if value is None:
            return None
        roots[order.index(root)] = msgspec.structs.replace(fact, **{field: value})
    return Subject(world.scope, world.name, tuple(roots))


def _make(cls: type[Fact], given: Mapping[str, Any]) -> Fact:
    here = origin("example", 1)
    marks: dict[str, Mark] = {}
    values = dict(_blank(cls))
    for field, value in given.items():
        if field not in cls.__struct_fields__:
            known = ", ".join(sorted(members(cls)))
            raise ValueError(f"“{field}” cannot be set on {cls.__name__}, which has {known}")
        if value == "unknown":
            marks[field] = unknown("it is not known here")
            continue
        if value != "default":
            values[field] = _fits(cls, field, value)
            marks[field] = declared(here)
    return cls(marks=marks, **values)


def _fits(cls: type[Fact], field: str, value: Any) -> Any:
    hint = _hints(cls)[field]
    if value == "never":
        return NEVER
    if isinstance(value, str) and (kind := members(cls).get(field)) and kind.kind == "version":
        return tuple(int(part) for part in value.split("."))
    return msgspec.convert(value, hint)


@functools.cache
def _hints(cls: type[Fact]) -> dict[str, Any]:
    return typing.get_type_hints(cls, include_extras=True)


@functools.cache
def _blank(cls: type[Fact]) -> Mapping[str, Any]:
    """A value for each field that has no default."""
    found: dict[str, Any] = {}
    for info in msgspec.structs.fields(cls):
        if info.required:
            kind = members(cls).get(info.name)
            found[info.name] = {"bool": False, "number": 0, "list": (), "version": ()}.get(
                kind.kind if kind else "list", ""
            )
    return found
