"""The one place that prints: each format to its output."""

from __future__ import annotations

import os
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
    if len(set(targets)) < len(targets):
        raise UsageError("two formats cannot both go to one file")
    for name, target in zip(chosen, targets, strict=True):
        report = FORMATS[name](verdict, Style(colour and target == "-", show_skipped))
        if target == "-":
            tell(report)
        else:
            save(target, report)


def tell(text: str) -> None:
    """Print it; a reader that has gone (head, less) has seen what it wanted, and the verdict stands."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def save(target: str, text: str) -> None:
    """Write a file whole or not at all; what is no regular file (a pipe, /dev/stderr) is written to as it is."""
    file = Path(target)
    data = text.encode("utf-8", "surrogateescape")
    if file.exists() and not file.is_file():
        file.write_bytes(data)
        return
    file = file.resolve()  # a link stays one
    partial = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        with partial.open("xb") as stream:
            if file.exists():
                os.fchmod(stream.fileno(), file.stat().st_mode & 0o7777)
            stream.write(data)
        partial.replace(file)
    except OSError as problem:
        raise OSError(problem.errno, problem.strerror, target) from None
    finally:
        partial.unlink(missing_ok=True)
