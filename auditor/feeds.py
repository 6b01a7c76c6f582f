"""How bank feeds stand: the state of each, what to do, and by which day."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

import msgspec

from auditor.facts.backend import Probe
from auditor.facts.bank import BankFeed
from auditor.facts.invoiceninja import Ninja, NinjaState

STALE = 2.0
"""Days without data from which the bank sync is not running as it should: it runs at least twice a day."""
LOST = 5.0
"""Days without data from which a feed counts as dead, whatever the bank."""
SOON = 14.0
"""Days before the end of a consent from which it is told."""
URGENT = 3.0
"""Days before the end of a consent from which it is in danger."""
SILENT = 900.0
"""Seconds without a sign of the schedule from which it counts as silent; a sign comes every 300."""
RECONNECT = "connect the account again under Settings, Bank Accounts, with the bank's own login"
MEND = "see why the bank sync does not run (queue-auditor audit --live)"

STATES: Mapping[str, str] = {
    "fine": "data comes in",
    "watch": "something is not as it should be",
    "danger": "it is lost, or will be soon",
    "off": "nobody wants it synced",
    "unknown": "it cannot be told",
}
"""Each state of a feed, and what it means."""
_ORDER = ("danger", "watch", "unknown", "fine", "off")


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How one feed stands, and what to do."""

    feed: BankFeed
    """The feed."""
    state: str
    """One of STATES."""
    reason: str
    """Why, as a clause."""
    todo: str = ""
    """What to do, as a clause; "" for nothing."""
    by: str | None = None
    """The day by which; None for now, or for nothing."""


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """One InvoiceNinja, looked at."""

    ninja: Ninja
    """The app."""
    probes: tuple[Probe, ...]
    """How each question went."""
    state: NinjaState | None = None
    """What its database says of it; None where it did not answer."""
    standings: tuple[Standing, ...] = ()
    """Its feeds, those in danger first."""
    calls_per_day: float = 4.0
    """Calls that the provider grants for each account and kind of data a day."""

    @property
    def unanswered(self) -> tuple[Probe, ...]:
        """The questions that were not answered."""
        return tuple(probe for probe in self.probes if not probe.answered)

    @property
    def in_danger(self) -> bool:
        """Whether a feed is lost, or will be soon."""
        return any(standing.state == "danger" for standing in self.standings)


def standings(feeds: Sequence[BankFeed], ninja: Ninja) -> tuple[Standing, ...]:
    """How each feed stands, those in danger first."""
    return tuple(sorted((weigh(feed, ninja) for feed in feeds), key=lambda one: (_ORDER.index(one.state), one.feed.id)))


def weigh(feed: BankFeed, ninja: Ninja) -> Standing:
    """How one feed stands: its worst side counts."""
    if not feed.auto_sync:
        return Standing(feed=feed, state="off", reason="its automatic sync is switched off")
    for side in (_lost, _closing, _ending, _idle, _troubled):
        found = side(feed, ninja)
        if found is not None:
            return found
    return Standing(feed=feed, state="fine", reason=_since(feed))


def _lost(feed: BankFeed, _: Ninja) -> Standing | None:
    """What only a new consent mends, or a hand."""
    if feed.is_dead:
        return Standing(feed=feed, state="danger", reason=feed.trouble, todo=RECONNECT)
    if feed.disabled:
        why = f"; {feed.trouble}" if feed.trouble else ""
        reason = f"InvoiceNinja has turned it off, and asks for it no more{why}"
        todo = f"press Refresh once; where it stays off, {RECONNECT}"
        by = None if feed.is_unknown("idle_days") or feed.is_closed else feed.closes_on
        return Standing(feed=feed, state="danger", reason=reason, todo=todo, by=by)
    if feed.agreement_left is not None and feed.agreement_left <= 0:
        return Standing(feed=feed, state="danger", reason=f"the consent ended on {feed.ends_on}", todo=RECONNECT)
    return None


