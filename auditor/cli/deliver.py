"""The one place that prints: each format to its output."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
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
    rule_folders: tuple[str, ...] = ()
    """Folders of further rules, whose texts a report may quote."""


def _console(verdict: Verdict, style: Style) -> str:
    from auditor.reports.console import console

    return console(verdict, colour=style.colour, show_skipped=style.show_skipped)


def _json(verdict: Verdict, _style: Style) -> str:
    from auditor.reports.json_report import json_report

    return json_report(verdict, version=__version__)


def _jsonl(verdict: Verdict, _style: Style) -> str:
    from auditor.reports.jsonl import jsonl

    return jsonl(verdict, version=__version__)


def _sarif(verdict: Verdict, style: Style) -> str:
    from auditor.cli.describe import describing
    from auditor.reports.sarif import sarif

    return sarif(verdict, version=__version__, describe=describing(style.rule_folders))


def _github(verdict: Verdict, _style: Style) -> str:
    from auditor.reports.github import github

    return github(verdict)


def _gitlab(verdict: Verdict, _style: Style) -> str:
    from auditor.reports.gitlab import gitlab

    return gitlab(verdict)


def _junit(verdict: Verdict, _style: Style) -> str:
    from auditor.reports.junit import junit

    return junit(verdict)


def _checkstyle(verdict: Verdict, _style: Style) -> str:
    from auditor.reports.checkstyle import checkstyle

    return checkstyle(verdict)


def _markdown(verdict: Verdict, _style: Style) -> str:
    from auditor.reports.markdown import markdown

    return markdown(verdict)


def _html(verdict: Verdict, style: Style) -> str:
    from auditor.cli.describe import describing
    from auditor.reports.html import html

    return html(verdict, describe=describing(style.rule_folders))


FORMATS: Mapping[str, Callable[[Verdict, Style], str]] = {
    "console": _console,
    "json": _json,
    "jsonl": _jsonl,
    "sarif": _sarif,
    "github": _github,
    "gitlab": _gitlab,
    "junit": _junit,
    "checkstyle": _checkstyle,
    "markdown": _markdown,
    "html": _html,
}
"""Name of a format to what writes it."""


def deliver(
    verdict: Verdict,
    formats: tuple[str, ...],
    outputs: tuple[str, ...],
    *,
    colour: bool,
    show_skipped: bool,
    rule_folders: tuple[str, ...] = (),
) -> None:
    """Write each format to the output of the same position; a format without one goes to standard output.

    Where none is asked for, a person reads the console's; in a GitHub workflow its annotations follow.
    """
    chosen = formats or ("console",)
    if len(outputs) > len(chosen):
        raise UsageError("there are more --output than --format")
    targets = [*outputs, *["-"] * (len(chosen) - len(outputs))]
    if targets.count("-") > 1:
        raise UsageError("two formats cannot both go to standard output; give each but one an --output")
    if len(set(targets)) < len(targets):
        raise UsageError("two formats cannot both go to one file")
    for name, target in zip(chosen, targets, strict=True):
        report = FORMATS[name](verdict, Style(colour and target == "-", show_skipped, rule_folders))
        put(target, report)
    if not formats and not outputs and os.environ.get("GITHUB_ACTIONS") == "true":
        tell(FORMATS["github"](verdict, Style(colour=False, show_skipped=False)))


def put(target: str, text: str) -> None:
    """Write it to a file, or print it where the target is “-”."""
    if target == "-":
        tell(text)
    else:
        save(target, text)


def tell(text: str) -> None:
    """Print it; a reader that has gone (head, less) has seen what it wanted, and the verdict stands."""
    try:
        sys.stdout.write(_writable(text))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def save(target: str, text: str) -> None:
    """Write a file whole or not at all, its mode kept; what is no regular file (a pipe, /dev/stderr) is written to as it is."""
    from pathlib import Path

    from auditor.writing import replace

    file = Path(target)
    data = _writable(text).encode("utf-8", "surrogateescape")
    if file.exists() and not file.is_file():
        try:
            file.write_bytes(data)
        except OSError as problem:
            raise OSError(problem.errno, problem.strerror, target) from None
        return
    file = file.resolve()  # a link stays one
    try:
        replace(str(file), data, mode=file.stat().st_mode & 0o7777 if file.exists() else None)
    except OSError as problem:
        raise OSError(problem.errno, problem.strerror, target) from None


def _writable(text: str) -> str:
    """The text, with halves of UTF-16 pairs, which JSON's escapes can bring in and no file can hold, shown as U+FFFD."""
    if text.isascii():
        return text
    return "".join("\ufffd" if "\ud800" <= c <= "\udc7f" or "\udd00" <= c <= "\udfff" else c for c in text)
