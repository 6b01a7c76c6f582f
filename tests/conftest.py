"""What every test may count on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("house", deadline=None, print_blob=True)  # a shared machine's pauses are no failures
settings.load_profile("house")

for _name in [name for name in os.environ if name.startswith("QUEUE_AUDITOR_")]:
    del os.environ[_name]  # every flag is also an environment variable: none of the tester's own shall reach a test


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The project's top folder."""
    return Path(__file__).resolve().parents[1]
