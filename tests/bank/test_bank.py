"""`queue-auditor bank` on an SQLite database: how each feed stands, what to do, and by when."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.bank.ninja import APP, ID, KEY, NinjaHost, Row, day

RABO = "RABOBANK_RABONL2U"
CASES: dict[str, tuple[Row, str, dict[str, object]]] = {
    "data came today": (Row(1), "fine", {"last_data": day(0), "idle_days": 0, "todo": ""}),
    "Rabobank, asked yesterday": (Row(1, RABO, fetched=1), "fine", {"days_left": 4, "closes_on": day(-4), "by": None}),
    "Rabobank, two days idle": (Row(1, RABO, fetched=2), "watch", {"days_left": 3, "by": day(-3)}),
    "Rabobank, three days idle": (Row(1, RABO, fetched=3), "danger", {"days_left": 2, "by": day(-2)}),
    "Rabobank, closed": (Row(1, RABO, fetched=5), "danger", {"days_left": 0, "by": None}),
    "another bank, two days idle": (Row(1, fetched=2), "watch", {"days_left": None, "by": None}),
    "another bank, six days idle": (Row(1, fetched=6), "danger", {"days_left": None}),
    "turned off": (Row(1, RABO, fetched=1, disabled=1), "danger", {"disabled": True, "by": day(-4)}),
    "not wanted": (Row(1, RABO, fetched=60, auto_sync=0), "off", {"todo": ""}),
    "consent ended": (Row(1, status="EX"), "danger", {"status": "EX"}),
    "in ERROR": (Row(1, status="ERROR"), "danger", {"status": "ERROR"}),
    "over the limit": (Row(1, status="RATE_LIMITED"), "watch", {}),
    "another status": (Row(1, status="PROCESSING"), "watch", {}),
    "no status": (Row(1, status=None), "fine", {}),
    "connected today": (
        Row(1, RABO, fetched=None, from_date=day(90), created=f"{day(0)} 08:00:00"),
        "fine",
        {"last_data": None, "connected": day(0), "idle_days": 0},
    ),
    "connected again four days ago, nothing since": (
        Row(1, RABO, fetched=None, from_date=day(94), created=f"{day(50)} 08:00:00", updated=f"{day(4)} 08:00:00"),
        "danger",
        {"connected": day(4), "days_left": 1, "by": day(-1)},
    ),
    "fetched long ago, untouched since": (
        Row(1, fetched=95, created=f"{day(400)} 08:00:00", updated=f"{day(95)} 08:00:00"),
        "danger",
        {"last_data": day(95), "connected": None},
    ),
    "a date set by hand": (Row(1, fetched=None, from_date=day(-20)), "unknown", {"idle_days": None, "last_data": None}),
    "no date": (Row(1, fetched=None, from_date=None), "unknown", {"idle_days": None}),
}  # fmt: skip


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Every case's feed, all of them in one database."""
    host = NinjaHost.of(tmp_path_factory.mktemp("host"))
    rows = [row._replace(id=number) for number, (row, _, _) in enumerate(CASES.values(), 1)]
    feeds = host.sqlite(rows).feeds()
    return {case: feeds[number] for number, case in enumerate(CASES, 1)}


@pytest.mark.parametrize("case", CASES)
def test_how_a_feed_stands(case: str, stand: dict[str, dict[str, Any]]) -> None:
    """Each row gives its state, its figures, and the day by which something is to be done."""
    _, state, figures = CASES[case]
    feed = stand[case]

    assert feed["state"] == state, feed
    assert {name: feed[name] for name in figures} == figures
    assert bool(feed["todo"]) == (state in ("watch", "danger", "unknown"))


def test_console(tmp_path: Path) -> None:
    """A person reads the app's own side first, then each feed, those in danger first, then their number."""
    host = NinjaHost.of(tmp_path, frequency="everyFourHours()")
    rows = [Row(1), Row(2, RABO, "Rabobank", fetched=3), Row(3, auto_sync=0), Row(4, deleted=1), Row(5, kind="YODLEE")]

    told = host.sqlite(rows).run("--no-color")

    assert (
        told.output
        == f"""\
InvoiceNinja in {APP} 5.10.42
  its bank sync asks each account 6 times a day, more than the 4 that the provider grants.
  its schedule gave a sign 0:02:00 ago.

danger   Rabobank …4300 (feed 2)
  the last data came on {day(3)}, 3 days ago, and Rabobank ends the access after 5 days without data.
  days left: 2 until the bank ends the access without data ({day(-2)})
  to do, by {day(-2)}: press Refresh once, which asks for data, and see why the bank sync does not run (queue-auditor audit --live).

fine     ING …4300 (feed 1)
  the last data came today.

off      ING …4300 (feed 3)
  its automatic sync is switched off.

3 feeds: 1 fine, 1 danger, 1 off
"""
    )
    assert (told.status, told.errors) == (1, "")


@pytest.mark.parametrize(
    ("rows", "status"),
    [([Row(1)], 0), ([Row(1, fetched=2)], 0), ([Row(1), Row(2, fetched=9)], 1), ([], 3), ([Row(1, kind="YODLEE")], 3)],
)
def test_exit_status(rows: list[Row], status: int, tmp_path: Path) -> None:
    """0 while none is in danger, 1 where one is, 3 where there is none."""
    assert NinjaHost.of(tmp_path).sqlite(rows).run().status == status


