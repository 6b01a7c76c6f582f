"""`queue-auditor audit`: judge a host, a repository or one file."""

from __future__ import annotations

import click

from auditor import audit
from auditor.cli.commands import EXIT_CANNOT, EXIT_CLEAN, EXIT_FINDINGS, EXIT_NOTHING
from auditor.cli.deliver import FORMATS, deliver
from auditor.cli.options import in_colour, wants_colour, what_to_look_at, which_rules
from auditor.findings import Severity


@click.command("audit")
@what_to_look_at
@which_rules
@in_colour
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(list(FORMATS)),
    help="Form of the report; may be given again, each with its own --output.",
)
@click.option(
    "--output",
    "outputs",
    multiple=True,
    metavar="FILE",
    help="Where the report of the same position goes; “-” is standard output.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "note", "never"]),
    default="note",
    show_default=True,
    help="The least severity that makes the exit status 1.",
)
@click.option("--allow-empty", is_flag=True, help="Exit 0, not 3, where there is nothing to audit.")
@click.option("--show-skipped", is_flag=True, help="Tell every judgement that could not be made, and why.")
def command(
    path: str,
    apps: tuple[str, ...],
    kind: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    rule_folders: tuple[str, ...],
    colour: bool | None,
    formats: tuple[str, ...],
    outputs: tuple[str, ...],
    fail_on: str,
    allow_empty: bool,
    show_skipped: bool,
) -> int:
    """Judge PATH: a host's root (/ by default), a repository, one file, or a facts file.

    Exit status: 0 nothing found, 1 findings, 2 could not audit, 3 nothing there to audit.
    """
    rulebook = audit.rulebook(select=select, ignore=ignore, folders=rule_folders)
    site = audit.look(path, apps=apps, kind=kind)
    verdict = audit.judge(site, rulebook)
    deliver(verdict, formats, outputs, colour=wants_colour(colour), show_skipped=show_skipped)
    if verdict.empty and not verdict.findings:
        if verdict.unread:
            click.echo(
                f"queue-auditor: nothing in {path} could be audited, and {len(verdict.unread)} of what is there could not be read.",
                err=True,
            )
            return EXIT_CANNOT
        if allow_empty:
            return EXIT_CLEAN
        click.echo(
            f"queue-auditor: there is nothing to audit in {path}: no supervisor program, worker or scheduler.", err=True
        )
        return EXIT_NOTHING
    worst = verdict.worst()
    if fail_on == "never" or worst is None:
        return EXIT_CLEAN
    return EXIT_FINDINGS if worst.rank >= Severity(fail_on).rank else EXIT_CLEAN
