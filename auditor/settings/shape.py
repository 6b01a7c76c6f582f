"""The configuration file's shape: one literal table of its keys, and what they hold once they are checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from auditor.errors import Unreadable

NAME = "queue-auditor.yaml"
"""The file that is looked for."""
SEVERITIES = ("error", "warning", "note")


class SettingsRefused(Unreadable):
    """A configuration file is not one the auditor can follow."""


class Choice(NamedTuple):
    """Something the configuration leaves alone."""

    rule: str
    """A rule's id, or a group."""
    reason: str = ""
    """Why."""
    until: str = ""
    """The last day it holds, as YYYY-MM-DD; "" where it has no end."""
    paths: tuple[str, ...] = ()
    """The files in which; everywhere where none is named."""


class Override(NamedTuple):
    """What the configuration makes of one rule."""

    severity: str = ""
    """The severity it has here whatever it would have; "" where that stays."""
    let: Mapping[str, Any] = {}
    """Values for its named figures."""


class Key(NamedTuple):
    """One key of the file."""

    kind: str
    """"text", "texts" (one or a list), "flag", "number", "choices" (Choice), "overrides" (Override by rule), "section"."""
    default: Any
    """What holds where nothing is written."""
    about: str
    """What it does, as a sentence."""
    among: tuple[str, ...] = ()
    """The texts it may hold; any where none is listed."""
    path: bool = False
    """Whether its texts are paths, written from the file's own folder."""
    secret: bool = False
    """Whether its texts are shown nowhere: they may hold a password."""
    least: float = 0.0
    """The least number it may hold."""
    inner: Mapping[str, Key] = {}
    """A section's own keys."""


MOST = 1e9
"""Every number in it is smaller."""
HIDDEN = "***"
"""How a secret is shown."""

WATCH: Mapping[str, Key] = {
    "every": Key("number", 60, "Seconds from one look to the next.", least=1),
    "state": Key("text", "", "The file in which the watch keeps what it knows.", path=True),
    "notify": Key("texts", (), "Who is told: URLs, or env:NAME or file:PATH where they are kept.", secret=True),
    "notify_severity": Key("text", "warning", "Of what severity on somebody is told.", among=SEVERITIES),
    "per_hour": Key("number", 20, "Messages in an hour at most; what is beyond is told together later.", least=1),
    "confirm": Key("number", 2, "Looks in a row in which a finding must be there before it is told.", least=1),
    "clear": Key("number", 2, "Looks in a row in which it must be gone before it is over.", least=1),
    "heartbeat": Key("text", "", "A URL that is asked for after each look.", secret=True),
    "textfile": Key("text", "", "A file for Prometheus's node exporter.", path=True),
    "listen": Key("text", "", "HOST:PORT for /healthz and /metrics."),
    "signatures": Key("text", "", "A table of signatures that goes before the shipped one.", path=True),
}  # fmt: skip
"""Every key of the section "watch"."""


KEYS: Mapping[str, Key] = {
    "select": Key("texts", (), "Judge only by these rules and groups."),
    "ignore": Key("choices", (), "Rules and groups whose findings are lived with: everywhere, in some files, or for a time."),
    "override": Key("overrides", {}, "Another severity, or other figures, for single rules."),
    "rules": Key("texts", (), "Folders of further rules.", path=True),
    "fail_on": Key(
        "text", "note", "The least severity that makes the exit status 1.", among=(*SEVERITIES, "never")
    ),
    "min_severity": Key("text", "note", "Less grave findings are not told, only counted.", among=SEVERITIES),
    "format": Key("texts", (), "Forms of the report where no --format is given."),
    "baseline": Key("text", "", "A baseline, whose findings are lived with.", path=True),
    "inline_ignores": Key("flag", True, "Whether comments in the audited files may ask for something to be left alone."),
    "allow_empty": Key("flag", False, "Exit 0, not 3, where there is nothing to audit."),
    "apps": Key("texts", (), "Root folders of the Laravel apps, from the audited folder."),
    "banks": Key("texts", (), "Further tables of banks and of consents, for the bank feeds of InvoiceNinja.", path=True),
    "profile": Key("text", "", "The kind of app that files are generated for."),
    "watch": Key("section", {}, "What `watch` does beside looking.", inner=WATCH),
}  # fmt: skip
"""Every key."""
