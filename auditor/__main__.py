"""`python -m auditor` is `queue-auditor`."""

from auditor.cli import main

main()
