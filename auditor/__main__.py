"""`python -m auditor` is `queue-auditor`."""

from __future__ import annotations

from auditor.cli import main

main()
