"""Cron tables that a Dockerfile, a script or a playbook puts in place, read as the daemon there will read them."""

from __future__ import annotations

import msgspec

from auditor.facts.origin import Mark, Origin, unknown
from auditor.facts.schedule import CronLine, CronTable
from auditor.sources.crontab import BUSYBOX, DROP_IN, SUPERCRONIC, SYSTEM, USER, kind_of, read_crontab
from auditor.sources.repository.model import Files, Table

SPOOL = "var/spool/cron/crontabs"


def kind_at(destination: str) -> str:
    """The kind of table a path of the machine makes of a file."""
    return kind_of(destination.lstrip("/"))


def read_table(files: Files, table: Table) -> CronTable:
    """The table, told to stand where its lines are written."""
    user, mark = table.user
    destination = table.path
    if table.kind == USER:
        destination = f"{SPOOL}/{user or 'root'}"
    elif table.kind == BUSYBOX:
        destination = f"etc/crontabs/{user or 'root'}"
    elif table.kind == DROP_IN:
        destination = f"etc/cron.d/{(table.destination or 'app').rpartition('/')[2]}"
    elif table.kind == SYSTEM:
        destination = "etc/crontab"
    data = _padded(table.lines) if table.lines is not None else (files.text(table.source or "") or "").encode()
    read = read_crontab(files.tree, destination, table.kind, data, table.php_folder)
    file = table.path
    at = table.placed if table.lines is None and table.source != file else None

    def moved(place: Origin | None) -> Origin | None:
        if place is None:
            return None
        if at is not None:
            return at
        return files.place(file, place.line) if place.line is not None else Origin(file)

    def placed(marks: dict[str, Mark]) -> dict[str, Mark]:
        return {name: msgspec.structs.replace(m, origin=moved(m.origin)) for name, m in marks.items()}

    lines = []
    for line in read.lines:
        marks = placed(line.marks)
        if mark is not None and mark.reason is not None and table.kind in (USER, BUSYBOX):
            marks["user"] = mark
        elif table.kind in (USER, BUSYBOX) and user is None:
            marks["user"] = unknown("whose crontab this is is not known from here", moved(line.mark("schedule").origin))
        undefined = tuple(name for name in line.undefined_variables if name not in table.filled)
        lines.append(msgspec.structs.replace(line, marks=marks, undefined_variables=undefined))
    marks = placed(read.marks)
    if table.placed is not None:
        marks["kind"] = Mark(marks["lines"].grade if "lines" in marks else read.mark("kind").grade, table.placed)
    if table.kind == SUPERCRONIC:
        lines = [_through_supercronic(line) for line in lines]
    return msgspec.structs.replace(
        read, marks=marks, path=file, lines=tuple(lines), also_of_other_form=table.also_of_other_form
    )


def _through_supercronic(line: CronLine) -> CronLine:
    """Supercronic runs its jobs with its own environment, so PATH is the container's."""
    marks = {
        **line.marks,
        "not_on_path": unknown(
            "supercronic hands on its own PATH, which is not known here", line.mark("command").origin
        ),
    }
    return msgspec.structs.replace(line, marks=marks, not_on_path="")


def _padded(lines: list[tuple[int, str]]) -> bytes:
    """The lines, each on its own number, with empty ones between."""
    out: list[str] = []
    for number, text in sorted(lines):
        if number - len(out) > 100_000:
            break
        while len(out) < number - 1:
            out.append("")
        out.append(text)
    return ("\n".join(out) + "\n").encode()
