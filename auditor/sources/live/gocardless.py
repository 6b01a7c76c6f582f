"""GoCardless Bank Account Data, asked how the feeds stand, with the app's own keys, and without spending their quota.

Four kinds of question, none of which reaches a bank: one access token, each account's metadata, the list of
requisitions, and each feed's agreement. Details, balances and transactions are never asked for: of those the provider
grants four calls a day (developer.gocardless.com/bank-account-data/endpoints). It is asked over https alone, follows no
redirect, and takes no address from an answer.
"""

from __future__ import annotations

import contextlib
import datetime
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from auditor import __version__
from auditor.errors import UsageError
from auditor.facts.backend import Probe
from auditor.facts.bank import BankFeed
from auditor.facts.origin import observed, unknown
from auditor.sources.invoiceninja import BANK_KEYS
from auditor.sources.live.access import NO_SECRET, Secret
from auditor.sources.live.app_settings import AppSettings
from auditor.sources.live.looking import Clock, NoAnswer, look

API = "https://bankaccountdata.gocardless.com/api/v2"
"""Where it is."""
TOTAL = 30.0
"""Seconds for everything together."""
READ = 8.0
"""Seconds for one answer."""
MOST_FEEDS = 60
"""Accounts that are asked for at most: the limit of reads is a hundred a minute."""
PAGE = 100
"""Requisitions that one answer holds."""
MOST_PAGES = 5
"""Pages of requisitions that are read at most."""
MOST_BYTES = 1024 * 1024
"""No answer is read further."""

_ID = re.compile(r"[A-Za-z0-9-]{8,64}\Z")
_SECONDS = re.compile(r"(?:try again )?in (\d{1,6}) seconds", re.IGNORECASE)
_LEFT = "HTTP_X_RATELIMIT_REMAINING"
_RESETS = ("HTTP_X_RATELIMIT_RESET", "X-RateLimit-Reset", "Retry-After")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Asked(NamedTuple):
    """What came of asking."""

    probe: Probe
    """How it went."""
    feeds: tuple[BankFeed, ...]
    """The feeds with what the provider told; what it did not is unknown, with the reason."""


def check_url(url: str) -> str:
    """An address that keys may be sent to, without its last slash; raises UsageError."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise UsageError(f"{url} is no address") from None
    if parts.username is not None or parts.query or parts.fragment:
        raise UsageError("the address of the API holds no user, question or fragment")
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)):
        raise UsageError(f"keys are sent over https alone, or to this machine itself: {url} is neither")
    return url.rstrip("/")


class Keys(NamedTuple):
    """An app's two keys for the provider; empty where they are not set, or not known."""

    id: Secret
    """The first, NORDIGEN_SECRET_ID."""
    key: Secret
    """The second, NORDIGEN_SECRET_KEY."""


def keys_of(settings: AppSettings) -> Keys:
    """The keys that an InvoiceNinja's configuration holds."""
    found = []
    for name in BANK_KEYS:
        try:
            found.append(Secret(settings.text("ninja", "nordigen", name)))
        except NoAnswer:
            found.append(NO_SECRET)
    return Keys(*found)


def ask_provider(
    feeds: Sequence[BankFeed], keys: Keys, *, url: str = API, total: float = TOTAL, read: float = READ
) -> Asked:
    """Ask for the state of these feeds' accounts, requisitions and agreements; never raises but for a wrong address."""
    base = check_url(url)
    told = _Told({}, [], {}, {})

    def ask(clock: Clock) -> None:
        if not keys.id or not keys.key:
            raise NoAnswer("auth", "the app has no keys for it, or they are not known")
        _Asking(_Client(base, clock, read), told).everything(feeds, keys)

    found = look(ask, total, keys.key)
    reason = keys.id.hide(found.reason)
    probe = msgspec.structs.replace(found.probe("gocardless", base), reason=reason)
    return Asked(probe, tuple(_joined(feed, told, reason or "it was not asked") for feed in feeds))


class _Told(NamedTuple):
    """What has been told so far."""

    accounts: dict[str, Mapping[str, Any]]
    """Account to its metadata."""
    requisitions: list[Mapping[str, Any]]
    """Every requisition, as listed."""
    agreements: dict[str, Mapping[str, Any]]
    """Agreement to what it says."""
    failed: dict[str, str]
    """Account to why nothing is known of it."""


