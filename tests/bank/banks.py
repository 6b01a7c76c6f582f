"""Four banks behind the provider, by a clock of our own: each grants four calls a day, one closes after five idle days."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from tests.bank.provider import TOKEN, Answer, Asked, Provider, account, failure

DAY = 86_400.0
GRANTED = 4
"""Successful calls in 24 hours, for each account and kind of data."""


class Clock:
    """The story's present: one offset to this machine's time, which everything inside the host reads from a file."""

    def __init__(self, file: Path, start: float) -> None:
        """It begins at `start`, in seconds since 1970."""
        self.file = file
        self.offset = 0.0
        self.set(start)

    def set(self, moment: float) -> None:
        """Go to a moment."""
        self.offset = moment - time.time()
        self.file.write_text(f"{self.offset:+.3f}\n")

    @property
    def now(self) -> float:
        """The story's present."""
        return time.time() + self.offset


class Banks(Provider):
    """The provider with the banks' own clocks and counts."""

    def __init__(self, now: Callable[[], float], closes: dict[str, float]) -> None:
        """`closes` maps an account to the days without data after which its bank ends the access."""
        super().__init__()
        self.now = now
        self.closes = closes
        self.last: dict[str, float] = {}
        self.calls: dict[tuple[str, str], list[float]] = defaultdict(list)
        self.refused: list[tuple[str, str]] = []
        """Account and kind of each call over the limit."""

    def connect(self, identity: str) -> None:
        """The holder consents: the access is open."""
        self.accounts[identity] = account(identity)
        self.last[identity] = self.now()

    def status(self, identity: str) -> str:
        """READY, or ERROR where the bank has ended the access: the requisition says nothing of it."""
        if self.now() - self.last[identity] >= self.closes.get(identity, 90) * DAY:
            self.accounts[identity] = account(identity, "ERROR")
        return str(self.accounts[identity]["status"])

    def usual(self, asked: Asked) -> Answer:
        """As the provider, with the data of accounts."""
        parts = asked.path.strip("/").split("/")
        if parts[0] != "accounts" or asked.authorization != f"Bearer {TOKEN}" or parts[1] not in self.accounts:
            return super().usual(asked)
        status = self.status(parts[1])
        return self.data(parts[1], parts[2], status) if len(parts) == 3 else super().usual(asked)

    def data(self, identity: str, kind: str, status: str) -> Answer:
        """Details, balances or transactions: counted, and the only thing that a bank takes for a sign of use."""
        if status != "READY":
            return failure(401, "Access has expired or it has been revoked", "")
        calls = [moment for moment in self.calls[identity, kind] if moment > self.now() - DAY]
        if len(calls) >= GRANTED:
            self.refused.append((identity, kind))
            return failure(429, "Rate limit exceeded", "Daily request limit set by the Institution has been exceeded")
        self.calls[identity, kind] = [*calls, self.now()]
        self.last[identity] = self.now()
        return 200, {kind: {"booked": [], "pending": []}}, {}
