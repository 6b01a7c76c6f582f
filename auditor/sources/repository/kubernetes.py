"""Kubernetes manifests, plain or a Helm chart's: the containers of every pod template, and files that ConfigMaps hold."""

from __future__ import annotations

import re

from auditor.dialects.yaml_lines import Node, documents
from auditor.facts.origin import NEVER, Origin, declared, unknown
from auditor.sources.repository.clocks import set_clock
from auditor.sources.repository.helm import filled, is_template
from auditor.sources.repository.model import Container, Embedded, Files, Gathered, Start
from auditor.sources.repository.scripts import MENTIONS, read_shell_text
from auditor.sources.repository.servers import read_server

_TEMPLATES = {
    "Deployment": ("spec", "template", "spec"),
    "StatefulSet": ("spec", "template", "spec"),
    "DaemonSet": ("spec", "template", "spec"),
    "ReplicaSet": ("spec", "template", "spec"),
    "ReplicationController": ("spec", "template", "spec"),
    "Job": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    "Pod": ("spec",),
    "Rollout": ("spec", "template", "spec"),
}
"""Kinds of resources to where their pod's spec stands."""
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle")
"""What asks a container how it is, and starts nothing that stays."""
_SIZE = re.compile(r"(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti|k|M|G|T)?$")
_MIB = {
    None: 1 / 1048576,
    "Ki": 1 / 1024,
    "Mi": 1.0,
    "Gi": 1024.0,
    "Ti": 1048576.0,
    "k": 1e3 / 1048576,
    "M": 1e6 / 1048576,
    "G": 1e9 / 1048576,
    "T": 1e12 / 1048576,
}
_CONF = re.compile(r"^\[(?:program:|supervisord\])", re.MULTILINE)
_PLACEHOLDER = re.compile(r"\{\{.*?\}\}")
GRACE = 30.0
"""terminationGracePeriodSeconds where it is not set."""


def read_manifest(files: Files, path: str, gathered: Gathered) -> None:
    """Every resource of a file of manifests, added to what is gathered."""
    for document in _documents(files, path):
        resources = document.each("items") if document.value("kind") == "List" else [document]
        for resource in resources[:500]:
            kind = resource.value("kind") or ""
            if kind in _TEMPLATES:
                _pods(files, path, kind, resource, gathered)
            elif kind in ("ConfigMap", "Secret"):
                _settings(files, path, kind, resource, gathered)
                _files(files, path, resource, gathered)


def _documents(files: Files, path: str) -> list[Node]:
    """Every document of a file; where putting in a chart's values makes it no YAML, as it is written."""
    found = [document for text in filled(files, path) for document in documents(text)]
    return found or list(documents(files.text(path) or ""))


def _pods(files: Files, path: str, kind: str, resource: Node, gathered: Gathered) -> None:
    spec = resource.get(*_TEMPLATES[kind])
    name = _bare(resource.value("metadata", "name")) or kind.lower()
    taken = {one.name.partition("/")[0] for one in gathered.containers if one.file == path}
    name = next(each for each in (name, *(f"{name}-{number}" for number in range(2, 10_000))) if each not in taken)
    containers = spec.each("containers") if spec is not None else []
    for node in containers[:50]:
        if spec is None or node.kind != "map":
            continue
        own = _bare(node.value("name")) or f"container-{containers.index(node) + 1}"
        place = files.place(path, node.line)
        made = Container(name if len(containers) == 1 else f"{name}/{own}", path, "kubernetes", place)
        if is_template(path):
            made.unseen_environment = "whoever installs the chart may give it more environment"
        made.image = node.value("image")
        made.entrypoint = _argv(files, path, node, "command")
        made.command = _argv(files, path, node, "args")
        made.directory = node.value("workingDir")
        for key in _PROBES:
            probe = node.get(key)
            if probe is not None:
                files.understand(path, *range(probe.line, probe.end + 1))
        _environment(files, path, node, made)
        _stop(files, path, node, made)
        _user(files, path, spec, node, made)
        grace = spec.value("terminationGracePeriodSeconds")
        made.values["stop_grace"] = GRACE
        if grace is not None:
            there = spec.get("terminationGracePeriodSeconds")
            mark = files.place(path, there.line if there is not None else node.line)
            if grace.isdecimal():
                made.values["stop_grace"], made.marks["stop_grace"] = float(grace), declared(mark)
            else:
                made.marks["stop_grace"] = unknown(
                    f"terminationGracePeriodSeconds is {grace[:60]}, which is not known here", mark
                )
        limit = _SIZE.match(node.value("resources", "limits", "memory") or "")
        if limit is not None:
            made.values["memory"] = float(limit[1]) * _MIB[limit[2]] if limit[1] != "0" else NEVER
        made.values["restart"] = (
            "always" if kind not in ("Job", "CronJob") else (spec.value("restartPolicy") or "never").lower()
        )
        replicas = resource.value("spec", "replicas")
        if replicas is not None:
            there = resource.get("spec", "replicas")
            mark = files.place(path, there.line if there is not None else node.line)
            made.replicas = (
                (int(replicas), declared(mark))
                if replicas.isdecimal()
                else (1, unknown("how many replicas run is not known here", mark))
            )
        if kind == "CronJob":
            set_clock(files, made, resource.get("spec", "schedule"))
        elif kind == "Job":
            made.values["periodic"] = True
        server = read_server(files, made, [])
        if server is not None:
            gathered.servers.append(server)
        gathered.containers.append(made)


