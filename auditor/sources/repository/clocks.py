"""Containers that are started by the clock: how often, by the schedule that is written for them."""

from __future__ import annotations

from auditor.dialects.crontab import Job, parse
from auditor.dialects.yaml_lines import Node
from auditor.facts.origin import declared, unknown
from auditor.sources.repository.model import Container, Files


def set_clock(files: Files, made: Container, schedule: Node | None) -> None:
    """Tell of a container that it is started at the times of a line of cron; where none is written, at some that are not known."""
    made.values["periodic"] = True
    written = schedule is not None and schedule.kind == "text"
    place = files.place(made.file, schedule.line) if schedule is not None else made.place
    text = schedule.text if schedule is not None and written else ""
    jobs = [line for line in parse(f"{text} x\n".encode(), False) if isinstance(line, Job)]
    if len(jobs) != 1:
        reason = "its schedule is not known here" if written else "when it is started is not written here"
        made.marks["every_minute"] = made.marks["largest_gap"] = unknown(reason, place)
        return
    made.values["every_minute"] = jobs[0].schedule.runs_every_minute
    made.values["largest_gap"] = jobs[0].schedule.largest_gap * 60
    made.marks["every_minute"] = made.marks["largest_gap"] = declared(place)
