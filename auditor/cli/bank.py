"""`queue-auditor bank`: how each bank feed of an InvoiceNinja stands, and what to do by when."""

from __future__ import annotations

import click

from auditor import __version__
from auditor import bank as flow
from auditor.cli.chosen import choose
from auditor.cli.commands import EXIT_CANNOT, EXIT_CLEAN, EXIT_FINDINGS, EXIT_NOTHING
from auditor.cli.deliver import put
from auditor.cli.options import at_a_moment, by_banks, from_settings, in_colour, wants_colour
from auditor.reports import feeds as report


@click.command("bank")
@click.argument("path", default="/", type=click.Path(file_okay=False))
@click.option(
    "--app", "apps", multiple=True, metavar="DIR", help="Root of an InvoiceNinja, from PATH; may be given again."
)
@click.option(
    "--api", is_flag=True,
    help="Ask GoCardless too, with the app's keys: for statuses and consents, never for an account's data.",
)  # fmt: skip
@click.option("--api-url", metavar="URL", help="Where its API is, where that is not its own address; implies --api.")
@by_banks
@at_a_moment("The present, for a copy of a host: ISO 8601, or seconds since 1970; the clock's otherwise.")
@from_settings
@in_colour
@click.option("--format", "form", type=click.Choice(["console", "json"]), default="console", show_default=True)
@click.option("--output", default="-", metavar="FILE", help="Where it goes; “-” is standard output.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    path: str,
    api: bool,
    api_url: str | None,
    now: float | None,
    colour: bool | None,
    form: str,
    output: str,
    **_chosen: object,
) -> int:
    """Tell how the bank feeds of the InvoiceNinja on the host at PATH stand, from its database, which is only read.

    Exit status: 0 none is in danger, 1 one is, 2 something could not be asked, 3 there is no feed.
    """
    chosen = choose(ctx, path)
    if api and api_url is None:
        from auditor.sources.live.gocardless import API

        api_url = API
    looked = flow.check(path, apps=chosen.of("apps"), banks=chosen.of("banks"), api=api_url, now=now)
    if form == "json":
        text = report.as_json(looked, version=__version__)
    else:
        text = report.console(looked, colour=wants_colour(colour) and output == "-")
    put(output, text)
    if any(one.in_danger for one in looked):
        return EXIT_FINDINGS
    if any(one.unanswered for one in looked):
        return EXIT_CANNOT
    return EXIT_CLEAN if any(one.standings for one in looked) else EXIT_NOTHING
