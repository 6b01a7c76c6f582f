"""What a command line starts: a table of commands as people write them, and what depends on more than the text."""

from __future__ import annotations

import json
import math
import shlex
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from auditor.facts.command import Command
from auditor.facts.origin import NEVER, Grade, origin
from auditor.sources.commands import understand, understand_all

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("commands.json").read_text(encoding="utf-8"))
DEFAULTS = {field: getattr(Command(), field) for field in Command.__struct_fields__}
# What nearly every command shares; a case names it where it is anything else.
USUAL = {"php": "php", "artisan": "artisan"}
UNLISTED = {"marks", "text", "words", "runner", "program", "written", "artisan_command", "relative_artisan", "app"}


def plain(value: Any) -> Any:
    """A fact's value as JSON writes it."""
    if isinstance(value, float) and math.isinf(value):
        return "never"
    return msgspec.json.decode(msgspec.json.encode(value))


def facts_of(command: Command) -> dict[str, Any]:
    """Every fact that is not the default or the usual, and so has to be in the case."""
    found = {
        field: plain(getattr(command, field))
        for field, default in DEFAULTS.items()
        if field not in UNLISTED and getattr(command, field) != default
    }
    if "queues" in found:
        del found["queues_text"]
    return {field: value for field, value in found.items() if USUAL.get(field) != value}


def unknowns_of(command: Command) -> list[str]:
    """Every field that cannot be known, sorted."""
    return sorted(field for field in command.marks if command.is_unknown(field) and field not in UNLISTED)


@pytest.mark.parametrize("case", CASES, ids=[case["command"] for case in CASES])
def test_command(case: dict[str, Any]) -> None:
    """Each command is understood as the table says, in all its facts and in all that stays open."""
    command = understand(case["command"], runner=case.get("runner", "execve"))
    assert facts_of(command) == {key: value for key, value in case["facts"].items() if USUAL.get(key) != value}
    assert unknowns_of(command) == case.get("unknown", [])


def test_table_is_large_and_of_all_kinds() -> None:
    """The table covers every kind of worker and scheduler, both runners, and what is none of them."""
    assert len(CASES) >= 120
    kinds = {case["facts"].get("kind", "other") for case in CASES}
    assert {"queue:work", "queue:listen", "horizon", "horizon:work", "schedule:run", "schedule:work"} <= kinds
    assert {"other", "other-artisan"} <= kinds
    assert {case.get("runner", "execve") for case in CASES} == {"execve", "shell"}


def test_unknown_fields_keep_their_default_and_a_reason() -> None:
    """A field that cannot be known holds the default, and its mark says why and where."""
    place = origin("etc/supervisor/conf.d/shop.conf", 2, "command=php artisan queue:work --timeout={{ t }}")
    command = understand("php artisan queue:work --timeout={{ t }}", runner="execve", place=place)
    mark = command.mark("timeout")
    assert command.timeout == 60
    assert mark.grade is Grade.UNKNOWN
    assert mark.origin == place
    assert mark.reason == "--timeout is {{ t }}, whose value is not known here"


def test_written_and_default_options_are_told_apart() -> None:
    """An option that is written is declared at the command's place; one that is not is a default, without a mark."""
    place = origin("x.conf", 7, "command=…")
    command = understand("php artisan queue:work --timeout=60", runner="execve", place=place)
    assert command.mark("timeout").grade is Grade.DECLARED
    assert command.mark("timeout").origin == place
    assert command.mark("memory").grade is Grade.DEFAULT
    assert "memory" not in command.marks
    assert command.written == ("timeout",)


@pytest.mark.parametrize(
    ("version", "kind", "tries"),
    [
        ((5, 8, 38), "queue:work", 0),
        ((5,), "queue:listen", 0),
        ((6, 0), "queue:work", 1),
        ((13,), "queue:listen", 1),
        (None, "queue:work", 1),
        ((11, 2), "horizon:work", 0),
    ],
)
def test_tries_by_default(version: tuple[int, ...] | None, kind: str, tries: int) -> None:
    """Without --tries a job is attempted without end up to Laravel 5.8 and by Horizon's workers, and once since 6.0."""
    command = understand(f"php artisan {kind}", runner="execve", laravel=version)
    assert command.tries == tries
    assert command.tries_unlimited is (tries == 0)
    assert command.mark("tries").grade is Grade.DEFAULT


@pytest.mark.parametrize(
    ("version", "option", "since"),
    [
        ((8, 31), "--rest=1", "8.32"),
        ((8, 32), "--rest=1", None),
        ((8,), "--rest=1", None),  # of 8 only the major is known: it may have it
        ((7, 30, 7), "--max-time=60", "8.0"),
        ((5, 7, 1), "--stop-when-empty", "5.7.2"),
        ((5, 7, 2), "--stop-when-empty", None),
        ((5, 7), "--stop-when-empty", None),
        ((12, 59), "--stop-when-empty-for=5", "11.53, 12.60, 13.10"),
        ((12, 60), "--stop-when-empty-for=5", None),
        ((11, 53), "--stop-when-empty-for=5", None),
        ((13, 9), "--stop-when-empty-for=5", "11.53, 12.60, 13.10"),
        ((14, 0), "--stop-when-empty-for=5", None),
        ((11, 26), "--json", "11.27"),
        ((12, 0), "--json", None),
        (None, "--json", None),
    ],
)
def test_options_too_new_for_the_app(version: tuple[int, ...] | None, option: str, since: str | None) -> None:
    """An option is too new where a version it came with is later than the app's, not where that is not certain."""
    command = understand(f"php artisan queue:work {option}", runner="execve", laravel=version)
    assert [found.since for found in command.too_new_options] == ([since] if since else [])
    assert (command.refusal is not None) is (since is not None)
    assert command.unknown_options == ()


