"""The mending flow: judge, settle one fact after another, render, read again, judge again; nothing is written here.

In each pass every fact is settled once, in the order in which bounds build on one another (retry_after → timeout →
stopwaitsecs), and after each the corrected text is read again by the very sources that read the original. Passes follow
until one changes nothing: so what is proposed at the end has been judged as it would be if it were written, and mending it
once more would leave it as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from auditor import audit
from auditor.bounds import settled
from auditor.errors import CannotMend
from auditor.facts.census import take_census
from auditor.facts.levers import LEVERS, shown
from auditor.facts.schedule import CronTable
from auditor.facts.scopes import SCOPES
from auditor.facts.site import Site
from auditor.facts.subjects import Absent, Census, Subject
from auditor.facts.supervisor import Program
from auditor.findings import Bound, Finding, Verdict
from auditor.judge.rule import Rule
from auditor.judge.rulebook import Rulebook
from auditor.judge.weigh import judged
from auditor.remedies.program_edit import Settled, file_of, option_of, rewrite
from auditor.remedies.scheduler import scheduler_file
from auditor.sources.tree import Tree
from auditor.suppress.whole import Lived

Key = tuple[object, ...]
"""One thing that is mended: a place and a fact, or a template and a subject."""
Known = tuple[str, str]
"""Rule and subject of a finding."""
Place = tuple[str, str]
"""Main file of a configuration and name of a section."""
Asked = dict[Place, list[tuple[Rule, Subject, Finding]]]
"""What rules ask of one fact, by program."""


MOST_PASSES = 8
"""One pass settles what the rules' fixes build on, further ones what a correction makes other rules apply to; rules of
somebody else's that undo each other's corrections never settle, and are stopped here."""


class Change(msgspec.Struct, frozen=True):
    """One fact that gets another value, and the rules that ask for it."""

    subject: str
    """The program it belongs to."""
    told: str
    """As it will be written: "stopwaitsecs=130"."""
    rules: tuple[str, ...]
    """The rules it satisfies."""
    unsafe: tuple[str, ...] = ()
    """Why it may change what the configuration means."""


class ByHand(msgspec.Struct, frozen=True):
    """What stays as it is, because no value satisfies all, or because it cannot be written with certainty."""

    subject: str
    """What it is about."""
    rules: tuple[str, ...]
    """The rules that ask for it."""
    reason: str
    """Why it is left, as a clause."""


class Corrected(msgspec.Struct, frozen=True):
    """One file, before and after."""

    path: str
    """Path below the audited root."""
    before: bytes | None
    """What it holds, None where it is new."""
    after: bytes
    """What it is to hold."""
    changes: tuple[Change, ...]
    """What was changed in it, and for which rules."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that mending would do."""

    root: Path
    """The audited root on this machine."""
    files: tuple[Corrected, ...] = ()
    """The files to write, by path."""
    by_hand: tuple[ByHand, ...] = ()
    """What is left to a person."""
    withheld: tuple[ByHand, ...] = ()
    """Unsafe changes that were not asked for."""
    before: Verdict = Verdict()
    """How the site was judged."""
    after: Verdict = Verdict()
    """How it would be judged once the files are written."""


def plan(
    path: str,
    rules: Rulebook,
    *,
    unsafe: bool = False,
    apps: Sequence[str] = (),
    kind: str | None = None,
    lived: Lived | None = None,
) -> Plan:
    """What would mend a host, a repository or a file; raises CannotMend, Unreadable, UsageError.

    What comments or the configuration ask to be left alone is left alone; what a baseline holds is mended.
    """
    return _Mender(path, rules, unsafe=unsafe, apps=apps, kind=kind, lived=lived or Lived(inline=False)).plan()


class _Done(NamedTuple):
    """One change, and the file it was made in."""

    path: str
    change: Change


