"""Whole configuration files under several environments, against the real php with Laravel's helpers."""

from __future__ import annotations

import itertools
import subprocess
import time
from pathlib import Path

import pytest

from auditor.sources.php.cached_config import read_cached_config
from auditor.sources.php.context import Context, environment, no_environment
from auditor.sources.php.evaluator import evaluate
from auditor.sources.php.values import MISSING, Entry, PhpArray, Unknown, Value
from tests.php.oracle import ask, differences, leaves, ours, unknowns

FILES = sorted(Path(__file__).with_name("configs").glob("*.php"))
ENVIRONMENTS: dict[str, dict[str, str]] = {
    "nothing": {},
    "production": {
        "APP_NAME": "Acme Shop",
        "APP_ENV": "production",
        "APP_DEBUG": "false",
        "APP_URL": "https://acme.example/",
        "QUEUE_CONNECTION": "redis",
        "QUEUE_DRIVER": "redis",
        "QUEUE_RETRY": "120",
        "REDIS_QUEUE_RETRY_AFTER": "300",
        "DB_QUEUE_RETRY_AFTER": "600",
        "REDIS_BLOCK_FOR": "5",
        "CACHE_DRIVER": "redis",
        "HORIZON_QUEUES": "high,default",
        "HORIZON_TIMEOUT": "900",
        "APP_PREVIOUS_KEYS": "base64:a=,base64:b=",
        "EXTRA_QUEUE": "true",
        "QUEUE_NAMES": "a , b",
        "MYSQL_ATTR_SSL_CA": "/etc/ca.pem",
        "REDIS_READ_TIMEOUT": "30",
        "DB_DATABASE": "acme",
    },
    "odd": {
        "APP_NAME": "ACME_Shop 2.0 @home",
        "APP_ENV": "(null)",
        "APP_DEBUG": "(true)",
        "QUEUE_RETRY": "null",
        "REDIS_QUEUE_RETRY_AFTER": "",
        "DB_QUEUE_RETRY_AFTER": "90s",
        "REDIS_BLOCK_FOR": "empty",
        "HORIZON_QUEUES": "",
        "HORIZON_TIMEOUT": "off",
        "CACHE_STORE": "'array'",
        "REDIS_PREFIX": "(empty)",
        "HORIZON_LONG": "0",
        "HORIZON_ENV": "production",
        "QUEUE_AFTER_COMMIT": "0",
        "DB_EMULATE": "1.5",
        "EXTRA_QUEUE": "false",
        "APP_PREVIOUS_KEYS": "0,,x",
        "REDIS_READ_TIMEOUT": "1e2",
        "QUEUE_CONNECTION": "null",
    },
}
# What may stay unknown, by file: everything else must be known.
UNKNOWN = {
    "queue_8.php": {"Arr::first() is only known at run time"},
    "database_12.php": {"extension_loaded() is only known at run time"},
    "app.php": {"a closure is not run"},
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_same_as_php(file: Path) -> None:
    """Every value is php's, and only what must be is unknown."""
    cases = [(file.read_bytes(), env) for env in ENVIRONMENTS.values()]
    for case, answer in zip(cases, ask(cases), strict=True):
        mine = ours(*case)

        assert list(differences(mine, answer["value"])) == []
        assert {why.reason for why in unknowns(mine)} == UNKNOWN.get(file.name, set())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_without_environment(file: Path) -> None:
    """Where no environment is known, what is known is still php's, whatever the environment is."""
    source = file.read_bytes()
    mine = evaluate(source, Context(env=no_environment("no .env is here"), base="/srv/app", laravel=(8, 83)))

    assert isinstance(mine, PhpArray)
    assert leaves(mine) > len(list(unknowns(mine)))
    for answer in ask([(source, env) for env in ENVIRONMENTS.values()]):
        assert list(differences(mine, answer["value"])) == []


def entry_of(name: str, *path: int | str, env: dict[str, str] | None = None) -> Entry:
    """One entry of a fixture."""
    source = Path(__file__).with_name("configs").joinpath(name).read_bytes()
    value = ours(source, env or {})
    assert isinstance(value, PhpArray)
    found = value.get(*path)
    assert found is not None
    return found


def test_an_entry_knows_its_line_and_its_variable() -> None:
    """Each entry tells where it is written, which variable it reads and whether the default counts."""
    path = ("connections", "redis", "retry_after")
    unset = entry_of("queue_12.php", *path)
    given = entry_of("queue_12.php", *path, env={"REDIS_QUEUE_RETRY_AFTER": "7"})
    literal = entry_of("queue_8.php", *path)
    nested = entry_of("cache.php", "default", env={"CACHE_DRIVER": "redis"})

    assert (unset.value, unset.line, unset.env_name, unset.env_default) == (90, 19, "REDIS_QUEUE_RETRY_AFTER", True)
    assert (given.value, given.line, given.env_name, given.env_default) == (7, 19, "REDIS_QUEUE_RETRY_AFTER", False)
    assert (literal.value, literal.line, literal.env_name) == (90, 29, None)
    assert (nested.value, nested.env_name, nested.env_default) == ("redis", "CACHE_STORE", True)
    assert nested.env_names == ("CACHE_STORE", "CACHE_DRIVER")
    assert entry_of("horizon.php", "defaults", "supervisor-1", "timeout").env_name == "HORIZON_TIMEOUT"


def run(expression: str, head: str = "") -> Value:
    """An expression with one unknown variable, U, and nothing else set."""

    def env(name: str) -> Unknown | type(MISSING):  # type: ignore[valid-type]
        return Unknown("U is not known", 0) if name == "U" else MISSING

    return evaluate(f"<?php\n{head}\nreturn {expression};".encode(), Context(env=env))


def reason(value: Value) -> str:
    """Why it is unknown."""
    assert isinstance(value, Unknown)
    return f"{value.line}: {value.reason}"


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("env('U')", "3: U is not known"),
        ("(int) env('U')", "3: U is not known"),
        ("env('U') . 'x'", "3: U is not known"),
        ("env('U') ? 1 : 2", "3: U is not known"),
        ("env('U') ?? 1", "3: U is not known"),
        ("env('U', 5)", "3: U is not known"),
        ("config('app.name')", "3: config() is only known at run time"),
        ("base_path('x')", "3: it is not known where the application lies"),
        ("__DIR__", "3: __DIR__ is not known here"),
        ("require 'x.php'", "3: another file is included"),
        ("function () { return 1; }", "3: a closure is not run"),
        ("new Foo()", "3: an object is made"),
        ("$nothing", "3: $nothing is not set"),
        ("Foo::BAR", "3: the constant Foo::BAR is the application's or a library's own"),
        ("1 / 0", "3: something is divided by zero"),
        ("[1,", "3: PHP would not parse line 3"),
        ("'abc' == 0", "3: a number is compared with a text, which PHP 7 and 8 do differently"),
    ],
)
def test_unknown_has_a_reason(expression: str, why: str) -> None:
    """What cannot be known says why, and where."""
    value = run(expression)

    assert isinstance(value, Unknown)
    assert reason(value) == why or (expression == "[1," and "would not parse" in value.reason)