def _bare(name: str | None) -> str:
    """A name without what whoever installs a chart puts into it: the rest says which of the chart's resources it is."""
    return _PLACEHOLDER.sub("", (name or "")[:300]).strip("-. ")


def _argv(files: Files, path: str, node: Node, key: str) -> tuple[list[str] | str, Origin] | None:
    found = node.get(key)
    if found is None or found.kind not in ("list", "text"):
        return None
    words = [item.text for item in found.items] if found.kind == "list" else [found.text]
    files.understand(path, *range(found.line, found.end + 1))
    return words, files.place(path, found.line)


def _stop(files: Files, path: str, node: Node, made: Container) -> None:
    """What it is stopped with, and what is run in it before (https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/)."""
    hook = node.get("lifecycle", "preStop")
    if hook is not None and hook.kind == "map" and "sleep" not in hook.keys:
        made.asked_first = files.place(path, hook.line)
    found = node.get("lifecycle", "stopSignal")
    if found is not None and found.kind == "text":
        name = found.text.upper().removeprefix("SIG") if "{{" not in found.text else ""
        made.stop_signal = (name, files.place(path, found.line))


def _environment(files: Files, path: str, node: Node, made: Container) -> None:
    for entry in node.each("env"):
        name = entry.value("name")
        if name:
            value = entry.get("value")
            text = (
                value.text
                if value is not None and value.kind == "text" and "$(" not in value.text and "{{" not in value.text
                else None
            )
            made.environment[name] = (text, files.place(path, value.line if value is not None else entry.line))
    for entry in node.each("envFrom"):
        for kind, key in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
            name = entry.value(key, "name")
            if name:
                made.maps.append((kind, name, files.place(path, entry.line)))


def _settings(files: Files, path: str, kind: str, resource: Node, gathered: Gathered) -> None:
    """What a ConfigMap, or a Secret in plain text, sets in the environment of whoever takes it."""
    data = resource.get("data" if kind == "ConfigMap" else "stringData")
    name = resource.value("metadata", "name")
    if data is None or not name:
        return
    into = gathered.maps.setdefault((kind, name), {})
    for key, node in data.keys.items():
        if node.kind == "text" and "\n" not in node.text and "{{" not in node.text:
            into[key] = (node.text, files.place(path, node.line))


def take_maps(gathered: Gathered) -> None:
    """Give each container the environment of the ConfigMaps and Secrets that it names; its own counts before them."""
    for container in gathered.containers:
        for kind, name, _ in container.maps:
            held = gathered.maps.get((kind, name))
            if held is None:
                container.unseen_environment = f"it takes more of its environment from {kind} {name}"
            for key, (value, place) in (held or {}).items():
                container.environment.setdefault(key, (value, place))


def _user(files: Files, path: str, spec: Node, node: Node, made: Container) -> None:
    for holder in (node, spec):
        found = holder.get("securityContext", "runAsUser")
        if found is not None and found.kind == "text":
            made.user = ("root" if found.text == "0" else found.text, declared(files.place(path, found.line)))
            return


def _files(files: Files, path: str, resource: Node, gathered: Gathered) -> None:
    """Scripts and configurations in a ConfigMap."""
    data = resource.get("data")
    for node in data.keys.values() if data is not None else ():
        if node.kind != "text":
            continue
        if _CONF.search(node.text):
            gathered.embedded.append(Embedded(path, node.line + 1, node.text, None))
            files.understand(path, *range(node.line, node.end + 1))
        elif MENTIONS.search(node.text):
            shell = read_shell_text(node.text, node.line + 1)
            for statement in shell.starts:
                start = Start(
                    f"{path}:{statement.line}",
                    "script",
                    path,
                    statement.text,
                    "shell",
                    files.place(path, statement.line),
                )
                start.live = False
                start.user = ("root", unknown("what runs this script is not known here", start.place))
                gathered.starts.append(start)
            files.understand(path, *shell.understood)
