"""The comparison that failed, with its values filled in: "3600 s + 10 s > 90 s"."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from typing import Any

from auditor.judge.expression import UNKNOWN
from auditor.judge.settle import evaluate

_FAILS: Mapping[type[ast.cmpop], str] = {
    ast.Lt: "≥",
    ast.LtE: ">",
    ast.Gt: "≤",
    ast.GtE: "<",
    ast.Eq: "≠",
    ast.NotEq: "=",
}
"""How a comparison that does not hold is written."""
_OPERATORS: Mapping[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "−", ast.Mult: "×", ast.Div: "÷"}


def arithmetic(
    node: ast.expr,
    look: Callable[[str, str], Any],
    let: Mapping[str, Any],
    unit: Callable[[str, str], str],
) -> str:
    """The failed comparison of a rule's `that` with its values, "" where it compares no numbers."""
    if isinstance(node, ast.BoolOp):
        # Of `a and b` the first that fails tells why; of `a or b` all fail, and the first tells most.
        for value in node.values:
            if evaluate(value, look, let) is False:
                return arithmetic(value, look, let, unit)
        return ""
    if not isinstance(node, ast.Compare) or type(node.ops[0]) not in _FAILS:
        return ""
    left, right = node.left, node.comparators[0]
    values = evaluate(left, look, let), evaluate(right, look, let)
    if any(value is UNKNOWN or isinstance(value, bool) or not isinstance(value, int | float) for value in values):
        return ""
    common = _unit(left, unit) or _unit(right, unit)
    if not common:
        return ""  # counts speak for themselves in the message
    writer = _Writer(look, let, common)
    return f"{writer.write(left)} {_FAILS[type(node.ops[0])]} {writer.write(right)}"


def _unit(node: ast.expr, unit: Callable[[str, str], str]) -> str:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name):
            found = unit(inner.value.id, inner.attr)
            if found:
                return found
    return ""


class _Writer:
    def __init__(self, look: Callable[[str, str], Any], let: Mapping[str, Any], unit: str) -> None:
        self.look = look
        self.let = let
        self.unit = unit

    def write(self, node: ast.expr) -> str:
        if isinstance(node, ast.BinOp):
            factor = isinstance(node.op, ast.Mult | ast.Div)
            left, right = self.write(node.left), self.write(node.right)
            if factor and isinstance(node.right, ast.Constant | ast.Name):
                right = _number(evaluate(node.right, self.look, self.let))
            return f"{left} {_OPERATORS[type(node.op)]} {right}"
        value = evaluate(node, self.look, self.let)
        if value == math.inf:
            return "no limit"
        return f"{_number(value)} {self.unit}".rstrip()


def _number(value: float) -> str:
    if value == math.inf:
        return "no limit"
    return str(int(value)) if value == int(value) else f"{value:g}"
