"""What the project's prose says is so, and none of it speaks of the machine that it was written on."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ELSEWHERE = re.compile(r"(?<![\w.{}$*-])/(?:work|root(?!/\.composer\b)|opt/pypi[\w-]*|opt/wheels|Users/\w+)/")
"""A folder of someone's machine: absolute, and no audited host's own (those have /home, /srv, /var/www …)."""
REGISTRY = re.compile(r"://[^/\s\"']*(?:pypi|pythonhosted|artifact|nexus|devpi|mirror)[^/\s\"']*", re.IGNORECASE)
"""An address of a package registry, public or private."""
TARGET = re.compile(r"\bmake ([a-z][a-z-]*)")
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)\s]*)?\)")


@cache
def texts(checkout: Path) -> dict[str, str]:
    """Every file of the project that is text, by its path; this one, which quotes what it forbids, apart."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=True,
    )
    found = {}
    for name in listed.stdout.split("\0"):
        path = checkout / name
        if name and path.is_file() and path != Path(__file__):
            content = path.read_bytes()
            if b"\0" not in content:
                found[name] = content.decode("utf-8", "replace")
    return found


def hits(checkout: Path, pattern: re.Pattern[str]) -> list[str]:
    """Where the pattern is found: "file:line: text"."""
    return [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}"
        for name, text in texts(checkout).items()
        for match in pattern.finditer(text)
    ]


def registry_hosts() -> set[str]:
    """The hosts and folders that pip and uv are told of on this machine, apart from the public registry's."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    told = [listed, *(value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_")))]
    addresses = [urlsplit(word) for text in told for word in re.findall(r"\w+://[^\s'\"]+", text)]
    hosts = {each.hostname or each.path for each in addresses}
    return {host for host in hosts if host not in {"localhost", "127.0.0.1", ""}}


def test_no_file_names_this_machine(checkout: Path) -> None:
    """No absolute folder of a developer's machine is named, this checkout and this user's home among them."""
    own = [re.compile(re.escape(f"{folder}/")) for folder in (checkout, Path.home()) if len(folder.parts) > 2]

    assert [hit for pattern in [ELSEWHERE, *own] for hit in hits(checkout, pattern)] == []


def test_no_file_names_a_registry(checkout: Path) -> None:
    """No file names a package registry's address: whoever installs has their own."""
    configured = [re.compile(re.escape(host)) for host in sorted(registry_hosts())]

    assert [hit for pattern in [REGISTRY, *configured] for hit in hits(checkout, pattern)] == []


_FOLDER = "work"
"""The folder of the pattern, apart from its slashes: else this very file would name one."""


@pytest.mark.parametrize(
    ("text", "caught"),
    [
        (f"cd /{_FOLDER}/queue-auditor", True),
        ("/root/.cache/uv", True),
        ("cd /Users/bob/x", True),
        ("command=php /home/forge/shop.example/artisan queue:work", False),
        ("command=php /var/www/html/artisan queue:work", False),
        (f"{{root}}/{_FOLDER}/x", False),
        (f"networks/{_FOLDER}/x", False),
    ],
)
def test_the_machine_pattern(text: str, *, caught: bool) -> None:
    """The pattern catches a developer's folders, and lets the audited hosts' own be."""
    assert bool(ELSEWHERE.search(text)) is caught


def test_every_make_target_exists(checkout: Path) -> None:
    """Each `make target` that the prose names is in the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (checkout / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        (name, target)
        for name, text in texts(checkout).items()
        if name.endswith(".md") or name == ".ci/run"
        for code in re.findall(r"`[^`\n]+`|^```.*?^```|^exec .*$", text, re.MULTILINE | re.DOTALL)
        for target in TARGET.findall(code)
    }

    assert ("README.md", "audit") in named
    assert sorted((name, target) for name, target in named if target not in targets) == []


def test_every_link_leads_somewhere(checkout: Path) -> None:
    """Each relative link of a page leads to a file or folder of the project."""
    links = [
        (name, link)
        for name, text in texts(checkout).items()
        if name.endswith(".md") and not name.startswith(("examples/", "tests/"))
        for link in LINK.findall(text)
        if not re.match(r"[a-z]+:", link)
    ]

    assert links
    assert [(name, link) for name, link in links if not (checkout / name).parent.joinpath(link).exists()] == []


def test_the_generated_parts_are_fresh(checkout: Path) -> None:
    """README.md and docs/ are what `make docs` writes."""
    docs = runpy.run_path(str(checkout / "docs" / "generate.py"))

    stale = [
        page.name
        for page in docs["pages"]()
        if docs["filled"](page.read_text(encoding="utf-8")) != page.read_text(encoding="utf-8")
    ]

    assert stale == []
