"""Configurations that supervisord refuses, or reads otherwise than they look."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.proofs.scenes import supervisor
from tests.proofs.scenes.refusals import Fault, faults, of

Prove = Callable[..., None]


def each(*rules: str) -> pytest.MarkDecorator:
    """One test for each fault of these rules."""
    return pytest.mark.parametrize("fault", [pytest.param(one, id=one.name) for one in faults(*rules)])


@each("supervisor/bom")
def test_byte_order_mark_is_refused(prove: Prove, fault: Fault) -> None:
    """A byte order mark keeps everything down."""
    prove(of(fault))


@each("supervisor/percent-unescaped")
def test_plain_percent_keeps_everything_down(prove: Prove, fault: Fault) -> None:
    """What supervisord cannot expand, it refuses."""
    prove(of(fault))


@each("supervisor/program-without-command")
def test_program_without_command_keeps_everything_down(prove: Prove, fault: Fault) -> None:
    """A section of shared options is a program without a command."""
    prove(of(fault))


@each("supervisor/invalid-value")
def test_one_bad_value_keeps_everything_down(prove: Prove, fault: Fault) -> None:
    """One value that cannot be taken, and no program runs."""
    prove(of(fault))


@each("supervisor/log-dir-missing")
def test_missing_log_folder_keeps_everything_down(prove: Prove, fault: Fault) -> None:
    """The folder of one log is missing, and no program runs."""
    prove(of(fault))


@each("supervisor/quoted-value")
def test_quotes_are_part_of_the_path(prove: Prove, fault: Fault) -> None:
    """Quotes around a value belong to it."""
    prove(of(fault))


def test_quoted_directory(prove: Prove) -> None:
    """Quotes around a directory are found out only when the program is to start."""
    prove(supervisor.QuotedDirectory)


@each("supervisor/conf-parse-error")
def test_unreadable_line_keeps_everything_down(prove: Prove, fault: Fault) -> None:
    """One line that cannot be read, and no program runs."""
    prove(of(fault))


def test_open_quote_is_fatal(prove: Prove) -> None:
    """A command's open quote is found out only when it is to start."""
    prove(supervisor.OpenQuote)


def test_indented_option_is_part_of_the_value_above(prove: Prove) -> None:
    """An indented option ends up in the command above it."""
    prove(supervisor.OptionSwallowed)


def test_misspelt_option_is_ignored(prove: Prove) -> None:
    """`stopwaitsec` is nothing to supervisord."""
    prove(supervisor.MisspeltOption)


def test_misspelt_section_never_runs(prove: Prove) -> None:
    """`[progam:worker]` is nothing to supervisord."""
    prove(supervisor.MisspeltSection)


def test_file_with_another_ending_never_runs(prove: Prove) -> None:
    """Debian's main file includes *.conf, and no *.ini."""
    prove(supervisor.OtherEnding)


def test_unquoted_value_reaches_the_worker_cut(prove: Prove) -> None:
    """The worker gets only the beginning of an unquoted value."""
    prove(supervisor.ValueCut)


def test_semicolon_cuts_the_command(prove: Prove) -> None:
    """What stands behind " ;" is a comment."""
    prove(supervisor.CommentCutsCommand)


def test_second_group_of_a_name_is_dropped(prove: Prove) -> None:
    """A group and a program of one name: one of them never runs."""
    prove(supervisor.GroupShadowsProgram)


def test_anyone_who_reaches_the_port_stops_a_worker(prove: Prove) -> None:
    """An open port takes orders from anyone."""
    prove(supervisor.OpenPort, "sqlite")


def test_empty_username_switches_the_password_off(prove: Prove) -> None:
    """A password without a user name is never asked for."""
    prove(supervisor.EmptyUsername, "sqlite")
