"""The generating flow: an app's supervisor and cron files from nothing, sized for this host, judged before they are given."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from auditor import audit
from auditor.errors import CannotMend, UsageError
from auditor.facts.laravel import App
from auditor.facts.origin import NEVER, Mark, observed
from auditor.facts.queue import Connection
from auditor.facts.site import Site
from auditor.findings import Finding, Severity
from auditor.judge.rulebook import Rulebook
from auditor.remedies.profile import Profile, Size, choose, size
from auditor.remedies.scheduler import cron_line, php_of, user_of
from auditor.remedies.template import render, word


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller decides; None leaves it to the host and the profile."""

    profile: str | None = None
    """Name of the profile."""
    user: str | None = None
    """The account that workers and scheduler run under."""
    php: str | None = None
    """The PHP binary."""
    connection: str | None = None
    """The queue connection."""
    numprocs: int | None = None
    """Workers."""
    memory: float | None = None
    """--memory in MiB."""
    timeout: float | None = None
    """--timeout in seconds."""
    host_memory: float | None = None
    """RAM of the host in MiB, where it is not this one."""


class Generated(msgspec.Struct, frozen=True):
    """The files, and how they came about."""

    profile: str
    """The profile they follow."""
    files: dict[str, str]
    """Path below the root to content."""
    sums: tuple[str, ...]
    """The arithmetic behind numprocs, memory, timeout and stopwaitsecs."""
    replaces: tuple[str, ...]
    """Programs that already run workers of this app, and that have to go where the new one comes."""
    left: tuple[Finding, ...]
    """What still stands against the host with these files in place: settings that no file of ours holds."""


def generate(path: str, app: str, rules: Rulebook, wishes: Wishes) -> Generated:
    """Files for one app of a host; raises UsageError, Unreadable, CannotMend."""
    site = audit.look(path, apps=[app], kind="host")
    found = site.apps[0]
    name, profile = choose(found, wishes.profile)
    connection = _connection(found, wishes)
    host = site.host
    if wishes.host_memory is not None:
        marks: dict[str, Mark] = {**host.marks, "memory": observed()}
        host = msgspec.structs.replace(host, memory=wishes.host_memory, cgroup_memory=NEVER, marks=marks)
    sized = _as_wished(size(profile, host, connection), wishes)
    files = _files(found, site, profile, connection, sized, wishes)
    overlaid = audit.look(path, apps=[app], kind="host", overrides={p: text.encode() for p, text in files.items()})
    verdict = audit.judge(overlaid, rules)
    own = [finding for finding in verdict.findings if finding.file in files and finding.severity is Severity.ERROR]
    if own:
        raise CannotMend(own[0].file, f"the generated file would break {own[0].rule}: {own[0].message.rstrip('.')}")
    replaced = tuple(
        launch.name
        for launch in site.launches
        if launch.app == found.name and launch.command.is_worker and launch.file not in files
    )
    left = tuple(finding for finding in verdict.findings if finding.subject not in replaced)
    return Generated(name, files, sized.sums, replaced, left)


def _connection(app: App, wishes: Wishes) -> Connection | None:
    name = wishes.connection or ("" if app.is_unknown("default_connection") else app.default_connection)
    found = next((c for c in app.connections if c.name == name), None)
    if wishes.connection is not None and found is None:
        known = ", ".join(c.name for c in app.connections)
        raise UsageError(f"config/queue.php has no connection “{wishes.connection}”; it has {known}")
    if found is not None and found.idles:
        usable = ", ".join(c.name for c in app.connections if not c.idles)
        raise UsageError(
            f"the queue connection “{found.name}” runs jobs at once and needs no worker; set QUEUE_CONNECTION, or name one "
            f"of {usable} with --connection"
        )
    return found


def _as_wished(found: Size, wishes: Wishes) -> Size:
    timeout = wishes.timeout or found.timeout
    changed = [f"{name}: {value:g}, as asked" for name, value in (("numprocs", wishes.numprocs), ("memory", wishes.memory),
                                                                   ("timeout", wishes.timeout)) if value is not None]  # fmt: skip
    return Size(
        wishes.numprocs or found.numprocs,
        wishes.memory or found.memory,
        timeout,
        found.stopwaitsecs if wishes.timeout is None else timeout + 30,
        (*found.sums, *changed),
    )


def _files(
    app: App, site: Site, profile: Profile, connection: Connection | None, sized: Size, wishes: Wishes
) -> dict[str, str]:
    base = re.sub(r"[^A-Za-z0-9_-]+", "-", posixpath.basename(app.name)).strip("-") or "laravel"
    horizon = profile.worker.kind == "horizon"
    name = f"{base}-{'horizon' if horizon else 'worker'}"
    conf = f"etc/supervisor/conf.d/{name}.conf"
    cron = f"etc/cron.d/{base}-scheduler"
    user = word(wishes.user or user_of(app, site, conf), "the account", conf)
    php = word(wishes.php or php_of(app, site), "the PHP binary", conf)
    folder = word(f"/{app.name}".rstrip("."), "the app's folder", conf)
    program = {
        "name": name,
        "command": _command(profile, php, folder, connection, sized),
        "directory": folder,
        "numprocs": 1 if horizon else sized.numprocs,
        "startsecs": 1,
        "startretries": profile.worker.startretries,
        "stopwaitsecs": int(_stop(app, sized) if horizon else sized.stopwaitsecs),
        "killasgroup": profile.worker.killasgroup,
        "user": user,
        "home": word(dict(site.host.homes).get(user, "/var/www"), "its home folder", conf),
        "log": f"/var/log/supervisor/{name}{'_%(process_num)02d' if not horizon and sized.numprocs > 1 else ''}.log",
    }
    line = cron_line(app, site, cron, system=True, user=user, php=php)
    return {
        conf: render("supervisor/program.conf.j2", programs=[program]),
        cron: render("cron/scheduler.j2", app=folder, line=line.rstrip("\n")),
    }


def _command(profile: Profile, php: str, folder: str, connection: Connection | None, sized: Size) -> str:
    worker = profile.worker
    limit = f" -d memory_limit={worker.php_memory_limit:g}M" if worker.php_memory_limit else ""
    if worker.kind == "horizon":
        return f"{php}{limit} {folder}/artisan horizon"
    options = {
        "queue": ",".join(worker.queues),
        "sleep": worker.sleep,
        "tries": worker.tries,
        "timeout": int(sized.timeout),
        "memory": int(sized.memory),
        "max-time": worker.max_time,
    }
    written = " ".join(f"--{option}={value}" for option, value in options.items() if value != "")
    named = f" {connection.name}" if connection is not None else ""
    return f"{php}{limit} {folder}/artisan queue:work{named} {written}"


def _stop(app: App, sized: Size) -> float:
    """Horizon is waited for as long as the longest of its supervisors may work."""
    longest = max((pool.timeout for pool in app.pools if pool.live), default=sized.timeout)
    if longest == NEVER:
        raise UsageError("a Horizon supervisor has no timeout; set one in config/horizon.php first")
    return longest + 30


def paths(root: str, folder: str | None, files: Sequence[str]) -> list[Path]:
    """Where files go on this machine: below the root, or below another folder."""
    base = Path(folder) if folder is not None else Path(root)
    return [base / file for file in files]
