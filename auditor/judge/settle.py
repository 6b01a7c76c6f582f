"""Checked expressions in three-valued logic, in which `False and unknown` is False and `5 < unknown` is unknown.

An expression is settled as far as it can be for all subjects of which the same is known, and what is left of it is a
function of the subject: most of the expressions in which something is unknown are then unknown at once.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from auditor.judge.expression import UNKNOWN, as_version

_NUMERIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
_TAKE_NONE = (ast.Is, ast.IsNot, ast.Eq, ast.NotEq)


class Open:
    """A value that depends on the subject."""

    __slots__ = ("of",)

    def __init__(self, of: Callable[[Any], Any]) -> None:
        """`of` gives the value, or UNKNOWN, for whatever the facts are taken from."""
        self.of = of


Look = Callable[[str, str], Any]
"""A root and a field to its value, to UNKNOWN, or to what is Open."""


def evaluate(node: ast.expr, look: Look, let: Mapping[str, Any]) -> Any:
    """The value of a checked expression, UNKNOWN, or an Open where `look` leaves open what it depends on."""
    match node:
        case ast.BoolOp(op, values):
            return _joined(values, isinstance(op, ast.Or), look, let)
        case ast.UnaryOp(op, operand):
            sign = operator.not_ if isinstance(op, ast.Not) else operator.neg
            return _applied(lambda found: UNKNOWN if found is UNKNOWN else sign(found), evaluate(operand, look, let))
        case ast.BinOp(left, op, right):
            return _both(_calculating(_NUMERIC[type(op)]), evaluate(left, look, let), evaluate(right, look, let))
        case ast.Compare(left, [op], [right]):
            compare = _comparing(_COMPARISONS[type(op)], takes_none=isinstance(op, _TAKE_NONE))
            return _both(compare, evaluate(left, look, let), evaluate(right, look, let))
        case ast.IfExp(test, body, orelse):
            chosen = evaluate(test, look, let)
            if isinstance(chosen, Open):
                return _chosen(chosen, evaluate(body, look, let), evaluate(orelse, look, let))
            return UNKNOWN if chosen is UNKNOWN else evaluate(body if chosen else orelse, look, let)
        case ast.Constant(value):
            return value
        case ast.Tuple(elements) | ast.List(elements):
            return tuple(evaluate(e, look, let) for e in elements)
        case ast.Name(name):
            return math.inf if name == "never" else let[name]
        case ast.Attribute(ast.Name(root), field):
            return look(root, field)
        case _:
            pass
    raise AssertionError(f"unchecked node {node!r}")


def _joined(values: Sequence[ast.expr], decides: bool, look: Look, let: Mapping[str, Any]) -> Any:
    """`or` is decided by what is true, `and` by what is false."""
    unknown = False
    left: list[Callable[[Any], Any]] = []
    for value in values:
        found = evaluate(value, look, let)
        if isinstance(found, Open):
            left.append(found.of)
        elif found is UNKNOWN:
            unknown = True
        elif bool(found) is decides:
            return decides
    if not left:
        return UNKNOWN if unknown else not decides

    def of(roots: Any) -> Any:
        open_ = unknown
        for one in left:
            found = one(roots)
            if found is UNKNOWN:
                open_ = True
            elif bool(found) is decides:
                return decides
        return UNKNOWN if open_ else not decides

    return Open(of)


def _calculating(calculate: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def both(first: Any, second: Any) -> Any:
        if first is UNKNOWN or second is UNKNOWN or first is None or second is None:
            return UNKNOWN
        return calculate(first, second)

    return both


def _comparing(compare: Callable[[Any, Any], bool], *, takes_none: bool) -> Callable[[Any, Any], Any]:
    def both(first: Any, second: Any) -> Any:
        if first is UNKNOWN or second is UNKNOWN or ((first is None or second is None) and not takes_none):
            return UNKNOWN
        return compare(*_comparable(first, second))

    return both


def _applied(function: Callable[[Any], Any], found: Any) -> Any:
    if not isinstance(found, Open):
        return function(found)
    of = found.of
    return Open(lambda roots: function(of(roots)))


def _both(function: Callable[[Any, Any], Any], first: Any, second: Any) -> Any:
    if first is UNKNOWN or second is UNKNOWN:
        return UNKNOWN
    if isinstance(first, Open):
        one = first.of
        if isinstance(second, Open):
            other = second.of
            return Open(lambda roots: function(one(roots), other(roots)))
        return Open(lambda roots: function(one(roots), second))
    return _applied(lambda found: function(first, found), second)


def _chosen(test: Open, body: Any, orelse: Any) -> Open:
    def of(roots: Any) -> Any:
        holds = test.of(roots)
        if holds is UNKNOWN:
            return UNKNOWN
        found = body if holds else orelse
        return found.of(roots) if isinstance(found, Open) else found

    return Open(of)


def _comparable(first: Any, second: Any) -> tuple[Any, Any]:
    if isinstance(first, tuple) and isinstance(second, str):
        return first, as_version(second)
    if isinstance(first, str) and isinstance(second, tuple) and second and isinstance(second[0], int):
        return as_version(first), second
    return first, second
