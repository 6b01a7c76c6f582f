"""Tables of data in YAML: what does not fit is refused with the line it stands on."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from auditor.dialects import yaml_table
from auditor.errors import Unreadable


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An item."""

    name: str
    days: float = 0


class Whole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table."""

    title: str
    parts: tuple[Part, ...] = ()
    by_name: dict[str, Part] = {}


REFUSED = [
    ("title: t\nparts: 3\n", "expected “array”, got “int”", 2),
    ("title: t\nparts:\n  - name: a\n    day: 4\n", "there is no key “day” here; did you mean “days”?", 4),
    ("title: t\nparts:\n  - name: a\n  - days: 4\n", "object missing required field “name”", 4),
    ("title: t\nby_name:\n  a-b:\n    name: n\n    dayz: 4\n", "there is no key “dayz” here; did you mean “days”?", 5),
    ("titel: t\n", "there is no key “titel” here; did you mean “title”?", 1),
    ("", "object missing required field “title”", None),
    ("- 1\n", "expected “object”, got “array”", 1),
]


@pytest.mark.parametrize(("text", "reason", "line"), REFUSED, ids=[reason for _, reason, _ in REFUSED])
def test_what_does_not_fit_is_told_with_its_line(tmp_path: Path, text: str, reason: str, line: int | None) -> None:
    """The sentence names the file, the line and what is wrong there."""
    file = tmp_path / "table.yaml"
    file.write_text(text)
    with pytest.raises(Unreadable) as refused:
        yaml_table.read(file, "table.yaml", Whole)
    assert refused.value.reason == reason
    assert refused.value.line == line


def test_what_fits_is_read_with_its_lines(tmp_path: Path) -> None:
    """Values come as the record says, and each knows its line."""
    file = tmp_path / "table.yaml"
    file.write_text("title: t\nparts:\n  - name: a\n    days: 2.5\n")
    table, lines = yaml_table.read(file, "table.yaml", Whole)
    assert table == Whole("t", (Part("a", 2.5),))
    assert yaml_table.line_of(lines, ("parts", 0, "days")) == 4
