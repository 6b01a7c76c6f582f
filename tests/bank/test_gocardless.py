"""The provider's API, asked over real sockets: what is told, what each refusal means, and that nothing is spent or leaked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.facts.bank import BankFeed
from auditor.sources.live.access import NO_SECRET, Secret
from auditor.sources.live.gocardless import Asked, Keys, ask_provider
from tests.bank.ninja import ID, KEY, NinjaHost, Row
from tests.bank.provider import (
    AGREEMENT,
    HANG,
    SLAM,
    TOKEN,
    TRICKLE,
    Answer,
    Provider,
    account,
    failure,
    requisition,
)

ROWS = [Row(1), Row(2, "RABOBANK_RABONL2U", "Rabobank")]
ACCOUNTS = [row.account for row in ROWS]


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider with both accounts, each consented to."""
    with Provider().serving() as made:
        made.accounts = {one: account(one) for one in ACCOUNTS}
        made.requisitions = [requisition(1, ACCOUNTS[:1]), requisition(2, ACCOUNTS[1:])]
        yield made


def ask(provider: Provider, *feeds: BankFeed, **about: float) -> Asked:
    """Both feeds, or those given, asked with the right keys."""
    named = feeds or tuple(BankFeed(id=n, account=one, today="2026-06-10") for n, one in enumerate(ACCOUNTS, 1))
    return ask_provider(named, Keys(Secret(ID), Secret(KEY)), url=provider.url, **about)


def test_statuses_and_consents_are_told_and_nothing_is_spent(provider: Provider) -> None:
    """Each feed gets its account's and requisition's status and its consent's end, for six requests and one token."""
    provider.accounts[ACCOUNTS[1]] = account(ACCOUNTS[1], "ERROR")

    asked = ask(provider)

    first, second = asked.feeds
    assert asked.probe.outcome == "ok"
    assert (first.provider_status, first.requisition_status, second.provider_status) == ("READY", "LN", "ERROR")
    assert (first.accepted, first.agreement_days, first.agreement_left) == ("2026-05-01", 90, 50)
    assert (first.last_accessed, first.trouble) == ("2026-06-09", "")
    assert second.trouble == "its status is ERROR: the last access to the bank failed"
    assert provider.paths == [
        "/token/new/", *(f"/accounts/{one}/" for one in ACCOUNTS), "/requisitions/?limit=100&offset=0",
        f"/agreements/enduser/{AGREEMENT}/",
    ]  # fmt: skip
    assert not [path for path in provider.paths if path.endswith(("/details/", "/balances/", "/transactions/"))]


def test_requisitions_are_read_page_by_page(provider: Provider) -> None:
    """Pages are counted by us: the address of a next page, which an answer may say anything of, is not followed."""
    provider.requisitions = [requisition(n, []) for n in range(250)] + [requisition(250, ACCOUNTS, status="EX")]

    asked = ask(provider)

    assert [feed.requisition_status for feed in asked.feeds] == ["EX", "EX"]
    assert [path for path in provider.paths if "requisitions" in path] == [
        f"/requisitions/?limit=100&offset={offset}" for offset in (0, 100, 200)
    ]


def test_the_newest_requisition_that_holds_an_account_counts(provider: Provider) -> None:
    """A reconnected account is in two; where the app keeps the id of its own, that one counts."""
    provider.requisitions = [requisition(3, ACCOUNTS), requisition(1, ACCOUNTS, status="EX")]
    own = BankFeed(account=ACCOUNTS[0], requisition=requisition(1, [])["id"], today="2026-06-10")

    assert [feed.requisition_status for feed in ask(provider).feeds] == ["LN", "LN"]
    assert [feed.requisition_status for feed in ask(provider, own).feeds] == ["EX"]


