"""What the real php, with Laravel's own helpers, makes of a file; and how to hold it against ours."""

from __future__ import annotations

import base64
import json
import math
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from auditor.sources.php.context import Context, environment
from auditor.sources.php.evaluator import evaluate
from auditor.sources.php.values import PhpArray, Unknown, Value, encode

SCRIPT = Path(__file__).with_name("oracle.php")
LARAVEL = (8, 83)
PHP = (8, 2)
Case = tuple[bytes, Mapping[str, str]]


def ask(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """What php gives for each case, {"value": …} or {"error": …}; a new process after each it refuses to compile."""
    answers: list[dict[str, Any]] = []
    while len(answers) < len(cases):
        question = [
            {"source": base64.b64encode(source).decode(), "env": dict(env) or {}}
            for source, env in cases[len(answers) :]
        ]
        done = subprocess.run(
            ["php", "-d", "display_errors=0", "-d", "log_errors=0", str(SCRIPT)],
            input=json.dumps(question).encode(),
            capture_output=True,
            check=False,
        )
        answered = json.loads(done.stdout)
        assert answered, done.stderr.decode(errors="replace")
        answers += answered
    return answers


def ours(source: bytes, env: Mapping[str, str], *, known_release: bool = True) -> Value:
    """Our answer in the oracle's surroundings."""
    php = PHP if known_release else None
    return evaluate(source, Context(env=environment(env), base="/srv/app", laravel=LARAVEL, php=php))


def differences(mine: Value, theirs: Any, path: str = "$") -> Iterator[str]:
    """Where ours is neither equal nor unknown; order counts."""
    if isinstance(mine, Unknown):
        return
    if isinstance(theirs, dict) and "array" in theirs:
        if not isinstance(mine, PhpArray):
            yield f"{path}: {mine!r}, php has an array"
            return
        yield from _array_differences(mine, theirs["array"], path)
        return
    if not _same(mine, theirs):
        yield f"{path}: {mine!r}, php has {_plain(theirs)!r}"


def _array_differences(mine: PhpArray, theirs: list[Any], path: str) -> Iterator[str]:
    expected = {_plain(key): value for key, value in theirs}
    known = mine.keys()
    if mine.is_certain and known != list(expected):
        yield f"{path}: keys {known!r}, php has {list(expected)!r}"
        return
    for key in known:
        entry = mine.get(key)
        assert entry is not None
        if key in expected:
            yield from differences(entry.value, expected[key], f"{path}[{key!r}]")
        elif not isinstance(entry.value, Unknown):
            yield f"{path}[{key!r}] does not exist in php"
    for key in expected:
        if mine.get(key) is None:
            yield f"{path}[{key!r}] exists in php alone"


def _plain(theirs: Any) -> Any:
    if isinstance(theirs, dict) and "text" in theirs:
        return base64.b64decode(theirs["text"]).decode("utf-8", "surrogateescape")
    return theirs


def _same(mine: Value, theirs: Any) -> bool:
    if isinstance(theirs, dict):
        if "text" in theirs:
            return isinstance(mine, str) and encode(mine) == base64.b64decode(theirs["text"])
        if "float" in theirs:
            number = float(theirs["float"])
            if not isinstance(mine, float):
                return False
            return (mine == number and math.copysign(1, mine) == math.copysign(1, number)) or (
                mine != mine and number != number
            )
        return False
    return type(mine) is type(theirs) and mine == theirs


def unknowns(value: Value) -> Iterator[Unknown]:
    """Every Unknown in it."""
    if isinstance(value, Unknown):
        yield value
    elif isinstance(value, PhpArray):
        for entry in value:
            if isinstance(entry.key, Unknown):
                yield entry.key
            yield from unknowns(entry.value)


def leaves(value: Value) -> int:
    """How many values it holds that are no arrays."""
    return sum(leaves(entry.value) for entry in value) if isinstance(value, PhpArray) else 1
