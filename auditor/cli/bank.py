"""`queue-auditor bank`: how each bank feed of an InvoiceNinja stands, and what to do by when."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from auditor import __version__
from auditor.bank import STATES, Looked, Standing, Wishes, check, of_the_app
from auditor.cli.commands import EXIT_CANNOT, EXIT_CLEAN, EXIT_FINDINGS, EXIT_NOTHING
from auditor.cli.deliver import save, tell
from auditor.cli.options import in_colour, wants_colour


@click.command("bank")
@click.argument("path", default="/", type=click.Path(file_okay=False))
@click.option(
    "--app", "apps", multiple=True, metavar="DIR", help="Root of an InvoiceNinja, from PATH; may be given again."
)
@click.option(
    "--api",
    is_flag=True,
    help="Ask GoCardless too, with the app's keys: no call of the accounts' daily limit is spent.",
)
@click.option("--api-url", metavar="URL", help="Where its API is, where that is not its own address.")
@click.option(
    "--banks", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
    help="Banks and consents of your own, laid over the shipped table.",
)  # fmt: skip
@click.option("--format", "form", type=click.Choice(["console", "json"]), default="console", show_default=True)
@click.option("--output", default="-", metavar="FILE", help="Where it goes; “-” is standard output.")
@in_colour
def command(
    path: str,
    apps: tuple[str, ...],
    api: bool,
    api_url: str | None,
    banks: Path | None,
    form: str,
    output: str,
    colour: bool | None,
) -> int:
    """Tell how the bank feeds of the InvoiceNinja on the host at PATH stand, from its database, which is only read.

    Exit status: 0 none is in danger, 1 one is, 2 something could not be looked at, 3 there is no feed.
    """
    import time

    looked = check(Wishes(path, apps, api=api or api_url is not None, api_url=api_url, banks=banks), time.time())
    text = in_json(looked) if form == "json" else on_console(looked, colour=wants_colour(colour) and output == "-")
    if output == "-":
        tell(text)
    else:
        save(output, text)
    if any(one.in_danger for one in looked):
        return EXIT_FINDINGS
    if any(one.unanswered for one in looked):
        return EXIT_CANNOT
    return EXIT_CLEAN if any(one.standings for one in looked) else EXIT_NOTHING


FORMAT = 1
"""Version of the JSON's shape; it grows by one when a reader of the older one could misread it."""
_FIELDS = (
    "id", "bank", "institution", "status", "provider_status", "requisition_status", "disabled", "auto_sync", "last_data",
    "connected", "idle_days", "ask_every_days", "closes_after_days", "days_left", "closes_on", "accepted",
    "agreement_days", "agreement_left", "ends_on", "last_accessed",
)  # fmt: skip
_COLOURS = {"fine": "green", "watch": "yellow", "danger": "red", "off": None, "unknown": "yellow"}


def in_json(looked: Sequence[Looked]) -> str:
    """One JSON object; a figure that is not known is null, and "unknown" says why."""
    apps = [
        {
            "app": one.ninja.name,
            "release": ".".join(map(str, one.ninja.version)),
            "generation": one.ninja.generation,
            "asked": [
                {"name": probe.name, "kind": probe.kind, "outcome": probe.outcome, "reason": probe.reason}
                for probe in one.probes
            ],
            "notes": list(of_the_app(one)),
            "feeds": [_plain(standing) for standing in one.standings],
        }
        for one in looked
    ]
    found = {"format": FORMAT, "tool": "queue-auditor", "version": __version__, "apps": apps}
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _plain(standing: Standing) -> dict[str, Any]:
    feed = standing.feed
    why = {}
    fields: dict[str, Any] = {}
    for field in _FIELDS:
        depends = getattr(getattr(type(feed), field), "fget", None)
        names = getattr(depends, "__derived__", (field,))
        unknown = next((feed.mark(name).reason for name in names if feed.is_unknown(name)), None)
        fields[field] = None if unknown is not None else getattr(feed, field)
        if unknown is not None and field in feed.marks:
            why[field] = unknown
    return {
        "name": feed.name, "state": standing.state, "reason": standing.reason, "todo": standing.todo, "by": standing.by,
        **fields, "unknown": why,
    }  # fmt: skip


def on_console(looked: Sequence[Looked], *, colour: bool = False) -> str:
    """A paragraph a feed, those in danger first; then what could not be asked."""
    blocks = []
    for one in looked:
        release = ".".join(map(str, one.ninja.version))
        lines = [f"{one.ninja.spoken}{f' {release}' if release else ''}"]
        lines += [f"  {note}." for note in of_the_app(one)]
        lines += [f"  not asked: {probe.name}: {probe.reason}." for probe in one.unanswered]
        if not one.standings and one.state is not None:
            lines.append("  it has no bank feed.")
        blocks.append("\n".join(lines))
        blocks += ["\n".join(_lines(standing, colour=colour)) for standing in one.standings]
    if any(one.state is not None for one in looked):
        blocks.append(_sum([standing for one in looked for standing in one.standings]))
    return "\n\n".join(blocks) + "\n"


def _lines(standing: Standing, *, colour: bool) -> list[str]:
    feed = standing.feed
    word = f"{standing.state:<7}"
    lines = [f"{click.style(word, fg=_COLOURS[standing.state], bold=True) if colour else word}  {feed.name}"]
    lines.append(f"  {standing.reason}.")
    left = []
    if feed.days_left is not None and not feed.is_unknown("idle_days") and feed.days_left > 0:
        left.append(f"{feed.days_left:g} until the bank ends the access ({feed.closes_on})")
    if feed.agreement_left is not None and feed.agreement_left > 0:
        left.append(f"{feed.agreement_left:g} of the consent ({feed.ends_on})")
    if left and standing.state != "off":
        lines.append(f"  days left: {', '.join(left)}")
    if standing.todo:
        now = ", now" if standing.state == "danger" else ""
        when = f", by {standing.by}" if standing.by else now
        lines.append(f"  to do{when}: {standing.todo}.")
    return lines


def _sum(standings: Sequence[Standing]) -> str:
    counts = {state: sum(1 for one in standings if one.state == state) for state in STATES}
    told = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    return f"{len(standings)} feed{'' if len(standings) == 1 else 's'}{f': {told}' if told else ''}"
