"""Compose files: their services, as `docker compose` understands them (https://docs.docker.com/reference/compose-file/)."""

from __future__ import annotations

import posixpath
import re

import msgspec

from auditor.dialects.yaml_lines import Node, load
from auditor.facts.origin import NEVER, Origin, declared, unknown
from auditor.sources.dotenv import parse as parse_dotenv
from auditor.sources.repository.model import Container, Files, Gathered
from auditor.sources.repository.servers import read_server

_NAME = re.compile(
    r"(?:^|[./_-])(?:docker-)?compose[\w.-]*\.ya?ml(?:\.(?:example|dist|sample|tmpl|template))?$|^(?:docker-|swarm-)?stack[\w.-]*\.ya?ml$",
    re.IGNORECASE,
)
_DEVELOPERS = re.compile(
    r"(?:^|[./_-])(?:dev|devel|development|local|test|tests|testing|ci|sail)(?=[./_-])[^/]*$"
    r"|(?:^|/)(?:\.?dev(?:elopment|container)?|local)/"
)
"""Paths that say that what they hold is for a developer's machine, or for tests."""
_VARIABLE = re.compile(r"\$\$|\$([A-Za-z_]\w*)|\$\{([A-Za-z_]\w*)(:?[-?+])?((?:[^{}]|\$\{[^{}]*\})*)\}")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|us|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 0.000001}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([bkmgt]?)b?$", re.IGNORECASE)
_MIB = {"": 1 / 1048576, "b": 1 / 1048576, "k": 1 / 1024, "m": 1.0, "g": 1024.0, "t": 1048576.0}
_RESTART: tuple[tuple[str, ...], ...] = (("restart",), ("deploy", "restart_policy", "condition"))
_MEMORY: tuple[tuple[str, ...], ...] = (("mem_limit",), ("deploy", "resources", "limits", "memory"))
_REPLICAS: tuple[tuple[str, ...], ...] = (("scale",), ("deploy", "replicas"))
MAX_SERVICES = 300
"""No more services of one file are read."""


def is_compose(name: str) -> bool:
    """Whether a file of this name is meant to be a compose file."""
    return _NAME.search(name) is not None


def read_compose(files: Files, path: str, gathered: Gathered) -> None:
    """The services of one file, added to what is gathered."""
    text = files.text(path)
    root = load(text) if text is not None else None
    services = root.get("services") if root is not None else None
    if root is None:
        return
    if (
        services is None
        and root.keys
        and all(node.kind == "map" and ("image" in node.keys or "build" in node.keys) for node in root.keys.values())
    ):
        services = root  # the format of version 1
    if services is None or services.kind != "map":
        return
    reader = _Reader(files, path, services)
    first, servers = len(gathered.containers), len(gathered.servers)
    for name, node in list(services.keys.items())[:MAX_SERVICES]:
        if node.kind == "map":
            reader.take(name, node, gathered)
    made = gathered.containers[first:]
    _same_images(made)
    for_developers = _DEVELOPERS.search(path) is not None
    if for_developers or any(container.development for container in made):
        for container in made:
            container.development = container.development or for_developers or container.stage is None
        gathered.servers[servers:] = [
            msgspec.structs.replace(server, development=True) for server in gathered.servers[servers:]
        ]


def _same_images(made: list[Container]) -> None:
    """A service that names the image another one of its file builds runs that build."""
    built = {one.image: one for one in made if one.image and one.stage is not None}
    for one in made:
        if one.stage is None and one.image in built:
            one.stage, one.context = built[one.image].stage, built[one.image].context


