"""Where the repository's files end up: by COPY and ADD in an image, by mounts in a container."""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Iterable

from auditor.sources.repository.model import Container, Stage

SUPERVISOR_MAINS = (
    "/etc/supervisor/supervisord.conf",
    "/etc/supervisord.conf",
    "/usr/local/etc/supervisord.conf",
    "/opt/docker/etc/supervisor.conf",
)
"""Where supervisord looks when no file is named (and where webdevops' images name one)."""
SUPERVISOR_FOLDERS = (
    "/etc/supervisor/conf.d",
    "/etc/supervisor.d",
    "/etc/supervisord.d",
    "/etc/supervisord/conf.d",
    "/opt/docker/etc/supervisor.d",
    "/etc/supervisor/conf",
)
"""Folders that distributions' and well-known images' main files include."""


def in_image(stage: Stage, path: str, context: str | None, depth: int = 8) -> list[tuple[str, int]]:
    """Where a file of the repository lies in an image, and the line that puts it there.

    `context` is the build context; where it is not known, the repository's root and the Dockerfile's folder are tried.
    """
    if depth <= 0:
        return []
    contexts = [context] if context is not None else list(dict.fromkeys(["", posixpath.dirname(stage.file)]))
    found: list[tuple[str, int]] = []
    if stage.parent is not None:
        found += in_image(stage.parent, path, context, depth - 1)
    for sources, target, foreign, other, line in stage.copies:
        if foreign and other is None:
            continue
        if other is not None:
            for there, _ in in_image(other, path, context, depth - 1):
                found += [
                    (to, line) for source in sources for to in _below(source, there, target, several=len(sources) > 1)
                ]
            continue
        for folder in contexts:
            relative = path if not folder else path[len(folder) + 1 :] if path.startswith(f"{folder}/") else None
            if relative is None:
                continue
            placed = [to for source in sources for to in _below(source, relative, target, several=len(sources) > 1)]
            if placed:
                found += [(to, line) for to in placed]
                break
    for source, target, line in stage.moves:
        for there, _ in list(found):
            name = there.rpartition("/")[2]
            if fnmatch.fnmatchcase(there, source) and (there.count("/") == source.count("/")):
                found.append((target + name if target.endswith("/") or _is_folder(target) else target, line))
    return found


def _is_folder(target: str) -> bool:
    return target.rstrip("/") in SUPERVISOR_FOLDERS or target.rstrip("/") in ("/etc/cron.d", "/etc/crontabs")


def _below(source: str, path: str, target: str, *, several: bool) -> list[str]:
    """Where COPY source target puts a path: itself, or what lies below a folder that is copied."""
    source = posixpath.normpath(source).lstrip("/") if source not in (".", "./", "/") else ""
    path = path.lstrip("/")
    if source in ("", "."):
        return [f"{target.rstrip('/')}/{path}"]
    parts, wanted = path.split("/"), source.split("/")
    if len(parts) < len(wanted) or not all(
        fnmatch.fnmatchcase(part, want) for part, want in zip(parts, wanted, strict=False)
    ):
        return []
    rest = parts[len(wanted) :]
    if rest:
        return [f"{target.rstrip('/')}/{'/'.join(rest)}"]
    into_folder = target.endswith("/") or several or any(sign in source for sign in "*?[") or _is_folder(target)
    return [f"{target.rstrip('/')}/{parts[-1]}" if into_folder else target]


def in_container(container: Container, path: str) -> list[tuple[str, int | None]]:
    """Where a file of the repository lies in a container: mounts hide what the image has there."""
    found: list[tuple[str, int | None]] = []
    for source, target in container.mounts:
        if path == source:
            found.append((target.rstrip("/"), None))
        elif source == "" or path.startswith(f"{source}/"):
            rest = path if source == "" else path[len(source) + 1 :]
            found.append((f"{target.rstrip('/')}/{rest}", None))
    if container.stage is not None:
        targets = [target.rstrip("/") for _, target in container.mounts]
        for there, line in in_image(container.stage, path, container.context):
            if not any(there == target or there.startswith(f"{target}/") for target in targets):
                found.append((there, line))
    return found


def is_supervisor_place(there: str) -> bool:
    """Whether supervisord reads a file at this path without being told to."""
    return there in SUPERVISOR_MAINS or posixpath.dirname(there) in SUPERVISOR_FOLDERS


def is_included(there: str, patterns: Iterable[str], main: str) -> bool:
    """Whether the patterns of a main file's [include] take in a path."""
    folder = posixpath.dirname(main)
    for pattern in patterns:
        whole = pattern if pattern.startswith("/") else posixpath.normpath(posixpath.join(folder, pattern))
        if fnmatch.fnmatchcase(there, whole) and there.count("/") == whole.count("/"):
            return True
    return False
