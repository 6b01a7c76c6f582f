"""`queue-auditor explain`: show one rule's page."""

from __future__ import annotations

from pathlib import Path

import click

from auditor.cli.options import in_colour, wants_colour
from auditor.errors import UsageError
from auditor.judge.expression import nearest
from auditor.judge.rulebook import Rulebook, load_folder, rules_folder
from auditor.reports.rule_page import rule_page
from auditor.suppress.own import OWN


@click.command("explain")
@click.argument("rule")
@in_colour
@click.option(
    "--rules", "rule_folders", multiple=True, type=click.Path(exists=True, file_okay=False), metavar="DIR",
    help="Look in the rules of this folder too.",
)  # fmt: skip
def command(rule: str, colour: bool | None, rule_folders: tuple[str, ...]) -> None:
    """Show what RULE judges, why it matters, what a fix does, and examples of both."""
    own = OWN.get(rule)
    if own is not None:
        click.echo(f"{rule}\n{own.title}.\n\nSeverity: {own.severity.value}.\n\nWhy it matters\n  {own.rationale}")
        return
    rules = load_folder(rules_folder())
    for folder in rule_folders:
        rules = Rulebook([*rules, *load_folder(Path(folder))])
    found = rules.rules.get(rule) or next((r for r in rules if r.id.partition("/")[2] == rule), None)
    if found is None:
        near = nearest(rule, list(rules.rules), otherwise="`queue-auditor rules` lists them")
        raise UsageError(f"there is no rule “{rule}”; {near}")
    click.echo(rule_page(found, colour=wants_colour(colour)), nl=False)
