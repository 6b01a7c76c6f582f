"""The rules' language: one small typed part of Python's own expression grammar.

Comparisons, `and or not`, `in`, `+ - * /`, `is None`, `a if c else b`, dotted facts, the rule's `let`, and `never`.
No calls, no subscripts, no names beyond those: a rules file from a stranger can at worst be refused. An expression is
parsed with `ast`, walked against a white list, and checked against the fact classes before it is ever evaluated: a
misspelt fact, a number compared with text, or an optional value used unguarded is refused at load.

It is evaluated twice over: as one compiled lambda where everything it names is known (0.2 µs), and, where something is
unknown, in three-valued logic (settle.py).
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from auditor.facts.origin import Fact
from auditor.judge.types import BOOL, NONE, NUMBER, TEXT, Type, members

MAX_LENGTH = 2000
"""Characters in one expression."""
MAX_NUMBER = 10**15
"""Larger ones are no time, size or count of anything here."""
MAX_DEPTH = 40
"""Nesting of one expression."""

_NUMERIC = (ast.Add, ast.Sub, ast.Mult, ast.Div)


class Refused(Exception):
    """The expression is none of the language's; the text says why, as a clause."""


class Unknown:
    """The third truth value."""

    __slots__ = ()


UNKNOWN = Unknown()


class Expression:
    """One checked expression over a scope's roots."""

    __slots__ = ("_node", "call", "facts", "kind", "text")

    def __init__(
        self, text: str, kind: str, facts: tuple[str, ...], call: Callable[..., Any], node: ast.expr | None = None
    ) -> None:
        """Hold what `parse` found; `call` takes the roots in scope order, then the let values in order."""
        self.text = text
        self.kind = kind
        """The kind of value it yields."""
        self.facts = facts
        """Every dotted fact it names, in order of first mention: "worker.timeout"."""
        self.call = call
        self._node = node

    @property
    def node(self) -> ast.expr:
        """Its syntax tree; one that comes compiled from the shelf is parsed when it is first needed."""
        if self._node is None:
            self._node = ast.parse(self.text, mode="eval").body
        return self._node


def parse(
    text: str,
    roots: Mapping[str, type[Fact]],
    let: Mapping[str, Any],
    want: str | None = None,
    guard: Expression | None = None,
) -> Expression:
    """Check an expression and compile it; raises Refused with a clause that says what is wrong.

    `want` is the kind it must yield ("bool", "number", "text"). It is evaluated only where `guard` holds, so what that
    shows to be present is.
    """
    if len(text) > MAX_LENGTH:
        raise Refused(f"an expression is at most {MAX_LENGTH} characters long")
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "it is nested too deeply"
        raise Refused(f"“{_cut(text.strip())}” is not an expression: {reason}") from None
    checker = _Checker(roots, let)
    sure: frozenset[str] = frozenset()
    if guard is not None:
        _, sure, _ = _Checker(roots, let).check(guard.node, sure, MAX_DEPTH)
    type_, _, _ = checker.check(node, sure, MAX_DEPTH)
    if want is not None and (type_.kind != want or type_.optional):
        raise Refused(f"“{text.strip()}” is {type_}, where {Type(want)} is needed")
    source = text.strip()
    return Expression(source, type_.kind, tuple(checker.facts), _compile(node, roots, let), node)


def _compile(node: ast.expr, roots: Mapping[str, Any], let: Mapping[str, Any]) -> Callable[..., Any]:
    # The white list has been walked; what is compiled holds only the node kinds it lets through.
    source = source_of(node, [*roots, *let])
    return eval(compile(source, "<rule>", "eval"), {"__builtins__": {}, "never": math.inf})  # type: ignore[no-any-return]


def source_of(node: ast.expr, arguments: Sequence[str]) -> str:
    """The Python source of the lambda that evaluates a checked expression; `never` is a global of it."""
    return f"lambda {', '.join(arguments)}: {ast.unparse(node)}"


