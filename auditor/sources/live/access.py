"""What a look needs to be told: where, with which password, for which queues and tables, and how long it may take."""

from __future__ import annotations

from typing import Final, NamedTuple, NoReturn

from auditor.facts.backend import Endpoint
from auditor.facts.redaction import HIDDEN


class Secret:
    """A password: it is in no fact, cannot be encoded or pickled, and shows as *** wherever it is printed."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Keep it."""
        self._text: Final = text

    def reveal(self) -> str:
        """The password itself: for the library that connects, and for nobody else."""
        return self._text

    def hide(self, text: str) -> str:
        """The text with the password taken out of it, as a server may have echoed it."""
        return text.replace(self._text, HIDDEN) if self._text else text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return HIDDEN

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret is not written anywhere.")


NO_SECRET = Secret("")


class Access:
    """An endpoint together with its password: handed to the look alone. It shows as the endpoint's name."""

    __slots__ = ("endpoint", "password")

    def __init__(self, endpoint: Endpoint, password: Secret = NO_SECRET) -> None:
        """Keep both."""
        self.endpoint = endpoint
        self.password = password

    def __repr__(self) -> str:
        return f"Access({self.endpoint.name!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("An access holds a secret, and is not written anywhere.")


class Queue(NamedTuple):
    """One queue to be counted."""

    name: str
    """Its name, without any prefix."""
    retry_after: float | None = None
    """The connection's retry_after in seconds; None where it is not known."""
    timeout: float | None = None
    """The longest time-out of its workers in seconds; None where it is not known, NEVER where there is none."""


class Tables(NamedTuple):
    """The names of the tables to look for, with their prefix; "" for one that the app does not use."""

    jobs: str = "jobs"
    """The queue's."""
    failed: str = "failed_jobs"
    """That of failed jobs."""
    cache: str = ""
    """The cache store's."""
    cache_locks: str = ""
    """That of the cache store's locks."""
    batches: str = ""
    """That of job batches."""


class Limits(NamedTuple):
    """How long a look may take."""

    connect: float = 2.0
    """Seconds to connect."""
    read: float = 2.0
    """Seconds for one answer."""
    total: float = 5.0
    """Seconds for everything together: then it is over, whatever the other side does."""
    window: float = 0.1
    """Seconds after which no more of a table's queue is read, if at least a hundred jobs were: a queue whose rows lie
    far apart costs a page of the disk for each."""


LIMITS = Limits()
