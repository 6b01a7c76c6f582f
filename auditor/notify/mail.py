"""E-mail by SMTP, to smtp://user:password@host:port/?to=a@example.org&from=b@example.org or smtps:// likewise."""

from __future__ import annotations

import functools
from collections.abc import Callable
from urllib.parse import SplitResult, parse_qs, unquote

from auditor.errors import UsageError
from auditor.notify.failures import Refused, Unsent
from auditor.notify.message import Message, subject, text
from auditor.notify.web import SECONDS, reason

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def mail(parts: SplitResult) -> Callable[[Message], None]:
    """What sends to the address that this URL names; raises UsageError, which quotes none of it."""
    asked = parse_qs(parts.query)
    to = [address for value in asked.get("to", []) for address in value.split(",") if address]
    unknown = set(asked) - {"to", "from"}
    if not to or unknown or not parts.hostname:
        raise UsageError(
            "a mail target is smtp://user:password@host:port/?to=ADDRESS&from=ADDRESS, or smtps:// likewise"
        )
    sender = asked.get("from", [to[0]])[0]
    if any(not address.isascii() or "@" not in address or not address.isprintable() for address in (*to, sender)):
        raise UsageError("a mail target holds an address that is none")
    return functools.partial(_send, parts, sender, to)


def _send(parts: SplitResult, sender: str, to: list[str], message: Message) -> None:
    import smtplib
    import ssl

    host, tls = parts.hostname or "", parts.scheme == "smtps"
    port = parts.port or (465 if tls else 25)
    context = ssl.create_default_context()
    try:
        server = (
            smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
            if tls
            else smtplib.SMTP(host, port, timeout=SECONDS)
        )
        with server:
            if not tls:
                server.ehlo()
                if server.has_extn("starttls"):
                    server.starttls(context=context)
                    server.ehlo()
                elif parts.password and host not in _LOOPBACK:
                    raise Refused("the server offers no encryption, and the password is not sent without")
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.sendmail(sender, to, _written(message, sender, to))
    except smtplib.SMTPResponseException as problem:
        final = 500 <= problem.smtp_code < 600
        raise (Refused if final else Unsent)(f"the mail server answered {problem.smtp_code}") from None
    except smtplib.SMTPRecipientsRefused as problem:
        codes = sorted({code for code, _ in problem.recipients.values()})
        final = min(codes, default=0) >= 500
        raise (Refused if final else Unsent)(
            f"the mail server refused the recipients ({', '.join(map(str, codes))})"
        ) from None
    except smtplib.SMTPException as problem:
        raise Unsent(f"the mail server did not take it ({type(problem).__name__})") from None
    except OSError as problem:
        raise Unsent(reason(problem)) from None


def _written(message: Message, sender: str, to: list[str]) -> bytes:
    import email.message
    import email.policy
    import email.utils

    mail = email.message.EmailMessage(policy=email.policy.SMTP)
    mail["From"] = sender
    mail["To"] = ", ".join(to)
    mail["Subject"] = subject(message)
    mail["Date"] = email.utils.formatdate(message.time)
    mail["Message-ID"] = f"<{message.id}@queue-auditor.invalid>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text(message))
    return mail.as_bytes()
