"""queue-auditor: judge and mend the queue workers, supervisor programs and scheduler of a Laravel host."""

from __future__ import annotations

__version__ = "0.1.0"