GONE = {
    "no such account": (failure(404, f"Account ID {ACCOUNTS[0]} not found"), "Invalid Account ID"),
    "an invalid account": (failure(400, "Invalid Account ID", "x is not a valid Account UUID."), "Invalid Account ID"),
    "suspended": (failure(409, "Account suspended", "This account was suspended due to numerous errors"), "SUSPENDED"),
    "an ended consent": (
        failure(401, f"End User Agreement (EUA) {AGREEMENT} has expired", "EUA was valid for 90 days and it expired"),
        "EXPIRED",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", GONE)
def test_an_account_that_is_gone_does_not_hide_the_others(case: str, provider: Provider) -> None:
    """What the API says of one account is that feed's status; the other is told as ever."""
    answer, status = GONE[case]
    provider.behaviour = lambda path: answer if ACCOUNTS[0] in path else None

    asked = ask(provider)

    assert asked.probe.outcome == "ok"
    assert [feed.provider_status for feed in asked.feeds] == [status, "READY"]
    assert [feed.is_dead for feed in asked.feeds] == [True, False]


REFUSALS: dict[str, tuple[Answer, str, str]] = {
    "other keys": (failure(401, "Authentication failed", "No active account found"), "auth", "refuses the app's keys"),
    "another address": (failure(403, "IP address access denied", "Your IP isn't whitelisted"), "auth", "let this address in"),
    "limit told by a header": (failure(429, "Rate limit exceeded", HTTP_X_RATELIMIT_RESET="3541"), "refused", "again in 3541 s"),
    "limit told in words": (
        failure(429, "Rate limit exceeded", "The rate limit for this resource is 100/minute. Please try again in 17 seconds"),
        "refused",
        "again in 17 s",
    ),
    "limit, no more said": (failure(429, "Rate limit exceeded"), "refused", "its limit of calls is used up"),
    "free tier used up": (failure(402, "Free usage limit exceeded"), "refused", "free tier"),
    "out of order": (failure(503, "Service unavailable"), "gone", "out of order (error 503)"),
    "elsewhere": ((302, b"", {"Location": "http://127.0.0.1:1/"}), "protocol", "sends us elsewhere"),
    "no JSON": ((200, b"<html>hello</html>", {}), "protocol", "is not the Bank Account Data API"),
    "JSON without an end": ((200, b"[" * 100_000, {}), "protocol", "is not the Bank Account Data API"),
    "too long": ((200, b" " * (1024 * 1024 + 2), {}), "protocol", "longer than any"),
    "no token": ((200, {"access": None}, {}), "protocol", "gives no token"),
    "a token of two lines": ((200, {"access": "a\r\nX: y"}, {}), "protocol", "gives no token"),
    "a closed connection": ((SLAM, b"", {}), "gone", "closed the connection"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_is_one_clause(case: str, provider: Provider) -> None:
    """Each way in which nothing can be had is told as such, and what is not known of the feeds is unknown, with it."""
    answer, outcome, reason = REFUSALS[case]
    provider.behaviour = lambda path: answer if path == "/token/new/" else None

    asked = ask(provider)

    assert asked.probe.outcome == outcome, asked.probe.reason
    assert reason in asked.probe.reason
    assert len(provider.asked) == 1
    assert {feed.mark("provider_status").reason for feed in asked.feeds} == {asked.probe.reason}
    assert not [secret for secret in (ID, KEY, TOKEN) if secret in repr(asked)]


def test_a_limit_in_the_middle_keeps_what_was_told(provider: Provider) -> None:
    """The account that was asked before the limit keeps its status; the others' is unknown, and no more is asked."""
    provider.behaviour = lambda path: failure(429, "Rate limit exceeded") if ACCOUNTS[1] in path else None

    first, second = ask(provider).feeds

    assert first.provider_status == "READY"
    assert second.mark("provider_status").reason == "its limit of calls is used up"
    assert len(provider.asked) == 3


def test_the_last_call_of_the_limit_is_noticed(provider: Provider) -> None:
    """Where a header says that no call is left, none is made that would be refused."""
    left = {"HTTP_X_RATELIMIT_LIMIT": "100", "HTTP_X_RATELIMIT_REMAINING": "0", "HTTP_X_RATELIMIT_RESET": "42"}
    provider.behaviour = lambda path: (200, account(ACCOUNTS[0]), left) if ACCOUNTS[0] in path else None

    asked = ask(provider)

    assert len(provider.asked) == 2
    assert asked.probe.reason == "its limit of calls is used up; it can be asked again in 42 s"
    assert asked.feeds[0].provider_status == "READY"


@pytest.mark.parametrize("how", [HANG, TRICKLE])
def test_a_hang_up_ends(how: int, provider: Provider) -> None:
    """A server that never answers, or a byte at a time, is given up within the whole question's time."""
    provider.behaviour = lambda path: (how, b"", {}) if "accounts" in path else None

    begun = time.monotonic()
    asked = ask(provider, total=1.0, read=0.5)

    assert time.monotonic() - begun < 10
    assert asked.probe.outcome == "timeout"
    assert all(feed.is_unknown("provider_status") for feed in asked.feeds)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b'{"results": 3}',
        b'{"results": [null, 3, {"accounts": 7}, {"accounts": [[]], "agreement": {}}]}',
    ],
)
def test_answers_of_another_shape(body: bytes, provider: Provider) -> None:
    """Lists that are none, members that are none: what can be told is told."""
    provider.behaviour = lambda path: (200, body, {}) if "requisitions" in path else None

    asked = ask(provider)

    assert [feed.provider_status for feed in asked.feeds] == ["READY", "READY"]
    assert all(feed.is_unknown("requisition_status") for feed in asked.feeds)


def test_odd_accounts_are_not_asked_for(provider: Provider) -> None:
    """An account's id that could not be one is not put into an address; no keys, no question."""
    odd = BankFeed(account="../../token/new", today="2026-06-10")

    assert (
        ask(provider, odd).feeds[0].mark("provider_status").reason
        == "its account has no id that the provider could know"
    )
    assert not [path for path in provider.paths if ".." in path]
    none = ask_provider((odd,), Keys(NO_SECRET, Secret(KEY)), url=provider.url)
    assert (none.probe.outcome, none.probe.reason) == ("auth", "the app has no keys for it, or they are not known")


def test_through_the_command_line(provider: Provider, tmp_path: Path) -> None:
    """`bank --api-url` joins what the provider says with what the database says, and shows no secret."""
    provider.agreements[AGREEMENT] = {"accepted": "2026-03-22T08:06:00Z", "access_valid_for_days": 90}
    provider.accounts[ACCOUNTS[1]] = account(ACCOUNTS[1], "EXPIRED")
    host = NinjaHost.of(tmp_path).sqlite(ROWS)

    feeds = host.feeds("--api-url", provider.url)
    told = host.run("--api-url", provider.url, "--no-color")

    assert (feeds[1]["state"], feeds[1]["agreement_left"], feeds[1]["by"]) == ("watch", 10, "2026-06-20")
    assert (feeds[2]["state"], feeds[2]["provider_status"]) == ("danger", "EXPIRED")
    assert "the consent ends on 2026-06-20, in 10 days" in told.output
    assert not [secret for secret in (ID, KEY, TOKEN, "NL91ABNA0417164300", "Holder's Name") if secret in told.output]
