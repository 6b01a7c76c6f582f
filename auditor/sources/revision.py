"""What git knows of an audited folder: which files a change touches, and what they held before it.

The one place where a program is started: git itself, from a fixed table of words, without a shell. A checkout's own
configuration may name programs for git to run (hooks, filters, a file system monitor, helpers of a transport): every
one of them is switched off here, and nothing is fetched. Git's own refusal of folders of other owners stays in force.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from auditor.errors import UsageError
from auditor.sources.tree import SKIPPED_FOLDERS

TIME_LIMIT = 120
"""Seconds that one question to git may take."""
MAX_BLOB = 1024 * 1024
"""Larger files hold no configuration that an audit would look into, and are not written out."""
MAX_FILES = 200_000
"""No more files than that are compared."""
_HARMLESS = (
    "core.fsmonitor=", "core.hooksPath=/dev/null", "core.pager=cat", "core.sshCommand=false", "core.askPass=false",
    "core.alternateRefsCommand=false", "core.untrackedCache=false", "core.quotePath=false", "credential.helper=",
    "diff.external=", "protocol.allow=never", "gc.auto=0", "maintenance.auto=false", "submodule.recurse=false",
    "log.showSignature=false",
)  # fmt: skip
_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_OPTIONAL_LOCKS": "0",  # an index is not refreshed on disk: no hook of it either
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_PAGER": "cat",
}
_KEPT = ("PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR")


class Change(NamedTuple):
    """What differs from a revision in one folder."""

    base: str
    """The commit compared with: where the folder's branch left the revision's."""
    files: frozenset[str]
    """Files below the folder that were changed, added or removed since, whether committed or not."""


def changed_since(folder: str, revision: str) -> Change:
    """What a folder's checkout changes since it left a revision's branch; raises UsageError."""
    if revision.startswith("-") or "\0" in revision or not revision.strip():
        raise UsageError(f"“{revision}” is no revision")
    git = _Git(folder)
    asked = git.line("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if not asked:
        raise UsageError(f"git knows no revision “{revision}” in {folder}")
    base = git.line("merge-base", asked, "HEAD")
    if not base:
        raise UsageError(
            f"git finds no common ancestor of “{revision}” and HEAD in {folder}; in a shallow clone, fetch the whole history"
        )
    files = git.names(
        "diff", "--name-only", "-z", "--relative", "--no-renames", "--no-ext-diff", "--no-textconv",
        "--ignore-submodules=all", base, "--",
    )  # fmt: skip
    files += git.names("ls-files", "-z", "--others", "--exclude-standard")
    return Change(base, frozenset(files))


def write_out(folder: str, commit: str, target: Path) -> None:
    """Write what a folder held at a commit below `target`: plain files and links, no larger ones, nothing of others' code."""
    git = _Git(folder)
    wanted = list(_entries(git.text("ls-tree", "-r", "-z", "--long", commit)))
    contents = git.contents([blob for blob, _, _ in wanted])
    for (_, mode, path), content in zip(wanted, contents, strict=True):
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if mode == "120000":
            file.symlink_to(os.fsdecode(content))  # the audited tree's links are only ever followed inside its root
        else:
            file.write_bytes(content)


def _entries(listed: bytes) -> Iterator[tuple[str, str, str]]:
    """Blob, mode and path of what `git ls-tree --long` lists and an audit may look at."""
    for number, entry in enumerate(os.fsdecode(listed).split("\0")):
        about, _, path = entry.partition("\t")
        fields = about.split()
        if len(fields) != 4 or number >= MAX_FILES:
            continue
        mode, kind, blob, size = fields
        parts = path.split("/")
        if kind != "blob" or int(size) > MAX_BLOB or not SKIPPED_FOLDERS.isdisjoint(parts) or ".." in parts:
            continue
        yield blob, mode, path


class _Git:
    """Git, asked about one folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        program = shutil.which("git")
        if program is None:
            raise UsageError("comparing with a revision needs git, and it is not installed")
        self.words = [program, "--no-pager", *(word for each in _HARMLESS for word in ("-c", each))]
        self.environment = {**{name: os.environ[name] for name in _KEPT if name in os.environ}, **_ENVIRONMENT}
        inside = self._run("rev-parse", "--is-inside-work-tree")
        if inside.returncode != 0 or inside.stdout.strip() != b"true":
            told = os.fsdecode(inside.stderr).strip().splitlines()
            why = told[0].removeprefix("fatal: ").rstrip(".") if told else "it is no checkout"
            raise UsageError(f"git cannot compare {folder}: {why}")
        # A filter of a checkout's own configuration would be run on files that look changed.
        listed = self._run("config", "--null", "--name-only", "--get-regexp", r"^(filter|diff|merge)\..*\.")
        for name in dict.fromkeys(os.fsdecode(listed.stdout).split("\0")):
            if name.endswith((".clean", ".smudge", ".process", ".textconv", ".command", ".driver")):
                self.words += ["-c", f"{name}="]
            elif name.endswith(".required"):
                self.words += ["-c", f"{name}=false"]

    def _run(self, *words: str, data: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(  # noqa: S603 - a fixed program and fixed words; revisions are checked before
                [*self.words, "-C", self.folder, *words], input=data if data is not None else b"", capture_output=True,
                check=False, timeout=TIME_LIMIT, env=self.environment,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise UsageError(f"git took longer than {TIME_LIMIT} seconds in {self.folder}") from None

    def line(self, *words: str) -> str:
        """The first line of an answer, "" where there is none."""
        done = self._run(*words)
        return os.fsdecode(done.stdout).strip().partition("\n")[0] if done.returncode == 0 else ""

    def text(self, *words: str, data: bytes | None = None) -> bytes:
        """A whole answer; raises UsageError where git cannot give it."""
        done = self._run(*words, data=data)
        if done.returncode != 0:
            told = os.fsdecode(done.stderr).strip().splitlines() or ["it does not say why"]
            raise UsageError(f"git cannot compare {self.folder}: {told[0].removeprefix('fatal: ').rstrip('.')}")
        return done.stdout

    def names(self, *words: str) -> list[str]:
        """An answer of paths that end in NUL."""
        return [name for name in os.fsdecode(self.text(*words)).split("\0") if name]

    def contents(self, blobs: list[str]) -> Iterator[bytes]:
        """The content of each blob, in this order."""
        answer = self.text("cat-file", "--batch", data="".join(f"{blob}\n" for blob in blobs).encode())
        at = 0
        for blob in blobs:
            end = answer.find(b"\n", at)
            head = answer[at:end].split()
            if len(head) != 3:
                raise UsageError(f"git lacks {blob} in {self.folder}; fetch the whole history")
            size = int(head[2])
            yield answer[end + 1 : end + 1 + size]
            at = end + 1 + size + 1
