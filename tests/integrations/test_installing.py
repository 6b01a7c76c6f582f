"""Where no auditor is installed yet: each integration installs it by its own means, from this checkout and without a network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import auditor
from tests.integrations.systems import TOOLS, Runner, environment, gitlab, prek
from tests.integrations.wheelhouse import fill
from tests.suppress.shop import RULE, WORKER, git, repository, write

SOURCES = (
    "auditor", "rules", "templates", "pyproject.toml", "hatch_build.py", "README.md", "CHANGELOG.md", "LICENSE",
    ".pre-commit-hooks.yaml", "action.yml", "docs/gitlab-ci.yml",
)  # fmt: skip
PYTHON = sys.base_prefix + "/bin/python3"

NEEDED = (
    "hatchling",
    "pip",
    *(Requirement(text).name for text in requires("queue-auditor") or () if "extra ==" not in text),
)
"""What builds and runs it, and pip."""


@pytest.fixture(scope="module")
def source(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as who offers it publishes it: a git repository of its own."""
    folder = tmp_path_factory.mktemp("published") / "queue-auditor"
    for name in SOURCES:
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if (checkout / name).is_dir():
            shutil.copytree(checkout / name, place, ignore=shutil.ignore_patterns("__pycache__", "_shelf.py"))
        else:
            shutil.copy(checkout / name, place)
    return repository(folder)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An environment with Python and no auditor, whose pip and uv find everything in one folder, and nowhere else."""
    folder = tmp_path_factory.mktemp("bare")
    fill(folder / "wheels", *NEEDED)
    tools = folder / "tools"
    tools.mkdir()
    for name, program in (("python3", PYTHON), ("uv", TOOLS / "uv")):
        (tools / name).write_text(f'#!/bin/sh\nexec "{program}" "$@"\n')
        (tools / name).chmod(0o755)
    here = {
        name: value for name, value in environment(folder).items() if not name.startswith(("PYTHON", "PIP_", "UV_"))
    }
    path = os.pathsep.join(
        [str(tools), *(each for each in ("/usr/bin", "/bin") if not Path(each, "queue-auditor").exists())]
    )
    yield here | {
        "PATH": path, "HOME": str(folder), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder / "wheels"), "PIP_NO_COMPILE": "1",
        "PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1", "UV_NO_INDEX": "1", "UV_FIND_LINKS": str(folder / "wheels"),
        "UV_OFFLINE": "1", "UV_CACHE_DIR": str(folder / "uv"), "UV_PYTHON_DOWNLOADS": "never", "UV_PYTHON": PYTHON,
    }  # fmt: skip
    shutil.rmtree(folder)


def test_the_hook_is_installed_from_its_repository(source: Path, bare: dict[str, str], tmp_path: Path) -> None:
    """prek clones the repository that a user's configuration names, installs it, and the commit is stopped by it."""
    head = git(source, "rev-parse", "HEAD")
    config = {"repos": [{"repo": str(source), "rev": head, "hooks": [{"id": "queue-auditor"}]}]}
    shop = repository(tmp_path / "shop", **{"worker.conf": WORKER, ".pre-commit-config.yaml": json.dumps(config)})

    done = prek(shop, bare, "--all-files")

    assert done.returncode == 1, done.stdout + done.stderr
    assert RULE in done.stdout
    assert "hook id: queue-auditor" in done.stdout


def test_the_action_installs_itself(source: Path, bare: dict[str, str], tmp_path: Path) -> None:
    """Without an auditor on the PATH the first step installs the action's own checkout, which the second one runs."""
    shop = repository(tmp_path / "shop", **{"worker.conf": WORKER})
    runner = Runner(source, shop, tmp_path, bare)

    status, printed = runner.run()

    assert status == 1, printed
    assert runner.files["GITHUB_PATH"].read_text() == f"{tmp_path}/queue-auditor/bin\n"
    assert "\n::error file=worker.conf,line=6," in printed
    assert RULE in runner.files["GITHUB_STEP_SUMMARY"].read_text()


def test_the_gitlab_job_installs_the_package(source: Path, bare: dict[str, str], tmp_path: Path) -> None:
    """In an image that has pip alone the job installs the released package, and leaves its reports."""
    image = bare | {"PATH": f"{tmp_path}/image/bin:{bare['PATH']}"}
    for words in (["venv", "image"], ["pip", "install", "--python", "image/bin/python", "pip"]):
        subprocess.run(["uv", "--quiet", *words], cwd=tmp_path, env=bare, check=True)
    release = [
        "build",
        "--wheel",
        "--no-build-isolation",
        "--python",
        sys.executable,
        "--out-dir",
        bare["PIP_FIND_LINKS"],
    ]
    subprocess.run(["uv", "--quiet", *release], cwd=source, env=bare, check=True)
    shop = repository(tmp_path / "shop", **{"worker.conf": WORKER})

    job, done = gitlab(source, shop, image)

    assert done.returncode == 1, done.stdout + done.stderr
    (issue,) = json.loads((shop / job["artifacts"]["reports"]["codequality"]).read_text())
    assert (issue["check_name"], issue["location"]["path"]) == (RULE, "worker.conf")


def test_uv_installs_the_command_for_good(source: Path, bare: dict[str, str], tmp_path: Path) -> None:
    """`uv tool install .`, as README.md has it, gives a command that needs nothing of the checkout."""
    places = bare | {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "bin")}
    write(tmp_path, **{"worker.conf": WORKER})

    subprocess.run(["uv", "tool", "install", "--quiet", "."], cwd=source, env=places, check=True)

    command = [tmp_path / "bin" / "queue-auditor"]
    told = subprocess.run([*command, "--version"], env=bare, capture_output=True, text=True, check=True).stdout
    found = subprocess.run(
        [*command, "audit", tmp_path / "worker.conf"], env=bare, capture_output=True, text=True, check=False
    )
    assert told == f"queue-auditor {auditor.__version__}\n"
    assert found.returncode == 1, found.stderr
    assert RULE in found.stdout
