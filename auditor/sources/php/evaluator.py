"""The value that a PHP file returns, worked out from its text: no PHP runs.

Whatever depends on more than the text and the context (a closure, the application's own constant, another file) is an
Unknown at its place, and its neighbours stay known. The parser is tree-sitter's; the oracle in
tests/php is the real php.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from auditor.sources.php.calls import Calls
from auditor.sources.php.context import Context
from auditor.sources.php.scope import GiveUp, below, line_of
from auditor.sources.php.values import Cannot, Unknown, Value, bool_of

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

_parser: Parser | None = None


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

        _parser = tree_sitter.Parser(tree_sitter.Language(_grammar()))
    return _parser.parse(source).root_node


def _grammar() -> object:
    """PHP's grammar, out of the extension alone: its package imports what reads its queries, which nobody asks for."""
    import importlib.machinery
    import importlib.util

    package = importlib.util.find_spec("tree_sitter_php")
    name = "tree_sitter_php._binding"
    folders = None if package is None else package.submodule_search_locations
    spec = importlib.machinery.PathFinder.find_spec(name, folders)
    if spec is None or spec.loader is None:  # packed in some other way
        import tree_sitter_php

        return tree_sitter_php.language_php()
    binding = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(binding)
    return binding.language_php()


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


class _Return(Exception):
    def __init__(self, value: Value) -> None:
        self.value = value


class _Evaluator(Calls):
    """The statements of a file."""

    leaves: ClassVar[Mapping[str, Callable[[Any, Node], Value]]] = {
        "string": Calls.single_quoted,
        "integer": Calls.integer,
        "float": Calls.floating,
        "boolean": Calls.boolean,
        "null": Calls.null,
    }
    handlers: ClassVar[Mapping[str, Callable[[Any, Node], Any]]] = {
        "array_creation_expression": Calls.array,
        "encapsed_string": Calls.double_quoted,
        "heredoc": Calls.heredoc,
        "nowdoc": Calls.heredoc,
        "by_ref": Calls.by_reference,
        "name": Calls.constant,
        "qualified_name": Calls.constant,
        "variable_name": Calls.variable,
        "class_constant_access_expression": Calls.class_constant,
        "parenthesized_expression": Calls.inner,
        "error_suppression_expression": Calls.inner,
        "cast_expression": Calls.cast,
        "unary_op_expression": Calls.unary,
        "conditional_expression": Calls.ternary,
        "binary_expression": Calls.binary,
        "subscript_expression": Calls.subscript,
        "assignment_expression": Calls.assign,
        "augmented_assignment_expression": Calls.augment,
        "reference_assignment_expression": Calls.reference,
        "include_expression": Calls.include,
        "include_once_expression": Calls.include,
        "require_expression": Calls.include,
        "require_once_expression": Calls.include,
        "anonymous_function": Calls.closure,
        "arrow_function": Calls.closure,
        "match_expression": Calls.match,
        "function_call_expression": Calls.call,
        "scoped_call_expression": Calls.static_call,
    }

    def file(self, root: Node) -> Value:
        try:
            for node in root.children:
                self.statement(node)
        except _Return as result:
            return result.value
        except GiveUp as why:
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
            raise GiveUp("the file does not simply run from top to bottom", line_of(node))
        elif kind not in ("php_tag", "comment", "text", "text_interpolation", "empty_statement", "declare_statement"):
            self.uncertain(node, "it is set where it is not known what runs")

    def block(self, node: Node) -> None:
        self.deeper(node)
        for child in node.named_children:
            self.statement(child)
        self.depth -= 1

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
        for clause in below(node):
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
                self.constants[short] = Unknown("it is another file's constant", line_of(node))
