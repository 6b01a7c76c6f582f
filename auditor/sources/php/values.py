"""PHP's values as Python's, and PHP's own conversions between them.

Scalars are str, int, float, bool and None. A str that holds bytes outside UTF-8 carries them as lone surrogates
(`surrogateescape`), so that no byte is lost. Where PHP would warn, throw or depend on something that is not known, a
conversion raises Cannot.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import msgspec

from auditor.patterns import late

INT_MAX = 2**63 - 1
INT_MIN = -(2**63)
MAX_SIZE = 200_000
"""No array may hold more values than that, nested ones counted."""

_KEY = late(r"(?:0|-?[1-9][0-9]{0,18})\Z")
_KEY_STARTS = frozenset("-0123456789")
_NUMBER = late(r"[ \t\n\r\v\f]*([+-]?(?:[0-9]+(\.[0-9]*)?|(\.[0-9]+))([eE][+-]?[0-9]+)?)")
_SPACES = " \t\n\r\v\f"


class Cannot(Exception):
    """The value cannot be known from here; the text is the reason, as a clause."""


class Missing:
    """What an environment lookup gives for a name that is not set."""

    __slots__ = ()


MISSING = Missing()


class Unknown(msgspec.Struct, frozen=True):
    """A value that cannot be known without running PHP."""

    reason: str
    """Why, as a clause without a full stop."""
    line: int
    """The line of the file that makes it so, from 1."""


class Entry(msgspec.Struct, frozen=True):
    """One entry of an array."""

    key: int | str | Unknown
    """The key; an unknown key stands for any number of entries under keys that are not known."""
    value: Value
    """The value."""
    line: int
    """The line it is written on, from 1."""
    env_name: str | None = None
    """The first name that its expression asks `env()` for, the outermost call first."""
    env_default: bool = False
    """Whether that name is not set, so that the default counts."""
    env_names: tuple[str, ...] = ()
    """Every name that its expression asks for."""


class PhpArray:
    """An ordered PHP array; never changed once it is built."""

    __slots__ = ("_epoch", "_index", "_next", "entries", "size")

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        """Take these entries in order; of a repeated key the last wins, at the place of the first."""
        self.entries: list[Entry] = []
        self.size = 0
        self._index: dict[int | str, tuple[int, int]] = {}
        self._epoch = 0
        self._next: int | None = 0
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        """For whoever builds the array: set one entry."""
        self.size += 1 + (entry.value.size if isinstance(entry.value, PhpArray) else 0)
        if self.size > MAX_SIZE:
            raise Cannot(f"an array holds more than {MAX_SIZE:,} values")
        key = entry.key
        if isinstance(key, Unknown):
            # Any key set before may be set again by this one.
            self._epoch += 1
            self._next = None
            self.entries.append(entry)
            return
        found = self._index.get(key)
        if found is None:
            self._index[key] = (len(self.entries), self._epoch)
            self.entries.append(entry)
        else:
            self._index[key] = (found[0], self._epoch)
            self.entries[found[0]] = entry
        if isinstance(key, int) and self._next is not None and key >= self._next:
            self._next = key + 1 if key < INT_MAX else None
        elif isinstance(key, int) and key < 0 and self._next == 0:
            self._next = None  # the next key is 0 before PHP 8.3 and key + 1 from then on

    def next_key(self, line: int) -> int | Unknown:
        """The key of an entry written without one."""
        return Unknown("the number after the last key is not known", line) if self._next is None else self._next

    @property
    def is_certain(self) -> bool:
        """Whether all its keys are known."""
        return self._epoch == 0

    def get(self, *path: int | str) -> Entry | None:
        """The entry at the end of a path of keys; None where it is not there.

        Where that cannot be known, an entry whose value is Unknown. A value that is no array has nothing below it.
        """
        here: PhpArray = self
        entry: Entry | None = None
        for number, step in enumerate(path, 1):
            entry = here._one(step)
            if entry is None or number == len(path):
                return entry
            if isinstance(entry.value, Unknown):
                return Entry(path[-1], entry.value, entry.line)
            if not isinstance(entry.value, PhpArray):
                return None
            here = entry.value
        return entry

    def _one(self, key: int | str) -> Entry | None:
        found = self._index.get(key)
        if found is not None and found[1] == self._epoch:
            return self.entries[found[0]]
        for entry in reversed(self.entries):
            if isinstance(entry.key, Unknown):
                reason = f"an entry under an unknown key may set it ({entry.key.reason})"
                return Entry(key, Unknown(reason, entry.line), entry.line)
        return None

    def keys(self) -> list[int | str]:
        """The keys that are known, in order."""
        return [entry.key for entry in self.entries if not isinstance(entry.key, Unknown)]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"PhpArray({len(self.entries)} entries)"


Scalar = str | int | float | bool | None
Value = Scalar | PhpArray | Unknown


def list_of(values: Iterable[Value], line: int) -> PhpArray:
    """An array with the keys 0, 1, 2 and so on."""
    return PhpArray(Entry(number, value, line) for number, value in enumerate(values))


def encode(text: str) -> bytes:
    """The bytes of a PHP string."""
    return text.encode("utf-8", "surrogateescape")


def decode(data: bytes) -> str:
    """A PHP string from its bytes."""
    return data.decode("utf-8", "surrogateescape")


def join(left: str, right: str) -> str:
    """Concatenate; halves of a character that meet become one."""
    text = left + right
    return text if text.isascii() else decode(encode(text))


def key_of(value: Value) -> int | str:
    """The array key that PHP makes of a value."""
    if isinstance(value, str) and value[:1] not in _KEY_STARTS:
        return value
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        if _KEY.match(value):
            number = int(value)
            if INT_MIN <= number <= INT_MAX:
                return number
        return value
    if value is None:
        return ""
    if isinstance(value, float):
        return int_of(value)
    raise Cannot("an array cannot be a key")


def bool_of(value: Value) -> bool:
    """(bool)."""
    if isinstance(value, Unknown):
        raise Cannot(value.reason)
    if isinstance(value, PhpArray):
        if all(isinstance(entry.key, Unknown) for entry in value) and not value.is_certain:
            raise Cannot("it is not known whether the array is empty")
        return len(value) > 0
    return bool(value) and value != "0"


def string_of(value: Value) -> str:
    """(string)."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else ""
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float_text(value)
    raise Cannot("an array is used as text" if isinstance(value, PhpArray) else value.reason)


