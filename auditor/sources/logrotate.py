"""What logrotate rotates: the file names and patterns of its configuration; its directives are not weighed."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.errors import Unreadable
from auditor.facts.origin import Mark, declared, origin, unknown
from auditor.sources.tree import Tree

MAIN = "etc/logrotate.conf"
DROP_INS = "etc/logrotate.d"
"""Where Debian, Red Hat and Alpine all keep it."""
_MOST = 1 << 18


def read_rotated(tree: Tree, overrides: Mapping[str, bytes] | None = None) -> tuple[tuple[str, ...], Mark]:
    """The absolute paths and patterns that are rotated; unknown where no logrotate is seen or a part cannot be read."""
    try:
        parts = tree.names(DROP_INS) if tree.is_dir(DROP_INS) else []
    except Unreadable as problem:
        return (), unknown(problem.reason)
    paths = [path for path in (MAIN, *(f"{DROP_INS}/{name}" for name in parts)) if tree.is_file(path)]
    given = {path: data for path, data in (overrides or {}).items() if path.startswith(f"{DROP_INS}/")}
    paths = list(dict.fromkeys([*paths, *given]))
    if not paths:
        return (), unknown("which logs are rotated is not told here")
    found: dict[str, None] = {}
    for path in paths:
        try:
            text = (given[path] if path in given else tree.read(path, _MOST)).decode("utf-8", "replace")
        except Unreadable as problem:
            return (), unknown(problem.reason)
        found.update(dict.fromkeys(patterns(text)))
    return tuple(found), declared(origin(paths[0]))


def patterns(text: str) -> list[str]:
    """The patterns of one file: every absolute path outside a { } block, quotes taken away."""
    found: list[str] = []
    inside = False
    for line in text.splitlines():
        head, brace, _ = line.partition("#")[0].partition("{")
        if not inside:
            found += [word.strip("\"'") for word in head.split() if word.lstrip("\"'").startswith("/")]
        inside = (inside or bool(brace)) and line.strip() != "}"
        if brace and line.rstrip().endswith("}"):
            inside = False
    return found
