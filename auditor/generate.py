"""The generating flow: an app's supervisor, cron and logrotate files from nothing, sized for this host, and judged.

What is found on the host and decided by the profile is the Ground; each file is a text made from it. The installing flow
builds on the same ground.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from auditor import audit
from auditor.dialects.conf import lex
from auditor.errors import CannotMend, Unreadable, UsageError
from auditor.facts.laravel import App
from auditor.facts.launch import SCHEDULER_KINDS, WORKER_KINDS, Launch
from auditor.facts.origin import NEVER, Mark, observed
from auditor.facts.queue import Connection
from auditor.facts.site import Site
from auditor.facts.supervisor import SupervisorConf
from auditor.findings import Finding, Severity
from auditor.judge.rulebook import Rulebook
from auditor.remedies.logrotate import logrotate_file
from auditor.remedies.profile import Profile, choose
from auditor.remedies.scheduler import DISCARDED, cron_line
from auditor.remedies.sizing import Size, Wanted, size
from auditor.remedies.template import render, word
from auditor.sources.tree import Tree

GENERIC = frozenset(
    "app application backend current htdocs html httpdocs laravel live prod production public public_html release site "
    "source src web webroot www".split()
)
"""Folder names that say nothing of what lies in them."""
SHARED = frozenset("home opt root srv usr var".split())
"""Folders of the system, which say as little."""
DROP_INS = ("etc/supervisor/conf.d/*.conf", "etc/supervisord.d/*.ini", "etc/supervisor.d/*.ini")
"""Where programs go by the habit of distributions, Debian's first."""


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller decides; None leaves it to the host and the profile."""

    profile: str | None = None
    """Name of the profile."""
    profile_folders: tuple[str, ...] = ()
    """Folders of further profiles."""
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


class Account(msgspec.Struct, frozen=True):
    """Who the workers and the scheduler run as."""

    user: str
    """Its name."""
    home: str
    """Its home folder."""
    group: str | None
    """The name of its main group; None where that is not told."""
    why: str
    """How it was chosen, as a clause."""


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What was found for one app of a host, and what was decided by that."""

    site: Site
    """Everything that was read."""
    app: App
    """The app."""
    folder: str
    """Its absolute path."""
    base: str
    """What its files and programs are called by."""
    profile_name: str
    """The profile's name."""
    profile: Profile
    """The profile."""
    connection: Connection | None
    """The queue connection its workers take; None leaves the app's default, which is not known here."""
    size: Size
    """How many workers, and what each may take."""
    account: Account
    """Who they run as."""
    php: str
    """The PHP binary."""
    php_why: str
    """How it was chosen, as a clause."""
    conf: SupervisorConf | None
    """The configuration of the host's supervisord; None where none is seen."""
    drop_in: str
    """The pattern of program files it includes: "etc/supervisor/conf.d/*.conf"."""
    log_folder: str
    """Where workers' logs go, an absolute path."""
    scheduler_log: str | None
    """Where the scheduler's output goes, an absolute path; None discards it."""
    logs: tuple[str, ...]
    """The logs that logrotate is to rotate, absolute paths; () where it cannot be told to."""

    @property
    def program_name(self) -> str:
        """What its program is called where none is there yet."""
        return f"{self.base}-{'horizon' if self.profile.worker.kind == 'horizon' else 'worker'}"

    @property
    def program_path(self) -> str:
        """Where that program's file goes."""
        return self.drop_in.replace("*", self.program_name)

    @property
    def cron_path(self) -> str:
        """Where its cron file goes where no scheduler runs yet."""
        return f"etc/cron.d/{self.base}-scheduler"

    @property
    def logrotate_path(self) -> str:
        """Where its logrotate file goes."""
        return f"etc/logrotate.d/{self.base}-queue"


class Generated(msgspec.Struct, frozen=True):
    """The files, and how they came about."""

    profile: str
    """The profile they follow."""
    files: dict[str, str]
    """Path below the root to content."""
    sums: tuple[str, ...]
    """The arithmetic behind numprocs, memory, timeout and stopwaitsecs."""
    replaces: tuple[str, ...]
    """What already runs workers or the scheduler of this app, and has to go where the new ones come."""
    left: tuple[Finding, ...]
    """What still stands against the host with these files in place: settings that no file of ours holds."""


