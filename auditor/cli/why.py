"""`queue-auditor why`: from what is noticed to what is behind it, by the evidence of this site."""

from __future__ import annotations

import click

from auditor import __version__, audit
from auditor import why as flow
from auditor.cli.chosen import choose
from auditor.cli.commands import EXIT_CLEAN, EXIT_FINDINGS, EXIT_NOTHING
from auditor.cli.deliver import tell
from auditor.cli.options import Asked, from_settings, in_colour, looks_live, wants_colour, what_to_look_at, which_rules
from auditor.errors import UsageError
from auditor.reports import diagnosis as report


@click.command("why")
@click.argument("symptom", required=False)
@what_to_look_at
@looks_live
@which_rules
@from_settings
@in_colour
@click.option("--format", "form", type=click.Choice(["console", "json"]), default="console", show_default=True)
@click.option("--all", "everything", is_flag=True, help="Tell also what speaks against causes that nothing speaks for.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    symptom: str | None,
    asked: Asked,
    colour: bool | None,
    form: str,
    everything: bool,
    **_chosen: object,
) -> int:
    """Rank what can be behind SYMPTOM, in words of your own, by what PATH shows; without it, list the symptoms.

    Exit status: 0 nothing here brings it about, 1 something does, 2 could not audit, 3 nothing there to audit.
    """
    table = flow.symptoms()
    if symptom is None:
        for name, one in table.symptoms.items():
            click.echo(f"{name:<28} {one.title}")
        return EXIT_CLEAN
    name, *near = flow.which(symptom, table)
    chosen = choose(ctx, asked.path)
    rules = chosen.rulebook()
    site = chosen.look(asked)
    verdict = audit.judge(site, rules)
    if verdict.empty and not verdict.findings:
        told = f"there is nothing to audit in {asked.path}: no supervisor program, worker or scheduler"
        if verdict.unread:
            raise UsageError(f"{told}, and {len(verdict.unread)} of what is there could not be read")
        click.echo(f"queue-auditor: {told}.", err=True)
        return EXIT_NOTHING
    found = flow.why(name, table, site, verdict, rules)
    if form == "json":
        tell(report.as_json(found, version=__version__))
    else:
        tell(report.console(found, colour=wants_colour(colour), everything=everything))
        if near:
            click.echo(f"Taken as {name}; if another was meant, ask for {' or '.join(near)}.", err=True)
    return EXIT_FINDINGS if found.supported else EXIT_CLEAN
