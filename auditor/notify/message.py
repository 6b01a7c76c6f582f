"""A message: what is new and what is over, as one thing that is sent once to each target."""

from __future__ import annotations

import datetime

import msgspec

SHOWN = 40
"""So many changes are told one by one; the others are counted."""
WORDS = {"new": "NEW", "worse": "WORSE", "over": "OVER", "test": "TEST"}
"""Each kind of change, as a reader sees it."""


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """One problem that began, became worse or came to its end."""

    what: str
    """"new", "worse", "over" or "test"."""
    rule: str
    """The rule, or the name of what the watch itself tells: "watch/backlog-grows", "log/redis-down"."""
    subject: str
    """What it is about."""
    severity: str
    """error, warning or note."""
    text: str
    """One sentence."""
    since: float
    """When it was first seen, in seconds since 1970."""
    advice: str = ""
    """What a person can do, as sentences."""


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message; whoever gets it twice knows it by its id."""

    id: str
    """Its own: the same however often it is sent."""
    time: float
    """When it was made, in seconds since 1970."""
    host: str
    """The host that it is about."""
    changes: tuple[Change, ...]
    """What it tells."""
    note: str = ""
    """A sentence about earlier messages; "" where there is nothing to tell."""


def subject(message: Message) -> str:
    """Its one line."""
    return " ".join(_subject(message).split())  # a header holds no line end


def _subject(message: Message) -> str:
    new = [change for change in message.changes if change.what != "over"]
    over = len(message.changes) - len(new)
    if len(message.changes) == 1:
        only = message.changes[0]
        return f"[{message.host}] {WORDS[only.what]}: {only.rule} {only.subject}"
    worst = next((one for one in ("error", "warning", "note") if any(c.severity == one for c in new)), "")
    parts = [f"{len(new)} new (worst: {worst})"] if new else []
    parts += [f"{over} over"] if over else []
    return f"[{message.host}] {', '.join(parts)}"


def text(message: Message) -> str:
    """All of it, for a person."""
    lines = []
    for change in message.changes[:SHOWN]:
        lines.append(f"{WORDS[change.what]} {change.severity}: {change.text}")
        if change.what == "over":
            lines.append(f"  It had begun at {moment(change.since)}. ({_named(change)})")
        else:
            lines.append(f"  {change.advice} ({_named(change)})".replace("   (", "  ("))
    left = len(message.changes) - SHOWN
    if left > 0:
        lines.append(f"… and {left} more.")
    if message.note:
        lines.append(message.note)
    return "\n".join(lines) + "\n"


def _named(change: Change) -> str:
    return f"{change.rule}, {change.subject}" if change.subject else change.rule


def moment(seconds: float) -> str:
    """A time as ISO 8601, in UTC."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
