"""The pre-check of bank feeds: look at the app's database and, where asked for, at the provider; then say what to do."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from auditor.audit import look
from auditor.errors import UsageError
from auditor.facts.backend import Probe
from auditor.facts.bank import BankFeed, Banks
from auditor.facts.invoiceninja import Ninja, NinjaState
from auditor.facts.site import Site

STALE = 2.0
"""Days without data from which the bank sync is not running as it should: it runs at least once a day."""
LOST = 5.0
"""Days without data from which a feed counts as dead, whatever the bank."""
SOON = 14.0
"""Days before the end of a consent from which it is told."""
URGENT = 3.0
"""Days before the end of a consent from which it is in danger."""
SILENT = 900.0
"""Seconds without a sign of the schedule from which it counts as silent; a sign comes every 300."""
RECONNECT = "connect the account again under Settings, Bank Accounts, with the bank's own login"

STATES: dict[str, str] = {
    "fine": "data comes in",
    "watch": "something is not as it should be",
    "danger": "it is lost, or will be soon",
    "off": "nobody wants it synced",
    "unknown": "it cannot be told",
}
"""Each state of a feed, and what it means."""


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
    """One app, looked at."""

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
        return tuple(probe for probe in self.probes if probe.outcome != "ok")

    @property
    def in_danger(self) -> bool:
        """Whether a feed is lost, or will be soon."""
        return any(standing.state == "danger" for standing in self.standings)


class Wishes(NamedTuple):
    """What was asked for."""

    path: str
    """The host's root, or a repository."""
    apps: Sequence[str] = ()
    """Roots of apps below it; all that are found where none is named."""
    api: bool = False
    """Whether the provider is asked too."""
    api_url: str | None = None
    """Where it is; None for its own address."""
    banks: Path | None = None
    """A user's own table of banks."""


def check(wishes: Wishes, now: float) -> tuple[Looked, ...]:
    """Every InvoiceNinja there, looked at; raises UsageError where there is none, Unreadable, BanksRefused."""
    from auditor.sources.banks import load_banks

    banks = load_banks(wishes.banks)
    if wishes.api_url is not None:
        from auditor.sources.live.gocardless import check_url

        check_url(wishes.api_url)
    site = look(wishes.path, apps=wishes.apps)
    ninjas = [app.ninja for app in site.apps if app.ninja is not None]
    if not ninjas:
        where = ", ".join(wishes.apps) if wishes.apps else wishes.path
        raise UsageError(f"there is no InvoiceNinja in {where}; name its root folder with --app")
    return tuple(_check_one(site, ninja, banks, wishes, now) for ninja in ninjas)


def _check_one(site: Site, ninja: Ninja, banks: Banks, wishes: Wishes, now: float) -> Looked:
    from auditor.sources.invoiceninja import read_access
    from auditor.sources.live.bank import look_at_banks
    from auditor.sources.tree import Tree

    folder = "" if ninja.name == "." else ninja.name
    access = read_access(Tree(wishes.path), folder, kind=site.kind, ninja=ninja)
    calls = banks.provider.calls_per_day.figure
    if access.database is None:
        probe = Probe(kind="database", name="its database", app=ninja.name, outcome="unsupported", reason=access.why_not)
        return Looked(ninja=ninja, probes=(probe,), calls_per_day=calls)
    found = look_at_banks(access.database, banks, now, ninja.timezone)
    feeds, probes = found.feeds, [found.probe]
    if wishes.api and feeds:
        from auditor.sources.live.gocardless import API, ask_provider

        asked = ask_provider(feeds, access.key_id, access.key, url=wishes.api_url or API)
        feeds = asked.feeds
        probes.append(asked.probe)
    order = list(STATES)
    order.sort(key=("danger", "watch", "unknown", "fine", "off").index)
    standings = sorted((weigh(feed, ninja) for feed in feeds), key=lambda one: (order.index(one.state), one.feed.id))
    return Looked(
        ninja=ninja, probes=tuple(probes), state=found.state, standings=tuple(standings), calls_per_day=calls
    )  # fmt: skip


