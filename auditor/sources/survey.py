"""The survey: from a path to a Site, by asking every source for its part. It knows where things lie, and no rules."""

from __future__ import annotations

import abc
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from auditor.errors import Unreadable, UsageError
from auditor.facts.command import Command
from auditor.facts.host import Host
from auditor.facts.laravel import App
from auditor.facts.launch import Launch
from auditor.facts.origin import Mark, declared, unknown
from auditor.facts.schedule import CronTable, Unit
from auditor.facts.site import Site, Unread
from auditor.facts.supervisor import SupervisorConf
from auditor.sources.crontab import read_crontabs
from auditor.sources.host import read_host
from auditor.sources.ignores import MARK, read_ignores
from auditor.sources.laravel import read_app
from auditor.sources.launches import Reader
from auditor.sources.php_runtimes import read_phps
from auditor.sources.supervisor import read_configuration, read_file
from auditor.sources.supervisor.folders import with_log_folders
from auditor.sources.systemd import read_units
from auditor.sources.tree import Tree

if TYPE_CHECKING:
    from auditor.sources.discover import Found
    from auditor.sources.php.values import Unknown

MAIN_FILES = (
    "etc/supervisor/supervisord.conf",
    "etc/supervisord.conf",
    "usr/local/etc/supervisord.conf",
    "usr/etc/supervisord.conf",
)
"""Where a host's supervisord looks for its configuration; Debian's package names the first on its command line."""
DROP_INS = (
    "etc/supervisor/conf.d/*.conf",
    "etc/supervisor/conf.d/*.ini",
    "etc/supervisor.d/*.ini",
    "etc/supervisor.d/*.conf",
    "etc/supervisord.d/*.ini",
    "etc/supervisord.d/*.conf",
)
"""Where people put programs; what no main file includes of them does not run."""
APP_PLACES = (
    "var/www",
    "var/www/*",
    "var/www/*/current",
    "srv/*",
    "srv/*/current",
    "opt/*",
    "app",
    "usr/share/*",
    "home/*/*",
)
"""Where apps lie that nothing names: a scheduler nobody starts is missed only if its app is seen."""
MAX_APPS = 50
"""More apps than that in those places are not looked into."""

Overrides = Mapping[str, bytes]


def read_site(
    path: str, *, apps: Sequence[str] = (), kind: str | None = None, overrides: Overrides | None = None
) -> Site:
    """Everything below a path; raises Unreadable, UsageError."""
    if "\0" in path:
        raise UsageError("a path holds no NUL byte")
    if not os.path.lexists(path) and os.path.basename(path) not in (overrides or {}):
        raise Unreadable(path, "it does not exist")
    if os.path.isdir(path):
        tree = Tree(path)
        try:
            os.listdir(path)
        except OSError as error:
            raise Unreadable(path, (error.strerror or "it cannot be read").lower()) from None
        chosen = kind or kind_of_tree(tree)
        if chosen == "file":
            raise UsageError(f"{path} is a folder, not a file")
        if chosen == "host":
            return _Host(tree, path, apps, overrides or {}).site()
        from auditor.sources.survey_repository import RepositorySurvey

        return RepositorySurvey(tree, path, apps, overrides or {}).site()
    from auditor.sources.survey_repository import FileSurvey

    folder, _, name = os.path.abspath(path).rpartition("/")
    try:
        return FileSurvey(Tree(folder or "/"), path, name, apps, overrides or {}).site()
    except Unreadable as problem:
        raise Unreadable(path, problem.reason, problem.line) if problem.path == name else problem from None


def kind_of_tree(tree: Tree) -> str:
    """A root file system has etc/ and none of what marks a checkout."""
    if tree.root == "/":
        return "host"
    marks = (
        ".git",
        "composer.json",
        "artisan",
        "package.json",
        "Dockerfile",
        "docker-compose.yml",
        "compose.yml",
        "README.md",
    )
    if any(tree.stat(name) is not None for name in marks):
        return "repository"
    places = (*MAIN_FILES, "etc/supervisor", "etc/passwd", "etc/cron.d", "etc/systemd", "proc/meminfo")
    found = [place for place in places if tree.stat(place) is not None]
    return (
        "host"
        if found and (tree.is_file("etc/passwd") or tree.is_file("proc/meminfo") or any(f in MAIN_FILES for f in found))
        else "repository"
    )


