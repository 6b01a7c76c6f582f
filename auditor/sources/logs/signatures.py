"""The table of signatures: what a record of a log tells, by the words in it. Data, and a user's own laid before it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from auditor.dialects import yaml_text
from auditor.errors import Unreadable
from auditor.findings import Severity
from auditor.places import data_dir

SHIPPED = "signatures.yaml"
FORMS = ("laravel", "ninja", "output", "supervisord")
"""The forms of log that a signature can be looked for in; see formats.py."""
_MOST_KEPT = 256
"""So many answers are kept, of records that differ."""


class SignaturesRefused(Unreadable):
    """A table of signatures is not one: its file, the line and why."""


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of the table."""

    kind: str
    """Its name in reports, metrics and the state of a watch."""
    says: str
    """What it means, as a clause."""
    severity: Severity
    """How bad it is."""
    logs: tuple[str, ...]
    """The forms of log it is looked for in."""
    words: tuple[str | tuple[str, ...], ...]
    """Texts of which one must be there; of a tuple among them, all."""
    after: int = 1
    """So many within `within` seconds before it is told."""
    within: float = 600.0
    """Seconds."""
    quiet: float = 900.0
    """Seconds without another one after which it is over."""
    advice: str = ""
    """What a person can do, as sentences."""


class Signatures:
    """The whole table, made ready for one form of log after the other."""

    def __init__(self, entries: tuple[Signature, ...]) -> None:
        """In their order: the first that fits counts."""
        self.entries = entries
        self._named = {entry.kind: entry for entry in reversed(entries)}
        self._forms = {
            form: [(entry.kind, tuple(_bytes(word) for word in entry.words)) for entry in entries if form in entry.logs]
            for form in FORMS
        }
        self._any = {form: re.compile(b"|".join(map(re.escape, self.words(form)))) for form in FORMS}
        self._kept: dict[str, dict[bytes, str | None]] = {form: {} for form in FORMS}

    def named(self, kind: str) -> Signature | None:
        """The entry of that name."""
        return self._named.get(kind)

    def words(self, form: str) -> tuple[bytes, ...]:
        """One text of each that must be in a record of this form for it to tell anything."""
        return tuple(dict.fromkeys(words[0] for _, entry in self._forms[form] for words in entry))

    def classify(self, record: bytes, form: str) -> str | None:
        """The kind of the first entry whose words the record holds; None where none has.

        What floods a log says the same again and again: the last answers are kept.
        """
        kept = self._kept[form]
        if record in kept:
            return kept[record]
        found = self._first(record, form) if self._any[form].search(record) else None
        if len(kept) >= _MOST_KEPT:
            kept.clear()
        kept[record] = found
        return found

    def _first(self, record: bytes, form: str) -> str | None:
        for kind, alternatives in self._forms[form]:
            for words in alternatives:
                if words[0] in record and (len(words) == 1 or all(word in record for word in words[1:])):
                    return kind
        return None


def _bytes(word: str | tuple[str, ...]) -> tuple[bytes, ...]:
    return (word.encode(),) if isinstance(word, str) else tuple(each.encode() for each in word)


def load_signatures(own: str = "") -> Signatures:
    """The shipped table, with the entries of a user's file before it; raises SignaturesRefused."""
    shipped = read_signatures(data_dir("templates") / SHIPPED, SHIPPED)
    return Signatures((*read_signatures(Path(own), own), *shipped) if own else shipped)


def read_signatures(path: Path, shown: str) -> tuple[Signature, ...]:
    """One file, checked; raises SignaturesRefused with its line."""
    text = yaml_text.read(path, shown, SignaturesRefused)
    data, lines = yaml_text.load(text, shown, SignaturesRefused)
    if not isinstance(data, list):
        raise SignaturesRefused(shown, "a table of signatures is a list")
    found = []
    for index, item in enumerate(data):
        line = lines.get((index,))
        try:
            entry = msgspec.convert(item, Signature)
        except msgspec.ValidationError as problem:
            raise SignaturesRefused(shown, str(problem).rstrip("."), line) from None
        _check(entry, item, shown, line)
        found.append(entry)
    return tuple(found)


def _check(entry: Signature, item: Any, shown: str, line: int | None) -> None:
    wrong = [form for form in entry.logs if form not in FORMS]
    if wrong or not entry.logs:
        raise SignaturesRefused(shown, f"“logs” holds some of {', '.join(FORMS)}", line)
    if not entry.words or any(word == () for word in entry.words):
        raise SignaturesRefused(shown, "“words” holds at least one text", line)
    for name in ("after", "within", "quiet"):
        if name in item and not 0 < getattr(entry, name) < 1e9:
            raise SignaturesRefused(shown, f"“{name}” is a positive number", line)
