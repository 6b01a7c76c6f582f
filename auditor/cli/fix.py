"""`queue-auditor fix`: show, or write, the corrected supervisor and cron files."""

from __future__ import annotations

from pathlib import Path

import click

from auditor import mend
from auditor.cli.chosen import choose
from auditor.cli.commands import EXIT_CLEAN, EXIT_FINDINGS
from auditor.cli.ending import of_nothing
from auditor.cli.options import Asked, from_settings, in_colour, wants_colour, what_to_look_at, which_rules
from auditor.errors import CannotMend, UsageError
from auditor.remedies.deliver import Write, deliver
from auditor.remedies.plan import Change, Corrected, Plan
from auditor.reports.diff import file_diff


@click.command("fix")
@what_to_look_at
@which_rules
@from_settings
@in_colour
@click.option("--unsafe", is_flag=True, help="Apply the fixes too that may change what the configuration means.")
@click.option("--diff", "shows", is_flag=True, help="Show what would change (the default).")
@click.option("--check", "checks", is_flag=True, help="Show it, and exit 1 if anything would change.")
@click.option("--write", "writes", is_flag=True, help="Write the files, keeping the old ones as .NAME.bak beside them.")
@click.option(
    "--output", type=click.Path(file_okay=False), metavar="DIR", help="Write the corrected files below DIR instead."
)
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    asked: Asked,
    colour: bool | None,
    unsafe: bool,
    shows: bool,
    checks: bool,
    writes: bool,
    output: str | None,
    **_chosen: object,
) -> int:
    """Mend what PATH's audit finds, by the smallest change; nothing is written without --write or --output.

    The corrected text is read again and judged again before it is shown. What comments or the configuration ask to be
    left alone is left alone.
    """
    if shows + checks + writes > 1:
        raise UsageError("--diff, --check and --write exclude one another")
    if output is not None and (checks or writes):
        raise UsageError("--output writes the files elsewhere, and goes with neither --check nor --write")
    chosen = choose(ctx, asked.path)
    rules = chosen.rulebook()
    plan = mend.plan(asked.path, rules, unsafe=unsafe, apps=chosen.of("apps"), kind=asked.kind, lived=chosen.lived())
    painted = wants_colour(colour)
    for file in plan.files:
        notes = [
            f"{change.subject}: {change.told}   {', '.join(change.rules)}{_why(change)}" for change in file.changes
        ]
        click.echo(file_diff(file.path, file.before, file.after, notes, colour=painted), nl=False)
    for unread in plan.before.unread:
        click.echo(f"# not read: {unread.path}: {unread.reason}")
    for left in plan.by_hand:
        click.echo(f"# by hand: {left.subject}: {left.reason} ({', '.join(left.rules)})")
    for held in plan.withheld:
        click.echo(f"# only with --unsafe: {held.subject}: {held.reason} ({', '.join(held.rules)})")
    if output is not None:
        _write(plan, Path(output))
    elif writes:
        _write(plan, None)
    if not plan.files:
        click.echo("# nothing to change")
    nothing = of_nothing(asked.path, plan.before, chosen)
    if nothing is not None:
        return nothing
    return EXIT_FINDINGS if checks and plan.files else EXIT_CLEAN


def _why(change: Change) -> str:
    return f"   unsafe: {'; '.join(change.unsafe)}" if change.unsafe else ""


def _write(plan: Plan, folder: Path | None) -> None:
    every = (Write(file.path, _target(plan, file.path, folder), _held(file, folder), file.after) for file in plan.files)
    writes = [write for write in every if write.before != write.after]
    backups = deliver(writes)
    for write in writes:
        click.echo(f"# written: {write.target}")
    for backup in backups:
        click.echo(f"# backup: {backup}")
    if folder is None and any(file.path.startswith("etc/supervisor") for file in plan.files):
        click.echo("# now: supervisorctl reread && supervisorctl update")


def _target(plan: Plan, path: str, folder: Path | None) -> Path:
    return folder / path if folder is not None else Path(mend.host_path(plan, path))


def _held(file: Corrected, folder: Path | None) -> bytes | None:
    if folder is None:
        return file.before
    target = folder / file.path
    if not target.exists():
        return None
    if not target.is_file():
        raise CannotMend(str(target), "there is something else than a file")
    return target.read_bytes()
