"""The group of commands, and what every one of them does with an error."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

import click
from click.core import ParameterSource

from auditor import __version__
from auditor.errors import AuditorError
from auditor.facts.redaction import redact

COMMANDS: Mapping[str, str] = {
    "audit": "Judge a host, a repository or one file.",
    "fix": "Show, or write, the corrected supervisor and cron files.",
    "bank": "Tell how the bank feeds of an InvoiceNinja stand, and what to do by when.",
    "generate": "Write supervisor and cron files for an app from nothing.",
    "watch": "Look again and again, read the logs on, and tell whoever has to know.",
    "why": "Rank what can be behind a symptom, such as “mail is not sent”, by the evidence.",
    "install": "Set up an app's workers, scheduler and settings as a whole, mending what runs already.",
    "uninstall": "Take away exactly what `install` wrote.",
    "facts": "Print what was read, as JSON that another audit can judge.",
    "render": "Turn a saved JSON report into any other form.",
    "baseline": "Write what is found now to a file that later audits live with.",
    "config": "Show the settings that take effect, and where each comes from.",
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
        _name_variables(found)
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

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        """As `invoke`: `--help` is printed here."""
        try:
            return super().make_context(*args, **more)
        except BrokenPipeError:
            raise _ReaderGone from None

    def invoke(self, ctx: click.Context) -> Any:
        """Keep click from answering a reader that has gone with the status of findings."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise _ReaderGone from None


def _name_variables(command: click.Command) -> None:
    """--fail-on is QUEUE_AUDITOR_FAIL_ON for every command that has it; an audit's --format and --output no other's."""
    for option in command.params:
        name = max(option.opts, key=len).lstrip("-").replace("-", "_").upper()
        if isinstance(option, click.Option) and (option.multiple or name not in ("FORMAT", "OUTPUT")):
            option.envvar = f"QUEUE_AUDITOR_{name}"
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        _name_variables(below)


class _ReaderGone(Exception):
    """Whoever read standard output (head, less) has closed it."""


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", message="queue-auditor %(version)s")
def commands() -> None:
    """Audit and mend what runs a Laravel application's queue: supervisor programs, workers, scheduler."""


def run() -> None:
    """Run one command; every error is one sentence on stderr, with the exit status that says what kind it was."""
    _write_any_character()
    try:
        status: Any = commands.main(prog_name="queue-auditor", standalone_mode=False)
    except click.ClickException as error:
        _complain(_sentence(error))
    except (click.Abort, KeyboardInterrupt):
        print("queue-auditor: interrupted.", file=sys.stderr)
        sys.exit(130)
    except AuditorError as error:
        _complain(str(error), getattr(error, "path", ""))
    except (_ReaderGone, BrokenPipeError):
        # The reader (head, less) has gone: nothing is left to tell it, and nothing went wrong here.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_CLEAN)
    except MemoryError:
        _complain("there is not enough memory for what was asked for")
    except RecursionError:
        _complain("something in what was asked for is nested too deeply to be read")
    except OSError as error:
        where = error.filename
        if where is None:  # a stream: standard output on a full disk
            where = "standard output"
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _complain(f"{os.fsdecode(where)}: {(error.strerror or str(error)).lower()}", os.fsdecode(where))
    sys.exit(status if isinstance(status, int) else EXIT_CLEAN)


def _complain(sentence: str, about: str = "") -> NoReturn:
    """One sentence on stderr, and the status of what could not be done; `about` is the path it begins with.

    A path that is called after secrets (etc/passwd, secrets.conf) is the name of none for what follows.
    """
    head = about if sentence.startswith(about) else ""
    line = " ".join((redact(head) + redact(sentence[len(head) :])).split())
    print(f"queue-auditor: {line}{'' if line.endswith(('.', '?')) else '.'}", file=sys.stderr)
    sys.exit(EXIT_CANNOT)


def _sentence(error: click.ClickException) -> str:
    """What click has to say, without its usage lines, as a sentence of ours."""
    told = error.format_message()
    context = getattr(error, "ctx", None)
    more = f" See `{context.command_path} --help`." if context is not None and told.startswith("No such option") else ""
    if isinstance(error, click.BadParameter) and context is not None and error.param is not None:
        name = error.param.name or ""
        if context.get_parameter_source(name) is ParameterSource.ENVIRONMENT:
            return f"{error.param.envvar}: {told}"
    return f"{told[:1].lower()}{told[1:]}{more}"


def _write_any_character() -> None:
    """A report may quote a line in any language, also under LC_ALL=C; a stream that is closed takes everything."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - it stays open to the end
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - likewise
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace" if not _utf8(stream.encoding) else "surrogateescape")


def _utf8(encoding: str | None) -> bool:
    return (encoding or "").lower().replace("-", "") == "utf8"
