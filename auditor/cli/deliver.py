"""The one place that prints: each format to its output."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from auditor import __version__
from auditor.errors import UsageError
from auditor.findings import Verdict


class Style(NamedTuple):
    """How a person wants to read a report."""

    colour: bool
    """Whether ANSI colours go in."""
    show_skipped: bool
    """Whether every skipped judgement is told."""


def _console(verdict: Verdict, style: Style) -> str:
    from auditor.reports.console import console

    return console(verdict, colour=style.colour, show_skipped=style.show_skipped)


def _json(verdict: Verdict, _style: Style) -> str:
    from auditor.reports.json_report import json_report

    return json_report(verdict, version=__version__)


FORMATS: Mapping[str, Callable[[Verdict, Style], str]] = {
    "console": _console,
    "json": _json,
}
"""Name of a format to what writes it."""


def deliver(
    verdict: Verdict, formats: tuple[str, ...], outputs: tuple[str, ...], *, colour: bool, show_skipped: bool
) -> None:
    """Write each format to the output of the same position; a format without one goes to standard output."""
    chosen = formats or ("console",)
    if len(outputs) > len(chosen):
        raise UsageError("there are more --output than --format")
    targets = [*outputs, *["-"] * (len(chosen) - len(outputs))]
    if targets.count("-") > 1:
        raise UsageError("two formats cannot both go to standard output; give each but one an --output")
    for name, target in zip(chosen, targets, strict=True):
        report = FORMATS[name](verdict, Style(colour and target == "-", show_skipped))
        if target == "-":
            sys.stdout.write(report)
            sys.stdout.flush()
        else:
            Path(target).write_text(report, encoding="utf-8", errors="surrogateescape")
