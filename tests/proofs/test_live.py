"""What runs badly, asked while it runs."""

from __future__ import annotations

from collections.abc import Callable

from tests.proofs.scenes import live

Prove = Callable[..., None]


def test_nobody_answers(prove: Prove) -> None:
    """A port on which nobody listens."""
    prove(live.NobodyAnswers)


def test_login_refused(prove: Prove) -> None:
    """A password that was changed."""
    prove(live.LoginRefused, "mariadb")


def test_tables_missing(prove: Prove) -> None:
    """A database to which nobody has migrated."""
    prove(live.TablesMissing, "mariadb")


def test_given_up(prove: Prove) -> None:
    """FATAL, as supervisord says."""
    prove(live.GivenUp)


def test_ended_for_good(prove: Prove) -> None:
    """EXITED, as supervisord says."""
    prove(live.EndedForGood)


def test_attempts_fill_their_column(prove: Prove) -> None:
    """A column of one byte, in MariaDB."""
    prove(live.AttemptsFillTheirColumn, "mariadb")


def test_cron_is_down(prove: Prove) -> None:
    """A sound timetable that nobody reads."""
    prove(live.CronIsDown)


def test_files_not_applied(prove: Prove) -> None:
    """`supervisorctl restart` reads no file."""
    prove(live.FilesNotApplied)


def test_works_in_old_code(prove: Prove) -> None:
    """PHP loads a class once."""
    prove(live.WorksInOldCode)
