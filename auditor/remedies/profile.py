"""Profiles: what a kind of application asks of its workers, its scheduler and its settings. One YAML file each.

The files lie in templates/profiles/; any other may be named by its path. A file that is no profile is refused with its line.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from auditor.dialects import yaml_table, yaml_text
from auditor.errors import Unreadable, UsageError
from auditor.facts.laravel import App
from auditor.places import data_dir

Count = Annotated[int, msgspec.Meta(ge=1)]
Amount = Annotated[float, msgspec.Meta(gt=0)]
Word = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.:@-]+$")]
Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Z][A-Z0-9_]*$")]
Sentence = Annotated[str, msgspec.Meta(min_length=3)]
FilePath = Annotated[str, msgspec.Meta(pattern=r"^(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_./-]*$")]


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a worker gets on a host of at least so much memory."""

    from_: float = msgspec.field(name="from")
    """MiB of RAM from which on it holds."""
    reserve: Amount
    """MiB left to everything else: web server, database, system."""
    memory: Amount
    """--memory in MiB."""
    most: Count
    """Workers at most."""
    timeout: Amount | None = None
    """--timeout in seconds; None keeps the profile's."""
    php_memory_limit: Amount | None = None
    """PHP's memory_limit in MiB; None keeps the profile's."""


class Sizing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many workers a host can carry."""

    steps: tuple[Step, ...]
    """From the smallest host up."""
    per_job: float = 0
    """MiB that a job takes beside its worker: a browser that renders a PDF."""
    most_per_cpu: Amount = 1
    """Workers for each processor at most."""


class WorkerPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The options of its workers."""

    kind: Literal["queue:work", "horizon"]
    """The artisan command."""
    queues: tuple[Word, ...] = ()
    """Queues to poll, the most urgent first; () leaves the connection's own."""
    sleep: Count = 3
    """--sleep in seconds."""
    tries: Count = 1
    """--tries."""
    max_time: Count = 3600
    """--max-time in seconds."""
    timeout: Amount = 60
    """--timeout in seconds."""
    startretries: Count = 20
    """How often supervisord tries to start it: a backend may be slow to boot."""
    killasgroup: bool = False
    """Whether children of a worker that had to be killed are killed with it."""
    php_memory_limit: Amount | None = None
    """PHP's memory_limit in MiB, given on its command line and on the scheduler's."""
    connection: Word | None = None
    """The connection to use where the app's default takes no jobs off a queue; None refuses such an app."""


class Setting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One setting of .env that the app needs."""

    name: Name
    """Its name."""
    value: str
    """What `env()` is to give."""
    why: Sentence
    """What it is for, as a clause."""
    otherwise: str | None = None
    """What the app takes where it is not set; None where that is never right."""
    host_only: bool = False
    """Whether it means nothing in a container."""


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where figures of the profile are from."""

    of: tuple[str, ...]
    """The keys they stand at, dotted: "worker.tries"."""
    says: Sentence
    """What the source says, or how the figure was estimated from it."""
    source: Annotated[str, msgspec.Meta(pattern=r"^https://\S+$")]
    """Its address."""
    date: Annotated[str, msgspec.Meta(pattern=r"^(\d{4}-\d\d-\d\d|undated)$")]
    """The day it was said, "undated" where the page bears none."""
    weighs: bool = False
    """Whether whoever has a worker that says otherwise is told of it; the worker itself stays as it is."""


class Detects(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an app must have; a profile that asks nothing fits every app."""

    package: str | None = None
    """Its name in composer.json."""
    product: str | None = None
    """The product that its files show it to be."""
    horizon: bool | None = None
    """Whether Horizon is installed."""

    def fits(self, app: App) -> bool:
        """Whether an app has all of it."""
        return (
            (self.package is None or self.package == app.package.lower())
            and (self.product is None or self.product == app.product)
            and (self.horizon is None or self.horizon == app.has_horizon)
        )

    @property
    def weight(self) -> int:
        """How much it asks: a name counts more than a trait."""
        return 2 * (self.package is not None) + 2 * (self.product is not None) + (self.horizon is not None)


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of application."""

    title: Sentence
    """What it is for."""
    detects: Detects
    """Which apps it is for."""
    worker: WorkerPlan
    """The options of its workers."""
    sizing: Sizing
    """How many of them."""
    scheduler: bool = True
    """Whether it has a schedule that something must run every minute."""
    env: tuple[Setting, ...] = ()
    """What its .env must say, beside its queue connection."""
    logs: tuple[FilePath, ...] = ()
    """Files below the app that these settings make grow, and that nothing else rotates."""
    scheduler_log: FilePath | None = None
    """Where below the app the scheduler's output goes; None discards it."""
    docker: tuple[Sentence, ...] = ()
    """What to know where it runs in containers."""
    evidence: tuple[Evidence, ...] = ()
    """Where the figures are from."""


class ProfileRefused(Unreadable):
    """A file is not a profile."""


def shipped() -> dict[str, Path]:
    """The file of every profile of ours, by name."""
    return {path.stem: path for path in sorted((data_dir("templates") / "profiles").glob("*.yaml"))}


def read_profile(path: Path, shown: str | None = None) -> Profile:
    """One profile's file; raises ProfileRefused with its line."""
    name = shown or path.name
    profile, lines = yaml_table.read(path, name, Profile, ProfileRefused)
    starts = [step.from_ for step in profile.sizing.steps]
    if not starts or starts[0] != 0 or starts != sorted(set(starts)):
        line = yaml_table.line_of(lines, ("sizing", "steps"))
        raise ProfileRefused(name, "the steps begin at 0 and rise, each once", line)
    for number, one in enumerate(profile.evidence):
        for key in one.of:
            if not _is_set(lines, key):
                line = yaml_table.line_of(lines, ("evidence", number, "of"))
                raise ProfileRefused(name, f"the evidence is of “{key}”, which this file does not set", line)
    return profile


def _is_set(lines: yaml_text.Lines, key: str) -> bool:
    return tuple(key.split(".")) in lines


def choose(app: App, wanted: str | None) -> tuple[str, Profile]:
    """The profile that was asked for by name or path, else the one that asks most of what this app is.

    Raises UsageError, ProfileRefused.
    """
    if wanted is not None and ("/" in wanted or wanted.endswith((".yaml", ".yml"))):
        path = Path(wanted)
        return path.stem, read_profile(path, wanted)
    files = shipped()
    if wanted is not None:
        if wanted not in files:
            raise UsageError(f"there is no profile “{wanted}”{_meant(wanted, files)}")
        return wanted, read_profile(files[wanted])
    known = {name: read_profile(path) for name, path in files.items()}
    fitting = [name for name, profile in known.items() if profile.detects.fits(app)]
    name = max(fitting, key=lambda name: known[name].detects.weight)
    return name, known[name]


def _meant(name: str, known: dict[str, Path]) -> str:
    import difflib

    close = difflib.get_close_matches(name, known, 1)
    return f"; did you mean “{close[0]}”?" if close else f"; there are {', '.join(known)}, or the path of a file"
