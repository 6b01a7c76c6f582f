"""Bank feeds: what banks ask of those who read accounts, and how each feed of an app stands.

A feed's last data is not stored by the app. It follows from `from_date`: after each successful fetch the app sets it to
five days before that day; when an account is connected, or connected again, to ninety days before.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping

import msgspec

from auditor.facts.origin import Fact, derived

OVERLAP = 5
"""Days before a fetch to which the app sets from_date."""
HISTORY = 90
"""Days before a connection is made to which the app sets from_date."""

DEAD: Mapping[str, str] = {
    "EXPIRED": "the consent has ended",
    "SUSPENDED": "too many calls failed in a row",
    "Invalid Account ID": "the account is not known any more",
    "DELETED": "the account was deleted",
    "EX": "the consent has ended",
    "SU": "the requisition is suspended",
    "RJ": "the consent was refused",
}
"""Statuses after which only a new consent of the account's holder helps, and what each means."""
TROUBLED: Mapping[str, str] = {
    "ERROR": "the last access to the bank failed",
    "RATE_LIMITED": "the daily number of calls was used up",
    "TRANSIENT_ERROR": "the last call failed",
    "FAILED": "the last call failed",
}
"""Statuses that may pass, and what each means."""
FINE = ("", "READY", "LN")
"""Statuses of a feed that works; "" is none."""


class Figure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One number that a bank or a provider has named, with who said so and when."""

    figure: float
    """The number, in the unit that the field's name says."""
    source: str
    """An https address where it stands."""
    date: str
    """When it was said, as 2024-08-15."""


class Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing to know about a bank, with who said so and when."""

    text: str
    """A sentence."""
    source: str
    """An https address where it stands."""
    date: str
    """When it was said."""


class Provider(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the provider of the feeds asks, whatever the bank."""

    name: str
    """Its name."""
    calls_per_day: Figure
    """Successful calls in 24 hours, for each account and each kind of data (details, balances, transactions)."""
    agreement_days: Figure
    """Days that a consent lasts where the bank allows no more."""
    strikes: Figure
    """Failed calls in a row after which an account is suspended."""
    tokens_per_hour: Figure
    """Access tokens that may be asked for in an hour."""
    notes: tuple[Note, ...] = ()
    """What else is to be known."""


