"""Generated PHP expressions, against the real php: equal or explicitly unknown, never different."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from auditor.sources.php.values import Unknown
from tests.php.oracle import ask, differences, ours

TEXTS = [
    "",
    "0",
    "1",
    "60s",
    "abc",
    " 12",
    "12 ",
    "1.5",
    "-7",
    "1e3",
    "0x1A",
    "90",
    "true",
    "(null)",
    "a,b,,c",
    "My App@x_y-Z",
    "9" * 20,
    "é",
    "1e400",
    "-0",
    "00",
    ".5",
    "5.",
    "+3",
    "A b",
    "false",
]
LITERALS = [
    "null",
    "true",
    "FALSE",
    "0",
    "1",
    "-1",
    "60",
    "9223372036854775807",
    "0x1F",
    "0b11",
    "017",
    "1_000",
    "1.5",
    "0.1",
    "1e3",
    "1e100",
    "-0.0",
    "PHP_EOL",
    "PHP_INT_MAX",
    "[]",
    "[1, 'a' => 2]",
    "['x', 'y']",
    "['8' => 1, '08' => 2, 1.7 => 3, true => 4, null => 5]",
    "\\PDO::ATTR_CASE",
    "\\Foo\\Bar::class",
    r'"a\tb\x41\u{e9}\101\q\$x"',
    r"'a\'b\\c\n'",
    "array(1, array(2))",
    "[-5 => 1, 2]",
]
NAMES = ["A", "B", "C", "D"]
BINARY = [
    ".",
    "+",
    "-",
    "*",
    "/",
    "%",
    "==",
    "===",
    "!=",
    "!==",
    "<",
    "<=",
    ">",
    ">=",
    "<=>",
    "&&",
    "||",
    "and",
    "or",
    "xor",
    "??",
    "?:",
    "<>",
    "**",
    "|",
    "&",
]
CASTS = ["int", "integer", "bool", "float", "string", "array", "boolean", "double"]
ONE = [
    "trim",
    "strtolower",
    "strtoupper",
    "ucfirst",
    "lcfirst",
    "ucwords",
    "intval",
    "floatval",
    "boolval",
    "strval",
    "is_null",
    "is_string",
    "is_int",
    "is_bool",
    "is_array",
    "is_numeric",
    "is_float",
    "strlen",
    "count",
    "array_values",
    "array_keys",
    "array_filter",
    "array_unique",
    "abs",
    "floor",
    "ceil",
    "rtrim",
    "ltrim",
    "value",
    "implode",
    "empty",
    "isset",
    "base_path",
    "storage_path",
    "\\Illuminate\\Support\\Str::slug",
    "\\Illuminate\\Support\\Str::snake",
    "\\Illuminate\\Support\\Str::lower",
    "\\Illuminate\\Support\\Str::upper",
    "\\Illuminate\\Support\\Str::ucfirst",
]
TWO = [
    "explode",
    "implode",
    "in_array",
    "array_key_exists",
    "trim",
    "rtrim",
    "array_merge",
    "str_contains",
    "str_starts_with",
    "str_ends_with",
    "max",
    "min",
    "substr",
    "array_map",
    "sprintf",
    "\\Illuminate\\Support\\Str::slug",
    "\\Illuminate\\Support\\Str::start",
    "\\Illuminate\\Support\\Str::finish",
    "\\Illuminate\\Support\\Str::contains",
    "\\Illuminate\\Support\\Str::startsWith",
    "\\Illuminate\\Support\\Str::endsWith",
    "\\Illuminate\\Support\\Str::after",
    "\\Illuminate\\Support\\Str::before",
    "\\Illuminate\\Support\\Str::snake",
]


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


leaf = st.one_of(
    st.sampled_from(LITERALS),
    st.sampled_from(TEXTS).map(_quoted),
    st.integers(-(2**63) + 1, 2**63 - 1).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(NAMES).map(lambda name: f"env('{name}')"),
    st.sampled_from(["$x", "$y['k']", "$y['none']", "$none"]),
)


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, st.sampled_from(BINARY), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        # Without brackets: the parser must group as PHP does.
        st.tuples(leaf, st.sampled_from(BINARY[:-5]), leaf, st.sampled_from(BINARY[:-5]), leaf).map(
            lambda t: "(" + " ".join(t) + ")"
        ),
        st.tuples(st.sampled_from(CASTS), inner).map(lambda t: f"({t[0]}) {t[1]}"),
        st.tuples(st.sampled_from(CASTS), leaf, st.sampled_from(BINARY[:-5]), leaf).map(
            lambda t: f"(({t[0]}) {t[1]} {t[2]} {t[3]})"
        ),
        st.tuples(st.sampled_from(["!", "-", "+"]), inner).map(lambda t: f"({t[0]} {t[1]})"),
        st.tuples(st.sampled_from(["!", "-", "@"]), leaf, st.sampled_from(BINARY[:-5]), leaf).map(
            lambda t: f"({t[0]} {t[1]} {t[2]} {t[3]})"
        ),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} ? {t[1]} : {t[2]})"),
        st.tuples(st.sampled_from(NAMES), inner).map(lambda t: f"env('{t[0]}', {t[1]})"),
        st.tuples(st.sampled_from(ONE), inner).map(lambda t: f"{t[0]}({t[1]})"),
        st.tuples(st.sampled_from(TWO), inner, inner).map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
        st.tuples(inner, inner).map(lambda t: f"[{t[0]} => {t[1]}, 'n' => 1, 2]"),
        st.tuples(inner, inner).map(lambda t: f"[...[{t[0]}, 'k' => 3], {t[1]}]"),
        st.tuples(inner, inner).map(lambda t: f"match ({t[0]}) {{ {t[1]}, 1 => 'one', default => 'other' }}"),
        st.tuples(inner).map(lambda t: f"array_map(fn ($v) => $v . $x, ['a', {t[0]}])"),
        st.tuples(inner).map(lambda t: f"array_filter([{t[0]}, 1, ''], function ($v) {{ return $v != 1; }})"),
        st.tuples(inner).map(lambda t: f"str_replace(['a', 'b'], 'c', {t[0]})"),
        st.tuples(inner).map(lambda t: f"filter_var({t[0]}, FILTER_VALIDATE_BOOLEAN)"),
        st.tuples(inner).map(lambda t: f"filter_var({t[0]}, FILTER_VALIDATE_INT)"),
        st.tuples(inner).map(lambda t: f"($x = {t[0]}) . $x"),
        st.tuples(st.sampled_from(BINARY), inner).map(lambda t: f"($x {t[0]} ($x = {t[1]}))"),
        st.tuples(inner, inner).map(lambda t: f"[$x, ({t[0]} ?: $x = {t[1]}), $x, $z ?? 1, {t[0]} && $z = 2, $z ?? 1]"),
        st.tuples(inner).map(lambda t: f"\"$x-{{$y['k']}}-$y[k] \\t\" . {t[0]}"),
    )


expressions = st.recursive(leaf, _grow, max_leaves=6)
environments = st.dictionaries(st.sampled_from(NAMES), st.sampled_from([text for text in TEXTS if text.isascii()]))
HEAD = "<?php\n$x = 'v'; $y = ['k' => 5];\nreturn "


@settings(deadline=None, max_examples=30, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.lists(st.tuples(expressions, environments), min_size=100, max_size=100))
def test_same_as_php(cases: list[tuple[str, dict[str, str]]]) -> None:
    """Where php gives a value, ours is the same or explicitly unknown, whether PHP's release is known or not."""
    sources: list[Any] = [(f"{HEAD}{expression};".encode(), env) for expression, env in cases]
    for case, answer in zip(sources, ask(sources), strict=True):
        for known_release in (True, False):
            mine = ours(*case, known_release=known_release)
            if "value" in answer:
                found = list(differences(mine, answer["value"]))
                if found:
                    pytest.fail(f"{case}: {found}")