def generate(path: str, app: str, rules: Rulebook, wishes: Wishes) -> Generated:
    """Files for one app of a host; raises UsageError, Unreadable, CannotMend."""
    ground = take_ground(path, app, wishes)
    files = {
        ground.program_path: program_text(ground, ground.program_name, ground.program_path),
        ground.cron_path: cron_text(ground, ground.cron_path),
    }
    if ground.logs:
        files[ground.logrotate_path] = logrotate_text(ground)
    old = [*workers_of(ground.site, ground.app), *schedulers_of(ground.site, ground.app)]
    replaced = [launch for launch in old if launch.file not in files]
    overrides = {**taken_away(Tree(path), replaced), **{p: text.encode() for p, text in files.items()}}
    verdict = audit.judge(audit.look(path, apps=[app], kind="host", overrides=overrides), rules)
    refuse_own_errors(verdict.findings, files)
    names = tuple(dict.fromkeys(launch.name for launch in replaced))
    return Generated(ground.profile_name, files, ground.size.sums, names, verdict.findings)


def taken_away(tree: Tree, launches: Sequence[Launch]) -> dict[str, bytes]:
    """The files that start these, without them: how the host looks once a person has taken them away."""
    texts: dict[str, bytes] = {}
    for launch in launches:
        path = launch.file
        if path not in texts:
            texts[path] = tree.read(path)
        lines = texts[path].split(b"\n")
        if launch.runner == "cron":
            lines[launch.line - 1] = b""
        elif launch.runner == "supervisor":
            first = -1
            blocks = lex(texts[path].decode("utf-8", "replace")).blocks
            for block in (*blocks, None):
                if first >= 0:
                    until = block.line - 1 if block is not None else len(lines)
                    lines[first:until] = [b""] * (until - first)
                    first = -1
                if block is not None and block.name == f"program:{launch.name}":
                    first = block.line - 1
        else:
            lines = []
        texts[path] = b"\n".join(lines)
    return texts


NOT_OURS = frozenset({"memory/workers-fit-host", "timeouts/timeout-not-enforced"})
"""Rules that a file of ours can break by what the host lacks, or by what else runs on it: told, and no reason to stop."""


def refuse_own_errors(findings: Sequence[Finding], files: Mapping[str, object]) -> None:
    """Raise CannotMend where one of our own files would be at fault."""
    own = [one for one in findings if one.file in files and one.severity is Severity.ERROR and one.rule not in NOT_OURS]
    if own:
        raise CannotMend(own[0].file, f"the generated file would break {own[0].rule}: {own[0].message.rstrip('.')}")


def workers_of(site: Site, app: App) -> list[Launch]:
    """What already takes the app's jobs: workers and Horizon masters, by whatever starts them."""
    return [one for one in site.launches if one.app == app.name and one.command.kind in (*WORKER_KINDS, "horizon")]


def schedulers_of(site: Site, app: App) -> list[Launch]:
    """What already runs the app's scheduled tasks, by whatever starts it."""
    return [one for one in site.launches if one.app == app.name and one.command.kind in SCHEDULER_KINDS]


def take_ground(path: str, app: str, wishes: Wishes, *, may_set_connection: bool = False) -> Ground:
    """Look at a host and decide for one of its apps; raises UsageError, Unreadable, CannotMend.

    With `may_set_connection` an app whose jobs now run at once gets the connection that its profile names.
    """
    site = audit.look(path, apps=[app], kind="host")
    tree = Tree(path)
    found = site.apps[0]
    if not tree.is_file(f"{found.name}/artisan" if found.name != "." else "artisan"):
        raise UsageError(f"there is no Laravel app in {app}: it holds no artisan")
    name, profile = choose(found, wishes.profile, wishes.profile_folders)
    connection = _connection(found, wishes, profile.worker.connection if may_set_connection else None)
    host = site.host
    if wishes.host_memory is not None:
        marks: dict[str, Mark] = {**host.marks, "memory": observed()}
        host = msgspec.structs.replace(host, memory=wishes.host_memory, cgroup_memory=NEVER, marks=marks)
    wanted = Wanted(numprocs=wishes.numprocs, memory=wishes.memory, timeout=wishes.timeout)
    folder = f"/{found.name}".rstrip(".").rstrip("/") or "/"
    base = _base(found.name, name)
    account = _account(tree, site, found, wishes)
    php, php_why = _php(tree, site, found, wishes)
    conf = next((conf for conf in site.confs if conf.is_main), None)
    drop_in = _drop_in(conf)
    rotates = tree.is_dir("etc/logrotate.d") and account.group is not None
    log = profile.scheduler_log
    kept = log is not None and rotates and tree.is_dir(f"{found.name}/{posixpath.dirname(log)}")
    logs = [f"{folder}/{one}" for one in (*([log] if log is not None and kept else []), *profile.logs)]
    return Ground(
        site=site,
        app=found,
        folder=word(folder, "the app's folder", drop_in),
        base=base,
        profile_name=name,
        profile=profile,
        connection=connection,
        size=size(profile, host, found, connection, wanted),
        account=account,
        php=word(php, "the PHP binary", drop_in),
        php_why=php_why,
        conf=conf,
        drop_in=drop_in,
        log_folder=_log_folder(tree, conf),
        scheduler_log=f"{folder}/{log}" if kept else None,
        logs=tuple(logs) if rotates else (),
    )


