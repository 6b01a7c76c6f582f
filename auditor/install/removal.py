"""Taking an installation away: exactly what was written, and nothing that was changed since."""

from __future__ import annotations

import contextlib
import posixpath
from pathlib import Path

import msgspec

from auditor.errors import CannotMend, UsageError
from auditor.install.record import held_by, load_manifest, target
from auditor.remedies.deliver import Write, deliver
from auditor.remedies.manifest import Manifest, WrittenFile, digest, manifest_path, written
from auditor.sources.survey import below
from auditor.sources.tree import Tree


class Removal(msgspec.Struct, frozen=True, kw_only=True):
    """What an uninstallation would do."""

    root: Path
    """The root on this machine."""
    manifest: Manifest
    """What had been written."""
    deletes: tuple[str, ...] = ()
    """Files that were made, and go."""
    restores: tuple[tuple[str, bytes, bytes], ...] = ()
    """Files that get back what they held: path, what they hold, what they held."""
    refused: tuple[WrittenFile, ...] = ()
    """Files that stay as they are, and stay on record."""
    reasons: tuple[str, ...] = ()
    """Why, a sentence each."""
    clears: tuple[str, ...] = ()
    """Copies that are not needed any more."""

    @property
    def changes(self) -> bool:
        """Whether there is a file to delete or to give back."""
        return bool(self.deletes or self.restores)


def removal(path: str, app: str) -> Removal:
    """What would take an installation away; raises UsageError where there is none, Unreadable."""
    tree = Tree(path)
    name = tree.relative(below(tree, app)) or "."
    manifest = load_manifest(tree, name)
    if manifest is None:
        raise UsageError(f"queue-auditor has installed nothing for {app} here: there is no {manifest_path(name)}")
    deletes: list[str] = []
    restores: list[tuple[str, bytes, bytes]] = []
    refused: list[WrittenFile] = []
    reasons: list[str] = []
    clears: list[str] = []
    for one in manifest.files:
        held = held_by(tree, one.path)
        old = held_by(tree, one.backup) if one.backup is not None else None
        whole = old is not None and digest(old) == one.backup_sha256
        now = digest(held) if held is not None else None
        if now == one.backup_sha256:  # somebody has taken it away already
            clears += [one.backup] if one.backup is not None and whole else []
        elif held is None or now != one.sha256:
            refused.append(one)
            before = f"; what it was before lies in {one.backup}" if one.backup is not None and whole else ""
            reasons.append(f"{one.path} was {'deleted' if held is None else 'changed'} since, and stays so{before}")
        elif one.backup is None:
            deletes.append(one.path)
        elif old is None or not whole:
            refused.append(one)
            reasons.append(f"{one.path} stays: its backup {one.backup} is {'gone' if old is None else 'changed'}")
        else:
            restores.append((one.path, held, old))
            clears.append(one.backup)
    return Removal(
        root=Path(tree.root),
        manifest=manifest,
        deletes=tuple(deletes),
        restores=tuple(restores),
        refused=tuple(refused),
        reasons=tuple(reasons),
        clears=tuple(clears),
    )


def remove(plan: Removal) -> list[str]:
    """Do it; gives the paths that were given back or deleted. Raises CannotMend."""
    tree = Tree(plan.root)
    own = manifest_path(plan.manifest.app)
    writes = [Write(path, target(tree, path), held, old) for path, held, old in plan.restores]
    deliver(writes, backup=False)
    _delete(tree, (*plan.deletes, *plan.clears))
    if plan.refused:
        left = msgspec.structs.replace(plan.manifest, files=plan.refused)
        deliver([Write(own, target(tree, own), held_by(tree, own), written(left))], backup=False)
    else:
        _delete(tree, (own,))
        with contextlib.suppress(OSError):
            target(tree, posixpath.dirname(own)).rmdir()
    return [*(write.shown for write in writes), *plan.deletes]


def _delete(tree: Tree, paths: tuple[str, ...]) -> None:
    for path in paths:
        try:
            target(tree, path).unlink(missing_ok=True)
        except OSError as problem:
            raise CannotMend(path, f"it cannot be deleted: {(problem.strerror or str(problem)).lower()}") from None
