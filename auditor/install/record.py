"""Writing a plan, and the record of what was written, by which it can be taken away again."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path

import msgspec

from auditor.errors import CannotMend
from auditor.install.model import Plan
from auditor.remedies.deliver import Write, deliver
from auditor.remedies.manifest import (
    Manifest,
    WrittenFile,
    WrittenSetting,
    digest,
    manifest_path,
    read_manifest,
    written,
)
from auditor.sources.tree import Tree


def load_manifest(tree: Tree, app: str) -> Manifest | None:
    """What an earlier run wrote for an app; None where there was none. Raises Unreadable."""
    path = manifest_path(app)
    if tree.stat(path) is None:
        return None
    return read_manifest(tree.read(path), path)


def target(tree: Tree, path: str) -> Path:
    """Where a path below the root lies on this machine, its folders there or not; symlinks stay inside the root."""
    missing: list[str] = []
    here = path
    while here and tree.stat(here) is None:
        here, _, name = here.rpartition("/")
        missing.append(name)
    return Path(tree.host_path(here)).joinpath(*reversed(missing))


class Done(msgspec.Struct, frozen=True):
    """What was written."""

    files: tuple[Path, ...] = ()
    """The files, on this machine."""
    backups: tuple[Path, ...] = ()
    """The copies of what they held before."""


def write(plan: Plan, folder: Path | None = None) -> Done:
    """Write a plan's files and its manifest, all files or none; with a folder, below that. Raises CannotMend."""
    root = folder if folder is not None else plan.root
    root.mkdir(parents=True, exist_ok=True)
    tree = Tree(root)
    manifest = load_manifest(tree, plan.app)
    pieces = [piece for piece in plan.changed if folder is None or held_by(tree, piece.path) != piece.after]
    writes = []
    for piece in pieces:
        known = manifest.file(piece.path) if manifest is not None else None
        before = piece.before if folder is None else held_by(tree, piece.path)
        ours = known is not None and before is not None and digest(before) == known.sha256
        writes.append(Write(piece.path, target(tree, piece.path), before, piece.after, backup=not ours))
    manifest_file = target(tree, manifest_path(plan.app))
    if writes:
        _make(manifest_file.parent, manifest_path(plan.app))
    backups = deliver(writes)
    new = _manifest(plan, manifest, writes, backups)
    data, held = written(new), held_by(tree, manifest_path(plan.app))
    if writes and held != data:
        deliver([Write(manifest_path(plan.app), manifest_file, held, data)], backup=False)
    return Done(tuple(write.target for write in writes), tuple(backups))


def _make(folder: Path, shown: str) -> None:
    """Make the manifests' folder first, so that nothing is written where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise CannotMend(shown, f"its folder cannot be made: {reason}; nothing was changed") from None


def held_by(tree: Tree, path: str) -> bytes | None:
    """What a file holds; None where it is not there."""
    return tree.read(path) if tree.stat(path) is not None else None


def _manifest(plan: Plan, old: Manifest | None, writes: Sequence[Write], backups: Sequence[Path]) -> Manifest:
    files = {one.path: one for one in (old.files if old is not None else ())}
    left = list(backups)
    env_backups = list(old.env_backups if old is not None else ())
    env_path = plan.env_piece.path if plan.env_piece is not None else None
    wrote_env = False
    for one in writes:
        backup = left.pop(0) if one.backup and one.before is not None else None
        name = f"{posixpath.dirname(one.shown)}/{backup.name}".lstrip("/") if backup is not None else None
        if one.shown == env_path:
            wrote_env = True
            env_backups += [name] if name is not None else []
            continue
        known = files.get(one.shown)
        if known is not None and not one.backup:
            files[one.shown] = msgspec.structs.replace(known, sha256=digest(one.after))
        else:
            kept = digest(one.before) if one.before is not None and name is not None else None
            files[one.shown] = WrittenFile(one.shown, digest(one.after), name, kept)
    settings = {one.name: one for one in (old.env if old is not None else ())}
    for change in plan.env if wrote_env else ():
        known_setting = settings.get(change.name)
        ours = known_setting is not None and change.now == known_setting.value
        before = known_setting.before if known_setting is not None and ours else change.now
        settings[change.name] = WrittenSetting(change.name, change.wanted, before)
    return Manifest(
        app=plan.app,
        profile=plan.profile,
        files=tuple(files[path] for path in sorted(files)),
        env_file=env_path if wrote_env else (old.env_file if old is not None else None),
        env=tuple(settings.values()),
        env_backups=tuple(env_backups),
        conf=plan.conf,
        group=plan.group,
    )