def _connection(app: App, wishes: Wishes, fallback: str | None) -> Connection | None:
    known = {connection.name: connection for connection in app.connections}
    usable = [connection.name for connection in app.connections if not connection.idles]
    if wishes.connection is not None and wishes.connection not in known:
        raise UsageError(
            f"config/queue.php has no connection “{wishes.connection}”; it has {', '.join(known) or 'none that is known'}"
        )
    if wishes.connection is None and app.is_unknown("default_connection"):
        return None
    name = wishes.connection or app.default_connection
    found = known.get(name)
    if found is None:
        if app.is_unknown("connections") or not known:
            return None
        raise UsageError(
            f"the app's default queue connection, “{name}”, is not in its config/queue.php; name one of "
            f"{', '.join(usable)} with --connection"
        )
    if found.idles:
        if wishes.connection is None and fallback in usable:
            return known[fallback]
        raise UsageError(
            f"the queue connection “{found.name}” runs jobs at once and needs no worker; set QUEUE_CONNECTION, or name one "
            f"of {', '.join(usable)} with --connection"
        )
    return found


def _base(app: str, profile: str) -> str:
    """The nearest folder name that tells what the app is; where none does, the profile's."""
    parts = [part for part in app.split("/") if part not in ("", ".")]
    for part in reversed(parts):
        if part.lower() in SHARED:
            break
        if part.lower() not in GENERIC:
            base = re.sub(r"[^A-Za-z0-9_-]+", "-", part).strip("-")
            if base:
                return base
    return profile


def _account(tree: Tree, site: Site, app: App, wishes: Wishes) -> Account:
    """The account asked for; else the workers' own; else the owner of the app's storage; else the web server's."""
    users = site.host.users
    passwd = _table(tree, "etc/passwd")
    owners = {fields[2]: fields[0] for fields in passwd if len(fields) > 6}
    running = {
        launch.user for launch in workers_of(site, app) if not launch.is_unknown("user") and launch.user != "root"
    }
    storage = tree.stat(f"{app.name}/storage" if app.name != "." else "storage")
    owner = owners.get(str(storage.st_uid), "") if storage is not None else ""
    if wishes.user is not None:
        user, why = wishes.user, "as asked"
    elif len(running) == 1:
        user, why = running.pop(), "its workers already run as it"
    elif owner and owner != "root":
        user, why = owner, "it owns the app's storage"
    elif "www-data" in users:
        user, why = "www-data", "the web server's account"
    else:
        raise UsageError("which account should run the workers is not known; name it with --user")
    if users and user not in users:
        raise UsageError(f"there is no account “{user}” on this host; name another with --user")
    if user == "root":
        raise UsageError("workers and scheduler are not to run as root; name the app's account with --user")
    fields = next((fields for fields in passwd if fields[0] == user), [])
    groups = {fields[2]: fields[0] for fields in _table(tree, "etc/group") if len(fields) > 2}
    group = groups.get(fields[3]) if len(fields) > 6 else None
    home = dict(site.host.homes).get(user, "/var/www") or "/var/www"
    return Account(word(user, "the account", "etc/passwd"), word(home, "its home folder", "etc/passwd"), group, why)


def _table(tree: Tree, path: str) -> list[list[str]]:
    try:
        return [line.split(":") for line in tree.read(path).decode("utf-8", "replace").splitlines()]
    except Unreadable:
        return []


