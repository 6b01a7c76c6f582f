"""Artisan's queue and scheduler commands: what each accepts, what it assumes, and since which Laravel it does so.

Read from the commands' signatures in laravel/framework 5.5 to 13 (Illuminate/Queue/Console and
Illuminate/Console/Scheduling) and laravel/horizon up to 5.29. A version is a tuple of its parts, (8, 83, 26), or as
much of it as is known, (8,).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from auditor.facts.origin import Version

Since = tuple[Version, ...]
"""The first version that has a thing, one entry for each major version it was brought to; () is "always"."""


class ArtisanOption(msgspec.Struct, frozen=True):
    """One option of a command."""

    name: str
    """Its long name without the dashes."""
    kind: Literal["flag", "integer", "number", "text", "list"] = "flag"
    """What it takes: nothing, a whole number, a number, a text, or whole numbers with commas between them."""
    default: str | None = None
    """What applies where it is not written, as the command's signature says it."""
    since: Since = ()
    """The first version that knows it."""
    deprecated: Since = ()
    """The first version that calls it deprecated; () where none does."""


class ArtisanCommand(msgspec.Struct, frozen=True):
    """One command of artisan."""

    name: str
    """Its full name."""
    arguments: tuple[str, ...] = ()
    """The names of its arguments after the command's own, in order; "…" at the end of one that takes any number."""
    options: tuple[ArtisanOption, ...] = ()
    """Its own options; those of every command are GLOBAL_OPTIONS."""
    since: Since = ()
    """The first version of Laravel that has it."""
    closed: bool = True
    """Whether this list is the whole of its options, so that any other is refused."""


def reached(version: Version | None, since: Since) -> bool | None:
    """Whether that version has it; None where too little of the version is known to tell."""
    if not since:
        return True
    if not version:
        return None
    newest: Version | None = None
    for first in since:
        if first[0] <= version[0]:
            newest = first
    if newest is None:
        return False
    if newest[0] < version[0]:
        return True
    common = min(len(newest), len(version))
    if version[:common] != newest[:common]:
        return version[:common] > newest[:common]
    return True if len(version) >= len(newest) else None


def spoken(since: Since) -> str:
    """The first versions as people write them: "8.32", "11.53, 12.60, 13.10"."""
    return ", ".join(".".join(map(str, first)) for first in since)


def _number(name: str, default: str = "0", since: Since = (), deprecated: Since = ()) -> ArtisanOption:
    return ArtisanOption(name, "integer", default, since, deprecated)


_V8: Final[Since] = ((8, 0),)

_BACKOFF = ArtisanOption("backoff", "list", "0", _V8)
_DELAY = _number("delay", deprecated=_V8)
_FORCE = ArtisanOption("force")
_MEMORY = _number("memory", "128")
_NAME = ArtisanOption("name", "text", "default", _V8)
_QUEUE = ArtisanOption("queue", "text", None)
_SLEEP = ArtisanOption("sleep", "number", "3")
_TIMEOUT = _number("timeout", "60")
_TRIES = _number("tries", "1")
_WHISPER = ArtisanOption("whisper", since=((12, 20),))

_WORK = (
    _NAME,
    _QUEUE,
    ArtisanOption("daemon", deprecated=((5, 5),)),
    ArtisanOption("once"),
    ArtisanOption("stop-when-empty", since=((5, 7, 2),)),
    ArtisanOption("stop-when-empty-for", "integer", "0", ((11, 53), (12, 60), (13, 10))),
    _DELAY,
    _BACKOFF,
    _number("max-jobs", since=_V8),
    _number("max-time", since=_V8),
    _FORCE,
    _MEMORY,
    _SLEEP,
    ArtisanOption("rest", "number", "0", ((8, 32),)),
    _TIMEOUT,
    _TRIES,
    ArtisanOption("json", since=((11, 27),)),
)
_LISTEN = (
    _NAME,
    _DELAY,
    _BACKOFF,
    _FORCE,
    _MEMORY,
    _QUEUE,
    _SLEEP,
    ArtisanOption("rest", "number", "0", ((9, 42),)),
    _TIMEOUT,
    _TRIES,
)
_HORIZON_WORK = (
    ArtisanOption("supervisor", "text"),
    *(
        _number("tries", "0") if option.name == "tries" else option
        for option in _WORK
        if option.name not in {"stop-when-empty-for", "json"}
    ),
)
_HORIZON_SUPERVISOR = (
    ArtisanOption("balance", "text", "off"),
    _number("max-processes", "1"),
    _number("min-processes", "1"),
    _number("nice", "0"),
    _number("balance-cooldown", "3"),
    _number("balance-max-shift", "1"),
    ArtisanOption("parent-id", "text", "0"),
    ArtisanOption("auto-scaling-strategy", "text", "time"),
    ArtisanOption("workers-name", "text", "default"),
    ArtisanOption("paused"),
    _number("tries", "0"),
    *(
        option
        for option in _WORK
        if option.name
        in {
            "queue",
            "delay",
            "backoff",
            "force",
            "max-jobs",
            "max-time",
            "memory",
            "sleep",
            "rest",
            "timeout",
        }
    ),
)

GLOBAL_OPTIONS: Final = (
    ArtisanOption("help"),
    ArtisanOption("quiet"),
    ArtisanOption("silent", since=((11, 0),)),  # it comes with Symfony 7.2, which Laravel 11 may and 12 must have
    ArtisanOption("verbose"),
    ArtisanOption("version"),
    ArtisanOption("ansi"),
    ArtisanOption("no-ansi"),
    ArtisanOption("no-interaction"),
    ArtisanOption("env", "text", None),
)
"""What every command accepts beside its own."""