class Bank(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one bank asks."""

    institution: str
    """Its id with the provider, or the beginning of several with a star: "N26_*"."""
    name: str
    """As people call it."""
    ask_every_days: Figure | None = None
    """Days within which data must be asked for again; None where no such rule is known."""
    closes_after_days: Figure | None = None
    """Days without data after which the bank ends the access; None where no such rule is known."""
    agreement_days: Figure | None = None
    """Days that a consent lasts; None leaves the provider's."""
    notes: tuple[Note, ...] = ()
    """What else is to be known."""

    def fits(self, institution: str) -> bool:
        """Whether this is that institution."""
        if self.institution.endswith("*"):
            return institution.startswith(self.institution[:-1])
        return institution == self.institution


class Consent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When the holder of an account consented, as the user says: the app does not store it."""

    feed: int
    """The feed's number: `bank_integrations.id`."""
    accepted: str
    """The day, as 2026-06-01."""
    days: float | None = None
    """How long it lasts; None leaves the bank's."""


class Banks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole table: the provider, the banks that are known to ask more, and the user's consents."""

    provider: Provider
    """Who connects to the banks."""
    banks: tuple[Bank, ...] = ()
    """The first that fits an institution counts."""
    consents: tuple[Consent, ...] = ()
    """When the holders consented, where the user says so."""

    def of(self, institution: str) -> Bank | None:
        """What is known of that bank."""
        return next((bank for bank in self.banks if bank.fits(institution)), None)


class BankFeed(Fact, frozen=True):
    """One connected account of an InvoiceNinja (a row of `bank_integrations`), as its database has it now."""

    name: str = ""
    """The bank and the account's last digits, and the feed's number: "Rabobank …4300 (feed 1)"."""
    app: str = ""
    """Root folder of the app."""
    id: int = 0
    """Its number, `bank_integrations.id`."""
    institution: str = ""
    """The provider's id of the bank: "RABOBANK_RABONL2U"."""
    bank: str = ""
    """The bank's name."""
    account: str = ""
    """The provider's id of the account, which is of no use without the app's keys."""
    requisition: str = ""
    """The provider's id of the consent, where the app keeps it."""
    status: str = ""
    """`bank_account_status`, as the app last saved it."""
    disabled: bool = False
    """`disabled_upstream`: the bank sync passes over it until the account is connected again."""
    auto_sync: bool = True
    """Whether the user wants it synced."""

    today: str = ""
    """The day on which it was looked at, in the app's time zone: "2026-09-04"."""
    last_data: str | None = None
    """The day of the last successful fetch; None where there was none since it was connected."""
    connected: str | None = None
    """The day it was connected, where nothing was fetched since; None elsewhere."""
    idle_days: float = 0.0
    """Whole days since the last data, or since it was connected where there was none."""

    ask_every_days: float | None = None
    """Days within which this bank wants data asked for again; None where no such rule is known."""
    closes_after_days: float | None = None
    """Days without data after which this bank ends the access; None where no such rule is known."""
    accepted: str | None = None
    """The day of the consent; None where it is not known."""
    agreement_days: float = 90.0
    """Days that the consent lasts."""
    agreement_left: float | None = None
    """Days until it ends, below 0 where it has ended; None where the day of the consent is not known."""
    provider_status: str = ""
    """The account's status as the provider told it; "" where it was not asked."""
    requisition_status: str = ""
    """The requisition's status as the provider told it; "" where it was not asked."""

    last_accessed: str = ""
    """The day on which the account was last accessed, as the provider told it; "" where it was not asked."""

    @derived("status", "provider_status", "requisition_status")
    def trouble(self) -> str:
        """What its statuses tell, as a clause; "" where nothing is wrong."""
        for status in (self.provider_status, self.requisition_status, self.status):
            if status in DEAD:
                return f"its status is {status}: {DEAD[status]}"
        # What the provider says now counts more than what the app once saved.
        for status in (self.provider_status, *(() if self.provider_status else (self.status,))):
            if status in TROUBLED:
                return f"its status is {status}: {TROUBLED[status]}"
            if status not in FINE:
                return f"its status is {status}"
        return ""

    @derived("status", "provider_status", "requisition_status")
    def is_dead(self) -> bool:
        """Whether its status says that only a new consent helps."""
        return any(status in DEAD for status in (self.status, self.provider_status, self.requisition_status))

    @derived("auto_sync", "disabled")
    def is_synced(self) -> bool:
        """Whether the bank sync asks for it."""
        return self.auto_sync and not self.disabled

    @derived("closes_after_days", "idle_days")
    def days_left(self) -> float | None:
        """Days until the bank ends the access, 0 or less where it has by now; None where no such rule is known."""
        return None if self.closes_after_days is None else self.closes_after_days - self.idle_days

    @derived("closes_after_days", "idle_days")
    def is_closed(self) -> bool:
        """Whether the bank has ended the access, by its own rule."""
        return self.closes_after_days is not None and self.idle_days >= self.closes_after_days

    @derived("closes_after_days", "idle_days")
    def is_closing(self) -> bool:
        """Whether the bank ends the access within two days, by its own rule."""
        return self.closes_after_days is not None and self.closes_after_days - self.idle_days <= 2

    @derived("closes_after_days", "idle_days", "today")
    def closes_on(self) -> str | None:
        """The day on which the bank ends the access; None where no such rule is known."""
        if self.closes_after_days is None or not self.today:
            return None
        day = datetime.date.fromisoformat(self.today)
        return (day + datetime.timedelta(days=self.closes_after_days - self.idle_days)).isoformat()

    @derived("closes_after_days")
    def closing_told(self) -> str:
        """The bank's rule as a sentence goes on with it; "" where none is known."""
        if self.closes_after_days is None:
            return ""
        return f", and this bank ends the access after {self.closes_after_days:g} days without data"

    @derived("agreement_left", "today")
    def ends_on(self) -> str | None:
        """The day on which the consent ends; None where its beginning is not known."""
        if self.agreement_left is None or not self.today:
            return None
        return (datetime.date.fromisoformat(self.today) + datetime.timedelta(days=self.agreement_left)).isoformat()

    @derived("last_data", "connected")
    def since(self) -> str:
        """Since when there has been no data, as a clause."""
        if self.last_data is not None:
            return f"the last data came on {self.last_data}"
        return f"no data has come since it was connected on {self.connected}" if self.connected else "no data has come"
