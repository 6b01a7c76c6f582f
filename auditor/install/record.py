"""Writing a plan, and the record of what was written, by which it can be taken away again."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path

import msgspec

from auditor.install.model import Plan
from auditor.remedies.deliver import Write, deliver
from auditor.remedies.manifest import Manifest, WrittenFile, digest, manifest_path, read_manifest, written
from auditor.sources.tree import Tree


class Done(msgspec.Struct, frozen=True):
    """What was written."""

    files: tuple[Path, ...] = ()
    """The files, on this machine."""
    backups: tuple[Path, ...] = ()
    """The copies of what they held before."""


def load_manifest(tree: Tree, app: str) -> Manifest | None:
    """What an earlier run wrote for an app; None where there was none. Raises Unreadable."""
    path = manifest_path(app)
    return read_manifest(tree.read(path), path) if tree.stat(path) is not None else None


def target(tree: Tree, path: str) -> Path:
    """Where a path below the root lies on this machine, its folders there or not; symlinks stay inside the root."""
    missing: list[str] = []
    here = path
    while here and tree.stat(here) is None:
        here, _, name = here.rpartition("/")
        missing.append(name)
    return Path(tree.host_path(here)).joinpath(*reversed(missing))


def is_foreign(tree: Tree, path: str) -> bool:
    """Whether it is a symlink that leads to another owner's file: root must not write where an app's account points.

    A link of root's, or one whose owner is the file's, is followed, as the kernel does it in shared folders.
    """
    folder, _, name = path.rpartition("/")
    try:
        link = (Path(tree.host_path(folder)) / name).lstat()
    except OSError:
        return False
    found = tree.stat(path)
    return found is not None and stat.S_ISLNK(link.st_mode) and link.st_uid not in (0, found.st_uid)


def held_by(tree: Tree, path: str) -> bytes | None:
    """What a file holds; None where it is not there."""
    return tree.read(path) if tree.stat(path) is not None else None


def write(plan: Plan) -> Done:
    """Write a plan's files and the record of them, all or none; raises CannotMend."""
    tree = Tree(plan.root)
    old = load_manifest(tree, plan.app)
    writes = []
    for piece in plan.pieces:
        known = old.file(piece.path) if old is not None else None
        ours = known is not None and piece.before is not None and digest(piece.before) == known.sha256
        writes.append(Write(piece.path, target(tree, piece.path), piece.before, piece.after, backup=not ours))
    if not writes:
        return Done()
    path = manifest_path(plan.app)

    def record(backups: Sequence[Path]) -> Write:
        return Write(path, target(tree, path), held_by(tree, path), written(_manifest(plan, old, writes, backups)))

    backups = deliver(writes, record=record)
    return Done(tuple(write.target for write in writes), tuple(backups))


def _manifest(plan: Plan, old: Manifest | None, writes: Sequence[Write], backups: Sequence[Path]) -> Manifest:
    files = {one.path: one for one in (old.files if old is not None else ())}
    left = iter(backups)
    for one in writes:
        known = files.get(one.shown)
        if known is not None and not one.backup:
            files[one.shown] = msgspec.structs.replace(known, sha256=digest(one.after))
            continue
        backup = next(left).relative_to(plan.root).as_posix() if one.before is not None else None
        kept = digest(one.before) if one.before is not None else None
        files[one.shown] = WrittenFile(one.shown, digest(one.after), backup, kept)
    return Manifest(
        app=plan.app,
        profile=plan.profile,
        files=tuple(files[path] for path in sorted(files)),
        conf=plan.conf,
        groups=tuple(sorted({*plan.groups, *(old.groups if old is not None else ())})),
    )
