"""`queue-auditor baseline`: write what is found now to a file that later audits live with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from auditor import audit
from auditor.cli.chosen import choose
from auditor.cli.deliver import put
from auditor.cli.options import Asked, from_settings, looks_live, what_to_look_at, which_rules
from auditor.suppress.baseline import baseline_of, pruned, read_baseline, write_baseline

FILE = "queue-auditor-baseline.json"
"""Where a baseline goes where nobody says otherwise."""


@click.command("baseline")
@what_to_look_at
@looks_live
@which_rules
@from_settings
@click.option(
    "--output", default=FILE, show_default=True, metavar="FILE", help="Where it goes; “-” is standard output."
)
@click.option("--prune", is_flag=True, help="Only take out of FILE what is no longer found; nothing is added.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    asked: Asked,
    output: str,
    prune: bool,
    **_chosen: Any,
) -> None:
    """Write what is found in PATH now: `queue-auditor audit --baseline FILE` then tells only what is new.

    What comments or the configuration already ignore is left out.
    """
    if prune and output == "-":
        raise click.UsageError("--prune needs the file that it prunes", ctx)
    chosen = choose(ctx, asked.path)
    rules = chosen.rulebook()
    site = chosen.look(asked)
    lived = chosen.lived()._replace(baseline="")
    verdict = audit.live_with(audit.judge(site, rules), site, rules, lived)
    found, unasked = verdict.findings, verdict.needs_live
    made = pruned(read_baseline(output), found, unasked=unasked) if prune else baseline_of(found)
    text = write_baseline(made)
    put(output, text)
    if output == "-":
        return
    count = sum(entry.count for entry in made.findings)
    click.echo(f"{count} finding{'' if count == 1 else 's'} in {Path(output)}.", err=True)