def test_suggestions_read_as_people_write_options() -> None:
    """What a rule tells of faulty options carries their dashes, the likely meaning and the version."""
    command = understand(
        "php artisan queue:work --tiemout=9 --zzz --rest=2 --memory=1G", runner="execve", laravel=(8, 1)
    )
    assert command.unknown_options_text == ("--tiemout (--timeout?)", "--zzz")
    assert command.too_new_options_text == ("--rest (8.32)",)
    assert command.not_integer_options_text == ("--memory=1G",)


@pytest.mark.parametrize(
    ("text", "directory", "app"),
    [
        ("php artisan queue:work", "/srv/shop", "/srv/shop"),
        ("php ../artisan queue:work", "/srv/shop/bin", "/srv/shop"),
        ("php current/artisan queue:work", "/srv/shop", "/srv/shop/current"),
        ("sh -c 'cd current && exec php artisan queue:work'", "/srv/shop", "/srv/shop/current"),
        ("php /srv/other/artisan queue:work", "/srv/shop", "/srv/other"),
        ("docker exec web php artisan queue:work", "/srv/shop", None),
        ("docker exec -w /app web php artisan queue:work", "/srv/shop", "/app"),
        ("sudo -D /opt/shop php artisan queue:work", "/srv/shop", "/opt/shop"),
        ("su - shop -c 'php artisan queue:work'", "/srv/shop", None),
        ("sh -c 'cd && php artisan queue:work'", "/srv/shop", None),
        ("sh -c 'if true; then cd /a; fi; php artisan queue:work'", "/srv/shop", None),
        ("php artisan queue:work", None, None),
    ],
)
def test_where_the_app_lies(text: str, directory: str | None, app: str | None) -> None:
    """The app's folder comes from artisan's path, the folder changed to and the one it is started in, in that order."""
    command = understand(text, runner="execve", directory=directory)
    assert command.app == app
    assert command.is_unknown("app") is (app is None)


def test_every_command_of_a_text() -> None:
    """understand_all gives each artisan command its own fact, the one that is kept running first."""
    text = "php artisan config:cache; php artisan queue:work --tries=2 & exec php artisan horizon"
    commands = understand_all(text, runner="shell")
    assert [command.artisan_command for command in commands] == ["queue:work", "horizon", "config:cache"]
    assert commands[0].others == ("horizon", "config:cache")
    assert commands[1].others == ("queue:work", "config:cache")
    assert commands[0].tries == 2
    assert commands[0] == understand(text, runner="shell")


@pytest.mark.parametrize(
    ("sh", "stays", "known"),
    [("dash", True, True), ("bash", False, True), ("", False, False), ("busybox", False, False)],
)
def test_what_sh_is_there(sh: str, stays: bool, known: bool) -> None:
    """Whether `sh` stays depends on which shell it is; where that is not known, it stays open."""
    command = understand("sh -c 'cd /srv/shop && php artisan queue:work'", runner="execve", sh=sh)
    assert command.shell_stays is stays
    assert command.is_unknown("shell_stays") is not known


def test_worker_ends_by_itself() -> None:
    """A worker ends by itself where any option makes it, and only there."""
    assert understand("php artisan queue:work --max-time=60", runner="execve").ends_by_itself
    assert understand("php artisan queue:work --once", runner="execve").ends_by_itself
    endless = understand("php artisan queue:work --max-time=0 --max-jobs=0", runner="execve")
    assert not endless.ends_by_itself
    assert endless.max_time == NEVER
    assert endless.is_worker


def nested(depth: int) -> str:
    """A worker inside that many shells."""
    text = "exec php artisan queue:work"
    for _ in range(depth):
        text = f"sh -c {shlex.quote(text)}"
    return text


def test_shells_in_shells() -> None:
    """Shells are followed into each other some way, and then the command is open, not guessed at."""
    assert understand(nested(5), runner="execve").kind == "queue:work"
    assert understand(nested(9), runner="execve").is_unknown("kind")


HOSTILE = {
    "a mebibyte": "php artisan queue:work " + "x" * (1 << 20),
    "a mebibyte of quotes": 'sh -c "' * 150_000,
    "quotes": 'sh -c "' * 9_000,
    "escaped quotes": "sh -c '" + '\\"' * 30_000 + "'",
    "brackets": "(" * 60_000,
    "substitutions": "$(" * 30_000,
    "templates": "{{" * 30_000,
    "placeholders": "<a" * 30_000,
    "percents": "%(" * 30_000,
    "wrappers": "env " * 16_000,
    "options": "php artisan queue:work " + "--x " * 10_000,
    "arguments": "php artisan queue:work " + "a " * 20_000,
    "variables": "sh -c 'php artisan queue:work " + "$A " * 20_000 + "'",
    "pipes": "php artisan queue:work |" * 2_600 + "x",
    "ifs": "if " * 20_000,
    "braces": "{ " * 30_000,
    "letters": "php artisan -" + "v" * 60_000,
    "colons": "php artisan " + "q:" * 30_000,
    "placeholder words": "your-" * 13_000,
    "line ends": "\\\n" * 30_000,
    "NUL": "php artisan queue:work \0",
    "surrogates and private characters": "php artisan queue:work \udcff \U000f0000 \U000ffffd",
    "nothing": "",
    "blanks": " \t\n" * 20_000,
}


@pytest.mark.parametrize("runner", ["execve", "shell"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text(name: str, runner: str) -> None:
    """No text makes the reader raise or takes it more than a moment."""
    start = time.process_time()
    command = understand(HOSTILE[name], runner=runner)
    assert time.process_time() - start < 2
    assert command.text == HOSTILE[name]
