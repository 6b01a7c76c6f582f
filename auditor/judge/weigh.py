"""Each rule against each subject it is for: a finding, a skipped judgement with its reason, or silence."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from auditor.bounds import whole
from auditor.facts.origin import Fact, Grade, Mark, Origin
from auditor.facts.scopes import SCOPES
from auditor.facts.subjects import Absent, Census, Joined, Subject
from auditor.findings import Bound, Finding, Held, Location, Severity, Skipped, Verdict, content_key
from auditor.judge.arithmetic import arithmetic
from auditor.judge.expression import UNKNOWN, Expression
from auditor.judge.known import States, hidden_by, rests_on
from auditor.judge.rule import Rule
from auditor.judge.settle import Open, evaluate
from auditor.judge.text import listed, mib, number, seconds
from auditor.judge.types import unit_of

_UNITS: Mapping[str, Callable[[float], str]] = {"s": seconds, "MiB": mib, "": number}


def weigh(rules: Iterable[Rule], census: Census) -> Verdict:
    """Judge a whole census; findings come ordered by severity, then place."""
    everything = list(rules)
    asked = [rule for rule in everything if census.live or not rule.live]
    results = [result for _, _, result in _results(asked, census)]
    findings = [result for result in results if isinstance(result, Finding)]
    findings.sort(key=lambda finding: finding.order)
    return Verdict(
        findings=tuple(findings),
        skipped=tuple(result for result in results if isinstance(result, Skipped)),
        judged=sum(len(census.of(rule.scope)) for rule in asked),
        rules=len(asked),
        needs_live=tuple(rule.id for rule in everything if rule.live and not census.live),
        subjects={scope: len(subjects) for scope, subjects in census.subjects.items()},
    )


def judged(rules: Iterable[Rule], census: Census) -> Iterable[tuple[Rule, Subject, Finding]]:
    """Every finding beside the rule and the subject it comes from: what mending works with."""
    return ((rule, subject, told) for rule, subject, told in _results(rules, census) if isinstance(told, Finding))


def standing(rules: Iterable[Rule], census: Census) -> Iterator[Held]:
    """Every judgement that was made and found nothing; a rule that does not apply to a subject says nothing of it."""
    for look, subject, state in _looks(rules, census):
        if look.judge(subject, state) is None and look.applies(subject, state):
            yield Held(look.rule.id, subject.name, look.rule.title)


def _results(rules: Iterable[Rule], census: Census) -> Iterator[tuple[Rule, Subject, Finding | Skipped]]:
    """What each rule has to tell of each subject it is for, beside both; silence is left out."""
    for look, subject, state in _looks(rules, census):
        result = look.judge(subject, state)
        if result is not None:
            yield look.rule, subject, result


def _looks(rules: Iterable[Rule], census: Census) -> Iterator[tuple[_Look, Subject, int]]:
    """Each rule beside each subject it is for, and how far that is known."""
    states = States()
    known: dict[str, list[int]] = {}
    for rule in rules:
        subjects = census.of(rule.scope)
        if not subjects:
            continue
        if rule.scope not in known:
            known[rule.scope] = [states.of(subject) for subject in subjects]
        look = _Look(rule, states)
        for subject, state in zip(subjects, known[rule.scope], strict=True):
            yield look, subject, state


def judge_one(rule: Rule, subject: Subject) -> Finding | Skipped | None:
    """One rule for one subject."""
    states = States()
    return _Look(rule, states).judge(subject, states.of(subject))


class _Case(NamedTuple):
    """What a rule may take for certain of all subjects in one state."""

    when: bool
    """Whether every fact that says where it applies is known."""
    that: bool
    """Whether every fact that it is about is."""


@functools.cache
def _roots(scope: str) -> tuple[tuple[type[Fact], ...], Mapping[str, int]]:
    """The classes of a scope's roots, and the position of each by its name."""
    return tuple(SCOPES[scope].values()), {root: position for position, root in enumerate(SCOPES[scope])}


