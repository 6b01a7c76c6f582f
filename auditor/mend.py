"""The mending flow: judge, settle one fact after another, render, read again, judge again; nothing is written here.

In each pass every fact is settled once, in the order in which bounds build on one another (retry_after → timeout →
stopwaitsecs), and after each the corrected text is read again by the very sources that read the original. Passes follow
until one changes nothing: so what is proposed at the end has been judged as it would be if it were written, and mending it
once more would leave it as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from auditor.remedies.plan import Ask, ByHand, Change, Corrected, Plan
from auditor.remedies.program_edit import Settled, option_of, rewrite
from auditor.remedies.program_places import Place, Places, expanded, holders, root_of
from auditor.remedies.scheduler import scheduler_file
from auditor.sources.tree import Tree
from auditor.suppress.whole import Lived

Key = tuple[object, ...]
"""One thing that is mended: a place and a fact, or a template and a subject."""
Known = tuple[str, str]
"""Rule and subject of a finding."""


class _Bid(NamedTuple):
    """What is asked of one fact of one program."""

    by: str
    """The rule, or who else asks."""
    program: Program
    """The program."""
    holder: object
    """What has the fact: the program itself, its worker, its command."""
    bound: Bound
    """What the fact is to be."""


Asked = dict[Place, list[_Bid]]
"""What is asked of one fact, by program."""


MOST_PASSES = 8
"""One pass settles what the rules' fixes build on, further ones what a correction makes other rules apply to; rules of
somebody else's that undo each other's corrections never settle, and are stopped here."""


def plan(
    path: str,
    rules: Rulebook,
    *,
    unsafe: bool = False,
    apps: Sequence[str] = (),
    kind: str | None = None,
    lived: Lived | None = None,
    only: Callable[[Subject], bool] | None = None,
    start: Mapping[str, bytes] | None = None,
    asks: Sequence[Ask] = (),
) -> Plan:
    """What would mend a host, a repository or a file; raises CannotMend, Unreadable, UsageError.

    What comments or the configuration ask to be left alone is left alone; what a baseline holds is mended. `only` tells of
    a subject whether it is to be mended, `start` gives files (path to content) that are to be there first, and `asks` are
    bounds that come to those of the rules.
    """
    return _Mender(
        path,
        rules,
        unsafe=unsafe,
        apps=apps,
        kind=kind,
        lived=lived or Lived(inline=False),
        only=only or (lambda _subject: True),
        start=start or {},
        asks=asks,
    ).plan()


class _Done(NamedTuple):
    """One change, and the file it was made in."""

    path: str
    change: Change


class _Wish(NamedTuple):
    """One fact of one program that is to be written."""

    place: Place
    path: str
    value: float | bool | str
    change: Change


class _Mender:
    def __init__(
        self,
        path: str,
        rules: Rulebook,
        *,
        unsafe: bool,
        apps: Sequence[str],
        kind: str | None,
        lived: Lived,
        only: Callable[[Subject], bool],
        start: Mapping[str, bytes],
        asks: Sequence[Ask],
    ) -> None:
        self.path = path
        self.rules = rules
        self.unsafe = unsafe
        self.apps = apps
        self.kind = kind
        self.lived = lived
        self.only = only
        self.start = start
        self.asks = asks
        place = Path(path)
        self.tree = Tree(place if place.is_dir() else place.absolute().parent)
        self.refused: dict[Key, ByHand] = {}
        self.tried: dict[Known, list[Key]] = {}
        self.suspects: list[Key] = []
        self.known: set[Known] = set()
        self.begin()

    def begin(self) -> None:
        self.seen: tuple[dict[str, bytes], Site] | None = None
        self.taken: tuple[Site, Census] | None = None
        self.placed: tuple[Site, Places] | None = None
        self.texts: dict[str, bytes] = dict(self.start)
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

    def places(self, site: Site) -> Places:
        """Where the site's programs and their options are written; worked out once for the same site."""
        if self.placed is None or self.placed[0] is not site:
            self.placed = (site, Places(site))
        return self.placed[1]

    def plan(self) -> Plan:
        site = self.look()
        before = audit.judge(site, self.rules)
        self.known = {(finding.rule, finding.subject) for finding in before.findings}
        after = self.harmless(site, before)
        if self.suspects:
            after = self.acquitted(site, before)
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

    def harmless(self, site: Site, before: Verdict) -> Verdict:
        """Mend all that brings nothing new; how the site is judged then."""
        after = self.mended(site, before)
        while (harm := self.harm(after)) is not None:
            self.answer(harm)
            after = self.mended(site, before)
        return after

    def acquitted(self, site: Site, before: Verdict) -> Verdict:
        """Make each change after all that was taken back for nothing but its place, and does no harm without the others."""
        for key in self.suspects:
            left = self.refused.pop(key)
            self.begin()
            if self.harm(self.mended(site, before)) is not None:
                self.refused[key] = left
        self.begin()
        return self.mended(site, before)

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
        for fact in self.order():
            if self.settle(fact, site):
                site = self.look()
        for wanted in ("cron-table", "cron-line", "cron"):
            concerned = [rule for rule in self.rules if rule.adds == wanted]
            if (wanted != "cron" or self.texts == texts) and self.add(concerned, site):
                site = self.look()
        return site

    def order(self) -> list[str]:
        """The facts in the order in which bounds build on one another; what no rule binds comes first."""
        known = self.rules.order()
        return [*dict.fromkeys(ask.bound.fact for ask in self.asks if ask.bound.fact not in known), *known]

    def found(self, rules: Iterable[Rule], site: Site) -> Iterator[tuple[Rule, Subject, Finding]]:
        """What these rules find, but for what is to be left alone."""
        spared = audit.spared(site, self.lived)
        return (each for each in judged(rules, self.census(site)) if self.only(each[1]) and not spared(each[2]))

    def original(self, path: str) -> bytes | None:
        return self.tree.read(path) if self.tree.is_file(path) else None

    def text(self, path: str) -> bytes:
        return self.texts[path] if path in self.texts else self.tree.read(path)

    def settle(self, fact: str, site: Site) -> bool:
        """Settle one fact for every program of which it is asked; whether any text changed."""
        asked: Asked = defaultdict(list)
        concerned = [rule for rule in self.rules if any(fix.fact == fact for fix in rule.fixes)]
        for rule, subject, finding in self.found(concerned, site):
            for bound in (bound for bound in finding.bounds if bound.fact == fact):
                program = root_of(rule.scope, subject, "program")
                if not isinstance(program, Program):
                    self.leave(subject.name, [rule.id], "it is not a supervisor program, and only those are rewritten")
                    continue
                holder = root_of(rule.scope, subject, fact.partition(".")[0])
                self.take(site, asked, _Bid(rule.id, program, holder, bound))
        asks = [ask for ask in self.asks if ask.bound.fact == fact]
        for _, program, holder in holders(self.places(site), self.census(site), fact) if asks else ():
            for ask in asks:
                if ask.program == program.name:
                    self.take(site, asked, _Bid(ask.by, program, holder, ask.bound))
        return self.apply_all(fact, site, asked)

    def take(self, site: Site, asked: Asked, bid: _Bid) -> None:
        """Take down what is asked, unless it is withheld or was refused before."""
        fact, program = bid.bound.fact, bid.program
        place = (self.places(site).mains[id(program)], program.section)
        if bid.bound.unsafe and not self.unsafe:
            reason = f"{shown(fact, bid.bound.value)}: {bid.bound.unsafe}"
            self.withheld[program.name, (bid.by,)] = ByHand(program.name, (bid.by,), reason)
        elif (place, fact) not in self.refused:
            asked[place].append(bid)

    def apply_all(self, fact: str, site: Site, asked: Asked) -> bool:
        """Write one fact of many programs, then read everything again once; without those that it disagrees about."""
        wishes = [wish for place, one in asked.items() if (wish := self.wish(fact, site, place, one)) is not None]
        texts, made = dict(self.texts), dict(self.done)
        written = self.write(fact, wishes)
        if not written:
            return False
        wrong = self.disagreeing(fact, {wish.place: wish.value for wish in written})
        if wrong:
            changed, self.texts, self.done = self.done, texts, made
            for wish in written:
                if wish.place in wrong:
                    reason = f"rewritten, {shown(fact, wish.value)} would not read as such"
                    self.refuse((wish.place, fact), changed[wish.place, fact], reason)
            self.write(fact, [wish for wish in written if wish.place not in wrong])
        return len(wrong) < len(written)

    def write(self, fact: str, wishes: Sequence[_Wish]) -> list[_Wish]:
        """Write these into the texts, each file in one go; those that could be."""
        files: dict[str, dict[str, _Wish]] = {}
        for wish in wishes:
            # A file that two configurations include is changed for the first; the second is asked again.
            files.setdefault(wish.path, {}).setdefault(wish.place[1], wish)
        written = []
        for path, ones in files.items():
            before = self.text(path)
            try:
                text, left = rewrite(before, [Settled(name, fact, wish.value) for name, wish in ones.items()], path)
            except CannotMend as problem:
                text, left = before, dict.fromkeys(ones, problem.reason)
            for section, reason in left.items():
                self.leave(ones[section].change.subject, ones[section].change.rules, reason)
            if text != before:
                self.texts[path] = text
                written += [wish for section, wish in ones.items() if section not in left]
        for wish in written:
            self.note((wish.place, fact), wish.path, wish.change)
        return written

    def disagreeing(self, fact: str, wanted: Mapping[Place, float | bool | str]) -> set[Place]:
        """The programs whose corrected text does not say what was settled, to the sources that will read it."""
        site = self.look()
        agreeing: dict[Place, bool] = {}
        for place, program, holder in holders(self.places(site), self.census(site), fact):
            if place in wanted:
                read = getattr(holder, fact.partition(".")[2])
                agrees = read in (wanted[place], expanded(wanted[place], program))
                agreeing[place] = agreeing.get(place, True) and agrees
        return {place for place in wanted if not agreeing.get(place, False)}

    def wish(self, fact: str, site: Site, place: Place, asked: Sequence[_Bid]) -> _Wish | None:
        """The value that satisfies all that is asked of one program; None where there is none, or it holds already."""
        program, holder = asked[0].program, asked[0].holder
        assert not isinstance(holder, Absent)
        names = tuple(dict.fromkeys(bid.by for bid in asked))
        bounds = [bid.bound for bid in asked]
        now = getattr(holder, fact.partition(".")[2])
        value = settled(fact, now, bounds)
        if value is None:
            self.leave(program.name, names, _why_not(fact, bounds))
            return None
        if value == now:
            return None
        path = self.places(site).assigned.get((*place, option_of(fact)), program.file)
        reasons = tuple(dict.fromkeys(bound.unsafe for bound in bounds if bound.unsafe))
        return _Wish(place, path, value, Change(program.name, shown(fact, value), names, reasons))

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
        """Take back what brought it; where a warning is there all the same, that was innocent, and the finding is borne.

        Then all that was taken back is tried again: some of it may have been blamed for what the innocent one left undone.
        """
        name = (harm.rule, harm.subject)
        if name in self.tried and harm.severity != "error":
            self.known.add(name)
            self.refused.clear()
            self.tried.clear()
            self.suspects.clear()
            self.begin()
        else:
            self.take_back(harm)

    def take_back(self, harm: Finding) -> None:
        """Leave to a person what brought a new finding, and begin anew; raises CannotMend where nothing did."""
        facts = self.rules.rules[harm.rule].facts
        files = {location.file for location in harm.locations}
        done = list(self.done.items())
        guilty = [(key, one) for key, one in done if one.change.subject == harm.subject and key[-1] in facts]
        if not guilty:
            guilty = [(key, one) for key, one in done if one.path in files][-1:] or done[-1:]
            self.suspects += [key for key, _ in guilty]
        reason = f"mended, it would bring a new finding, {harm.rule}: {harm.message.rstrip('.')}"
        if not guilty:
            raise CannotMend(harm.file, reason)
        for key, one in guilty:
            self.refuse(key, one, reason)
            self.tried.setdefault((harm.rule, harm.subject), []).append(key)
        self.begin()


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
