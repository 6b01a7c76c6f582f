"""The end of each app's own log: which records of the last day mean something, by the table of signatures.

One bounded read a log, of the file that was last written to; `queue-auditor watch` reads every log whole. A record's stamp
bears no time zone, so that its age is counted from the log's last record, and that one's from when the file was written.
Of a record, which may hold what a job held, nothing is kept.
"""

from __future__ import annotations

import calendar
import functools
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from auditor.facts.logged import LogEvents
from auditor.facts.site import Site
from auditor.sources.live.looking import look
from auditor.sources.live.witness import seen
from auditor.sources.logs.family import opened, present
from auditor.sources.logs.places import LogPlace, log_places
from auditor.sources.tree import Tree

if TYPE_CHECKING:
    from auditor.sources.logs.formats import Form
    from auditor.sources.logs.signatures import Signatures

TAIL = 1024 * 1024
"""Bytes of a log's end that are read."""
DAY = 86_400.0
"""Seconds: older records are history."""
PATIENCE = 2.0
"""Seconds that one log may take."""
_STAMP = "%Y-%m-%d %H:%M:%S"
_IN_JSON = b'"datetime":"'


def look_at_logs(tree: Tree, site: Site, now: float) -> tuple[LogEvents, ...]:
    """What the logs of the site's apps tell; one that is not there, or that nothing was written to for a day, tells nothing.

    A log that cannot be read is one LogEvents of which nothing is known, with the reason.
    """
    places = [place for place in log_places(site) if place.form in ("laravel", "ninja")]
    return tuple(event for place in places for event in _look(tree, place, now))


def _look(tree: Tree, place: LogPlace, now: float) -> Iterator[LogEvents]:
    looked = look(lambda _: _tail(tree, place, now), PATIENCE)
    if looked.value is not None:
        yield from _events(place, looked.value)
    elif looked.outcome != "ok":
        missing = dict.fromkeys(("count", "enough", "age", "severity"), looked.reason)
        yield seen(LogEvents, missing, name=place.path, file=place.path, app=place.name)


@functools.cache
def _table() -> tuple[Signatures, dict[str, Form]]:
    # Reading it takes longer than a whole look at Redis: only where a log was found that it is for, and once.
    from auditor.sources.logs.formats import forms
    from auditor.sources.logs.signatures import load_signatures

    table = load_signatures()
    return table, forms(table)


class _Tail(NamedTuple):
    """The end of one log."""

    file: str
    """The path of the file it is of."""
    text: bytes
    quiet: float
    """Seconds since it was written to."""


def _events(place: LogPlace, tail: _Tail) -> Iterator[LogEvents]:
    table, forms = _table()
    form = forms[place.form]
    last = form.last_head(tail.text)
    end = _stamp(tail.text[last:]) if last >= 0 else None
    if end is None:
        return
    ages: dict[str, list[float]] = {}
    for kind, line in form.tell(tail.text, inside=True):
        at = _stamp(line)
        if at is not None and (age := max(end - at, 0.0) + tail.quiet) < DAY:
            ages.setdefault(kind, []).append(age)
    for kind, found in ages.items():
        signature = table.named(kind)
        if signature is not None:
            yield seen(
                LogEvents,
                {},
                name=place.path,
                file=tail.file,
                app=place.name,
                kind=kind,
                says=signature.says,
                severity=signature.severity.value,
                remedy=signature.advice,
                count=len(found),
                enough=_within(sorted(found), signature.after, signature.within),
                age=min(found),
            )


def _tail(tree: Tree, place: LogPlace, now: float) -> _Tail | None:
    """The end of the file of this log that was last written to; None where none was within a day. Raises OSError."""
    folder = place.path.rpartition("/")[0]
    try:
        files = [
            file for file in present(f"{tree.host_path(folder)}/{place.path.rpartition('/')[2]}") if not file.packed
        ]
    except FileNotFoundError:
        return None
    newest = max(files, key=lambda file: (file.found.st_mtime_ns, file.current), default=None)
    if newest is None or not newest.found.st_size:
        return None
    quiet = max(now - newest.found.st_mtime, 0.0)
    if quiet >= DAY:
        return None
    path = f"{folder}/{newest.path.rpartition('/')[2]}"
    with opened(newest._replace(path=tree.host_path(path))) as stream:
        stream.seek(max(stream.seek(0, 2) - TAIL, 0))
        return _Tail(path, stream.read(TAIL), quiet)


def _stamp(record: bytes) -> float | None:
    """The time of a record, in seconds of a clock without a zone; None where it has none of Laravel's form."""
    head = 1 if record.startswith(b"[") else record.find(_IN_JSON) + len(_IN_JSON)
    text = record[head : head + 19].decode("ascii", "replace").replace("T", " ")
    try:
        return float(calendar.timegm(time.strptime(text, _STAMP)))
    except ValueError:
        return None


def _within(times: Sequence[float], count: int, seconds: float) -> bool:
    """Whether so many of these sorted times lie within so many seconds."""
    return any(times[at + count - 1] - times[at] <= seconds for at in range(len(times) - count + 1))
