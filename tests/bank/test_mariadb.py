"""The bank feeds of a real MariaDB with the columns and types of InvoiceNinja's own schema."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

from tests.bank.ninja import MARIADB_TABLES, NOW, NinjaHost, Row, day, rows_sql
from tests.bank.test_bank import CASES, RABO
from tests.stack.mariadb import PASSWORD, USER, Database
from tests.stack.polling import StackError, until


def filled(database: Database, rows: list[Row], more: str = "") -> Database:
    """The tables with these rows, whatever the client's own mode."""
    database.sql("SET SESSION sql_mode = '';" + MARIADB_TABLES + rows_sql(rows) + more)
    return database


def host_of(tmp_path: Path, database: Database, **env: str) -> NinjaHost:
    """A host whose InvoiceNinja has that database."""
    return NinjaHost.of(tmp_path / "host", env={**database.env, **env})


def test_mariadb_tells_what_sqlite_tells(database: Database, tmp_path: Path) -> None:
    """Every case gives the same states, days and sentences from MariaDB's types as from SQLite's texts."""
    rows = [row._replace(id=number) for number, (row, _, _) in enumerate(CASES.values(), 1)]
    filled(database, rows)

    of_mariadb = host_of(tmp_path, database).feeds()

    assert of_mariadb == NinjaHost.of(tmp_path / "sqlite").sqlite(rows).feeds()
    assert {feed["state"] for feed in of_mariadb.values()} == {"fine", "watch", "danger", "off", "unknown"}


def test_zero_dates_the_apps_zone_and_a_newer_column(database: Database, tmp_path: Path) -> None:
    """A date of zeros is none; times are read in the app's zone; a requisition of a newer schema is taken."""
    more = f"""
ALTER TABLE bank_integrations ADD COLUMN requisition_id varchar(191) DEFAULT NULL;
UPDATE bank_integrations SET from_date = '0000-00-00' WHERE id = 1;
UPDATE accounts SET updated_at = '{day(0)} 21:58:00';
"""
    filled(database, [Row(1), Row(2, RABO)], more)

    told = host_of(tmp_path, database, SERVER_TIMEZONE="Pacific/Auckland").run(
        now=NOW - 2 * 3600
    )  # 22:00 on that clock

    assert "its schedule gave a sign 0:02:00 ago" in told.output
    assert "its from_date is empty" in told.output
    assert told.errors == ""


def test_a_user_who_may_not_read_a_table(database: Database, tmp_path: Path) -> None:
    """Which table it is, is told in one sentence, and no password."""
    filled(database, [Row(1)])
    root = database.server.sql
    root(
        f"CREATE USER 'narrow'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'; GRANT SELECT ON {database.name}.jobs TO 'narrow'@'127.0.0.1'"
    )
    try:
        told = host_of(tmp_path, database, DB_USERNAME="narrow").run()
        wrong = host_of(tmp_path, database, DB_PASSWORD="not-the-password-at-all").run()
    finally:
        root("DROP USER 'narrow'@'127.0.0.1'")

    assert told.status == wrong.status == 2
    assert "its user may not read the table bank_integrations" in told.output
    assert not [
        secret
        for secret in (PASSWORD, "not-the-password-at-all")
        if secret in told.output + wrong.output + wrong.errors
    ]


def test_nothing_is_written_or_locked(database: Database, tmp_path: Path) -> None:
    """The look changes no row, and waits for no longer than its time for a table that is being altered."""
    filled(database, [Row(1), Row(2)])
    sums = "CHECKSUM TABLE accounts, bank_integrations, failed_jobs"
    before = database.sql(sums)

    host = host_of(tmp_path, database)
    assert host.run().status == 0
    assert database.sql(sums) == before

    def hold() -> None:
        with contextlib.suppress(StackError):  # it is killed in the end
            database.sql("LOCK TABLES bank_integrations WRITE; SELECT SLEEP(60)")

    holder = threading.Thread(target=hold, daemon=True)
    holder.start()
    try:
        until(lambda: database.sql("SHOW OPEN TABLES WHERE In_use > 0"), 20, "the table is locked")
        locked = host.run(patience=0)
    finally:
        asleep = "SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(60)%'"
        for (number,) in database.sql(asleep):
            database.sql(f"KILL {number}")
        holder.join()
    assert locked.status == 2, locked
    assert "not answered" in locked.output
    assert USER not in locked.errors


def test_thousands_of_failed_jobs_and_many_feeds_cost_little(database: Database, tmp_path: Path) -> None:
    """Counts are capped, feeds are read up to a limit, and no holder's data is fetched for it."""
    copies = """
INSERT INTO failed_jobs (connection, queue, payload, exception) SELECT 'database', 'default', REPEAT('x', 4000), 'x'
  FROM seq_1_to_3000;
"""
    filled(database, [Row(number) for number in range(1, 301)], copies)

    told = host_of(tmp_path, database).run("--format", "json")

    assert len(told.json["apps"][0]["feeds"]) == 300
    assert told.status == 0
