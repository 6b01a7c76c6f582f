"""`queue-auditor install`: an app's workers, scheduler and settings, shown or set up as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from auditor import audit, install
from auditor.cli.chosen import Chosen, choose
from auditor.cli.commands import EXIT_CANNOT, EXIT_CLEAN, EXIT_FINDINGS
from auditor.cli.ending import fails
from auditor.cli.options import fails_on, from_settings, in_colour, wants_colour
from auditor.cli.sizing import how_to_size, wishes
from auditor.errors import UsageError
from auditor.judge.rulebook import Rulebook
from auditor.reports.console import console
from auditor.reports.diff import file_diff


@click.command("install")
@click.argument("path", default="/", type=click.Path(exists=True, file_okay=False))
@click.option("--app", metavar="DIR", help="Root of the Laravel app, from PATH; the only one there is otherwise.")
@how_to_size
@from_settings
@in_colour
@click.option("--unsafe", is_flag=True, help="Mend too what may change what a running program's configuration means.")
@click.option("--write", "writes", is_flag=True, help="Write the files, keeping the old ones as .NAME.bak beside them.")
@click.option("--write-env", "writes_env", is_flag=True, help="Set what the app's .env has to say too.")
@click.option("--apply", "applies", is_flag=True, help="With --write: tell supervisord, by supervisorctl.")
@fails_on("The least severity of what is left that makes the exit status 1.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    path: str,
    app: str | None,
    colour: bool | None,
    unsafe: bool,
    writes: bool,
    writes_env: bool,
    applies: bool,
    **options: Any,
) -> int:
    """Set up what an app on the host at PATH (/ by default) needs: supervisor program, cron file, logrotate, .env.

    What runs already is mended where rules object to it, and never replaced; only what is missing is made. Without --write
    nothing is written. At the end the host is audited as it is, or would be, and the exit status is that audit's: 0 nothing
    left, 1 findings or something left to do by hand, 2 it could not be done.
    """
    if applies and not writes:
        raise UsageError("--apply goes with --write: it tells supervisord of what was written")
    if applies and Path(path).resolve() != Path("/"):
        raise UsageError("--apply talks to the supervisord of this machine, and PATH is not its root")
    if applies:
        from auditor.remedies.apply import find

        find()
    chosen = choose(ctx, path)
    rules = audit.rulebook(settings=chosen.settings)
    plan = install.plan(
        path, app, rules, wishes(chosen, options), with_env=writes_env, unsafe=unsafe, lived=chosen.lived()
    )
    painted = wants_colour(colour)
    if plan.containers:
        click.echo(f"# profile: {plan.profile}")
        click.echo("# this runs in containers, so nothing is written; set there, or mount:")
        for one in plan.containers:
            click.echo(f"#   {one}")
        click.echo()
        return _judged(path, plan, rules, chosen, painted, written=False)
    _show(plan, painted, written=writes)
    applied = True
    if writes:
        done = install.write(plan)
        for backup in done.backups:
            click.echo(f"# backup: {backup}")
        for file in done.files:
            click.echo(f"# written: {file}")
        applied = _apply(plan) if applies else True
    told = [one for one in plan.commands if not (applies and one.startswith("supervisorctl"))]
    for number, one in enumerate(told):
        click.echo(f"{'#      and' if number else '# then run'}: {one}")
    click.echo()
    status = _judged(path, plan, rules, chosen, painted, written=writes)
    return status if applied else EXIT_CANNOT


def _show(plan: install.Plan, painted: bool, *, written: bool) -> None:
    for label, value in plan.found:
        click.echo(f"# {label}: {value}")
    for line in plan.sums:
        click.echo(f"# {line}")
    for one in plan.stays:
        click.echo(f"# stays: {one}")
    for piece in plan.pieces:
        click.echo()
        click.echo(file_diff(piece.path, piece.before, piece.after, piece.notes, colour=painted), nl=False)
    if plan.env_piece is not None and not plan.with_env:
        piece = plan.env_piece
        click.echo()
        click.echo(file_diff(piece.path, piece.before, piece.after, piece.notes, colour=painted), nl=False)
        click.echo(f"# the .env {'was left as it is' if written else 'is only shown'}: --write-env changes it")
    click.echo()
    for one in plan.by_hand:
        click.echo(f"# by hand: {one}")
    for left in plan.left:
        click.echo(f"# by hand: {left.subject}: {left.reason} ({', '.join(left.rules)})")
    for held in plan.withheld:
        click.echo(f"# only with --unsafe: {held.subject}: {held.reason} ({', '.join(held.rules)})")
    if not plan.pieces:
        click.echo("# nothing to change")


def _apply(plan: install.Plan) -> bool:
    """Tell supervisord; whether it took it."""
    from auditor.remedies.apply import supervisorctl

    if not plan.groups:
        return True
    told = supervisorctl(plan.conf, plan.groups, plan.patience)
    for one in told:
        click.echo(f"# {one.command}")
        for line in one.output.splitlines():
            click.echo(f"#   {line}")
    return len(told) > 1 and all(one.done for one in told)


def _judged(path: str, plan: install.Plan, rules: Rulebook, chosen: Chosen, painted: bool, *, written: bool) -> int:
    """Print the audit; its exit status, which is no better than 1 where something is left to a person."""
    apps = [plan.app] if plan.app else []
    site = audit.look(path, apps=apps, kind=plan.kind, overrides={} if written else plan.texts)
    verdict = audit.live_with(audit.judge(site, rules), site, rules, chosen.lived())
    click.echo(console(verdict, colour=painted), nl=False)
    if fails(verdict, chosen):
        return EXIT_FINDINGS
    by_hand = chosen.of("fail_on") != "never" and (plan.waits or plan.containers)
    return EXIT_FINDINGS if by_hand else EXIT_CLEAN
