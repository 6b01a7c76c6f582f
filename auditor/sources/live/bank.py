"""Bank feeds and the app's own signs of life, read from an InvoiceNinja's database.

Three short statements on small tables (`bank_integrations`, `accounts`, `failed_jobs`), in the same read-only sessions
and within the same limits as the queue's. Names of account holders, account numbers and balances are not asked for, but
for the last digits by which a person tells one account from another.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from auditor.facts.backend import Endpoint, Probe
from auditor.facts.bank import HISTORY, OVERLAP, BankFeed, Banks
from auditor.facts.invoiceninja import NinjaState
from auditor.sources.live.access import LIMITS, Access, Limits
from auditor.sources.live.jobs import Denied, Row, Session
from auditor.sources.live.looking import Clock, NoAnswer, look
from auditor.sources.live.witness import seen

KIND = "feeds"
"""Kind of the probe of an InvoiceNinja's bank feeds."""
MOST_FEEDS = 500
"""Feeds that are read at most."""
MOST_ACCOUNTS = 100
"""Rows of `accounts` that are looked at; a self-hosted app has one."""
FAILED_CAP = 1_001
"""Failed jobs that are counted at most."""

_COLUMNS = (
    "id", "provider_name", "bank_account_number", "bank_account_status", "from_date", "disabled_upstream", "auto_sync",
    "nordigen_account_id", "nordigen_institution_id", "created_at", "updated_at",
)  # fmt: skip
_OPTIONAL = ("requisition_id",)


class FeedLook(NamedTuple):
    """What came of a look at one InvoiceNinja's database."""

    probe: Probe
    """How it went."""
    feeds: tuple[BankFeed, ...] = ()
    """Every feed that is not deleted, by number."""
    state: NinjaState | None = None
    """What it says of the app; None where it did not answer."""


def look_at_feeds(access: Access, banks: Banks, now: float, zone: str = "UTC", limits: Limits = LIMITS) -> FeedLook:
    """Ask one database; `now` is in seconds since 1970, `zone` the app's time zone. Never raises."""
    end = access.endpoint

    def ask(clock: Clock) -> tuple[tuple[BankFeed, ...], NinjaState]:
        with _session(access, limits, clock) as session:
            return _Asking(session, end, banks, now, _zone(zone)).everything()

    found = look(ask, limits.total, access.password)
    probe = found.probe(KIND, end.name, end.app)
    return FeedLook(probe, *found.value) if found.value is not None else FeedLook(probe)


@contextmanager
def _session(access: Access, limits: Limits, clock: Clock) -> Iterator[Session]:
    kind = access.endpoint.kind
    if kind == "sqlite":
        from auditor.sources.live.sqlite import opened

        with opened(access.endpoint.path, clock) as file:
            yield file
    elif kind in ("mysql", "mariadb"):
        from auditor.sources.live.database import opened as connected

        with connected(access, limits, clock) as session:
            yield session
    else:
        told = kind or "a driver of no name"
        raise NoAnswer("unsupported", f"InvoiceNinja is looked at in MySQL, MariaDB and SQLite, not in {told}")