class _Client:
    """Requests with a time-out each; an answer that is none is a NoAnswer."""

    def __init__(self, base: str, clock: Clock, read: float) -> None:
        import urllib.request

        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_: Any) -> None:
                """Follow none: the token is for this server alone."""

        self.base = base
        self.clock = clock
        self.read = read
        self.opener = urllib.request.build_opener(Stay)
        self.token: Secret | None = None
        self.rest: int | None = None
        """Seconds until it may be asked again, where it has said that no call is left; None while one is."""

    def post(self, path: str, body: Mapping[str, str]) -> Mapping[str, Any]:
        return self.call(path, msgspec.json.encode(body))

    def get(self, path: str) -> Mapping[str, Any]:
        return self.call(path, None)

    def call(self, path: str, body: bytes | None) -> Mapping[str, Any]:
        import urllib.error
        import urllib.request

        if self.rest is not None:
            raise _Refused(429, "", self.rest or None)
        headers = {"Accept": "application/json", "User-Agent": f"queue-auditor/{__version__}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token.reveal()}"
        request = urllib.request.Request(f"{self.base}/{path}", body, headers)  # noqa: S310 - check_url() saw it
        try:
            with self.opener.open(request, timeout=self.clock.within(self.read)) as answer:
                return self.taken(answer)
        except urllib.error.HTTPError as error:
            with contextlib.closing(error):
                raise self.refused(error) from None
        except urllib.error.URLError as error:
            if isinstance(error.reason, OSError):
                raise error.reason from None  # what it is, is told by its own class
            raise NoAnswer("refused", "it cannot be reached") from None

    def taken(self, answer: Any) -> Mapping[str, Any]:
        if answer.headers.get(_LEFT) == "0":
            self.rest = _wait(answer.headers) or 0
        data = self.all_of(answer)
        if len(data) > MOST_BYTES:
            raise NoAnswer("protocol", "its answer is longer than any of its answers is")
        found = _object(data)
        if found is None:
            raise NoAnswer("protocol", "what answers there is not the Bank Account Data API")
        return found

    def all_of(self, answer: Any) -> bytes:
        """An answer's body, read piece by piece: a server that sends a byte each second is given up in time."""
        data = b""
        while len(data) <= MOST_BYTES:
            self.clock.within(self.read)
            piece = answer.read1(64 * 1024)
            if not piece:
                break
            data += piece
        return data

    def refused(self, error: Any) -> _Refused:
        """An answer that is an error: its status, and what it says."""
        data = b""
        with contextlib.suppress(OSError, ValueError):
            data = self.all_of(error)
        body = _object(data) or {}
        words = " ".join(str(body.get(name, "")) for name in ("summary", "detail", "type"))
        wait = _wait(error.headers)
        if wait is None and (found := _SECONDS.search(words)):
            wait = int(found[1])
        return _Refused(int(error.code), words[:400], wait)


def _wait(headers: Any) -> int | None:
    """Seconds until it may be asked again, as its headers say."""
    told = (headers.get(name, "") for name in _RESETS)
    return next((int(value) for value in told if value.isdecimal() and len(value) < 8), None)


class _Refused(NoAnswer):
    """An answer with an error's status, and what follows from it."""

    def __init__(self, status: int, words: str, wait: int | None) -> None:
        outcome, reason = _STATUSES.get(status, ("protocol", f"it answers with error {status}"))
        if status >= 500:
            outcome, reason = "gone", f"it is out of order (error {status})"
        if 300 <= status < 400:
            outcome, reason = "protocol", "it sends us elsewhere, where the keys are not meant for"
        if status == 429 and wait is not None:
            reason = f"{reason}; it can be asked again in {wait} s"
        super().__init__(outcome, reason)
        self.status = status
        self.words = words


_STATUSES: Mapping[int, tuple[str, str]] = {
    401: ("auth", "it refuses the app's keys, or the token it gave for them"),
    402: ("refused", "its free tier is used up"),
    403: ("auth", "it does not let this address in, or not with these keys"),
    429: ("refused", "its limit of calls is used up"),
}
"""Status of an answer to outcome and reason."""


class _Asking:
    def __init__(self, client: _Client, told: _Told) -> None:
        self.client = client
        self.told = told

    def everything(self, feeds: Sequence[BankFeed], keys: Keys) -> None:
        answer = self.client.post("token/new/", {"secret_id": keys.id.reveal(), "secret_key": keys.key.reveal()})
        token = answer.get("access")
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            raise NoAnswer("protocol", "it gives no token")
        self.client.token = Secret(token)
        wanted = list(dict.fromkeys(feed.account for feed in feeds))
        for account in wanted[:MOST_FEEDS]:
            self.account(account)
        self.told.failed.update(dict.fromkeys(wanted[MOST_FEEDS:], f"no more than {MOST_FEEDS} accounts are asked for"))
        self.requisitions()
        for feed in feeds:
            requisition = requisition_of(feed, self.told.requisitions)
            agreement = str(requisition.get("agreement") or "") if requisition is not None else ""
            if _ID.match(agreement) and agreement not in self.told.agreements:
                with contextlib.suppress(_Gone):
                    self.told.agreements[agreement] = self.asked(f"agreements/enduser/{agreement}/")

    def account(self, account: str) -> None:
        if not _ID.match(account):
            self.told.failed[account] = "its account has no id that the provider could know"
            return
        try:
            self.told.accounts[account] = self.asked(f"accounts/{account}/")
        except _Gone as problem:
            if problem.meaning:
                self.told.accounts[account] = {"status": problem.meaning}
            else:
                self.told.failed[account] = problem.reason

    def requisitions(self) -> None:
        for page in range(MOST_PAGES):
            answer = self.asked(f"requisitions/?limit={PAGE}&offset={page * PAGE}")
            results = answer.get("results")
            if not isinstance(results, list):
                raise NoAnswer("protocol", "its list of requisitions is none")
            self.told.requisitions.extend(one for one in results if isinstance(one, dict))
            if len(results) < PAGE or answer.get("next") is None:
                return

    def asked(self, path: str) -> Mapping[str, Any]:
        """One answer; raises _Gone where only this one thing could not be had."""
        try:
            return self.client.get(path)
        except _Refused as problem:
            words = problem.words.lower()
            if problem.status == 409 or "suspended" in words:
                raise _Gone("it is suspended", "SUSPENDED") from None
            if problem.status in (400, 401) and ("(eua)" in words or "access has expired" in words):
                raise _Gone("its consent has ended", "EXPIRED") from None
            if problem.status == 404 or (problem.status == 400 and "invalid account" in words):
                raise _Gone("it does not know it", "Invalid Account ID") from None
            if problem.status == 400:
                raise _Gone(problem.reason, "") from None
            raise


class _Gone(Exception):
    """One account or agreement that could not be had, while the others may."""

    def __init__(self, reason: str, meaning: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.meaning = meaning


def requisition_of(feed: BankFeed, requisitions: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The feed's own requisition where the app keeps its id, else the newest that holds its account."""
    if feed.requisition:
        own = next((one for one in requisitions if one.get("id") == feed.requisition), None)
        if own is not None:
            return own
    holding = [one for one in requisitions if isinstance(one.get("accounts"), list) and feed.account in one["accounts"]]
    return max(holding, key=lambda one: str(one.get("created") or ""), default=None)


def _joined(feed: BankFeed, told: _Told, reason: str) -> BankFeed:
    marks = dict(feed.marks)
    values: dict[str, Any] = {}
    account = told.accounts.get(feed.account)
    if account is not None and isinstance(account.get("status"), str):
        values["provider_status"] = _word(account["status"])
        accessed = _day(account.get("last_accessed"))
        if accessed is not None:
            values["last_accessed"] = accessed.isoformat()
    else:
        marks["provider_status"] = unknown(told.failed.get(feed.account, reason))
    requisition = requisition_of(feed, told.requisitions)
    if requisition is None:
        marks["requisition_status"] = unknown("no requisition holds its account" if told.requisitions else reason)
    else:
        values["requisition_status"] = _word(requisition.get("status"))
        agreement = told.agreements.get(str(requisition.get("agreement") or ""))
        values |= _consent(feed, agreement) if agreement is not None else {}
    marks |= dict.fromkeys(values, observed())
    return msgspec.structs.replace(feed, marks=marks, **values)


def _consent(feed: BankFeed, agreement: Mapping[str, Any]) -> dict[str, Any]:
    """When the holder consented, and for how long."""
    accepted, days = _day(agreement.get("accepted")), agreement.get("access_valid_for_days")
    if accepted is None:
        return {}
    length = float(days) if isinstance(days, int | float) and not isinstance(days, bool) and 0 < days < 10_000 else None
    length = feed.agreement_days if length is None else length
    today = datetime.date.fromisoformat(feed.today) if feed.today else accepted
    return {
        "accepted": accepted.isoformat(),
        "agreement_days": length,
        "agreement_left": length - (today - accepted).days,
    }


def _day(value: object) -> datetime.date | None:
    """The day of a time such as 2024-08-07T08:05:13.943313Z."""
    if not isinstance(value, str):
        return None
    try:
        return datetime.date.fromisoformat(value[:10])
    except ValueError:
        return None


def _word(value: object) -> str:
    """A status, cut to what one can be."""
    text = str(value) if isinstance(value, str) else ""
    return "".join(c for c in text[:40] if c.isalnum() or c in "_ -")


def _object(data: bytes) -> Mapping[str, Any] | None:
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return None
    return found if isinstance(found, dict) else None