def _php(tree: Tree, site: Site, app: App, wishes: Wishes) -> tuple[str, str]:
    """The PHP that is asked for; else what its workers or scheduler name; else the newest that is configured here."""
    if wishes.php is not None:
        return wishes.php, "as asked"
    named = [one.command.php for one in site.launches if one.app == app.name and one.command.php]
    absolute = next((php for php in named if php.startswith("/")), None)
    if absolute is not None:
        return absolute, "what runs the app already names it"
    versions = [php.name for php in site.phps if php.name and tree.is_dir(f"etc/php/{php.name}")]
    for version in versions:
        return f"/usr/bin/php{version}", f"the newest with a command line in etc/php: {', '.join(versions)}"
    for place in ("usr/bin/php", "usr/local/bin/php"):
        if tree.stat(place) is not None:
            return f"/{place}", "it is there"
    return "/usr/bin/php", "assumed: none is seen here, name another with --php"


def _drop_in(conf: SupervisorConf | None) -> str:
    """Where the host's supervisord looks for programs: the first pattern it includes that a new file can fit."""
    for section in conf.sections if conf is not None else ():
        for setting in section.settings if section.kind == "include" else ():
            for pattern in setting.value.split() if setting.name == "files" else ():
                absolute = (
                    pattern if pattern.startswith("/") else f"/{posixpath.dirname(conf.main)}/{pattern}" if conf else ""
                )
                absolute = posixpath.normpath(
                    absolute.replace("%(here)s", f"/{posixpath.dirname(conf.main)}" if conf else "")
                )
                if absolute.count("*") == 1 and "*" in posixpath.basename(absolute) and "%" not in absolute:
                    return absolute.lstrip("/")
    return DROP_INS[0]


def _log_folder(tree: Tree, conf: SupervisorConf | None) -> str:
    own = conf.supervisord.logfile if conf is not None else None
    places = ["/var/log/supervisor", posixpath.dirname(own) if own and own.startswith("/") else "", "/var/log"]
    return next((place for place in places if place and tree.is_dir(place.lstrip("/"))), "/var/log/supervisor")


def program_text(ground: Ground, name: str, path: str) -> str:
    """The supervisor program that runs its workers, or its Horizon master."""
    several = ground.size.numprocs > 1
    return render(
        "supervisor/program.conf.j2",
        programs=[
            {
                "name": word(name, "the program's name", path),
                "command": _command(ground),
                "directory": ground.folder,
                "numprocs": ground.size.numprocs,
                "startsecs": 1,
                "startretries": ground.profile.worker.startretries,
                "stopwaitsecs": int(ground.size.stopwaitsecs),
                "killasgroup": ground.profile.worker.killasgroup,
                "user": ground.account.user,
                "home": ground.account.home,
                "log": f"{ground.log_folder}/{name}{'_%(process_num)02d' if several else ''}.log",
            }
        ],
    )


def cron_text(ground: Ground, path: str) -> str:
    """The file of cron.d that runs its scheduler."""
    line = cron_line(
        ground.app,
        ground.site,
        path,
        system=True,
        user=ground.account.user,
        php=ground.php,
        memory_limit=ground.size.php_memory_limit,
        output=f">> {word(ground.scheduler_log, 'the log', path)} 2>&1" if ground.scheduler_log else DISCARDED,
    )
    return render("cron/scheduler.j2", app=ground.folder, line=line.rstrip("\n"))


def logrotate_text(ground: Ground) -> str:
    """The logrotate file of what grows by these settings; there is none where `logs` is empty."""
    assert ground.account.group is not None
    return logrotate_file(ground.folder, ground.logs, ground.account.user, ground.account.group, ground.logrotate_path)


def _command(ground: Ground) -> str:
    worker, size_ = ground.profile.worker, ground.size
    limit = f" -d memory_limit={size_.php_memory_limit:g}M" if size_.php_memory_limit else ""
    start = f"{ground.php}{limit} {ground.folder.rstrip('/')}/artisan"
    if worker.kind == "horizon":
        return f"{start} horizon"
    options = {
        "queue": ",".join(worker.queues),
        "sleep": worker.sleep,
        "tries": worker.tries,
        "timeout": int(size_.timeout),
        "memory": int(size_.memory),
        "max-time": worker.max_time,
    }
    written = " ".join(f"--{option}={value}" for option, value in options.items() if value != "")
    named = (
        f" {word(ground.connection.name, 'the connection', ground.drop_in)}" if ground.connection is not None else ""
    )
    return f"{start} queue:work{named} {written}"


def paths(root: str, folder: str | None, files: Sequence[str]) -> list[Path]:
    """Where files go on this machine: below the root, or below another folder."""
    base = Path(folder) if folder is not None else Path(root)
    return [base / file for file in files]
