"""Amazon ECS task definitions in JSON: the containers of a task.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html
"""

from __future__ import annotations

from auditor.dialects.yaml_lines import Node, load
from auditor.facts.origin import Origin, declared, unknown
from auditor.sources.repository.model import Container, Files, Gathered

STOP_TIMEOUT = 30.0
"""stopTimeout where neither the container nor the agent sets it."""


def read_task_definition(files: Files, path: str, gathered: Gathered) -> None:
    """Each container of a task definition; JSON is read as the YAML that it is."""
    root = load(files.text(path) or "")
    if root is None:
        return
    containers = root.items if root.kind == "list" else root.each("containerDefinitions")
    for node in containers[:50]:
        if node.kind != "map" or "image" not in node.keys:
            continue
        place = files.place(path, node.line)
        name = node.value("name") or root.value("family") or "container"
        made = Container(name, path, "ecs", place)
        made.image = node.value("image")
        made.entrypoint = _argv(files, path, node, "entryPoint")
        made.command = _argv(files, path, node, "command")
        made.directory = node.value("workingDirectory")
        for entry in node.each("environment"):
            key = entry.value("name")
            if key:
                made.environment[key] = (entry.value("value"), files.place(path, entry.line))
        if node.get("secrets") is not None or node.get("environmentFiles") is not None:
            made.unseen_environment = "it takes more of its environment from secrets"
        made.values["restart"] = "always"
        made.values["stop_grace"] = STOP_TIMEOUT
        grace = node.get("stopTimeout")
        if grace is not None:
            at = files.place(path, grace.line)
            made.marks["stop_grace"] = declared(at) if grace.text.isdecimal() else unknown("it is filled in", at)
            made.values["stop_grace"] = float(grace.text) if grace.text.isdecimal() else STOP_TIMEOUT
        memory = node.value("memory") or ""
        if memory.isdecimal():
            made.values["memory"] = float(memory)
        user = node.value("user")
        if user:
            account = user.partition(":")[0]
            made.user = ("root" if account == "0" else account, declared(place))
        made.replicas = (1, unknown("how many tasks run is told by the ECS service", place))
        gathered.containers.append(made)


def _argv(files: Files, path: str, node: Node, key: str) -> tuple[list[str] | str, Origin] | None:
    found = node.get(key)
    if found is None or found.kind != "list" or not found.items:
        return None
    files.understand(path, *range(found.line, found.end + 1))
    return [item.text for item in found.items], files.place(path, found.line)
