"""What a watch knows as Prometheus reads it: the text format 0.0.4, for a textfile or over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from auditor.facts.live import Live
from auditor.watch.round import Seen
from auditor.watch.state import State

MOST_SERIES = 500
"""Series of one metric; the rest is left out, and a comment says so."""
PREFIX = "queue_auditor"

Series = Iterable[tuple[dict[str, str], float]]


class Metric(msgspec.Struct, frozen=True):
    """One metric with its series."""

    name: str
    """Behind the prefix."""
    kind: str
    """"gauge" or "counter"."""
    about: str
    """One sentence."""
    series: Series
    """Labels and value of each."""


def metrics(seen: Seen, state: State) -> str:
    """All of it, each metric with its HELP and TYPE."""
    return "".join(_written(metric) for metric in _metrics(seen, state))


def _metrics(seen: Seen, state: State) -> Iterator[Metric]:
    outbox = state.outbox
    yield Metric("up", "gauge", "Whether the site could be looked at.", [({}, 0.0 if seen.failure else 1.0)])
    yield Metric("last_round_timestamp_seconds", "gauge", "When the last round was made.", [({}, seen.time)])
    yield Metric("round_seconds", "gauge", "How long it took.", [({}, seen.seconds)])
    yield Metric("rounds_total", "counter", "Rounds made.", [({}, state.rounds)])
    tracks = seen.open()
    by_severity = [({"severity": one}, sum(t.severity == one for t in tracks)) for one in ("error", "warning", "note")]
    yield Metric("problems", "gauge", "Problems that are open.", by_severity)
    named = [({"rule": t.rule, "subject": t.subject, "severity": t.severity.value}, 1.0) for t in tracks]
    yield Metric("problem", "gauge", "Each problem that is open.", named)
    if seen.live is not None:
        yield from _of_live(seen.live)
    heard = [({"log": one.log, "kind": one.kind}, one.total) for one in list(state.events.values())]
    yield Metric("log_events_total", "counter", "Records of logs that told something.", heard)
    taken = [({"target": name}, count) for name, count in list(outbox.sent.items())]
    yield Metric("notifications_sent_total", "counter", "Messages that a target took.", taken)
    failed = [({"target": name}, count) for name, count in list(outbox.failed.items())]
    yield Metric("notifications_failed_total", "counter", "Messages given up for a target.", failed)
    yield Metric("notifications_waiting", "gauge", "Messages that are still to be sent.", [({}, len(outbox.waiting))])


def _of_live(live: Live) -> Iterator[Metric]:
    jobs, oldest = [], []
    for queue in live.queues:
        labels = {"app": queue.app, "connection": queue.connection, "queue": queue.name}
        states = [state for state in ("ready", "delayed", "reserved") if not queue.is_unknown(state)]
        jobs += [({**labels, "state": state}, float(getattr(queue, state))) for state in states]
        if queue.oldest_ready_age is not None and not queue.is_unknown("oldest_ready_age"):
            oldest.append((labels, queue.oldest_ready_age))
    yield Metric("queue_jobs", "gauge", "Jobs of a queue.", jobs)
    yield Metric("queue_oldest_ready_seconds", "gauge", "How long the oldest ready job has waited.", oldest)
    running = [
        ({"group": one.group, "process": one.name}, float(one.statename == "RUNNING")) for one in live.supervised
    ]
    yield Metric("process_running", "gauge", "Whether supervisord has a process running.", running)
    answers = [({"kind": p.kind, "name": p.name}, float(p.answered)) for p in live.probes if p.outcome != "unsupported"]
    yield Metric("answers", "gauge", "Whether what the configuration names answered.", answers)


def _written(metric: Metric) -> str:
    name = f"{PREFIX}_{metric.name}"
    found: dict[str, float] = {}
    left = 0
    for labels, value in metric.series:
        inner = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        key = f"{name}{{{inner}}}" if inner else name
        if key in found or len(found) < MOST_SERIES:
            found[key] = value  # two series of the same labels make a reader refuse the whole file
        else:
            left += 1
    lines = [f"# HELP {name} {metric.about}", f"# TYPE {name} {metric.kind}"]
    lines += [f"{key} {_number(value)}" for key, value in found.items()]
    lines += [f"# {left} more series are left out"] if left else []
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    shown = text.encode("utf-8", "replace").decode("utf-8")
    return shown.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    if value == float("inf"):
        return "+Inf"
    return repr(int(value)) if value == int(value) else repr(value)
