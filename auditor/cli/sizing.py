"""Options of the commands that size workers for a host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from auditor.cli.chosen import Chosen
from auditor.ground import Wishes

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (
        ("--profile",),
        {
            "metavar": "NAME",
            "help": "Kind of app (laravel, horizon, invoiceninja …), or a profile's file; told from its files otherwise.",
        },
    ),
    (("--user",), {"metavar": "NAME", "help": "The account that workers and scheduler run under."}),
    (("--php",), {"metavar": "FILE", "help": "The PHP binary."}),
    (("--connection",), {"metavar": "NAME", "help": "The queue connection; the app's default otherwise."}),
    (
        ("--numprocs",),
        {"type": click.IntRange(1, 1000), "help": "How many workers; as many as the host carries otherwise."},
    ),
    (("--memory",), {"type": click.IntRange(32), "metavar": "MIB", "help": "--memory of each worker."}),
    (("--timeout",), {"type": click.IntRange(1), "metavar": "SECONDS", "help": "--timeout of each worker."}),
    (
        ("--host-memory",),
        {"type": click.IntRange(64), "metavar": "MIB", "help": "RAM of the host, where it is not this one."},
    ),
)


def how_to_size(command: Command) -> Command:
    """--profile, --user, --php, --connection, --numprocs, --memory, --timeout, --host-memory."""
    for names, settings in reversed(_OPTIONS):
        command = click.option(*names, **settings)(command)
    return command


def wishes(chosen: Chosen, options: dict[str, Any]) -> Wishes:
    """What these options ask for; the profile may stand in the configuration file too."""
    given = {name: value for name, value in options.items() if name in Wishes.__struct_fields__}
    return Wishes(**{**given, "profile": chosen.of("profile") or None})
