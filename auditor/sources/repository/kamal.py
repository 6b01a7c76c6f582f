"""Kamal's config/deploy.yml: a container for each role on each of its hosts (https://kamal-deploy.org/docs/configuration/)."""

from __future__ import annotations

from auditor.dialects.yaml_lines import Node
from auditor.facts.origin import Mark, Origin, declared, unknown
from auditor.sources.repository.model import Container, Files, Gathered

DRAIN = 30.0
"""drain_timeout where it is not set: what a role without the proxy gets to stop."""
PROXIED = 10.0
"""What a role behind the proxy gets: Docker's own."""


def is_kamal(root: Node) -> bool:
    """Whether a document is a Kamal configuration."""
    return all(key in root.keys for key in ("service", "image", "servers"))


def read_kamal(files: Files, path: str, gathered: Gathered, root: Node) -> None:
    """Each role."""
    servers = root.get("servers")
    if servers is None:
        return
    roles = servers.keys if servers.kind == "map" else {"web": servers}
    primary = root.value("primary_role") or "web"
    shared = _clear(files, path, root)
    stages = gathered.stages.get(root.value("builder", "dockerfile") or "Dockerfile")
    for name, role in roles.items():
        command = role.get("cmd") if role.kind == "map" else None
        place = files.place(path, command.line if command is not None else role.line)
        made = Container(name, path, "kamal", place)
        if command is not None and command.kind == "text":
            made.command = (command.text, place)
            files.understand(path, *range(command.line, command.end + 1))
        if stages:
            made.stage, made.context = stages[-1], ""
        own = _clear(files, path, role) if role.kind == "map" else {}
        made.environment = {**shared, **own}
        if any(node is not None for node in (root.get("env", "secret"), role.get("env", "secret"))):
            made.unseen_environment = "it takes more of its environment from Kamal's secrets"
        made.values["restart"] = "unless-stopped"
        made.values["stop_grace"], mark = _grace(files, path, root, role, proxied=name == primary)
        if mark is not None:
            made.marks["stop_grace"] = mark
        hosts = role if role.kind == "list" else role.get("hosts")
        if hosts is not None and hosts.items:
            made.replicas = (len(hosts.items), declared(files.place(path, hosts.line)))
        gathered.containers.append(made)


def _grace(files: Files, path: str, root: Node, role: Node, *, proxied: bool) -> tuple[float, Mark | None]:
    if role.kind == "map" and (written := role.get("proxy")) is not None:
        proxied = written.text.lower() != "false" if written.kind == "text" else True
    own = role.get("stop_timeout") if role.kind == "map" else None
    found = own or root.get("stop_timeout") or (None if proxied else root.get("drain_timeout"))
    found = found or root.get("stop_wait_time")  # Kamal 1
    if found is None:
        return (PROXIED if proxied else DRAIN), None
    place = files.place(path, found.line)
    if not found.text.isdecimal():
        return DRAIN, unknown("how long it may take to stop is not known here", place)
    return float(found.text), declared(place)


def _clear(files: Files, path: str, node: Node) -> dict[str, tuple[str | None, Origin]]:
    """Plain environment: below `clear`, or at once below `env`."""
    holder = node.get("env", "clear") or node.get("env")
    if holder is None or holder.kind != "map":
        return {}
    return {
        name: (value.text if "<%" not in value.text else None, files.place(path, value.line))
        for name, value in holder.keys.items()
        if value.kind == "text"
    }
