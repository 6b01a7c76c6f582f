"""The pre-commit hook, the GitHub Action, the GitLab job and shell completion, each run as its own system runs it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.integrations.systems import TOOLS, Runner, environment, gitlab, loaded, prek
from tests.suppress.shop import RULE, WORKER, git, repository, run, write

CLEAN = WORKER.replace("stopwaitsecs=30", "stopwaitsecs=140")


# pre-commit


@pytest.fixture
def hooked(checkout: Path, tmp_path: Path) -> Path:
    """A repository whose pre-commit configuration has our hook, installed already rather than from the network."""
    (hook,) = loaded(checkout / ".pre-commit-hooks.yaml")
    assert hook["language"] == "python"
    local = {"repos": [{"repo": "local", "hooks": [{**hook, "language": "system"}]}]}
    folder = repository(tmp_path / "shop", **{"deploy/worker.conf": CLEAN, "README.md": "a shop\n"})
    write(folder, **{".pre-commit-config.yaml": json.dumps(local)})
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "hook")
    return folder


def test_the_hook_stops_a_commit(checkout: Path, hooked: Path) -> None:
    """A staged fault fails the hook and is told; mended, the commit goes through."""
    write(hooked, **{"deploy/worker.conf": WORKER})
    git(hooked, "add", "-A")
    bad = prek(hooked, environment(checkout))

    write(hooked, **{"deploy/worker.conf": CLEAN.replace("tries=3", "tries=4")})
    git(hooked, "add", "-A")
    good = prek(hooked, environment(checkout))

    assert bad.returncode == 1, bad.stdout + bad.stderr
    assert RULE in bad.stdout
    assert good.returncode == 0, good.stdout + good.stderr


def test_the_hook_lets_other_files_be(checkout: Path, hooked: Path) -> None:
    """A commit that touches nothing of ours does not wait for an audit."""
    write(hooked, **{"README.md": "a larger shop\n"})
    git(hooked, "add", "-A")

    assert re.search(r"skipped|no files", prek(hooked, environment(checkout)).stdout, re.IGNORECASE)


def test_the_hooks_pattern_means_what_is_audited(checkout: Path) -> None:
    """Files that may hold a worker, a scheduler or what they depend on start the hook; the app's own code does not."""
    (hook,) = loaded(checkout / ".pre-commit-hooks.yaml")
    files = re.compile(hook["files"])

    for name in (
        "deploy/supervisor/worker.conf", "docker/horizon.ini.j2", "crontab", "deploy/cron.d/shop", ".env.example",
        "Dockerfile", "docker-compose.prod.yml", "Procfile", "docker/entrypoint", "config/queue.php", "config/horizon.php",
        "routes/console.php", "deploy/worker.service", "k8s/worker.yaml", "queue-auditor.yaml", "run.sh",
    ):  # fmt: skip
        assert files.search(name), name
    for name in ("README.md", "app/Models/User.php", "resources/js/app.js", "composer.json", "public/index.php"):
        assert not files.search(name), name


# GitHub


@pytest.fixture
def runner_temp(tmp_path: Path) -> Path:
    """The runner's temporary folder."""
    folder = tmp_path / "temp"
    folder.mkdir()
    return folder


def test_the_action_reports_and_fails(checkout: Path, tmp_path: Path, runner_temp: Path) -> None:
    """A fault annotates its line, fills the job's summary, writes SARIF where asked, and fails the step."""
    workspace = repository(tmp_path / "shop", **{"deploy/worker.conf": WORKER})
    runner = Runner(checkout, workspace, runner_temp, environment(checkout), sarif="queue-auditor.sarif")

    status, printed = runner.run()

    assert status == 1, printed
    assert "\n::error file=deploy/worker.conf,line=6," in printed
    assert RULE in runner.files["GITHUB_STEP_SUMMARY"].read_text()
    sarif = json.loads((workspace / "queue-auditor.sarif").read_text())
    assert [result["level"] for result in sarif["runs"][0]["results"] if result["fixes"]] == ["error"]
    assert runner.outputs()["status"] == "1"
    assert json.loads(Path(runner.outputs()["report"]).read_text())["summary"]["error"] == 1


