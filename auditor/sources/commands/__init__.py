"""Command lines: what a program, a cron line or a unit starts, understood from its text alone.

Nothing is run, looked up or opened. `understand` never raises for what a command holds.
"""

from __future__ import annotations

from auditor.sources.commands.understand import understand, understand_all

__all__ = ["understand", "understand_all"]