class _Checker:
    def __init__(self, roots: Mapping[str, type[Fact]], let: Mapping[str, Any]) -> None:
        self.roots = roots
        self.let = let
        self.facts: dict[str, None] = {}

    def check(self, node: ast.expr, sure: frozenset[str], depth: int) -> tuple[Type, frozenset[str], frozenset[str]]:
        """Type of a node, and the facts known to be present where it holds and where it fails."""
        if depth <= 0:
            raise Refused(f"an expression is nested at most {MAX_DEPTH} deep")
        none: frozenset[str] = frozenset()
        match node:
            case ast.BoolOp(op, values):
                holds, fails = none, none
                known = sure
                for index, value in enumerate(values):
                    kind, when_true, when_false = self.check(value, known, depth - 1)
                    self._need(kind, "bool", value)
                    if isinstance(op, ast.And):
                        holds, known = holds | when_true, known | when_true
                        fails = when_false if index == 0 else fails & when_false
                    else:
                        fails, known = fails | when_false, known | when_false
                        holds = when_true if index == 0 else holds & when_true
                return BOOL, holds, fails
            case ast.UnaryOp(ast.Not(), operand):
                kind, holds, fails = self.check(operand, sure, depth - 1)
                self._need(kind, "bool", operand)
                return BOOL, fails, holds
            case ast.UnaryOp(ast.USub(), operand):
                kind, _, _ = self.check(operand, sure, depth - 1)
                self._need(kind, "number", operand)
                return kind, none, none
            case ast.BinOp(left, op, right) if isinstance(op, _NUMERIC):
                return self._arithmetic(left, op, right, sure, depth), none, none
            case ast.Compare(left, [op], [right]):
                return self._compare(node, left, op, right, sure, depth)
            case ast.Compare():
                raise Refused(f"“{ast.unparse(node)}” chains comparisons; join two with `and`")
            case ast.IfExp(test, body, orelse):
                kind, when_true, when_false = self.check(test, sure, depth - 1)
                self._need(kind, "bool", test)
                first, _, _ = self.check(body, sure | when_true, depth - 1)
                second, _, _ = self.check(orelse, sure | when_false, depth - 1)
                if first.kind != second.kind:
                    raise Refused(f"“{ast.unparse(node)}” is either {first} or {second}")
                unit = first.unit or second.unit
                return first._replace(unit=unit, optional=first.optional or second.optional), none, none
            case ast.Constant(value):
                return _constant(value), none, none
            case ast.Tuple(elements) | ast.List(elements):
                return self._list(elements, depth), none, none
            case ast.Name(name):
                return self._name(name), none, none
            case ast.Attribute(ast.Name(root), field):
                return self._fact(root, field, sure), none, none
            case _:
                pass
        raise Refused(f"“{_shown(node)}” is not part of the rules' language")

    def _arithmetic(self, left: ast.expr, op: ast.operator, right: ast.expr, sure: frozenset[str], depth: int) -> Type:
        first, _, _ = self.check(left, sure, depth - 1)
        second, _, _ = self.check(right, sure, depth - 1)
        self._need(first, "number", left)
        self._need(second, "number", right)
        if isinstance(op, ast.Div) and not (isinstance(right, ast.Constant) and right.value):
            raise Refused("a rule divides only by a number that is written out and not 0")
        if isinstance(op, ast.Add | ast.Sub):
            return NUMBER._replace(unit=self._unit(first, second, left, right))
        if first.unit and second.unit and isinstance(op, ast.Mult):
            raise Refused(f"“{ast.unparse(left)}” and “{ast.unparse(right)}” both have a unit; their product has none")
        return NUMBER._replace(unit=first.unit or second.unit)

    def _unit(self, first: Type, second: Type, left: ast.expr, right: ast.expr) -> str:
        if first.unit and second.unit and first.unit != second.unit:
            raise Refused(f"“{ast.unparse(left)}” is in {first.unit} and “{ast.unparse(right)}” in {second.unit}")
        return first.unit or second.unit

    def _compare(
        self, node: ast.Compare, left: ast.expr, op: ast.cmpop, right: ast.expr, sure: frozenset[str], depth: int
    ) -> tuple[Type, frozenset[str], frozenset[str]]:
        none: frozenset[str] = frozenset()
        if isinstance(op, ast.Is | ast.IsNot):
            if not (isinstance(right, ast.Constant) and right.value is None and isinstance(left, ast.Attribute)):
                raise Refused("`is` asks only whether a fact is None, as in `connection.retry_after is None`")
            self.check(left, sure | {ast.unparse(left)}, depth - 1)
            path = ast.unparse(left)
            declared = self._declared(path)
            if not declared.optional:
                raise Refused(f"“{path}” is never None")
            found = frozenset({path})
            return (BOOL, none, found) if isinstance(op, ast.Is) else (BOOL, found, none)
        first, _, _ = self.check(left, sure, depth - 1)
        second, _, _ = self.check(right, sure, depth - 1)
        if isinstance(op, ast.In | ast.NotIn):
            self._present(first, left)
            self._present(second, right)
            fits = (second.kind == "list" and second.element in (first.kind, "")) or (
                second.kind == "text" and first.kind == "text"
            )
            if not fits:
                raise Refused(f"“{_shown(left)}” is {first}, and cannot be in {second}")
            return BOOL, none, none
        if isinstance(op, ast.Eq | ast.NotEq):
            if (
                first.kind != second.kind
                and "none" not in (first.kind, second.kind)
                and not _version_text(first, second)
            ):
                raise Refused(f"“{_shown(left)}” is {first}, and never equals {second}")
            if first.kind == "none" or second.kind == "none":
                raise Refused("ask `is None` or `is not None`")
            if _version_text(first, second):
                _as_versions(node)
            # A comparison with a present constant that holds shows the other side to be present too.
            both = [ast.unparse(n) for n, k in ((left, first), (right, second)) if isinstance(n, ast.Attribute)]
            if isinstance(op, ast.Eq) and not (first.optional and second.optional):
                return BOOL, frozenset(both), none
            if isinstance(op, ast.NotEq) and not (first.optional and second.optional):
                return BOOL, none, frozenset(both)
            return BOOL, none, none
        self._present(first, left)
        self._present(second, right)
        if _version_text(first, second):
            _as_versions(node)
            return BOOL, none, none
        if first.kind != second.kind or first.kind not in ("number", "version"):
            raise Refused(f"“{_shown(left)}” is {first}; it cannot be ordered against {second}")
        self._unit(first, second, left, right)
        return BOOL, none, none

    def _list(self, elements: Sequence[ast.expr], depth: int) -> Type:
        kinds = {self.check(e, frozenset(), depth - 1)[0].kind for e in elements}
        if not all(isinstance(e, ast.Constant) for e in elements) or not kinds <= {"text", "number"} or len(kinds) > 1:
            raise Refused("a list holds texts, or numbers, that are written out")
        return Type("list", element=next(iter(kinds), ""))

    def _name(self, name: str) -> Type:
        if name == "never":
            return NUMBER
        if name in self.let:
            return _constant(self.let[name])
        if name in self.roots:
            raise Refused(f"“{name}” is a {name}, not a fact of it; name one, as in “{name}.name”")
        raise Refused(f"there is no “{name}” here; {nearest(name, [*self.roots, *self.let, 'never'])}")

    def _declared(self, path: str) -> Type:
        root, _, field = path.partition(".")
        return members(self.roots[root])[field]

    def _fact(self, root: str, field: str, sure: frozenset[str]) -> Type:
        if root not in self.roots:
            raise Refused(f"there is no “{root}” here; {nearest(root, list(self.roots))}")
        known = members(self.roots[root])
        if field not in known:
            raise Refused(f"{self.roots[root].__name__} has no “{field}”; {nearest(field, list(known))}")
        path = f"{root}.{field}"
        self.facts.setdefault(path)
        found = known[field]
        return found.present() if path in sure else found

    def _need(self, found: Type, kind: str, node: ast.expr) -> None:
        if found.kind != kind:
            raise Refused(f"“{_shown(node)}” is {found}, where {Type(kind)} is needed")
        self._present(found, node)

    def _present(self, found: Type, node: ast.expr) -> None:
        if found.optional:
            raise Refused(f"“{_shown(node)}” may be None; guard it with `{_shown(node)} is not None`")