class _Mender:
    def __init__(
        self, path: str, rules: Rulebook, *, unsafe: bool, apps: Sequence[str], kind: str | None, lived: Lived
    ) -> None:
        self.path = path
        self.rules = rules
        self.unsafe = unsafe
        self.apps = apps
        self.kind = kind
        self.lived = lived
        place = Path(path)
        self.tree = Tree(place if place.is_dir() else place.absolute().parent)
        self.refused: dict[Key, ByHand] = {}
        self.tried: dict[Known, list[Key]] = {}
        self.known: set[Known] = set()
        self.begin()

    def begin(self) -> None:
        self.seen: tuple[dict[str, bytes], Site] | None = None
        self.taken: tuple[Site, Census] | None = None
        self.texts: dict[str, bytes] = {}
        self.done: dict[Key, _Done] = {}
        self.forget()

    def forget(self) -> None:
        """What an earlier pass could not do, or did not, is asked anew; what was refused stays so."""
        self.by_hand = {(one.subject, one.rules): one for one in self.refused.values()}
        self.withheld: dict[tuple[str, tuple[str, ...]], ByHand] = {}

    def look(self) -> Site:
        """The site with the corrected texts in it; read once for the same texts."""
        if self.seen is None or self.seen[0] != self.texts:
            self.seen = (dict(self.texts), audit.look(self.path, apps=self.apps, kind=self.kind, overrides=self.texts))
        return self.seen[1]

    def census(self, site: Site) -> Census:
        """The site's census; taken once for the same site."""
        if self.taken is None or self.taken[0] is not site:
            self.taken = (site, take_census(site))
        return self.taken[1]

    def plan(self) -> Plan:
        site = self.look()
        before = audit.judge(site, self.rules)
        self.known = {(finding.rule, finding.subject) for finding in before.findings}
        after = self.mended(site, before)
        while (harm := self.harm(after)) is not None:
            self.answer(harm)
            after = self.mended(site, before)
        return Plan(
            root=Path(self.tree.root),
            files=tuple(
                Corrected(
                    path, self.original(path), text, tuple(d.change for d in self.done.values() if d.path == path)
                )
                for path, text in sorted(self.texts.items())
                if text != self.original(path)
            ),
            by_hand=tuple(self.by_hand.values()),
            withheld=tuple(self.withheld.values()),
            before=before,
            after=after,
        )

    def mended(self, site: Site, before: Verdict) -> Verdict:
        """Settle every fact and add every file, until nothing more is asked for; how the site is judged then."""
        done: dict[Key, _Done] = {}
        for _ in range(MOST_PASSES):
            self.forget()
            texts, done = dict(self.texts), dict(self.done)
            site = self.passed(site)
            if self.texts == texts:
                return audit.judge(site, self.rules) if texts else before
        for key, one in self.done.items():
            if done.get(key) is not one:
                self.refuse(key, one, "corrected, it would have to be corrected again and again")
        self.begin()
        return self.mended(self.look(), before)

    def passed(self, site: Site) -> Site:
        """One pass; a new file is added only where all that is there has been put right and still does not do."""
        texts = dict(self.texts)
        for fact in self.rules.order():
            if self.settle(fact, site):
                site = self.look()
        for wanted in ("cron-table", "cron-line", "cron"):
            concerned = [rule for rule in self.rules if rule.adds == wanted]
            if (wanted != "cron" or self.texts == texts) and self.add(concerned, site):
                site = self.look()
        return site

    def found(self, rules: Iterable[Rule], site: Site) -> Iterator[tuple[Rule, Subject, Finding]]:
        """What these rules find, but for what is to be left alone."""
        spared = audit.spared(site, self.lived)
        return (each for each in judged(rules, self.census(site)) if not spared(each[2]))

    def original(self, path: str) -> bytes | None:
        return self.tree.read(path) if self.tree.is_file(path) else None

    def text(self, path: str) -> bytes:
        return self.texts[path] if path in self.texts else self.tree.read(path)

    def settle(self, fact: str, site: Site) -> bool:
        """Settle one fact for every program that a rule asks it of; whether any text changed."""
        asked: Asked = defaultdict(list)
        concerned = [rule for rule in self.rules if any(fix.fact == fact for fix in rule.fixes)]
        for rule, subject, finding in self.found(concerned, site):
            bounds = [bound for bound in finding.bounds if bound.fact == fact]
            if not bounds:
                continue
            program = _root(rule.scope, subject, "program")
            if not isinstance(program, Program):
                self.leave(subject.name, [rule.id], "it is not a supervisor program, and only those are rewritten")
                continue
            if bounds[0].unsafe and not self.unsafe:
                key = (program.name, (rule.id,))
                self.withheld[key] = ByHand(
                    program.name, (rule.id,), f"{shown(fact, bounds[0].value)}: {bounds[0].unsafe}"
                )
                continue
            place = (self.conf_of(site, program), program.section)
            if (place, fact) not in self.refused:
                asked[place].append((rule, subject, finding))
        return self.apply_all(fact, site, asked)

    def conf_of(self, site: Site, program: Program) -> str:
        return next(conf.main for conf in site.confs if any(p is program for p in conf.programs))

    def apply_all(self, fact: str, site: Site, asked: Asked) -> bool:
        """Write one fact of many programs, then read everything again once; only where that disagrees, one by one."""
        texts, made = dict(self.texts), dict(self.done)
        done = [one for place, wishes in asked.items() if (one := self.apply(fact, site, place, wishes)) is not None]
        if not done:
            return False
        wrong = self.disagreeing(fact, done)
        if not wrong:
            return True
        changed, self.texts, self.done = self.done, texts, made
        for place, value in done:
            if place in wrong:
                reason = f"rewritten, {shown(fact, value)} would not read as such"
                self.refuse((place, fact), changed[place, fact], reason)
            else:
                self.apply(fact, site, place, asked[place])
        return len(wrong) < len(done)

    def disagreeing(self, fact: str, done: Sequence[tuple[Place, float | bool | str]]) -> set[Place]:
        """The programs whose corrected text does not say what was settled, to the sources that will read it."""
        site = self.look()
        wanted = dict(done)
        agreeing: dict[Place, bool] = {}
        for place, program, holder in _holders(site, self.census(site), fact):
            if place in wanted:
                read = getattr(holder, fact.partition(".")[2])
                agrees = read in (wanted[place], _expanded(wanted[place], program))
                agreeing[place] = agreeing.get(place, True) and agrees
        return {place for place in wanted if not agreeing.get(place, False)}

    def apply(
        self, fact: str, site: Site, place: Place, wishes: list[tuple[Rule, Subject, Finding]]
    ) -> tuple[Place, float | bool | str] | None:
        main, section = place
        rule, subject, _ = wishes[0]
        program = _root(rule.scope, subject, "program")
        holder = _root(rule.scope, subject, fact.partition(".")[0])
        assert isinstance(program, Program)
        assert not isinstance(holder, Absent)
        names = tuple(dict.fromkeys(rule.id for rule, _, _ in wishes))
        bounds = [bound for _, _, finding in wishes for bound in finding.bounds if bound.fact == fact]
        now = getattr(holder, fact.partition(".")[2])
        value = settled(fact, now, bounds)
        if value is None:
            self.leave(program.name, names, _why_not(fact, bounds))
            return None
        if value == now:
            return None
        conf = next(conf for conf in site.confs if conf.main == main)
        files = [(path, self.text(path)) for path in conf.files]
        path = file_of(section, option_of(fact), files, program.file)
        try:
            text = rewrite(self.text(path), section, [Settled(fact, value)], path)
        except CannotMend as problem:
            self.leave(program.name, names, problem.reason)
            return None
        if text == self.text(path):
            return None
        self.texts[path] = text
        reasons = tuple(dict.fromkeys(bound.unsafe for bound in bounds if bound.unsafe))
        self.note((place, fact), path, Change(program.name, shown(fact, value), names, reasons))
        return place, value

    def note(self, key: Key, path: str, change: Change) -> None:
        """A change was made; of two to one thing the later counts, for the rules of both."""
        earlier = self.done.get(key)
        if earlier is not None:
            rules = tuple(dict.fromkeys((*earlier.change.rules, *change.rules)))
            unsafe = tuple(dict.fromkeys((*earlier.change.unsafe, *change.unsafe)))
            change = msgspec.structs.replace(change, rules=rules, unsafe=unsafe)
        self.done[key] = _Done(path, change)

    def refuse(self, key: Key, one: _Done, reason: str) -> None:
        """Leave one change to a person for good."""
        left = ByHand(one.change.subject, one.change.rules, reason)
        self.refused[key] = self.by_hand[left.subject, left.rules] = left

    def leave(self, subject: str, rules: Sequence[str], reason: str) -> None:
        self.by_hand.setdefault((subject, tuple(rules)), ByHand(subject, tuple(rules), reason))

    def add(self, concerned: Sequence[Rule], site: Site) -> bool:
        """Do what these rules ask for, a file made or a line made anew; whether any text changed."""
        made: dict[Key, tuple[str, str]] = {}
        for rule, subject, _ in self.found(concerned, site):
            roots = dict(zip(SCOPES[rule.scope], subject.roots, strict=True))
            table = roots.get("table")
            key: Key = (rule.adds, subject.name)
            thing: Key = (table.path,) if rule.adds == "cron-table" and isinstance(table, CronTable) else key
            if key in self.refused:
                continue
            if thing not in made:
                try:
                    path, text, told = scheduler_file(rule.adds, roots, site, self.text)
                except CannotMend as problem:
                    self.leave(subject.name, [rule.id], problem.reason)
                    continue
                if text == self.texts.get(path, self.original(path)):
                    self.leave(subject.name, [rule.id], "what would be written stands there already")
                    continue
                self.texts[path] = text
                made[thing] = path, told
            path, told = made[thing]
            self.note(key, path, Change(subject.name, told, (rule.id,)))
        return bool(made)

    def harm(self, after: Verdict) -> Finding | None:
        """A finding that is there only since something was mended: what hid it is gone, or two changes go ill together.

        A warning about what was not touched itself does no harm: a table that cron takes again shows what it hid. But where
        something was taken back for it, and it is there all the same, that is told too.
        """
        changed = {one.change.subject for one in self.done.values()}
        for finding in after.findings:
            new = (finding.rule, finding.subject) not in self.known and finding.severity != "note"
            touched = finding.subject in changed or (finding.rule, finding.subject) in self.tried
            if new and (touched or finding.severity == "error"):
                return finding
        return None

    def answer(self, harm: Finding) -> None:
        """Take back what brought it; where a warning is there all the same, that was innocent, and the finding is borne."""
        name = (harm.rule, harm.subject)
        if name in self.tried and harm.severity != "error":
            for key in self.tried[name]:
                self.refused.pop(key, None)
            self.known.add(name)
            self.begin()
        else:
            self.take_back(harm)

    def take_back(self, harm: Finding) -> None:
        """Leave to a person what brought a new finding, and begin anew; raises CannotMend where nothing did."""
        facts = self.rules.rules[harm.rule].facts
        files = {location.file for location in harm.locations}
        done = list(self.done.items())
        guilty = [(key, one) for key, one in done if one.change.subject == harm.subject and key[-1] in facts]
        guilty = guilty or [(key, one) for key, one in done if one.path in files][-1:] or done[-1:]
        reason = f"mended, it would bring a new finding, {harm.rule}: {harm.message.rstrip('.')}"
        if not guilty:
            raise CannotMend(harm.file, reason)
        for key, one in guilty:
            self.refuse(key, one, reason)
            self.tried.setdefault((harm.rule, harm.subject), []).append(key)
        self.begin()