def test_a_consent_of_the_users_own_table(tmp_path: Path) -> None:
    """A table of the user's gives the day of a consent, another bank's rule, and a bank in place of a shipped one."""
    table = tmp_path / "own.yaml"
    table.write_text(f"""\
banks:
  - institution: INGB_NL_INGBNL2A
    name: My ING
    closes_after_days: {{ figure: 3, source: 'https://example.com/ing', date: 2026-01-01 }}
consents:
  - {{ feed: 1, accepted: {day(80)} }}
  - {{ feed: 2, accepted: {day(80)}, days: 180 }}
  - {{ feed: 3, accepted: {day(91)} }}
""")
    host = NinjaHost.of(tmp_path / "host").sqlite([Row(1), Row(2), Row(3), Row(4, RABO)])

    feeds = host.feeds("--banks", str(table))

    assert [feeds[number]["state"] for number in (1, 2, 3, 4)] == ["watch", "fine", "danger", "fine"]
    assert (feeds[1]["agreement_left"], feeds[1]["ends_on"], feeds[1]["by"]) == (10, day(-10), day(-10))
    assert (feeds[1]["bank"], feeds[1]["days_left"]) == ("My ING", 3)
    assert (feeds[2]["agreement_left"], feeds[3]["agreement_left"], feeds[4]["agreement_left"]) == (100, -1, None)
    assert feeds[4]["closes_after_days"] == 5

    (tmp_path / "host/queue-auditor.yaml").write_text("banks: ../own.yaml\n")
    told = host.command("bank", str(host.root), "--now", "2026-06-10T12:00:00Z", "--format", "json")
    assert told.json["apps"][0]["feeds"] == [feeds[3], feeds[1], feeds[2], feeds[4]]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("banks:\n  - institution: X\n    nam: Y\n", "own.yaml:3: there is no key “nam” here; did you mean “name”?"),
        ("consents: [{feed: 1, accepted: 2026-02-30}]\n", "own.yaml:1: “2026-02-30” is no day such as 2024-08-15."),
        (
            "banks:\n  - institution: X\n    name: Y\n    ask_every_days: {figure: 0, source: 'https://x', date: undated}\n",
            "own.yaml:4: 0 is no number of days or calls.",
        ),
    ],
)
def test_a_table_that_is_none(text: str, told: str, tmp_path: Path) -> None:
    """A fault of the user's table is one sentence with its file and line."""
    (tmp_path / "own.yaml").write_text(text)

    done = NinjaHost.of(tmp_path / "host").sqlite([Row(1)]).run("--banks", str(tmp_path / "own.yaml"))

    assert done.status == 2
    assert done.errors.rstrip().endswith(told)
    assert len(done.errors.splitlines()) == 1


def test_the_apps_own_folder_and_what_is_no_invoiceninja(tmp_path: Path) -> None:
    """The folder of an app may be named itself, below a root or on this machine; a host without one is told so."""
    host = NinjaHost.of(tmp_path).sqlite([Row(1)])

    assert host.command("bank", str(tmp_path / APP), "--no-config").status in (0, 1)
    assert host.run("--app", APP).status == host.run("--app", f"/{APP}").status == 0
    shutil.move(tmp_path / APP / "config/ninja.php", tmp_path / "away")
    (tmp_path / APP / "composer.json").write_text("{}")
    none = host.run()
    assert (none.status, none.output) == (2, "")
    assert none.errors == f"queue-auditor: there is no InvoiceNinja in {tmp_path}; name its root folder with --app.\n"


def test_a_database_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    """A server that is down, a file that is not there, a driver that is not looked at: told, with exit status 2."""
    gone = {"DB_CONNECTION": "mysql", "DB_HOST": "127.0.0.1", "DB_PORT": "1", "DB_PASSWORD": "hunter2-hunter2"}
    cases = [
        (gone, "nobody listens there"),
        ({}, "the file is not there"),
        ({"DB_CONNECTION": "pgsql"}, "not in pgsql"),
    ]

    for at, (env, reason) in enumerate(cases):
        told = NinjaHost.of(tmp_path / str(at), env=env).run()

        assert told.status == 2, told
        assert [line for line in told.output.splitlines() if "not answered" in line and reason in line]
        assert "hunter2" not in told.output + told.errors


def test_no_secret_and_no_holder_is_told(tmp_path: Path) -> None:
    """Neither the keys, nor the holder's name, whole number or balance are in any report."""
    host = NinjaHost.of(tmp_path).sqlite([Row(1, fetched=7)])
    facts = host.command("facts", "--live", str(host.root))
    texts = [host.run().output, host.run("--format", "json").output, facts.output]

    for text in texts:
        assert "feed 1" in text
        assert not [secret for secret in (ID, KEY, "Holder's Name", "NL91ABNA0417164300", "1234.56") if secret in text]


def test_odd_rows_and_old_tables(tmp_path: Path) -> None:
    """Text in place of numbers, control characters, dates of no calendar: a row is told as it is, nothing fails."""
    odd = f"""
UPDATE bank_integrations SET provider_name = 'A{chr(10)}B{chr(27)}[31m', from_date = '0000-00-00', bank_account_number = x'ff00',
  updated_at = 'soon', nordigen_institution_id = NULL, disabled_upstream = NULL WHERE id = 1;
"""
    host = NinjaHost.of(tmp_path).sqlite([Row(1)], odd.replace(", disabled_upstream = NULL", ""))
    feed = host.feeds()[1]
    assert (feed["state"], feed["bank"]) == ("unknown", "A B [31m")

    older = NinjaHost.of(tmp_path / "older").sqlite([], "DROP TABLE bank_integrations;").run()
    assert older.status == 2
    assert "it has no table bank_integrations" in older.output
