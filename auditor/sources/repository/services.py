"""A container as the fact that rules are judged for."""

from __future__ import annotations

from typing import Any

from auditor.facts.container import Service
from auditor.facts.origin import declared
from auditor.sources.repository.inside import Inside
from auditor.sources.repository.model import Container, words_text
from auditor.sources.supervisor.oddities import hide_pairs


def service_of(inside: Inside, container: Container) -> Service:
    """The service, told as it starts: what runs in it, the census tells."""
    marks = {"name": declared(container.place), "file": declared(container.place), **container.marks}
    user, mark = inside.user_of(container)
    if mark is not None:
        marks["user"] = mark
    replicas, mark = container.replicas
    if mark is not None:
        marks["replicas"] = mark
    environment = inside.environment_of(container)
    known = {name: value for name, value in environment.items() if value is not None}
    if container.environment:
        marks["environment"] = declared(next(iter(container.environment.values()))[1])
    for field, written in (("command", container.command), ("entrypoint", container.entrypoint)):
        if written is not None:
            marks[field] = declared(written[1])
    signal, mark = inside.stop_signal_of(container)
    if mark is not None:
        marks["stop_signal"] = mark
    behind, mark = container.behind_shell
    if mark is not None:
        marks["behind_shell"] = mark
    values: dict[str, Any] = dict(container.values)
    return Service(
        marks=marks,
        name=container.name,
        file=container.file,
        kind=container.kind,
        command=words_text(container.command[0]) if container.command is not None else None,
        entrypoint=words_text(container.entrypoint[0]) if container.entrypoint is not None else None,
        image=container.image,
        built_from=container.stage.file if container.stage is not None else None,
        target=container.stage.name if container.stage is not None else "",
        context=container.context,
        user=user,
        working_directory=container.directory,
        environment=hide_pairs(known),
        replicas=replicas,
        volumes=tuple(container.mounts),
        development=container.development,
        confs=tuple(container.confs),
        stop_signal=signal,
        behind_shell=behind,
        **values,
    )
