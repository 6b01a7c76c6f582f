"""What a change touches, and what it restarts; and git, which runs nothing that a checkout names."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.errors import UsageError
from auditor.sources.revision import changed_since
from tests.suppress.shop import RULE, WORKER, audit, git, repository, run, write

OTHER = WORKER.replace("mail-worker", "sms-worker")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A repository with two programs in two files, each with one finding."""
    return repository(tmp_path / "shop", **{"a/worker.conf": WORKER, "b/worker.conf": OTHER})


def subjects(told: object) -> set[str]:
    """What the findings of the rule are about."""
    return {one["subject"] for one in told.report["findings"] if one["rule"] == RULE}  # type: ignore[attr-defined]


def test_only_what_the_change_touches_is_told(shop: Path) -> None:
    """A finding whose every file is as it was is told as ignored; committed or not, the change is the same."""
    write(shop, **{"a/worker.conf": WORKER.replace("=30", "=20")})
    before = audit(shop, "--diff-base", "HEAD")
    git(shop, "commit", "-q", "-a", "-m", "change")
    after = audit(shop, "--diff-base", "HEAD~1")

    assert subjects(before) == subjects(after) == {"mail-worker"}
    assert [one["how"] for one in after.report["ignored"] if one["finding"]["rule"] == RULE] == ["diff-base"]
    assert before.status == after.status == 1


def test_a_change_of_nothing_tells_nothing(shop: Path) -> None:
    """Without a change there is no finding, and nothing restarts."""
    told = audit(shop, "--diff-base", "HEAD")

    assert (told.status, told.rules(), told.report["deploy"]) == (0, [], {"base": "HEAD"})


def test_a_branch_is_compared_with_where_it_left(shop: Path) -> None:
    """What the other branch did since is none of this change's doing."""
    git(shop, "checkout", "-q", "-b", "topic")
    write(shop, **{"c.txt": "x"})
    git(shop, "add", "-A")
    git(shop, "commit", "-q", "-m", "topic")
    git(shop, "checkout", "-q", "main")
    write(shop, **{"b/worker.conf": OTHER.replace("=30", "=20")})
    git(shop, "commit", "-q", "-a", "-m", "main goes on")
    git(shop, "checkout", "-q", "topic")

    assert changed_since(str(shop), "main").files == {"c.txt"}


def test_new_and_removed_files_count(shop: Path) -> None:
    """A file that is not yet known to git is part of the change, and so is one that is gone."""
    write(shop, **{"c/new.conf": WORKER.replace("mail-worker", "new-worker")})
    (shop / "b" / "worker.conf").unlink()

    told = audit(shop, "--diff-base", "HEAD")

    assert subjects(told) == {"new-worker"}
    assert [(r["program"], r["change"]) for r in told.report["deploy"]["restarts"]] == [
        ("sms-worker", "removed"),
        ("new-worker", "added"),
    ]


def test_what_a_removed_file_did_is_missed(tmp_path: Path) -> None:
    """A finding that the change brought about is told, though none of its places lies in a changed file."""
    app = {
        "artisan": "<?php\n",
        "composer.json": '{"require": {"laravel/framework": "^11.0"}}',
        "app/Console/Kernel.php": "<?php\n",
        "routes/console.php": "<?php\nuse Illuminate\\Support\\Facades\\Schedule;\nSchedule::command('mail:send')->daily();\n",
        "deploy/crontab": "* * * * * cd /var/www/shop && php artisan schedule:run >> /dev/null 2>&1\n",
    }
    shop = repository(tmp_path / "shop", **{"deploy/worker.conf": WORKER}, **app)
    assert "scheduler/missing" not in audit(shop).rules()
    (shop / "deploy" / "crontab").unlink()

    assert "scheduler/missing" in audit(shop).rules()
    assert "scheduler/missing" in audit(shop, "--diff-base", "HEAD").rules()


def test_a_folder_of_a_repository_is_compared_by_itself(shop: Path) -> None:
    """Paths are those of the audited folder, wherever it lies in the repository."""
    write(shop, **{"a/worker.conf": WORKER.replace("=30", "=20"), "b/worker.conf": OTHER.replace("=30", "=20")})

    told = run(shop, "audit", "a", "--diff-base", "HEAD", "--format", "json")

    assert subjects(told) == {"mail-worker"}
    assert [r["program"] for r in told.report["deploy"]["restarts"]] == ["mail-worker"]


def test_one_file_can_be_compared(shop: Path) -> None:
    """An audit of one file compares that file."""
    write(shop, **{"a/worker.conf": WORKER.replace("=30", "=20")})

    told = run(shop, "audit", "a/worker.conf", "--diff-base", "HEAD", "--format", "json")

    assert subjects(told) == {"mail-worker"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("stopwaitsecs=30", "stopwaitsecs=300", "has 30 s before KILL, the stopwaitsecs it was started with, and may take 120 s"),
        ("--tries=3", "--tries=4", "is restarted"),
        ("--timeout=120", "--timeout=20", "may take 120 s"),
    ],
)  # fmt: skip
def test_it_tells_how_long_running_jobs_have(shop: Path, old: str, new: str, told: str) -> None:
    """The patience that counts is the one from before the change, and so is the job's own limit."""
    write(shop, **{"a/worker.conf": WORKER.replace(old, new)})

    (restart,) = audit(shop, "--diff-base", "HEAD").report["deploy"]["restarts"]

    assert (restart["grace"], restart["longest"], restart["processes"]) == (30, 120, 1)
    assert told in restart["told"]