class _Reader:
    def __init__(self, files: Files, path: str, services: Node) -> None:
        self.files = files
        self.path = path
        self.services = services
        self.folder = posixpath.dirname(path)
        self.variables = self._project_environment()

    def _project_environment(self) -> dict[str, str]:
        """The .env beside the file, which fills its variables."""
        for folder in dict.fromkeys((self.folder, "")):
            found = self._env_file(f"{folder}/.env" if folder else ".env")
            if found is not None:
                return {name: value for name, (value, _) in found.items()}
        return {}

    def _env_file(self, path: str) -> dict[str, tuple[str, int]] | None:
        if not self.files.is_file(path):
            return None
        text = self.files.text(path)
        if text is None:
            return None
        file = parse_dotenv(text.encode(), path)
        lines = {entry.name: entry.line for entry in file.entries}
        return {name: (value, lines.get(name, 1)) for name, value in file.values().items() if value is not None}

    def take(self, name: str, node: Node, gathered: Gathered) -> None:
        node = self._extended(node)
        container = Container(name, self.path, "compose", self.files.place(self.path, node.line))
        container.image = self.text(node.value("image"))
        self._build(node, container, gathered)
        self._environment(node, container)
        for field, key in (("command", "command"), ("entrypoint", "entrypoint")):
            setattr(container, field, self._command(node, key))
        probe = node.get("healthcheck")
        if probe is not None:
            self.files.understand(self.path, *range(probe.line, probe.end + 1))
        self._limits(node, container)
        self._stop(node, container)
        self._mounts(node, container)
        self._user(node, container)
        container.directory = self.text(node.value("working_dir"))
        if container.image is not None and container.image.startswith("sail-"):
            container.development = True
        server = read_server(self.files, container, self._mounted(node))
        if server is not None:
            gathered.servers.append(server)
        gathered.containers.append(container)

    def _extended(self, node: Node, depth: int = 5) -> Node:
        """A service with what it extends below it."""
        extends = node.get("extends")
        if extends is None or depth <= 0:
            return node
        service = extends.text if extends.kind == "text" else extends.value("service")
        base_file = extends.value("file")
        services: Node | None = self.services
        if base_file:
            path = self.files.found(base_file, self.folder, "", folder=False)
            text = self.files.text(path) if path is not None else None
            root = load(text) if text is not None else None
            services = root.get("services") if root is not None else None
        base = services.get(service) if services is not None and service else None
        if base is None or base is node or base.kind != "map":
            return node
        base = self._extended(base, depth - 1)
        made = Node("map", node.line, node.end)
        made.keys = {**base.keys, **node.keys}
        ours, theirs = node.get("environment"), base.get("environment")
        if ours is not None and theirs is not None and ours.kind == theirs.kind == "map":
            merged = Node("map", ours.line, ours.end)
            merged.keys = {**theirs.keys, **ours.keys}
            made.keys["environment"] = merged
        return made

    def text(self, written: str | None) -> str | None:
        """A value with its variables put in; None where one is not known."""
        if written is None or "$" not in written:
            return written
        known = True

        def put(found: re.Match[str]) -> str:
            nonlocal known
            if found[0] == "$$":
                return "$"
            name, operator, other = found[1] or found[2], found[3] or "", found[4] or ""
            value = self.variables.get(name)
            if value is None or (operator.startswith(":") and not value):
                if operator.endswith("-"):
                    inner = self.text(other)
                    known = known and inner is not None
                    return inner or ""
                if operator.endswith("+"):
                    return ""
            elif operator.endswith("+"):
                return self.text(other) or ""
            if value is None:
                known = False
                return found[0]
            return value

        done = _VARIABLE.sub(put, written)
        return done if known else None

    def shown(self, written: str) -> str:
        """A value with those of its variables put in that are known, the others as they are written."""
        return _VARIABLE.sub(lambda found: "$" if found[0] == "$$" else self.text(found[0]) or found[0], written)

    def _command(self, node: Node, key: str) -> tuple[list[str] | str, Origin] | None:
        found = node.get(key)
        if found is None or found.kind == "null":
            return None
        place = self.files.place(self.path, found.line)
        if found.kind == "list":
            self.files.understand(self.path, *range(found.line, found.end + 1))
            return [self.shown(item.text) for item in found.items], place
        self.files.understand(self.path, *range(found.line, found.end + 1))
        return (self.shown(found.text), place) if found.kind == "text" else None

    def _build(self, node: Node, container: Container, gathered: Gathered) -> None:
        build = node.get("build")
        if build is None or build.kind == "null":
            return
        written = build.text if build.kind == "text" else build.value("context") or "."
        context = self.text(written) or ""
        written = (self.text(build.value("dockerfile")) or "Dockerfile") if build.kind == "map" else "Dockerfile"
        if "vendor/laravel/sail" in context or "vendor/laravel/sail" in written:
            container.development = True
            return
        target = (self.text(build.value("target")) or "").lower() if build.kind == "map" else ""
        if _DEVELOPERS.search(f"{written}.") is not None or target in ("dev", "development", "local"):
            container.development = True
        for base in dict.fromkeys((self.folder, "")):
            folder = self.files.found(context or ".", base, folder=True)
            if folder is None and context.strip("./") == "":
                folder = base
            if folder is None:
                continue
            path = self.files.found(written, folder, folder=False)
            stages = gathered.stages.get(path or "")
            if stages:
                container.context = folder
                container.stage = (
                    next((stage for stage in reversed(stages) if stage.name == target), None) if target else stages[-1]
                )
                return

    def _environment(self, node: Node, container: Container) -> None:
        files = []
        for item in node.each("env_file"):
            written = item.text if item.kind == "text" else item.value("path") or ""
            if not written:
                continue
            files.append(written)
            path = self.files.found(self.text(written) or written, self.folder, "", folder=False)
            found = self._env_file(path) if path is not None else None
            if found is None or path is None:
                container.unseen_environment = f"its env_file {written} is not in this repository"
                continue
            for key, (held, at) in found.items():
                container.environment[key] = (held, self.files.place(path, at))
        container.values["env_files"] = tuple(files)
        environment = node.get("environment")
        entries: list[tuple[str, str | None, int]] = []
        if environment is not None and environment.kind == "map":
            entries = [(k, v.text if v.kind == "text" else None, v.line) for k, v in environment.keys.items()]
        elif environment is not None:
            for item in environment.items:
                name, equals, value = item.text.partition("=")
                entries.append((name.strip(), value if equals else None, item.line))
        for name, given, line in entries:
            filled = self.text(given)
            container.environment[name] = (filled, self.files.place(self.path, line))
            if filled is None and (given is None or given.startswith(f"${{{name}") or given == f"${name}"):
                container.passed.add(name)
        if "LARAVEL_SAIL" in container.environment:
            container.development = True

    def _limits(self, node: Node, container: Container) -> None:
        grace = node.get("stop_grace_period")
        if grace is not None and grace.kind == "text":
            place = self.files.place(self.path, grace.line)
            seconds = duration(self.text(grace.text))
            if seconds is None:
                container.marks["stop_grace"] = unknown(
                    f'what stop_grace_period "{grace.text}" is, is not known here', place
                )
            else:
                container.values["stop_grace"] = seconds
                container.marks["stop_grace"] = declared(place)
        for path in _RESTART:
            found = node.get(*path)
            if found is not None and found.kind == "text":
                container.values["restart"] = self.text(found.text) or found.text
                container.marks["restart"] = declared(self.files.place(self.path, found.line))
        for path in _MEMORY:
            found = node.get(*path)
            if found is not None and found.kind == "text":
                amount = size(self.text(found.text))
                place = self.files.place(self.path, found.line)
                container.values["memory"] = NEVER if amount is None else amount
                container.marks["memory"] = (
                    declared(place) if amount is not None else unknown("it holds a variable", place)
                )
        for path in _REPLICAS:
            found = node.get(*path)
            if found is not None and found.kind == "text":
                place = self.files.place(self.path, found.line)
                number = self.text(found.text) or ""
                container.replicas = (
                    (int(number), declared(place))
                    if number.isdecimal()
                    else (1, unknown("how many of it run is not known here", place))
                )

    def _stop(self, node: Node, container: Container) -> None:
        """What it is stopped with, and what is run in it before."""
        found = node.get("stop_signal")
        if found is not None and found.kind == "text":
            name = (self.text(found.text) or "").upper().removeprefix("SIG")
            container.stop_signal = (name, self.files.place(self.path, found.line))
        hook = node.get("pre_stop")
        if hook is not None and hook.kind != "null":
            container.asked_first = self.files.place(self.path, hook.line)

    def _mounted(self, node: Node) -> list[tuple[str, str]]:
        """Every volume as written: from, to."""
        found = []
        for item in node.each("volumes"):
            if item.kind == "map":
                source, target = item.value("source") or "", item.value("target") or ""
            else:
                written = item.text
                for sign in ("${PWD}", "$PWD"):
                    written = written.replace(sign, ".")
                parts = (self.text(written) or written).split(":")
                source, target = (parts[0], parts[1]) if len(parts) > 1 and "${" not in parts[0] else ("", "")
            if source and target.startswith("/"):
                found.append((source, target))
        return found

    def _mounts(self, node: Node, container: Container) -> None:
        for source, target in self._mounted(node):
            if "/" not in source and not source.startswith("."):
                continue  # a named volume
            path = self.files.found(source, self.folder, "")
            if path is not None:
                container.mounts.append((path, target))

    def _user(self, node: Node, container: Container) -> None:
        found = node.get("user")
        if found is None or found.kind != "text":
            return
        place = self.files.place(self.path, found.line)
        text = self.text(found.text)
        if text is None:
            container.user = ("root", unknown("user: holds a variable whose value is not known here", place))
            return
        name = text.partition(":")[0]
        container.user = ("root" if name == "0" else name, declared(place))


def duration(text: str | None) -> float | None:
    """Seconds of a compose duration ("1m30s"); None where it is none."""
    if not text:
        return None
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text.replace(" ", ""):
        return float(text) if re.fullmatch(r"\d+(?:\.\d+)?", text) else None
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def size(text: str | None) -> float | None:
    """MiB of a compose size ("512m"); None where it is none."""
    found = _SIZE.match(text.strip()) if text else None
    return float(found[1]) * _MIB[found[2].lower()] if found else None
