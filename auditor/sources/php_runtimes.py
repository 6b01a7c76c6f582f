"""Every PHP command line of a host, as its php.ini files set it up."""

from __future__ import annotations

from auditor.facts.host import Php
from auditor.facts.origin import Mark, unknown
from auditor.patterns import late
from auditor.sources.tree import Tree

PLACES = (
    "etc/php/*/cli/php.ini",
    "etc/php.ini",
    "usr/local/etc/php/php.ini",
    "etc/php*/php.ini",
    "usr/local/lib/php.ini",
)
"""Where distributions and images keep a command line's php.ini."""
NEEDED = ("pcntl_async_signals", "pcntl_signal", "pcntl_alarm")
"""Functions without which a worker dies at its first loop (Queue/Worker.php)."""
_VERSION = late(r"etc/php/?(\d+)\.?(\d+)?/")


def read_phps(tree: Tree) -> tuple[Php, ...]:
    """The newest first, which is what a bare `php` usually is."""
    found: dict[str, Php] = {}
    for pattern in PLACES:
        for path in tree.glob(pattern):
            if tree.is_file(path):
                php = _php(tree, path)
                found.setdefault(php.name, php)
    return tuple(
        sorted(found.values(), key=lambda php: [int(p) for p in php.name.split(".") if p.isdigit()], reverse=True)
    )


def _php(tree: Tree, path: str) -> Php:
    from auditor.sources.php.ini import find_php_inis, read_ini

    match = _VERSION.match(path)
    version = ".".join(part for part in match.groups() if part) if match else ""
    ini = read_ini(tree, find_php_inis(tree, version or None) or (path,))
    marks: dict[str, Mark] = {}
    if "memory_limit" in ini.marks:
        marks["memory_limit"] = ini.marks["memory_limit"]
    disabled = tuple(name for name in NEEDED if name in ini.disable_functions)
    if disabled or ini.is_unknown("disable_functions"):
        marks["pcntl_disabled"] = ini.mark("disable_functions")
    if "pcntl" in ini.extensions:
        marks["pcntl"] = ini.mark("extensions")
    elif not path.startswith("etc/php/"):
        # Debian builds pcntl into the command line; of another build no file tells.
        marks["pcntl"] = unknown("whether PHP was built with pcntl is not told by its files")
    return Php(marks=marks, name=version, memory_limit=ini.memory_limit, pcntl_disabled=disabled)
