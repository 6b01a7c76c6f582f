"""Problems over time: told once when they are new, once when they are over, and not each time they flicker."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from auditor.findings import Severity
from auditor.notify.message import Change

FLAPS = 3
"""So many times new within WINDOW, and a problem is one that comes and goes."""
WINDOW = 3600.0
"""Seconds."""
HOLD = 1800.0
"""Seconds that one which comes and goes must be away before it is over."""


def writable(text: str) -> str:
    """The text with what UTF-8 cannot hold, such as bytes of a name that are none, written out as escapes."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


class Problem(msgspec.Struct, frozen=True):
    """Something that is wrong at this moment."""

    rule: str
    """The rule that says so, or "watch/…", "log/…"."""
    subject: str
    """What it is about."""
    severity: Severity
    """How bad it is."""
    text: str
    """One sentence."""
    advice: str = ""
    """What a person can do, as sentences."""
    place: str = ""
    """The file it is in; "" where in none."""
    sure: bool = False
    """Whether it is told at once: it has happened, and is no moment's picture."""

    def writable(self) -> Problem:
        """With what no file can hold written out."""
        return msgspec.structs.replace(
            self,
            rule=writable(self.rule),
            subject=writable(self.subject),
            text=writable(self.text),
            advice=writable(self.advice),
            place=writable(self.place),
        )

    @property
    def key(self) -> str:
        """Its identity: values that change from round to round are not in it."""
        return f"{self.rule}\t{self.subject}\t{self.place}"


class Track(msgspec.Struct):
    """One problem, from round to round."""

    rule: str
    subject: str
    severity: Severity
    text: str
    advice: str = ""
    first: float = 0.0
    """When it was first seen, this time."""
    last: float = 0.0
    """When it was last seen."""
    seen: int = 0
    """Rounds in a row in which it was there."""
    missed: int = 0
    """Rounds in a row in which it was not."""
    told: float = 0.0
    """When it was told; 0 where it is not, or is over."""
    opened: list[float] = []
    """When it was told within the last WINDOW."""
    without: tuple[str, ...] = ()
    """What did not answer when it was last seen."""

    @property
    def open(self) -> bool:
        """Whether it was told and is not over."""
        return self.told > 0

    @property
    def flaps(self) -> bool:
        """Whether it comes and goes."""
        return len(self.opened) >= FLAPS

    def change(self, what: str, text: str = "") -> Change:
        """As a message tells it."""
        return Change(what, self.rule, self.subject, self.severity.value, text or self.text, self.first, self.advice)


class Policy(msgspec.Struct, frozen=True):
    """When a problem is told."""

    confirm: int = 2
    """Rounds in a row in which it must be there."""
    clear: int = 2
    """Rounds in a row in which it must be gone."""


def follow(
    tracks: dict[str, Track],
    present: Mapping[str, Problem],
    now: float,
    policy: Policy,
    *,
    without: tuple[str, ...] = (),
    unsure: Callable[[str, Track], bool] = lambda _key, _track: False,
) -> list[Change]:
    """What is new, worse or over, by what is present now; `tracks` is brought up to date.

    Of a problem that is not present but `unsure`, nothing is said: it could not be looked for. `without` names what did
    not answer.
    """
    changes = []
    for key, problem in present.items():
        track = tracks.get(key)
        if track is None:
            track = tracks[key] = Track(problem.rule, problem.subject, problem.severity, problem.text, first=now)
        if not track.seen and not track.open:
            track.first = now
        track.seen, track.missed, track.last, track.without = track.seen + 1, 0, now, without
        track.text, track.advice = problem.text, problem.advice
        worse = problem.severity.rank > track.severity.rank
        if worse or not track.open:
            track.severity = problem.severity
        if track.open and worse:
            changes.append(track.change("worse"))
        elif not track.open and (problem.sure or track.seen >= policy.confirm):
            track.told = now
            track.opened = [*(at for at in track.opened if now - at < WINDOW), now]
            often = f" It comes and goes: {len(track.opened)} times within the hour." if track.flaps else ""
            changes.append(track.change("new", track.text + often))
    for key, track in list(tracks.items()):
        if key in present or unsure(key, track):
            continue
        track.seen, track.missed = 0, track.missed + 1
        if track.open:
            if track.missed >= policy.clear and (not track.flaps or now - track.last >= HOLD):
                changes.append(track.change("over"))
                track.told = 0.0
        elif now - track.last >= WINDOW or not track.opened:
            del tracks[key]
    return changes
