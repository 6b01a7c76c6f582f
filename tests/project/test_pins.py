"""requirements/*.txt pin what pyproject.toml asks for: exactly, with hashes, and from nowhere in particular."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PIN = re.compile(
    r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==([^ ]+)((?: ;[^\\]*)?(?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE
)


def pins(checkout: Path, name: str) -> dict[str, Version]:
    """The version that requirements/<name>.txt pins of each package."""
    text = (checkout / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    assert not PIN.sub("", text.partition("\n")[2]).strip(), "a line that is no pin with hashes"
    return {package: Version(version) for package, version, _ in PIN.findall(text)}


def asked(checkout: Path, name: str) -> list[Requirement]:
    """What pyproject.toml asks for, as requirements/<name>.txt is to answer it."""
    with (checkout / "pyproject.toml").open("rb") as file:
        project: dict[str, Any] = tomllib.load(file)
    groups = project["dependency-groups"]
    run = project["project"]["dependencies"]
    extras = [each for extra in project["project"]["optional-dependencies"].values() for each in extra]
    dev = [each for each in groups["dev"] if isinstance(each, str)]
    texts = {"setup": groups["setup"], "run": run, "dev": [*groups["setup"], *run, *extras, *dev]}
    return [Requirement(text) for text in texts[name]]


@pytest.mark.parametrize("name", ["setup", "run", "dev"])
def test_the_pins_answer_the_project(checkout: Path, name: str) -> None:
    """Each requirement is pinned at a version that it allows; `make pins` mends it where not."""
    pinned = pins(checkout, name)

    unmet = [
        str(each)
        for each in asked(checkout, name)
        if canonicalize_name(each.name) not in pinned or pinned[canonicalize_name(each.name)] not in each.specifier
    ]

    assert not unmet


@pytest.mark.parametrize("name", ["setup", "run"])
def test_development_uses_the_same_versions(checkout: Path, name: str) -> None:
    """What the tests run with is what `make audit` installs."""
    assert pins(checkout, name).items() <= pins(checkout, "dev").items()


def test_every_dependency_has_its_reason(checkout: Path) -> None:
    """Beside each runtime dependency stands what it is for."""
    text = (checkout / "pyproject.toml").read_text(encoding="utf-8")
    block = text.partition("\ndependencies = [\n")[2].partition("\n]")[0]

    assert [line for line in block.splitlines() if not re.search(r'", +# \S', line)] == []
