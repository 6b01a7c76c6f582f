"""The shipped rules, checked and compiled once: a generated Python module that loads in a millisecond.

Reading a hundred YAML files and checking their expressions takes a third of a second; importing a module with the same
rules as lambdas takes what its bytecode takes. The module is part of a wheel, and in a checkout it is written whenever
a rule's file or the judge's code was changed. It holds nothing that is not in rules/, and where it was not made from the
files that lie there, the files count.
"""

from __future__ import annotations

import importlib
import math
import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from auditor import __version__
from auditor.findings import Severity
from auditor.judge.expression import Expression
from auditor.judge.rule import Fix, Rule
from auditor.judge.text import Text
from auditor.places import PACKAGE, data_dir, data_path

if TYPE_CHECKING:
    from auditor.judge.rulebook import Rulebook

_MODULE = "auditor._shelf"
_FILE = f"{PACKAGE}/_shelf.py"


def shipped() -> Rulebook:
    """Every rule that comes with the auditor."""
    from auditor.judge.rulebook import Rulebook

    found = _compiled()
    if found is not None:
        return Rulebook(_Reader(entry).rule() for entry in found.RULES)
    made_from = _sources()
    rules = _checked()
    if not _installed():
        try:
            _put(_written(rules, made_from))
        except OSError:
            pass  # a checkout that cannot be written to is slower, and no less right
    return rules


def module() -> str:
    """The text of the generated module, for a wheel; raises RuleRefused."""
    return _written(_checked(), (_sources()[0], ""))


def _checked() -> Rulebook:
    from auditor.judge.rulebook import load_folder

    rules = load_folder(data_dir("rules"))
    rules.order()
    return rules


def _installed() -> bool:
    """Whether the package was installed from a wheel, which came with its module; a checkout makes its own."""
    return data_path("rules").startswith(f"{PACKAGE}/")


def _compiled() -> ModuleType | None:
    """The generated module, where it is there and was made from the files that lie here."""
    if not os.path.exists(_FILE):
        return None
    names, changed = _sources()
    try:
        found = importlib.import_module(_MODULE)
        made_from = found.SOURCES, found.VERSION, found.CHANGED
    except Exception:  # noqa: BLE001 - a half-written module is made anew, whatever is wrong with it
        return None
    # An installer gives its files whatever times it likes.
    return found if made_from == (names, __version__, made_from[2] if _installed() else changed) else None


def _sources() -> tuple[str, str]:
    """Everything that the module is made from, as names and sizes, and when each was changed."""
    rules = data_path("rules")
    groups = sorted(entry.name for entry in os.scandir(rules) if entry.is_dir())
    names, changed = [], []
    for folder in (*(f"{rules}/{group}" for group in groups), f"{PACKAGE}/judge", f"{PACKAGE}/facts"):
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.name.endswith((".yaml", ".py")):
                    found = entry.stat()
                    names.append(f"{entry.name} {found.st_size}")
                    changed.append(str(found.st_mtime_ns))
    return "\n".join(names), "\n".join(changed)


def _put(text: str) -> None:
    """Write the generated module, whole or not at all."""
    from contextlib import suppress
    from importlib.util import cache_from_source

    from auditor.writing import replace

    replace(_FILE, text.encode())
    # Python takes bytecode for that of any source of the same second and size.
    with suppress(OSError):
        os.unlink(cache_from_source(_FILE))
    sys.modules.pop(_MODULE, None)
    importlib.invalidate_caches()


def _written(rules: Rulebook, made_from: tuple[str, str]) -> str:
    from auditor.facts.scopes import SCOPES

    names, changed = made_from
    lines = [
        '"""Generated from rules/; do not edit."""',
        "from math import inf as never",
        f"SOURCES = {names!r}",
        f"CHANGED = {changed!r}",
        f"VERSION = {__version__!r}",
        "RULES = [",
    ]
    for rule in rules:
        arguments = ", ".join([*SCOPES[rule.scope], *rule.let])
        lines.append(f"  {_entry(rule, arguments)},")
    lines.append("]")
    whole = "\n".join(lines) + "\n"
    compile(whole, _FILE, "exec")
    return whole


def _entry(rule: Rule, arguments: str) -> str:
    import ast

    def expression(found: Expression | None) -> str:
        if found is None:
            return "None"
        return f"({found.text!r}, {found.kind!r}, {found.facts!r}, lambda {arguments}: {ast.unparse(found.node)})"

    def text(found: Text | None) -> str:
        if found is None:
            return "None"
        parts = [repr(p) if isinstance(p, str) else f"({expression(p[0])}, {p[1]!r})" for p in found.parts]
        return f"({found.source!r}, [{', '.join(parts)}])"

    severities = ", ".join(f"({severity.value!r}, {expression(condition)})" for severity, condition in rule.severity)
    fixes = ", ".join(f"({fix.fact!r}, {fix.operator!r}, {expression(fix.value)})" for fix in rule.fixes)
    let = (
        "{"
        + ", ".join(f"{name!r}: {'never' if value == math.inf else repr(value)}" for name, value in rule.let.items())
        + "}"
    )
    return (
        f"({rule.id!r}, {rule.path!r}, {rule.title!r}, [{severities}], {rule.scope!r}, {let}, {expression(rule.when)}, "
        f"{expression(rule.that)}, {text(rule.message)}, [{fixes}], {rule.adds!r}, {text(rule.unsafe)}, "
        f"{text(rule.advice)}, {rule.references!r}, {rule.proof!r}, {rule.live!r})"
    )


class _Reader:
    """One entry of the generated module as a Rule; its prose and examples stay in its YAML file."""

    def __init__(self, entry: Any) -> None:
        self.entry = entry

    def rule(self) -> Rule:
        (id_, path, title, severity, scope, let, when, that, message, fixes, adds, unsafe, advice, references, proof,
         live) = self.entry  # fmt: skip
        return Rule(
            id_, path, title, tuple((Severity(name), _expression(condition)) for name, condition in severity), scope,
            let, _expression(when), Expression(*that), _text(message),  # type: ignore[arg-type]
            tuple(Fix(fact, operator, Expression(*value)) for fact, operator, value in fixes), adds, _text(unsafe),
            _text(advice), "", references, proof, (), (), live,
        )  # fmt: skip


def _expression(found: Any) -> Expression | None:
    return None if found is None else Expression(*found)


def _text(found: Any) -> Text | None:
    if found is None:
        return None
    source, parts = found
    return Text(source, tuple(p if isinstance(p, str) else (Expression(*p[0]), p[1]) for p in parts))