def _closing(feed: BankFeed, _: Ninja) -> Standing | None:
    """What the bank's own rule does to it."""
    if (
        feed.is_unknown("idle_days")
        or feed.closes_after_days is None
        or (feed.idle_days < STALE and not feed.is_closed)
    ):
        return None
    rule = f"{feed.bank} ends the access after {_days(feed.closes_after_days)} without data"
    if feed.is_closed:
        todo = f"first {MEND}, then {RECONNECT}"
        return Standing(feed=feed, state="danger", reason=f"{_since(feed)}, and {rule}", todo=todo)
    if feed.is_closing:
        todo = f"press Refresh once, which asks for data, and {MEND}"
        return Standing(feed=feed, state="danger", reason=f"{_since(feed)}, and {rule}", todo=todo, by=feed.closes_on)
    return None


def _ending(feed: BankFeed, _: Ninja) -> Standing | None:
    """What is left of its consent."""
    if feed.agreement_left is None or feed.agreement_left > SOON:
        return None
    state = "danger" if feed.agreement_left <= URGENT else "watch"
    reason = f"the consent ends on {feed.ends_on}, in {_days(feed.agreement_left)}"
    return Standing(feed=feed, state=state, reason=reason, todo=RECONNECT, by=feed.ends_on)


def _idle(feed: BankFeed, _: Ninja) -> Standing | None:
    """How long nothing has come."""
    if feed.is_unknown("idle_days"):
        reason = feed.mark("idle_days").reason or "when data last came is not known"
        todo = "look whether this week's transactions are there"
        return Standing(feed=feed, state="unknown", reason=reason, todo=todo)
    if feed.idle_days >= LOST:
        return Standing(feed=feed, state="danger", reason=_since(feed), todo=f"{MEND}; then press Refresh once")
    if feed.idle_days >= STALE:
        return Standing(feed=feed, state="watch", reason=_since(feed), todo=MEND, by=feed.closes_on)
    return None


def _troubled(feed: BankFeed, ninja: Ninja) -> Standing | None:
    """What its statuses say, though data has come."""
    if not feed.trouble:
        return None
    if (feed.provider_status or feed.status) == "ERROR":
        never = "; this release never asks for such an account again" if ninja.generation == "E" else ""
        todo = f"press Refresh once; where it stays so, {RECONNECT}"
        return Standing(feed=feed, state="danger", reason=f"{feed.trouble}{never}", todo=todo, by=feed.closes_on)
    return Standing(feed=feed, state="watch", reason=feed.trouble, todo="look again tomorrow", by=feed.closes_on)


def _since(feed: BankFeed) -> str:
    if feed.last_data is not None and feed.idle_days < 1:
        return "the last data came today"
    ago = f", {_days(feed.idle_days)} ago" if feed.idle_days >= 1 else ""
    return f"{feed.since}{ago}"


def _days(number: float) -> str:
    return f"{number:g} day{'' if number == 1 else 's'}"


def of_the_app(looked: Looked) -> tuple[str, ...]:
    """What is to be told of the app's own side (its keys, its schedule, its sync), as sentences without a full stop."""
    ninja, told = looked.ninja, []
    if not ninja.is_unknown("keys_missing") and ninja.keys_missing:
        told.append(f"{' and '.join(ninja.keys_missing)} not set, so that the bank sync does nothing")
    if not ninja.is_unknown("has_bank_sync") and not ninja.has_bank_sync:
        told.append("its schedule holds no bank sync")
    elif not ninja.is_unknown("syncs_per_day") and ninja.syncs_per_day:
        over = ninja.syncs_per_day > looked.calls_per_day
        calls = f"{looked.calls_per_day:g}"
        granted = f"more than the {calls} that the provider grants" if over else f"of {calls} that the provider grants"
        told.append(f"its bank sync asks each account {_times(ninja.syncs_per_day)} a day, {granted}")
    state = looked.state
    if state is not None and ninja.is_selfhost and not state.is_unknown("heartbeat_age"):
        age = datetime.timedelta(seconds=int(state.heartbeat_age))
        silent = state.heartbeat_age > SILENT
        told.append(
            f"its schedule {f'has given no sign for {age}: nothing runs it' if silent else f'gave a sign {age} ago'}"
        )
    return tuple(told)


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