@pytest.mark.parametrize(
    ("files", "inputs", "status"),
    [
        ({"worker.conf": CLEAN}, {}, 0),
        ({"worker.conf": WORKER}, {"fail_on": "never"}, 0),
        ({"worker.conf": WORKER}, {"diff_base": "HEAD"}, 0),
        ({"worker.conf": WORKER}, {"diff_base": "nope"}, 2),
        ({"worker.conf": WORKER}, {"path": "$(touch owned); touch owned"}, 2),
        ({"worker.conf": WORKER}, {"path": "--help"}, 2),
        ({"worker.conf": WORKER, "queue-auditor.yaml": "fail_on: never\n"}, {}, 0),
        ({"README.md": "nothing here\n"}, {}, 3),
    ],
    ids=["clean", "never", "unchanged", "no revision", "no script", "no option", "configured", "nothing there"],
)
def test_the_action_has_the_audits_status(
    checkout: Path, tmp_path: Path, runner_temp: Path, files: dict[str, str], inputs: dict[str, str], status: int
) -> None:
    """The step ends as the audit does, whatever its inputs are; none of them is taken for a script or an option."""
    workspace = repository(tmp_path / "shop", **files)
    runner = Runner(checkout, workspace, runner_temp, environment(checkout), **inputs)

    found, printed = runner.run()

    assert found == status, printed
    assert runner.outputs()["status"] == str(status)
    assert not (workspace / "owned").exists()


def test_the_action_documents_itself(checkout: Path) -> None:
    """Every input and output has a description, and docs/ci.md names each input."""
    action = loaded(checkout / "action.yml")
    page = (checkout / "docs" / "ci.md").read_text(encoding="utf-8")

    assert all(spec["description"] for spec in (*action["inputs"].values(), *action["outputs"].values()))
    assert [name for name in action["inputs"] if f"`{name}`" not in page] == []


# GitLab


@pytest.mark.parametrize(("text", "status"), [(WORKER, 1), (CLEAN, 0)])
def test_the_gitlab_job(checkout: Path, tmp_path: Path, text: str, status: int) -> None:
    """The job's script, run as GitLab's shell does, leaves both reports and the audit's status."""
    shop = repository(tmp_path / "shop", **{"deploy/worker.conf": text})

    job, done = gitlab(checkout, shop, environment(checkout))

    assert done.returncode == status, done.stdout + done.stderr
    reports = job["artifacts"]["reports"]
    issues = json.loads((shop / reports["codequality"]).read_text())
    assert [issue["location"]["path"] for issue in issues] == ["deploy/worker.conf"] * status
    assert (shop / reports["junit"]).read_text().startswith("<?xml")


# Shells


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_given_its_completion(checkout: Path, tmp_path: Path, shell: str) -> None:
    """What docs/configuration.md tells to put into a shell's start-up file is a script for that shell."""
    done = subprocess.run(
        [TOOLS / "queue-auditor"],
        env=environment(checkout, _QUEUE_AUDITOR_COMPLETE=f"{shell}_source"),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "_QUEUE_AUDITOR_COMPLETE" in done.stdout
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=done.stdout, text=True, check=True)


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("queue-auditor ba", "baseline"),
        ("queue-auditor audit --fail", "--fail-on"),
        ("queue-auditor audit --format ju", "junit"),
    ],
)
def test_completion_offers_what_there_is(checkout: Path, words: str, offered: str) -> None:
    """Commands, options and their values are completed."""
    done = subprocess.run(
        [TOOLS / "queue-auditor"],
        env=environment(
            checkout, _QUEUE_AUDITOR_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(len(words.split()) - 1)
        ),
        capture_output=True,
        text=True,
        check=False,
    )

    assert offered in done.stdout.replace(",", "\n").split(), done.stderr


def test_every_command_takes_its_variables(tmp_path: Path) -> None:
    """A flag's variable is its name after QUEUE_AUDITOR_, for every command that has the flag."""
    write(tmp_path, **{"worker.conf": WORKER})

    assert run(tmp_path, "audit", ".", QUEUE_AUDITOR_FAIL_ON="never").status == 0
    assert run(tmp_path, "audit", ".", QUEUE_AUDITOR_FORMAT="github", QUEUE_AUDITOR_ALLOW_EMPTY="1").out.startswith(
        "::error"
    )
    assert run(tmp_path, "rules", QUEUE_AUDITOR_FORMAT="github").status == 0
    assert "nothing to change" in run(tmp_path, "fix", ".", QUEUE_AUDITOR_SELECT="processes memory").out
    assert run(tmp_path, "audit", ".", QUEUE_AUDITOR_FAIL_ON="sometimes").status == 2
