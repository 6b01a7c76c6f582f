"""What only several looks show: a queue that grows faster than it is worked off, a process that is started again and again."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from auditor.facts.live import Live
from auditor.findings import Severity
from auditor.watch.problems import Problem, writable

WINDOW = 900.0
"""Seconds that are looked back on."""
LEAST_SPAN = 240.0
"""Seconds that the samples must span before a queue is said to grow."""
LEAST_SAMPLES = 4
LEAST_GROWTH = 20
"""Jobs that it must have grown by; and by a fifth of what it was."""
RULES = ("watch/backlog-grows", "watch/process-flaps")
"""What is told here: it needs what the running system says."""
MOST_SAMPLES = 120
MOST_QUEUES = 500
RESTARTS = 4
"""So many starts of a process within the window, and it is started again and again."""


class Sample(msgspec.Struct, array_like=True):
    """One queue at one moment."""

    time: float
    waiting: int
    """Jobs that wait for a worker."""


class Starts(msgspec.Struct):
    """When one process was started."""

    last: float = 0.0
    """Its last start, by supervisord's clock; 0 where it has none."""
    times: list[float] = []
    """When a new start was seen, by the watch's clock."""


def sampled(queues: dict[str, list[Sample]], starts: dict[str, Starts], live: Live, now: float) -> None:
    """Take in one look; a queue of which only the oldest jobs were told apart is no sample, for it may have any number."""
    seen = set()
    for queue in live.queues[:MOST_QUEUES]:
        if queue.is_unknown("ready") or queue.capped:
            continue
        key = writable(f"{queue.app}\t{queue.connection}\t{queue.name}")
        seen.add(key)
        kept = [one for one in queues.get(key, []) if 0 <= now - one.time < WINDOW]
        queues[key] = [*kept[-MOST_SAMPLES:], Sample(now, queue.ready + queue.due_delayed)]
    for key in [key for key, samples in queues.items() if key not in seen and now - samples[-1].time >= WINDOW]:
        del queues[key]
    for process in live.supervised[:MOST_QUEUES]:
        key = writable(f"{process.group}:{process.name}")
        one = starts.setdefault(key, Starts(process.start))
        one.times = [at for at in one.times if 0 <= now - at < WINDOW]
        if process.start > one.last:
            one.times.append(now)
        one.last = process.start
    for key in [key for key, one in starts.items() if one.times and now - one.times[-1] >= 4 * WINDOW]:
        del starts[key]


def uncounted(live: Live) -> frozenset[str]:
    """Subjects of queues with so many jobs that nobody can tell whether they still grow."""
    return frozenset(writable(f"{queue.connection}:{queue.name}") for queue in live.queues if queue.capped)


def problems(queues: dict[str, list[Sample]], starts: dict[str, Starts]) -> Iterator[Problem]:
    """What the samples show now."""
    for key, samples in queues.items():
        app, connection, name = key.split("\t", 2)
        growth = grows(samples)
        if growth > 0:
            span = samples[-1].time - samples[0].time
            text = (
                f"Queue {name} of connection {connection} grows: {samples[0].waiting:,} jobs waited {_minutes(span)} ago, "
                f"{samples[-1].waiting:,} wait now, {growth * 60:,.1f} more each minute."
            )
            advice = "Look whether its workers run and what they wait for; or let more of them run."
            yield Problem(RULES[0], f"{connection}:{name}", Severity.WARNING, text, advice, place=app, sure=True)
    for key, one in starts.items():
        if len(one.times) >= RESTARTS:
            text = f"Process {key} was started {len(one.times)} times within {_minutes(WINDOW)}."
            advice = "Its log tells what it ends of; a worker that is meant to end so often needs --max-time or --max-jobs raised."
            yield Problem(RULES[1], key, Severity.WARNING, text, advice, sure=True)


def grows(samples: list[Sample]) -> float:
    """Jobs a second by which a queue grows; 0 where it does not, or where too little is seen to tell.

    The slope of the line through the samples (least squares), from the last one on at which it was empty.
    """
    empty = [at for at, one in enumerate(samples) if one.waiting == 0]
    samples = samples[empty[-1] :] if empty else samples
    if len(samples) < LEAST_SAMPLES or samples[-1].time - samples[0].time < LEAST_SPAN:
        return 0.0
    first, last = samples[0].waiting, samples[-1].waiting
    if last - first < max(LEAST_GROWTH, first / 5):
        return 0.0
    half = samples[len(samples) // 2 :]
    return _slope(samples) if _slope(half) > 0 else 0.0


def _slope(samples: list[Sample]) -> float:
    middle = sum(one.time for one in samples) / len(samples)
    mean = sum(one.waiting for one in samples) / len(samples)
    spread = sum((one.time - middle) ** 2 for one in samples)
    return sum((one.time - middle) * (one.waiting - mean) for one in samples) / spread if spread else 0.0


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min"
