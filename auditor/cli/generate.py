"""`queue-auditor generate`: supervisor and cron files for an app from nothing, sized for this host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from auditor import audit
from auditor.cli.chosen import choose
from auditor.cli.options import from_settings
from auditor.cli.sizing import how_to_size, wishes
from auditor.generate import generate
from auditor.remedies.deliver import Write, deliver


@click.command("generate")
@click.argument("path", default="/", type=click.Path(exists=True, file_okay=False))
@click.option("--app", required=True, metavar="DIR", help="Root of the Laravel app, from PATH.")
@how_to_size
@click.option(
    "--output", type=click.Path(file_okay=False), metavar="DIR", help="Write the files below DIR; shown otherwise."
)
@from_settings
@click.pass_context
def command(ctx: click.Context, /, *, path: str, app: str, output: str | None, **sizing: Any) -> None:
    """Write the supervisor program and the cron file of an app on the host at PATH (/ by default).

    The sum behind numprocs, memory and the time limits is told; what still stands against the host is told too.
    """
    made = generate(path, app, audit.rulebook(), wishes(choose(ctx, path), sizing))
    click.echo(f"# profile: {made.profile}")
    for line in made.sums:
        click.echo(f"# {line}")
    for name, text in made.files.items():
        click.echo(f"\n# file: /{name}\n{text}", nl=False)
    for name in made.replaces:
        click.echo(f"\n# still to do: {name} already runs workers or the scheduler of this app; take it away first")
    for finding in made.left:
        if finding.severity != "note":
            click.echo(f"\n# still to do: {finding.message} ({finding.rule})")
    if output is not None:
        _write(made.files, Path(output))


def _write(files: dict[str, str], folder: Path) -> None:
    writes = []
    for name, text in files.items():
        target = folder / name
        writes.append(Write(name, target, target.read_bytes() if target.exists() else None, text.encode()))
    changed = [write for write in writes if write.before != write.after]
    for backup in deliver(changed):
        click.echo(f"# backup: {backup}")
    for write in changed:
        click.echo(f"# written: {write.target}")