class _Look:
    """One rule, made ready to be asked of many subjects."""

    def __init__(self, rule: Rule, states: States) -> None:
        self.rule = rule
        self.states = states.states
        self.classes, self.index = _roots(rule.scope)
        self.let = tuple(rule.let.values())
        self.cases: dict[int, _Case | None] = {}
        self.certain: dict[tuple[Expression, int], bool] = {}
        self.settled: dict[tuple[Expression, int], Any] = {}

    def resolve(self, fact: str) -> tuple[int, str]:
        """Position of the root, and the field."""
        root, _, field = fact.partition(".")
        return self.index[root], field

    def case(self, state: int) -> _Case | None:
        """What is certain of a state; None where the rule is not about its subjects, for something is not there."""
        if state in self.cases:
            return self.cases[state]
        roots, when = self.states[state], self.rule.when
        there = all(roots[self.resolve(fact)[0]] is not None for fact in self.rule.facts)
        found = _Case(when is None or self.is_known(when, state), self.is_known(self.rule.that, state))
        self.cases[state] = found if there else None
        return self.cases[state]

    def is_known(self, expression: Expression, state: int) -> bool:
        """Whether all facts of an expression are known of a state."""
        found = self.certain.get((expression, state))
        if found is None:
            roots = self.states[state]
            found = True
            for fact in expression.facts:
                position, field = self.resolve(fact)
                hidden = roots[position]
                found = found and hidden is not None and hidden.isdisjoint(hidden_by(self.classes[position], field))
            self.certain[expression, state] = found
        return found

    def judge(self, subject: Subject, state: int) -> Finding | Skipped | None:
        case = self.cases[state] if state in self.cases else self.case(state)
        if case is None:
            return None
        rule, roots = self.rule, subject.roots
        applies: Any = True
        if rule.when is not None:
            applies = rule.when.call(*roots, *self.let) if case.when else self.walk(rule.when, roots, state)
            if not applies:
                return None
        holds = rule.that.call(*roots, *self.let) if case.that else self.walk(rule.that, roots, state)
        if holds is not UNKNOWN and holds:
            return None
        if applies is UNKNOWN or holds is UNKNOWN:
            return self.skip(subject, of_when=applies is UNKNOWN)
        return self.finding(subject, state)

    def applies(self, subject: Subject, state: int) -> bool:
        """Whether the rule is certain to be about this subject."""
        if self.case(state) is None:
            return False
        return self.rule.when is None or self.value(self.rule.when, subject.roots, state) is True

    def value(self, expression: Expression, roots: tuple[Joined, ...], state: int) -> Any:
        """What an expression is for one subject; UNKNOWN where that cannot be known."""
        if self.is_known(expression, state):
            return expression.call(*roots, *self.let)
        return self.walk(expression, roots, state)

    def walk(self, expression: Expression, roots: tuple[Joined, ...], state: int) -> Any:
        """The same, where some of its facts are unknown."""
        key = expression, state
        if key not in self.settled:
            self.settled[key] = evaluate(expression.node, self.looker(state), self.rule.let)
        found = self.settled[key]
        return found.of(roots) if isinstance(found, Open) else found

    def looker(self, state: int, roots: tuple[Joined, ...] | None = None) -> Callable[[str, str], Any]:
        """What tells a fact of a subject in that state; without its roots, of any."""
        known, index, classes = self.states[state], self.index, self.classes

        def look(root: str, field: str) -> Any:
            position = index[root]
            hidden = known[position]
            if hidden is None or (hidden and not hidden.isdisjoint(hidden_by(classes[position], field))):
                return UNKNOWN
            if roots is None:
                return Open(lambda of: getattr(of[position], field))
            return getattr(roots[position], field)

        return look

    def skip(self, subject: Subject, *, of_when: bool) -> Skipped:
        rule = self.rule
        for fact, position, depends in self.of_when if of_when else self.of_that:
            root = subject.roots[position]
            if isinstance(root, Absent):
                if root.reason:
                    return Skipped(rule.id, subject.name, root.reason, fact)
                continue
            for field in depends:
                mark = root.mark(field)
                if mark.grade is Grade.UNKNOWN:
                    return Skipped(rule.id, subject.name, mark.reason or "it cannot be known", fact)
        return Skipped(rule.id, subject.name, "what it rests on cannot be known")

    def finding(self, subject: Subject, state: int) -> Finding:
        rule, roots = self.rule, subject.roots

        def value(expression: Expression) -> Any:
            return self.value(expression, roots, state)

        locations = self.locations(subject)
        message = rule.message.fill(value)
        first = locations[0].file if locations else ""
        evidence = "" if rule.live else message  # what was seen at one moment is told in other numbers at the next
        return Finding(
            rule=rule.id,
            severity=self.severity(value),
            subject=subject.name,
            message=message,
            arithmetic=arithmetic(rule.that.node, self.looker(state, roots), rule.let, self.unit),
            locations=locations,
            bounds=self.bounds(value, state),
            adds=rule.adds,
            advice=rule.advice.fill(value) if rule.advice is not None else "",
            key=content_key(rule.id, subject.name, first, evidence),
        )

    def severity(self, value: Callable[[Expression], Any]) -> Severity:
        for severity, condition in self.rule.severity:
            if condition is None or value(condition) is True:
                return severity
        raise AssertionError("the last severity has no condition")

    def bounds(self, value: Callable[[Expression], Any], state: int) -> tuple[Bound, ...]:
        rule = self.rule
        unsafe = rule.unsafe.fill(value) if rule.unsafe is not None else ""
        found = []
        for fix in rule.fixes:
            bound = value(fix.value)
            position, field = self.resolve(fix.fact)
            hidden = self.states[state][position]
            here = hidden is not None and hidden.isdisjoint(hidden_by(self.classes[position], field))
            if bound is UNKNOWN or bound is None or not here:
                return ()  # a bound on, or by, what is not known is a guess
            found.append(Bound(fix.fact, fix.operator, whole(fix.operator, bound), unsafe))
        return tuple(found)

    def unit(self, root: str, field: str) -> str:
        return unit_of(SCOPES[self.rule.scope][root], field)

    @functools.cached_property
    def of_that(self) -> tuple[tuple[str, int, tuple[str, ...]], ...]:
        """The facts of `that`, then those of `when`: each with its root, and the fields it rests on."""
        return self.rested_on(self.rule.that)

    @functools.cached_property
    def of_when(self) -> tuple[tuple[str, int, tuple[str, ...]], ...]:
        """The same, those of `when` first."""
        return self.rested_on(self.rule.when or self.rule.that)

    def rested_on(self, first: Expression) -> tuple[tuple[str, int, tuple[str, ...]], ...]:
        resolved = ((fact, *self.resolve(fact)) for fact in dict.fromkeys((*first.facts, *self.rule.facts)))
        return tuple((fact, position, rests_on(self.classes[position], name)) for fact, position, name in resolved)

    @functools.cached_property
    def sides(self) -> tuple[tuple[int, str, bool], ...]:
        """The facts it rests on, each told whether it decides: those that `that` names, then those of `when`."""
        decisive = dict.fromkeys(self.rule.that.facts, True)
        return tuple((*self.resolve(fact), fact in decisive) for fact in {**decisive, **dict.fromkeys(self.rule.facts)})

    def locations(self, subject: Subject) -> tuple[Location, ...]:
        """The first fact that `that` names is primary; the others, and what `when` names and is written, are related."""
        found: dict[tuple[str, int | None], Location] = {}
        for position, field, decisive in self.sides:
            root = subject.roots[position]
            if isinstance(root, Absent):
                continue
            depends = rests_on(self.classes[position], field)
            for location in self.places(root, field, depends, decisive=decisive):
                found.setdefault((location.file, location.line), location)
        if not found and (place := _place(subject)) is not None:
            return (Location.of(place),)
        lines = {file for file, line in found if line is not None}
        # A file as a whole, beside a line of it, shows nothing more.
        return tuple(one for (file, line), one in found.items() if line is not None or one.note or file not in lines)

    def places(self, root: Fact, field: str, depends: tuple[str, ...], *, decisive: bool) -> Iterable[Location]:
        marks: list[Mark] = [root.marks[name] for name in depends if name in root.marks]
        written = [mark.origin for mark in marks if mark.origin is not None]
        written += [place for name in depends for place in root.overridden(name)]
        if written:
            yield from (Location.of(place) for place in written)
        elif decisive and not marks and (place := root.where(field)) is not None:
            value = getattr(root, field)
            if field not in root.__struct_fields__:  # computed: what it rests on is what would be written
                yield Location.of(place)
                return
            told = "" if field.endswith("_written") else _told(value, unit_of(type(root), field))
            yield Location.of(place, f"{root.label(field)} is not written{': ' if told else ''}{told}")


def _told(value: Any, unit: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _UNITS[unit](value)
    if isinstance(value, tuple):
        return listed(value) if value else ""
    return str(value) if value else ""


def _place(subject: Subject) -> Origin | None:
    for root in subject.roots:
        if isinstance(root, Fact) and root.place is not None:
            return root.place
    return None
