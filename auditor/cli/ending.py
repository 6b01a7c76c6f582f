"""What a verdict means for the exit status, and what is told where there was nothing to look at."""

from __future__ import annotations

import click

from auditor.cli.chosen import Chosen
from auditor.cli.commands import EXIT_CANNOT, EXIT_CLEAN, EXIT_NOTHING
from auditor.findings import Severity, Verdict


def of_nothing(path: str, verdict: Verdict, chosen: Chosen) -> int | None:
    """The exit status where nothing of PATH could be audited, or is there to be; None where something was."""
    if not verdict.empty or verdict.findings:
        return None
    if verdict.unread:
        click.echo(
            f"queue-auditor: nothing in {path} could be audited, and {len(verdict.unread)} of what is there could not be read.",
            err=True,
        )
        return EXIT_CANNOT
    if chosen.of("allow_empty"):
        return EXIT_CLEAN
    click.echo(
        f"queue-auditor: there is nothing to audit in {path}: no supervisor program, worker or scheduler.", err=True
    )
    return EXIT_NOTHING


def fails(verdict: Verdict, chosen: Chosen) -> bool:
    """Whether something found is as grave as --fail-on asks for."""
    worst, fail_on = verdict.worst(), chosen.of("fail_on")
    return fail_on != "never" and worst is not None and worst.rank >= Severity(fail_on).rank
