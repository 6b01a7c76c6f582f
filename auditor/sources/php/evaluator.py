"""The value that a PHP file returns, worked out from its text: no PHP runs.

Whatever depends on more than the text and the context (a closure, the application's own constant, another file) is an
Unknown at its place, and its neighbours stay known. The parser is tree-sitter's; the real php is the oracle in tests/php.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from auditor.sources.php.constants import CLASS_CONSTANTS, CONSTANTS
from auditor.sources.php.context import Context
from auditor.sources.php.functions import FUNCTIONS, MAPPABLE, STR, TAKES_UNKNOWN, array_of, bounded
from auditor.sources.php.values import (
    INT_MAX,
    INT_MIN,
    MISSING,
    Cannot,
    Entry,
    Missing,
    PhpArray,
    Unknown,
    Value,
    bool_of,
    compare,
    decode,
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
    from tree_sitter import Node, Parser

MAX_DEPTH = 100
"""Expressions nested deeper are not looked into."""
MAX_WORK = 20_000_000
"""So many characters and entries may be copied in one file; an expression counts as ten."""

_parser: Parser | None = None

_ESCAPE = re.compile(
    rb"\\(?:([nrtvef\\$\"])|([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u\{([0-9A-Fa-f]{1,8})\})",
)
_SIMPLE = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v", b"e": b"\x1b", b"f": b"\f"}
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
_PATHS = {
    "base_path": "",
    "app_path": "/app",
    "config_path": "/config",
    "database_path": "/database",
    "public_path": "/public",
    "resource_path": "/resources",
    "storage_path": "/storage",
}
_SUPERGLOBALS = frozenset({"_ENV", "_SERVER", "GLOBALS", "_GET", "_POST", "_REQUEST", "_COOKIE", "_FILES", "this"})
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
_INCLUDES = frozenset(
    {"include_expression", "include_once_expression", "require_expression", "require_once_expression"}
)


class _Closure:
    """A function value, with what it needs when array_map() calls it."""

    __slots__ = ("node", "variables")

    def __init__(self, node: Node, variables: dict[str, Any]) -> None:
        self.node = node
        self.variables = variables


class _Return(Exception):
    def __init__(self, value: Value) -> None:
        self.value = value


class _GiveUp(Exception):
    """The whole file is unknown."""

    def __init__(self, reason: str, line: int) -> None:
        self.unknown = Unknown(reason, line)


def evaluate(source: bytes, context: Context) -> Value:
    """What the file returns; Unknown where that cannot be known. Never raises, whatever the bytes."""
    root = _parse(source)
    if root.has_error:
        line = _first_error(root)
        return Unknown(f"PHP would not parse line {line}", line)
    return _Evaluator(source, context).file(root)


def _parse(source: bytes) -> Node:
    global _parser  # noqa: PLW0603 - one parser serves the process
    if _parser is None:
        import tree_sitter
        import tree_sitter_php

        _parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_php.language_php()))
    return _parser.parse(source).root_node


def _first_error(root: Node) -> int:
    node = root
    while True:
        for child in node.children:
            if child.is_error or child.is_missing:
                return child.start_point.row + 1
            if child.has_error:
                node = child
                break
        else:
            return node.start_point.row + 1


def _line(node: Node) -> int:
    return node.start_point.row + 1


def _below(node: Node) -> Iterator[Node]:
    pending = [node]
    while pending:
        here = pending.pop()
        yield here
        pending.extend(here.children)


class _Evaluator:
    def __init__(self, source: bytes, context: Context) -> None:
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

    # ---- statements ----

    def file(self, root: Node) -> Value:
        try:
            for node in root.children:
                self.statement(node)
        except _Return as result:
            return result.value
        except _GiveUp as why:
            return why.unknown
        return Unknown("the file returns nothing", 1)

    def statement(self, node: Node) -> None:
        kind = node.type
        if kind == "return_statement":
            inner = [child for child in node.named_children if child.type != "comment"]
            raise _Return(self.plain(self.value(inner[0]), inner[0]) if inner else None)
        if kind == "expression_statement":
            for child in node.named_children:
                if child.type != "comment":
                    self.value(child)
        elif kind == "namespace_use_declaration":
            self.use(node)
        elif kind == "namespace_definition":
            name = node.child_by_field_name("name")
            self.namespace = self.text(name) if name else ""
            body = node.child_by_field_name("body")
            if body is not None:
                self.block(body)
        elif kind == "compound_statement":
            self.block(node)
        elif kind == "if_statement":
            self.condition(node)
        elif kind == "const_declaration":
            for child in node.named_children:
                if child.type == "const_element":
                    parts = [part for part in child.named_children if part.type != "comment"]
                    self.constants[self.text(parts[0])] = self.plain(self.value(parts[-1]), parts[-1])
        elif kind == "function_definition":
            name = node.child_by_field_name("name")
            self.functions.add(self.text(name).lower() if name else "")
        elif kind in ("goto_statement", "named_label_statement", "exit_statement"):
            raise _GiveUp("the file does not simply run from top to bottom", _line(node))
        elif kind not in ("php_tag", "comment", "text", "text_interpolation", "empty_statement", "declare_statement"):
            self.uncertain(node, "it is set where it is not known what runs")

    def block(self, node: Node) -> None:
        self.deeper(node)
        for child in node.named_children:
            self.statement(child)
        self.depth -= 1

    def deeper(self, node: Node) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _GiveUp("statements are nested too deeply", _line(node))

    def condition(self, node: Node) -> None:
        """An `if`: the branch that is taken, or what all its branches may change."""
        branches = [node, *node.children_by_field_name("alternative")]
        for number, branch in enumerate(branches):
            body = branch.child_by_field_name("body")
            test = branch.child_by_field_name("condition")
            if test is not None:
                try:
                    taken = bool_of(self.plain(self.value(test), test))
                except Cannot:
                    for other in branches[number:]:
                        self.uncertain(other, "it is set under a condition that is not known")
                    return
                if not taken:
                    continue
            if body is not None:
                if body.type == "colon_block":
                    self.uncertain(node, "it is set under a condition that is not known")
                else:
                    self.deeper(node)
                    self.statement(body)
                    self.depth -= 1
            return

    def use(self, node: Node) -> None:
        prefix = ""
        for child in node.named_children:
            if child.type == "namespace_name":
                prefix = self.text(child).strip("\\") + "\\"
        for clause in _below(node):
            if clause.type != "namespace_use_clause":
                continue
            name = prefix
            alias = clause.child_by_field_name("alias")
            for child in clause.named_children:
                if child.type in ("name", "qualified_name") and child != alias:
                    name = prefix + self.text(child).strip("\\")
                    break
            kind = clause.child_by_field_name("type") or node.child_by_field_name("type")
            short = self.text(alias) if alias else name.rpartition("\\")[2]
            if kind is None:
                self.imports[short.lower()] = name
            elif self.text(kind) == "function" and name.lower() != short.lower():
                self.functions.add(short.lower())
            elif self.text(kind) == "const" and name != short:
                self.constants[short] = Unknown("it is another file's constant", _line(node))

    def uncertain(self, node: Node, reason: str) -> None:
        """Forget what a part of the file may change when it is not known whether it runs."""
        changes = computed = False
        names: set[str] = set()
        for here in _below(node):
            kind = here.type
            if kind == "variable_name":
                names.add(self.text(here)[1:])
            elif kind in _CHANGES:
                changes = True
                if kind in _INCLUDES:
                    self.forget(here)
            elif kind in ("return_statement", "goto_statement", "exit_statement") and not self.inside(here, node):
                raise _GiveUp("it is not known which return is reached", _line(here))
            elif kind == "function_definition":
                name = here.child_by_field_name("name")
                self.functions.add(self.text(name).lower() if name else "")
            elif kind == "dynamic_variable_name":
                computed = True
        if changes and computed:
            self.forget(node)
        elif changes:
            unknown = Unknown(reason, _line(node))
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
        self.forgotten = Unknown("another file or a computed name may have set it", _line(node))

    # ---- expressions ----

    def text(self, node: Node) -> str:
        return decode(self.source[node.start_byte : node.end_byte])

    def spend(self, amount: int, node: Node) -> None:
        self.work += amount
        if self.work > MAX_WORK:
            raise _GiveUp("it takes too long to work out", _line(node))

    def value(self, node: Node) -> Any:
        """The value of an expression: a Value, or a _Closure."""
        kind = node.type
        leaf = _LEAVES.get(kind)
        if leaf is not None:
            return leaf(self, node)
        handler = _HANDLERS.get(kind)
        if handler is None:
            reason = _KINDS.get(kind, f"“{kind.replace('_', ' ')}” is not evaluated")
            self.side_effects(node)
            return Unknown(reason, _line(node))
        self.depth += 1
        self.spend(10, node)
        try:
            if self.depth > MAX_DEPTH:
                self.side_effects(node)
                return Unknown("expressions are nested too deeply", _line(node))
            return handler(self, node)
        except _Known as why:
            return why.unknown
        except Cannot as why:
            return Unknown(str(why), _line(node))
        finally:
            self.depth -= 1

    def side_effects(self, node: Node) -> None:
        """Forget the variables that an expression changes which is not evaluated."""
        if b"$" in self.source[node.start_byte : node.end_byte] or node.type in _INCLUDES:
            self.uncertain(node, "it is set in an expression that is not evaluated")

    def plain(self, value: Any, node: Node) -> Value:
        if isinstance(value, _Closure):
            return Unknown("a closure is not run", _line(node))
        return value  # type: ignore[no-any-return]

    def scalar(self, node: Node) -> Value:
        """The value of an operand; an Unknown is raised, so that the whole operation becomes it."""
        value = self.plain(self.value(node), node)
        if isinstance(value, Unknown):
            raise _Known(value)
        return value

    def array(self, node: Node) -> Value:
        array = PhpArray()
        envs = self.envs
        for element in node.named_children:
            if element.type != "array_element_initializer":
                continue
            parts = element.children
            if len(parts) > 3 or (len(parts) > 1 and parts[1].type != "=>"):
                parts = [child for child in parts if child.type != "comment"]
            line = element.start_point.row + 1
            before = len(envs)
            written = parts[-1]
            key: int | str | Unknown
            if len(parts) == 3:
                known = self.value(parts[0])
                try:
                    key = known if isinstance(known, Unknown) else key_of(self.plain(known, written))
                except Cannot as why:
                    key = Unknown(str(why), line)
                del envs[before:]
            elif written.type == "variadic_unpacking":
                self.spread(array, written)
                continue
            else:
                key = array.next_key(line)
            value = self.value(written)
            if isinstance(value, _Closure):
                value = self.plain(value, written)
            if len(envs) > before:
                names = tuple(name for name, _ in envs[before:])
                array.add(Entry(key, value, line, names[0], envs[before][1], names))
                del envs[before:]
            else:
                array.add(Entry(key, value, line))
        return array

    def by_reference(self, node: Node) -> Value:
        self.ban(node)
        raise Cannot("it is a reference")

    def spread(self, array: PhpArray, node: Node) -> None:
        inner = self.plain(self.value(node.named_children[-1]), node)
        line = _line(node)
        if not isinstance(inner, PhpArray):
            unknown = (
                inner if isinstance(inner, Unknown) else Unknown("something other than an array is unpacked", line)
            )
            array.add(Entry(unknown, unknown, line))
            return
        self.spend(len(inner), node)
        for entry in inner:
            key = array.next_key(line) if isinstance(entry.key, int) else entry.key
            array.add(Entry(key, entry.value, entry.line, entry.env_name, entry.env_default, entry.env_names))

    def single_quoted(self, node: Node) -> Value:
        start = node.start_byte
        if self.source[start] != 39:  # b'x' is the same as 'x'
            start += 1
        data = self.source[start + 1 : node.end_byte - 1]
        if b"\\" in data:
            data = re.sub(rb"\\([\\'])", rb"\1", data)
        return decode(data)

    def double_quoted(self, node: Node) -> Value:
        data = self.source[node.start_byte : node.end_byte]
        if data[:1] != b'"':
            data = data[1:]
        if b"$" not in data:
            return _unescape(data[1:-1]) if b"\\" in data else decode(data[1:-1])
        return self.interpolated(node, node.start_byte, node.end_byte, heredoc=False)

    def interpolated(self, node: Node, begin: int, stop: int, *, heredoc: bool) -> Value:
        """A text with variables in it, as far as it lies between two bytes."""
        text = ""
        raw = b""
        braces = False
        for child in node.children:
            kind = child.type
            if kind in ("string_content", "escape_sequence"):
                raw += self.source[max(begin, child.start_byte) : min(stop, child.end_byte)]
                continue
            if not child.is_named:
                braces = child.type == "{"
                continue
            if child.type == "subscript_expression" and not braces:
                value = self.simple_subscript(child)
            else:
                value = self.scalar(child)
            text = join(join(text, _unescape(raw, heredoc=heredoc)), string_of(value))
            raw, braces = b"", False
            self.spend(len(text), node)
            bounded(text)
        return join(text, _unescape(raw, heredoc=heredoc))

    def heredoc(self, node: Node) -> Value:
        end = node.child_by_field_name("end_tag")
        body = node.child_by_field_name("value")
        opening = node.child_by_field_name("identifier")
        assert end is not None
        assert opening is not None
        if body is None:
            return ""
        begin = self.source.index(b"\n", opening.end_byte) + 1
        stop = self.source.rindex(b"\n", 0, end.start_byte)
        indent = self.source[stop + 1 : end.start_byte]
        if stop < begin:
            return ""
        data = self.source[begin:stop].removesuffix(b"\r")
        raw = node.type == "nowdoc"
        if indent:
            lines = data.split(b"\n")
            if any(line.strip(b"\r") and not line.startswith(indent) for line in lines):
                raise Cannot("a heredoc is indented less than its end")
            data = b"\n".join(
                line[len(indent) :] if line.startswith(indent) else b"\r" * line.endswith(b"\r") for line in lines
            )
        if raw:
            return decode(data)
        if b"$" not in data:
            return _unescape(data, heredoc=True)
        if indent or b"\r" in data:
            raise Cannot("an indented heredoc with variables is not evaluated")
        return self.interpolated(body, begin, stop, heredoc=True)

    def integer(self, node: Node) -> Value:
        data = self.source[node.start_byte : node.end_byte]
        if data.isdigit() and len(data) < 19 and (data[0] != 48 or len(data) == 1):
            return int(data)
        text = data.decode().replace("_", "").lower()
        if text[:2] in ("0x", "0b", "0o"):
            number = int(text, 0)
        elif len(text) > 1 and text[0] == "0":
            number = int(text, 8)
        elif len(text) > 400:
            return float("inf")
        else:
            number = int(text)
        return number if number <= INT_MAX else float(number)

    def floating(self, node: Node) -> Value:
        return float(self.text(node).replace("_", ""))

    def boolean(self, node: Node) -> Value:
        return self.text(node).lower() == "true"

    def null(self, _node: Node) -> Value:
        return None

    def inner(self, node: Node) -> Any:
        children = [child for child in node.named_children if child.type != "comment"]
        return self.value(children[-1])

    def variable(self, node: Node) -> Any:
        name = self.text(node)[1:]
        if name in _SUPERGLOBALS:
            raise Cannot(f"${name} is only known at run time")
        if name in self.banned:
            raise Cannot(f"${name} is a reference")
        found = self.variables.get(name, MISSING)
        if found is MISSING:
            if self.forgotten is not None:
                return self.forgotten
            raise Cannot(f"${name} is not set")
        return found

    def constant(self, node: Node) -> Value:
        name = self.text(node).lstrip("\\")
        plain = name.rpartition("\\")[2]
        if name in self.constants:
            return self.constants[name]
        if plain == "__DIR__" or plain == "__FILE__":
            file = self.context.file
            if file is None:
                raise Cannot(f"{plain} is not known here")
            return file if plain == "__FILE__" else file.rpartition("/")[0] or "/"
        if plain == "__LINE__":
            return _line(node)
        if plain.lower() in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[plain.lower()]
        if name == plain and plain in CONSTANTS:
            return CONSTANTS[plain]
        raise Cannot(f"the constant {plain} is not known here")

    def class_constant(self, node: Node) -> Value:
        parts = [child for child in node.named_children if child.type != "comment"]
        if len(parts) != 2 or parts[0].type not in ("name", "qualified_name"):
            raise Cannot("a constant of a class that is not named is asked")
        owner = self.resolve(parts[0])
        name = self.text(parts[1])
        if name.lower() == "class":
            return owner
        known = CLASS_CONSTANTS.get(owner.lower(), {}).get(name)
        if known is None:
            raise Cannot(f"the constant {owner}::{name} is the application's or a library's own")
        return known

    def resolve(self, node: Node) -> str:
        """The full name of a class, without a leading backslash."""
        name = self.text(node)
        if name.startswith("\\"):
            return name[1:]
        head, slash, tail = name.partition("\\")
        if head.lower() == "namespace" and slash:
            return f"{self.namespace}\\{tail}".strip("\\")
        imported = self.imports.get(head.lower())
        if imported is not None:
            return imported + slash + tail
        return f"{self.namespace}\\{name}" if self.namespace else name

    def cast(self, node: Node) -> Value:
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
            return list_of([] if value is None else [value], _line(node))
        raise Cannot("a value becomes an object")

    def unary(self, node: Node) -> Value:
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
            reason = value if isinstance(value, Unknown) else Unknown(str(why), _line(node))
            return reason
        if taken:
            return value if then is None else self.value(then)
        return self.value(other)

    def binary(self, node: Node) -> Any:
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
        if sign in _COMPARISONS:
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
                raise _Known(value)
        if bare.type == "variable_name" and self.variables.get(self.text(bare)[1:]) is not one:
            raise Cannot("a variable is changed in the expression that reads it")
        return one, two

    def computed(self, sign: str, one: Value, two: Value, node: Node) -> Value:
        if sign == ".":
            text = bounded(join(string_of(one), string_of(two)))
            self.spend(len(text), node)
            return text
        if sign == "+" and isinstance(one, PhpArray) and isinstance(two, PhpArray):
            return self.union(one, two, node)
        return _arithmetic(sign, number_of(one), number_of(two))

    def union(self, one: PhpArray, two: PhpArray, node: Node) -> Value:
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
        one = self.plain(self.value(left), left)
        try:
            first = bool_of(one)
        except Cannot as why:
            self.side_effects(right)
            return one if isinstance(one, Unknown) else Unknown(str(why), _line(left))
        if first == stops:
            return stops
        two = self.plain(self.value(right), right)
        return two if isinstance(two, Unknown) else bool_of(two)

    def coalesce(self, left: Node, right: Node) -> Any:
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
            known = name in self.variables or name in self.banned or name in _SUPERGLOBALS
            return self.value(node) if known or self.forgotten is not None else None
        if node.type == "subscript_expression":
            parts = [child for child in node.named_children if child.type != "comment"]
            if len(parts) == 2:
                base = self.value_or_null(parts[0])
                if base is None:
                    self.side_effects(parts[1])
                    return None
                return self.at(base, parts[1], node)
        return self.value(node)

    def subscript(self, node: Node) -> Any:
        parts = [child for child in node.named_children if child.type != "comment"]
        if len(parts) != 2:
            raise Cannot("an array is asked for its next place")
        base = self.value(parts[0])
        return self.at(base, parts[1], node)

    def simple_subscript(self, node: Node) -> Value:
        """`$x[key]` inside a text, where a bare word is the key itself."""
        base, key = node.named_children
        array = self.scalar(base)
        if key.type != "name" or not isinstance(array, PhpArray):
            return self.scalar(node)
        found = array.get(self.text(key))
        if found is None or isinstance(found.value, Unknown):
            raise Cannot("an entry that is not known is put into a text")
        return found.value

    def at(self, base: Any, key_node: Node, node: Node) -> Any:
        key = self.plain(self.value(key_node), key_node)
        for value in (base, key):
            if isinstance(value, Unknown):
                return value
        if not isinstance(base, PhpArray):
            raise Cannot("something other than an array is asked for a key")
        found = base.get(key_of(key))
        return None if found is None else found.value

    def assign(self, node: Node) -> Any:
        left = node.child_by_field_name("left")
        right = node.child_by_field_name("right")
        assert left is not None
        assert right is not None
        if left.type == "variable_name":
            value = self.value(right)
            self.variables[self.text(left)[1:]] = value
            return value
        if left.type == "subscript_expression":
            return self.assign_below(left, right, node)
        self.side_effects(right)
        self.uncertain(node, "it is set in a way that is not evaluated")
        raise Cannot("several variables are set at once")

    def assign_below(self, left: Node, right: Node, node: Node) -> Any:
        """`$x['a'] = …`, one level deep; anything else forgets the variable."""
        parts = [child for child in left.named_children if child.type != "comment"]
        if not parts or parts[0].type != "variable_name":
            self.uncertain(node, "a part of it is set in a way that is not evaluated")
            raise Cannot("a part of an array is set in a way that is not evaluated")
        name = self.text(parts[0])[1:]
        before = len(self.envs)
        key = self.plain(self.value(parts[1]), parts[1]) if len(parts) > 1 else MISSING
        value = self.plain(self.value(right), right)
        old = self.variables.get(name, MISSING)
        line = _line(node)
        if old is MISSING and self.forgotten is None:
            old = PhpArray()
        if not isinstance(old, PhpArray) or name in _SUPERGLOBALS:
            self.variables[name] = Unknown("a part of it is set", line)
            return value
        self.spend(len(old), node)
        new = PhpArray(old)
        final: int | str | Unknown
        if isinstance(key, Missing):
            final = new.next_key(line)
        elif isinstance(key, Unknown):
            final = key
        else:
            final = key_of(key)
        names = tuple(used for used, _ in self.envs[before:])
        default = self.envs[before][1] if names else False
        del self.envs[before:]
        new.add(Entry(final, value, line, names[0] if names else None, default, names))
        self.variables[name] = new
        return value

    def augment(self, node: Node) -> Any:
        left = node.child_by_field_name("left")
        right = node.child_by_field_name("right")
        operator = node.child_by_field_name("operator")
        assert left is not None
        assert right is not None
        assert operator is not None
        sign = self.text(operator)[:-1]
        if left.type != "variable_name" or sign not in (".", "+", "-", "*", "/", "??"):
            self.uncertain(node, "it is changed in a way that is not evaluated")
            raise Cannot("a variable is changed in a way that is not evaluated")
        name = self.text(left)[1:]
        if sign == "??":
            value = self.coalesce(left, right)
        else:
            try:
                value = self.computed(sign, *self.operands(left, right), node)
            except _Known as why:
                value = why.unknown
            except Cannot as why:
                value = Unknown(str(why), _line(node))
        self.variables[name] = value
        return value

    def reference(self, node: Node) -> Any:
        self.ban(node)
        raise Cannot("a reference is made")

    def ban(self, node: Node) -> None:
        for here in _below(node):
            if here.type == "variable_name":
                self.banned.add(self.text(here)[1:])

    def include(self, node: Node) -> Any:
        self.forget(node)
        raise Cannot("another file is included")

    def closure(self, node: Node) -> Any:
        for here in _below(node):
            if here.type == "by_ref":
                self.ban(here)
        if node.type != "arrow_function":
            return _Closure(node, self.captured(node))
        self.spend(len(self.variables), node)
        return _Closure(node, dict(self.variables))

    def match(self, node: Node) -> Any:
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

    # ---- calls ----

    def arguments(self, node: Node) -> tuple[list[Node], dict[str, Node]]:
        """The nodes of the arguments of a call: by place, and by name."""
        holder = node.child_by_field_name("arguments")
        placed: list[Node] = []
        named: dict[str, Node] = {}
        for argument in holder.named_children if holder is not None else ():
            if argument.type == "comment":
                continue
            if argument.type != "argument":
                raise Cannot("a function is not called but handed on")
            parts = [child for child in argument.named_children if child.type != "comment"]
            if parts[-1].type == "variadic_unpacking":
                raise Cannot("a function is called with an unpacked list")
            name = argument.child_by_field_name("name")
            if argument.child_by_field_name("reference_modifier") is not None:
                raise Cannot("a function is handed a reference")
            if name is not None:
                named[self.text(name)] = parts[-1]
            else:
                placed.append(parts[-1])
        return placed, named

    def call(self, node: Node) -> Any:
        function = node.child_by_field_name("function")
        assert function is not None
        if function.type not in ("name", "qualified_name"):
            self.side_effects(node)
            raise Cannot("a computed function is called")
        name = self.text(function).lower()
        if "\\" in name.lstrip("\\") or name in self.functions:
            self.side_effects(node)
            raise Cannot(f"{name}() is the application's or a library's own")
        name = name.lstrip("\\")
        special = _SPECIAL.get(name)
        if special is not None:
            return special(self, node)
        if name in _PATHS:
            return self.path(name, node)
        if name in TAKES_UNKNOWN or name in FUNCTIONS:
            return self.table_call(name, FUNCTIONS.get(name), node)
        self.side_effects(node)
        if name in ("extract", "parse_str", "eval"):
            self.forget(node)
        if name in ("exit", "die"):
            raise _GiveUp("the file ends PHP", _line(node))
        raise Cannot(f"{name}() is only known at run time")

    def table_call(self, name: str, function: Callable[..., Value] | None, node: Node) -> Value:
        placed, named = self.arguments(node)
        values = [self.value(argument) for argument in placed]
        if named:
            for argument in named.values():
                self.side_effects(argument)
            raise Cannot(f"{name}() is called with named arguments")
        line = _line(node)
        if name == "array_filter" and len(values) == 2 and isinstance(values[1], _Closure):
            return self.filtered(values[0], values[1], node)
        plain = [self.plain(value, node) for value in values]
        for value in plain:
            if isinstance(value, PhpArray):
                self.spend(len(value), node)
            elif isinstance(value, Unknown) and function is not None:
                raise _Known(value)
            elif isinstance(value, str):
                self.spend(len(value), node)
        try:
            return (function or TAKES_UNKNOWN[name])(line, *plain)
        except TypeError:
            raise Cannot(f"{name}() is called with other arguments than it takes") from None

    def static_call(self, node: Node) -> Any:
        scope = node.child_by_field_name("scope")
        method = node.child_by_field_name("name")
        assert scope is not None
        if method is None or method.type != "name" or scope.type not in ("name", "qualified_name"):
            self.side_effects(node)
            raise Cannot("a computed method is called")
        owner, name = self.resolve(scope).lower(), self.text(method).lower()
        if owner == "illuminate\\support\\env" and name == "get":
            return self.env(node)
        if owner == "illuminate\\support\\str" and name in STR:
            return self.table_call(f"Str::{self.text(method)}", STR[name], node)
        self.side_effects(node)
        raise Cannot(f"{self.text(scope)}::{self.text(method)}() is only known at run time")

    def env(self, node: Node) -> Any:
        placed, named = self.arguments(node)
        key_node = placed[0] if placed else named.get("key")
        default_node = placed[1] if len(placed) > 1 else named.get("default")
        if key_node is None:
            raise Cannot("env() is called without a name")
        place = len(self.envs)
        key = self.plain(self.value(key_node), key_node)
        del self.envs[place:]
        default = None if default_node is None else self.value(default_node)
        if isinstance(key, Unknown):
            return key
        if not isinstance(key, str):
            raise Cannot("env() is called with something other than a name")
        found = self.context.env(key)
        self.envs.insert(place, (key, isinstance(found, Missing)))
        if isinstance(found, Missing):
            return self.called(default, []) if isinstance(default, _Closure) else default
        if isinstance(found, Unknown):
            return Unknown(found.reason, _line(node))
        return found

    def path(self, name: str, node: Node) -> Value:
        placed, named = self.arguments(node)
        if named or len(placed) > 1:
            raise Cannot(f"{name}() is called in an unusual way")
        tail = self.scalar(placed[0]) if placed else ""
        base, laravel = self.context.base, self.context.laravel
        if base is None:
            raise Cannot("it is not known where the application lies")
        if name == "storage_path" and not isinstance(self.context.env("LARAVEL_STORAGE_PATH"), (Missing, Unknown)):
            raise Cannot("LARAVEL_STORAGE_PATH moves the storage folder")
        if not isinstance(tail, str) or tail == "0":
            raise Cannot(f"{name}() is called in an unusual way")
        root = base.rstrip("/") + _PATHS[name]
        if not tail:
            return root
        if tail.startswith("/"):
            if laravel is None or laravel[0] == 9:
                raise Cannot(f"{name}() is given a leading slash, which releases of Laravel take differently")
            if laravel[0] >= 10:
                tail = tail.lstrip("/")
        return f"{root}/{tail}"

    def isset(self, node: Node) -> Value:
        placed, _ = self.arguments(node)
        result = True
        for argument in placed:
            value = self.plain(self.value_or_null(argument), argument)
            if isinstance(value, Unknown):
                return value
            result = result and value is not None
        return result

    def empty(self, node: Node) -> Value:
        placed, _ = self.arguments(node)
        value = self.plain(self.value_or_null(placed[0]), placed[0])
        return value if isinstance(value, Unknown) else not bool_of(value)

    def define(self, node: Node) -> Value:
        placed, _ = self.arguments(node)
        if len(placed) == 2:
            name = self.plain(self.value(placed[0]), placed[0])
            if isinstance(name, str):
                self.constants[name] = self.plain(self.value(placed[1]), placed[1])
        return True

    def array_map(self, node: Node) -> Value:
        placed, named = self.arguments(node)
        if named or len(placed) != 2:
            for argument in placed:
                self.value(argument)
            raise Cannot("array_map() is called in an unusual way")
        function = self.value(placed[0])
        array = array_of(self.scalar(placed[1]))
        mapped = PhpArray()
        line = _line(node)
        if not isinstance(function, _Closure) and function not in MAPPABLE:
            raise Cannot("array_map() is given a function that is not evaluated")
        for entry in array:
            self.spend(10, node)
            value: Value
            if isinstance(function, _Closure):
                value = self.plain(self.called(function, [entry.value]), node)
            elif isinstance(entry.value, Unknown):
                value = entry.value
            else:
                try:
                    value = FUNCTIONS[function](line, entry.value)
                except Cannot as why:
                    value = Unknown(str(why), line)
            mapped.add(Entry(entry.key, value, entry.line, entry.env_name, entry.env_default, entry.env_names))
        return mapped

    def filtered(self, array: Any, closure: _Closure, node: Node) -> Value:
        if isinstance(array, Unknown):
            return array
        kept = PhpArray()
        for entry in array_of(array):
            self.spend(10, node)
            try:
                keep = isinstance(entry.key, Unknown) or bool_of(self.plain(self.called(closure, [entry.value]), node))
            except Cannot as why:
                unknown = Unknown(str(why), _line(node))
                kept.add(Entry(unknown, unknown, entry.line))
                continue
            if keep:
                kept.add(entry)
        return kept

    def called(self, closure: _Closure, values: list[Value]) -> Any:
        """The result of a closure that is one expression, or one return."""
        node = closure.node
        line = _line(node)
        body = node.child_by_field_name("body")
        parameters = node.child_by_field_name("parameters")
        if body is not None and body.type == "compound_statement":
            inside = [child for child in body.named_children if child.type != "comment"]
            body = None
            if len(inside) == 1 and inside[0].type == "return_statement" and inside[0].named_children:
                body = inside[0].named_children[-1]
        holders = [child for child in parameters.named_children if child.type != "comment"] if parameters else []
        names: list[str] = []
        for holder in holders:
            variable = holder.child_by_field_name("name")
            odd = [
                field for field in ("type", "default_value", "reference_modifier") if holder.child_by_field_name(field)
            ]
            if holder.type != "simple_parameter" or variable is None or odd:
                return Unknown("a closure is not run", line)
            names.append(self.text(variable)[1:])
        if body is None or len(names) > len(values) or node.child_by_field_name("return_type"):
            return Unknown("a closure is not run", line)
        saved = self.variables
        self.variables = dict(closure.variables)
        self.spend(len(self.variables) + 500, node)
        forgotten = self.forgotten
        self.variables.update(zip(names, values, strict=False))
        try:
            return self.value(body)
        finally:
            self.variables = saved
            self.forgotten = forgotten

    def captured(self, node: Node) -> dict[str, Any]:
        """What a closure takes along with `use`."""
        taken: dict[str, Any] = {}
        for child in node.named_children:
            if child.type == "anonymous_function_use_clause":
                for here in _below(child):
                    if here.type == "variable_name":
                        name = self.text(here)[1:]
                        taken[name] = self.variables.get(name, Unknown(f"${name} is not set", _line(here)))
        return taken


class _Known(Cannot):
    """An operand is unknown: the operation is that same Unknown."""

    def __init__(self, unknown: Unknown) -> None:
        super().__init__(unknown.reason)
        self.unknown = unknown


def _unescape(data: bytes, *, heredoc: bool = False) -> str:
    """The text of a double-quoted string or heredoc without variables."""
    if b"\\" not in data:
        return decode(data)

    def one(found: re.Match[bytes]) -> bytes:
        simple, octal, hexadecimal, point = found.groups()
        if simple is not None:
            if simple == b'"' and heredoc:
                return b'\\"'
            return _SIMPLE.get(simple, simple)
        if octal is not None:
            return bytes([int(octal, 8) & 255])
        if hexadecimal is not None:
            return bytes([int(hexadecimal, 16)])
        number = int(point, 16)
        if number > 0x10FFFF or 0xD800 <= number < 0xE000:
            raise Cannot("a text names a character that does not exist")
        return chr(number).encode()

    return decode(_ESCAPE.sub(one, data))


_COMPARISONS: dict[str, Callable[[int], bool]] = {
    "==": lambda order: order == 0,
    "!=": lambda order: order != 0,
    "<>": lambda order: order != 0,
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
    "<=>": lambda order: True,
}


_EQUALITIES = ("==", "!=", "<>", "===", "!==", "<=>")
_INEQUALITIES = ("<", "<=", ">", ">=")
_ALONE = {sign: group for group in (_EQUALITIES, _INEQUALITIES) for sign in group}
"""Operators that may not follow one of their own group without brackets."""


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
            if two < 0 or abs(one) > 1 and two > 64:
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
        power = one**two
    except (OverflowError, ZeroDivisionError):
        raise Cannot("a number is too large") from None
    if isinstance(power, complex):
        raise Cannot("a root of a negative number is taken")
    return power


_LEAVES: dict[str, Callable[[_Evaluator, Node], Value]] = {
    "string": _Evaluator.single_quoted,
    "integer": _Evaluator.integer,
    "float": _Evaluator.floating,
    "boolean": _Evaluator.boolean,
    "null": _Evaluator.null,
}
"""Expressions that hold no others and cannot fail."""
_HANDLERS: dict[str, Callable[[_Evaluator, Node], Any]] = {
    "array_creation_expression": _Evaluator.array,
    "encapsed_string": _Evaluator.double_quoted,
    "heredoc": _Evaluator.heredoc,
    "nowdoc": _Evaluator.heredoc,
    "by_ref": _Evaluator.by_reference,
    "name": _Evaluator.constant,
    "qualified_name": _Evaluator.constant,
    "variable_name": _Evaluator.variable,
    "class_constant_access_expression": _Evaluator.class_constant,
    "parenthesized_expression": _Evaluator.inner,
    "error_suppression_expression": _Evaluator.inner,
    "cast_expression": _Evaluator.cast,
    "unary_op_expression": _Evaluator.unary,
    "conditional_expression": _Evaluator.ternary,
    "binary_expression": _Evaluator.binary,
    "subscript_expression": _Evaluator.subscript,
    "assignment_expression": _Evaluator.assign,
    "augmented_assignment_expression": _Evaluator.augment,
    "reference_assignment_expression": _Evaluator.reference,
    "include_expression": _Evaluator.include,
    "include_once_expression": _Evaluator.include,
    "require_expression": _Evaluator.include,
    "require_once_expression": _Evaluator.include,
    "anonymous_function": _Evaluator.closure,
    "arrow_function": _Evaluator.closure,
    "match_expression": _Evaluator.match,
    "function_call_expression": _Evaluator.call,
    "scoped_call_expression": _Evaluator.static_call,
}
_SPECIAL: dict[str, Callable[[_Evaluator, Node], Any]] = {
    "env": _Evaluator.env,
    "isset": _Evaluator.isset,
    "empty": _Evaluator.empty,
    "define": _Evaluator.define,
    "array_map": _Evaluator.array_map,
}
