"""Texts, numbers and arrays as they are written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.patterns import late
from auditor.sources.php.functions import bounded
from auditor.sources.php.scope import Closure, Scope, line_of
from auditor.sources.php.values import (
    INT_MAX,
    Cannot,
    Entry,
    PhpArray,
    Unknown,
    Value,
    decode,
    join,
    key_of,
    string_of,
)

if TYPE_CHECKING:
    from tree_sitter import Node

_ENTRY = late(rb"(?:'([^'\\]*)'|(0|[1-9][0-9]{0,17}))\s*=>\s*(?:'([^'\\]*)'|(0|[1-9][0-9]{0,17})|([A-Za-z]+))")
"""`'key' => 'text'`, with numbers and words in the places of texts."""
_WORDS: dict[bytes, bool | None] = {b"true": True, b"false": False, b"null": None}
_ESCAPE = late(
    rb"\\(?:([nrtvef\\$\"])|([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u\{([0-9A-Fa-f]{1,8})\})",
)
_SIMPLE = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v", b"e": b"\x1b", b"f": b"\f"}


def _simple_entry(found: re.Match[bytes], line: int) -> Entry | None:
    """An entry that needs no look at the syntax tree, which most entries of a cached configuration do not."""
    name, index, text, number, word = found.groups()
    key = int(index) if name is None else key_of(decode(name))
    if text is not None:
        return Entry(key, decode(text), line)
    if number is not None:
        return Entry(key, int(number), line)
    word = word.lower()
    return Entry(key, _WORDS[word], line) if word in _WORDS else None


def _unescape(data: bytes, *, heredoc: bool = False) -> str:
    """The text of a double-quoted string or heredoc without variables."""
    if b"\\" not in data:
        return decode(data)

    def one(found: re.Match[bytes]) -> bytes:
        simple, octal, hexadecimal, point = found.groups()
        if simple is not None:
            if simple == b'"' and heredoc:
                return b'\\"'
            return _SIMPLE.get(simple, simple)
        if octal is not None:
            return bytes([int(octal, 8) & 255])
        if hexadecimal is not None:
            return bytes([int(hexadecimal, 16)])
        number = int(point, 16)
        if number > 0x10FFFF or 0xD800 <= number < 0xE000:
            raise Cannot("a text names a character that does not exist")
        return chr(number).encode()

    return decode(_ESCAPE.sub(one, data))


class Literals(Scope):
    """Texts, numbers and arrays."""

    def array(self, node: Node) -> Value:
        """`[…]` and `array(…)`."""
        array = PhpArray()
        envs = self.envs
        for element in node.named_children:
            if element.type != "array_element_initializer":
                continue
            simple = _ENTRY.fullmatch(self.source, element.start_byte, element.end_byte)
            if simple is not None:
                entry = _simple_entry(simple, element.start_point.row + 1)
                if entry is not None:
                    array.add(entry)
                    continue
            parts = element.children
            if len(parts) > 3 or (len(parts) > 1 and parts[1].type != "=>"):
                parts = [child for child in parts if child.type != "comment"]
            line = element.start_point.row + 1
            before = len(envs)
            written = parts[-1]
            key: int | str | Unknown
            if len(parts) == 3:
                known = self.value(parts[0])
                try:
                    key = known if isinstance(known, Unknown) else key_of(self.plain(known, written))
                except Cannot as why:
                    key = Unknown(str(why), line)
                del envs[before:]
            elif written.type == "variadic_unpacking":
                self.spread(array, written)
                continue
            else:
                key = array.next_key(line)
            value = self.value(written)
            if isinstance(value, Closure):
                value = self.plain(value, written)
            if len(envs) > before:
                names = tuple(name for name, _ in envs[before:])
                array.add(Entry(key, value, line, names[0], envs[before][1], names))
                del envs[before:]
            else:
                array.add(Entry(key, value, line))
        return array

    def by_reference(self, node: Node) -> Value:
        """`&$x` in an array."""
        self.ban(node)
        raise Cannot("it is a reference")

    def spread(self, array: PhpArray, node: Node) -> None:
        """`...$x` in an array."""
        inner = self.plain(self.value(node.named_children[-1]), node)
        line = line_of(node)
        if not isinstance(inner, PhpArray):
            unknown = (
                inner if isinstance(inner, Unknown) else Unknown("something other than an array is unpacked", line)
            )
            array.add(Entry(unknown, unknown, line))
            return
        self.spend(len(inner), node)
        for entry in inner:
            key = array.next_key(line) if isinstance(entry.key, int) else entry.key
            array.add(Entry(key, entry.value, entry.line, entry.env_name, entry.env_default, entry.env_names))

    def single_quoted(self, node: Node) -> Value:
        """`'…'`."""
        start = node.start_byte
        if self.source[start] != 39:  # b'x' is the same as 'x'
            start += 1
        data = self.source[start + 1 : node.end_byte - 1]
        if b"\\" in data:
            data = re.sub(rb"\\([\\'])", rb"\1", data)
        return decode(data)

    def double_quoted(self, node: Node) -> Value:
        """`"…"`."""
        data = self.source[node.start_byte : node.end_byte]
        if data[:1] != b'"':
            data = data[1:]
        if b"$" not in data:
            return _unescape(data[1:-1]) if b"\\" in data else decode(data[1:-1])
        return self.interpolated(node, node.start_byte, node.end_byte, heredoc=False)

    def interpolated(self, node: Node, begin: int, stop: int, *, heredoc: bool) -> Value:
        """A text with variables in it, as far as it lies between two bytes."""
        text = ""
        raw = b""
        braces = False
        for child in node.children:
            kind = child.type
            if kind in ("string_content", "escape_sequence"):
                raw += self.source[max(begin, child.start_byte) : min(stop, child.end_byte)]
                continue
            if not child.is_named:
                braces = child.type == "{"
                continue
            value = (
                self.simple_subscript(child)
                if child.type == "subscript_expression" and not braces
                else self.scalar(child)
            )
            text = join(join(text, _unescape(raw, heredoc=heredoc)), string_of(value))
            raw, braces = b"", False
            self.spend(len(text), node)
            bounded(text)
        return join(text, _unescape(raw, heredoc=heredoc))

    def simple_subscript(self, node: Node) -> Value:
        """`$x[key]` inside a text, where a bare word is the key itself."""
        base, key = node.named_children
        array = self.scalar(base)
        if key.type != "name" or not isinstance(array, PhpArray):
            return self.scalar(node)
        found = array.get(self.text(key))
        if found is None or isinstance(found.value, Unknown):
            raise Cannot("an entry that is not known is put into a text")
        return found.value

    def heredoc(self, node: Node) -> Value:
        """A heredoc or nowdoc."""
        end = node.child_by_field_name("end_tag")
        body = node.child_by_field_name("value")
        opening = node.child_by_field_name("identifier")
        assert end is not None
        assert opening is not None
        if body is None:
            return ""
        begin = self.source.index(b"\n", opening.end_byte) + 1
        stop = self.source.rindex(b"\n", 0, end.start_byte)
        indent = self.source[stop + 1 : end.start_byte]
        if stop < begin:
            return ""
        data = self.source[begin:stop].removesuffix(b"\r")
        raw = node.type == "nowdoc"
        if indent:
            lines = data.split(b"\n")
            if any(line.strip(b"\r") and not line.startswith(indent) for line in lines):
                raise Cannot("a heredoc is indented less than its end")
            data = b"\n".join(
                line[len(indent) :] if line.startswith(indent) else b"\r" * line.endswith(b"\r") for line in lines
            )
        if raw:
            return decode(data)
        if b"$" not in data:
            return _unescape(data, heredoc=True)
        if indent or b"\r" in data:
            raise Cannot("an indented heredoc with variables is not evaluated")
        return self.interpolated(body, begin, stop, heredoc=True)

    def integer(self, node: Node) -> Value:
        """An integer, or the float that one too large becomes."""
        data = self.source[node.start_byte : node.end_byte]
        if data.isdigit() and len(data) < 19 and (data[0] != 48 or len(data) == 1):
            return int(data)
        text = data.decode().replace("_", "").lower()
        if text[:2] in ("0x", "0b", "0o"):
            number = int(text, 0)
        elif len(text) > 1 and text[0] == "0":
            number = int(text, 8)
        elif len(text) > 400:
            return float("inf")
        else:
            number = int(text)
        return number if number <= INT_MAX else float(number)

    def floating(self, node: Node) -> Value:
        """A float."""
        return float(self.text(node).replace("_", ""))

    def boolean(self, node: Node) -> Value:
        """true or false."""
        return self.text(node).lower() == "true"

    def null(self, _node: Node) -> Value:
        """null."""
        return None
