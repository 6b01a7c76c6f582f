"""Profiles: what a kind of application asks of its workers, its scheduler and its settings. One YAML file each.

The files lie in templates/profiles/; a folder of further ones may be named. A file that is not a profile is refused with
its line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import msgspec

from auditor.dialects import yaml_text
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
    defers: bool = False
    """Whether its figures are mere defaults: what the command of a running worker says then stays."""
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


def profiles(folders: Sequence[str] = ()) -> dict[str, Profile]:
    """Every profile by name: the shipped ones, then those of further folders, which may take a shipped one's place."""
    found: dict[str, Profile] = {}
    for folder in (data_dir("templates") / "profiles", *map(Path, folders)):
        for path in sorted(folder.glob("*.yaml")):
            found[path.stem] = read_profile(path)
    return found


def read_profile(path: Path) -> Profile:
    """One profile's file; raises Unreadable with its line."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Unreadable(path.name, "it is not UTF-8") from None
    data, lines = yaml_text.load(text, path.name)
    try:
        profile = msgspec.convert(data, Profile)
    except msgspec.ValidationError as problem:
        _refuse(path.name, str(problem), lines)
    starts = [step.from_ for step in profile.sizing.steps]
    if not starts or starts[0] != 0 or starts != sorted(set(starts)):
        line = lines.get(("sizing", "steps"))
        raise Unreadable(path.name, "the steps begin at 0 and rise, each once", line)
    for number, one in enumerate(profile.evidence):
        for key in one.of:
            if not _has(data, key):
                line = lines.get(("evidence", number, "of"))
                raise Unreadable(path.name, f"the evidence is of “{key}”, which this file does not set", line)
    return profile


_WHERE = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`")
_MISSING = re.compile(r"Object missing required field `(?P<name>.*)`")
_PART = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_KINDS: Mapping[tuple[str, ...], type[msgspec.Struct]] = {
    (): Profile,
    ("detects",): Detects,
    ("worker",): WorkerPlan,
    ("sizing",): Sizing,
    ("sizing", "steps"): Step,
    ("env",): Setting,
    ("evidence",): Evidence,
}


def _refuse(name: str, told: str, lines: yaml_text.Lines) -> NoReturn:
    """Turn msgspec's sentence into one of a person's, with the line."""
    match = _WHERE.match(told)
    what, where = (match["what"], match["path"] or "$") if match else (told, "$")
    parts = [part[1] or part[2] for part in _PART.finditer(where.removeprefix("$"))]
    path: tuple[str | int, ...] = tuple(int(part) if part.isdecimal() else part for part in parts)
    kind = _KINDS.get(tuple(part for part in parts if not part.isdecimal()))
    unknown = _UNKNOWN.fullmatch(what)
    missing = _MISSING.fullmatch(what)
    key = ".".join(parts)
    if unknown is not None:
        path = (*path, unknown["name"])
        reason = f"there is no “{unknown['name']}” here{_close(unknown['name'], kind)}"
    elif missing is not None:
        reason = f"{key or 'the profile'} lacks “{missing['name']}”"
    else:
        reason = f"{key or 'the profile'}: {what[:1].lower()}{what[1:]}"
    while path and path not in lines:
        path = path[:-1]
    raise Unreadable(name, reason, lines.get(path))


def _close(name: str, kind: type[msgspec.Struct] | None) -> str:
    import difflib

    known = [field.encode_name for field in msgspec.structs.fields(kind)] if kind is not None else []
    close = difflib.get_close_matches(name, known, 1)
    if close:
        return f"; did you mean “{close[0]}”?"
    return f"; there are {', '.join(known)}" if known else ""


def _has(data: Any, key: str) -> bool:
    for part in key.split("."):
        if not isinstance(data, dict) or part not in data:
            return False
        data = data[part]
    return True


def choose(app: App, wanted: str | None, folders: Sequence[str] = ()) -> tuple[str, Profile]:
    """The profile that was asked for, else the one that asks most of what this app is; raises UsageError, Unreadable."""
    known = profiles(folders)
    if wanted is not None:
        if wanted not in known:
            raise UsageError(f"there is no profile “{wanted}”; there are {', '.join(known)}")
        return wanted, known[wanted]
    fitting = [name for name, profile in known.items() if profile.detects.fits(app)]
    name = max(fitting, key=lambda name: known[name].detects.weight)
    return name, known[name]
