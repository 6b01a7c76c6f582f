"""The table of signatures: what a record of a log tells, by the words in it. Data, and a user's own laid before it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from auditor.dialects import yaml_table
from auditor.errors import Unreadable
from auditor.facts.failed import FAILURE_ADVICE
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
    """What a person can do, as sentences; what failed jobs of that kind are advised where it is left out."""


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
    found, lines = yaml_table.read(path, shown, tuple[Signature, ...], SignaturesRefused)
    for index, entry in enumerate(found):
        for field, (holds, told) in _DEMANDS.items():
            if not holds(getattr(entry, field)):
                raise SignaturesRefused(shown, f"“{field}” {told}", yaml_table.line_of(lines, (index, field)))
    return tuple(map(_advised, found))


def _advised(entry: Signature) -> Signature:
    """With the advice on failed jobs of that kind, where it has none of its own."""
    return entry if entry.advice else msgspec.structs.replace(entry, advice=FAILURE_ADVICE.get(entry.kind, ""))


def _is_name(kind: str) -> bool:
    return re.fullmatch(r"[\w-]{1,64}", kind) is not None


def _are_forms(logs: tuple[str, ...]) -> bool:
    return bool(logs) and set(logs) <= set(FORMS)


def _are_words(words: tuple[str | tuple[str, ...], ...]) -> bool:
    return bool(words) and () not in words


def _is_positive(number: float) -> bool:
    return 0 < number < 1e9


_DEMANDS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "kind": (_is_name, "is a name of letters, digits and hyphens"),
    "logs": (_are_forms, f"holds some of {', '.join(FORMS)}"),
    "words": (_are_words, "holds at least one text"),
    "after": (_is_positive, "is a positive number"),
    "within": (_is_positive, "is a positive number"),
    "quiet": (_is_positive, "is a positive number"),
}
"""What a field's type does not say of its value."""
