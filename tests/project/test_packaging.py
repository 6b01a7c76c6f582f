"""What a packager builds holds everything: rules/ and templates/ travel in the sdist and in the wheel, which runs."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import NamedTuple

import pytest

import auditor


class Built(NamedTuple):
    """The two distributions, and the wheel made from the sdist instead of the checkout."""

    sdist: Path
    wheel: Path
    wheel_of_sdist: Path


def run(*command: str | Path, env: dict[str, str] | None = None) -> str:
    """The standard output of a command that must succeed."""
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(source: Path, kind: str, into: Path) -> Path:
    """One distribution of `source`, built with the backend that is installed: nothing is downloaded."""
    run(sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "--outdir", into, source)
    (made,) = into.iterdir()
    return made


@pytest.fixture(scope="module")
def built(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Both distributions of the checkout, and a wheel of the unpacked sdist."""
    folder = tmp_path_factory.mktemp("dist")
    sdist = build(checkout, "sdist", folder / "sdist")
    run("tar", "-xf", sdist, "-C", folder)
    unpacked = folder / sdist.name.removesuffix(".tar.gz")
    return Built(sdist, build(checkout, "wheel", folder / "wheel"), build(unpacked, "wheel", folder / "again"))


def tracked(checkout: Path, *folders: str) -> set[str]:
    """The files under `folders` that belong to the project, relative to its top."""
    return {
        path.relative_to(checkout).as_posix()
        for folder in folders
        for path in (checkout / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != "_shelf.py"  # made from the rules
    }


def members(wheel: Path) -> dict[str, int]:
    """A wheel's files outside its .dist-info, with the checksum of each."""
    with zipfile.ZipFile(wheel) as archive:
        return {each.filename: each.CRC for each in archive.infolist() if ".dist-info/" not in each.filename}


def test_the_sdist_holds_the_sources(checkout: Path, built: Built) -> None:
    """The package, its data, the examples, the licence and what builds it are all in the sdist."""
    with tarfile.open(built.sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}

    expected = tracked(checkout, "auditor", "rules", "templates", "examples")
    assert expected | {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "PKG-INFO"} <= held


def test_the_wheel_holds_rules_and_templates(checkout: Path, built: Built) -> None:
    """Each file of rules/ and templates/ lies inside the package, and nothing but the package is there."""
    held = members(built.wheel)

    data = {f"auditor/{path}" for path in tracked(checkout, "rules", "templates")}
    assert data
    assert data <= set(held)
    assert tracked(checkout, "auditor") <= set(held)
    assert {name.partition("/")[0] for name in held} == {"auditor"}


def test_the_compiled_rules_are_the_wheels_alone(built: Built) -> None:
    """The wheel holds them; the sdist holds what makes them, and never what a checkout happened to have."""
    with tarfile.open(built.sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}

    assert "auditor/_shelf.py" in members(built.wheel)
    assert "hatch_build.py" in held
    assert "auditor/_shelf.py" not in held


def test_the_sdist_makes_the_same_wheel(built: Built) -> None:
    """A wheel built from the sdist equals the one built from the checkout, file by file."""
    assert members(built.wheel_of_sdist) == members(built.wheel)


def test_the_metadata_say_what_it_is(built: Built) -> None:
    """Name, version, licence and the Python that it needs."""
    with zipfile.ZipFile(built.wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = Parser().parsestr(archive.read(name).decode())

    told = {key: metadata[key] for key in ("Name", "Version", "License-Expression", "Requires-Python")}
    assert told == {
        "Name": "queue-auditor",
        "Version": auditor.__version__,
        "License-Expression": "MIT",
        "Requires-Python": ">=3.11",
    }


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel in it, made without network: its dependencies are this environment's own."""
    environment = tmp_path_factory.mktemp("venv") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", environment)
    run(
        sys.executable,
        "-m",
        "uv",
        "pip",
        "install",
        "--quiet",
        "--offline",
        "--no-deps",
        "--python",
        environment,
        built.wheel,
    )
    (site_packages,) = environment.glob("lib/python*/site-packages")
    # Named last, so after the wheel; and no .pth in it is read, so the checkout's editable install stays out.
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return environment


def test_the_installed_command_runs(installed: Path, tmp_path: Path) -> None:
    """`queue-auditor --version` works from the wheel alone, wherever it is called."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

    told = run("env", "-C", tmp_path, installed / "bin" / "queue-auditor", "--version", env=env)

    assert told == f"queue-auditor {auditor.__version__}\n"


@pytest.mark.parametrize("name", ["rules", "templates"])
def test_the_installed_package_finds_its_data(installed: Path, tmp_path: Path, name: str) -> None:
    """The installed auditor reads the rules and templates of the wheel, not of a checkout beside it."""
    program = f"import auditor.places; print(auditor.places.data_dir({name!r}))"

    told = run("env", "-C", tmp_path, installed / "bin" / "python", "-I", "-c", program)

    data = Path(told.strip())
    assert data.is_relative_to(installed)
    assert data.is_dir()


def test_the_installed_rules_are_compiled(installed: Path, tmp_path: Path) -> None:
    """No first start compiles anything: what came with the wheel is taken, in whatever order its files were written."""
    program = "from auditor.judge import shelf; print(shelf._compiled() is not None, len(shelf.shipped()) > 50)"

    assert run("env", "-C", tmp_path, installed / "bin" / "python", "-I", "-c", program).split() == ["True", "True"]
