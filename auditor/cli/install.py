"""`queue-auditor install`: an app's workers, scheduler and settings, shown or set up as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from auditor import audit, install
from auditor.cli.commands import EXIT_CANNOT, EXIT_CLEAN, EXIT_FINDINGS
from auditor.cli.options import in_colour, wants_colour
from auditor.cli.sizing import how_to_size
from auditor.errors import UsageError
from auditor.findings import Severity, Verdict
from auditor.generate import Wishes
from auditor.reports.console import console
from auditor.reports.diff import file_diff


@click.command("install")
@click.argument("path", default="/", type=click.Path(exists=True, file_okay=False))
@click.option("--app", metavar="DIR", help="Root of the Laravel app, from PATH; the only one there is otherwise.")
@how_to_size
@in_colour
@click.option("--write", "writes", is_flag=True, help="Write the files, keeping old ones as .NAME.bak beside them.")
@click.option("--write-env", "writes_env", is_flag=True, help="Change the settings in the app's .env too.")
@click.option("--apply", "applies", is_flag=True, help="With --write: tell supervisord, by supervisorctl.")
@click.option(
    "--output", type=click.Path(file_okay=False), metavar="DIR", help="Write everything below DIR instead of PATH."
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "note", "never"]),
    default="note",
    show_default=True,
    help="The least severity of what is left that makes the exit status 1.",
)
def command(
    path: str,
    app: str | None,
    colour: bool | None,
    writes: bool,
    writes_env: bool,
    applies: bool,
    output: str | None,
    fail_on: str,
    **sizing: Any,
) -> int:
    """Set up what an app on the host at PATH (/ by default) needs: supervisor program, cron file, logrotate, .env.

    Without --write it only shows what it would do, and why. At the end the host is audited, and the exit status is that
    audit's: 0 nothing left, 1 findings or something left to do by hand, 2 could not do it.
    """
    if applies and (not writes or output is not None):
        raise UsageError("--apply goes with --write, and not with --output: it tells supervisord of what was written")
    if applies and Path(path).resolve() != Path("/"):
        raise UsageError("--apply talks to the supervisord of this machine, and PATH is not its root")
    rules = audit.rulebook()
    plan = install.plan(path, app, rules, Wishes(**sizing), with_env=writes_env)
    painted = wants_colour(colour)
    if plan.containers:
        _containers(plan)
        return _judged(plan.after, fail_on, painted, left=True)
    _show(plan, painted, written=writes or output is not None)
    applied = True
    if writes or output is not None:
        done = install.write(plan, Path(output) if output is not None else None)
        for backup in done.backups:
            click.echo(f"# backup: {backup}")
        for file in done.files:
            click.echo(f"# written: {file}")
        if not done.files:
            click.echo("# nothing to change")
        applied = _apply(plan) if applies else True
    for number, one in enumerate(plan.commands):
        if not (applies and one.startswith("supervisorctl")):
            click.echo(f"{'# then run' if number == 0 else '#      and'}: {one}")
    after = plan.after
    if writes and output is None:
        after = audit.judge(audit.look(path, apps=[plan.app], kind="host"), rules)
    left = bool(plan.by_hand or (plan.env and not (plan.with_env and plan.env_piece is not None)))
    status = _judged(after, fail_on, painted, left=left)
    return status if applied else EXIT_CANNOT


def _containers(plan: install.Plan) -> None:
    click.echo(f"# profile: {plan.profile}")
    click.echo("# This runs in containers: nothing is written. Set there, or mount:")
    for one in plan.containers:
        click.echo(f"#   {one}")


def _show(plan: install.Plan, painted: bool, *, written: bool) -> None:
    for label, value in plan.found:
        click.echo(f"# {label}: {value}")
    for line in plan.sums:
        click.echo(f"# {line}")
    for piece in plan.pieces:
        if piece.changes:
            click.echo()
            click.echo(file_diff(piece.path, piece.before, piece.after, [piece.told], colour=painted), nl=False)
        else:
            click.echo(f"# as it should be: {piece.path} ({piece.told})")
    for one in plan.kept:
        click.echo(f"# stays: {one}")
    if plan.env:
        click.echo()
        notes = [f"{change.line}: {change.why}" for change in plan.env]
        if plan.env_piece is not None:
            shown = file_diff(plan.env_piece.path, plan.env_piece.before, plan.env_piece.after, notes, colour=painted)
            click.echo(shown, nl=False)
        if not plan.with_env:
            click.echo(f"# the .env {'was left as it is' if written else 'is only shown'}: --write-env changes it")
    elif plan.env_piece is None and not plan.by_hand:
        click.echo("# as it should be: the app's .env")
    for one in plan.by_hand:
        click.echo(f"# by hand: {one}")
    click.echo()


def _apply(plan: install.Plan) -> bool:
    """Tell supervisord; whether it took it."""
    from auditor.remedies.apply import supervisorctl

    if not any(command.startswith("supervisorctl") for command in plan.commands):
        return True
    told = supervisorctl(plan.conf, [plan.group], plan.patience)
    for one in told:
        click.echo(f"# {one.command}")
        for line in one.output.splitlines():
            click.echo(f"#   {line}")
    return len(told) > 1 and all(one.done for one in told)


def _judged(after: Verdict, fail_on: str, painted: bool, *, left: bool) -> int:
    """Print the audit; its exit status, which is no better than 1 where something is left to a person."""
    click.echo(console(after, colour=painted), nl=False)
    worst = after.worst()
    if fail_on == "never":
        return EXIT_CLEAN
    if worst is not None and worst.rank >= Severity(fail_on).rank:
        return EXIT_FINDINGS
    return EXIT_FINDINGS if left else EXIT_CLEAN
