"""The table of proofs: what the tests have shown, for a terminal and as docs/proofs.md."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pytest

HEAD = """\
# Proofs

What `make proofs` has shown, and wrote here.
Each line is one small host with real workers under a real supervisord, a real queue and a real cron.
The audit finds the rule on it; it is run, and the harm is seen to happen; it is put right, by what `fix` writes into
the same files or, where a rule only advises, by hand as it advises; then it is run again without the harm, and audited
again without an error.

Laravel is 8.83, the PHP, Redis, MariaDB and cron are Debian's, supervisord is the version that the tests install.
Rules for what cannot be had there say `none` and why in `queue-auditor explain RULE`.

The figures that are audited are those that run: where they are minutes, the host's clock goes up to sixty times as fast.
What stands for something else:

- Cron's minute lasts between one and six seconds, while what it starts lives in real time.
- A job that is tried without end begins at its 250th attempt.
- A cached configuration is a minute older than the .env because its file's time was set back.
- A memory of 700 MB is a limit of the kernel's for what runs on the host, and a Redis cluster has one node.
- A container is a host with the same files. One without pcntl is told so when Laravel asks: Debian's PHP has it built in.
- Of InvoiceNinja there are the settings, the schedule's lines and the tables of bank accounts, and none of its code.

Reality has corrected these:

- `timeouts/block-for-is-text` said that no job is run; a worker runs what it finds, and dies of the empty queue.
- `scheduler/cron-percent` had its line made anew from what the percent sign had left of it; now the sign is escaped.
- `scheduler/missing` got a file of its own beside one that was only to be mended, which ran every task twice.
- `scheduler/cron-file-name` objected to the backup that `fix` had left in /etc/cron.d.
- `queue/redis-cluster-tag` said that no job can be taken; already the push is refused.
- `timeouts/sleep-below-timeout` wrote a `--rest=0` that changed nothing.
- `processes/relative-artisan-without-directory` said that artisan is looked for in /; it is where supervisord was started.
- `processes/no-recycling`, `processes/tries-unset` and `timeouts/timeout-not-written` asked for options behind a line break
  that is escaped, where artisan refuses them all.
- `processes/image-without-pcntl` named as its proof what a php.ini without pcntl's functions does: that ends each worker at
  its start, while one that lacks the extension takes jobs, ends none in time, and dies of SIGTERM in the middle.
"""


class Row(NamedTuple):
    """One thing that was shown."""

    rule: str
    """The rule's id."""
    test: str
    """The test that showed it: "test_x.py::test_y"."""
    severity: str
    """How grave the rule holds it to be."""
    harm: str
    """What went wrong."""
    remedy: str
    """What `fix` wrote, "" where a person followed the advice."""
    then: str
    """What was seen thereafter."""


def rows_of(reports: Iterable[pytest.TestReport]) -> list[Row]:
    """What these tests have shown, each thing once, by rule."""
    found = set()
    for report in reports:
        for name, value in report.user_properties:
            if name == "proved" and report.when == "call":
                words = [str(each) for each in value]  # type: ignore[attr-defined]
                found.add(Row(words[1], words[0], *words[2:]))
    return sorted(found)


def as_text(rows: Sequence[Row]) -> str:
    """For a terminal: each rule, the harm, and what came after."""
    lines = []
    for row in rows:
        lines.append(f"\n{row.severity:7} {row.rule}")
        remedy = f"fix wrote {row.remedy}." if row.remedy else "by hand, as it advises."
        for word, text in (("harm", row.harm), ("remedy", remedy), ("then", row.then)):
            lines += textwrap.wrap(text, 112, initial_indent=f"  {word:7} ", subsequent_indent=" " * 10)
    rules = {row.rule for row in rows}
    return "\n".join([*lines, "", f"{len(rows)} harms of {len(rules)} rules, each made to happen and made to go."])


def as_page(rows: Sequence[Row]) -> str:
    """docs/proofs.md."""
    lines = [HEAD, "| rule | harm, as it was seen | put right by | then |", "|---|---|---|---|"]
    for row in rows:
        rule = f"`{row.rule}`<br>{row.severity}, [{row.test.partition('::')[2]}](../tests/proofs/{row.test.partition('::')[0]})"
        remedy = f"`fix`: {row.remedy}" if row.remedy else "hand, as it advises"
        lines.append(f"| {' | '.join(_cell(text) for text in (rule, row.harm, remedy, row.then))} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def rules_in(page: str) -> set[tuple[str, str, str]]:
    """The rule, the test and the severity of each line of docs/proofs.md."""
    found = set()
    for line in page.splitlines():
        if line.startswith("| `"):
            rule = line.split("`")[1]
            test = line.partition("[")[2].partition("]")[0]
            file = line.partition("](../")[2].partition(")")[0]
            severity = line.partition("<br>")[2].partition(",")[0]
            found.add((rule, f"{file}::{test}", severity))
    return found
