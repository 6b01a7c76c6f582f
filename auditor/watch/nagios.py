"""One round as a Nagios plugin tells it (nagios-plugins.org/doc/guidelines.html): a line, performance data, details."""

from __future__ import annotations

from auditor.findings import Severity
from auditor.watch.round import Seen

OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3
"""The exit statuses of a plugin."""
LONGEST = 40
"""Problems that are told one by one."""
MOST_QUEUES = 20
"""Queues whose sizes go into the performance data."""


def nagios(seen: Seen) -> tuple[str, int]:
    """What is printed, and the exit status: CRITICAL for an error, WARNING for a warning, OK beside notes."""
    if seen.failure:
        return f"QUEUE UNKNOWN - {_plain(seen.failure)}\n", UNKNOWN
    problems = sorted(seen.present.values(), key=lambda one: -one.severity.rank)
    counts = {severity: sum(one.severity is severity for one in problems) for severity in Severity}
    errors, warnings, notes = counts[Severity.ERROR], counts[Severity.WARNING], counts[Severity.NOTE]
    status, word = (CRITICAL, "CRITICAL") if errors else (WARNING, "WARNING") if warnings else (OK, "OK")
    told = ", ".join(
        f"{count} {name}{'' if count == 1 else 's'}"
        for count, name in ((errors, "error"), (warnings, "warning"), (notes, "note"))
        if count
    )
    worst = f": {_plain(problems[0].text)}" if status != OK else ""
    data = [f"errors={errors};;0;0", f"warnings={warnings};0;;0", f"time={seen.seconds:.3f}s;;;0"]
    queues = [one for one in seen.live.queues if not one.is_unknown("ready")] if seen.live is not None else []
    data += [f"'{_label(f'{one.connection}:{one.name}')}'={one.ready};;;0" for one in queues[:MOST_QUEUES]]
    lines = [f"QUEUE {word} - {told or 'nothing to object to'}{worst} | {' '.join(data)}"]
    lines += [f"{one.severity.value}: {_plain(one.text)} ({one.rule})" for one in problems[:LONGEST]]
    lines += [f"… and {len(problems) - LONGEST} more"] if len(problems) > LONGEST else []
    return "\n".join(lines) + "\n", status


def _plain(text: str) -> str:
    """The text on one line, without the sign behind which performance data stand."""
    return " ".join(text.replace("|", "¦").split())


def _label(text: str) -> str:
    """A name as performance data may hold it between single quotes."""
    return "".join("_" if c in "'=|" or not c.isprintable() else c for c in text)
