"""Platforms that run an app from one YAML file of theirs: DigitalOcean's app spec, Render's blueprint, Kamal."""

from __future__ import annotations

from auditor.dialects.yaml_lines import Node, load
from auditor.facts.origin import Origin, declared, unknown
from auditor.sources.repository.clocks import set_clock
from auditor.sources.repository.kamal import is_kamal, read_kamal
from auditor.sources.repository.model import Container, Files, Gathered

_APP_SPEC = {"services": False, "workers": False, "jobs": True}
"""Component lists of an app spec, and whether their members run once."""
APP_SPEC_GRACE = 120.0
"""termination.grace_period_seconds where it is not set (https://docs.digitalocean.com/products/app-platform/reference/app-spec/)."""
RENDER_GRACE = 30.0
"""maxShutdownDelaySeconds where it is not set (https://render.com/docs/blueprint-spec)."""


def is_app_spec(root: Node) -> bool:
    """Whether a document is DigitalOcean's app spec: components with a run command or a source folder."""
    root = root.get("spec") or root
    return any(
        item.kind == "map"
        and any(key in item.keys for key in ("run_command", "source_dir", "instance_size_slug", "dockerfile_path"))
        for key in _APP_SPEC
        for item in root.each(key)
    )


def read_app_spec(files: Files, path: str, gathered: Gathered, root: Node) -> None:
    """Each component of an app spec (https://docs.digitalocean.com/products/app-platform/reference/app-spec/)."""
    root = root.get("spec") or root
    shared = _settings(files, path, root)
    for key, once in _APP_SPEC.items():
        for item in root.each(key):
            if item.kind != "map":
                continue
            place = files.place(path, item.line)
            command = item.get("run_command")
            where = files.place(path, command.line) if command is not None else place
            made = Container(item.value("name") or key, path, "app-spec", where)
            if command is not None and command.kind == "text":
                made.command = (command.text, where)
                made.shell_form = True
                files.understand(path, *range(command.line, command.end + 1))
            made.environment = {**shared, **_settings(files, path, item)}
            made.values["stop_grace"] = APP_SPEC_GRACE
            grace = item.get("termination", "grace_period_seconds")
            if grace is not None and grace.text.isdecimal():
                made.values["stop_grace"] = float(grace.text)
                made.marks["stop_grace"] = declared(files.place(path, grace.line))
            if once:  # at a deployment, or by the clock
                set_clock(files, made, item.get("schedule", "cron"))
            made.values["restart"] = "no" if once else "always"
            written = (item.value("dockerfile_path") or "").strip("/")
            stages = gathered.stages.get(written)
            if stages:
                made.stage, made.context = stages[-1], (item.value("source_dir") or "").strip("/")
            count = item.value("instance_count") or "1"
            made.replicas = (
                (int(count), declared(place))
                if count.isdecimal()
                else (1, unknown("how many of it run is not known", place))
            )
            gathered.containers.append(made)


def _settings(files: Files, path: str, node: Node, key: str = "envs") -> dict[str, tuple[str | None, Origin]]:
    found: dict[str, tuple[str | None, Origin]] = {}
    for entry in node.each(key):
        name, value = entry.value("key"), entry.value("value")
        if name:
            plain = value if value is not None and "${" not in value and entry.value("type") != "SECRET" else None
            found[name] = (plain, files.place(path, entry.line))
    return found


def is_blueprint(root: Node) -> bool:
    """Whether a document is a Render blueprint (https://render.com/docs/blueprint-spec)."""
    return any(
        item.kind == "map"
        and "type" in item.keys
        and (
            "startCommand" in item.keys or "dockerCommand" in item.keys or "runtime" in item.keys or "env" in item.keys
        )
        for item in root.each("services")
    )


def read_blueprint(files: Files, path: str, gathered: Gathered, root: Node) -> None:
    """Each service of a blueprint."""
    for item in root.each("services"):
        command = item.get("startCommand") or item.get("dockerCommand")
        if item.kind != "map" or command is None or command.kind != "text":
            continue
        place = files.place(path, command.line)
        made = Container(item.value("name") or item.value("type") or "service", path, "render", place)
        made.command = (command.text, place)
        made.shell_form = True
        made.environment = _settings(files, path, item, "envVars")
        made.unseen_environment = "Render's dashboard may give it more environment"
        made.values["restart"] = "always"
        made.values["stop_grace"] = RENDER_GRACE
        delay = item.get("maxShutdownDelaySeconds")
        if delay is not None and delay.text.isdecimal():
            made.values["stop_grace"], made.marks["stop_grace"] = (
                float(delay.text),
                declared(files.place(path, delay.line)),
            )
        if item.value("type") == "cron":
            set_clock(files, made, item.get("schedule"))
        files.understand(path, *range(command.line, command.end + 1))
        gathered.containers.append(made)


def read_platform(files: Files, path: str, gathered: Gathered) -> bool:
    """A YAML file that may be one of these; whether it is."""
    root = load(files.text(path) or "")
    if root is None or root.kind != "map":
        return False
    if is_app_spec(root):
        read_app_spec(files, path, gathered, root)
        return True
    if is_blueprint(root):
        read_blueprint(files, path, gathered, root)
        return True
    if is_kamal(root):
        read_kamal(files, path, gathered, root)
        return True
    return False
