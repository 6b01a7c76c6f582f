"""One look: in a thread of its own, over when its time is over, and every way it can fail made into a Probe.

Time-outs on single reads do not bound a look: a server may send a byte each second, a name server may not answer at
all, a file may lie on a dead network mount. So the look runs beside us, and we wait for no longer than its time.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from auditor.facts.backend import Probe
from auditor.facts.origin import observed
from auditor.sources.live.access import NO_SECRET, Secret

T = TypeVar("T")


class NoAnswer(Exception):
    """A look that failed: its outcome is one of OUTCOMES, its reason a clause without a full stop."""

    def __init__(self, outcome: str, reason: str) -> None:
        """Keep both."""
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason


class Clock:
    """The time one look has, and how to end what it has open."""

    def __init__(self, total: float) -> None:
        """It starts now."""
        self._begun = time.monotonic()
        self._end = self._begun + total
        self._closers: list[Callable[[], object]] = []

    @property
    def spent(self) -> float:
        """Seconds since it started."""
        return time.monotonic() - self._begun

    @property
    def left(self) -> float:
        """Seconds until it is over; never below 0."""
        return max(self._end - time.monotonic(), 0.0)

    def within(self, seconds: float) -> float:
        """So many seconds, or what is left; raises NoAnswer where nothing is."""
        if self.left <= 0:
            raise NoAnswer("timeout", "its time was over")
        return max(min(seconds, self.left), 0.001)

    @contextlib.contextmanager
    def closing(self, close: Callable[[], object]) -> Iterator[None]:
        """Close at the end of the block, and when the time is over, so that a read that hangs comes to its end."""
        self._closers.append(close)
        try:
            yield
        finally:
            self._closers.remove(close)
            with contextlib.suppress(Exception):
                close()

    def close_all(self) -> None:
        """Close whatever is open."""
        for close in list(self._closers):
            with contextlib.suppress(Exception):
                close()


class Looked(Generic[T]):
    """What came of a look."""

    def __init__(self, value: T | None, outcome: str, reason: str, seconds: float) -> None:
        """Keep it."""
        self.value = value
        """What was found; None where it failed."""
        self.outcome = outcome
        self.reason = reason
        self.seconds = seconds

    def probe(self, kind: str, name: str, app: str = "", connection: str = "") -> Probe:
        """As a fact."""
        return Probe(
            marks=dict.fromkeys(("name", "outcome", "reason", "seconds"), observed()),
            kind=kind,
            name=name,
            app=app,
            connection=connection,
            outcome=self.outcome,
            reason=self.reason,
            seconds=self.seconds,
        )


def look(ask: Callable[[Clock], T], total: float, secret: Secret = NO_SECRET) -> Looked[T]:
    """Call `ask` with a Clock, for no longer than `total` seconds; never raises."""
    import threading

    clock = Clock(total)
    done: list[tuple[T | None, str, str]] = []

    def run() -> None:
        try:
            done.append((ask(clock), "ok", ""))
        except Exception as error:  # noqa: BLE001 - whatever a library raises on a broken answer is a failed look
            outcome, reason = classify(error)
            if clock.left <= 0:
                outcome, reason = "timeout", _OVER.format(total)
            done.append((None, outcome, _short(secret.hide(reason))))

    thread = threading.Thread(target=run, name="look", daemon=True)
    thread.start()
    thread.join(total)
    if not done:
        clock.close_all()
        # What hangs in a read wakes up with an error: it has no say any more, but it should be gone before we are.
        thread.join(0.2)
    value, outcome, reason = done[0] if done else (None, "timeout", _OVER.format(total))
    return Looked(value, outcome, reason, round(clock.spent, 4))


_OVER = "it did not answer within {:g} s"


def unsupported(reason: str) -> Looked[None]:
    """A look that is not taken, and why."""
    return Looked(None, "unsupported", reason, 0.0)


def classify(error: BaseException) -> tuple[str, str]:
    """The outcome and reason of an exception, told by the first known one in its chain; its own text is not used."""
    for one in _chain(error):
        if isinstance(one, NoAnswer):
            return one.outcome, one.reason
    for one in _chain(error):
        found = _of_system(one)
        if found is not None:
            return found
    return "protocol", f"its answer makes no sense ({type(error).__name__})"


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__


def _of_system(error: BaseException) -> tuple[str, str] | None:
    import socket

    if isinstance(error, TimeoutError):
        return "timeout", "it did not answer in time"
    if isinstance(error, socket.gaierror):
        return "refused", "its host's name is not known"
    if isinstance(error, ConnectionRefusedError):
        return "refused", "nobody listens there"
    if isinstance(error, FileNotFoundError):
        return "refused", "its socket is not there"
    if isinstance(error, PermissionError):
        return "denied", "this account may not open it"
    if isinstance(error, ConnectionError | EOFError):  # reset, aborted, broken pipe
        return "gone", "it closed the connection before it had answered"
    if isinstance(error, OSError) and type(error).__module__ == "ssl":
        return "protocol", _tls(error)
    if isinstance(error, OSError):
        return "refused", f"it cannot be reached ({error.strerror or type(error).__name__})"
    return None


def _tls(error: OSError) -> str:
    if type(error).__name__ == "SSLCertVerificationError":
        return "its certificate is not one that is trusted here"
    if type(error).__name__ in ("SSLEOFError", "SSLZeroReturnError"):
        return "it closed the connection while it was to be encrypted"
    return "the connection cannot be encrypted"


def _short(text: str) -> str:
    text = " ".join("".join(c if c.isprintable() else " " for c in text[:600]).split())
    return text if len(text) <= 200 else text[:200] + " …"
