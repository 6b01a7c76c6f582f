"""`queue-auditor generate`: supervisor and cron files for an app from nothing, sized for this host."""

from __future__ import annotations

from pathlib import Path

import click

from auditor import audit
from auditor.cli.chosen import choose
from auditor.cli.options import from_settings
from auditor.generate import Wishes, generate
from auditor.remedies.deliver import Write, deliver


@click.command("generate")
@click.argument("path", default="/", type=click.Path(exists=True, file_okay=False))
@click.option("--app", required=True, metavar="DIR", help="Root of the Laravel app, from PATH.")
@click.option(
    "--profile", metavar="NAME", help="Kind of app (laravel, horizon, invoiceninja); told from its files otherwise."
)
@click.option("--user", metavar="NAME", help="The account that workers and scheduler run under.")
@click.option("--php", metavar="FILE", help="The PHP binary.")
@click.option("--connection", metavar="NAME", help="The queue connection; the app's default otherwise.")
@click.option(
    "--numprocs", type=click.IntRange(1, 1000), help="How many workers; as many as the host carries otherwise."
)
@click.option("--memory", type=click.IntRange(32), metavar="MIB", help="--memory of each worker.")
@click.option("--timeout", type=click.IntRange(1), metavar="SECONDS", help="--timeout of each worker.")
@click.option(
    "--host-memory", type=click.IntRange(64), metavar="MIB", help="RAM of the host, where it is not this one."
)
@click.option(
    "--output", type=click.Path(file_okay=False), metavar="DIR", help="Write the files below DIR; shown otherwise."
)
@from_settings
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    path: str,
    app: str,
    profile: str | None,
    user: str | None,
    php: str | None,
    connection: str | None,
    numprocs: int | None,
    memory: int | None,
    timeout: int | None,
    host_memory: int | None,
    output: str | None,
    **_chosen: object,
) -> None:
    """Write the supervisor program and the cron file of an app on the host at PATH (/ by default).

    The sum behind numprocs, memory and the time limits is told; what still stands against the host is told too.
    """
    wishes = Wishes(
        profile=choose(ctx, path).of("profile") or profile,
        user=user,
        php=php,
        connection=connection,
        numprocs=numprocs,
        memory=memory,
        timeout=timeout,
        host_memory=host_memory,
    )
    made = generate(path, app, audit.rulebook(), wishes)
    click.echo(f"# profile: {made.profile}")
    for line in made.sums:
        click.echo(f"# {line}")
    for name, text in made.files.items():
        click.echo(f"\n# file: /{name}\n{text}", nl=False)
    for name in made.replaces:
        click.echo(f"\n# still to do: {name} already runs workers of this app; take it away before this one starts")
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
