"""Where the auditor's own data lies: rules/ and templates/, in a wheel and in a checkout alike."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = os.path.dirname(os.path.realpath(__file__))
"""The package's own folder."""


def data_path(name: str) -> str:
    """The folder `name` ("rules", "templates"): inside the package once installed, beside it in a checkout."""
    installed = f"{PACKAGE}/{name}"
    return installed if os.path.isdir(installed) else f"{os.path.dirname(PACKAGE)}/{name}"


def data_dir(name: str) -> Path:
    """The same, to look into."""
    from pathlib import Path

    return Path(data_path(name))
