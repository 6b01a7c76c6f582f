"""What the logs told, over time: a kind of signature is a problem from its threshold on, until it has been quiet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from auditor.sources.logs.follow import Told
from auditor.sources.logs.signatures import Signature, Signatures
from auditor.watch.problems import Problem


class Events(msgspec.Struct):
    """What one log told of one kind."""

    log: str
    """The log's path."""
    kind: str
    """The kind of signature."""
    total: int = 0
    """All records there were since the watch began."""
    recent: list[tuple[float, int]] = []
    """When, and how many, within the signature's time."""
    last: float = 0.0
    """When the last were read."""
    sample: str = ""
    """The last one's first line, secrets hidden."""
    since: int = 0
    """How many since it became a problem; 0 while it is none."""


def heard(events: dict[str, Events], log: str, told: Mapping[str, Told], table: Signatures, now: float) -> None:
    """Take in what a look at a log told."""
    for kind, what in told.items():
        signature = table.named(kind)
        if signature is None:
            continue
        one = events.setdefault(f"{log}\t{kind}", Events(log, kind))
        one.total += what.count
        one.recent = [*_within(one, signature, now), (now, what.count)]
        one.last, one.sample = now, what.last
        if one.since:
            one.since += what.count
        elif sum(count for _, count in one.recent) >= signature.after:
            one.since = sum(count for _, count in one.recent)


def _within(one: Events, signature: Signature, now: float) -> list[tuple[float, int]]:
    return [(at, count) for at, count in one.recent if now - at < signature.within]


def problems(events: dict[str, Events], table: Signatures, now: float) -> Iterator[Problem]:
    """What is a problem now; what has been quiet for long enough is none any more."""
    for one in events.values():
        signature = table.named(one.kind)
        if signature is None or not one.since:
            continue
        if now - one.last >= signature.quiet:
            one.since, one.recent = 0, []
            continue
        records = "1 record" if one.since == 1 else f"{one.since:,} records"
        text = f"{one.log}: {signature.says} ({records}). The last: “{one.sample}”"
        yield Problem(f"log/{one.kind}", one.log, signature.severity, text, signature.advice, sure=True)