def test_unknown_does_not_spread() -> None:
    """The neighbours of what is unknown stay known; what an unknown key may replace does not."""
    value = run("['a' => env('U'), 'b' => 2, 'c' => Foo::make(), 'd' => ['e' => 5, 'f' => env('U')]]")
    assert isinstance(value, PhpArray)
    known = {entry.key: entry.value for entry in value if not isinstance(entry.value, (Unknown, PhpArray))}
    below = value.get("d", "e")
    lost = value.get("a", "x")
    assert known == {"b": 2}
    assert below is not None
    assert below.value == 5
    assert lost is not None
    assert isinstance(lost.value, Unknown)
    assert value.get("none") is None
    assert value.get("b", "x") is None

    value = run("['a' => 1, ...env('U'), 'b' => 2]")
    assert isinstance(value, PhpArray)
    before, after, absent = value.get("a"), value.get("b"), value.get("z")
    assert before is not None
    assert isinstance(before.value, Unknown)
    assert after is not None
    assert after.value == 2
    assert absent is not None
    assert isinstance(absent.value, Unknown)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("$x = 1; if (env('U')) { $x = 2; }", None),
        ("$x = 1; if (env('NO')) { $x = 2; }", 1),
        ("$x = 1; if (env('NO')) { $x = 2; } elseif (true) { $x = 3; } else { $x = 4; }", 3),
        ("$x = 1; foreach ([1, 2] as $y) { $x .= $y; }", None),
        ("$x = 1; foreach ([1, 2] as $y) { echo $y; }", 1),
        ("$x = 1; env('U') && $x = 2;", None),
        ("$x = 1; include 'other.php';", None),
        ("$x = 1; $y = &$x; $y = 2;", None),
        ("$x = 1; preg_match('/a/', 'a', $x);", None),
        ("$x = 1; strlen('a');", 1),
        ("$x = 1; extract(['x' => 2]);", None),
        ("$x = 1; $n = 'x'; $$n = 2;", None),
        ("$x = 1; try { $x = 2; } catch (Exception $e) { }", None),
        ("$x = 1; function f() { $x = 2; return 3; } f();", 1),
        ("$x = 1; $f = function () use (&$x) { $x = 2; }; $f();", None),
        ("$x = 1; [$x, $y] = [3, 4];", None),
        ("$x = 1; $x++;", None),
        ("$x = 1; $x += 4;", 5),
        ("$x = 1; unset($x);", None),
        ("if (env('U')) { return 5; } $x = 1;", None),
        ("const X = 7; $x = X;", 7),
        ("define('X', 7); $x = X;", 7),
    ],
)
def test_variables_before_the_return(head: str, expected: int | None) -> None:
    """A variable is known as long as everything that sets it is."""
    value = run("$x", head)

    if expected is None:
        assert isinstance(value, Unknown)
    else:
        assert value == expected


