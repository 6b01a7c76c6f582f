"""php.ini as PHP reads it, for what bounds a worker: its memory limit, and the functions and extensions it has.

PHP's scanner is followed as far as real files go. What it would take as an expression, a constant or a variable is a
value that cannot be known; behind a line that PHP may refuse, and where it then stops reading, everything is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from auditor.errors import Unreadable
from auditor.facts.origin import NEVER, Fact, Mark, MiB, Origin, declared, origin, unknown
from auditor.patterns import late
from auditor.sources.tree import Tree

_LIMIT_DEFAULT: MiB = 128.0
_LIMIT_LEAST = 2 * 1024**2
_UNITS = {"K": 1024, "M": 1024**2, "G": 1024**3}
_NAMES = ("php-cli.ini", "php.ini")

_KEY = late(r"[ \t]*+([^=\n\r\t;&|^$~(){}!\"\[\]\0]++)[ \t]*+(?:\[[\w.-]*+\][ \t]*+(?==))?+(?=[=\n\r;]|\Z)", re.ASCII)
_SECTION = late(r"[ \t]*\[([\w .:/=*-]+)\][ \t]*(?=[\n\r;]|\Z)", re.ASCII)
_NEWLINE = late(r"\r\n|\n|\r")
_BLANK = late(r"[ \t]*(?:;[^\n\r]*)?(?:\r\n|\n|\r|\Z)")
_SPACE = late(r"[ \t]*")
_PARTS = {
    "quoted": late(r"\"((?:[^\"\\]|\\.)*+)\"[ \t]*+", re.DOTALL),
    "raw": late(r"'([^']*+)'[ \t]*+"),
    "variable": late(r"(\$\{[A-Za-z0-9_.:-]+\})[ \t]*+"),
    "plain": late(r"([^=\n\r;&|^$~()!\"'\0]++)"),
    "expression": late(r"((?:[|&^][ \t]*[!~]?[ \t]*\w+[ \t]*)++)(?=[\n\r;]|\Z)", re.ASCII),
}
"""What a value is made of."""
_OPERAND = late(r"\w+[ \t]*\Z", re.ASCII)
_USUAL = late(r"[\w ./:,-]*\Z", re.ASCII)
_ESCAPED = late(r"\\([\"\\])")
_WORD = late(r"\w+")
_CONSTANT = late(r"(?<![\w.])[A-Z_][A-Z0-9_]*(?![\w.])")
_QUANTITY = late(r"[ \t\n\r\v\f]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")
_WORDS = {
    "true": "1",
    "on": "1",
    "yes": "1",
    "false": "",
    "off": "",
    "no": "",
    "none": "",
    "null": "",
}


class Setting(msgspec.Struct, frozen=True):
    """One directive of an ini file."""

    name: str
    """The directive's name."""
    value: str | None
    """Its value as text; None where it depends on a constant, an expression or a variable."""
    line: int
    """The line it is written on, from 1."""


class PhpIni(Fact, frozen=True, kw_only=True):
    """What php.ini and its companions say, for the command line."""

    memory_limit: MiB = _LIMIT_DEFAULT
    """`memory_limit` in MiB; NEVER for -1; PHP's own default is 128."""
    disable_functions: tuple[str, ...] = ()
    """`disable_functions`, in order."""
    extensions: tuple[str, ...] = ()
    """The extensions that are loaded by name ("pcntl"), in order; those compiled in are not among them."""
    files: tuple[str, ...] = ()
    """The files that were read, in PHP's order."""


def find_php_inis(tree: Tree, version: str | None = None) -> tuple[str, ...] | None:
    """The ini files that the command line's PHP reads, in its order.

    `version` ("8.2") picks among several installed; without it /usr/bin/php decides, or there is only one. An empty
    tuple means that PHP's folder is there and holds no file; None that it is not here, or not known which one counts.
    """
    found = _folder(tree, version)
    if found is None:
        return None
    folder, scanned = found
    files = [path for path in (f"{folder}/{name}" for name in _NAMES) if tree.is_file(path)][:1]
    extra = f"{folder}/{scanned}"
    if tree.is_dir(extra):
        try:
            names = sorted(tree.names(extra), key=lambda name: name.encode("utf-8", "surrogateescape"))
        except Unreadable:
            return None
        files += [f"{extra}/{name}" for name in names if name.endswith(".ini") and tree.is_file(f"{extra}/{name}")]
    return tuple(files)


