"""A watch whose waits pass at once: `python -m tests.watch.fast CLOCK watch …`; its clock is the file CLOCK, and outlives it.

Everything else is as it is: the process and its signals, the servers it asks and their time-outs, the files. libfaketime
would not do: under a clock that is a hundred times as fast, two seconds in which a server may answer are twenty milliseconds.
"""

from __future__ import annotations

import select
import sys
from pathlib import Path

from auditor.cli import main
from auditor.watch import loop

PAUSE = 0.02
"""Seconds that a wait really takes."""


class Fast(loop.Clock):
    """The time that a file holds, put on by each wait."""

    path = Path(sys.argv[1])

    def now(self) -> float:
        """As the file has it."""
        return float(self.path.read_text())

    def passed(self) -> float:
        """The same: it never goes back."""
        return self.now()

    def wait(self, wakened: int, seconds: float) -> None:
        """At once."""
        if not select.select([wakened], [], [], PAUSE)[0]:
            new = self.path.with_suffix(".new")
            new.write_text(str(self.now() + seconds))
            new.replace(self.path)


if __name__ == "__main__":
    loop.Clock = Fast  # type: ignore[misc] # the one thing that is not as it is
    del sys.argv[1]
    main()