class _Asking:
    def __init__(self, session: Session, end: Endpoint, banks: Banks, now: float, zone: datetime.tzinfo | None) -> None:
        self.session = session
        self.end = end
        self.banks = banks
        self.now = now
        self.zone = zone
        self.today = datetime.datetime.fromtimestamp(now, zone or datetime.UTC).date()

    def everything(self) -> tuple[tuple[BankFeed, ...], NinjaState]:
        return self.feeds(), self.state()

    def table(self, name: str) -> str:
        quote = self.session.quote
        return f"{quote}{(self.end.prefix + name).replace(quote, quote * 2)}{quote}"

    def columns(self, name: str) -> Mapping[str, str] | None:
        try:
            return self.session.columns(self.end.prefix + name)
        except Denied:
            raise NoAnswer("auth", f"its user may not read the table {self.end.prefix}{name}") from None

    def rows(self, name: str, statement: str) -> Sequence[Row]:
        try:
            return self.session.rows(statement)
        except Denied:
            raise NoAnswer("auth", f"its user may not read the table {self.end.prefix}{name}") from None

    def feeds(self) -> tuple[BankFeed, ...]:
        name = "bank_integrations"
        columns = self.columns(name)
        if columns is None:
            raise NoAnswer(
                "unsupported", f"it has no table {self.end.prefix}{name}: it is no InvoiceNinja's, or an old one's"
            )
        if missing := [column for column in _COLUMNS if column not in columns]:
            raise NoAnswer(
                "unsupported", f"its table {self.end.prefix}{name} has no column {missing[0]}: it is an older one"
            )
        wanted = [*_COLUMNS, *(column for column in _OPTIONAL if column in columns)]
        conditions = ["integration_type = 'NORDIGEN'"]
        conditions += ["is_deleted = 0"] if "is_deleted" in columns else []
        conditions += ["deleted_at IS NULL"] if "deleted_at" in columns else []
        found = self.rows(
            name,
            f"SELECT {', '.join(wanted)} FROM {self.table(name)} "  # noqa: S608
            f"WHERE {' AND '.join(conditions)} ORDER BY id LIMIT {MOST_FEEDS}",
        )
        return tuple(self.feed(dict(zip(wanted, row, strict=True))) for row in found)

    def feed(self, row: Mapping[str, Any]) -> BankFeed:
        number = int(row["id"])
        institution = _text(row["nordigen_institution_id"])
        known = self.banks.of(institution)
        bank = (known.name if known is not None else "") or _text(row["provider_name"]) or institution or "a bank"
        digits = "".join(c for c in _text(row["bank_account_number"]) if c.isalnum())[-4:]
        values: dict[str, Any] = {
            "app": self.end.app,
            "id": number,
            "institution": institution,
            "bank": bank,
            "account": _text(row["nordigen_account_id"]),
            "requisition": _text(row.get("requisition_id")),
            "status": _text(row["bank_account_status"]),
            "disabled": bool(int(row["disabled_upstream"] or 0)),
            "auto_sync": bool(int(row["auto_sync"] or 0)),
            "today": self.today.isoformat(),
        }
        missing: dict[str, str] = {}
        self.data(row, values, missing)
        self.asked(number, institution, values)
        return seen(BankFeed, missing, name=f"{bank}{f' …{digits}' if digits else ''} (feed {number})", **values)

    def data(self, row: Mapping[str, Any], values: dict[str, Any], missing: dict[str, str]) -> None:
        """When data last came, from from_date and its two exceptions."""
        from_date = _day(row["from_date"], None)
        created, updated = _day(row["created_at"], self.zone), _day(row["updated_at"], self.zone)
        if from_date is None:
            reason = "its from_date is empty, so when data last came is not told"
        else:
            last = from_date + datetime.timedelta(OVERLAP)
            connected = from_date + datetime.timedelta(HISTORY)
            a_day = datetime.timedelta(1)
            too_late = last > self.today + a_day
            too_early = created is not None and connected < created - a_day
            reason = (
                "its from_date was set by hand, so when data last came is not told" if too_late or too_early else ""
            )
            # Ninety days before a connection look like five days before a fetch of long ago. The fetch it cannot be
            # where that lies before the feed was made; and nobody connected it where the row was not written to since.
            if connected <= self.today + a_day and (
                (created is not None and last < created - a_day) or updated is None or updated >= connected - a_day
            ):
                start = min(connected, self.today)
                values["connected"] = start.isoformat()
            else:
                start = last
                values["last_data"] = last.isoformat()
            values["idle_days"] = float(max((self.today - start).days, 0))
        if reason:
            missing |= dict.fromkeys(("last_data", "connected", "idle_days"), reason)

    def asked(self, number: int, institution: str, values: dict[str, Any]) -> None:
        """What the bank asks, and when the consent ends, where the user says when it was given."""
        bank = self.banks.of(institution)
        days = self.banks.provider.agreement_days.figure
        if bank is not None:
            for field in ("ask_every_days", "closes_after_days"):
                figure = getattr(bank, field)
                if figure is not None:
                    values[field] = figure.figure
            days = bank.agreement_days.figure if bank.agreement_days is not None else days
        consent = next((one for one in self.banks.consents if one.feed == number), None)
        if consent is not None:
            days = consent.days if consent.days is not None else days
            accepted = datetime.date.fromisoformat(consent.accepted)
            values["accepted"] = consent.accepted
            values["agreement_left"] = days - (self.today - accepted).days
        values["agreement_days"] = days

    def state(self) -> NinjaState:
        missing: dict[str, str] = {}
        values: dict[str, Any] = {"app": self.end.app, "now": self.now}
        self.heartbeat(values, missing)
        self.failed(values, missing)
        values["has_cache_table"] = self.columns("cache") is not None
        return seen(NinjaState, missing, name=self.end.name, **values)

    def heartbeat(self, values: dict[str, Any], missing: dict[str, str]) -> None:
        fields = ("scheduler_ever_ran", "heartbeat_age")
        columns = self.columns("accounts")
        if columns is None or not {"is_scheduler_running", "updated_at"} <= set(columns):
            missing |= dict.fromkeys(fields, "its table of accounts is not InvoiceNinja's")
            return
        table = self.table("accounts")
        rows = self.rows(
            "accounts",
            f"SELECT is_scheduler_running, updated_at FROM {table} ORDER BY id LIMIT {MOST_ACCOUNTS}",  # noqa: S608
        )
        if not rows:
            missing |= dict.fromkeys(fields, "it has no account yet")
            return
        values["scheduler_ever_ran"] = any(int(row[0] or 0) for row in rows)
        moments = [moment.timestamp() for row in rows if (moment := _moment(row[1], self.zone)) is not None]
        if moments:
            values["heartbeat_age"] = max(self.now - max(moments), 0.0)
        else:
            missing["heartbeat_age"] = "when an account was last written to is not told"

    def failed(self, values: dict[str, Any], missing: dict[str, str]) -> None:
        if self.columns("failed_jobs") is None:
            missing["failed_jobs"] = "its table of failed jobs is not there"
            return
        rows = self.rows(
            "failed_jobs",
            f"SELECT COUNT(*) FROM (SELECT 1 AS one FROM {self.table('failed_jobs')} LIMIT {FAILED_CAP}) counted",  # noqa: S608
        )
        values["failed_jobs"] = int(rows[0][0])


def _zone(name: str) -> datetime.tzinfo | None:
    """The time zone of that name; None where it is not known here."""
    if name.upper() in ("", "UTC"):
        return datetime.UTC
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _moment(value: object, zone: datetime.tzinfo | None) -> datetime.datetime | None:
    """A wall clock's time as the app writes it, without a zone, in the app's zone; None where it is none."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        try:
            value = datetime.datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if not isinstance(value, datetime.datetime) or zone is None:
        return None
    return value.replace(tzinfo=zone) if value.tzinfo is None else value


def _day(value: object, zone: datetime.tzinfo | None) -> datetime.date | None:
    """A day, from a date or a time of the app's own clock."""
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    found = _moment(value, zone or datetime.UTC)
    return found.date() if found is not None else None


def _text(value: object) -> str:
    """A short text on one line, whatever the column holds."""
    if value is None:
        return ""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return " ".join("".join(c if c.isprintable() else " " for c in text[:200]).split())