class Survey(abc.ABC):
    """What the three kinds of survey have in common."""

    kind = "host"

    def __init__(self, tree: Tree, name: str, apps: Sequence[str], overrides: Overrides) -> None:
        """Look at a tree; `name` is the path as it was asked for, `apps` are roots of apps below it."""
        self.tree = tree
        self.name = name
        self.asked = [tree.relative(below(tree, app)) for app in apps]
        self.overrides = overrides
        self.unread: list[Unread] = []
        self.apps: dict[str, App] = {}
        for app in self.asked:
            if not tree.is_dir(app):
                raise Unreadable(app, "there is no such folder below the audited root")

    def conf(self, path: str, *, whole: bool, variables: Mapping[str, str] | None = None) -> SupervisorConf | None:
        """One configuration, or None where it cannot be read, which is noted."""
        try:
            read = read_configuration if whole else read_file
            return read(self.tree, path, self.overrides, variables)
        except Unreadable as problem:
            self.unread.append(Unread(problem.path, problem.reason))
            return None

    def add_app(self, folder: str) -> None:
        """Read one app, once."""
        name = folder or "."
        if name not in self.apps:
            self.apps[name] = read_app(
                self.tree,
                folder,
                kind=self.kind,
                overrides=self.overrides,
                env_files=self.env_files(folder),
                contained=self.contained(folder),
                dispatches=self.looks_for_queues(),
            )

    def env_files(self, _folder: str) -> tuple[str, ...]:
        """Further environment files that may be an app's; a host's app reads its own and no other."""
        return ()

    def contained(self, _folder: str) -> Mapping[str, str | Unknown]:
        """What an app's containers set in its environment; a host's app has none."""
        return {}

    def looks_for_queues(self) -> bool:
        """Whether an app's code is looked through for the queues it names: a host's is not."""
        return False

    def reader(self) -> Reader:
        """What turns programs and lines into launches, with the apps known so far."""
        versions = {name: app.laravel for name, app in self.apps.items() if app.laravel}
        return Reader(self.kind, self.app_of, versions, self.apps, self.daemon_user)

    def daemon_user(self, _conf: str) -> tuple[str, Mark] | None:
        """Who starts the supervisord of a configuration, where that is seen."""
        return None

    @abc.abstractmethod
    def app_of(self, command: Command, directory: str | None) -> tuple[str, Mark | None]:
        """Name of the app that a command runs, and how that is known."""

    def assemble(
        self,
        confs: Sequence[SupervisorConf],
        launches: Sequence[Launch],
        tables: Sequence[CronTable],
        units: Sequence[Unit],
        host: Host,
        found: Found | None = None,
    ) -> Site:
        """The Site of all these."""
        phps = read_phps(self.tree) if self.kind == "host" else ()
        return Site(
            name=self.name,
            kind=self.kind,
            host=host,
            phps=phps,
            confs=tuple(confs),
            apps=tuple(self.apps.values()),
            launches=tuple(launches),
            tables=tuple(tables),
            units=tuple(units),
            scheduler_hints=tuple(found.scheduler_hints) if found else (),
            worker_hints=tuple(found.worker_hints) if found else (),
            environment_hints=tuple(found.environment_hints) if found else (),
            unread=self.all_unread(found),
            ignores=read_ignores({**self.tree.marked, **{p: d for p, d in self.overrides.items() if MARK in d}}),
        )

    def all_unread(self, found: Found | None) -> tuple[Unread, ...]:
        """Whatever any source asked for and could not be given, each path once."""
        told = {one.path: one for one in (*self.unread, *(found.unread if found else ()))}
        for path, reason in self.tree.unread.items():
            told.setdefault(path, Unread(path, reason))
        return tuple(told[path] for path in sorted(told))