def _float_text(value: float) -> str:
    if math.isnan(value):
        return "NAN"
    if math.isinf(value):
        return "INF" if value > 0 else "-INF"
    size = abs(value)
    # PHP's own printing of a whole number whose 15th digit is a half that it rounds down leaves the zeros before it.
    zeros = 1e14 <= size < 1e15 and size % 100 == 5
    text = f"{value:.13E}" if zeros else f"{value:.14G}"
    head, exponent, tail = text.partition("E")
    if not exponent:
        return text
    return f"{head if '.' in head else head + '.0'}E{tail[0]}{tail[1:].lstrip('0')}"


def int_of(value: Value) -> int:
    """(int)."""
    if isinstance(value, int):
        return int(value)
    if value is None:
        return 0
    if isinstance(value, str):
        found = _NUMBER.match(value)
        if found is None:
            return 0
        if found[2] is None and found[3] is None and found[4] is None:
            digits = found[1]
            if len(digits) > 64:
                return INT_MIN if digits[0] == "-" else INT_MAX
            return max(INT_MIN, min(INT_MAX, int(digits)))
        return int_of(float(found[1]))
    if isinstance(value, float):
        if not math.isfinite(value) or not INT_MIN <= value < float(INT_MAX):
            raise Cannot("the number is too large for an integer")
        return int(value)
    if isinstance(value, PhpArray):
        return int(bool_of(value))
    raise Cannot(value.reason)


