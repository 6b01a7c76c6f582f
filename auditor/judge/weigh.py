"""Each rule against each subject it is for: a finding, a skipped judgement with its reason, or silence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from auditor.facts.origin import Fact, Grade, Mark, Origin
from auditor.facts.scopes import SCOPES
from auditor.facts.subjects import Absent, Census, Joined, Subject
from auditor.findings import Bound, Finding, Held, Location, Severity, Skipped, Verdict, content_key
from auditor.judge.arithmetic import arithmetic
from auditor.judge.expression import UNKNOWN, evaluate
from auditor.judge.rule import Rule
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
    scales = _Scales()
    for rule in rules:
        look = _Look(rule, scales)
        for subject in census.of(rule.scope):
            if look.judge(subject) is None and look.applies(subject):
                yield Held(rule.id, subject.name, rule.title)


def _results(rules: Iterable[Rule], census: Census) -> Iterator[tuple[Rule, Subject, Finding | Skipped]]:
    """What each rule has to tell of each subject it is for, beside both; silence is left out."""
    scales = _Scales()
    for rule in rules:
        look = _Look(rule, scales)
        for subject in census.of(rule.scope):
            result = look.judge(subject)
            if result is not None:
                yield rule, subject, result


def judge_one(rule: Rule, subject: Subject) -> Finding | Skipped | None:
    """One rule for one subject."""
    return _Look(rule, _Scales()).judge(subject)


class _Scales:
    """Which fields of a fact are unknown, worked out once for each fact."""

    def __init__(self) -> None:
        self.known: dict[int, frozenset[str]] = {}

    def unknown(self, fact: Fact) -> frozenset[str]:
        found = self.known.get(id(fact))
        if found is None:
            found = frozenset(name for name, mark in fact.marks.items() if mark.grade is Grade.UNKNOWN)
            self.known[id(fact)] = found
        return found


class _Look:
    """One rule, made ready to be asked of many subjects."""

    def __init__(self, rule: Rule, scales: _Scales) -> None:
        self.rule = rule
        self.scales = scales
        self.order = list(SCOPES[rule.scope])
        self.index = {root: position for position, root in enumerate(self.order)}
        self.let = tuple(rule.let.values())
        self.named = tuple(self.resolve(fact) for fact in rule.facts)
        self.roots = tuple({position for position, _, _ in self.named})

    def resolve(self, fact: str) -> tuple[int, str, tuple[str, ...]]:
        """Position of the root, the field, and the plain fields it is computed from."""
        root, _, field = fact.partition(".")
        return self.index[root], field, _depends(SCOPES[self.rule.scope][root], field)

    def judge(self, subject: Subject) -> Finding | Skipped | None:
        rule, roots = self.rule, subject.roots
        certain = True
        for position in self.roots:
            root = roots[position]
            if isinstance(root, Absent):
                if not root.reason:
                    return None
                certain = False
            elif self.scales.unknown(root):
                certain = False
        if certain:
            if rule.when is not None and not rule.when.call(*roots, *self.let):
                return None
            if rule.that.call(*roots, *self.let):
                return None
            return self.finding(subject)
        look = self.looker(roots)
        applies = evaluate(rule.when.node, look, rule.let) if rule.when is not None else True
        if applies is False:
            return None
        holds = evaluate(rule.that.node, look, rule.let)
        if holds is not UNKNOWN and holds:
            return None
        if applies is UNKNOWN or holds is UNKNOWN:
            return self.skip(subject, of_when=applies is UNKNOWN)
        return self.finding(subject)

    def applies(self, subject: Subject) -> bool:
        """Whether the rule is certain to be about this subject."""
        for position in self.roots:
            root = subject.roots[position]
            if isinstance(root, Absent) and not root.reason:
                return False
        when = self.rule.when
        return when is None or evaluate(when.node, self.looker(subject.roots), self.rule.let) is True

    def looker(self, roots: tuple[Joined, ...]) -> Callable[[str, str], Any]:
        def look(root: str, field: str) -> Any:
            fact = roots[self.index[root]]
            if isinstance(fact, Absent):
                return UNKNOWN
            hidden = self.scales.unknown(fact)
            if hidden and not hidden.isdisjoint(_depends(type(fact), field)):
                return UNKNOWN
            return getattr(fact, field)

        return look

    def skip(self, subject: Subject, *, of_when: bool) -> Skipped:
        rule = self.rule
        facts = rule.when.facts if of_when and rule.when is not None else rule.that.facts
        for fact in (*facts, *rule.facts):
            position, _, depends = self.resolve(fact)
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

    def severity(self, look: Callable[[str, str], Any]) -> Severity:
        for severity, condition in self.rule.severity:
            if condition is None or evaluate(condition.node, look, self.rule.let) is True:
                return severity
        raise AssertionError("the last severity has no condition")

    def finding(self, subject: Subject) -> Finding:
        rule = self.rule
        look = self.looker(subject.roots)
        locations = self.locations(subject)
        message = rule.message.fill(look, rule.let)
        first = locations[0].file if locations else ""
        evidence = "" if rule.live else message  # what was seen at one moment is told in other numbers at the next
        return Finding(
            rule=rule.id,
            severity=self.severity(look),
            subject=subject.name,
            message=message,
            arithmetic=arithmetic(rule.that.node, look, rule.let, self.unit),
            locations=locations,
            bounds=self.bounds(look),
            adds=rule.adds,
            advice=rule.advice.fill(look, rule.let) if rule.advice is not None else "",
            key=content_key(rule.id, subject.name, first, evidence),
        )

    def bounds(self, look: Callable[[str, str], Any]) -> tuple[Bound, ...]:
        rule = self.rule
        unsafe = rule.unsafe.fill(look, rule.let) if rule.unsafe is not None else ""
        found = []
        for fix in rule.fixes:
            value = evaluate(fix.value.node, look, rule.let)
            root, _, field = fix.fact.partition(".")
            if value is UNKNOWN or value is None or look(root, field) is UNKNOWN:
                return ()  # a bound on, or by, what is not known is a guess
            found.append(Bound(fix.fact, fix.operator, value, unsafe))
        return tuple(found)

    def unit(self, root: str, field: str) -> str:
        return unit_of(SCOPES[self.rule.scope][root], field)

    def locations(self, subject: Subject) -> tuple[Location, ...]:
        """The first fact that `that` names is primary; the others, and what `when` names and is written, are related."""
        found: dict[tuple[str, int | None], Location] = {}
        sides = [(fact, True) for fact in self.rule.that.facts]
        sides += [(fact, False) for fact in self.rule.facts if fact not in self.rule.that.facts]
        for fact, decisive in sides:
            position, field, depends = self.resolve(fact)
            root = subject.roots[position]
            if isinstance(root, Absent):
                continue
            for location in self.places(root, field, depends, decisive=decisive):
                found.setdefault((location.file, location.line), location)
        if not found and (place := _place(subject)) is not None:
            return (Location.of(place),)
        return tuple(found.values())

    def places(self, root: Fact, field: str, depends: tuple[str, ...], *, decisive: bool) -> Iterable[Location]:
        marks: list[Mark] = [root.marks[name] for name in depends if name in root.marks]
        written = [mark.origin for mark in marks if mark.origin is not None]
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


def _depends(cls: type[Fact], field: str) -> tuple[str, ...]:
    """The plain fields that a fact rests on: itself, or those a derived one is computed from."""
    member = getattr(cls, field, None)
    if isinstance(member, property):
        return getattr(member.fget, "__derived__", (field,))
    return (field,)
