"""A line of a log as a person may be shown it: in a notification, which leaves the host."""

from __future__ import annotations

import re

from auditor.facts.redaction import HIDDEN, redact

LONGEST = 240
"""Characters of a line that are shown."""
_MOST = 4096
# Behind these stand a query's bindings, which are the app's own data, and Monolog's context.
_BEHIND = re.compile(r" \((?:Connection: [^,)]{1,80}, )?SQL: | \{\"[\w.]+\":|\{\"message\":\"")
_BEARER = re.compile(r"\b(bearer|basic)\s+[\w.+/=~-]{8,}", re.IGNORECASE)
_LONG_RUN = re.compile(r"(?<![\w+=-])(?=[\w+=-]*\d)(?=[\w+=-]*[A-Za-z])[\w+=-]{40,}", re.ASCII)
"""A token, a key, a hash: forty characters of letters and digits in one."""
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+", re.ASCII)


def sample(line: bytes) -> str:
    """The line without secrets, addresses, bindings and context, its control characters as blanks, cut to LONGEST."""
    text = line[:_MOST].decode("utf-8", "replace")
    if text.startswith('{"message":"'):
        text = text[len('{"message":"') :].partition('","')[0]
    behind = _BEHIND.search(text)
    if behind is not None:
        text = f"{text[: behind.start()]} …"
    text = _BEARER.sub(lambda match: f"{match[1]} {HIDDEN}", text)
    text = redact(text)
    text = _MAIL.sub(lambda match: f"{HIDDEN}@{match[0].rpartition('@')[2]}", text)
    text = _LONG_RUN.sub(HIDDEN, text)
    text = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
