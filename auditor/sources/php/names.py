"""Variables, constants and classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.sources.php.constants import CLASS_CONSTANTS, CONSTANTS
from auditor.sources.php.operators import SUPERGLOBALS, Operators
from auditor.sources.php.scope import Known, line_of
from auditor.sources.php.values import MISSING, Cannot, Entry, Missing, PhpArray, Unknown, Value, key_of

if TYPE_CHECKING:
    from tree_sitter import Node


class Names(Operators):
    """Variables, constants and classes."""

    def variable(self, node: Node) -> Any:
        """`$x`."""
        name = self.text(node)[1:]
        if name in SUPERGLOBALS:
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
        """A constant by its name."""
        name = self.text(node).lstrip("\\")
        plain = name.rpartition("\\")[2]
        if name in self.constants:
            return self.constants[name]
        if plain in ("__DIR__", "__FILE__"):
            file = self.context.file
            if file is None:
                raise Cannot(f"{plain} is not known here")
            return file if plain == "__FILE__" else file.rpartition("/")[0] or "/"
        if plain == "__LINE__":
            return line_of(node)
        if plain.lower() in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[plain.lower()]
        if name == plain and plain in CONSTANTS:
            return CONSTANTS[plain]
        raise Cannot(f"the constant {plain} is not known here")

    def class_constant(self, node: Node) -> Value:
        """`X::Y` and `X::class`."""
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

    def assign(self, node: Node) -> Any:
        """`$x = …`."""
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
        line = line_of(node)
        if old is MISSING and self.forgotten is None:
            old = PhpArray()
        if not isinstance(old, PhpArray) or name in SUPERGLOBALS:
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
        """`$x .= …` and its kin."""
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
            except Known as why:
                value = why.unknown
            except Cannot as why:
                value = Unknown(str(why), line_of(node))
        self.variables[name] = value
        return value

    def reference(self, node: Node) -> Any:
        """`$x = &$y`."""
        self.ban(node)
        raise Cannot("a reference is made")

    def include(self, node: Node) -> Any:
        """include and require: nothing is known of what the other file sets."""
        self.forget(node)
        raise Cannot("another file is included")
