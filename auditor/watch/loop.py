"""The watch itself: a round, its state kept, whoever has to know told, and a wait until the next one is due."""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from auditor.findings import Severity
from auditor.notify.target import Target
from auditor.notify.web import request
from auditor.watch import outbox
from auditor.watch.metrics import metrics
from auditor.watch.problems import writable
from auditor.watch.round import Seen, Sight, make_round
from auditor.watch.serve import Server
from auditor.watch.state import StateFile, copied
from auditor.writing import replace

LATE = 3
"""So many intervals without a round, and the watch is not well."""


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What is done beside looking."""

    every: float = 60.0
    """Seconds from the beginning of one round to that of the next."""
    targets: tuple[Target, ...] = ()
    """Who is told."""
    severity: Severity = Severity.WARNING
    """Of what severity on."""
    per_hour: int = 20
    """Messages in an hour at most; what is beyond is told together later."""
    heartbeat: str = ""
    """A URL that is asked for after each round; "" for none."""
    textfile: str = ""
    """A file for Prometheus's node exporter; "" for none."""
    listen: str = ""
    """HOST:PORT for /healthz and /metrics; "" for none."""


class Clock:
    """The time that a watch lives by."""

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def passed(self) -> float:
        """Seconds since some moment: it never goes back."""
        return time.monotonic()

    def wait(self, wakened: int, seconds: float) -> None:
        """Until so many seconds have passed, or the file descriptor can be read."""
        select.select([wakened], [], [], max(0.0, seconds))


class Watch:
    """One watch, from its start to the signal that ends it."""

    def __init__(self, sight: Sight, file: StateFile, wishes: Wishes, say: Callable[[str], None]) -> None:
        """With the state that the file holds; `say` prints a sentence."""
        self.clock = Clock()
        self.sight = sight
        self.file = file
        self.wishes = wishes
        self.say = say
        self.host = socket.gethostname()
        self.seen: Seen | None = None
        self.stopping = False
        self._said: set[str] = set()
        self._ended = self.clock.passed()
        self.state, anew = file.load(writable(os.path.realpath(sight.path)))
        if anew:
            say(f"{anew}; it is begun anew, and logs are read from their end on.")

    def round(self, *, first: bool = False) -> Seen:
        """One round, its state kept, and what is due sent; raises UsageError in the first one."""
        now = self.clock.now()
        state = copied(self.state)
        seen = make_round(self.sight, state, now, self.stopped, first=first)
        told = [one for one in seen.changes if Severity(one.severity).rank >= self.wishes.severity.rank]
        if self.wishes.targets:
            outbox.add(state.outbox, told)
            outbox.seal(state.outbox, self.wishes.targets, self.host, now, self.wishes.per_hour)
        try:
            self.file.save(state)
        except OSError as problem:
            # Nothing of this round is kept or sent: the next one makes it again.
            self._say_once(f"the state {self.file.path} cannot be written: {(problem.strerror or '').lower()}.")
            return seen
        self.state, self.seen = state, seen
        self._ended = self.clock.passed()
        for change in seen.changes:
            self.say(f"{change.what}: {change.severity}: {change.text} ({change.rule})")
        self._say_only([*seen.lost, *self._send(now), *self._beat(seen), *self._textfile(seen)])
        return seen

    def _send(self, now: float) -> list[str]:
        def keep() -> None:
            with contextlib.suppress(OSError):
                self.file.save(self.state)

        return outbox.deliver(self.state.outbox, self.wishes.targets, now, keep, self.stopped)

    def _beat(self, seen: Seen) -> Iterator[str]:
        if self.wishes.heartbeat and not seen.failure and not self.stopping:
            problem = outbox.within(lambda: request(self.wishes.heartbeat))
            if problem is not None:
                yield f"the heartbeat was not taken: {problem}"

    def _textfile(self, seen: Seen) -> Iterator[str]:
        if self.wishes.textfile:
            try:
                replace(self.wishes.textfile, metrics(seen, self.state).encode("utf-8"), mode=0o644)
            except OSError as problem:
                yield f"{self.wishes.textfile} cannot be written: {(problem.strerror or '').lower()}"

    def _say_only(self, sentences: Sequence[str]) -> None:
        """Each once for as long as it holds: what fails each minute is not said each minute."""
        for sentence in sentences:
            self._say_once(sentence)
        self._said &= set(sentences)

    def _say_once(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            self.say(sentence)

    def run(self) -> None:
        """Round after round, until SIGTERM or SIGINT."""
        with _wakened(self._stop) as wakened, contextlib.ExitStack() as stack:
            if self.wishes.listen:
                server = Server(self.wishes.listen, {"/healthz": self._health, "/metrics": self._metrics})
                stack.callback(server.close)
                self.say(f"listening on port {server.port}.")
            self._ended = due = self.clock.passed()
            first = True
            while not self.stopping:
                self.round(first=first)
                first = False
                gc.collect()  # the command line puts it off, for commands that end soon; what failed looks leave are circles
                due += self.wishes.every
                late = self.clock.passed() - due
                if late > 0:  # a round that took too long is not made up for
                    due += (late // self.wishes.every + 1) * self.wishes.every
                if not self.stopping:
                    self.clock.wait(wakened, due - self.clock.passed())
            self.say("ended by a signal; the next start goes on from here.")

    def stopped(self) -> bool:
        """Whether a signal has asked for the end."""
        return self.stopping

    def _stop(self) -> None:
        self.stopping = True

    def _late(self) -> bool:
        return self.clock.passed() - self._ended > LATE * self.wishes.every + 30

    def _health(self) -> tuple[int, str, str]:
        seen, late = self.seen, self._late()
        tracks = seen.open() if seen is not None else []
        errors = sum(one.severity is Severity.ERROR for one in tracks)
        status = (
            "starting" if seen is None else "late" if late else "error" if errors else "warning" if tracks else "ok"
        )
        if status == "warning" and all(one.severity is Severity.NOTE for one in tracks):
            status = "ok"
        page = {
            "status": status,
            "time": None if seen is None else seen.time,
            "problems": [
                {"rule": t.rule, "subject": t.subject, "severity": t.severity, "text": t.text} for t in tracks
            ],
        }
        bad = seen is None or late or errors > 0
        return 503 if bad else 200, "application/json", msgspec.json.encode(page).decode() + "\n"

    def _metrics(self) -> tuple[int, str, str]:
        if self.seen is None:
            return 503, "text/plain; charset=utf-8", "The first round is not over yet.\n"
        return 200, "text/plain; version=0.0.4; charset=utf-8", metrics(self.seen, self.state)


@contextlib.contextmanager
def _wakened(stop: Callable[[], None]) -> Iterator[int]:
    """A file descriptor that becomes readable when SIGTERM or SIGINT has come, and `stop` called by then."""
    end, begin = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def heard(_number: int, _frame: Any) -> None:
        stop()

    before = {number: signal.signal(number, heard) for number in (signal.SIGTERM, signal.SIGINT)}
    woken = signal.set_wakeup_fd(begin, warn_on_full_buffer=False)
    try:
        yield end
    finally:
        signal.set_wakeup_fd(woken)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(end)
        os.close(begin)


def say(sentence: str) -> None:
    """On standard error, where systemd and supervisor keep it; a reader that has gone is nobody to tell."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"queue-auditor: {sentence}\n")
        sys.stderr.flush()


def one_round(sight: Sight, file: StateFile, wishes: Wishes) -> Seen:
    """A single round, for `--once`."""
    return Watch(sight, file, wishes, say).round(first=True)