def float_of(value: Value) -> float:
    """(float)."""
    if isinstance(value, str):
        found = _NUMBER.match(value)
        return 0.0 if found is None else float(found[1])
    if isinstance(value, (int, float)):
        return float(value)
    if value is None:
        return 0.0
    if isinstance(value, PhpArray):
        return float(bool_of(value))
    raise Cannot(value.reason)


def numeric(text: str) -> int | float | None:
    """The number that a numeric string is, or None where it is none."""
    found = _NUMBER.match(text)
    if found is None or text[found.end() :].strip(_SPACES):
        return None
    if found[2] is None and found[3] is None and found[4] is None:
        if len(found[1]) <= 40:
            number = int(found[1])
            if INT_MIN <= number <= INT_MAX:
                return number
        return float(found[1])
    return float(found[1])


def number_of(value: Value) -> int | float:
    """The operand that arithmetic makes of a value."""
    if isinstance(value, bool) or value is None:
        return int(value or 0)
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, str):
        number = numeric(value)
        if number is None:
            raise Cannot("a text that is no number is used in arithmetic")
        if value[-1:] in _SPACES:
            raise Cannot("a number with spaces behind it is used in arithmetic, which PHP 7 and 8 take differently")
        return number
    raise Cannot("an array is used in arithmetic" if isinstance(value, PhpArray) else value.reason)


def same(left: Value, right: Value) -> bool:
    """===."""
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        raise Cannot((left if isinstance(left, Unknown) else right).reason)  # type: ignore[union-attr]
    if isinstance(left, PhpArray) and isinstance(right, PhpArray):
        if len(left) == len(right) == 0:
            return True
        raise Cannot("two arrays are compared")
    return type(left) is type(right) and left == right


def compare(left: Value, right: Value, *, php8: bool | None) -> int:
    """<=> with PHP's loose rules: -1, 0 or 1.

    `php8` tells which release's rules count; None where that is not known.
    """
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        raise Cannot((left if isinstance(left, Unknown) else right).reason)  # type: ignore[union-attr]
    if isinstance(left, str) and right is None:
        return _order(left, "")
    if left is None and isinstance(right, str):
        return _order("", right)
    if isinstance(left, bool) or isinstance(right, bool) or left is None or right is None:
        return _order(bool_of(left), bool_of(right))
    if isinstance(left, PhpArray) or isinstance(right, PhpArray):
        raise Cannot("arrays are compared")
    if isinstance(left, str) and isinstance(right, str):
        one, other = numeric(left), numeric(right)
        if one is None or other is None or left == right:
            return _order(encode(left), encode(right))
        if left[-1:] in _SPACES or right[-1:] in _SPACES:
            raise Cannot("numbers with spaces behind them are compared, which PHP 7 and 8 do differently")
        return _numbers(one, other)
    if isinstance(left, str):
        return -compare(right, left, php8=php8)
    if not isinstance(right, str):
        return _numbers(left, right)
    number = numeric(right)
    if number is not None and right[-1:] not in _SPACES:
        return _numbers(left, number)
    if php8 is None:
        raise Cannot("a number is compared with a text, which PHP 7 and 8 do differently")
    if php8:
        return _numbers(left, number) if number is not None else _order(encode(string_of(left)), encode(right))
    return _numbers(left, float_of(right))


def _numbers(left: float, right: float) -> int:
    if isinstance(left, int) and isinstance(right, int):
        return _order(left, right)
    left, right = float(left), float(right)
    if math.isnan(left) or math.isnan(right) or max(abs(left), abs(right)) > 2**53:
        raise Cannot("numbers too large to be exact are compared")
    return _order(left, right)


def _order(left: float | str | bytes, right: float | str | bytes) -> int:
    return (left > right) - (left < right)  # type: ignore[operator]