HOSTILE = {
    "brackets": "<?php return " + "[" * 20_000 + "]" * 20_000 + ";",
    "round brackets": "<?php return " + "(" * 20_000 + "1" + ")" * 20_000 + ";",
    "an open bracket": "<?php return " + "[" * 50_000,
    "a long sum": "<?php return " + "1+" * 20_000 + "1;",
    "a long concatenation": "<?php return " + "'a'." * 20_000 + "'a';",
    "nested calls": "<?php return " + "trim(" * 5_000 + "'a'" + ")" * 5_000 + ";",
    "nested blocks": "<?php " + "if (true) {" * 5_000 + "}" * 5_000 + " return 1;",
    "doubling text": "<?php $a = 'xxxxxxxxxx';" + "$a = $a . $a;" * 60 + "return $a;",
    "doubling arrays": "<?php $a = [1, 2];" + "$a = [...$a, ...$a];" * 60 + "return $a;",
    "doubling nested arrays": "<?php $a = [1];" + "$a = [$a, $a];" * 60 + "return $a;",
    "growing text": "<?php $a = '" + "x" * 60_000 + "';" + "$b = $a . 'y';" * 20_000 + "return $b;",
    "huge powers": "<?php return 9 ** 9 ** 9 ** 9;",
    "huge number": "<?php return " + "9" * 100_000 + ";",
    "many closures": "<?php $a = range(1, 9); return "
    + "array_map(fn ($x) => " * 50
    + "1"
    + ", [1, 2, 3, 4])" * 50
    + ";",
    "unknown keys": "<?php return [" + "'a' => 1, X => 2," * 20_000 + "];",
    "nothing": "",
    "no tag": "return 1;",
    "nul": "<?php return '\0';",
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files(source: str) -> None:
    """Files made to hurt end soon, in a value."""
    began = time.process_time()
    evaluate(source.encode(), Context(env=environment({})))

    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "name", ["brackets", "a long concatenation", "doubling text", "doubling nested arrays", "nothing"]
)
def test_hostile_files_are_unknown(name: str) -> None:
    """What goes too far is unknown, not wrong."""
    value = evaluate(HOSTILE[name].encode(), Context(env=environment({})))

    assert list(unknowns(value))


def exported() -> bytes:
    """A cached configuration of some 2,000 lines, written by PHP's own var_export()."""
    code = r"""
        $odd = ['quote' => "it's", 'nul' => "a\0b", 'low' => PHP_INT_MIN,
            'back' => 'a\\b', 'é' => 'é', 'empty' => [], -3 => 1.0];
        $one = ['driver' => 'redis', 'ttl' => 1.5, 'none' => null, 'on' => true, 'list' => ['a', 'b'],
            'retry_after' => 90];
        $all = ['queue' => ['connections' => ['redis' => $one]], 'odd' => $odd];
        foreach (range(1, 14) as $n) { $all['file' . $n] = array_fill(0, 12, $one); }
        echo '<?php return ' . var_export($all, true) . ';' . PHP_EOL;
    """
    return subprocess.run(["php", "-r", code], capture_output=True, check=True).stdout


def test_cached_config() -> None:
    """A cached configuration is read as php reads it, with lines, and fast."""
    source = exported()
    value = read_cached_config(source)
    began = time.process_time()
    read_cached_config(source)
    took = time.process_time() - began

    assert source.count(b"\n") > 2000
    assert list(differences(value, ask([(source, {})])[0]["value"])) == []
    assert list(unknowns(value)) == []
    assert isinstance(value, PhpArray)
    entry = value.get("queue", "connections", "redis", "retry_after")
    assert entry is not None
    assert source.splitlines()[entry.line - 1].strip() == b"'retry_after' => 90,"
    assert took < 0.5


def test_every_file_has_a_fixture_pair() -> None:
    """The fixtures cover each configuration file that the auditor reads."""
    kinds = {name for name, _ in itertools.groupby(FILES, key=lambda file: file.stem.partition("_")[0])}

    assert kinds == {"app", "cache", "database", "horizon", "queue"}
