"""An infrastructure repository beyond its supervisor confs, crontabs and units: what declares or starts a worker or a scheduler.

Files are read by kind and then joined: which configuration runs in which service, with whose environment and account. What
cannot be told stays unknown, with its reason; what is not understood stays a hint.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Protocol

from auditor.facts.container import Image, ServerImage, Service
from auditor.facts.origin import Origin
from auditor.facts.schedule import CronTable
from auditor.sources.php.values import Unknown
from auditor.sources.repository.ansible import Variables, read_tasks
from auditor.sources.repository.compose import read_compose
from auditor.sources.repository.crons import PlacedTables
from auditor.sources.repository.dockerfile import image_of, read_stages
from auditor.sources.repository.ecs import read_task_definition
from auditor.sources.repository.environments import agreed
from auditor.sources.repository.fly import read_fly
from auditor.sources.repository.inside import Inside
from auditor.sources.repository.kubernetes import read_manifest, take_maps
from auditor.sources.repository.model import Container, Embedded, Files, Gathered, Stage, Start
from auditor.sources.repository.placeholders import fill_environment, fill_jinja
from auditor.sources.repository.platforms import read_platform
from auditor.sources.repository.procfile import read_procfile
from auditor.sources.repository.running import start_inside, start_scripts
from auditor.sources.repository.scripts import read_shell_text
from auditor.sources.repository.services import service_of
from auditor.sources.repository.tables import read_table
from auditor.sources.repository.ties import Ties
from auditor.sources.tree import Tree


class Paths(Protocol):
    """The repository's files by kind, as they are found."""

    dockerfiles: list[str]
    composes: list[str]
    manifests: list[str]
    procfiles: list[str]
    platforms: list[str]
    scripts: list[str]
    variables: list[str]
    confs: list[str]
    tables: list[str]


class Repository:
    """Everything that container files, scripts and playbooks of a repository say, joined."""

    def __init__(self, tree: Tree, paths: Paths, overrides: Mapping[str, bytes]) -> None:
        """Read all of it."""
        self.files = Files(tree, dict(overrides))
        self.paths = paths
        self.gathered = Gathered()
        self.inside = Inside(self.files, self.gathered)
        self.ties = Ties(self.inside, paths.confs)
        self.lone: list[Container] = []
        """Images that are built here and run by no service."""
        self.variables = Variables(self.files, paths.variables)
        self._read()
        self._join()
        self._tables: tuple[CronTable, ...] | None = None

    # --- reading ---

    def _read(self) -> None:
        gathered, files = self.gathered, self.files
        for path in self.paths.dockerfiles:
            stages = read_stages(files, path)
            if stages:
                gathered.stages[path] = stages
                for stage in stages:
                    self._written(stage)
        for path in self.paths.composes:
            read_compose(files, path, gathered)
        for path in self.paths.manifests:
            if not read_tasks(files, path, gathered) and not read_platform(files, path, gathered):
                read_manifest(files, path, gathered)
        take_maps(gathered)
        for path in self.paths.procfiles:
            read_procfile(files, path, gathered)
        for path in self.paths.platforms:
            (read_fly if path.endswith(".toml") else read_task_definition)(files, path, gathered)
        for path in self.paths.scripts:
            shell = read_shell_text(files.text(path) or "")
            gathered.scripts[path] = shell
            files.understand(path, *shell.understood)

    def _written(self, stage: Stage) -> None:
        """Files that a Dockerfile holds as here-documents."""
        for target, text, first in stage.written:
            if re.search(r"^\[(?:program:|supervisord\])", text, re.MULTILINE):
                self.gathered.embedded.append(Embedded(stage.file, first, text, target))
                self.files.understand(stage.file, *range(first, first + text.count("\n")))

    # --- joining ---

    def _join(self) -> None:
        gathered = self.gathered
        built = {id(container.stage) for container in gathered.containers if container.stage is not None}
        for path, stages in gathered.stages.items():
            last = stages[-1]
            place = self.files.place(path, last.line)
            if id(last) not in built:
                alone = Container(path, path, "dockerfile", place)
                alone.stage = last
                self.lone.append(alone)
            gathered.images.append(image_of(self.files, last, last=True))
            gathered.images += [image_of(self.files, stage, last=False) for stage in stages[:-1] if id(stage) in built]
        for container in [*gathered.containers, *self.lone]:
            scripts = self.inside.scripts_of(container)
            if not container.development:
                start_inside(self.inside, container, scripts)
            self.ties.tie(container, scripts)
        start_scripts(self.files, gathered)
        for container in gathered.containers:
            container.fact = service_of(self.inside, container)

    # --- facts ---

    def settings_of(self, folder: str, apps: Sequence[str]) -> dict[str, str | Unknown]:
        """What the containers that are known to run an app's workers or scheduler set in its environment."""
        running = self.inside.running(folder, apps)
        return agreed((container, self.inside.environment_of(container)) for container in running)

    @property
    def services(self) -> tuple[Service, ...]:
        """Every service."""
        return tuple(container.fact for container in self.gathered.containers if container.fact is not None)

    @property
    def images(self) -> tuple[Image, ...]:
        """Every image that is built here."""
        return tuple(self.gathered.images)

    @property
    def servers(self) -> tuple[ServerImage, ...]:
        """Every Redis and database server."""
        return tuple(self.gathered.servers)

    @property
    def starts(self) -> tuple[Start, ...]:
        """Every command that is started."""
        return tuple(self.gathered.starts)

    @property
    def embedded(self) -> tuple[Embedded, ...]:
        """Every supervisor configuration inside another file."""
        return tuple(self.gathered.embedded)

    @property
    def asked_for(self) -> Mapping[str, Origin]:
        """Names of programs, without a colon, that tasks ask supervisor for, and where."""
        return self.gathered.asked_for

    def filled(self, conf: str) -> bytes | None:
        """A template's text with its placeholders put in, where some are known; None where nothing changes."""
        text = self.files.text(conf)
        if text is None or ("{{" not in text and "${" not in text):
            return None
        done = text
        if "{{" in done:
            done = fill_jinja(done, self.variables.of(conf))
        if "${" in done:
            done = fill_environment(done, self.ties.variables_for(conf) or {})
        return done.encode() if done != text else None

    @property
    def tables(self) -> tuple[CronTable, ...]:
        """Every cron table that is put in place, files of tables included."""
        if self._tables is None:
            placed = PlacedTables(self.inside, self.lone, self.paths.tables, self.paths.confs)
            self._tables = tuple(read_table(self.files, table) for table in placed.all())
        return self._tables

    def hints(self, paths: list[str], pattern: re.Pattern[bytes]) -> list[str]:
        """Those of the files in which a mention is left that nobody here has taken in."""
        found = []
        self.tables  # noqa: B018 - reading them takes mentions in
        for path in paths:
            text = self.files.text(path)
            if text is None:
                found.append(path)
                continue
            seen = self.files.understood.get(path, set())
            for match in pattern.finditer(text.encode()):
                line = text.encode().count(b"\n", 0, match.start()) + 1
                if line not in seen and not _is_remark(text.split("\n")[line - 1]):
                    found.append(path)
                    break
        return found


def _is_remark(line: str) -> bool:
    return (
        line.lstrip()[:1] == "#"
        or line.lstrip()[:2] in ("//", "::")
        or line.lstrip().lower().startswith(("rem ", "echo "))
    )
