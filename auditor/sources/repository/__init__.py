"""An infrastructure repository beyond its supervisor confs, crontabs and units: what declares or starts a worker or a scheduler.

Files are read by kind and then joined: which configuration runs in which service, with whose environment and account. What
cannot be told stays unknown, with its reason; what is not understood stays a hint.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from auditor.facts.container import Image, ServerImage, Service
from auditor.facts.origin import Mark, Origin, declared, unknown
from auditor.facts.schedule import CronTable
from auditor.facts.site import Unread
from auditor.sources.crontab import BUSYBOX, DROP_IN, REPOSITORY, SUPERCRONIC, SYSTEM, USER
from auditor.sources.php.values import Unknown
from auditor.sources.repository.ansible import Variables, read_tasks
from auditor.sources.repository.bases import base_of
from auditor.sources.repository.compose import read_compose
from auditor.sources.repository.dockerfile import image_of, read_stages, user_of_base
from auditor.sources.repository.ecs import read_task_definition
from auditor.sources.repository.environments import agreed
from auditor.sources.repository.fly import read_fly
from auditor.sources.repository.given import Given, arguments_of
from auditor.sources.repository.kubernetes import read_manifest, take_maps
from auditor.sources.repository.model import Container, Embedded, Files, Gathered, Stage, Start, Table, words_text
from auditor.sources.repository.placeholders import fill_environment, fill_jinja
from auditor.sources.repository.places import (
    SUPERVISOR_FOLDERS,
    SUPERVISOR_MAINS,
    in_container,
    in_image,
    is_included,
    is_supervisor_place,
)
from auditor.sources.repository.platforms import read_platform, read_procfile
from auditor.sources.repository.scripts import MENTIONS, CronWritten, Shell, read_shell_text
from auditor.sources.repository.tables import kind_at, read_table
from auditor.sources.supervisor.oddities import hide_pairs
from auditor.sources.tree import Tree

_SUPERVISORD = re.compile(r"(?:^|[\s/\"'])supervisord(?=$|[\s;&\"'])")
_CONF_OPTION = re.compile(r"\s(?:-c|--configuration)(?:\s+|=)[\"']?([^\s\"';&]+)")
_INCLUDE = re.compile(r"^\[include\][^\[]*?^files\s*=\s*([^\n]*)", re.MULTILINE)
_SUPERCRONIC = re.compile(r"\bsupercronic\b(?:[ \t]+-\S+)*[ \t]+[\"']?(/?[^\s\"';&|]+)")
_SCRIPT_WORD = re.compile(r"[\w./{}$-]+\.(?:sh|bash)\b|(?:/[\w.-]+)+|[\w.-]*(?:entrypoint|start|run|init)[\w.-]*")
_PROGRAMS = re.compile(
    r"(?:^|/)(?:php[\w.-]*|artisan|apache2\w*|httpd|nginx|caddy|frankenphp|node|npm|yarn|pnpm|python3?|composer|tini|dumb-init|docker-php-entrypoint|sh|bash|ash|env|gosu|su-exec|sleep|tail|cron|crond|supercronic|rr|true|docker-entrypoint\.sh)$"
)


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
        self.unread: list[Unread] = []
        self.ties: dict[str, list[Container]] = {}
        self.doubts: dict[str, str] = {}
        self.lone: list[Container] = []
        self._placed: dict[tuple[int, str | None, str], list[tuple[str, int]]] = {}
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
            self._run(container)
        for path, shell in gathered.scripts.items():
            self._script(path, shell)
        for container in gathered.containers:
            if container.kind != "dockerfile":
                container.fact = self._service(container)

    def _effective(self, container: Container) -> list[tuple[list[str] | str, Origin]]:
        """What it starts: entrypoint, then command, its own or the image's."""
        stage = container.stage
        entrypoint = container.entrypoint or (stage.entrypoint if stage is not None else None)
        command = container.command
        if command is None and container.entrypoint is None and stage is not None:
            command = stage.command
        return [part for part in (entrypoint, command) if part is not None]

    def _run(self, container: Container) -> None:
        parts = self._effective(container)
        text = " ".join(words_text(words) for words, _ in parts)
        scripts = self._scripts_in(text, container)
        if not container.development:
            self._launches(container, scripts)
        self._tie(container, text, scripts, bool(parts))

    def _scripts_in(self, text: str, container: Container) -> list[str]:
        """The repository's scripts that a command names."""
        found = []
        for path in self.gathered.scripts:
            name = posixpath.basename(path)
            if name in text and re.search(rf"(?:^|[\s/\"';&|]){re.escape(name)}(?=$|[\s\"';&|,\]])", text):
                found.append(path)
        if len(found) > 1:
            exact = [path for path in found if any(there in text for there, _ in self._places(container, path))]
            found = exact or [path for path in found if f"/{path}" in text] or found
            folder = posixpath.dirname(container.file)
            near = [path for path in found if path.startswith(f"{folder}/")] if folder else found
            found = near or found
            if not exact and len({posixpath.basename(path) for path in found}) < len(found) and not self._alike(found):
                return []  # several of one name, and which of them it runs is not told
            found = list({posixpath.basename(path): path for path in reversed(found)}.values())
        return found[:5]

    def _alike(self, paths: list[str]) -> bool:
        """Whether scripts of one name start the same."""
        shells = [self.gathered.scripts[path] for path in paths]
        return len({tuple(start.text for start in shell.starts) for shell in shells}) == 1

    def _launches(self, container: Container, scripts: list[str]) -> None:
        """What it starts itself: in its command, or in the script it runs."""
        own = self._effective(container)
        stated = [(words, place) for words, place in own if MENTIONS.search(words_text(words))]
        if stated:
            words, place = stated[-1]
            if container.entrypoint is not None and container.command is not None:
                both = [*_split(container.entrypoint[0]), *_split(container.command[0])]
                words = both
            runner = (
                "shell" if isinstance(words, str) and (container.shell_form or container.command is None) else "execve"
            )
            self._start(container, words_text(words), runner, place)
            self.files.understand(place.file, place.line or 0)
        for path in scripts:
            shell = self.gathered.scripts[path]
            given = self._given(container, path)
            for statement in shell.starts:
                runs = statement.when.holds(given)
                if runs is False:
                    continue
                self.gathered.used.add((path, statement.line))
                text = given.filled(statement.text)
                start = self._start(container, text, "shell", self.files.place(path, statement.line))
                start.live = runs is True

    def _given(self, container: Container, path: str) -> Given:
        """What a container answers to a script that asks its arguments and its environment."""
        words = [word for part, _ in self._effective(container) for word in _split(part)]
        lone = container.kind == "dockerfile"
        whole = not lone and container.unseen_environment is None and container.stage is not None
        arguments = None if lone else arguments_of(words, path)
        return self.gathered.scripts[path].given(arguments, self.environment_of(container), whole=whole)

    def _start(self, container: Container, text: str, runner: str, place: Origin) -> Start:
        start = Start(container.name, container.kind, container.file, text, runner, place)
        start.directory = container.directory or (container.stage.directory if container.stage is not None else None)
        start.processes = container.replicas
        start.user = self.user_of(container)
        self.gathered.starts.append(start)
        return start

    def user_of(self, container: Container) -> tuple[str, Mark | None]:
        """The account a container starts as."""
        if container.user is not None:
            return container.user
        if container.stage is not None:
            return container.stage.user or user_of_base(container.stage, container.place)
        if container.image is None:
            return "root", unknown("the account it runs under is not written here", container.place)
        base = base_of(container.image)
        if base is not None and base.user is not None:
            return base.user, declared(container.place)
        return "root", unknown(
            f'the image "{container.image}" is not built here, so the account it starts as is not known',
            container.place,
        )

    def _places(self, container: Container, path: str) -> list[tuple[str, int | None]]:
        if container.stage is None or container.mounts:
            return in_container(container, path)
        key = (id(container.stage), container.context, path)
        if key not in self._placed:
            self._placed[key] = in_image(container.stage, path, container.context)
        return list(self._placed[key])

    def _tie(self, container: Container, text: str, scripts: list[str], told: bool) -> None:
        """Which of the repository's supervisor configurations run in it."""
        named: list[str | None] = []
        if _SUPERVISORD.search(text):
            option = _CONF_OPTION.search(text)
            named = [option[1] if option else None]
        else:
            for path in scripts:
                given = self._given(container, path)
                daemons = self.gathered.scripts[path].supervisord
                named += [daemon.conf for daemon in daemons if daemon.when.holds(given) is not False]
        stage = container.stage
        if not named:
            bases = (
                [base_of(step.base) for step in stage.chain()]
                if stage is not None
                else [base_of(container.image or "")]
            )
            if any(base is not None and base.supervisor for base in bases) and not told:
                named = [None]
            elif not told and bases[-1] is not None:
                return  # its base starts something else
            elif told and not scripts and not self._unseen_script(text):
                return  # it plainly runs something else
            elif told and scripts and stage is not None and any(not self._opaque(path) for path in scripts):
                return
        alternatives = len({conf for conf in named if conf}) > 1
        container.mains.update(conf for conf in named if conf)
        places = {path: self._places(container, path) for path in self.paths.confs}
        inside = self._inside(container)
        for conf in self._live(places, inside, named, container):
            if alternatives:
                self.doubts[conf] = f"which configuration {container.name} runs is chosen when it starts"
                continue
            self.ties.setdefault(conf, []).append(container)
            if conf not in container.confs:
                container.confs.append(conf)

    def _opaque(self, path: str) -> bool:
        """Whether a script hands over to what it is given, or to another script."""
        text = self.files.text(path) or ""
        return '"$@"' in text or "$@" in text or ".sh" in text

    def _unseen_script(self, text: str) -> bool:
        """Whether a command runs a script that is not in the repository."""
        words = text.replace('"', " ").replace("'", " ").split()
        first = [word for word in words[:6] if not word.startswith("-")]
        return any(_SCRIPT_WORD.fullmatch(word) and not _PROGRAMS.search(word) for word in first[:3])

    def _inside(self, container: Container) -> dict[str, str]:
        """Configurations that its Dockerfile holds itself: destination to the Dockerfile."""
        if container.stage is None:
            return {}
        file = container.stage.file
        return {
            embedded.destination: file
            for embedded in self.gathered.embedded
            if embedded.path == file and embedded.destination
        }

    def _live(
        self,
        places: dict[str, list[tuple[str, int | None]]],
        inside: dict[str, str],
        named: list[str | None],
        container: Container,
    ) -> list[str]:
        where = {there: path for path, found in places.items() for there, _ in found}
        where.update(inside)
        mains = [conf for conf in named if conf]
        if container.directory or container.stage:
            base = container.directory or (container.stage.directory if container.stage else "/")
            mains = [conf if conf.startswith("/") else posixpath.normpath(posixpath.join(base, conf)) for conf in mains]
        chosen = [main for main in mains if main in where]
        if not mains or (not chosen and all(main in SUPERVISOR_MAINS for main in mains)):
            chosen = [main for main in SUPERVISOR_MAINS if main in where][:1]
            if not chosen:
                return list(dict.fromkeys(path for there, path in where.items() if is_supervisor_place(there)))
        found = [where[main] for main in chosen]
        for main in chosen:
            text = self.files.text(where[main]) or ""
            include = _INCLUDE.search(text)
            patterns = include[1].split() if include is not None else []
            found += [
                path for there, path in where.items() if there not in chosen and is_included(there, patterns, main)
            ]
        return list(dict.fromkeys(found))

    def _script(self, path: str, shell: Shell) -> None:
        """What a script starts that no container is seen to run; and the configurations it writes."""
        given = shell.given(None, {}, whole=False)
        for written in shell.confs:
            text = written.text if written.literal else given.written(written.text)
            self.gathered.embedded.append(Embedded(path, written.line, text, written.path))
        for statement in shell.starts:
            if (path, statement.line) in self.gathered.used:
                continue
            place = self.files.place(path, statement.line)
            start = Start(f"{path}:{statement.line}", "script", path, statement.text, "shell", place)
            start.user = ("root", unknown("who runs this script is not known from here", place))
            start.live = False
            self.gathered.starts.append(start)

    # --- facts ---

    def environment_of(self, container: Container) -> dict[str, str | None]:
        """Its environment: name to value, None where it is set to what is not known."""
        found: dict[str, str | None] = {}
        if container.stage is not None:
            found.update({name: value for name, (value, _) in container.stage.environment.items()})
            found.update(dict.fromkeys(container.stage.unset))
        found.update({name: value for name, (value, _) in container.environment.items()})
        return found

    def settings_of(self, folder: str, apps: Sequence[str]) -> dict[str, str | Unknown]:
        """What the containers that are known to run an app's workers or scheduler set in its environment."""
        runs = {(start.file, start.name) for start in self.gathered.starts if start.live}
        found = []
        for container in self.gathered.containers:
            if container.development or not (
                (container.file, container.name) in runs
                or any("artisan" in (self.files.text(conf) or "") for conf in container.confs)
            ):
                continue
            stage = posixpath.dirname(container.stage.file) if container.stage is not None else None
            places = {container.context, stage, *(source for source, _ in container.mounts)}
            if len(apps) == 1 or folder in places:
                found.append((container, self.environment_of(container)))
        return agreed(found)

    def _service(self, container: Container) -> Service:
        marks = {"name": declared(container.place), "file": declared(container.place), **container.marks}
        user, mark = self.user_of(container)
        if mark is not None:
            marks["user"] = mark
        replicas, mark = container.replicas
        if mark is not None:
            marks["replicas"] = mark
        environment = self.environment_of(container)
        known = {name: value for name, value in environment.items() if value is not None}
        if container.environment:
            marks["environment"] = declared(next(iter(container.environment.values()))[1])
        for field, written in (("command", container.command), ("entrypoint", container.entrypoint)):
            if written is not None:
                marks[field] = declared(written[1])
        values: dict[str, Any] = dict(container.values)
        return Service(
            marks=marks,
            name=container.name,
            file=container.file,
            kind=container.kind,
            command=words_text(container.command[0]) if container.command is not None else None,
            entrypoint=words_text(container.entrypoint[0]) if container.entrypoint is not None else None,
            image=container.image,
            built_from=container.stage.file if container.stage is not None else None,
            target=container.stage.name if container.stage is not None else "",
            context=container.context,
            user=user,
            working_directory=container.directory,
            environment=hide_pairs(known),
            replicas=replicas,
            volumes=tuple(container.mounts),
            development=container.development,
            confs=tuple(container.confs),
            **values,
        )

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

    # --- what a configuration gets from whoever runs it ---

    def variables_for(self, conf: str) -> dict[str, str] | None:
        """The environment its supervisord starts with, as far as all that run it agree; None where nothing is seen to run it."""
        ties = self.ties.get(conf)
        if not ties:
            return None
        values: dict[str, set[str | None]] = {}
        each = [self.environment_of(container) for container in ties]
        for environment in each:
            for name in environment:
                values.setdefault(name, set()).update(other.get(name) for other in each)
        return {
            name: value
            for name, found in values.items()
            if len(found) == 1 and (value := next(iter(found))) is not None
        }

    def user_for(self, conf: str) -> tuple[str, Mark] | None:
        """The account its supervisord starts as; None where nothing is seen to run it."""
        ties = self.ties.get(conf)
        if not ties:
            return None
        found = [self._daemon_user(container) for container in ties]
        names = {user for user, mark in found}
        first = found[0]
        doubt = next((mark for _, mark in found if mark is not None and mark.reason is not None), None)
        if doubt is not None:
            return "root", doubt
        if len(names) > 1:
            return "root", unknown("the services that run it start as different accounts", ties[0].place)
        return first[0], first[1] or declared(ties[0].place)

    def _daemon_user(self, container: Container) -> tuple[str, Mark | None]:
        user, mark = self.user_of(container)
        if user != "root" or (mark is not None and mark.reason is not None):
            return user, mark
        parts = self._effective(container)
        text = " ".join(words_text(words) for words, _ in parts)
        for path in self._scripts_in(text, container):
            if self.gathered.scripts[path].switches_user:
                return user, unknown(f"{path} switches to another account", container.place)
        if not parts and container.stage is None:
            return user, unknown("what its image starts is not known here", container.place)
        if not _SUPERVISORD.search(words_text(parts[0][0])) if parts else False:
            entry = words_text(parts[0][0])
            if self._unseen_script(entry) and not self._scripts_in(entry, container):
                return user, unknown(
                    f"{entry[:60]} is not in this repository, and may switch to another account", container.place
                )
        return user, mark

    def is_part(self, conf: str) -> bool:
        """Whether it lies, everywhere it runs, in a folder that the main file of supervisor's package takes in."""
        places = [
            (there, container.mains)
            for container in self.ties.get(conf, ())
            for there, _ in self._places(container, conf)
        ]
        return bool(places) and all(
            posixpath.dirname(there) in SUPERVISOR_FOLDERS and there not in mains for there, mains in places
        )

    def started_in(self, conf: str) -> tuple[str | None, Mark | None]:
        """The folder its supervisord is started in, by WORKDIR or working_dir; None for / and where no image is here."""
        found = {
            container.directory or (container.stage.directory if container.stage is not None else None)
            for container in self.ties.get(conf, ())
        }
        if not found and not self.gathered.stages:
            return None, None
        if len(found) != 1 or None in found:
            return None, unknown("which image it runs in, and in which folder that starts, is not known here")
        folder = found.pop()
        return (None if folder == "/" else folder), declared(self.ties[conf][0].place)

    def grace_for(self, conf: str) -> tuple[float, Mark] | None:
        """How long all that run it let it stop; None where nothing is seen to run it, or where they differ."""
        facts = [container.fact for container in self.ties.get(conf, ()) if container.fact is not None]
        if not facts or len({(fact.stop_grace, fact.mark("stop_grace").reason) for fact in facts}) != 1:
            return None
        return facts[0].stop_grace, facts[0].mark("stop_grace")

    def filled(self, conf: str) -> bytes | None:
        """A template's text with its placeholders put in, where some are known; None where nothing changes."""
        text = self.files.text(conf)
        if text is None or ("{{" not in text and "${" not in text):
            return None
        done = text
        if "{{" in done:
            done = fill_jinja(done, self.variables.of(conf))
        if "${" in done:
            done = fill_environment(done, self.variables_for(conf) or {})
        return done.encode() if done != text else None

    # --- cron ---

    @property
    def tables(self) -> tuple[CronTable, ...]:
        """Every cron table that is put in place, files of tables included."""
        if self._tables is None:
            self._tables = tuple(read_table(self.files, table) for table in self._all_tables())
        return self._tables

    def _all_tables(self) -> list[Table]:
        found = list(self.gathered.tables)
        installed: dict[str, list[Table]] = {}
        for container in [*self.lone, *_once_per_stage(self.gathered.containers)]:
            if container.stage is not None:
                for stage in container.stage.chain():
                    for shell, user, line in stage.shells:
                        found += [_cron_table(stage.file, cron, user) for cron in shell.crons]
                        for file, who, at in shell.tables:
                            self._installed(
                                container,
                                file,
                                (who, None) if who else user,
                                self.files.place(stage.file, at or line),
                                installed,
                            )
                        self.files.understand(stage.file, *shell.understood)
        for path, shell in self.gathered.scripts.items():
            place = self.files.place(path, 1)
            runs = ("root", unknown("who runs this script is not known from here", place))
            found += [_cron_table(path, cron, runs) for cron in shell.crons]
            for file, who, at in shell.tables:
                for table in self.paths.tables:
                    if posixpath.basename(table) == posixpath.basename(file):
                        self._install(
                            table, USER, (who, None) if who else runs, self.files.place(path, at), None, installed
                        )
        for path in self.paths.tables:
            self._copied(path, installed)
            found += self._settled(path, installed.get(path, []))
        return found

    def _installed(
        self,
        container: Container,
        file: str,
        user: tuple[str | None, Mark | None],
        place: Origin,
        installed: dict[str, list[Table]],
    ) -> None:
        """`crontab FILE` in a Dockerfile: the repository's file that lies there."""
        assert container.stage is not None
        there = posixpath.normpath(posixpath.join(container.stage.directory, file))
        for table in self.paths.tables:
            if any(to == there for to, _ in self._places(container, table)):
                self._install(table, USER, user, place, None, installed)

    def _install(
        self,
        path: str,
        kind: str,
        user: tuple[str | None, Mark | None],
        place: Origin,
        destination: str | None,
        installed: dict[str, list[Table]],
    ) -> None:
        known = installed.setdefault(path, [])
        if any(table.kind == kind and table.user[0] == user[0] for table in known):
            return
        table = Table(path, kind, user)
        table.source, table.placed, table.destination = path, place, destination
        known.append(table)

    def _copied(self, path: str, installed: dict[str, list[Table]]) -> None:
        """COPY, ADD and mounts that put a table where a daemon looks."""
        for container in [*self.gathered.containers, *self.lone]:
            if container.development:
                continue
            for there, line in self._places(container, path):
                place = (
                    self.files.place(container.stage.file, line)
                    if line is not None and container.stage is not None
                    else container.place
                )
                if self._is_supercronic(there):
                    user, mark = self.user_of(container)
                    self._install(path, SUPERCRONIC, (user, mark), place, there, installed)
                    continue
                kind = kind_at(there)
                if kind == REPOSITORY:
                    continue
                owner = posixpath.basename(there) if kind in (USER, BUSYBOX) else None
                self._install(path, kind, (owner, declared(place) if owner else None), place, there, installed)

    def _is_supercronic(self, there: str) -> bool:
        texts = [self.files.text(conf) or "" for conf in self.paths.confs]
        texts += [
            " ".join(words_text(words) for words, _ in self._effective(c))
            for c in [*self.gathered.containers, *self.lone]
        ]
        texts += [self.files.text(path) or "" for path in self.gathered.scripts]
        return any(
            found[1] == there for text in texts if "supercronic" in text for found in _SUPERCRONIC.finditer(text)
        )

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
        for table in tables[1:]:
            if table.placed is not None:
                table.path = table.placed.file
        return tables

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


def _split(words: list[str] | str) -> list[str]:
    if isinstance(words, list):
        return words
    import shlex

    try:
        return shlex.split(words)
    except ValueError:
        return words.split()


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


__all__ = ["SUPERVISOR_FOLDERS", "Paths", "Repository", "Stage", "Start"]
