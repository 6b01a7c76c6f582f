"""The ground of one app on a host: what is found there, and what the profile and the caller decide by it.

The generating and the installing flow both build on it; nothing is rendered here.
"""

from __future__ import annotations

import posixpath
import re

import msgspec

from auditor import audit
from auditor.errors import Unreadable, UsageError
from auditor.facts.host import Host
from auditor.facts.laravel import App
from auditor.facts.launch import WORKER_KINDS
from auditor.facts.origin import NEVER, Mark, observed
from auditor.facts.queue import Connection
from auditor.facts.site import Site
from auditor.facts.supervisor import SupervisorConf
from auditor.remedies.profile import Profile, choose
from auditor.remedies.sizing import Size, Wanted, size
from auditor.remedies.template import word
from auditor.sources.tree import Tree

GENERIC = frozenset(
    "app application backend current htdocs html httpdocs laravel live prod production public public_html release site "
    "source src web webroot www".split()
)
"""Folder names that say nothing of what lies in them."""
SHARED = frozenset("home opt root srv usr var".split())
"""Folders of the system, which say as little."""
DROP_IN = "etc/supervisor/conf.d/*.conf"
"""Where programs go by the habit of Debian, where no configuration says otherwise."""

NO_ACCOUNT = "which account should run workers and scheduler is not known; name it with --user"


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller decides; None leaves it to the host and the profile."""

    profile: str | None = None
    """Name of the profile, or the path of its file."""
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
    host: Host
    """The machine, with the memory that the caller names."""
    wanted: Wanted
    """The numbers that the caller decides."""
    connection: Connection | None
    """The queue connection its workers take; None leaves the app's default, which is not known here."""
    no_worker: str = ""
    """Why no worker can be made for it, and what to do, as a sentence; "" where one can."""
    account: Account | None
    """Who they run as; None where that cannot be told."""
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
    rotates: bool
    """Whether a logrotate is seen that takes files of ours."""
    scheduler_log: str | None
    """Where the output of a scheduler of ours goes, an absolute path; None discards it."""

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

    def inside(self, path: str) -> str:
        """A path below the app as an absolute one."""
        return f"{self.folder.rstrip('/')}/{path}"

    def size(self) -> Size:
        """How many workers, and what each may take; raises UsageError where that cannot be told."""
        return size(self.profile, self.host, self.app, self.connection, self.wanted)

    def who(self) -> Account:
        """Who they run as; raises UsageError where that cannot be told."""
        if self.account is None:
            raise UsageError(NO_ACCOUNT)
        return self.account


def take_ground(path: str, app: str, wishes: Wishes, *, may_set_connection: bool = False) -> Ground:
    """Look at a host and decide for one of its apps; raises UsageError, Unreadable, CannotMend.

    With `may_set_connection` an app whose jobs now run at once gets the connection that its profile names.
    """
    site = audit.look(path, apps=[app], kind="host")
    tree = Tree(path)
    found = site.apps[0]
    if not tree.is_file(f"{found.name}/artisan" if found.name != "." else "artisan"):
        raise UsageError(f"there is no Laravel app in {app}: it holds no artisan")
    name, profile = choose(found, wishes.profile)
    connection, no_worker = _connection(found, wishes, profile.worker.connection if may_set_connection else None)
    host = site.host
    if wishes.host_memory is not None:
        marks: dict[str, Mark] = {**host.marks, "memory": observed()}
        host = msgspec.structs.replace(host, memory=wishes.host_memory, cgroup_memory=NEVER, marks=marks)
    folder = word(f"/{found.name}".rstrip(".").rstrip("/") or "/", "the app's folder", DROP_IN)
    php, php_why = _php(tree, site, found, wishes)
    conf = next((conf for conf in site.confs if conf.is_main), None)
    drop_in = _drop_in(conf)
    return Ground(
        site=site,
        app=found,
        folder=folder,
        base=_base(found.name, name),
        profile_name=name,
        profile=profile,
        host=host,
        wanted=Wanted(numprocs=wishes.numprocs, memory=wishes.memory, timeout=wishes.timeout),
        connection=connection,
        no_worker=no_worker,
        account=_account(tree, site, found, wishes),
        php=word(php, "the PHP binary", drop_in),
        php_why=php_why,
        conf=conf,
        drop_in=drop_in,
        log_folder=_log_folder(tree, conf),
        rotates=tree.is_dir("etc/logrotate.d"),
        scheduler_log=_scheduler_log(tree, folder, profile),
    )


def _connection(app: App, wishes: Wishes, fallback: str | None) -> tuple[Connection | None, str]:
    """The connection that workers are to take, and, where none can, a sentence on that."""
    known = {connection.name: connection for connection in app.connections}
    usable = [connection.name for connection in app.connections if not connection.idles]
    if wishes.connection is not None and wishes.connection not in known:
        raise UsageError(
            f"config/queue.php has no connection “{wishes.connection}”; it has {', '.join(known) or 'none that is known'}"
        )
    if wishes.connection is None and app.is_unknown("default_connection"):
        return None, ""
    name = wishes.connection or app.default_connection
    found = known.get(name)
    if found is None:
        if app.is_unknown("connections") or not known:
            return None, ""
        return None, (
            f"the app's default queue connection, “{name}”, is not in its config/queue.php; name one of "
            f"{', '.join(usable)} with --connection"
        )
    if found.idles and wishes.connection is None and fallback in usable:
        return known[fallback], ""
    if found.idles:
        return found, (
            f"the queue connection “{found.name}” runs jobs at once and needs no worker; set QUEUE_CONNECTION, or name one "
            f"of {', '.join(usable)} with --connection"
        )
    return found, ""


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


def _account(tree: Tree, site: Site, app: App, wishes: Wishes) -> Account | None:
    """The account asked for; else the workers' own; else the owner of the app's storage; else the web server's."""
    users = site.host.users
    passwd = _table(tree, "etc/passwd")
    owners = {fields[2]: fields[0] for fields in passwd if len(fields) > 6}
    running = {
        launch.user
        for launch in site.launches
        if launch.app == app.name
        and launch.command.kind in (*WORKER_KINDS, "horizon")
        and not launch.is_unknown("user")
        and launch.user != "root"
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
        return None
    if users and user not in users:
        if wishes.user is None:
            return None
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
    here = f"/{posixpath.dirname(conf.main)}" if conf is not None else ""
    for section in conf.sections if conf is not None else ():
        for setting in section.settings if section.kind == "include" else ():
            for pattern in setting.value.split() if setting.name == "files" else ():
                path = posixpath.normpath(posixpath.join(here, pattern.replace("%(here)s", here)))
                if path.count("*") == 1 and "*" in posixpath.basename(path) and "%" not in path:
                    return path.lstrip("/")
    return DROP_IN


def _scheduler_log(tree: Tree, folder: str, profile: Profile) -> str | None:
    """The profile's, where its folder is there, without which the line would not run, and logrotate to rotate it."""
    log = profile.scheduler_log
    path = f"{folder.rstrip('/')}/{log}"
    there = tree.is_dir("etc/logrotate.d") and tree.is_dir(posixpath.dirname(path).lstrip("/"))
    return path if log is not None and there else None


def _log_folder(tree: Tree, conf: SupervisorConf | None) -> str:
    own = conf.supervisord.logfile if conf is not None else None
    places = ["/var/log/supervisor", posixpath.dirname(own) if own and own.startswith("/") else "", "/var/log"]
    return next((place for place in places if place and tree.is_dir(place.lstrip("/"))), "/var/log/supervisor")
