"""What is still to be sent: made once, kept in the state, sent to each target until it takes it or is given up."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import msgspec

from auditor.notify.failures import Refused, Unsent
from auditor.notify.message import Change, Message
from auditor.notify.target import Target

SECONDS = 30.0
"""One try takes no longer: then it counts as failed, whatever the other side does."""
FIRST_WAIT = 30.0
"""Seconds before the second try; each further one waits twice as long."""
LONGEST_WAIT = 3600.0
TRIES = 12
"""So many tries, over some seven hours, and a target is given up for that message."""
MOST_WAITING = 200
"""Messages that are kept; the oldest are given up."""
MOST_PENDING = 1000
"""Changes that wait for a message; the oldest are given up."""


class Try(msgspec.Struct):
    """One message to one target."""

    tries: int = 0
    """How often it was tried."""
    due: float = 0.0
    """When it is tried next."""
    why: str = ""
    """Why it was not taken, as a clause."""


class Waiting(msgspec.Struct):
    """A message that not every target has."""

    message: Message
    left: dict[str, Try]
    """Name of a target to how often it was tried."""


class Outbox(msgspec.Struct):
    """All of it."""

    pending: list[Change] = []
    """What no message tells yet."""
    waiting: list[Waiting] = []
    """Messages that were made."""
    made: list[float] = []
    """When messages were made, within the last hour."""
    sent: dict[str, int] = {}
    """Name of a target to how many messages it took."""
    failed: dict[str, int] = {}
    """Name of a target to how many were given up."""
    untold: int = 0
    """Messages and changes given up since the last message."""


def add(outbox: Outbox, changes: Sequence[Change]) -> None:
    """Take in what is to be told."""
    outbox.pending += changes
    over = len(outbox.pending) - MOST_PENDING
    if over > 0:
        del outbox.pending[:over]
        outbox.untold += over


def seal(outbox: Outbox, targets: Sequence[Target], host: str, now: float, per_hour: int) -> None:
    """Make one message of all that is to be told, where the hour has not had its number of them yet."""
    outbox.made = [at for at in outbox.made if 0 <= now - at < 3600]
    if not outbox.pending or not targets or len(outbox.made) >= per_hour:
        return
    import uuid

    lost = (
        "1 earlier message or change was" if outbox.untold == 1 else f"{outbox.untold} earlier messages or changes were"
    )
    message = Message(
        id=str(uuid.uuid4()),
        time=now,
        host=host,
        changes=tuple(outbox.pending),
        note=f"{lost} given up and not told." if outbox.untold else "",
    )
    outbox.waiting.append(Waiting(message, {target.name: Try() for target in targets}))
    outbox.pending, outbox.untold = [], 0
    outbox.made.append(now)
    for dropped in outbox.waiting[:-MOST_WAITING]:
        for name in dropped.left:
            _give_up(outbox, name)
    outbox.waiting = outbox.waiting[-MOST_WAITING:]


def deliver(
    outbox: Outbox,
    targets: Sequence[Target],
    now: float,
    keep: Callable[[], None],
    stopped: Callable[[], bool] = bool,
) -> list[str]:
    """Try what is due; gives why a target did not take it, a sentence each. `keep` writes the state after each try."""
    known = {target.name: target for target in targets}
    told, down = [], set()
    for waiting in list(outbox.waiting):
        for name, attempt in list(waiting.left.items()):
            if name not in known:  # it is configured no more
                del waiting.left[name]
                continue
            waits = 0 < attempt.due - now <= LONGEST_WAIT  # a clock that was put back makes nobody wait for longer
            if waits or name in down or stopped():
                continue
            problem = within(functools.partial(known[name].send, waiting.message))
            if problem is None:
                del waiting.left[name]
                outbox.sent[name] = outbox.sent.get(name, 0) + 1
            else:
                down.add(name)
                attempt.tries, attempt.why = attempt.tries + 1, str(problem)
                attempt.due = now + min(FIRST_WAIT * 2 ** (attempt.tries - 1), LONGEST_WAIT)
                told.append(f"a message was not taken by {name}: {problem}")
                if isinstance(problem, Refused) or attempt.tries >= TRIES:
                    del waiting.left[name]
                    _give_up(outbox, name)
            keep()
        if not waiting.left:
            outbox.waiting.remove(waiting)
    return told


def _give_up(outbox: Outbox, name: str) -> None:
    outbox.failed[name] = outbox.failed.get(name, 0) + 1
    outbox.untold += 1


def within(send: Callable[[], None]) -> Unsent | None:
    """Send, and why it was not taken; in a thread of its own, for no library's time-out bounds a server that drips."""
    import threading

    ended: list[Unsent | None] = []

    def run() -> None:
        try:
            send()
            ended.append(None)
        except Unsent as problem:
            ended.append(problem)
        except Exception as problem:  # noqa: BLE001 - whatever a library raises, the watch goes on
            ended.append(Unsent(f"it failed ({type(problem).__name__})"))

    thread = threading.Thread(target=run, name="notify", daemon=True)
    thread.start()
    thread.join(SECONDS)
    return ended[0] if ended else Unsent(f"it did not take it within {SECONDS:g} s")
