"""Redis and database servers that a deployment runs as containers: product and release by image, settings by arguments."""

from __future__ import annotations

import re

from auditor.facts.container import ServerImage
from auditor.facts.origin import NEVER, Mark, Version, declared, unknown
from auditor.sources.repository.model import Container, Files

_PRODUCTS = (
    (
        re.compile(
            r"(?:^|/)(?:bitnami/|bitnamilegacy/)?(?:redis(?:-stack(?:-server)?)?|valkey|keydb|dragonfly)(?:[:@]|$)"
        ),
        "redis",
    ),
    (re.compile(r"(?:^|/)(?:bitnami/|bitnamilegacy/)?mariadb(?:[:@]|$)"), "mariadb"),
    (re.compile(r"(?:^|/)(?:mysql/mysql-server|(?:bitnami/|bitnamilegacy/)?mysql(?:-server)?)(?:[:@]|$)"), "mysql"),
    (re.compile(r"(?:^|/)(?:bitnami/|bitnamilegacy/)?postgres(?:ql)?(?:[:@]|$)"), "postgres"),
)
"""Image names to products."""
_TAG = re.compile(r":v?(\d+(?:\.\d+)*)(?=[-_.a-z]|$)")
_OPTION = re.compile(r"--(maxmemory|maxmemory-policy|appendonly)(?:[\s=]+[\"']?([^\s\"']+))")
_DIRECTIVE = re.compile(
    r"^[ \t]*(maxmemory|maxmemory-policy|appendonly)[ \t]+\"?([^\s\"]+)", re.MULTILINE | re.IGNORECASE
)
_AMOUNT = re.compile(r"(\d+)(b|kb?|mb?|gb?)?$", re.IGNORECASE)
_FACTOR = {
    "": 1 / 1048576,
    "b": 1 / 1048576,
    "k": 1e3 / 1048576,
    "kb": 1 / 1024,
    "m": 1e6 / 1048576,
    "mb": 1.0,
    "g": 1e9 / 1048576,
    "gb": 1024.0,
}


def read_server(files: Files, container: Container, mounted: list[tuple[str, str]]) -> ServerImage | None:
    """The server that a service is, or None."""
    image = (container.image or "").lower()
    product = next((product for pattern, product in _PRODUCTS if pattern.search(image)), None)
    if product is None:
        return None
    marks: dict[str, Mark] = {"name": declared(container.place)}
    version, mark = _version(image, container)
    marks["version"] = mark
    values: dict[str, object] = {}
    if product == "redis":
        _redis(files, container, mounted, values, marks)
    return ServerImage(
        marks=marks,
        name=container.name,
        file=container.file,
        product=product,
        version=version,
        development=container.development,
        **values,  # type: ignore[arg-type]
    )


def _version(image: str, container: Container) -> tuple[Version, Mark]:
    found = _TAG.search(image.rpartition("/")[2])
    if found is None:
        return (), unknown(f'the tag of the image "{image}" names no release', container.place)
    return tuple(int(part) for part in found[1].split(".")), declared(container.place)


def _redis(
    files: Files,
    container: Container,
    mounted: list[tuple[str, str]],
    values: dict[str, object],
    marks: dict[str, Mark],
) -> None:
    written: list[tuple[str, str, Mark]] = []
    opaque = None
    for source, target in mounted:
        if not target.endswith(".conf") and "redis" not in target.rpartition("/")[2]:
            continue
        path = files.found(source, container.file.rpartition("/")[0], "")
        text = files.text(path) if path is not None and files.is_file(path) else None
        if text is None or path is None:
            opaque = opaque or (f"its {target} is not in this repository" if target.endswith(".conf") else None)
            continue
        written.extend(
            (match[1].lower(), match[2], declared(files.place(path, text.count("\n", 0, match.start(1)) + 1)))
            for match in _DIRECTIVE.finditer(text)
        )
    command = container.command
    if command is not None:
        text = command[0] if isinstance(command[0], str) else " ".join(command[0])
        written += [(match[1], match[2], declared(command[1])) for match in _OPTION.finditer(text)]
    for name, value, mark in written:
        field = {"maxmemory": "max_memory", "maxmemory-policy": "policy", "appendonly": "append_only"}[name]
        if "$" in value or "{" in value:
            marks[field] = unknown(f"its {name} is {value}, which is not known here", mark.origin)
            continue
        if name == "maxmemory":
            amount = _AMOUNT.match(value)
            values[field] = (
                NEVER if amount is None or int(amount[1]) == 0 else int(amount[1]) * _FACTOR[(amount[2] or "").lower()]
            )
        else:
            values[field] = value.lower() if name == "maxmemory-policy" else value.lower() == "yes"
        marks[field] = mark
    if opaque is not None:
        for field in ("max_memory", "policy", "append_only"):
            marks.setdefault(field, unknown(opaque, container.place))
