"""Taking an installation away: exactly what was written, and nothing that was changed since."""

from __future__ import annotations

import contextlib
import posixpath
from pathlib import Path

import msgspec

from auditor.errors import CannotMend, UsageError
from auditor.install.record import held_by, load_manifest, target
from auditor.install.settings import fault_of, with_settings
from auditor.remedies.deliver import Write, deliver
from auditor.remedies.env_edit import quoted
from auditor.remedies.manifest import Manifest, digest, manifest_path
from auditor.sources.dotenv import parse
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
    env: tuple[bytes, bytes] | None = None
    """The .env, now and with its settings as they were; None where it stays."""
    settings: tuple[str, ...] = ()
    """Those settings, as a sentence tells them."""
    kept: tuple[str, ...] = ()
    """What stays, and why, a sentence each."""
    clears: tuple[str, ...] = ()
    """Copies that are not needed any more."""


def removal(path: str, app: str) -> Removal:
    """What would take an installation away; raises UsageError where there is none, Unreadable."""
    tree = Tree(path)
    name = tree.relative(app) or "."
    manifest = load_manifest(tree, name)
    if manifest is None:
        raise UsageError(f"queue-auditor has installed nothing for {app} here: there is no {manifest_path(name)}")
    deletes, restores, kept, clears = [], [], [], []
    for one in manifest.files:
        held = held_by(tree, one.path)
        if held is None:
            kept.append(f"{one.path} is gone already")
        elif digest(held) != one.sha256:
            kept.append(
                f"{one.path} was changed since, and stays" + (f"; before it was {one.backup}" if one.backup else "")
            )
        elif one.backup is None:
            deletes.append(one.path)
        else:
            old = held_by(tree, one.backup)
            if old is None or digest(old) != one.backup_sha256:
                kept.append(f"{one.path} stays: its backup {one.backup} is {'gone' if old is None else 'changed'}")
            else:
                restores.append((one.path, held, old))
                clears.append(one.backup)
    env, settings, env_kept = _env_removal(tree, manifest)
    if not env_kept:
        clears += [name for name in manifest.env_backups if tree.stat(name) is not None]
    return Removal(
        root=tree.root,
        manifest=manifest,
        deletes=tuple(deletes),
        restores=tuple(restores),
        env=env,
        settings=tuple(settings),
        kept=(*kept, *env_kept),
        clears=tuple(clears),
    )


def _env_removal(tree: Tree, manifest: Manifest) -> tuple[tuple[bytes, bytes] | None, list[str], list[str]]:
    path = manifest.env_file
    data = held_by(tree, path) if path is not None else None
    if path is None or not manifest.env:
        return None, [], []
    if data is None:
        return None, [], [f"{path} is gone already"]
    parsed = parse(data, path)
    fault = fault_of(parsed)
    if fault:
        return None, [], [f"{path} {fault}, and stays"]
    values = parsed.values()
    kept = [
        f"{one.name} in {path} was changed since, and stays"
        for one in manifest.env
        if values.get(one.name) != one.value
    ]
    back = {one.name: one.before for one in manifest.env if values.get(one.name) == one.value}
    if not back:
        return None, [], kept
    told = [
        f"{name} is {'taken out' if before is None else f'{quoted(before)} again'}" for name, before in back.items()
    ]
    try:
        return (data, with_settings(data, parsed, back)), told, kept
    except CannotMend as problem:
        return None, [], [*kept, f"{path} stays: {problem.reason}"]


def remove(plan: Removal) -> list[str]:
    """Do it; gives the paths that were written or deleted. Raises CannotMend."""
    tree = Tree(plan.root)
    writes = [Write(path, target(tree, path), held, old) for path, held, old in plan.restores]
    if plan.env is not None and plan.manifest.env_file is not None:
        held, old = plan.env
        writes.append(Write(plan.manifest.env_file, target(tree, plan.manifest.env_file), held, old))
    deliver(writes, backup=False)
    own = manifest_path(plan.manifest.app)
    for path in (*plan.deletes, *plan.clears, own):
        try:
            target(tree, path).unlink(missing_ok=True)
        except OSError as problem:
            raise CannotMend(path, f"it cannot be deleted: {(problem.strerror or str(problem)).lower()}") from None
    with contextlib.suppress(OSError):
        target(tree, posixpath.dirname(own)).rmdir()
    return [*(write.shown for write in writes), *plan.deletes]
