"""Lines of cron that do not run the schedule, or not as it should be: one host each, all run by one cron."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.proofs.scenes.scene import comes
from tests.stack.backends import SQLITE
from tests.stack.host import Host
from tests.stack.journal import Entry, Journal

RUN = "php artisan schedule:run >> /dev/null 2>&1"
SPEED = 30
"""A minute lasts two seconds."""


class Variant(NamedTuple):
    """One way to write a timetable; {app} in its text is the application's folder."""

    rule: str | None
    """The rule that must object to it; None where it is sound."""
    text: str
    """The file."""
    ticks: bool
    """Whether the application's schedule runs."""
    starts: bool = True
    """Whether cron starts the command at all."""
    words: str = ""
    """What cron says of it; "" where it says nothing."""
    path: str = "etc/cron.d/{name}"
    """Where the file lies."""
    mode: int = 0o644
    """Its mode."""
    owner: str = "root"
    """Whose it is."""
    user: str = "www-data"
    """Whom the schedule runs as, where it does."""


SPOOL = "var/spool/cron/crontabs/"
SOUND = f"* * * * * www-data cd {{app}} && {RUN}\n"
VARIANTS: Mapping[str, Variant] = {
    "sound": Variant(None, SOUND, ticks=True),
    "user-crontab": Variant(
        None, f"* * * * * cd {{app}} && {RUN}\n", ticks=True, path=f"{SPOOL}www-data", mode=0o600, owner="www-data"
    ),
    "as-root": Variant("scheduler/runs-as-other-user", SOUND.replace("www-data", "root"), ticks=True, user="root"),
    "no-user-field": Variant(
        "scheduler/cron-user-field", f"* * * * * cd {{app}} && {RUN}\n", ticks=False, starts=False, words="bad username"
    ),
    "unknown-user": Variant(
        "scheduler/cron-user", SOUND.replace("www-data", "webmaster"), ticks=False, starts=False, words="bad username"
    ),
    "no-newline": Variant(
        "scheduler/cron-no-newline", SOUND.rstrip(), ticks=False, starts=False, words="Missing newline before EOF"
    ),
    "group-writable": Variant(
        "scheduler/cron-mode-owner", SOUND, ticks=False, starts=False, words="INSECURE MODE", mode=0o664
    ),
    "not-roots": Variant(
        "scheduler/cron-mode-owner", SOUND, ticks=False, starts=False, words="WRONG FILE OWNER", owner="www-data"
    ),
    "dot.in-name": Variant("scheduler/cron-file-name", SOUND, ticks=False, starts=False),
    "not-on-path": Variant("scheduler/cron-path", f"PATH=/sbin\n{SOUND}", ticks=False),
    "no-cd": Variant("scheduler/cron-no-cd", f"* * * * * www-data {RUN}\n", ticks=False),
    "user-field-in-user-crontab": Variant(
        "scheduler/cron-user-field", SOUND, ticks=False, path=f"{SPOOL}backup", mode=0o600, owner="backup"
    ),
    "crlf": Variant("scheduler/cron-crlf", SOUND.replace("\n", "\r\n"), ticks=False),
    "percent": Variant(
        "scheduler/cron-percent", SOUND.replace("/dev/null", "/tmp/schedule-$(date +%F).log"), ticks=False
    ),
    "cannot-write": Variant("scheduler/runs-as-other-user", SOUND.replace("www-data", "nobody"), ticks=False),
    "undefined-variable": Variant("scheduler/cron-variable-undefined", SOUND.replace("{app}", "$APP_DIR"), ticks=False),
    "every-five-minutes": Variant(
        "scheduler/not-every-minute", SOUND.replace("* * * * *", "*/5 * * * *"), ticks=False, starts=False
    ),
}
"""By a name that is also the application's folder's, and the file's in etc/cron.d."""


class Ticked(NamedTuple):
    """What came of one timetable."""

    ticks: Sequence[Entry]
    """Every run of the application's schedule."""
    started: Sequence[str]
    """cron's lines that say the command was started."""
    said: Sequence[str]
    """cron's other lines that name the file or its user's crontab."""


def lay_out(folder: Path, name: str) -> Path:
    """Write the host with that variant, its application at var/www/NAME, into `folder`."""
    variant = VARIANTS[name]
    path = variant.path.replace("{name}", name)
    text = variant.text.replace("{app}", f"/var/www/{name}")
    Host.lay_out(folder, env=SQLITE.env, files={path: text}, app=f"var/www/{name}")
    (folder / path).chmod(variant.mode)
    shutil.chown(folder / path, variant.owner)
    return folder


def observe(hosts: Mapping[str, Path], folder: Path) -> dict[str, Ticked]:
    """Put these hosts' files, as they are, together on one host in `folder`, and let its cron run two minutes of them.

    Each must hold the application of its name and a timetable of its own; "sound" must be among them.
    """
    for name, source in hosts.items():
        for part in ("etc/cron.d", "var/spool/cron/crontabs", f"var/www/{name}"):
            for path in sorted((source / part).rglob("*")):
                _copy(path, folder / path.relative_to(source))
    host = Host(folder)
    journals = {name: Journal(folder / f"var/www/{name}/storage/journal.jsonl") for name in hosts}
    with host.opened():
        cron = host.cron(speed=SPEED)
        working = [journals[name] for name in hosts if VARIANTS[name].ticks or name == "sound"]
        comes(lambda: all(len(journal.ticks()) >= 2 for journal in working), 12)
        lines = list(cron.lines)
    seen = {}
    for name in hosts:
        variant = VARIANTS[name]
        marks = [f"cron.d/{name}", f"*{name})", f"/{name} "]
        if variant.path.startswith(SPOOL):
            marks += [f"({variant.owner}) CMD"]
        # An unfinished line of cron.d names its file; a command names the application, or what is left of it.
        mine = [line for line in lines if any(mark in f"{line} " for mark in marks)]
        started = [line for line in mine if " CMD (" in line]
        seen[name] = Ticked(journals[name].ticks(), started, [line for line in mine if line not in started])
    return seen


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
    found = source.stat()
    shutil.chown(target, found.st_uid, found.st_gid)
    target.chmod(found.st_mode & 0o7777)
