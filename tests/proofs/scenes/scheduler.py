"""Lines of cron that do not run the schedule, or not as it should be: one host each, all run by one cron."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.proofs.scenes.scene import PASSWD, comes
from tests.stack.backends import SQLITE
from tests.stack.host import Host
from tests.stack.journal import Entry, Journal
from tests.stack.laravel import OWNED
from tests.stack.polling import PATIENCE

RUN = "php artisan schedule:run >> /dev/null 2>&1"


class Variant(NamedTuple):
    """One way to write a timetable; {app} in its text is the application's folder."""

    rule: str | None
    """The rule that must object to it; None where it is sound."""
    harm: str
    """What is wrong with it, in a sentence."""
    text: str
    """The file."""
    ticks: bool = False
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
    account: str = "www-data"
    """Whom the application's folder belongs to, and its workers run as."""
    about: str = ""
    """What of the file the finding names beside its path: ":1" for its first line."""
    by_hand: Mapping[str, object] | None = None
    """How a person puts right what the rule only advises on: the fields that become others."""
    remedied: str = "It runs every minute as its application's own account."
    """What is seen once it is put right."""


SPOOL = "var/spool/cron/crontabs/"
SOUND = f"* * * * * www-data cd {{app}} && {RUN}\n"
VARIANTS: Mapping[str, Variant] = {
    "sound": Variant(None, "", SOUND, ticks=True),
    "user-crontab": Variant(
        None,
        "",
        f"* * * * * cd {{app}} && {RUN}\n",
        ticks=True,
        path=f"{SPOOL}www-data",
        mode=0o600,
        owner="www-data",
    ),
    "as-root": Variant(
        "scheduler/runs-as-other-user",
        "It runs as root, and what it writes is root's.",
        SOUND.replace("www-data", "root"),
        ticks=True,
        user="root",
        about=":1",
        by_hand={"text": SOUND, "user": "www-data"},
    ),
    "cannot-write": Variant(
        "scheduler/runs-as-other-user",
        "It runs as an account that may write nothing in storage, and comes to nothing.",
        SOUND.replace("www-data", "nobody"),
        about=":1",
        by_hand={"text": SOUND},
    ),
    "no-user-field": Variant(
        "scheduler/cron-user-field",
        "Without an account in the line cron takes `cd` for one, and ignores the file.",
        f"* * * * * cd {{app}} && {RUN}\n",
        starts=False,
        words="bad username",
        about=":1",
    ),
    "user-field-in-user-crontab": Variant(
        "scheduler/cron-user-field",
        "In an account's own table its name is run as a command, which is not there.",
        SOUND,
        path=f"{SPOOL}backup",
        mode=0o600,
        owner="backup",
        user="backup",
        account="backup",
        about=":1",
    ),
    "unknown-user": Variant(
        "scheduler/cron-user",
        "For an account that is not there cron ignores the file.",
        SOUND.replace("www-data", "webmaster"),
        starts=False,
        words="bad username",
        about=":1",
    ),
    "no-newline": Variant(
        "scheduler/cron-no-newline",
        "Without a newline at its end cron ignores the file.",
        SOUND.rstrip(),
        starts=False,
        words="Missing newline before EOF",
    ),
    "group-writable": Variant(
        "scheduler/cron-mode-owner",
        "A file that others than root may write is ignored by cron.",
        SOUND,
        starts=False,
        words="INSECURE MODE",
        mode=0o664,
        by_hand={"mode": 0o644},
    ),
    "not-roots": Variant(
        "scheduler/cron-mode-owner",
        "A file that is not root's is ignored by cron.",
        SOUND,
        starts=False,
        words="WRONG FILE OWNER",
        owner="www-data",
        by_hand={"owner": "root"},
    ),
    "dot.in-name": Variant(
        "scheduler/cron-file-name",
        "A file with a dot in its name is passed over without a word.",
        SOUND,
        starts=False,
        by_hand={"path": "etc/cron.d/dot-in-name"},
    ),
    "other-line": Variant(
        "scheduler/cron-syntax",
        "For a mistake in another line of the file cron ignores all of it.",
        f"61 4 * * * root /usr/local/bin/backup\n{SOUND}",
        starts=False,
        words="bad minute",
        by_hand={"text": f"59 4 * * * root /usr/local/bin/backup\n{SOUND}"},
    ),
    "not-on-path": Variant(
        "scheduler/cron-path",
        "The PATH of the table leads to no php.",
        f"PATH=/sbin\n{SOUND}",
        about=":2",
    ),
    "no-cd": Variant(
        "scheduler/cron-no-cd",
        "artisan is looked for in the account's home.",
        f"* * * * * www-data {RUN}\n",
        about=":1",
    ),
    "crlf": Variant(
        "scheduler/cron-crlf",
        "With the line ends of Windows the command's last word ends with a carriage return.",
        SOUND.replace("\n", "\r\n"),
        about=":1",
    ),
    "percent": Variant(
        "scheduler/cron-percent",
        "At a bare percent sign cron ends the command.",
        SOUND.replace("/dev/null", "{app}/storage/logs/schedule-$(date +%F).log"),
        about=":1",
    ),
    "undefined-variable": Variant(
        "scheduler/cron-variable-undefined",
        "For a variable that cron does not set the shell puts nothing in its place.",
        SOUND.replace("{app}", "$APP_DIR"),
        about=":1",
        by_hand={"text": f"APP_DIR={{app}}\n{SOUND.replace('{app}', '$APP_DIR')}"},
    ),
    "once-a-night": Variant(
        "scheduler/not-every-minute",
        "Started once a night, the schedule passes over all other minutes.",
        SOUND.replace("* * * * *", "0 4 * * *"),
        starts=False,
        about=":1",
    ),
    "nothing": Variant(
        "scheduler/missing",
        "Nothing starts the schedule, and no task of it runs.",
        "",
        starts=False,
        path="etc/cron.d/.keep",
    ),
}
"""By a name that is also the application's folder's, and the file's in etc/cron.d."""
WORKER = """\
[program:worker]
command=php /var/www/{name}/artisan queue:work database --sleep=1 --tries=3 --timeout=60 --max-jobs=1000
user={account}
autorestart=true
stopwaitsecs=75
redirect_stderr=true
stdout_logfile=/var/log/supervisor/worker.log
"""
"""What shows the auditor whom the application belongs to; it is not run here."""


