"""The installing flow: what an app needs to have its queue and its schedule run, set up as a whole, and taken away again.

A plan tells everything first: what was found, the sums, each file, each setting of .env, and what is left to a person.
Writing it is another step. What runs already is mended and never replaced: every option that no rule objects to stays.
"""

from __future__ import annotations

from auditor.install.model import Piece, Plan, Setting
from auditor.install.plan import plan
from auditor.install.record import Done, write
from auditor.install.removal import Removal, removal, remove

__all__ = ["Done", "Piece", "Plan", "Removal", "Setting", "plan", "removal", "remove", "write"]