def _root(scope: str, subject: Subject, root: str) -> object:
    order = list(SCOPES[scope])
    return subject.roots[order.index(root)] if root in order else Absent()


def _expanded(value: float | bool | str, program: Program) -> float | bool | str:
    """A text as supervisord expands it for the program's first process, which is how facts hold paths."""
    if not isinstance(value, str) or "%(" not in value:
        return value
    names = {
        "program_name": program.name,
        "group_name": program.group,
        "process_num": program.numprocs_start,
        "numprocs": program.numprocs,
    }
    try:
        return value % names
    except (KeyError, TypeError, ValueError):
        return value


def _holders(site: Site, census: Census, fact: str) -> Iterator[tuple[Place, Program, object]]:
    """What holds a fact, for every program of a site."""
    root = fact.partition(".")[0]
    scope = root if root in SCOPES else "program"
    mains = {id(program): conf.main for conf in site.confs for program in conf.programs}
    for subject in census.of(scope):
        program = _root(scope, subject, "program")
        if isinstance(program, Program):
            yield (mains[id(program)], program.section), program, _root(scope, subject, root)


def _why_not(fact: str, bounds: Sequence[Bound]) -> str:
    asked = " and ".join(f"{bound.operator.replace('_', ' ')} {_plain(bound.value)}" for bound in bounds)
    return f"{LEVERS[fact].name} would have to be {asked}" if fact in LEVERS else "nothing of ours writes that"


def _plain(value: float | bool | str) -> str:
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def host_path(plan: Plan, path: str) -> str:
    """Where a file of the plan lies on this machine, symlinks resolved inside the audited root."""
    tree = Tree(plan.root)
    folder, _, name = path.rpartition("/")
    return tree.host_path(path) if tree.stat(path) is not None else f"{tree.host_path(folder)}/{name}"
