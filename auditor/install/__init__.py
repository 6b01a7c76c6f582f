"""The installing flow: what an app needs to have its queue and its schedule run, set up as a whole, and taken away again.

A plan tells everything first: what was found, the sums, each file, each setting of .env, what is left to a person, and how
the host would be judged. Writing it is another step. One app never gets a second worker or scheduler: what runs already is
made anew in its own file where that holds nothing else, and left to a person where it does.
"""

from __future__ import annotations

from auditor.install.model import Change, Piece, Plan
from auditor.install.plan import plan
from auditor.install.record import Done, write
from auditor.install.removal import Removal, removal, remove

__all__ = ["Change", "Done", "Piece", "Plan", "Removal", "plan", "removal", "remove", "write"]
