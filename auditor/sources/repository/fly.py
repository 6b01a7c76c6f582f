"""fly.toml: a machine for each group of processes (https://fly.io/docs/reference/configuration/)."""

from __future__ import annotations

import re
from typing import Any

from auditor.facts.origin import Origin, declared, unknown
from auditor.sources.repository.model import Container, Files, Gathered

KILL_TIMEOUT = 5.0
"""kill_timeout where it is not set."""
KILL_SIGNAL = "SIGINT"
"""kill_signal where it is not set."""
_SECONDS = re.compile(r"(\d+)\s*(s|m)?$")


def read_fly(files: Files, path: str, gathered: Gathered) -> None:
    """Each group of processes; without groups, the image's own command."""
    import tomllib

    try:
        root = tomllib.loads(files.text(path) or "")
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    groups = root.get("processes")
    groups = groups if isinstance(groups, dict) and groups else {"app": ""}
    folder = path.rpartition("/")[0]
    build = root.get("build")
    dockerfile = build.get("dockerfile") if isinstance(build, dict) else None
    stages = gathered.stages.get(f"{folder}/{dockerfile or 'Dockerfile'}".lstrip("/"))
    for name, command in groups.items():
        if not isinstance(command, str):
            continue
        place = _place(files, path, name)
        made = Container(name, path, "fly", place)
        if command:
            made.command = (command, place)
            files.understand(path, place.line or 0)
        if stages:
            made.stage, made.context = stages[-1], folder
        made.environment = _environment(files, path, root)
        made.unseen_environment = "it takes more of its environment from Fly's secrets"
        made.values["restart"] = "always"
        made.values["stop_grace"] = KILL_TIMEOUT
        signal = str(root.get("kill_signal", KILL_SIGNAL)).upper().removeprefix("SIG")
        made.stop_signal = (signal, _place(files, path, "kill_signal") if "kill_signal" in root else place)
        made.replicas = (1, unknown("how many machines run is not written in fly.toml", place))
        if "kill_timeout" in root:
            found = _SECONDS.match(str(root["kill_timeout"]))
            at = _place(files, path, "kill_timeout")
            if found is None:
                made.marks["stop_grace"] = unknown("what its kill_timeout is, is not known here", at)
            else:
                made.values["stop_grace"] = float(found[1]) * (60 if found[2] == "m" else 1)
                made.marks["stop_grace"] = declared(at)
        gathered.containers.append(made)


def _environment(files: Files, path: str, root: dict[str, Any]) -> dict[str, tuple[str | None, Origin]]:
    found = root.get("env")
    return {
        str(name): (str(value), _place(files, path, str(name)))
        for name, value in (found.items() if isinstance(found, dict) else ())
    }


def _place(files: Files, path: str, name: str) -> Origin:
    """The first line that sets a key."""
    found = re.search(rf"^[ \t]*[\"']?{re.escape(name)}[\"']?[ \t]*=", text := files.text(path) or "", re.MULTILINE)
    return files.place(path, text.count("\n", 0, found.start()) + 1 if found is not None else 1)
