"""What runs badly, asked while it runs."""

from __future__ import annotations

from collections.abc import Callable

from tests.proofs.scenes import live

Prove = Callable[..., None]


def test_nobody_answers(prove: Prove) -> None:
    """A port on which nothing listens."""
    prove(live.NobodyAnswers)
