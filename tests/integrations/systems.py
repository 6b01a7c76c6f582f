"""The systems that start the auditor by themselves, as far as they are needed: prek, GitHub's runner, GitLab's shell."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

TOOLS = Path(sys.executable).parent


def loaded(file: Path) -> Any:
    """A YAML file's content."""
    return YAML(typ="safe").load(file.read_text(encoding="utf-8"))


def environment(checkout: Path, **more: str) -> dict[str, str]:
    """An environment in which queue-auditor is on the PATH, and no CI system's own variables are."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "CI_", "GIT_", "QUEUE_"))
    }
    return {**kept, "PATH": f"{TOOLS}{os.pathsep}{kept.get('PATH', '')}", "PYTHONPATH": str(checkout), **more}


def prek(folder: Path, surroundings: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """`prek run`, as a commit starts it."""
    return subprocess.run(
        [TOOLS / "prek", "run", *words],
        cwd=folder,
        env={**surroundings, "PREK_HOME": str(folder.parent / "prek"), "HOME": str(folder.parent)},
        capture_output=True,
        text=True,
        check=False,
    )


class Runner:
    """GitHub's runner, as far as a composite action of shell steps needs one."""

    def __init__(
        self, checkout: Path, workspace: Path, folder: Path, surroundings: Mapping[str, str], **inputs: str
    ) -> None:
        """Take the action's defaults for inputs that are not given."""
        self.action = loaded(checkout / "action.yml")
        assert set(inputs) <= {name.replace("-", "_") for name in self.action["inputs"]}
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        self.values = {
            f"inputs.{name}": given.get(name, spec["default"]) for name, spec in self.action["inputs"].items()
        }
        self.values |= {"github.action_path": str(checkout), "runner.temp": str(folder)}
        self.files = {name: folder / name for name in ("GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")}
        for file in self.files.values():
            file.touch()
        self.workspace = workspace
        self.environment = {
            **surroundings, "GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(workspace),
            **{name: str(file) for name, file in self.files.items()},
        }  # fmt: skip

    def filled(self, text: object) -> str:
        """A value with its expressions replaced, as the runner does before a step starts."""
        return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda match: self.values[match[1]], str(text))

    def filled_of(self, step: Mapping[str, Any]) -> dict[str, str]:
        """A step's own environment."""
        return {name: self.filled(value) for name, value in step.get("env", {}).items()}

    def path(self) -> str:
        """The PATH of the next step: what earlier ones have added goes before."""
        added = self.files["GITHUB_PATH"].read_text().splitlines()
        return os.pathsep.join([*reversed(added), self.environment["PATH"]])

    def run(self) -> tuple[int, str]:
        """Every step in turn, as the runner's bash does; the status of the first that fails, and all that was printed."""
        printed = ""
        for step in self.action["runs"]["steps"]:
            assert step["shell"] == "bash"
            assert "${{" not in step["run"], "an input in a script's text could be a script"
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                cwd=self.workspace,
                env={**self.environment, "PATH": self.path(), **self.filled_of(step)},
                capture_output=True,
                text=True,
                check=False,
            )
            printed += done.stdout + done.stderr
            if done.returncode:
                return done.returncode, printed
        return 0, printed

    def outputs(self) -> dict[str, str]:
        """What the steps gave as outputs."""
        return dict(line.split("=", 1) for line in self.files["GITHUB_OUTPUT"].read_text().splitlines())


def gitlab(
    checkout: Path, shop: Path, surroundings: Mapping[str, str]
) -> tuple[dict[str, Any], subprocess.CompletedProcess[str]]:
    """The job of docs/gitlab-ci.yml, and its script run as GitLab's shell runs it."""
    (job,) = loaded(checkout / "docs" / "gitlab-ci.yml").values()
    variables = {name: str(value) for name, value in job["variables"].items()}
    done = subprocess.run(
        ["bash", "-c", "\n".join(["set -eo pipefail", *job["script"]])],
        cwd=shop,
        env={**variables, **surroundings, "CI_PROJECT_DIR": str(shop)},
        capture_output=True,
        text=True,
        check=False,
    )
    return job, done
