"""What the auditor finds of its own: faults in what it is asked to leave alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from auditor.findings import Severity

GROUP = "queue-auditor"
"""The group of these: what is found of comments to the auditor itself."""


class Own(NamedTuple):
    """One of them, as a rule's page would tell it."""

    title: str
    """What holds where all is well."""
    rationale: str
    """Why it matters."""
    severity: Severity
    """How bad it is."""


OWN: Mapping[str, Own] = {
    f"{GROUP}/unused-ignore": Own(
        "A comment that asks for something to be left alone still has something to leave alone",
        "What it spoke of is mended or gone. Left in place, it would hide the fault when it comes back.",
        Severity.NOTE,
    ),
    f"{GROUP}/ignore-expired": Own(
        "A comment that asks for something to be left alone is still valid",
        "Its until= has passed, so what it spoke of is found again: mend it, or set another day.",
        Severity.NOTE,
    ),
    f"{GROUP}/ignore-unknown": Own(
        "A comment that asks for something to be left alone names rules that exist",
        "A misspelt rule leaves nothing alone, and its author believes that it does.",
        Severity.ERROR,
    ),
    f"{GROUP}/ignore-malformed": Own(
        "A comment to the auditor can be understood",
        "It has the form `queue-auditor: ignore[rule,group] reason until=YYYY-MM-DD`; one of another form does nothing.",
        Severity.ERROR,
    ),
}
"""Id to its text."""
