"""The oracles of this folder: both supervisors, started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.supervisor.oracle import Oracle, pythons


@pytest.fixture(scope="session")
def supervisors() -> Iterator[list[Oracle]]:
    """Supervisor 4.3.0 of the environment, and Debian's."""
    started = [Oracle(python) for python in pythons()]
    yield started
    for one in started:
        one.close()
