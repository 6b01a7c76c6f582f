"""How a message fails to be sent."""

from __future__ import annotations


class Unsent(Exception):
    """It was not taken: its text is a clause without any address or secret. A later try may go better."""


class Refused(Unsent):
    """It was not taken, and never will be as it is."""
