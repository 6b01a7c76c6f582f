"""`queue-auditor facts`: print what was read, as JSON that another audit can judge."""

from __future__ import annotations

import click

from auditor import __version__
from auditor.cli.chosen import choose
from auditor.cli.deliver import put
from auditor.cli.options import Asked, from_settings, looks_live, what_to_look_at
from auditor.facts.wire import write_facts


@click.command("facts")
@what_to_look_at
@looks_live
@click.option("--output", default="-", metavar="FILE", help="Where it goes; “-” is standard output.")
@from_settings
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    asked: Asked,
    output: str,
    **_chosen: object,
) -> None:
    """Print everything that was read of PATH, secrets hidden: `queue-auditor audit facts.json` judges it elsewhere."""
    chosen = choose(ctx, asked.path)
    site = chosen.look(asked)
    put(output, write_facts(site, version=__version__))
