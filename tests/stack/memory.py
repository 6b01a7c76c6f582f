"""A limit to the memory of everything that runs on a host, as a container has it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

from tests.stack.polling import StackError, until

GROUPS = Path("/sys/fs/cgroup")


class MemoryLimit:
    """A memory cgroup of the tests' own; the kernel kills in it, and nothing of the machine beside it."""

    def __init__(self, mebibytes: int) -> None:
        """Make it, empty; raises StackError where the machine lets none be made."""
        first = GROUPS / "memory"  # cgroup v1 has a folder for memory alone
        version_1 = first.is_dir()
        self.folder = (first if version_1 else GROUPS) / f"auditor-{secrets.token_hex(4)}"
        try:
            if not version_1 and "memory" not in (GROUPS / "cgroup.subtree_control").read_text().split():
                (GROUPS / "cgroup.subtree_control").write_text("+memory")
            self.folder.mkdir()
            limit = self.folder / ("memory.limit_in_bytes" if version_1 else "memory.max")
            limit.write_text(str(mebibytes << 20))
            swap = self.folder / "memory.swap.max"
            if swap.exists():
                swap.write_text("0")
        except OSError as problem:
            self.remove()
            raise StackError(
                f"This machine lets no memory cgroup be made (a container needs it writable): {problem}"
            ) from None

    def enter(self, words: Sequence[str]) -> list[str]:
        """The words that start `words` in it."""
        return ["/bin/sh", "-c", 'echo 0 > "$0" && exec "$@"', str(self.folder / "cgroup.procs"), *words]

    def remove(self) -> None:
        """Remove it; whatever ran in it has ended."""

        def gone() -> bool:
            try:
                self.folder.rmdir()
            except FileNotFoundError:
                return True
            except OSError:  # the kernel has not yet done with who ran there
                return False
            return True

        until(gone, 5, f"{self.folder} can be removed")
