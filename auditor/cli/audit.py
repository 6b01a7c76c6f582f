"""`queue-auditor audit`: judge a host, a repository or one file."""

from __future__ import annotations

import click
import msgspec

from auditor import audit
from auditor.cli.chosen import choose, root_of
from auditor.cli.commands import EXIT_CLEAN, EXIT_FINDINGS
from auditor.cli.deliver import deliver
from auditor.cli.ending import fails, of_nothing
from auditor.cli.options import (
    Asked,
    fails_on,
    from_settings,
    in_colour,
    in_forms,
    lived_with,
    looks_live,
    wants_colour,
    what_to_look_at,
    which_rules,
)
from auditor.cli.unsaved import unsaved


@click.command("audit")
@what_to_look_at
@looks_live
@which_rules
@lived_with
@from_settings
@in_colour
@in_forms
@fails_on("The least severity that makes the exit status 1.")
@click.option(
    "--diff-base",
    metavar="REV",
    help="Tell only what the change since this git revision touches, and what it restarts when it is deployed.",
)
@click.option(
    "--stdin-filename",
    "unsaved_file",
    metavar="FILE",
    help="Take FILE's content from standard input, as an editor holds it; in PATH where that is given, else by itself.",
)
@click.option(
    "--fixes/--no-fixes",
    default=None,
    help="Whether findings carry the edits that mend them, in json, jsonl and sarif; by default where sarif is asked for.",
)
@click.option("--allow-empty", is_flag=True, help="Exit 0, not 3, where there is nothing to audit.")
@click.option("--show-skipped", is_flag=True, help="Tell every judgement that could not be made, and why.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    asked: Asked,
    colour: bool | None,
    outputs: tuple[str, ...],
    diff_base: str | None,
    fixes: bool | None,
    show_skipped: bool,
    unsaved_file: str | None,
    **_chosen: object,
) -> int:
    """Judge PATH: a host's root (/ by default), a repository, one file, or a facts file.

    Exit status: 0 nothing found, 1 findings, 2 could not audit, 3 nothing there to audit.
    """
    path, overrides = unsaved(ctx, asked.path, unsaved_file)
    asked = asked._replace(path=path)
    chosen = choose(ctx, path)
    rules = chosen.rulebook()
    site = chosen.look(asked, overrides)
    since, deploy = audit.compare(path, site, rules, diff_base) if diff_base is not None else (None, None)
    lived = chosen.lived()
    verdict = audit.live_with(audit.judge(site, rules), site, rules, lived, since)
    verdict = msgspec.structs.replace(verdict, deploy=deploy, root=root_of(path))
    if fixes or (fixes is None and "sarif" in chosen.of("format")):
        from auditor.fixes import with_fixes

        verdict = with_fixes(
            verdict,
            path,
            rules,
            apps=chosen.of("apps"),
            kind=asked.kind,
            lived=lived,
            overrides=overrides or {},
        )
    deliver(
        verdict,
        chosen.of("format"),
        outputs,
        colour=wants_colour(colour),
        show_skipped=show_skipped,
        rule_folders=chosen.of("rules"),
    )
    nothing = of_nothing(path, verdict, chosen)
    if nothing is not None:
        return nothing
    return EXIT_FINDINGS if fails(verdict, chosen) else EXIT_CLEAN
