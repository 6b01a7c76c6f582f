"""Options that several commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import click

Command = TypeVar("Command", bound=Callable[..., Any])

KINDS = ("host", "repository", "file")


class Asked(NamedTuple):
    """What a command is to look at, and how."""

    path: str
    """Where it lies."""
    kind: str | None = None
    """What --as says it is."""
    live: bool = False
    """Whether the running system is asked too."""
    now: float | None = None
    """The present of a copy of a host, in seconds since 1970."""
    previous: str | None = None
    """A facts file of an earlier live look."""


def what_to_look_at(command: Command) -> Command:
    """PATH, --app and --as; the command gets them, and what `looks_live` adds, as one `asked`."""

    @functools.wraps(command)
    def called(*arguments: Any, **options: Any) -> Any:
        asked = Asked(**{name: options.pop(name) for name in Asked._fields if name in options})
        return command(*arguments, asked=asked, **options)

    found = click.argument("path", default="/", type=click.Path(readable=False))(cast("Command", called))
    found = click.option(
        "--app", "apps", multiple=True, metavar="DIR", help="Root of a Laravel app, from PATH; may be given again."
    )(found)
    return click.option(
        "--as", "kind", type=click.Choice(KINDS), help="What PATH is; told from what lies in it otherwise."
    )(found)


def looks_live(command: Command) -> Command:
    """--live, --now, --previous and --banks."""
    command = by_banks(command)
    command = click.option(
        "--previous", type=click.Path(exists=True, dir_okay=False), metavar="FACTS",
        help="With --live, a facts file of an earlier live look, for what only two looks can tell.",
    )(command)  # fmt: skip
    command = at_a_moment(
        "With --live, the present: for a copy of a host. ISO 8601, or seconds since 1970; the clock's otherwise."
    )(command)
    return click.option(
        "--live", is_flag=True, help="Ask the running system too: queues, databases, supervisord and processes."
    )(command)


def at_a_moment(about: str) -> Callable[[Command], Command]:
    """--now, and what its help says."""
    return click.option("--now", metavar="TIME", callback=_moment, help=about)


def by_banks(command: Command) -> Command:
    """--banks."""
    return click.option(
        "--banks", multiple=True, type=click.Path(exists=True, dir_okay=False), metavar="FILE",
        help="Banks and consents of your own, laid over the shipped table; may be given again.",
    )(command)  # fmt: skip


def _moment(ctx: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """A moment in seconds since 1970; one without a zone is UTC's."""
    if value is None:
        return None
    import datetime

    if value.isascii() and value.isdecimal() and len(value) < 12:
        return float(value)
    try:
        moment = datetime.datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()
    except (ValueError, OverflowError):
        raise click.BadParameter("it is neither ISO 8601 nor a number of seconds", ctx, parameter) from None


def which_rules(command: Command) -> Command:
    """--select, --ignore and --rules."""
    command = click.option(
        "--select", multiple=True, metavar="RULE", help="Judge only by this rule or group; may be given again."
    )(command)
    command = click.option(
        "--ignore", multiple=True, metavar="RULE", help="Leave out this rule or group; may be given again."
    )(command)
    return click.option(
        "--rules", "rule_folders", multiple=True, type=click.Path(exists=True, file_okay=False), metavar="DIR",
        help="Judge by the rules of this folder too; may be given again.",
    )(command)  # fmt: skip


def from_settings(command: Command) -> Command:
    """--config and --no-config."""
    command = click.option(
        "--config", type=click.Path(dir_okay=False), metavar="FILE",
        help="The configuration file; queue-auditor.yaml in PATH or above it otherwise.",
    )(command)  # fmt: skip
    return click.option("--no-config", is_flag=True, help="Follow no configuration file.")(command)


def lived_with(command: Command) -> Command:
    """--baseline, --inline-ignores and --min-severity."""
    command = click.option(
        "--baseline", type=click.Path(dir_okay=False), metavar="FILE",
        help="Live with what this file holds; `queue-auditor baseline` writes it.",
    )(command)  # fmt: skip
    command = click.option(
        "--inline-ignores/--no-inline-ignores", "inline_ignores", default=True,
        help="Whether comments in the audited files may ask for something to be left alone.",
    )(command)  # fmt: skip
    return click.option(
        "--min-severity", type=click.Choice(["error", "warning", "note"]), default="note", show_default=True,
        help="Tell nothing less grave.",
    )(command)  # fmt: skip


def fails_on(about: str, *, shown: bool = True) -> Callable[[Command], Command]:
    """--fail-on, and what its help says; with its default, where that is the command's own."""
    return click.option(
        "--fail-on",
        type=click.Choice(["error", "warning", "note", "never"]),
        default="note",
        show_default=shown,
        help=about,
    )


def in_forms(command: Command) -> Command:
    """--format and --output, in pairs."""
    from auditor.cli.deliver import FORMATS

    command = click.option(
        "--output", "outputs", multiple=True, metavar="FILE",
        help="Where the report of the same position goes; “-” is standard output.",
    )(command)  # fmt: skip
    return click.option(
        "--format", "formats", multiple=True, type=click.Choice(list(FORMATS)),
        help="Form of the report; may be given again, each with its own --output.",
    )(command)  # fmt: skip


def in_colour(command: Command) -> Command:
    """--color / --no-color."""
    return click.option(
        "--color/--no-color", "colour", default=None, help="Colour; by default where a terminal reads it."
    )(command)


def wants_colour(asked: bool | None) -> bool:
    """By the conventions of NO_COLOR, FORCE_COLOR and TERM=dumb."""
    import os
    import sys

    if asked is not None:
        return asked
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE", "0") != "0":
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
