"""Where messages go: the targets' one literal table, by the scheme of their URL.

A target's URL holds a secret (a webhook's path, a password): it is kept here, and shows as its name everywhere else.
It may be given by `env:NAME` or `file:PATH`, so that it is in no process list and no configuration file.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

import msgspec

from auditor import __version__
from auditor.errors import UsageError
from auditor.notify.failures import Unsent
from auditor.notify.mail import mail
from auditor.notify.message import Message, moment, subject, text
from auditor.notify.web import request

MOST_SECRET = 4096
"""Characters of a target's URL."""


class Target:
    """One place that messages go to; it shows as its name."""

    __slots__ = ("_send", "name")

    def __init__(self, name: str, send: Callable[[Message], None]) -> None:
        """Keep both."""
        self.name = name
        """Its kind, its host and a few digits of its digest: no secret."""
        self._send = send

    def send(self, message: Message) -> None:
        """Send it; raises Unsent or Refused."""
        self._send(message)

    def __repr__(self) -> str:
        return f"Target({self.name!r})"


class Kind(NamedTuple):
    """One kind of target."""

    name: str
    """How it is called."""
    make: Callable[[SplitResult], Callable[[Message], None]]
    """URL to what sends; raises UsageError, which quotes nothing of it."""


def targets(given: tuple[str, ...]) -> tuple[Target, ...]:
    """The targets of these URLs, each once; raises UsageError, which quotes none of them."""
    found: dict[str, Target] = {}
    for each in given:
        target = target_of(each)
        found.setdefault(target.name, target)
    return tuple(found.values())


def target_of(given: str) -> Target:
    """The target of one URL, or of what `env:NAME` or `file:PATH` holds; raises UsageError."""
    url = resolved(given, "a target of notifications")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise UsageError("a target of notifications is not a URL") from None
    if not parts.scheme or "://" not in url:
        raise UsageError(
            "a target of notifications is a URL: https://…, slack+https://…, smtp://… or one that apprise knows"
        )
    slack = host == "hooks.slack.com" and parts.scheme == "https"
    kind = KINDS.get("slack+https" if slack else parts.scheme.lower(), _OTHER)
    digits = hashlib.blake2b(url.encode("utf-8", "replace"), digest_size=3).hexdigest()
    # Of a service that apprise knows even the host's place may hold a token.
    shown = f"{kind.name} at {host}" if kind is not _OTHER and host else f"{kind.name} {parts.scheme}"
    return Target(f"{shown} ({digits})", kind.make(parts))


def resolved(given: str, what: str) -> str:
    """The text itself, or what `env:NAME` or `file:PATH` holds; raises UsageError, which quotes no secret."""
    if given.startswith("env:"):
        name = given.removeprefix("env:")
        url = os.environ.get(name, "")
        if not url:
            raise UsageError(f"{what} is in the variable {name}, which is not set")
    elif given.startswith("file:"):
        path = given.removeprefix("file:")
        try:
            url = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise UsageError(f"{what} is in the file {path}, which cannot be read") from None
    else:
        url = given
    if not url.isprintable() or len(url) > MOST_SECRET or " " in url:
        raise UsageError(f"{what} is not a URL")
    return url


def _plain(parts: SplitResult) -> str:
    if not parts.hostname:
        raise UsageError("a target of notifications names no host")
    return parts._replace(scheme=parts.scheme.rpartition("+")[2]).geturl()


def _webhook(parts: SplitResult) -> Callable[[Message], None]:
    return functools.partial(_post, _plain(parts), _as_json)


def _slack(parts: SplitResult) -> Callable[[Message], None]:
    return functools.partial(_post, _plain(parts), _for_slack)


def _post(url: str, form: Callable[[Message], Any], message: Message) -> None:
    headers = {"Content-Type": "application/json", "Idempotency-Key": message.id}
    request(url, msgspec.json.encode(form(message)), headers)


def _as_json(message: Message) -> dict[str, Any]:
    changes = [{**msgspec.to_builtins(change), "since": moment(change.since)} for change in message.changes]
    return {
        "tool": "queue-auditor",
        "version": __version__,
        "id": message.id,
        "time": moment(message.time),
        "host": message.host,
        "subject": subject(message),
        "changes": changes,
        **({"note": message.note} if message.note else {}),
    }


def _for_slack(message: Message) -> dict[str, Any]:
    body = text(message).rstrip()
    for sign, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):  # else a line of a log could mention everybody
        body = body.replace(sign, name)
    return {"text": f"*{subject(message)}*\n{body}"}


def _apprise(parts: SplitResult) -> Callable[[Message], None]:
    try:
        import apprise
    except ImportError:
        raise UsageError(
            f"targets of the kind {parts.scheme}:// need the extra package: pip install 'queue-auditor[notify]'"
        ) from None
    import logging

    logging.getLogger("apprise").disabled = True  # it may quote a URL; what fails is told by us
    service = apprise.Apprise()
    if not service.add(parts.geturl().removeprefix("apprise+")):
        raise UsageError(f"apprise knows no target of the kind {parts.scheme}://, or not in that form")
    return functools.partial(_by_apprise, service)


def _by_apprise(service: Any, message: Message) -> None:
    try:
        taken = service.notify(title=subject(message), body=text(message))
    except Exception as problem:  # noqa: BLE001 - each of its services fails in its own way, and may quote its URL
        raise Unsent(f"apprise failed ({type(problem).__name__})") from None
    if not taken:
        raise Unsent("apprise could not send it")


KINDS: Mapping[str, Kind] = {
    "http": Kind("webhook", _webhook),
    "https": Kind("webhook", _webhook),
    "slack+http": Kind("slack", _slack),
    "slack+https": Kind("slack", _slack),
    "smtp": Kind("mail", mail),
    "smtps": Kind("mail", mail),
}
"""Scheme of a URL to its kind; any other is apprise's."""
_OTHER = Kind("apprise", _apprise)
