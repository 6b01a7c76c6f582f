"""A file as an editor holds it: its content comes from standard input, and everything else from where it lies."""

from __future__ import annotations

import sys

import click
from click.core import ParameterSource

from auditor.errors import UsageError
from auditor.sources.tree import MAX_BYTES


def unsaved(ctx: click.Context, path: str, file: str | None) -> tuple[str, dict[str, bytes] | None]:
    """What to audit, and what stands in for a file of it; raises UsageError.

    Where no PATH is given, the file is looked at by itself; else it is named as this machine sees it, or from PATH. It
    need not exist yet.
    """
    if file is None:
        return path, None
    from pathlib import Path, PurePosixPath

    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise UsageError(f"standard input: it is larger than {MAX_BYTES // 1024 // 1024} MiB")
    if ctx.get_parameter_source("path") is ParameterSource.DEFAULT:
        return file, {Path(file).name: data}
    if not Path(path).is_dir():
        raise UsageError(f"--stdin-filename names a file of a folder, and {path} is none")
    full, root = Path(file).absolute(), Path(path).absolute()
    below = full.relative_to(root) if full.is_relative_to(root) else PurePosixPath(file.lstrip("/"))
    return path, {str(below): data}
