"""Procfiles, and the app.json beside one, which tells how many processes of each type are started.

https://devcenter.heroku.com/articles/procfile, https://devcenter.heroku.com/articles/app-json-schema,
https://dokku.com/docs/processes/process-management/
"""

from __future__ import annotations

import posixpath
import re

from auditor.dialects.yaml_lines import Node, load
from auditor.facts.origin import Mark, Origin, declared, unknown
from auditor.sources.repository.model import Container, Files, Gathered

MAX_LINES = 500
"""No more lines of a Procfile are read."""

_PROCESS = re.compile(r"([A-Za-z0-9_-]+):[ \t]*(\S.*)")


def read_procfile(files: Files, path: str, gathered: Gathered) -> None:
    """Each process type of a Procfile."""
    scaled = _formation(files, files.tree.relative("app.json", posixpath.dirname(path)))
    for number, line in enumerate((files.text(path) or "").split("\n")[:MAX_LINES], 1):
        found = _PROCESS.match(line)
        if found is None:
            continue
        place = files.place(path, number)
        made = Container(found[1], path, "procfile", place)
        made.command = (found[2].strip(), place)
        made.shell_form = True
        made.user = ("root", unknown("a Procfile names no account", place))
        made.marks["stop_grace"] = unknown("how long a process may take to stop is the platform's to say", place)
        made.replicas = _count(scaled, found[1], place)
        made.unseen_environment = "a Procfile names no environment"
        files.understand(path, number)
        gathered.containers.append(made)


def _formation(files: Files, path: str) -> dict[str, tuple[str | None, Origin]]:
    """Each process type that an app.json starts, with its number as written; "" for where the formation itself stands."""
    root = load(files.text(path) or "") if files.is_file(path) else None
    formation = root.get("formation") if root is not None else None
    if formation is None:
        return {}
    entries: list[tuple[str | None, Node]] = list(formation.keys.items())
    entries += [(item.value("process"), item) for item in formation.items]
    found = {name: (node.value("quantity"), files.place(path, node.line)) for name, node in entries if name}
    return {**found, "": (None, files.place(path, formation.line))} if found else {}


def _count(scaled: dict[str, tuple[str | None, Origin]], name: str, place: Origin) -> tuple[int, Mark | None]:
    """How many of a process type run; what a formation does not name, it does not start, but for web."""
    if not scaled:
        return 1, unknown("how many of it run is not written in a Procfile", place)
    quantity, where = scaled.get(name, ("1" if name == "web" else "0", scaled[""][1]))
    if quantity is None or not quantity.isdecimal():
        return 1, unknown("how many of it run is not written in its app.json", where)
    return int(quantity), declared(where)
