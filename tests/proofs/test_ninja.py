"""InvoiceNinja's settings, where what they do is Laravel's."""

from __future__ import annotations

from collections.abc import Callable

from tests.proofs.scenes import images, ninja

Prove = Callable[..., None]


def test_cache_has_no_table(prove: Prove) -> None:
    """No lock without its table."""
    prove(ninja.CacheHasNoTable, "sqlite")


def test_own_worker_reads_database(prove: Prove) -> None:
    """A worker that the schedule starts, and a queue elsewhere."""
    prove(ninja.OwnWorkerReadsDatabase)


def test_image_without_pcntl(prove: Prove) -> None:
    """The same lack in an image of InvoiceNinja's."""
    prove(images.NinjaWithoutPcntl)


def test_own_worker_ends_jobs(prove: Prove) -> None:
    """A worker that the schedule starts has no --timeout, which is one of 60 s."""
    prove(ninja.OwnWorkerEndsJobs, "sqlite")
