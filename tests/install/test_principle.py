"""Installing on any host: what runs is mended and never replaced, a second run changes nothing, uninstalling gives all back."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from auditor import audit, install
from auditor.dialects.conf import lex
from auditor.errors import AuditorError
from auditor.facts.command import Command
from auditor.facts.launch import Launch
from auditor.facts.site import Site
from auditor.ground import Wishes
from tests.mending.hosts import hosts

RULES = audit.rulebook()
APP = "var/www/shop"
NINJA = {f"{APP}/composer.json": b'{"name": "invoiceninja/invoiceninja"}\n', f"{APP}/storage/logs/.keep": b""}
"""What makes the app an InvoiceNinja, whose profile asks for more than any other."""
KEPT = (
    "kind", "connection", "queues_text", "timeout", "memory", "sleep", "rest", "tries", "max_jobs", "max_time", "once",
    "stop_when_empty", "php", "artisan", "user", "wrappers", "php_settings",
)  # fmt: skip
"""What a command says."""
TOLD = {
    "timeout": "--timeout=", "memory": "--memory=", "sleep": "--sleep=", "rest": "--rest=", "tries": "--tries=",
    "max_time": "--max-time=", "connection": "the connection “", "queues_text": "--queue without blanks",
    "wrappers": "in place of shell syntax",
}  # fmt: skip
"""What a note says of it where it changes."""
EDITS = ("in place of shell syntax", "without blanks", "on one line", "`exec`")
"""Notes of edits after which the command is spelled otherwise."""


def texts(root: Path) -> dict[str, bytes]:
    """Every file, by path."""
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def build(found: dict[str, bytes]) -> Path:
    """A host of these files, in a new folder."""
    root = Path(tempfile.mkdtemp())
    for path, data in {**found, "etc/logrotate.d/.keep": b""}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


def plan(root: Path, *, with_env: bool = False, unsafe: bool = False) -> install.Plan:
    """What would be installed there."""
    return install.plan(str(root), APP, RULES, Wishes(), with_env=with_env, unsafe=unsafe)


def programs(site: Site) -> dict[tuple[str, str], Launch]:
    """What supervisor starts, by file and name."""
    return {(one.file, one.name): one for one in site.launches if one.runner == "supervisor"}


def words(data: bytes, section: str) -> list[str]:
    """The words of a section's command as they are written."""
    values = [
        one.value
        for block in lex(data.decode("utf-8", "replace")).blocks
        for one in block.assignments
        if block.name == section and one.name == "command"
    ]
    return [word.strip("'\"") for word in values[-1].split()] if values else []


def unexplained(before: list[str], after: list[str], notes: list[str]) -> list[str]:
    """The words that are gone though no note names their option."""
    lost = []
    for place, word in enumerate(before):
        if word in after:
            continue
        option = word if word.startswith("--") else before[place - 1]
        name = option.partition("=")[0]
        told = f"{name}=" if name.startswith("--") else "the connection “"
        if not any(told in note for note in notes):
            lost.append(word)
    return lost


def check_kept(before: Command, after: Command, name: str, notes: list[str]) -> None:
    """Whatever a command says differently is told, with who asked for it."""
    own = [note for note in notes if note.startswith(f"{name}: ")]
    if any("in place of shell syntax" in note for note in own):
        return  # what a shell was to read, and no shell did, had no meaning before
    for field in KEPT:
        if getattr(before, field) != getattr(after, field):
            assert any(TOLD[field] in note for note in own), f"{field} of {name} changed, and nobody was told: {own}"


@settings(
    max_examples=int(os.environ.get("N", "40")),
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],
)
@given(found=hosts(), ninja=st.booleans(), with_env=st.booleans(), unsafe=st.booleans(), data=st.data())
def test_any_host(found: dict[str, bytes], ninja: bool, with_env: bool, unsafe: bool, data: st.DataObject) -> None:
    """Every option that no rule objects to survives; then nothing is left to do; then everything is given back."""
    root = build(found | NINJA if ninja else found)
    try:
        before = texts(root)
        site = audit.look(str(root), apps=[APP], kind="host")
        try:
            planned = plan(root, with_env=with_env, unsafe=unsafe)
        except AuditorError as problem:
            event(f"refused: {str(problem)[:90]}")
            assert texts(root) == before
            return
        assert texts(root) == before, "planning writes nothing"
        install.write(planned)
        event(f"{len(planned.pieces)} files")

        notes = [note for piece in planned.pieces for note in piece.notes]
        after = texts(root)
        mended = programs(audit.look(str(root), apps=[APP], kind="host"))
        for (file, name), launch in programs(site).items():
            now = mended[file, name]
            check_kept(launch.command, now.command, name, notes)
            if not any(note.startswith(f"{name}: ") for note in notes):
                assert words(before[file], f"program:{name}") == words(after[file], f"program:{name}")
            elif not any(edit in note for note in notes for edit in EDITS):
                assert (
                    unexplained(words(before[file], f"program:{name}"), words(after[file], f"program:{name}"), notes)
                    == []
                )
        made = [piece for piece in planned.pieces if piece.before is None and "supervisor" in piece.path]
        if any(
            one.app == APP and one.command.kind == "queue:work" and not one.command.connection for one in site.launches
        ):
            assert not made, "something takes its jobs already"

        again = plan(root, with_env=with_env, unsafe=unsafe)
        assert [piece.path for piece in again.pieces] == [], "a second run changes nothing"
        assert install.write(again) == install.Done()

        changed = data.draw(st.sampled_from([None, *(piece.path for piece in planned.pieces)]))
        if changed is not None:
            (root / changed).write_bytes(after[changed] + b"# mine\n")
        if planned.pieces:
            removed = install.removal(str(root), APP)
            install.remove(removed)
            assert len(removed.reasons) == (changed is not None)
        left = texts(root)
        stays = {path for path in left if changed is not None and path.startswith(("var/lib/", changed))}
        backup = f"{Path(changed).parent}/.{Path(changed).name}.bak" if changed is not None else ""
        assert {p: d for p, d in left.items() if p not in stays | {backup}} == {
            p: d for p, d in before.items() if p != changed
        }
    finally:
        shutil.rmtree(root)