def _folder(tree: Tree, version: str | None) -> tuple[str, str] | None:
    """PHP's folder and the name of the one in it that is scanned."""
    if version is None and tree.is_dir("usr/local/etc/php") and tree.is_file("usr/local/bin/php"):
        return "usr/local/etc/php", "conf.d"
    found = [
        (number, path, scanned)
        for number, path, scanned in _versioned(tree)
        if version is None or number == _digits(version)
    ]
    if len(found) > 1:
        linked = _linked(tree)
        found = [one for one in found if one[0] == linked]
    if len(found) == 1:
        return found[0][1], found[0][2]
    if found or (version is None and any(True for _ in _versioned(tree))):
        return None
    if tree.is_dir("usr/local/etc/php"):
        return "usr/local/etc/php", "conf.d"
    if tree.is_file("etc/php.ini") or tree.is_dir("etc/php.d"):
        return "etc", "php.d"
    return None


def _digits(version: str) -> str:
    return "".join(version.split(".")[:2])


def _versioned(tree: Tree) -> Iterator[tuple[str, str, str]]:
    """Folders that name their release: Debian's, Alpine's, and Remi's for RHEL."""
    for path in tree.glob("etc/php/*/cli"):
        yield _digits(path.split("/")[2]), path, "conf.d"
    for path in tree.glob("etc/php[0-9]*"):
        if tree.is_dir(path):
            yield path.removeprefix("etc/php"), path, "conf.d"
    for path in tree.glob("etc/opt/remi/php[0-9]*"):
        yield path.removeprefix("etc/opt/remi/php"), path, "php.d"


def _linked(tree: Tree) -> str | None:
    """The release that /usr/bin/php stands for."""
    try:
        found = re.search(r"php([0-9])\.?([0-9]+)$", tree.real("usr/bin/php"))
    except (OSError, Unreadable):
        return None
    return found[1] + found[2] if found else None


def read_ini(tree: Tree, paths: tuple[str, ...] | None) -> PhpIni:
    """Read these files in order, as `find_php_inis` gives them; the last value of a directive wins."""
    if paths is None:
        reason = "PHP's php.ini is not here, or it is not known which one counts"
        return PhpIni(marks={field: unknown(reason) for field in ("memory_limit", "disable_functions", "extensions")})
    limit: MiB = _LIMIT_DEFAULT
    disabled: tuple[str, ...] = ()
    extensions: list[str] = []
    marks: dict[str, Mark] = {}
    for path in paths:
        try:
            text = tree.read(path).decode("utf-8", "replace").removeprefix("\ufeff")
        except Unreadable as why:
            for field in ("memory_limit", "disable_functions", "extensions"):
                marks[field] = unknown(f"{path} cannot be read: {why.reason}", Origin(path))
            continue
        settings, stopped = parse(text)
        lines = _NEWLINE.split(text)
        for setting in settings:
            place = origin(path, setting.line, lines[setting.line - 1])
            name, value = setting.name, setting.value
            if name == "memory_limit":
                amount = None if value is None else mebibytes(value)
                limit = _LIMIT_DEFAULT if amount is None else amount
                marks[name] = declared(place) if amount is not None else unknown(_limit_reason(value), place)
            elif name == "disable_functions":
                disabled = tuple(re.split(r"[ ,]+", value.strip(" ,"))) if value and value.strip(" ,") else ()
                marks[name] = (
                    declared(place) if value is not None else unknown("PHP works it out when it starts", place)
                )
            elif name == "extension" and value:
                extensions.append(value.rpartition("/")[2].removesuffix(".so"))
                if "extensions" not in marks:
                    marks["extensions"] = declared(place)
        if stopped is not None:
            place = origin(path, stopped, lines[stopped - 1])
            for field in ("memory_limit", "disable_functions", "extensions"):
                marks[field] = unknown(f"PHP may stop reading {path} at line {stopped}", place)
    return PhpIni(
        memory_limit=limit,
        disable_functions=disabled,
        extensions=tuple(extensions),
        files=paths,
        marks=marks,
    )