TABLE = [
    ("181691839453005.0 . ''", "1.8169183945300E+14"),
    ("-100000000000005.0 . ''", "-1.0000000000000E+14"),
    ("181691839453003.0 . ''", "1.81691839453E+14"),
    ("181691839453095.0 . ''", "1.816918394531E+14"),
    ("181691839453025.0 . ''", "1.8169183945302E+14"),
    ("(int) '60s'", 60),
    ("(int) 'abc'", 0),
    ("(int) ''", 0),
    ("(int) '1e3'", 1000),
    ("(int) null", 0),
    ("(int) true", 1),
    ("(int) 1.9", 1),
    ("(int) '0x1A'", 0),
    ("(bool) '0'", False),
    ("(bool) '0.0'", True),
    ("(bool) []", False),
    ("(string) 1.0", "1"),
    ("(string) 1e25", "1.0E+25"),
    ("(string) 0.00001", "1.0E-5"),
    ("(string) (0.1 + 0.2)", "0.3"),
    ("(string) false", ""),
    ("60 * 60 * 24", 86400),
    ("7 / 2", 3.5),
    ("6 / 2", 3),
    ("-7 % 3", -1),
    ("PHP_INT_MAX + 1", float(2**63)),
    ("env('NO', 5)", 5),
    ("env('NO')", None),
    ("env('N', 5)", None),
    ("env('E') ?: 7", 7),
    ("env('T') === true", True),
    ("env('NO') ?? 3", 3),
    ("(int) env('S', 90)", 60),
    ("'a' . 1 . 2.5", "a12.5"),
    ("Str::slug('ACME_Shop 2.0', '_').'_database_'", "acme_shop_20_database_"),
    ("Str::slug('a.b')", "ab"),
    ("Str::slug('', '_')", ""),
    ("Str::slug('me@home')", "me-at-home"),
    ("\\Illuminate\\Support\\Env::get('S')", "60s"),
    ("base_path('x/y')", "/srv/app/x/y"),
    ("storage_path()", "/srv/app/storage"),
    ("<<<'A'\n  raw \\n\n  A", "raw \\n"),
    ("<<<A\nx{$x}y\\t\nA", "xvy\t"),
    ("<<<A\n  one\n    two\n  A", "one\n  two"),
    ("<<<A\nA", ""),
    ("match (true) { env('T') => 'yes', default => 'no' }", "yes"),
    ("'1' == '01'", True),
    ("'abc' <=> 'abd'", -1),
    ("null ?? 'x'", "x"),
    ("$y['k'] ?? 1", 5),
    ("$y['q']['r'] ?? 1", 1),
    ("isset($y['k'], $x)", True),
    ("empty($none)", True),
    ("__LINE__", 4),
    ("\"{$y['k']}-$y[k]-$x\"", "5-5-v"),
    ("Str::class", "Illuminate\\Support\\Str"),
]
TABLE_ENV = {"N": "null", "E": "empty", "T": "true", "S": "60s"}
TABLE_HEAD = "<?php\nuse Illuminate\\Support\\Str;\n$x = 'v'; $y = ['k' => 5];\nreturn "


def test_table() -> None:
    """PHP's conversions and Laravel's helpers on the cases that matter here: known, and as php has them."""
    sources: list[Any] = [(f"{TABLE_HEAD}{expression};".encode(), TABLE_ENV) for expression, _ in TABLE]
    for (expression, expected), case, answer in zip(TABLE, sources, ask(sources), strict=True):
        mine = ours(*case)

        assert not isinstance(mine, Unknown), (expression, mine)
        assert type(mine) is type(expected), (expression, mine)
        assert mine == expected, expression
        assert list(differences(mine, answer["value"])) == [], expression
