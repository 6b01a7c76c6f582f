"""The functions that configuration files call: PHP's own, and Laravel's text helpers.

Each takes evaluated arguments and gives a value, or raises Cannot. Only what is the same in every release is here, and
only for arguments for which it is: what PHP refuses, warns about or folds by language tables is left unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from auditor.sources.php.values import (
    INT_MAX,
    INT_MIN,
    Cannot,
    Entry,
    PhpArray,
    Unknown,
    Value,
    bool_of,
    compare,
    decode,
    encode,
    float_of,
    int_of,
    join,
    key_of,
    list_of,
    number_of,
    numeric,
    same,
    string_of,
)

MAX_TEXT = 65_536
"""No computed text may be longer."""
_TRIMMED = " \n\r\t\v\0"
_ABSENT = "unset"


def text_of(value: Value) -> str:
    """An argument that must be text: PHP converts scalars, except null, which it deprecates."""
    if value is None:
        raise Cannot("null is handed to a function that wants text")
    return bounded(string_of(value))


def bounded(text: str) -> str:
    """The text, unless it is too long to be worked on."""
    if len(text) > MAX_TEXT:
        raise Cannot(f"a text is longer than {MAX_TEXT:,} characters")
    return text


def ascii_of(value: Value) -> str:
    """An argument that must be text, and is only known to be treated the same everywhere where it is ASCII."""
    text = text_of(value)
    if not text.isascii():
        raise Cannot("a text outside ASCII is transformed")
    return text


def array_of(value: Value) -> PhpArray:
    """An argument that must be an array."""
    if isinstance(value, Unknown):
        raise Cannot(value.reason)
    if not isinstance(value, PhpArray):
        raise Cannot("a function that wants an array is given something else")
    return value


def certain(value: Value) -> PhpArray:
    """An argument that must be an array whose keys are all known."""
    array = array_of(value)
    if not array.is_certain:
        raise Cannot("an array whose keys are not all known is transformed")
    return array


def _explode(line: int, separator: Value, text: Value, limit: Value = INT_MAX) -> Value:
    mark, whole = text_of(separator), text_of(text)
    if not mark or not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise Cannot("explode() is called with an empty separator or an unusual limit")
    pieces = whole.split(mark) if limit > len(whole) else whole.split(mark, limit - 1)
    return list_of(pieces, line)


def _implode(_line: int, separator: Value, array: Value = None) -> Value:
    if isinstance(separator, PhpArray):
        if array is not None:
            raise Cannot("implode() is called with its arguments the wrong way round")
        separator, array = "", separator
    mark = text_of(separator)
    text = ""
    for number, entry in enumerate(certain(array)):
        text = bounded(join(text, (mark if number else "") + string_of(entry.value)))
    return text


def _array_merge(line: int, *arrays: Value) -> Value:
    merged = PhpArray()
    for array in arrays:
        if isinstance(array, Unknown):
            merged.add(Entry(array, array, array.line))
            continue
        for entry in array_of(array):
            key = merged.next_key(line) if isinstance(entry.key, int) else entry.key
            merged.add(Entry(key, entry.value, entry.line, entry.env_name, entry.env_default, entry.env_names))
    return merged


def _array_filter(_line: int, array: Value) -> Value:
    kept = PhpArray()
    for entry in array_of(array):
        if isinstance(entry.key, Unknown):
            kept.add(entry)
            continue
        try:
            if bool_of(entry.value):
                kept.add(entry)
        except Cannot as why:
            unknown = Unknown(str(why), entry.line)
            kept.add(Entry(unknown, unknown, entry.line))
    return kept


def _array_unique(_line: int, array: Value) -> Value:
    seen: set[str] = set()
    unique = PhpArray()
    for entry in certain(array):
        text = string_of(entry.value)
        if text not in seen:
            seen.add(text)
            unique.add(entry)
    return unique


def _in_array(_line: int, needle: Value, array: Value, strict: Value = False) -> Value:
    certainly = False
    doubt: Cannot | None = None
    for entry in certain(array):
        try:
            if same(needle, entry.value) if bool_of(strict) else compare(needle, entry.value, php8=None) == 0:
                certainly = True
        except Cannot as why:
            doubt = why
    if not certainly and doubt is not None:
        raise doubt
    return certainly


def _array_key_exists(_line: int, key: Value, array: Value) -> Value:
    found = array_of(array).get(key_of(key))
    if found is not None and isinstance(found.value, Unknown) and not array_of(array).is_certain:
        raise Cannot(found.value.reason)
    return found is not None


def _trimmer(left: bool, right: bool) -> Callable[..., Value]:
    def trim(_line: int, text: Value, characters: Value = _TRIMMED) -> Value:
        marks, result = text_of(characters), text_of(text)
        if ".." in marks or not marks.isascii():
            raise Cannot("a range of characters is trimmed")
        if left:
            result = result.lstrip(marks)
        return result.rstrip(marks) if right else result

    return trim


def _str_replace(_line: int, search: Value, replace: Value, subject: Value) -> Value:
    if isinstance(subject, PhpArray):
        raise Cannot("str_replace() is called on an array")
    result = text_of(subject)
    searches = [entry.value for entry in certain(search)] if isinstance(search, PhpArray) else [search]
    if isinstance(replace, PhpArray):
        if not isinstance(search, PhpArray):
            raise Cannot("str_replace() puts an array into a text")
        replaces = [entry.value for entry in certain(replace)]
        replaces += [""] * (len(searches) - len(replaces))
    else:
        replaces = [replace] * len(searches)
    for old, new in zip(searches, replaces, strict=False):
        wanted = text_of(old)
        if wanted:
            if len(result) * (1 + len(text_of(new))) > 16 * MAX_TEXT:
                raise Cannot("a replaced text is too long")
            result = bounded(decode(encode(result).replace(encode(wanted), encode(text_of(new)))))
    return result


def _sprintf(_line: int, form: Value, *arguments: Value) -> Value:
    left = list(arguments)
    text = ""
    for piece in re.split(r"(%[%sd])", text_of(form)):
        if piece == "%%":
            text += "%"
        elif piece in ("%s", "%d"):
            if not left:
                raise Cannot("sprintf() has too few arguments")
            value = left.pop(0)
            text += string_of(value) if piece == "%s" else str(int_of(value))
        elif "%" in piece:
            raise Cannot("sprintf() is called with an unusual format")
        else:
            text += piece
        bounded(text)
    return text


def _substr(_line: int, text: Value, start: Value, length: Value = None) -> Value:
    if type(start) is not int or type(length) not in (int, type(None)):
        raise Cannot("substr() is called with something other than numbers")
    data, begin = encode(text_of(text)), start
    if begin > len(data):
        return ""
    begin = max(0, len(data) + begin) if begin < 0 else begin
    if length is None:
        return decode(data[begin:])
    count = int_of(length)
    return decode(data[begin : len(data) + count if count < 0 else begin + count])


def _filter_var(_line: int, value: Value, kind: Value = 516, options: Value = 0) -> Value:
    if isinstance(value, PhpArray) or options not in (0, 134217728) or isinstance(options, bool):
        raise Cannot("filter_var() is called in an unusual way")
    text = string_of(value).strip(_TRIMMED)
    failure = None if options else False
    if kind == 258:
        word = text.lower()
        if word in ("1", "true", "on", "yes"):
            return True
        return False if word in ("0", "false", "off", "no", "") else failure
    if kind == 257:
        if re.fullmatch(r"[+-]?(?:0|[1-9][0-9]{0,18})", text) and INT_MIN <= int(text) <= INT_MAX:
            return int(text)
        return failure
    raise Cannot("filter_var() is called in an unusual way")


def _extreme(wanted: int) -> Callable[..., Value]:
    def pick(_line: int, *values: Value) -> Value:
        if len(values) == 1:
            values = tuple(entry.value for entry in certain(values[0]))
        if not values or not all(type(value) in (int, float) for value in values):
            raise Cannot("max() or min() is called on something other than numbers")
        best = values[0]
        for value in values[1:]:
            if compare(value, best, php8=None) == wanted:
                best = value
        return best

    return pick


def _rounded(way: Callable[[float], int]) -> Callable[..., Value]:
    def apply(_line: int, value: Value) -> Value:
        if not isinstance(value, (int, float)):
            raise Cannot("floor() or ceil() is called on something other than a number")
        if abs(value) > 2**52:
            raise Cannot("a number too large to be exact is rounded")
        return float(way(value)) if way(value) or value >= 0 else -0.0

    return apply


def _intval(_line: int, value: Value, base: Value = 10) -> Value:
    if base != 10 or isinstance(base, bool):
        raise Cannot("intval() is called with another base than ten")
    return int_of(value)


def _abs(_line: int, value: Value) -> Value:
    number = number_of(value)
    if number == INT_MIN:
        return -float(INT_MIN)
    return abs(number)


def _dirname(_line: int, path: Value) -> Value:
    text = text_of(path)
    if not re.fullmatch(r"(?:/[^/\\]+){2,}", text):
        raise Cannot("dirname() is called on an unusual path")
    return text.rpartition("/")[0]


def _array_keys(line: int, array: Value) -> Value:
    return list_of(list(certain(array).keys()), line)


def _array_values(_line: int, array: Value) -> Value:
    values = PhpArray()
    for number, entry in enumerate(certain(array)):
        values.add(Entry(number, entry.value, entry.line, entry.env_name, entry.env_default, entry.env_names))
    return values


def _first_upper(_line: int, text: Value) -> Value:
    word = ascii_of(text)
    return word[:1].upper() + word[1:]


def _first_lower(_line: int, text: Value) -> Value:
    word = ascii_of(text)
    return word[:1].lower() + word[1:]


def _split_words(text: str) -> str:
    """ucwords()."""
    return re.sub(r"(^|[ \t\r\n\f\v])([a-z])", lambda found: found[1] + found[2].upper(), text)


# ---- Illuminate\Support\Str ----


def _slug(_line: int, title: Value, separator: Value = "-", language: Value = "en", dictionary: Value = None) -> Value:
    text, mark = ascii_of(title), ascii_of(separator)
    if mark not in ("-", "_") or language != "en" or dictionary is not None:
        raise Cannot("Str::slug() is called with an unusual separator, language or dictionary")
    if not text.isprintable():
        raise Cannot("a text with control characters becomes a slug")
    text = re.sub(f"{'_' if mark == '-' else '-'}+", mark, text).replace("@", f"{mark}at{mark}").lower()
    text = re.sub(f"[^{mark}a-z0-9 ]+", "", text)
    return re.sub(f"[{mark} ]+", mark, text).strip(mark)


def _snake(_line: int, text: Value, delimiter: Value = "_") -> Value:
    if not isinstance(text, str) or text.isdigit():
        raise Cannot("Str::snake() keeps its answers under keys that numbers share")
    word, mark = ascii_of(text), ascii_of(delimiter)
    if re.fullmatch("[a-z]+", word):
        return word
    word = re.sub(r"\s+", "", _split_words(word), flags=re.ASCII)
    return re.sub(r"(.)(?=[A-Z])", lambda found: found[1] + mark, word).lower()


def _start(_line: int, text: Value, prefix: Value) -> Value:
    mark, whole = text_of(prefix), text_of(text)
    if not mark:
        raise Cannot("Str::start() is called with nothing to start with")
    while whole.startswith(mark):
        whole = whole[len(mark) :]
    return mark + whole


def _finish(_line: int, text: Value, cap: Value) -> Value:
    mark, whole = text_of(cap), text_of(text)
    if not mark or "\n" in whole:
        raise Cannot("Str::finish() is called with nothing to finish with")
    while whole.endswith(mark):
        whole = whole[: -len(mark)]
    return whole + mark


def _contains(test: Callable[[str, str], bool]) -> Callable[..., Value]:
    def check(_line: int, haystack: Value, needle: Value) -> Value:
        part = text_of(needle)
        if not part:
            raise Cannot("a text is searched for nothing, which releases do differently")
        return test(text_of(haystack), part)

    return check


def _after(_line: int, subject: Value, search: Value) -> Value:
    if not isinstance(subject, str):
        raise Cannot("a part of something other than text is asked")
    whole, mark = subject, text_of(search)
    if not mark or mark not in whole:
        return whole
    return whole.partition(mark)[2]


def _before(_line: int, subject: Value, search: Value) -> Value:
    if not isinstance(subject, str):
        raise Cannot("a part of something other than text is asked")
    whole, mark = subject, text_of(search)
    if not mark or mark not in whole:
        return whole
    return whole.partition(mark)[0]


def _lower(_line: int, text: Value) -> Value:
    return ascii_of(text).lower()


def _upper(_line: int, text: Value) -> Value:
    return ascii_of(text).upper()


def _strlen(_line: int, text: Value) -> Value:
    return len(encode(text_of(text)))


Function = Callable[..., Value]

TAKES_UNKNOWN: Mapping[str, Function] = {"array_merge": _array_merge, "array_filter": _array_filter}
"""Functions that tell something even where an argument is not known."""

FUNCTIONS: Mapping[str, Function] = {
    "explode": _explode,
    "implode": _implode,
    "join": _implode,
    "array_unique": _array_unique,
    "array_values": _array_values,
    "array_keys": _array_keys,
    "in_array": _in_array,
    "array_key_exists": _array_key_exists,
    "count": lambda _line, array: len(certain(array)),
    "trim": _trimmer(left=True, right=True),
    "ltrim": _trimmer(left=True, right=False),
    "rtrim": _trimmer(left=False, right=True),
    "strtolower": _lower,
    "strtoupper": _upper,
    "ucfirst": _first_upper,
    "lcfirst": _first_lower,
    "ucwords": lambda _line, text: _split_words(ascii_of(text)),
    "str_replace": _str_replace,
    "sprintf": _sprintf,
    "strlen": _strlen,
    "substr": _substr,
    "str_contains": _contains(lambda whole, part: part in whole),
    "str_starts_with": _contains(str.startswith),
    "str_ends_with": _contains(str.endswith),
    "intval": _intval,
    "floatval": lambda _line, value: float_of(value),
    "boolval": lambda _line, value: bool_of(value),
    "strval": lambda _line, value: string_of(value),
    "is_null": lambda _line, value: value is None,
    "is_string": lambda _line, value: isinstance(value, str),
    "is_int": lambda _line, value: isinstance(value, int) and not isinstance(value, bool),
    "is_bool": lambda _line, value: isinstance(value, bool),
    "is_float": lambda _line, value: isinstance(value, float),
    "is_array": lambda _line, value: isinstance(value, PhpArray),
    "is_numeric": lambda _line, value: _is_numeric(value),
    "filter_var": _filter_var,
    "max": _extreme(1),
    "min": _extreme(-1),
    "abs": _abs,
    "floor": _rounded(lambda value: int(value // 1)),
    "ceil": _rounded(lambda value: -int(-value // 1)),
    "dirname": _dirname,
    "value": lambda _line, value: value,
    "str_slug": _slug,
    "snake_case": _snake,
}
"""Functions by name, whose arguments are all known."""


def _is_numeric(value: Value) -> bool:
    if isinstance(value, str):
        if value[-1:] in _TRIMMED and value:
            raise Cannot(
                "is_numeric() is asked about a text with spaces behind it, which PHP 7 and 8 answer differently"
            )
        return numeric(value) is not None
    return isinstance(value, (int, float)) and not isinstance(value, bool)


STR: Mapping[str, Function] = {
    "slug": _slug,
    "snake": _snake,
    "lower": _lower,
    "upper": _upper,
    "ucfirst": _first_upper,
    "start": _start,
    "finish": _finish,
    "contains": _contains(lambda whole, part: part in whole),
    "startswith": _contains(str.startswith),
    "endswith": _contains(str.endswith),
    "after": _after,
    "before": _before,
}
"""Methods of Illuminate\\Support\\Str by name in lower case."""

MAPPABLE = frozenset(
    {"trim", "ltrim", "rtrim", "strtolower", "strtoupper", "ucfirst", "intval", "floatval", "boolval", "strval"}
)
"""Functions that array_map() may be given by name."""
