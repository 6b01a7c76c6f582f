"""`queue-auditor render`: turn a saved JSON report into any other form."""

from __future__ import annotations

import click

from auditor.cli.deliver import deliver
from auditor.cli.options import in_colour, in_forms, wants_colour
from auditor.reports.json_report import read_report


@click.command("render")
@click.argument("report", type=click.Path())
@in_colour
@in_forms
@click.option(
    "--rules",
    "rule_folders",
    multiple=True,
    type=click.Path(exists=True, file_okay=False),
    metavar="DIR",
    help="Folder of further rules, whose texts a report may quote.",
)
@click.option("--show-skipped", is_flag=True, help="Tell every judgement that could not be made, and why.")
def command(
    report: str,
    colour: bool | None,
    formats: tuple[str, ...],
    outputs: tuple[str, ...],
    rule_folders: tuple[str, ...],
    show_skipped: bool,
) -> None:
    """Turn REPORT, which `audit --format json` wrote, into any other form; nothing is judged again.

    Exit status: 0, whatever the report holds, or 2 where it cannot be read.
    """  # fmt: skip
    deliver(
        read_report(report), formats, outputs, colour=wants_colour(colour), show_skipped=show_skipped,
        rule_folders=rule_folders,
    )  # fmt: skip
