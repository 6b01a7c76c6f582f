"""How a harm is proved: the bad host shows it for real, the one put right does not."""

from __future__ import annotations

from pathlib import Path

from tests.proofs.scenes.scene import Scene
from tests.stack.backends import Backend


def prove(kind: type[Scene], folder: Path, backend: Backend) -> None:
    """Run the scene's bad host, then its good one."""
    scene = kind(backend)
    bad = scene.lay_out(folder / "bad", bad=True)
    scene.harmed(scene.observe(bad))
    good = scene.lay_out(folder / "good", bad=False)
    scene.unharmed(scene.observe(good))