SHORTCUTS: Final = {"h": "help", "q": "quiet", "v": "verbose", "V": "version", "n": "no-interaction"}
"""The one-letter forms of the global options; no queue or scheduler command has one of its own."""

_TABLE = (
    ArtisanCommand("queue:work", ("connection",), _WORK),
    ArtisanCommand("queue:listen", ("connection",), _LISTEN),
    ArtisanCommand("horizon:work", ("connection",), _HORIZON_WORK, closed=False),
    ArtisanCommand("horizon", (), (ArtisanOption("environment", "text"),)),  # since Horizon 3, whatever the Laravel
    ArtisanCommand("horizon:supervisor", ("name", "connection"), _HORIZON_SUPERVISOR, closed=False),
    ArtisanCommand("horizon:terminate", (), (ArtisanOption("wait"),)),
    ArtisanCommand("schedule:run", (), (_WHISPER,)),
    ArtisanCommand(
        "schedule:work", (), (ArtisanOption("run-output-file", "text", None, ((9, 51),)), _WHISPER), ((8, 8),)
    ),
    ArtisanCommand("queue:restart"),
    ArtisanCommand("queue:pause", ("queue",), (), ((12, 40),), closed=False),
    ArtisanCommand("queue:continue", ("queue",), (), ((12, 40),), closed=False),
    ArtisanCommand(
        "queue:monitor",
        ("queues",),
        (_number("max", "1000"), ArtisanOption("json", since=((12, 16),))),
        ((8, 53),),
    ),
    *(
        ArtisanCommand(name, ("…",), (), since, closed=False)
        for name, since in (
            ("queue:batches-table", ()),
            ("queue:clear", ((8, 4),)),
            ("queue:failed", ()),
            ("queue:failed-table", ()),
            ("queue:flush", ()),
            ("queue:forget", ()),
            ("queue:prune-batches", ((8, 21),)),
            ("queue:prune-failed", ((8, 48),)),
            ("queue:retry", ()),
            ("queue:retry-batch", ((8, 0),)),
            ("queue:table", ()),
            ("schedule:clear-cache", ((8, 78),)),
            ("schedule:continue", ((13, 0),)),
            ("schedule:finish", ()),
            ("schedule:interrupt", ((10, 15),)),
            ("schedule:list", ((8, 19),)),
            ("schedule:pause", ((13, 0),)),
            ("schedule:test", ((8, 19),)),
            ("horizon:clear", ()),
            ("horizon:clear-metrics", ()),
            ("horizon:continue", ()),
            ("horizon:continue-supervisor", ()),
            ("horizon:forget", ()),
            ("horizon:install", ()),
            ("horizon:list", ()),
            ("horizon:pause", ()),
            ("horizon:pause-supervisor", ()),
            ("horizon:publish", ()),
            ("horizon:purge", ()),
            ("horizon:snapshot", ()),
            ("horizon:status", ()),
            ("horizon:supervisor-status", ()),
            ("horizon:supervisors", ()),
            ("horizon:timeout", ()),
        )
    ),
)

COMMANDS: Final[dict[str, ArtisanCommand]] = {command.name: command for command in _TABLE}
"""The queue's and the scheduler's commands by their full name."""

HIDDEN: Final = frozenset({"horizon:work", "horizon:supervisor", "horizon:timeout", "schedule:finish"})
"""Commands that artisan keeps out of its list, and so out of the count when an abbreviation fits several."""

WORKERS: Final = frozenset({"queue:work", "queue:listen", "horizon:work"})
"""The commands whose process takes jobs."""

NEIGHBOURS: Final = frozenset(
    """
    about auth:clear-resets cache:clear cache:forget cache:prune-stale-tags cache:table channel:list clear-compiled
    completion config:cache config:clear config:publish config:show db db:monitor db:seed db:show db:table db:wipe docs
    down env env:decrypt env:encrypt event:cache event:clear event:generate event:list help inspire install:api
    install:broadcasting key:generate lang:publish list make:cast make:channel make:command make:component
    make:controller make:event make:exception make:factory make:job make:listener make:mail make:middleware
    make:migration make:model make:notification make:observer make:policy make:provider make:request make:resource
    make:rule make:scope make:seeder make:test make:view migrate migrate:fresh migrate:install migrate:refresh
    migrate:reset migrate:rollback migrate:status model:prune model:show notifications:table optimize optimize:clear
    package:discover reload route:cache route:clear route:list schema:dump serve session:table storage:link
    storage:unlink stub:publish test tinker up vendor:publish view:cache view:clear
    """.split()
)
"""The framework's other commands: an abbreviation must fit none of them as well."""


@functools.lru_cache(maxsize=64)
def options_of(command: str) -> Mapping[str, ArtisanOption]:
    """A command's own options and the global ones, by long name; for a command not in the table, only the latter."""
    found = {option.name: option for option in GLOBAL_OPTIONS}
    known = COMMANDS.get(command)
    if known is not None:
        found.update((option.name, option) for option in known.options)
    return found


def default_tries(command: str, version: Version | None) -> int:
    """Attempts where `--tries` is not written: 0 (without end) up to Laravel 5.8 and in Horizon's worker."""
    if command == "horizon:work" or (version and version[0] < 6):
        return 0
    return 1
