"""The group of commands, and what every one of them does with an error."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from typing import Any

import click

from auditor import __version__
from auditor.errors import AuditorError
from auditor.facts.redaction import redact

COMMANDS: Mapping[str, str] = {
    "audit": "Judge a host, a repository or one file.",
    "fix": "Show, or write, the corrected supervisor and cron files.",
    "generate": "Write supervisor and cron files for an app from nothing.",
    "facts": "Print what was read, as JSON that another audit can judge.",
    "rules": "List the rules, or test a folder of them.",
    "explain": "Show one rule's page.",
}
"""Command to its one line of help; the module auditor.cli.<name> holds `command`."""

EXIT_CLEAN, EXIT_FINDINGS, EXIT_CANNOT, EXIT_NOTHING = 0, 1, 2, 3
"""Nothing found; something found; could not audit; nothing there to audit. The same in every format."""


class Commands(click.Group):
    """The commands above, each imported when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's own module."""
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = importlib.import_module(f"auditor.cli.{cmd_name}").command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List them without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Help with a misspelt command."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in COMMANDS:
            import difflib

            close = difflib.get_close_matches(name, COMMANDS, 1)
            hint = f"did you mean “{close[0]}”?" if close else f"there are {', '.join(COMMANDS)}"
            ctx.fail(f"there is no command “{name}”; {hint}")
        return super().resolve_command(ctx, args)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", message="queue-auditor %(version)s")
def commands() -> None:
    """Audit and mend what runs a Laravel application's queue: supervisor programs, workers, scheduler."""


def run() -> None:
    """Run one command; every error is one sentence on stderr, with the exit status that says what kind it was."""
    _write_any_character()
    try:
        status: Any = commands.main(prog_name="queue-auditor", auto_envvar_prefix="QUEUE_AUDITOR", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_CANNOT)
    except (click.Abort, KeyboardInterrupt):
        print("queue-auditor: interrupted.", file=sys.stderr)
        sys.exit(130)
    except AuditorError as error:
        print(f"queue-auditor: {redact(str(error))}", file=sys.stderr)
        sys.exit(EXIT_CANNOT)
    except BrokenPipeError:
        # The reader (head, less) has gone: nothing is left to tell it, and nothing went wrong here.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_CLEAN)
    except OSError as error:
        print(f"queue-auditor: {redact(str(error.filename or ''))}: {(error.strerror or str(error)).lower()}.", file=sys.stderr)
        sys.exit(EXIT_CANNOT)
    sys.exit(status if isinstance(status, int) else EXIT_CLEAN)


def _write_any_character() -> None:
    """A report may quote a line in any language, also under LC_ALL=C."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace" if not _utf8(stream.encoding) else "surrogateescape")


def _utf8(encoding: str | None) -> bool:
    return (encoding or "").lower().replace("-", "") == "utf8"
