"""One rule: a YAML file, checked when it is loaded. Its id is its path below the rules folder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from auditor.dialects import yaml_text
from auditor.errors import RuleRefused
from auditor.facts.origin import Fact
from auditor.facts.scopes import SCOPES
from auditor.findings import Severity
from auditor.judge.expression import Expression, Refused, nearest, parse
from auditor.judge.text import Text, parse_text
from auditor.judge.types import members
from auditor.patterns import late

OPERATORS = ("at_most", "at_least", "exactly")
"""What a fix may ask of a fact."""
ADDS = ("cron", "cron-line", "cron-table")
"""What a fix may add: a scheduler's file, its line made anew, its table's form put right."""
KEYS = (
    "title", "severity", "for", "when", "let", "that", "message", "fix", "unsafe", "advice", "rationale",
    "references", "proof", "examples", "live",
)  # fmt: skip
"""Every key of a rule's file, in the order in which they are written."""
_ID = late(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*/[a-z0-9]+(?:-[a-z0-9]+)*")


class Fix(NamedTuple):
    """A bound on one fact."""

    fact: str
    """Dotted: "worker.timeout"."""
    operator: str
    """One of OPERATORS."""
    value: Expression
    """What it is bounded by."""


class Example(NamedTuple):
    """One small world in which the rule holds, or does not."""

    facts: Mapping[str, Any]
    """Dotted fact to value; "unknown" makes it unknown."""
    leaves: Any
    """What a fix leaves: dotted fact to value, or "by hand"; None where it is not said."""
    says: str
    """A part of the message it must give, "" where it is not said."""
    skips: bool
    """Whether the rule must be skipped."""
    line: int
    """Where it stands in the rule's file."""


class Rule(NamedTuple):
    """A rule, checked."""

    id: str
    """Its path: "timeouts/timeout-below-retry-after"."""
    path: str
    """Its file, as an error message names it."""
    title: str
    """What holds where all is well: a sentence without a full stop."""
    severity: tuple[tuple[Severity, Expression | None], ...]
    """The first whose condition holds; the last has none."""
    scope: str
    """The kind of subject it is judged for."""
    let: Mapping[str, Any]
    """Its named numbers and texts, which a site's configuration may override."""
    when: Expression | None
    """Where it applies at all."""
    that: Expression
    """What must hold."""
    message: Text
    """What is told where it does not."""
    fixes: tuple[Fix, ...]
    """Bounds that would mend it."""
    adds: str
    """The template that would mend it, "" where none."""
    unsafe: Text | None
    """Why its fix may change what the configuration means."""
    advice: Text | None
    """What a person can do."""
    rationale: str
    """What happens, why it hurts, what is not seen from here."""
    references: tuple[str, ...]
    """Where it is documented."""
    proof: str
    """The test that makes the harm happen, or "none: <reason>"."""
    good: tuple[Example, ...]
    """Worlds in which it holds or does not apply."""
    bad: tuple[Example, ...]
    """Worlds in which it is found."""
    live: bool
    """Whether it needs a live look to be judged at all."""

    @property
    def group(self) -> str:
        """The folder it lies in."""
        return self.id.partition("/")[0]

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts it is judged by, in order of first mention: those of `that`, then those of `when`."""
        named = dict.fromkeys(self.that.facts)
        if self.when is not None:
            named.update(dict.fromkeys(self.when.facts))
        return tuple(named)

    @property
    def worst(self) -> Severity:
        """The gravest severity it can have."""
        return max((s for s, _ in self.severity), key=lambda s: s.rank)


def read_rule(id_: str, text: str, path: str, overrides: Mapping[str, Any] | None = None) -> Rule:
    """Check one rule's file; raises RuleRefused with file and line. `overrides` replaces values of its `let`."""
    data, lines = yaml_text.load(text, path, RuleRefused)
    return _Reader(id_, path, data, lines).rule(overrides or {})


class _Reader:
    def __init__(self, id_: str, path: str, data: Any, lines: yaml_text.Lines) -> None:
        self.id = id_
        self.path = path
        self.data = data
        self.lines = lines
        self.roots: Mapping[str, type[Fact]] = {}
        self.let: dict[str, Any] = {}

    def refuse(self, reason: str, *at: str | int) -> RuleRefused:
        key: tuple[str | int, ...] = at
        while key and key not in self.lines:
            key = key[:-1]
        return RuleRefused(self.path, reason, self.lines.get(key))

    def rule(self, overrides: Mapping[str, Any]) -> Rule:
        if not _ID.fullmatch(self.id):
            raise self.refuse(f"a rule's path is group/words-with-dashes.yaml, not “{self.id}”")
        if not isinstance(self.data, dict):
            raise self.refuse("a rule is a mapping of keys")
        for key in self.data:
            if key not in KEYS:
                raise self.refuse(f"a rule has no key “{key}”; {nearest(key, list(KEYS))}", key)
        for key in ("title", "severity", "for", "that", "message", "rationale", "examples"):
            if key not in self.data:
                raise self.refuse(f"a rule has a “{key}”")
        scope = self.text("for")
        if scope not in SCOPES:
            raise self.refuse(f"there is no “{scope}” to judge; {nearest(scope, list(SCOPES))}", "for")
        self.roots = SCOPES[scope]
        self.let = self.letting(overrides)
        when = self.expression("when", "bool") if "when" in self.data else None
        that = self.expression("that", "bool", guard=when)
        fixes, adds = self.fixes(when)
        good, bad = self.examples()
        return Rule(
            id=self.id,
            path=self.path,
            title=self.text("title"),
            severity=self.severity(when),
            scope=scope,
            let=self.let,
            when=when,
            that=that,
            message=self.filled("message", when),  # type: ignore[arg-type]
            fixes=fixes,
            adds=adds,
            unsafe=self.filled("unsafe", when),
            advice=self.filled("advice", when),
            rationale=self.text("rationale"),
            references=self.references(),
            proof=self.text("proof", optional=True),
            good=good,
            bad=bad,
            live=self.flag("live"),
        )

    def text(self, key: str, *, optional: bool = False) -> str:
        if optional and key not in self.data:
            return ""
        found = self.data[key]
        if not isinstance(found, str) or not found.strip():
            raise self.refuse(f"“{key}” is a text", key)
        return " ".join(found.split()) if key in ("title", "for", "proof") else found.strip()

    def flag(self, key: str) -> bool:
        found = self.data.get(key, False)
        if not isinstance(found, bool):
            raise self.refuse(f"“{key}” is true or false", key)
        return found

    def letting(self, overrides: Mapping[str, Any]) -> dict[str, Any]:
        found = self.data.get("let", {})
        if not isinstance(found, dict):
            raise self.refuse("“let” names numbers and texts", "let")
        for name, value in found.items():
            if not re.fullmatch(r"[a-z][a-z_]*", name) or name in self.roots or name == "never":
                raise self.refuse(f"“{name}” cannot be a name here", "let", name)
            if not isinstance(value, int | float | str):
                raise self.refuse(f"“{name}” is a number or a text", "let", name)
        for name, value in overrides.items():
            if name not in found:
                raise self.refuse(
                    f"it lets no “{name}” be set; {nearest(name, list(found)) if found else 'it has no let'}"
                )
            if isinstance(value, str) is not isinstance(found[name], str):
                raise self.refuse(f"“{name}” is set to a {type(value).__name__}, its own is {found[name]!r}")
        return {**found, **overrides}

    def expression(self, key: str, want: str | None, *, guard: Expression | None = None) -> Expression:
        return self.parse(self.data[key], want, guard, key)

    def parse(self, source: Any, want: str | None, guard: Expression | None, *at: str | int) -> Expression:
        """One expression; `guard` is a condition under which alone it is evaluated, so its `is not None` counts."""
        if isinstance(source, bool | int | float):
            source = repr(source)
        if not isinstance(source, str):
            raise self.refuse("an expression is one line of text", *at)
        try:
            return parse(source, self.roots, self.let, want, guard)
        except Refused as problem:
            raise self.refuse(str(problem), *at) from None

    def filled(self, key: str, when: Expression | None) -> Text | None:
        if key not in self.data:
            return None
        try:
            return parse_text(" ".join(self.text(key).split()), self.roots, self.let, when)
        except Refused as problem:
            raise self.refuse(str(problem), key) from None

    def severity(self, when: Expression | None) -> tuple[tuple[Severity, Expression | None], ...]:
        found = self.data["severity"]
        cases = found if isinstance(found, dict) else {str(found): True}
        read: list[tuple[Severity, Expression | None]] = []
        for name, condition in cases.items():
            if name not in list(Severity):
                raise self.refuse(f"“{name}” is no severity; there are error, warning and note", "severity")
            always = condition is True or condition == "otherwise"
            read.append((Severity(name), None if always else self.parse(condition, "bool", when, "severity", name)))
        if not read or read[-1][1] is not None or any(c is None for _, c in read[:-1]):
            raise self.refuse("the last severity, and only that, is “otherwise”", "severity")
        return tuple(read)

    def fixes(self, when: Expression | None) -> tuple[tuple[Fix, ...], str]:
        found = self.data.get("fix", {})
        if not isinstance(found, dict):
            raise self.refuse("“fix” maps a fact to its bound, or is `add: <template>`", "fix")
        if set(found) == {"add"}:
            if found["add"] not in ADDS:
                raise self.refuse(
                    f"there is no “{found['add']}” to add; {nearest(str(found['add']), list(ADDS))}", "fix", "add"
                )
            return (), found["add"]
        read = []
        for fact, bound in found.items():
            root, _, field = fact.partition(".")
            if root not in self.roots or field not in members(self.roots[root]):
                raise self.refuse(f"there is no fact “{fact}” to fix here", "fix", fact)
            if not isinstance(bound, dict) or len(bound) != 1 or next(iter(bound)) not in OPERATORS:
                raise self.refuse("a fix is one of at_most, at_least, exactly", "fix", fact)
            ((operator, source),) = bound.items()
            kind = members(self.roots[root])[field].kind
            value = self.text_constant(source) if kind == "text" and isinstance(source, str) else source
            read.append(Fix(fact, operator, self.parse(value, None, when, "fix", fact, operator)))
        return tuple(read), ""

    def text_constant(self, source: str) -> str:
        """A fix to a text is that text itself, unless it is an expression in quotes or names a fact."""
        return source if source[:1] in "'\"" or re.fullmatch(r"[a-z_]+\.[a-z_]+", source) else repr(source)

    def references(self) -> tuple[str, ...]:
        found = self.data.get("references", [])
        if not isinstance(found, list) or not all(isinstance(r, str) and r.startswith("https://") for r in found):
            raise self.refuse("“references” is a list of https addresses", "references")
        return tuple(found)

    def examples(self) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
        found = self.data["examples"]
        if not isinstance(found, dict) or not found or not set(found) <= {"good", "bad"}:
            raise self.refuse("“examples” has `good` and `bad`", "examples")
        return self.worlds(found, "good"), self.worlds(found, "bad")

    def worlds(self, found: Mapping[str, Any], kind: str) -> tuple[Example, ...]:
        listed = found.get(kind)
        if not isinstance(listed, list) or not listed:
            raise self.refuse(f"a rule has at least one {kind} example", "examples", kind)
        return tuple(self.world(item, kind, index) for index, item in enumerate(listed))

    def world(self, item: Any, kind: str, index: int) -> Example:
        if not isinstance(item, dict):
            raise self.refuse("an example maps facts to values", "examples", kind, index)
        facts = {k: v for k, v in item.items() if k not in ("leaves", "says", "skips")}
        for fact in facts:
            root, _, field = fact.partition(".")
            known = self.roots.get(root)
            if known is None or (field and field not in known.__struct_fields__ and field not in members(known)):
                raise self.refuse(f"there is no fact “{fact}” here", "examples", kind, index, fact)
        return Example(
            facts,
            item.get("leaves"),
            str(item.get("says", "")),
            item.get("skips") is True,
            self.lines.get(("examples", kind, index), 0),
        )


def refused_together(problems: Sequence[RuleRefused]) -> RuleRefused:
    """The first of several refusals, which says how many others there are."""
    first = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return RuleRefused(first.path, f"{first.reason}{more}", first.line)
