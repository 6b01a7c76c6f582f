"""One round: look, judge, read the logs on, and put together what is wrong now. The state it gives is kept whole, or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from auditor import audit
from auditor.errors import AuditorError, Unreadable, UsageError
from auditor.facts.live import Live
from auditor.facts.site import Site
from auditor.findings import Finding, Severity, Verdict
from auditor.judge.rulebook import Rulebook
from auditor.notify.message import Change
from auditor.sources.logs.follow import look as look_at_log
from auditor.sources.logs.formats import Form, forms
from auditor.sources.logs.places import LogPlace, log_places
from auditor.sources.logs.signatures import Signatures
from auditor.sources.tree import Tree
from auditor.suppress.whole import Lived
from auditor.watch import events, trends
from auditor.watch.problems import Policy, Problem, Track, follow
from auditor.watch.state import State

FORGET = 86_400.0
"""Seconds after which a log that the site no longer names is forgotten."""


class Sight:
    """What a watch looks at, and what it judges by."""

    def __init__(
        self,
        path: str,
        rules: Rulebook,
        lived: Lived,
        table: Signatures,
        *,
        apps: Sequence[str] = (),
        kind: str | None = None,
        live: bool = True,
        banks: Sequence[str] = (),
        policy: Policy = Policy(),  # noqa: B008 - it is frozen
    ) -> None:
        """Of the folder `path`."""
        self.path = path
        self.rules = rules
        self.lived = lived
        self.table = table
        self.apps = tuple(apps)
        self.kind = kind
        self.live = live
        self.banks = tuple(banks)
        self.policy = policy
        self.forms: Mapping[str, Form] = forms(table)
        self.places: tuple[LogPlace, ...] = ()
        self.needs_live = frozenset(rule.id for rule in rules if rule.live)

    def look(self, now: float) -> tuple[Site, Verdict]:
        """The site and what stands against it, less what someone chose to live with; raises AuditorError."""
        moment = now if self.live else None
        # Logs are followed line by line in _read_logs: what their ends tell would be told twice.
        site = audit.look(
            self.path, apps=self.apps, kind=self.kind, live=self.live, now=moment, banks=self.banks, logs=False
        )
        verdict = audit.live_with(audit.judge(site, self.rules), site, self.rules, self.lived)
        self.places = log_places(site)
        return site, verdict


class Seen(msgspec.Struct):
    """What one round saw."""

    time: float
    """When it began, in seconds since 1970."""
    seconds: float = 0.0
    """How long it took."""
    failure: str = ""
    """Why the site could not be looked at, as a sentence; "" where it could."""
    live: Live | None = None
    """What the running system said."""
    present: dict[str, Problem] = {}
    """What is wrong at this moment, told or not."""
    tracks: dict[str, Track] = {}
    """Every problem over time."""
    changes: list[Change] = []
    """What is new or over."""
    log_bytes: int = 0
    """Bytes of logs that were read."""
    lost: list[str] = []
    """Why lines of a log may be missing, a sentence each."""

    def open(self) -> list[Track]:
        """The problems that were told and are not over, gravest first."""
        return sorted((one for one in self.tracks.values() if one.open), key=lambda one: -one.severity.rank)


def make_round(
    sight: Sight, state: State, now: float, stopped: Callable[[], bool] = bool, *, first: bool = False
) -> Seen:
    """Make one; `state` is brought up to date, and is to be thrown away where this raises.

    The `first` one of a watch raises UsageError where what was asked for makes no sense.
    """
    begun = time.monotonic()
    seen = Seen(now)
    problems: list[Problem] = []
    without: tuple[str, ...] = ()
    uncounted: frozenset[str] = frozenset()
    verdict = Verdict()
    try:
        site, verdict = sight.look(now)
    except Exception as error:
        if first and isinstance(error, UsageError):
            raise
        seen.failure = _why(error)
        problems.append(
            Problem("watch/cannot-look", sight.path, Severity.ERROR, f"The site cannot be looked at: {seen.failure}")
        )
    else:
        seen.live = site.live
        problems += map(_as_problem, verdict.findings)
        if site.live is not None:
            silent = {f"{p.kind} {p.name}" for p in site.live.probes if p.outcome not in ("ok", "unsupported")}
            without = tuple(sorted(silent))
            trends.sampled(state.queues, state.starts, site.live, now)
            uncounted = trends.uncounted(site.live)
    problems += trends.problems(state.queues, state.starts)
    _read_logs(sight, state, seen, stopped)
    problems += events.problems(state.events, sight.table, now)
    for problem in problems:
        shown = problem.writable()
        held = seen.present.get(shown.key)
        if held is None or shown.severity.rank > held.severity.rank:
            seen.present[shown.key] = shown
    skipped = {(one.rule, one.subject) for one in verdict.skipped}

    def unsure(_key: str, track: Track) -> bool:
        """Whether it could not be looked for: a rule was not judged, or what it asks did not answer as it did then."""
        if track.rule.startswith("log/"):
            return False
        if seen.failure or (track.rule == trends.RULES[0] and track.subject in uncounted):
            return True
        asks = track.rule in sight.needs_live or track.rule in trends.RULES
        return (track.rule, track.subject) in skipped or (asks and not set(without) <= set(track.without))

    seen.changes = follow(state.tracks, seen.present, now, sight.policy, without=without, unsure=unsure)
    seen.tracks = state.tracks
    state.rounds += 1
    state.last = now
    seen.seconds = time.monotonic() - begun
    return seen


def _why(error: Exception) -> str:
    """As a sentence; of what nobody foresaw the kind alone, for its text may hold anything."""
    if isinstance(error, AuditorError):
        return f"{str(error).rstrip('.')}."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}."
    return f"It failed unforeseen ({type(error).__name__})."


def _as_problem(finding: Finding) -> Problem:
    return Problem(
        finding.rule, finding.subject, finding.severity, finding.message, finding.advice, place=finding.file, sure=False
    )


def _read_logs(sight: Sight, state: State, seen: Seen, stopped: Callable[[], bool]) -> None:
    for place, path in _located(sight):
        known = state.logs.get(place.path)
        looked = look_at_log(path, known, sight.forms[place.form], seen.time, stopped=stopped)
        state.logs[place.path] = looked.log
        seen.log_bytes += looked.size
        if looked.lost:
            seen.lost.append(looked.lost)
        events.heard(state.events, place.path, looked.told, sight.table, seen.time)
    named = {place.path for place in sight.places}
    if named:
        for key, one in list(state.events.items()):
            if one.log not in named and not one.since and seen.time - one.last >= FORGET:
                del state.events[key]
        for path in [path for path in state.logs if path not in named and not _heard_lately(state, path, seen.time)]:
            del state.logs[path]


def _heard_lately(state: State, path: str, now: float) -> bool:
    return any(one.log == path and now - one.last < FORGET for one in state.events.values())


def _located(sight: Sight) -> Iterator[tuple[LogPlace, str]]:
    """Each log, and where its folder lies on this machine, symlinks taken inside the root."""
    tree = Tree(sight.path)
    for place in sight.places:
        folder, _, name = place.path.rpartition("/")
        try:
            where = tree.host_path(place.path)
        except FileNotFoundError:
            try:
                where = f"{tree.host_path(folder)}/{name}"
            except (OSError, Unreadable, ValueError):
                continue
        except (OSError, Unreadable, ValueError):
            continue
        yield place, where
