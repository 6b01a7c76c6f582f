"""`queue-auditor uninstall`: take away exactly what `install` wrote."""

from __future__ import annotations

import click

from auditor import install
from auditor.cli.commands import EXIT_CLEAN, EXIT_FINDINGS
from auditor.cli.options import in_colour, wants_colour
from auditor.reports.diff import file_diff


@click.command("uninstall")
@click.argument("path", default="/", type=click.Path(exists=True, file_okay=False))
@click.option("--app", required=True, metavar="DIR", help="Root of the Laravel app, from PATH.")
@in_colour
@click.option("--write", "writes", is_flag=True, help="Do it; shown otherwise.")
def command(path: str, app: str, colour: bool | None, writes: bool) -> int:
    """Delete what `install` made for an app, and give back what it changed; what was changed since stays, and is named.

    Exit status: 0 all of it goes, 1 something stays, 2 could not do it.
    """
    plan = install.removal(path, app)
    painted = wants_colour(colour)
    for name in plan.deletes:
        click.echo(f"# {'deleted' if writes else 'to delete'}: {name}")
    for name, held, old in plan.restores:
        click.echo(file_diff(name, held, old, [f"{name} as it was before"], colour=painted), nl=False)
    for one in plan.reasons:
        click.echo(f"# {one}")
    if writes:
        for name in install.remove(plan):
            click.echo(f"# done: {name}")
    if plan.changes and plan.manifest.groups:
        base = f"supervisorctl -c /{plan.manifest.conf}" if plan.manifest.conf else "supervisorctl"
        click.echo(f"# then run: {base} reread")
        click.echo(f"#      and: {base} update {' '.join(plan.manifest.groups)}")
    return EXIT_FINDINGS if plan.refused else EXIT_CLEAN
