"""`queue-auditor rules`: list the rules, or test a folder of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from auditor import audit
from auditor.cli.commands import EXIT_CLEAN, EXIT_FINDINGS
from auditor.cli.options import which_rules
from auditor.judge.rule import Rule


@click.group("rules", invoke_without_command=True)
@which_rules
@click.option("--format", "form", type=click.Choice(["console", "json"]), default="console", show_default=True)
@click.pass_context
def command(
    ctx: click.Context, select: tuple[str, ...], ignore: tuple[str, ...], rule_folders: tuple[str, ...], form: str
) -> None:
    """List every rule with its severity and title; `rules test DIR` runs a folder's own examples."""
    if ctx.invoked_subcommand is not None:
        return
    rules = list(audit.rulebook(select=select, ignore=ignore, folders=rule_folders))
    if form == "json":
        sys.stdout.write(json.dumps([_entry(rule) for rule in rules], indent=2, ensure_ascii=False) + "\n")
        return
    group = ""
    for rule in rules:
        if rule.group != group:
            group = rule.group
            click.echo(f"{group}/")
        click.echo(f"  {rule.worst.value:<8} {rule.id.partition('/')[2]:<34} {rule.title}")


@command.command("test")
@click.argument("folder", type=click.Path(exists=True, file_okay=False))
def test(folder: str) -> int:
    """Check every rule below FOLDER and run its examples; exit 1 where one does not hold."""
    from auditor.judge.example import problems
    from auditor.judge.rulebook import load_folder

    rules = load_folder(Path(folder))
    rules.order()
    found = [problem for rule in rules for problem in problems(rule)]
    for problem in found:
        click.echo(problem)
    examples = sum(len(rule.good) + len(rule.bad) for rule in rules)
    click.echo(f"{len(rules)} rules, {examples} examples, {len(found)} of them do not hold.")
    return EXIT_FINDINGS if found else EXIT_CLEAN


def _entry(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "title": rule.title,
        "severity": rule.worst.value,
        "for": rule.scope,
        "fixes": [fix.fact for fix in rule.fixes] + ([rule.adds] if rule.adds else []),
        "let": dict(rule.let),
        "references": list(rule.references),
    }