class _Host(Survey):
    """A root file system."""

    kind = "host"

    def site(self) -> Site:
        host = read_host(self.tree, self.overrides)
        confs = self.confs()
        tables = read_crontabs(self.tree, self.overrides)
        units = read_units(self.tree, self.overrides)
        self.find_apps(confs, tables, units)
        reader = self.reader()
        launches: list[Launch] = []
        for conf in confs:
            launches += reader.programs(conf, "")
        for table in tables:
            if table.refused is None:
                launches += reader.lines(table, "")
        for unit in units:
            launches += reader.units(unit, "")
        return self.assemble(confs, launches, tables, units, host)

    def confs(self) -> list[SupervisorConf]:
        """Every main file with what it includes, then each program file that none of them includes."""
        found = []
        included: set[str] = set()
        for main in MAIN_FILES:
            if main in self.overrides or self.tree.stat(main) is not None:
                conf = self.conf(main, whole=True)
                if conf is not None:
                    found.append(with_log_folders(self.tree, conf))
                    included.update(conf.files)
        # A main file that could not be read whole may include them after all.
        whole = bool(found) and all(conf.is_whole for conf in found)
        for pattern in DROP_INS:
            for path in self.tree.glob(pattern, also=self.overrides):
                if path not in included:
                    included.add(path)
                    conf = self.conf(path, whole=False)
                    if conf is not None and (conf.programs or conf.oddities):
                        found.append(msgspec.structs.replace(conf, not_included=whole))
        return found

    def find_apps(self, confs: Sequence[SupervisorConf], tables: Sequence[CronTable], units: Sequence[Unit]) -> None:
        """The apps that are asked for, those that something runs, and those in the usual places."""
        for folder in self.asked:
            self.add_app(folder)
        reader = Reader(self.kind, self.note_app, {})
        for conf in confs:
            list(reader.programs(conf, ""))
        for table in tables:
            list(reader.lines(table, ""))
        for unit in units:
            list(reader.units(unit, ""))
        if self.asked:
            return
        for pattern in APP_PLACES:
            for folder in self.tree.glob(pattern):
                if len(self.apps) < MAX_APPS and self.tree.is_file(f"{folder}/artisan") and not self.known(folder):
                    self.add_app(folder)

    def known(self, folder: str) -> bool:
        """Whether that folder is an app already read, by another path (a symlink such as current/)."""
        try:
            real = self.tree.real(folder)
            return any(self.tree.real(name) == real for name in self.apps)
        except (OSError, Unreadable):
            return True

    def note_app(self, command: Command, directory: str | None) -> tuple[str, Mark | None]:
        """Read the app that a command runs, where it is there."""
        name, mark = self.app_of(command, directory)
        if (mark is None or mark.reason is None) and name and name not in self.apps and self.tree.is_dir(name):
            self.add_app(name)
        return name, mark

    def app_of(self, command: Command, directory: str | None) -> tuple[str, Mark | None]:
        if command.artisan is None:
            return "", None
        if command.in_container:
            return "", unknown("it runs inside another container", command.place)
        if command.app is not None and not command.is_unknown("app"):
            folder = self.tree.relative(command.app)
            if not self.tree.is_dir(folder):
                return folder, None
            for name in self.apps:
                if name == folder or self.same(name, folder):
                    return name, declared(command.place)
            return folder, declared(command.place)
        if len(self.apps) == 1:
            return next(iter(self.apps)), None
        reason = command.mark("app").reason or "where its artisan lies cannot be told"
        return "", unknown(reason, command.place)

    def same(self, first: str, second: str) -> bool:
        try:
            return self.tree.real(first) == self.tree.real(second)
        except (OSError, Unreadable):
            return False


def below(tree: Tree, app: str) -> str:
    """An --app as a path below the root, whether it is given from there or as this machine sees it."""
    full = os.path.realpath(app)
    root = tree.root.rstrip("/")
    if os.path.isdir(app) and (full == root or full.startswith(f"{root}/")):
        return full[len(root) :] or "/"
    return app