def _limit_reason(value: str | None) -> str:
    if value is None:
        return "PHP works it out when it starts"
    return f"“{value[:40]}” is no limit of 2 MiB or more, which PHP 8 ignores and older releases do not"


def mebibytes(text: str) -> MiB | None:
    """A memory limit in MiB, as PHP takes the text: a leading whole number, and the very last letter as its unit.

    None below 2 MiB ("128MB" is 128 bytes): PHP 8 ignores such a limit, and older releases raise it to 2 MiB.
    """
    found = _QUANTITY.match(text)
    if found is None:
        return None
    digits = found[2]
    if len(digits) > 18:
        return None
    base = 16 if digits[:2].lower() == "0x" else 8 if digits[0] == "0" and len(digits) > 1 else 10
    amount = int(digits, base) * _UNITS.get(text.rstrip()[-1:].upper(), 1)
    if found[1] == "-" and amount:
        return NEVER
    return amount / 1024**2 if amount >= _LIMIT_LEAST else None


def parse(text: str) -> tuple[list[Setting], int | None]:
    """The directives that hold for every script, in order; and the line at which PHP may stop reading.

    Sections do not matter, but for [PATH=…] and [HOST=…]: what stands below them holds for some web requests alone.
    """
    settings: list[Setting] = []
    place, line = 0, 1
    elsewhere = False
    while place < len(text):
        blank = _BLANK.match(text, place)
        if blank is not None:
            place = blank.end()
            line += 1
            continue
        section = _SECTION.match(text, place)
        if section is not None:
            elsewhere = section[1].lstrip().upper().startswith(("PATH", "HOST"))
            place = section.end()
            continue
        key = _KEY.match(text, place)
        name = "" if key is None else key[1].strip(" ")
        if key is None or not name or name.lower() in _WORDS:
            return settings, line
        place = key.end()
        if text[place : place + 1] != "=":
            continue
        found = _value(text, place + 1)
        if found is None:
            return settings, line
        value, place = found
        if not elsewhere:
            settings.append(Setting(name, value, line))
        line += len(_NEWLINE.findall(text, key.end(), place))
    return settings, None


def _value(text: str, place: int) -> tuple[str | None, int] | None:
    """A value and where it ends; None where PHP may refuse it."""
    place = _SPACE.match(text, place).end()  # type: ignore[union-attr]
    begin = place
    parts: list[tuple[str, str]] = []  # what kind each part is, and its text
    while place < len(text) and text[place] not in "\n\r;":
        for kind, pattern in _PARTS.items():
            found = pattern.match(text, place)
            if found is not None:
                parts.append((kind, found[1]))
                place = found.end()
                break
        else:
            return None
    if not parts:
        # An empty value, a comment and no line end: PHP refuses that.
        refused = place < len(text) and not _NEWLINE.search(text, place)
        return None if refused else ("", place)
    if len(parts) == 1:
        return _single(*parts[0], place)
    kinds = {kind for kind, _ in parts}
    words = text[begin:place].lower().split() if "quoted" not in kinds and "raw" not in kinds else []
    if "expression" in kinds:
        usual = (
            len(parts) == 2 and _OPERAND.match(parts[0][1]) and _WORDS.keys().isdisjoint(_WORD.findall(" ".join(words)))
        )
        return (None, place) if usual else None
    usual = "variable" not in kinds and all(_USUAL.match(part) for kind, part in parts if kind == "plain")
    plain = " ".join(part for kind, part in parts if kind == "plain").lower()
    return (None, place) if usual and _WORDS.keys().isdisjoint(plain.split()) else None


def _single(kind: str, part: str, place: int) -> tuple[str | None, int] | None:
    """A value that is written in one piece."""
    if kind == "raw":
        return part, place
    if kind == "quoted":
        known = "${" not in part and "\\$" not in part and "\\'" not in part
        return (_ESCAPED.sub(r"\1", part) if known else None), place
    if kind != "plain":
        return (None, place) if kind == "variable" else None
    part = part.rstrip(" \t")
    words = part.lower().split()
    if len(words) > 1 and not _WORDS.keys().isdisjoint(words):
        return None
    if _CONSTANT.search(part):
        return None, place
    return _WORDS.get(part.lower(), part), place