def test_a_job_that_can_finish_is_told_so(tmp_path: Path) -> None:
    """Where the patience is enough, nothing is cut off."""
    shop = repository(tmp_path / "shop", **{"worker.conf": WORKER.replace("=30", "=140")})
    write(shop, **{"worker.conf": WORKER.replace("=30", "=150")})

    assert "it can finish" in audit(shop, "--diff-base", "HEAD").report["deploy"]["restarts"][0]["told"]


def test_comments_and_order_restart_nothing(shop: Path) -> None:
    """What supervisord does not see changed is not restarted, also in a renamed file."""
    write(shop, **{"a/worker.conf": f"# a comment\n\n{WORKER}"})
    git(shop, "mv", "b/worker.conf", "b/sms.conf")

    assert "restarts" not in audit(shop, "--diff-base", "HEAD").report["deploy"]


def test_a_group_is_restarted_whole(tmp_path: Path) -> None:
    """A change of one program stops the others of its group, each with its own patience."""
    group = "[group:shop]\nprograms=mail-worker,sms-worker\n"
    shop = repository(tmp_path / "shop", **{"w.conf": f"{WORKER}{OTHER}{group}"})
    write(shop, **{"w.conf": f"{WORKER.replace('tries=3', 'tries=4')}{OTHER}{group}"})

    restarts = audit(shop, "--diff-base", "HEAD").report["deploy"]["restarts"]

    assert {r["program"]: r["change"] for r in restarts} == {"mail-worker": "changed", "sms-worker": "in its group"}


@pytest.mark.parametrize("form", ["console", "markdown", "jsonl", "sarif"])
def test_every_form_for_people_tells_the_restart(shop: Path, form: str) -> None:
    """The restart is part of the report, not of one form of it."""
    write(shop, **{"a/worker.conf": WORKER.replace("=30", "=20")})

    assert "before KILL" in run(shop, "audit", ".", "--diff-base", "HEAD", "--format", form).out


@pytest.mark.parametrize("revision", ["nope", "--output=x", "", "HEAD:a/worker.conf", "HEAD~99"])
def test_what_is_no_revision_is_refused(shop: Path, revision: str) -> None:
    """One sentence, exit 2, and nothing taken for an option of git."""
    told = audit(shop, "--diff-base", revision)

    assert told.status == 2
    assert "revision" in told.err
    assert not (shop / "x").exists()


def test_what_is_no_checkout_is_refused(tmp_path: Path) -> None:
    """Without a repository there is nothing to compare with."""
    write(tmp_path, **{"worker.conf": WORKER})

    with pytest.raises(UsageError, match="not a git repository"):
        changed_since(str(tmp_path), "HEAD")


def test_nothing_of_the_checkout_is_run(shop: Path, tmp_path: Path) -> None:
    """Hooks, filters, monitors and drivers that a checkout's configuration names are not started."""
    trap = tmp_path / "trap"
    trap.write_text(f'#!/bin/sh\ntouch "{tmp_path}/sprung-$(basename "$0")-$1"\ncat\n', encoding="utf-8")
    trap.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "diff.external", "core.sshCommand", "core.editor", "credential.helper"):
        git(shop, "config", key, str(trap))
    for key in (
        "filter.x.clean",
        "filter.x.smudge",
        "filter.x.process",
        "diff.x.textconv",
        "diff.x.command",
        "merge.x.driver",
    ):
        git(shop, "config", key, f"{trap} {key}")
    git(shop, "config", "filter.x.required", "true")
    git(shop, "config", "core.hooksPath", str(tmp_path / "hooks"))
    (tmp_path / "hooks").mkdir()
    for hook in ("post-index-change", "pre-commit", "post-checkout", "reference-transaction"):
        (tmp_path / "hooks" / hook).symlink_to(trap)
    write(shop, **{".gitattributes": "* filter=x diff=x merge=x\n", "a/worker.conf": WORKER.replace("=30", "=20")})
    sprung_by_git = [path.name for path in tmp_path.glob("sprung-*")]
    for name in sprung_by_git:
        (tmp_path / name).unlink()

    told = audit(shop, "--diff-base", "HEAD")

    assert subjects(told) == {"mail-worker"}
    assert [path.name for path in tmp_path.glob("sprung-*")] == []


def test_the_trap_would_spring(shop: Path, tmp_path: Path) -> None:
    """The test above can fail: git by itself does run such a filter."""
    trap = tmp_path / "trap"
    trap.write_text(f'#!/bin/sh\ntouch "{tmp_path}/sprung"\ncat\n', encoding="utf-8")
    trap.chmod(0o755)
    git(shop, "config", "filter.x.clean", str(trap))
    write(shop, **{".gitattributes": "* filter=x\n", "a/worker.conf": WORKER.replace("=30", "=20")})

    git(shop, "diff", "--name-only", "HEAD")

    assert (tmp_path / "sprung").exists()
