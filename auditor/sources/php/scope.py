"""What every part of the evaluation shares: the text, the variables, the limits, and how an expression is handed on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from auditor.sources.php.context import Context
from auditor.sources.php.values import Cannot, Unknown, Value, decode

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_WORK = 20_000_000
"""So many characters and entries may be copied in one file; an expression counts as ten."""
MAX_DEPTH = 100
"""Expressions nested deeper are not looked into."""
_CHANGES = frozenset(
    {
        "assignment_expression",
        "augmented_assignment_expression",
        "reference_assignment_expression",
        "update_expression",
        "include_expression",
        "include_once_expression",
        "require_expression",
        "require_once_expression",
        "function_call_expression",
        "scoped_call_expression",
        "member_call_expression",
        "unset_statement",
        "foreach_statement",
        "catch_clause",
        "global_declaration",
        "function_static_declaration",
    }
)
"""What may give a variable another value."""
_SCOPES = frozenset(
    {
        "anonymous_function",
        "arrow_function",
        "function_definition",
        "class_declaration",
        "interface_declaration",
        "trait_declaration",
        "enum_declaration",
        "method_declaration",
    }
)
INCLUDES = frozenset({"include_expression", "include_once_expression", "require_expression", "require_once_expression"})
_NULLSAFE = "an object's own property or method is asked"
_KINDS = {
    "object_creation_expression": "an object is made",
    "member_access_expression": _NULLSAFE,
    "member_call_expression": _NULLSAFE,
    "nullsafe_member_access_expression": _NULLSAFE,
    "nullsafe_member_call_expression": _NULLSAFE,
    "scoped_property_access_expression": "a class's own property is asked",
    "shell_command_expression": "a command is run",
    "throw_expression": "an exception is thrown",
    "clone_expression": "an object is copied",
    "dynamic_variable_name": "a variable is named by another",
    "yield_expression": "a generator yields it",
}
"""What can never be known from the text, and how to say so."""


class Closure:
    """A function value, with what it needs when array_map() calls it."""

    __slots__ = ("node", "variables")

    def __init__(self, node: Node, variables: dict[str, Any]) -> None:
        """Keep the node, and a copy of the variables."""
        self.node = node
        self.variables = variables


class GiveUp(Exception):
    """The whole file is unknown."""

    def __init__(self, reason: str, line: int) -> None:
        """Why, and at which line."""
        self.unknown = Unknown(reason, line)


class Known(Cannot):
    """An operand is unknown: the operation is that same Unknown."""

    def __init__(self, unknown: Unknown) -> None:
        """Carry it along."""
        super().__init__(unknown.reason)
        self.unknown = unknown


def line_of(node: Node) -> int:
    """The line a node begins on, from 1."""
    return node.start_point.row + 1


def below(node: Node) -> Iterator[Node]:
    """The node and all nodes below it."""
    pending = [node]
    while pending:
        here = pending.pop()
        yield here
        pending.extend(here.children)


class Scope:
    """The state of one evaluation."""

    leaves: ClassVar[Mapping[str, Callable[[Any, Node], Value]]] = {}
    """Expressions that hold no others and cannot fail, by the parser's name for them."""
    handlers: ClassVar[Mapping[str, Callable[[Any, Node], Any]]] = {}
    """All other expressions that are evaluated."""

    def __init__(self, source: bytes, context: Context) -> None:
        """Begin with no variables."""
        self.source = source
        self.context = context
        self.variables: dict[str, Any] = {}
        self.banned: set[str] = set()
        self.constants: dict[str, Value] = {}
        self.imports: dict[str, str] = {}
        self.functions: set[str] = set()
        self.namespace = ""
        self.envs: list[tuple[str, bool]] = []
        self.depth = 0
        self.work = 0
        self.forgotten: Unknown | None = None

    def text(self, node: Node) -> str:
        """The source of a node."""
        return decode(self.source[node.start_byte : node.end_byte])

    def spend(self, amount: int, node: Node) -> None:
        """Give up when the file takes too much work."""
        self.work += amount
        if self.work > MAX_WORK:
            raise GiveUp("it takes too long to work out", line_of(node))

    def deeper(self, node: Node) -> None:
        """Go one block deeper."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise GiveUp("statements are nested too deeply", line_of(node))

    def value(self, node: Node) -> Any:
        """The value of an expression: a Value, or a Closure."""
        kind = node.type
        leaf = self.leaves.get(kind)
        if leaf is not None:
            return leaf(self, node)
        handler = self.handlers.get(kind)
        if handler is None:
            reason = _KINDS.get(kind, f"“{kind.replace('_', ' ')}” is not evaluated")
            self.side_effects(node)
            return Unknown(reason, line_of(node))
        self.depth += 1
        self.spend(10, node)
        try:
            if self.depth > MAX_DEPTH:
                self.side_effects(node)
                return Unknown("expressions are nested too deeply", line_of(node))
            return handler(self, node)
        except Known as why:
            return why.unknown
        except Cannot as why:
            return Unknown(str(why), line_of(node))
        finally:
            self.depth -= 1

    def side_effects(self, node: Node) -> None:
        """Forget the variables that an expression changes which is not evaluated."""
        if b"$" in self.source[node.start_byte : node.end_byte] or node.type in INCLUDES:
            self.uncertain(node, "it is set in an expression that is not evaluated")

    def plain(self, value: Any, node: Node) -> Value:
        """The value, a closure being unknown as one."""
        if isinstance(value, Closure):
            return Unknown("a closure is not run", line_of(node))
        return value  # type: ignore[no-any-return]

    def scalar(self, node: Node) -> Value:
        """The value of an operand; an Unknown is raised, so that the whole operation becomes it."""
        value = self.plain(self.value(node), node)
        if isinstance(value, Unknown):
            raise Known(value)
        return value

    def uncertain(self, node: Node, reason: str) -> None:
        """Forget what a part of the file may change when it is not known whether it runs."""
        changes = computed = False
        names: set[str] = set()
        for here in below(node):
            kind = here.type
            if kind == "variable_name":
                names.add(self.text(here)[1:])
            elif kind in _CHANGES:
                changes = True
                if kind in INCLUDES:
                    self.forget(here)
            elif kind in ("return_statement", "goto_statement", "exit_statement") and not self.inside(here, node):
                raise GiveUp("it is not known which return is reached", line_of(here))
            elif kind == "function_definition":
                named = here.child_by_field_name("name")
                self.functions.add(self.text(named).lower() if named else "")
            elif kind == "dynamic_variable_name":
                computed = True
        if changes and computed:
            self.forget(node)
        elif changes:
            unknown = Unknown(reason, line_of(node))
            for name in names:
                self.variables[name] = unknown

    @staticmethod
    def inside(node: Node, top: Node) -> bool:
        """Whether it stands in a function or class of its own below `top`."""
        here = node.parent
        while here is not None and here != top:
            if here.type in _SCOPES:
                return True
            here = here.parent
        return False

    def forget(self, node: Node) -> None:
        """Another file, or a variable named at run time, may have set any variable."""
        self.variables.clear()
        self.forgotten = Unknown("another file or a computed name may have set it", line_of(node))

    def ban(self, node: Node) -> None:
        """Never trust these variables again: something else may change them at any time."""
        for here in below(node):
            if here.type == "variable_name":
                self.banned.add(self.text(here)[1:])
