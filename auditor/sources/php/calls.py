"""Calls of functions and static methods, and the closures that some of them are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from auditor.sources.php.functions import FUNCTIONS, MAPPABLE, STR, TAKES_UNKNOWN, array_of
from auditor.sources.php.names import Names
from auditor.sources.php.scope import Closure, GiveUp, Known, below, line_of
from auditor.sources.php.values import Cannot, Entry, Missing, PhpArray, Unknown, Value, bool_of

if TYPE_CHECKING:
    from tree_sitter import Node

_PATHS = {
    "base_path": "",
    "app_path": "/app",
    "config_path": "/config",
    "database_path": "/database",
    "public_path": "/public",
    "resource_path": "/resources",
    "storage_path": "/storage",
}


class Calls(Names):
    """Calls and closures."""

    def closure(self, node: Node) -> Any:
        """A closure, with the variables it takes along."""
        for here in below(node):
            if here.type == "by_ref":
                self.ban(here)
        if node.type != "arrow_function":
            return Closure(node, self.captured(node))
        self.spend(len(self.variables), node)
        return Closure(node, dict(self.variables))

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
        """A function that is called by its name."""
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
            raise GiveUp("the file ends PHP", line_of(node))
        raise Cannot(f"{name}() is only known at run time")

    def table_call(self, name: str, function: Callable[..., Value] | None, node: Node) -> Value:
        """A call of a function in the tables."""
        placed, named = self.arguments(node)
        values = [self.value(argument) for argument in placed]
        if named:
            for argument in named.values():
                self.side_effects(argument)
            raise Cannot(f"{name}() is called with named arguments")
        line = line_of(node)
        if name == "array_filter" and len(values) == 2 and isinstance(values[1], Closure):
            return self.filtered(values[0], values[1], node)
        plain = [self.plain(value, node) for value in values]
        for value in plain:
            if isinstance(value, PhpArray):
                self.spend(len(value), node)
            elif isinstance(value, Unknown) and function is not None:
                raise Known(value)
            elif isinstance(value, str):
                self.spend(len(value), node)
        try:
            return (function or TAKES_UNKNOWN[name])(line, *plain)
        except TypeError:
            raise Cannot(f"{name}() is called with other arguments than it takes") from None

    def static_call(self, node: Node) -> Any:
        """`Env::get()`, and the methods of Str in the table."""
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
        """`env()` and `Env::get()`; which name was asked for is remembered."""
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
            return self.called(default, []) if isinstance(default, Closure) else default
        if isinstance(found, Unknown):
            return Unknown(found.reason, line_of(node))
        return found

    def path(self, name: str, node: Node) -> Value:
        """`base_path()` and its kin."""
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
        """isset()."""
        placed, _ = self.arguments(node)
        result = True
        for argument in placed:
            value = self.plain(self.value_or_null(argument), argument)
            if isinstance(value, Unknown):
                return value
            result = result and value is not None
        return result

    def empty(self, node: Node) -> Value:
        """empty()."""
        placed, _ = self.arguments(node)
        value = self.plain(self.value_or_null(placed[0]), placed[0])
        return value if isinstance(value, Unknown) else not bool_of(value)

    def define(self, node: Node) -> Value:
        """define()."""
        placed, _ = self.arguments(node)
        if len(placed) == 2:
            name = self.plain(self.value(placed[0]), placed[0])
            if isinstance(name, str):
                self.constants[name] = self.plain(self.value(placed[1]), placed[1])
        return True

    def array_map(self, node: Node) -> Value:
        """array_map() over one array."""
        placed, named = self.arguments(node)
        if named or len(placed) != 2:
            for argument in placed:
                self.value(argument)
            raise Cannot("array_map() is called in an unusual way")
        function = self.value(placed[0])
        array = array_of(self.scalar(placed[1]))
        mapped = PhpArray()
        line = line_of(node)
        if not isinstance(function, Closure) and function not in MAPPABLE:
            raise Cannot("array_map() is given a function that is not evaluated")
        for entry in array:
            self.spend(10, node)
            value: Value
            if isinstance(function, Closure):
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

    def filtered(self, array: Any, closure: Closure, node: Node) -> Value:
        """array_filter() with a closure."""
        if isinstance(array, Unknown):
            return array
        kept = PhpArray()
        for entry in array_of(array):
            self.spend(10, node)
            try:
                keep = isinstance(entry.key, Unknown) or bool_of(self.plain(self.called(closure, [entry.value]), node))
            except Cannot as why:
                unknown = Unknown(str(why), line_of(node))
                kept.add(Entry(unknown, unknown, entry.line))
                continue
            if keep:
                kept.add(entry)
        return kept

    def called(self, closure: Closure, values: list[Value]) -> Any:
        """The result of a closure that is one expression, or one return."""
        node = closure.node
        line = line_of(node)
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
                for here in below(child):
                    if here.type == "variable_name":
                        name = self.text(here)[1:]
                        taken[name] = self.variables.get(name, Unknown(f"${name} is not set", line_of(here)))
        return taken


_SPECIAL: dict[str, Callable[[Calls, Node], Any]] = {
    "env": Calls.env,
    "isset": Calls.isset,
    "empty": Calls.empty,
    "define": Calls.define,
    "array_map": Calls.array_map,
}
"""Functions that are given their arguments unevaluated, or need more than them."""
