"""Casts, operators, conditions and what looks into arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from auditor.sources.php.functions import bounded
from auditor.sources.php.literals import Literals
from auditor.sources.php.scope import Known, line_of
from auditor.sources.php.values import (
    INT_MAX,
    INT_MIN,
    Cannot,
    PhpArray,
    Unknown,
    Value,
    bool_of,
    compare,
    float_of,
    int_of,
    join,
    key_of,
    list_of,
    number_of,
    same,
    string_of,
)

if TYPE_CHECKING:
    from tree_sitter import Node

SUPERGLOBALS = frozenset({"_ENV", "_SERVER", "GLOBALS", "_GET", "_POST", "_REQUEST", "_COOKIE", "_FILES", "this"})
"""Variables that PHP itself fills."""
_EQUALITIES = ("==", "!=", "<>", "===", "!==", "<=>")
_INEQUALITIES = ("<", "<=", ">", ">=")
_ALONE = {sign: group for group in (_EQUALITIES, _INEQUALITIES) for sign in group}
"""Operators that may not follow one of their own group without brackets."""
_COMPARISONS: dict[str, Callable[[int], bool]] = {
    "==": lambda order: order == 0,
    "!=": lambda order: order != 0,
    "<>": lambda order: order != 0,
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}


def _fit(number: int) -> int | float:
    return number if INT_MIN <= number <= INT_MAX else float(number)


def _arithmetic(sign: str, one: float, two: float) -> int | float:
    try:
        if sign == "%":
            left, right = int_of(one), int_of(two)
            if right == 0:
                raise Cannot("something is divided by zero")
            rest = abs(left) % abs(right)
            return -rest if left < 0 else rest
        if sign == "/":
            if two == 0:
                raise Cannot("something is divided by zero")
            if isinstance(one, int) and isinstance(two, int) and one % two == 0:
                return _fit(one // two)
            return float(one) / float(two)
        if isinstance(one, int) and isinstance(two, int):
            if sign == "+":
                return _fit(one + two)
            if sign == "-":
                return _fit(one - two)
            if sign == "*":
                return _fit(one * two)
            if two < 0 or (abs(one) > 1 and two > 64):
                return float(one) ** two
            number = _fit(one**two)
            if isinstance(number, float):
                raise Cannot("a power is too large to be exact")
            return number
        one, two = float(one), float(two)
        if sign == "+":
            return one + two
        if sign == "-":
            return one - two
        if sign == "*":
            return one * two
        power: float | complex = one**two
    except (OverflowError, ZeroDivisionError):
        raise Cannot("a number is too large") from None
    if isinstance(power, complex):
        raise Cannot("a root of a negative number is taken")
    return power


class Operators(Literals):
    """Casts, operators and conditions."""

    def inner(self, node: Node) -> Any:
        """What stands in brackets, or behind `@`."""
        children = [child for child in node.named_children if child.type != "comment"]
        return self.value(children[-1])

    def cast(self, node: Node) -> Value:
        """`(int) …` and its kin."""
        kind = node.child_by_field_name("type")
        operand = node.child_by_field_name("value")
        assert kind is not None
        assert operand is not None
        value = self.scalar(operand)
        name = self.text(kind).strip().lower()
        if name in ("int", "integer"):
            return int_of(value)
        if name in ("bool", "boolean"):
            return bool_of(value)
        if name in ("float", "double", "real"):
            return float_of(value)
        if name in ("string", "binary"):
            return string_of(value)
        if name == "array":
            if isinstance(value, PhpArray):
                return value
            return list_of([] if value is None else [value], line_of(node))
        raise Cannot("a value becomes an object")

    def unary(self, node: Node) -> Value:
        """`!`, `-` and `+`."""
        operator = node.child_by_field_name("operator")
        operand = node.child_by_field_name("argument") or node.named_children[-1]
        sign = self.text(operator) if operator is not None else self.text(node)[0]
        value = self.scalar(operand)
        if sign == "!":
            return not bool_of(value)
        number = number_of(value)
        if sign == "+":
            return number
        if sign == "-":
            if isinstance(number, int):
                return _fit(-number)
            return -number
        raise Cannot(f"the operator {sign} is not evaluated")

    def ternary(self, node: Node) -> Any:
        """`a ? b : c` and `a ?: c`."""
        test = node.child_by_field_name("condition")
        then = node.child_by_field_name("body")
        other = node.child_by_field_name("alternative")
        assert test is not None
        assert other is not None
        if test.type == "conditional_expression" and (then is not None or test.child_by_field_name("body") is not None):
            raise Cannot("a condition within a condition has no brackets, which PHP 8 refuses")
        value = self.plain(self.value(test), test)
        try:
            taken = bool_of(value)
        except Cannot as why:
            for branch in (then, other):
                if branch is not None:
                    self.side_effects(branch)
            return value if isinstance(value, Unknown) else Unknown(str(why), line_of(node))
        if taken:
            return value if then is None else self.value(then)
        return self.value(other)

    def binary(self, node: Node) -> Any:
        """An operator between two operands."""
        left = node.child_by_field_name("left")
        right = node.child_by_field_name("right")
        operator = node.child_by_field_name("operator")
        assert left is not None
        assert right is not None
        assert operator is not None
        sign = self.text(operator).lower()
        if sign == "??":
            return self.coalesce(left, right)
        if sign in ("&&", "and", "||", "or"):
            return self.logic(left, right, stops=sign in ("||", "or"))
        if sign == "instanceof":
            raise Cannot("an object's class is asked")
        self.precedence(sign, left, right)
        one, two = self.operands(left, right)
        if sign == "===":
            return same(one, two)
        if sign == "!==":
            return not same(one, two)
        if sign == "<=>" or sign in _COMPARISONS:
            php = self.context.php
            order = compare(one, two, php8=None if php is None else php >= (8,))
            return order if sign == "<=>" else _COMPARISONS[sign](order)
        if sign == "xor":
            return bool_of(one) != bool_of(two)
        if sign in (".", "+", "-", "*", "/", "%", "**"):
            return self.computed(sign, one, two, node)
        if sign in ("|", "&", "^") and type(one) is type(two) is int:
            return one | two if sign == "|" else one & two if sign == "&" else one ^ two
        raise Cannot(f"the operator {sign} is not evaluated")

    def operands(self, left: Node, right: Node) -> tuple[Value, Value]:
        """Both operands' values; an Unknown is raised."""
        bare = left
        while bare.type == "parenthesized_expression":
            bare = bare.named_children[-1]
        one = self.plain(self.value(left), left)
        two = self.plain(self.value(right), right)
        for value in (one, two):
            if isinstance(value, Unknown):
                raise Known(value)
        if bare.type == "variable_name" and self.variables.get(self.text(bare)[1:]) is not one:
            raise Cannot("a variable is changed in the expression that reads it")
        return one, two

    def computed(self, sign: str, one: Value, two: Value, node: Node) -> Value:
        """The result of arithmetic or concatenation."""
        if sign == ".":
            text = bounded(join(string_of(one), string_of(two)))
            self.spend(len(text), node)
            return text
        if sign == "+" and isinstance(one, PhpArray) and isinstance(two, PhpArray):
            return self.union(one, two, node)
        return _arithmetic(sign, number_of(one), number_of(two))

    def union(self, one: PhpArray, two: PhpArray, node: Node) -> Value:
        """The sum of two arrays."""
        if not one.is_certain or not two.is_certain:
            raise Cannot("an array whose keys are not all known is added to another")
        self.spend(len(one) + len(two), node)
        union = PhpArray(one)
        for entry in two:
            if isinstance(entry.key, (int, str)) and one.get(entry.key) is None:
                union.add(entry)
        return union

    def precedence(self, sign: str, left: Node, right: Node) -> None:
        """Refuse what PHP's releases, or PHP and the parser, group differently."""
        kinds = ("unary_op_expression", "cast_expression", "error_suppression_expression")
        if sign == "**" and left.type in kinds:
            raise Cannot("a power of a signed number has no brackets")
        if sign in _ALONE:
            for side in (left, right):
                inner = side.child_by_field_name("operator") if side.type == "binary_expression" else None
                if inner is not None and self.text(inner) in _ALONE[sign]:
                    raise Cannot("comparisons in a row have no brackets, which PHP refuses")
        if sign in (".", "+", "-"):
            others = ("+", "-") if sign == "." else (".",)
            for side in (left, right):
                inner = side.child_by_field_name("operator") if side.type == "binary_expression" else None
                if inner is not None and self.text(inner) in others:
                    raise Cannot("a sum and a concatenation have no brackets, which PHP 7 and 8 take differently")

    def logic(self, left: Node, right: Node, *, stops: bool) -> Value:
        """`&&` and `||`; `stops` is the value of the left side that decides alone."""
        one = self.plain(self.value(left), left)
        try:
            first = bool_of(one)
        except Cannot as why:
            self.side_effects(right)
            return one if isinstance(one, Unknown) else Unknown(str(why), line_of(left))
        if first == stops:
            return stops
        two = self.plain(self.value(right), right)
        return two if isinstance(two, Unknown) else bool_of(two)

    def coalesce(self, left: Node, right: Node) -> Any:
        """`a ?? b`."""
        value = self.value_or_null(left)
        if isinstance(value, Unknown):
            self.side_effects(right)
            return value
        return self.value(right) if value is None else value

    def value_or_null(self, node: Node) -> Any:
        """As isset() sees it: what is not set is null."""
        if node.type == "parenthesized_expression":
            return self.value(node)
        if node.type == "variable_name":
            name = self.text(node)[1:]
            known = name in self.variables or name in self.banned or name in SUPERGLOBALS
            return self.value(node) if known or self.forgotten is not None else None
        if node.type == "subscript_expression":
            parts = [child for child in node.named_children if child.type != "comment"]
            if len(parts) == 2:
                base = self.value_or_null(parts[0])
                if base is None:
                    self.side_effects(parts[1])
                    return None
                return self.at(base, parts[1])
        return self.value(node)

    def subscript(self, node: Node) -> Any:
        """`$x[key]`."""
        parts = [child for child in node.named_children if child.type != "comment"]
        if len(parts) != 2:
            raise Cannot("an array is asked for its next place")
        base = self.value(parts[0])
        return self.at(base, parts[1])

    def at(self, base: Any, key_node: Node) -> Any:
        """The entry of an array value under a key."""
        key = self.plain(self.value(key_node), key_node)
        for value in (base, key):
            if isinstance(value, Unknown):
                return value
        if not isinstance(base, PhpArray):
            raise Cannot("something other than an array is asked for a key")
        found = base.get(key_of(key))
        return None if found is None else found.value

    def match(self, node: Node) -> Any:
        """match."""
        subject = node.child_by_field_name("condition")
        body = node.child_by_field_name("body")
        assert subject is not None
        assert body is not None
        value = self.plain(self.value(subject), subject)
        arms = [arm for arm in body.named_children if arm.type != "comment"]
        default: Node | None = None
        for number, arm in enumerate(arms):
            result = arm.child_by_field_name("return_expression")
            if arm.type == "match_default_expression":
                default = result
                continue
            tests = arm.child_by_field_name("conditional_expressions")
            assert tests is not None
            assert result is not None
            for test in tests.named_children:
                if test.type == "comment":
                    continue
                try:
                    found = same(value, self.plain(self.value(test), test))
                except Cannot:
                    for other in arms[number:]:
                        self.side_effects(other)
                    raise
                if found:
                    return self.value(result)
        if default is None:
            raise Cannot("no arm of a match fits")
        return self.value(default)
