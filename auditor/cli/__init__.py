"""The command line: one thin module a command, each loaded only when it is called."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; `--version` alone answers before anything is imported."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from auditor import __version__

        print(f"queue-auditor {__version__}")
        return
    try:
        from auditor.cli.commands import run

        run()
    except KeyboardInterrupt:
        print("queue-auditor: interrupted.", file=sys.stderr)
        sys.exit(130)