def _version_text(first: Type, second: Type) -> bool:
    return {first.kind, second.kind} == {"version", "text"}


def _as_versions(node: ast.Compare) -> None:
    """Write a version's text as the tuple that it is compared with."""
    sides = [node.left, *node.comparators]
    for index, side in enumerate(sides):
        if isinstance(side, ast.Constant) and isinstance(side.value, str):
            if not as_version(side.value):
                raise Refused(f"“{side.value}” is not a version")
            sides[index] = ast.Constant(as_version(side.value))  # type: ignore[arg-type] # a tuple is one
        elif isinstance(side, ast.Name):
            raise Refused(f"a version is written out; “{side.id}” is a name")
    node.left, node.comparators = sides[0], sides[1:]


def _constant(value: object) -> Type:
    if isinstance(value, tuple):  # a version, once checked
        return Type("version")
    if isinstance(value, bool):
        return BOOL
    if isinstance(value, int | float):
        if not -MAX_NUMBER <= value <= MAX_NUMBER and abs(value) != math.inf:  # nor what is no number
            raise Refused(f"a number is at most {MAX_NUMBER:.0e}")
        return NUMBER
    if isinstance(value, str):
        return TEXT
    if value is None:
        return NONE
    raise Refused(f"a {type(value).__name__} is not part of the rules' language")


def nearest(name: str, known: list[str], *, otherwise: str = "") -> str:
    """A clause that helps with a misspelt name: the nearest one; else `otherwise`, or all there are."""
    import difflib

    close = difflib.get_close_matches(name[:100], known, 1)
    if close:
        return f"did you mean “{close[0]}”?"
    return otherwise or f"it has {', '.join(sorted(known))}"


def _shown(node: ast.AST) -> str:
    return _cut(ast.unparse(node))


def _cut(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"


def as_version(text: str) -> tuple[int, ...]:
    """The text "8.83" as (8, 83)."""
    return tuple(int(part) for part in text.split(".") if part.isdigit())
