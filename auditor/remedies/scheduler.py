"""The scheduler's cron files: a new one where none runs, a line made anew where it cannot run, a table's form mended."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping

from auditor.errors import CannotMend
from auditor.facts.laravel import App
from auditor.facts.launch import SCHEDULER_KINDS, Launch
from auditor.facts.schedule import CronLine, CronTable
from auditor.facts.site import Site
from auditor.remedies.template import render, word

Text = Callable[[str], bytes]
"""Path to what the file holds now."""

_BARE_PERCENT = re.compile(rb"(?<!\\)%")

DISCARDED = ">> /dev/null 2>&1"
"""Laravel's own advice: the tasks log by themselves."""


def scheduler_file(adds: str, roots: Mapping[str, object], site: Site, text: Text) -> tuple[str, bytes, str]:
    """Path, new content and what was done, for a rule that `adds` one of "cron", "cron-line", "cron-table".

    Raises CannotMend where the app, its account or its PHP cannot be told.
    """
    if adds == "cron":
        return _new_file(roots, site)
    table = roots.get("table")
    if not isinstance(table, CronTable):
        raise CannotMend("", "no cron table holds it")
    if adds == "cron-line":
        return _line(roots, table, site, text)
    if adds == "cron-table":
        return _table(table, text)
    raise CannotMend(table.path, f"there is no template “{adds}”")


def _new_file(roots: Mapping[str, object], site: Site) -> tuple[str, bytes, str]:
    app = roots.get("app")
    if not isinstance(app, App):
        raise CannotMend("", "which app it is for is not known")
    if site.kind != "host":
        raise CannotMend(app.name, "where a repository's cron file takes effect is not known")
    for table in site.tables:
        if table.causes and any(line.runs_schedule and f"/{app.name}" in line.command for line in table.lines):
            raise CannotMend(table.path, f"{table.path} would run it, if cron did not ignore that file")
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", posixpath.basename(app.name) or "laravel").strip("-") or "laravel"
    path = f"etc/cron.d/{name}-scheduler"
    line = cron_line(app, site, path, system=True)
    content = render("cron/scheduler.j2", app=f"/{app.name}".rstrip("."), line=line.rstrip("\n"))
    return path, content.encode(), "runs schedule:run every minute"


def cron_line(
    app: App,
    site: Site,
    path: str,
    *,
    system: bool,
    output: str = DISCARDED,
    user: str = "",
    php: str = "",
    memory_limit: float | None = None,
) -> str:
    """The one line that runs an app's scheduled tasks; `memory_limit` is PHP's, in MiB."""
    return render(
        "cron/line.j2",
        user=word(user or user_of(app, site, path), "the account", path) if system else "",
        app=word(f"/{app.name}".rstrip("."), "the app's folder", path),
        php=word(php or php_of(app, site), "the PHP binary", path),
        settings=f" -d memory_limit={memory_limit:g}M" if memory_limit else "",
        output=output,
    )


def _line(roots: Mapping[str, object], table: CronTable, site: Site, text: Text) -> tuple[str, bytes, str]:
    line, app = roots.get("line"), roots.get("app")
    if not isinstance(line, CronLine) or not isinstance(app, App) or app.name == "":
        raise CannotMend(table.path, "which app its line runs is not known")
    if table.kind not in ("system", "drop-in", "user"):
        raise CannotMend(table.path, "where this table takes effect is not known")
    system = table.kind != "user"
    user = line.user if system and line.user and line.user_exists and not line.is_unknown("user") else ""
    if user and site.host.users and user not in site.host.users:
        user = ""
    lines = text(table.path).split(b"\n")
    number = line.number
    if line.cut_at_percent:
        lines[number - 1] = _BARE_PERCENT.sub(rb"\\%", lines[number - 1])
        return table.path, b"\n".join(lines), f"line {number}: % escaped"
    if line.appends_to:
        word(line.appends_to, "the file that its output is appended to", table.path)
    output = f">> {line.appends_to} 2>&1" if line.appends_to else DISCARDED
    new = cron_line(app, site, table.path, system=system, output=output, user=user)
    lines[number - 1] = new.rstrip("\n").encode()
    if lines[-1]:
        lines.append(b"")
    return table.path, b"\n".join(lines), f"line {number} made anew"


def _table(table: CronTable, text: Text) -> tuple[str, bytes, str]:
    data = text(table.path)
    mended = data.replace(b"\r\n", b"\n")
    if not mended.endswith(b"\n"):
        mended += b"\n"
    if mended == data:
        raise CannotMend(table.path, "its text is in order; owner, mode or name are changed by hand")
    return table.path, mended, "line ends put right"


def user_of(app: App, site: Site, path: str) -> str:
    """The account the app's workers run under; else the web server's; raises CannotMend where neither is known."""
    users = {
        launch.user
        for launch in _of(app, site)
        if launch.command.is_worker and not launch.is_unknown("user") and launch.user != "root"
    }
    if len(users) == 1:
        user = users.pop()
        if site.host.users and user not in site.host.users:
            raise CannotMend(path, f"the account of its workers, {user}, does not exist on this host")
        return user
    if not users and "www-data" in site.host.users:
        return "www-data"
    raise CannotMend(path, "which account should run the scheduler is not known")


def php_of(app: App, site: Site) -> str:
    """The PHP that the app's workers or schedulers name by an absolute path; else /usr/bin/php."""
    named = [
        launch.command.php for launch in _of(app, site) if launch.command.php and launch.command.php.startswith("/")
    ]
    return named[0] if named and named[0] else "/usr/bin/php"


def _of(app: App, site: Site) -> list[Launch]:
    found = [launch for launch in site.launches if launch.app == app.name]
    return sorted(found, key=lambda launch: launch.command.kind in SCHEDULER_KINDS)
