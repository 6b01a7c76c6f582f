"""Puts the compiled rules into a wheel, so that no installation has to make them, or to be writable for that."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledRules(BuildHookInterface):  # type: ignore[type-arg] # hatchling's own example leaves it bare
    """Writes auditor/_shelf.py for the wheel alone: a checkout, and so an editable install, makes its own."""

    made: Path | None = None
    """The folder that holds it until the wheel is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Check the rules of this source tree, compile them, and have them packed; a refused rule ends the build."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        try:
            from auditor.judge import shelf

            text = shelf.module()
        finally:
            sys.path.remove(self.root)
        self.made = Path(tempfile.mkdtemp(prefix="queue-auditor-"))
        (self.made / "_shelf.py").write_text(text, encoding="utf-8")
        build_data["force_include"][str(self.made / "_shelf.py")] = "auditor/_shelf.py"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - hatchling's
        """Take it away again."""
        if self.made is not None:
            shutil.rmtree(self.made)
