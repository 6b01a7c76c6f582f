"""Secrets are taken out of a line before it becomes part of a fact, so no report, log or facts file can hold one."""

from __future__ import annotations

import re

from auditor.patterns import late

HIDDEN = "***"

_NAME = (
    r"[\w.-]*(?:pass(?:word|wd|phrase)?|secret|token|api_?key|app_?key|private|credential|dsn|_key|_pwd|auth)[\w.-]*"
)

# user:password@ in any URL; the user stays, for it tells which account is meant.
_URL = late(r"(?P<head>[a-z][a-z0-9+.-]*://[^\s/:@'\"]*:)[^\s/'\"]+(?=@)", re.IGNORECASE)
# redis://:pw@ is covered above (empty user). NAME=value, NAME: value, 'name' => value, --name=value, --name value.
_PAIR = late(
    rf"(?P<head>(?<![\w.-])['\"]?(?:--)?{_NAME}['\"]?\s*(?:=>|=|:)\s*)"
    r"(?P<value>\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?|[^\s,;#'\"]\S*)",
    re.IGNORECASE,
)
_ENV_CALL = late(rf"(?P<head>\benv\(\s*['\"]{_NAME}['\"]\s*,\s*)(?P<value>'[^']*'|\"[^\"]*\")", re.IGNORECASE)
# A value that only names where the secret is: PHP's env(...), supervisor's %(ENV_X)s, a shell or template variable.
_NOT_A_SECRET = late(
    r"env\(|%\(|\$\{?\w|\{\{|(?:null|true|false|never)[,;)\]]*$|['\"]{2}|\d{1,2}$|\(|\)", re.IGNORECASE
)
# Option names that hold the word but no secret.
_PLAIN_NAMES = late(r"(?:^|[^\w])(?:redirect|author\w*|password_timeout|token_lifetime)", re.IGNORECASE)
_CHEAP = late(r"pass|secret|token|key|private|credential|dsn|_pwd|auth|://", re.IGNORECASE)


def redact(text: str) -> str:
    """The line with the value of every secret-looking name, and every password in a URL, shown as ***."""
    if not _CHEAP.search(text):
        return text
    if "://" in text:
        text = _URL.sub(lambda m: m["head"] + HIDDEN, text)
    if "(" in text:
        text = _ENV_CALL.sub(lambda m: m["head"] + HIDDEN, text)
    return _PAIR.sub(_hide, text)


def _hide(match: re.Match[str]) -> str:
    if _NOT_A_SECRET.match(match["value"]) or _PLAIN_NAMES.search(match["head"]):
        return match[0]
    quote = match["value"][0] if match["value"][0] in "'\"" else ""
    return f"{match['head']}{quote}{HIDDEN}{quote}"
