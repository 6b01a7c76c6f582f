"""What judging yields: findings, and the judgements that could not be made, each with its reason."""

from __future__ import annotations

import enum

import msgspec

from auditor.facts.origin import Origin
from auditor.facts.site import Unread


class Severity(enum.StrEnum):
    """How bad it is, in SARIF's own words."""

    ERROR = "error"
    """Jobs are lost, run twice or never run, or supervisord refuses to start."""
    WARNING = "warning"
    """An outage, or workers that come and go, is likely."""
    NOTE = "note"
    """Hygiene."""

    @property
    def rank(self) -> int:
        """0 for a note, 2 for an error."""
        return ("note", "warning", "error").index(self.value)


class Location(msgspec.Struct, frozen=True, omit_defaults=True):
    """One place that a finding rests on."""

    file: str
    """Path relative to the audited root."""
    line: int | None = None
    """Line from 1, None for the file as a whole."""
    text: str = ""
    """The line as written, secrets hidden."""
    note: str = ""
    """What the place tells: "stopwaitsecs is not written: 10 s"."""

    @classmethod
    def of(cls, place: Origin, note: str = "") -> Location:
        """A location at an origin."""
        return cls(place.file, place.line, place.text, note)


class Bound(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one rule asks of one fact of one subject: a bound, not an edit."""

    fact: str
    """Dotted: "worker.timeout"."""
    operator: str
    """"at_most", "at_least" or "exactly"."""
    value: float | bool | str
    """The bound itself."""
    unsafe: str = ""
    """Why applying it may change what the configuration means; "" where only a hazard goes."""


class Edit(msgspec.Struct, frozen=True):
    """One piece of a file's text, and what is to stand in its place."""

    file: str
    """Path relative to the audited root."""
    line: int
    """The line it begins in, from 1."""
    column: int
    """The character of that line it begins with, from 1; of equal ends, it is where something is inserted."""
    end_line: int
    """The line it ends in."""
    end_column: int
    """The character of that line before which it ends."""
    text: str
    """What is to stand there; "" where it only goes."""


class Fix(msgspec.Struct, frozen=True):
    """Edits that, made alone, mend a finding and bring no other."""

    told: str
    """What they do: "mail-worker: stopwaitsecs=130"."""
    edits: tuple[Edit, ...]
    """From the last to the first of the file, so that none moves another; they count from the text as it was judged."""


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fault: a rule that does not hold for one subject."""

    rule: str
    """Id of the rule: "timeouts/timeout-below-retry-after"."""
    severity: Severity
    """As this rule has it for this subject."""
    subject: str
    """What it is about: the program's, connection's or file's name."""
    message: str
    """One sentence with the values filled in."""
    arithmetic: str = ""
    """The comparison that failed, with its values: "3600 s + 10 s > 90 s"."""
    locations: tuple[Location, ...] = ()
    """Where it rests: the first is primary, the others show the other sides."""
    bounds: tuple[Bound, ...] = ()
    """What would mend it."""
    adds: str = ""
    """The template whose output would mend it: "cron"."""
    advice: str = ""
    """What a person can do where nothing is written."""
    key: str = ""
    """Identity by content: it stays the same when lines move."""
    fix: Fix | None = None
    """What would mend it as it stands; None where nothing can alone, or no fixes were asked for."""

    @property
    def file(self) -> str:
        """The file of the primary location, "" where there is none."""
        return self.locations[0].file if self.locations else ""

    @property
    def order(self) -> tuple[int, str, int, str]:
        """What findings are ordered by: severity, then place."""
        line = self.locations[0].line if self.locations else None
        return -self.severity.rank, self.file, line or 0, self.rule

    @property
    def fixable(self) -> bool:
        """Whether a fix of ours could mend it."""
        return bool(self.bounds or self.adds)


class Skipped(msgspec.Struct, frozen=True, omit_defaults=True):
    """A judgement that could not be made."""

    rule: str
    """Id of the rule."""
    subject: str
    """What it would have been about."""
    reason: str
    """Why, as a sentence without a full stop."""
    fact: str = ""
    """The fact that is unknown: "connection.retry_after"."""


class Held(msgspec.Struct, frozen=True):
    """A judgement that was made and found nothing: evidence against what the rule would have told."""

    rule: str
    """Id of the rule."""
    subject: str
    """What it holds for."""
    title: str
    """What holds, as a sentence without a full stop."""


class Ignored(msgspec.Struct, frozen=True, omit_defaults=True):
    """A finding that someone chose to live with."""

    finding: Finding
    """The finding itself."""
    how: str
    """"inline", "config", "baseline", "diff-base" (not touched by the change) or "min-severity"."""
    reason: str = ""
    """The reason they gave."""


class Restart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `supervisorctl update` does to one program once a change is deployed."""

    program: str
    """Its name."""
    group: str
    """The group that is stopped and started as a whole; its own name where no [group] lists it."""
    change: str
    """"changed", "added", "removed", or "in its group": unchanged itself, and stopped with the others."""
    processes: int
    """How many of its processes run now; 0 for one that is added."""
    grace: float | None = None
    """Seconds a running job has before KILL: the stopwaitsecs in use now, not the changed one; None where it is unknown."""
    longest: float | None = None
    """Seconds a job of it may take; None where there is no limit, no worker, or it is unknown."""
    file: str = ""
    """The file that defines it."""
    told: str = ""
    """All of it as one sentence."""


class Deploy(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a change does to running jobs when it is deployed."""

    base: str
    """What it was compared with, as it was asked for."""
    restarts: tuple[Restart, ...] = ()
    """The programs that stop, start, or both."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that was judged."""

    findings: tuple[Finding, ...] = ()
    """Ordered by severity, then place."""
    skipped: tuple[Skipped, ...] = ()
    """What could not be judged, and why."""
    ignored: tuple[Ignored, ...] = ()
    """What was found and is lived with."""
    unread: tuple[Unread, ...] = ()
    """What exists and could not be taken in, so that nothing of it was judged."""
    deploy: Deploy | None = None
    """What the change does when it is deployed; None where no change was asked about."""
    stale: int = 0
    """How many entries of the baseline are no longer found."""
    root: str = ""
    """The audited folder, seen from where the audit was started; "" for that folder itself."""
    judged: int = 0
    """How many judgements were made: rules times subjects."""
    rules: int = 0
    """How many rules were asked."""
    needs_live: tuple[str, ...] = ()
    """The rules that were not asked because they need --live."""
    subjects: dict[str, int] = {}
    """How many of each kind there were: {"program": 3, "worker": 1}."""

    @property
    def empty(self) -> bool:
        """Whether there was nothing to audit."""
        return not any(self.subjects.get(kind) for kind in ("program", "worker", "scheduler", "horizon", "oddity"))

    def count(self, severity: Severity) -> int:
        """How many findings have exactly this severity."""
        return sum(1 for finding in self.findings if finding.severity is severity)

    def worst(self) -> Severity | None:
        """The gravest severity found, None where nothing was."""
        return max((f.severity for f in self.findings), key=lambda s: s.rank, default=None)


def content_key(rule: str, subject: str, file: str, evidence: str) -> str:
    """A finding's identity by content: the rule, what it is about, the file, and the evidence; never a line number."""
    try:
        from _blake2 import blake2b  # what hashlib gives, without loading OpenSSL for it
    except ImportError:
        from hashlib import blake2b

    return blake2b(
        f"{rule}\x00{subject}\x00{file}\x00{evidence}".encode("utf-8", "surrogatepass"), digest_size=12
    ).hexdigest()
