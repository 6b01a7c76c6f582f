"""The rulebook: every rule below a folder, loaded, refused or ordered."""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from auditor.dialects import yaml_text
from auditor.errors import RuleRefused, UsageError
from auditor.facts.scopes import SCOPES
from auditor.judge.expression import nearest
from auditor.judge.known import rests_on
from auditor.judge.rule import Rule, read_rule, refused_together
from auditor.places import data_dir

if TYPE_CHECKING:
    from pathlib import Path

Overrides = Mapping[str, Mapping[str, Any]]
"""Rule id to values of its `let`."""


class Rulebook:
    """Rules by id, and the order in which their fixes build on one another."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Take checked rules."""
        self.rules: dict[str, Rule] = {rule.id: rule for rule in sorted(rules, key=lambda rule: rule.id)}
        self.known = frozenset(self.rules)
        """The ids of all rules that these were selected from."""

    def __iter__(self) -> Iterator[Rule]:
        """Every rule, by id."""
        return iter(self.rules.values())

    def __len__(self) -> int:
        """How many there are."""
        return len(self.rules)

    def order(self) -> tuple[str, ...]:
        """Every fact that a fix binds, each after those its bounds are computed from.

        Raises RuleRefused where they go round in a circle: no single pass could settle them.
        """
        bound = {fix.fact for rule in self for fix in rule.fixes}
        graph: dict[str, set[str]] = {fact: set() for fact in sorted(bound)}
        for rule in self:
            for fix in rule.fixes:
                graph[fix.fact] |= {fact for fact in _plain(rule.scope, fix.value.facts) if fact in bound} - {fix.fact}
        try:
            return tuple(graphlib.TopologicalSorter(graph).static_order())
        except graphlib.CycleError as error:
            circle = " → ".join(reversed(error.args[1]))
            guilty = next(rule for rule in self for fix in rule.fixes if fix.fact == error.args[1][0])
            raise RuleRefused(guilty.path, f"its fix closes a circle: {circle}") from None

    def select(self, chosen: Iterable[str] = (), ignored: Iterable[str] = ()) -> Rulebook:
        """The rules of these ids or groups (all, where none is named), less those ignored; raises UsageError."""
        names = set(self.rules) | {rule.group for rule in self}
        for name in (*chosen, *ignored):
            if name.rstrip("/") not in names:
                near = nearest(name, sorted(names), otherwise="`queue-auditor rules` lists them")
                raise UsageError(f"there is no rule or group “{name}”; {near}")
        wanted = {name.rstrip("/") for name in chosen}
        unwanted = {name.rstrip("/") for name in ignored}
        selected = Rulebook(
            rule
            for rule in self
            if (not wanted or {rule.id, rule.group} & wanted) and not {rule.id, rule.group} & unwanted
        )
        selected.known = self.known
        return selected


def _plain(scope: str, facts: Iterable[str]) -> Iterator[str]:
    """These facts, each derived one as those it is computed from."""
    for fact in facts:
        root, _, field = fact.partition(".")
        yield from (f"{root}.{one}" for one in rests_on(SCOPES[scope][root], field))


def load_folder(folder: Path, overrides: Overrides | None = None) -> Rulebook:
    """Every <group>/<id>.yaml below a folder; raises RuleRefused, naming the first fault and how many others there are."""
    rules, problems = [], []
    for path in sorted(folder.glob("*/*.yaml")):
        id_ = f"{path.parent.name}/{path.stem}"
        shown = f"{folder.name}/{id_}.yaml"
        try:
            text = yaml_text.read(path, shown, RuleRefused)
            rules.append(read_rule(id_, text, shown, (overrides or {}).get(id_)))
        except RuleRefused as problem:
            problems.append(problem)
    if problems:
        raise refused_together(problems)
    if not rules:
        raise RuleRefused(str(folder), "there is no <group>/<id>.yaml in it")
    return Rulebook(rules)


def rules_folder() -> Path:
    """Where the shipped rules lie."""
    return data_dir("rules")