def weigh(feed: BankFeed, ninja: Ninja) -> Standing:
    """How a feed stands, its worst side first."""
    lost = _lost(feed)
    if lost is not None:
        return lost
    if not feed.auto_sync:
        return Standing(feed=feed, state="off", reason="its automatic sync is switched off")
    closing = _closing(feed)
    if closing is not None:
        return closing
    if feed.is_unknown("idle_days"):
        reason = feed.mark("idle_days").reason or "when data last came is not known"
        return Standing(feed=feed, state="unknown", reason=reason, todo="look whether transactions of this week are there")
    if feed.idle_days >= LOST:
        todo = "see why the bank sync does not run (queue-auditor audit); then press Refresh once"
        return Standing(feed=feed, state="danger", reason=_idle(feed), todo=todo)
    if feed.agreement_left is not None and feed.agreement_left <= SOON:
        state = "danger" if feed.agreement_left <= URGENT else "watch"
        reason = f"the consent ends on {feed.ends_on}, in {_days(feed.agreement_left)}"
        return Standing(feed=feed, state=state, reason=reason, todo=RECONNECT, by=feed.ends_on)
    if feed.idle_days >= STALE:
        todo = "see why the bank sync does not run (queue-auditor audit)"
        return Standing(feed=feed, state="watch", reason=_idle(feed), todo=todo, by=feed.closes_on)
    if feed.trouble:
        return _troubled(feed, ninja)
    return Standing(feed=feed, state="fine", reason=_idle(feed))


def _lost(feed: BankFeed) -> Standing | None:
    """What only a new consent mends."""
    if feed.is_dead:
        return Standing(feed=feed, state="danger", reason=feed.trouble, todo=RECONNECT)
    if feed.disabled:
        why = f"; {feed.trouble}" if feed.trouble else ""
        return Standing(
            feed=feed, state="danger", reason=f"InvoiceNinja has turned it off, and does not ask for it any more{why}",
            todo=f"press Refresh once; where it stays off, {RECONNECT}",
        )  # fmt: skip
    if feed.agreement_left is not None and feed.agreement_left <= 0:
        return Standing(feed=feed, state="danger", reason=f"the consent ended on {feed.ends_on}", todo=RECONNECT)
    return None


def _closing(feed: BankFeed) -> Standing | None:
    """What the bank's own rule does to it."""
    if feed.is_unknown("idle_days") or feed.closes_after_days is None:
        return None
    rule = f"{feed.bank} ends the access after {_days(feed.closes_after_days)} without data"
    if feed.is_closed:
        todo = f"mend the bank sync first (queue-auditor audit), then {RECONNECT}"
        return Standing(feed=feed, state="danger", reason=f"{_idle(feed)}, and {rule}", todo=todo)
    if feed.is_closing:
        todo = "press Refresh once today, and mend the bank sync (queue-auditor audit)"
        return Standing(feed=feed, state="danger", reason=f"{_idle(feed)}, and {rule}", todo=todo, by=feed.closes_on)
    return None


def _troubled(feed: BankFeed, ninja: Ninja) -> Standing:
    status = feed.provider_status or feed.status
    if status == "ERROR":
        never = "; this release does not ask for such an account again" if ninja.generation == "E" else ""
        return Standing(
            feed=feed, state="danger", reason=f"{feed.trouble}{never}",
            todo="press Refresh once; where it stays so, " + RECONNECT, by=feed.closes_on,
        )  # fmt: skip
    return Standing(feed=feed, state="watch", reason=feed.trouble, todo="look again tomorrow", by=feed.closes_on)


def _idle(feed: BankFeed) -> str:
    if feed.last_data is not None and feed.idle_days < 1:
        return "the last data came today"
    ago = f", {_days(feed.idle_days)} ago" if feed.idle_days >= 1 else ""
    return f"{feed.since}{ago}"


def _days(number: float) -> str:
    return f"{number:g} day{'' if number == 1 else 's'}"


def of_the_app(looked: Looked) -> tuple[str, ...]:
    """What is to be told of the app's own side: its keys, its schedule, its sync; sentences without a full stop."""
    ninja, told = looked.ninja, []
    known = [name for name in ("syncs_per_day", "sync_gap") if not ninja.is_unknown(name)]
    if len(known) == 2 and ninja.syncs_per_day:
        over = (
            f", more than the {looked.calls_per_day:g} that the provider grants"
            if ninja.syncs_per_day > looked.calls_per_day
            else f" of {looked.calls_per_day:g} that the provider grants"
        )
        told.append(f"the bank sync asks each account {ninja.syncs_per_day} times a day{over}")
    elif not ninja.is_unknown("has_bank_sync") and not ninja.has_bank_sync:
        told.append("its schedule holds no bank sync")
    if not ninja.is_unknown("keys_missing") and ninja.keys_missing:
        told.append(f"{' and '.join(ninja.keys_missing)} not set, so that the bank sync does nothing")
    state = looked.state
    if state is not None and ninja.is_selfhost and not state.is_unknown("heartbeat_age"):
        age = datetime.timedelta(seconds=int(state.heartbeat_age))
        if state.heartbeat_age > SILENT:
            told.append(f"its schedule has given no sign for {age}: cron does not run it")
        else:
            told.append(f"its schedule gave a sign {int(state.heartbeat_age)} s ago")
    return tuple(told)
