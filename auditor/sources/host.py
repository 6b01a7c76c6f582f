"""The machine: memory, processors, the cgroup's limit and the accounts, from the audited tree's own proc, sys and etc.

On a running host the tree's root is "/", so these are the kernel's own files; a copied root has what was copied.
"""

from __future__ import annotations

from collections.abc import Mapping

from auditor.errors import Unreadable
from auditor.facts.host import Host
from auditor.facts.origin import NEVER, Mark, observed, origin, unknown
from auditor.sources.logrotate import read_rotated
from auditor.sources.tree import Tree

_CGROUP_LIMITS = ("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes")
"""cgroup v2 and v1, as a container sees its own."""
_NO_LIMIT = 1 << 60
"""cgroup v1 writes no limit as a huge number of bytes."""
_MIB = 1024 * 1024


def read_host(tree: Tree, overrides: Mapping[str, bytes] | None = None) -> Host:
    """What can be known of the machine; what cannot is marked with the reason."""
    marks: dict[str, Mark] = {}
    memory = _memory(tree, marks)
    limit = _cgroup_limit(tree, marks)
    cpus = _cpus(tree, marks)
    homes = _homes(tree, marks)
    rotated, marks["rotated"] = read_rotated(tree, overrides)
    return Host(
        marks=marks,
        name=_line(tree, "etc/hostname"),
        memory=memory,
        cgroup_memory=limit,
        cpus=cpus,
        users=tuple(name for name, _ in homes),
        homes=homes,
        rotated=rotated,
    )


def _text(tree: Tree, path: str) -> str:
    try:
        return tree.read(path, 4 * _MIB).decode("utf-8", "replace")
    except Unreadable:
        return ""


def _line(tree: Tree, path: str) -> str:
    return _text(tree, path).partition("\n")[0].strip()


def _memory(tree: Tree, marks: dict[str, Mark]) -> float:
    for number, line in enumerate(_text(tree, "proc/meminfo").splitlines()[:5], 1):
        name, _, rest = line.partition(":")
        words = rest.split()
        if name == "MemTotal" and words and words[0].isdecimal():
            marks["memory"] = observed(origin("proc/meminfo", number, line))
            return int(words[0]) / 1024
    marks["memory"] = unknown("how much memory the machine has is not told here")
    return 0.0


def _cgroup_limit(tree: Tree, marks: dict[str, Mark]) -> float:
    for path in _CGROUP_LIMITS:
        text = _line(tree, path)
        if text.isdecimal() and int(text) < _NO_LIMIT:
            marks["cgroup_memory"] = observed(origin(path, 1, text))
            return int(text) / _MIB
    return NEVER


def _cpus(tree: Tree, marks: dict[str, Mark]) -> int:
    text = _text(tree, "proc/cpuinfo")
    count = sum(1 for line in text.splitlines() if line.startswith("processor"))
    if count:
        marks["cpus"] = observed(origin("proc/cpuinfo"))
        return count
    marks["cpus"] = unknown("how many processors the machine has is not told here")
    return 1


def _homes(tree: Tree, marks: dict[str, Mark]) -> tuple[tuple[str, str], ...]:
    text = _text(tree, "etc/passwd")
    if not text:
        marks["users"] = marks["homes"] = unknown("there is no etc/passwd here")
        return ()
    fields = [line.split(":") for line in text.splitlines()]
    return tuple((f[0], f[5]) for f in fields if len(f) >= 6 and f[0])
