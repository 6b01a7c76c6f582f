"""The types of the rules' language, read from the fact classes themselves: a fact, its unit, and whether it may be absent."""

from __future__ import annotations

import functools
import types
import typing
from typing import Any, NamedTuple

import msgspec

from auditor.facts.origin import Fact


class Type(NamedTuple):
    """What an expression yields."""

    kind: str
    """"bool", "number", "text", "version", "list", "none" or "record"."""
    unit: str = ""
    """For numbers: "s", "MiB", or "" for a plain count; a plain number goes with every unit."""
    optional: bool = False
    """Whether it may be None, so that it must be guarded by `is not None` before use."""
    element: str = ""
    """For lists: the kind of what is inside."""

    def present(self) -> Type:
        """The same, once it is known not to be None."""
        return self._replace(optional=False)

    def __str__(self) -> str:
        """As an error message names it."""
        name = {"number": f"a number of {self.unit}" if self.unit else "a number", "list": f"a list of {self.element}"}
        text = name.get(self.kind, f"a {self.kind}" if self.kind != "none" else "None")
        return f"{text} or None" if self.optional else text


BOOL = Type("bool")
NUMBER = Type("number")
TEXT = Type("text")
NONE = Type("none", optional=True)


@functools.cache
def members(cls: type[Fact]) -> dict[str, Type]:
    """Every fact that a rule may name on this class, with its type; joins and internals are left out."""
    hints = typing.get_type_hints(cls, include_extras=True)
    found: dict[str, Type] = {}
    for name in cls.__struct_fields__:
        if name != "marks" and (kind := type_of(hints[name])) is not None:
            found[name] = kind
    for base in reversed(cls.__mro__):
        for name, member in vars(base).items():
            if isinstance(member, property) and hasattr(member.fget, "__derived__"):
                kind = type_of(typing.get_type_hints(member.fget, include_extras=True)["return"])
                if kind is not None:
                    found[name] = kind
    return found


_UNITS = {"Seconds": "s", "Seconds | None": "s", "MiB": "MiB", "MiB | None": "MiB"}


@functools.cache
def unit_of(cls: type[Fact], field: str) -> str:
    """The unit of a fact, as `members` has it, from the annotation's own words: evaluating all of a class's takes long."""
    member = getattr(cls, field, None)
    if isinstance(member, property):
        return _UNITS.get(member.fget.__annotations__.get("return", ""), "")
    declared = (vars(base).get("__annotations__", {}) for base in cls.__mro__)
    return next((_UNITS.get(found[field], "") for found in declared if field in found), "")


def type_of(hint: Any) -> Type | None:
    """The language's type for a Python annotation, or None where the language has none."""
    if typing.get_origin(hint) is typing.Annotated:
        base, *metadata = typing.get_args(hint)
        kind = type_of(base)
        unit = next((m.extra["unit"] for m in metadata if isinstance(m, msgspec.Meta) and m.extra), "")
        if unit == "version":
            return Type("version")
        return kind._replace(unit=unit) if kind and kind.kind == "number" else kind
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        inner = [a for a in typing.get_args(hint) if a is not type(None)]
        kind = type_of(inner[0]) if len(inner) == 1 else None
        return kind._replace(optional=True) if kind else None
    if origin is tuple:
        arguments = typing.get_args(hint)
        element = type_of(arguments[0]) if len(arguments) == 2 and arguments[1] is ... else None
        return Type("list", element=element.kind) if element and element.kind in ("text", "number") else None
    if origin is typing.Literal:
        return TEXT
    if hint is bool:
        return BOOL
    if hint in (int, float):
        return NUMBER
    if isinstance(hint, type) and issubclass(hint, str):
        return TEXT
    return None
