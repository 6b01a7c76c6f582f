"""Every cron table that a repository puts in place: by a Dockerfile, a script, a playbook, a mount, or as a file of its own."""

from __future__ import annotations

import functools
import posixpath
import re
from collections.abc import Iterable, Sequence

from auditor.facts.origin import Mark, Origin, declared, unknown
from auditor.sources.crontab import BUSYBOX, DROP_IN, REPOSITORY, SUPERCRONIC, SYSTEM, USER
from auditor.sources.repository.cron_written import CronWritten
from auditor.sources.repository.dockerfile import php_folder_of
from auditor.sources.repository.inside import Inside
from auditor.sources.repository.model import Container, Table
from auditor.sources.repository.tables import kind_at

_SUPERCRONIC = re.compile(r"\bsupercronic\b(?:[ \t]+-\S+)*[ \t]+[\"']?(/?[^\s\"';&|]+)")


class PlacedTables:
    """Looks for them through all that runs."""

    def __init__(self, inside: Inside, lone: Sequence[Container], tables: Sequence[str], confs: Iterable[str]) -> None:
        """`lone` are images that no service runs; `tables` and `confs` are files of cron lines and supervisor sections."""
        self.inside = inside
        self.files = inside.files
        self.gathered = inside.gathered
        self.lone = list(lone)
        self.tables = list(tables)
        self.confs = list(confs)
        self._put: dict[str, list[Table]] = {}
        """Files of cron lines to what is seen to put them in place."""

    def all(self) -> list[Table]:
        """Each, in the order in which they are found."""
        found = list(self.gathered.tables)
        for container in [*self.lone, *_once_per_stage(self.gathered.containers)]:
            for stage in container.stage.chain() if container.stage is not None else ():
                for shell, user, line in stage.shells:
                    for cron in shell.crons:
                        written = _cron_table(stage.file, cron, user)
                        written.php_folder = self._php_folder(container)
                        found.append(written)
                    for file, who, at in shell.tables:
                        place = self.files.place(stage.file, at or line)
                        self._installed(container, file, (who, None) if who else user, place)
                    self.files.understand(stage.file, *shell.understood)
        for path, shell in self.gathered.scripts.items():
            place = self.files.place(path, 1)
            runs = ("root", unknown("who runs this script is not known from here", place))
            found += [_cron_table(path, cron, runs) for cron in shell.crons]
            for file, who, at in shell.tables:
                for table in self.tables:
                    if posixpath.basename(table) == posixpath.basename(file):
                        self._install(table, USER, (who, None) if who else runs, self.files.place(path, at), None)
        for path in self.tables:
            self._copied(path)
            found += self._settled(path, self._put.get(path, []))
        return found

    def _installed(
        self,
        container: Container,
        file: str,
        user: tuple[str | None, Mark | None],
        place: Origin,
    ) -> None:
        """`crontab FILE` in a Dockerfile: the repository's file that lies there."""
        assert container.stage is not None
        there = posixpath.normpath(posixpath.join(container.stage.directory, file))
        for table in self.tables:
            if any(to == there for to, _ in self.inside.places(container, table)):
                self._install(table, USER, user, place, None, container)

    def _install(
        self,
        path: str,
        kind: str,
        user: tuple[str | None, Mark | None],
        place: Origin,
        destination: str | None,
        container: Container | None = None,
    ) -> None:
        known = self._put.setdefault(path, [])
        if any(table.kind == kind and table.user[0] == user[0] for table in known):
            return
        table = Table(path, kind, user)
        table.source, table.placed, table.destination = path, place, destination
        table.php_folder = self._php_folder(container) if container is not None else ""
        known.append(table)

    def _copied(self, path: str) -> None:
        """COPY, ADD and mounts that put a table where a daemon looks."""
        for container in [*self.gathered.containers, *self.lone]:
            if container.development:
                continue
            for there, line in self.inside.places(container, path):
                place = (
                    self.files.place(container.stage.file, line)
                    if line is not None and container.stage is not None
                    else container.place
                )
                if there in self._given_to_supercronic:
                    user, mark = self.inside.user_of(container)
                    self._install(path, SUPERCRONIC, (user, mark), place, there)
                    continue
                kind = kind_at(there)
                if kind == REPOSITORY:
                    continue
                owner = posixpath.basename(there) if kind in (USER, BUSYBOX) else None
                self._install(path, kind, (owner, declared(place) if owner else None), place, there, container)

    def _php_folder(self, container: Container) -> str:
        """Where the only php of its image lies, if no script may bring cron another search path."""
        return "" if container.stage is None or self._environment_written else php_folder_of(container.stage)

    @functools.cached_property
    def _environment_written(self) -> bool:
        """Whether a script names the file from which cron may take another search path."""
        return any("/etc/environment" in (self.files.text(path) or "") for path in self.gathered.scripts)

    @functools.cached_property
    def _given_to_supercronic(self) -> frozenset[str]:
        """The tables that supercronic is started with, by their paths in the container."""
        texts = [self.files.text(conf) or "" for conf in self.confs]
        texts += [self.inside.words_of(container) for container in [*self.gathered.containers, *self.lone]]
        texts += [self.files.text(path) or "" for path in self.gathered.scripts]
        return frozenset(found[1] for text in texts if "supercronic" in text for found in _SUPERCRONIC.finditer(text))

    def _settled(self, path: str, tables: list[Table]) -> list[Table]:
        """One table for each place a file is put in; the second and later are told at the instruction that puts them there."""
        if not tables:
            table = Table(path, kind_at(path), (None, None))
            table.source = path
            table.destination = path
            if table.kind in (USER, BUSYBOX):
                table.user = (posixpath.basename(path), None)
            return [table]
        tables.sort(key=lambda table: {SUPERCRONIC: 0, USER: 1, BUSYBOX: 2, SYSTEM: 3, DROP_IN: 4}.get(table.kind, 5))
        forms = {table.kind in (SYSTEM, DROP_IN) for table in tables}
        for table in tables:
            table.also_of_other_form = len(forms) > 1
        for table in tables[1:]:
            if table.placed is not None:
                table.path = table.placed.file
        return tables


def _once_per_stage(containers: list[Container]) -> list[Container]:
    seen: set[int] = set()
    found = []
    for container in containers:
        if container.stage is not None and id(container.stage) not in seen and not container.development:
            seen.add(id(container.stage))
            found.append(container)
    return found


def _cron_table(file: str, cron: CronWritten, user: tuple[str | None, Mark | None]) -> Table:
    kind = kind_at(cron.path) if cron.path else USER
    if kind == REPOSITORY and cron.path:
        kind = SUPERCRONIC if "supercronic" in cron.path else DROP_IN if "cron.d" in cron.path else USER
    who = user
    if cron.user is not None:
        who = (cron.user, unknown(f"{cron.user} is not known here") if "$" in cron.user or "{" in cron.user else None)
    elif cron.path and kind in (USER, BUSYBOX):
        name = posixpath.basename(cron.path)
        who = (name, None) if "$" not in name else ("root", unknown(f"whose crontab {name} is is not known here"))
    table = Table(file, kind, who)
    table.lines = cron.lines
    table.filled = cron.filled
    table.destination = cron.path
    return table
