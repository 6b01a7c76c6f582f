"""Comments in the audited files: what they speak of is lived with; what is wrong with them is found."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

from auditor.facts.ignore import Ignore
from auditor.findings import Finding, Ignored, Location, Verdict, content_key
from auditor.judge.expression import nearest
from auditor.suppress.own import GROUP, OWN


def heed(
    verdict: Verdict, ignores: Sequence[Ignore], *, known: Collection[str], asked: Collection[str], today: str
) -> Verdict:
    """The verdict with what the comments speak of moved to `ignored`, and what is wrong with a comment found.

    `today` is YYYY-MM-DD; `known` are the ids of all rules there are, `asked` those that were judged by in this run: a
    comment is unused only where what it names was judged, and judged everywhere.
    """
    if not ignores:
        return verdict
    names = {*known, *(rule.partition("/")[0] for rule in known), *OWN, GROUP}
    valid = [one for one in ignores if not one.fault and not _expired(one, today)]
    kept: list[Finding] = []
    ignored: list[Ignored] = []
    used: set[tuple[int, str]] = set()
    for finding in verdict.findings:
        hit = next(_speaking(valid, finding), None)
        if hit is None:
            kept.append(finding)
            continue
        for one, name in _speaking(valid, finding):
            used.add((id(one), name))
        ignored.append(Ignored(finding, "inline", hit[0].reason))
    uncertain = {left.rule for left in verdict.skipped}
    own = [note for one in ignores for note in _faults(one, names, today)]
    own += [
        note
        for one in valid
        for note in _unused(one, {name for each, name in used if each == id(one)}, names, asked, uncertain)
    ]
    for note in own:
        mute = next(_speaking(valid, note), None)
        if mute is None:
            kept.append(note)
        else:
            ignored.append(Ignored(note, "inline", mute[0].reason))
    kept.sort(key=lambda finding: finding.order)
    return msgspec.structs.replace(verdict, findings=tuple(kept), ignored=(*verdict.ignored, *ignored))


def spoken_for(finding: Finding, ignores: Iterable[Ignore], today: str) -> bool:
    """Whether a valid comment asks for this finding to be left alone."""
    return next(_speaking([i for i in ignores if not i.fault and not _expired(i, today)], finding), None) is not None


def _speaking(ignores: Iterable[Ignore], finding: Finding) -> Iterator[tuple[Ignore, str]]:
    """Each comment that speaks of a finding, with the name it does so by."""
    names = (finding.rule, finding.rule.partition("/")[0])
    for one in ignores:
        for name in one.names:
            if name in names and any(one.covers(place.file, place.line) for place in finding.locations):
                yield one, name


def _expired(one: Ignore, today: str) -> bool:
    return bool(one.until) and one.until < today


def _faults(one: Ignore, names: Collection[str], today: str) -> Iterator[Finding]:
    if one.fault:
        yield _own("ignore-malformed", one, f"This comment does nothing: {one.fault}.")
        return
    if _expired(one, today):
        yield _own("ignore-expired", one, f"This comment held until {one.until}, and asks for nothing any more.")
    for name in one.names:
        if name not in names:
            near = nearest(name, sorted(names), otherwise="`queue-auditor rules` lists them")
            yield _own("ignore-unknown", one, f"There is no rule or group “{name}” to ignore; {near}")


def _unused(
    one: Ignore, used: Collection[str], names: Collection[str], asked: Collection[str], uncertain: Collection[str]
) -> Iterable[Finding]:
    for name in one.names:
        if name in used or name not in names or name == GROUP or name in OWN:
            continue
        meant = {rule for rule in asked if name in (rule, rule.partition("/")[0])}
        if meant and not meant & set(uncertain):
            yield _own(
                "unused-ignore", one, f"Nothing here is found by {name}: this comment has nothing left to ignore."
            )


def _own(name: str, one: Ignore, message: str) -> Finding:
    rule = f"{GROUP}/{name}"
    return Finding(
        rule=rule,
        severity=OWN[rule].severity,
        subject=one.file.rpartition("/")[2],
        message=message,
        locations=(Location(one.file, one.line, one.text),),
        key=content_key(rule, "", one.file, f"{message}\0{one.text}"),
    )