class Ticked(NamedTuple):
    """What came of one timetable."""

    ticks: Sequence[Entry]
    """Every run of the application's schedule."""
    started: Sequence[str]
    """cron's lines that say the command was started."""
    said: Sequence[str]
    """cron's other lines that name the file or its user's crontab."""


def lay_out(folder: Path, name: str, *, bad: bool = True) -> Path:
    """Write the host with that variant, its application at var/www/NAME, into `folder`."""
    variant = VARIANTS[name]
    if not bad:
        variant = variant._replace(**(variant.by_hand or {}))  # type: ignore[arg-type]
    path = variant.path.replace("{name}", name)
    files = {"etc/passwd": PASSWD, path: variant.text.replace("{app}", f"/var/www/{name}")}
    app = f"var/www/{name}"
    Host.lay_out(folder, WORKER.format(name=name, account=variant.account), env=SQLITE.env, files=files, app=app)
    (folder / path).chmod(variant.mode)
    shutil.chown(folder / path, variant.owner)
    for part in OWNED:
        for one in (folder / app / part, *(folder / app / part).rglob("*")):
            shutil.chown(one, variant.account, variant.account)
    return folder


def subject(name: str) -> str:
    """What the finding is about."""
    variant = VARIANTS[name]
    if variant.rule == "scheduler/missing":
        return f"var/www/{name}"
    return variant.path.replace("{name}", name) + variant.about


def observe(hosts: Mapping[str, Path], folder: Path, ticking: Collection[str], speed: int) -> dict[str, Ticked]:
    """Put these hosts' files, as they are, together on one host in `folder`, and let its cron run two minutes of them.

    Each must hold the application of its name and a timetable of its own. The minutes last until those in `ticking`
    have all run twice.
    """
    for name, source in hosts.items():
        for part in ("etc/cron.d", "var/spool/cron/crontabs", f"var/www/{name}"):
            for path in sorted((source / part).rglob("*")):
                _copy(path, folder / path.relative_to(source))
    host = Host(folder)
    journals = {name: Journal(folder / f"var/www/{name}/storage/journal.jsonl") for name in hosts}
    with host.opened():
        cron = host.cron(speed=speed)
        comes(lambda: all(len(journals[name].ticks()) >= 2 for name in ticking), 40 * PATIENCE)
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
