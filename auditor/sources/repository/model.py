"""What is gathered from a repository's files before it is joined: plain working records, none of them facts."""

from __future__ import annotations

import shlex

from auditor.errors import Unreadable
from auditor.facts.container import Image, ServerImage, Service
from auditor.facts.origin import Mark, Origin, origin
from auditor.sources.repository.scripts import Shell
from auditor.sources.tree import Tree

MAX_FILE = 1024 * 1024
"""No larger file is read."""


class Files:
    """The repository's files as text, each read once; and the lines of mentions that have been taken in."""

    def __init__(self, tree: Tree, overrides: dict[str, bytes]) -> None:
        """Read from this tree, or from the given bytes instead."""
        self.tree = tree
        self.overrides = overrides
        self.texts: dict[str, str | None] = {}
        self.split: dict[str, list[str]] = {}
        self.understood: dict[str, set[int]] = {}

    def text(self, path: str) -> str | None:
        """A file's text, None where it cannot be had."""
        if path not in self.texts:
            try:
                data = self.overrides[path] if path in self.overrides else self.tree.read(path, MAX_FILE)
                self.texts[path] = data.decode("utf-8", "replace").replace("\r\n", "\n")
            except Unreadable:
                self.texts[path] = None
        return self.texts[path]

    def place(self, path: str, line: int) -> Origin:
        """A line of a file."""
        lines = self.split.get(path)
        if lines is None:
            lines = self.split[path] = (self.text(path) or "").split("\n")
        return origin(path, line, lines[line - 1].strip() if 0 < line <= len(lines) else "")

    def understand(self, path: str, *lines: int) -> None:
        """A mention on these lines has been taken in."""
        self.understood.setdefault(path, set()).update(lines)

    def is_file(self, path: str) -> bool:
        """Whether a file is there."""
        return path in self.overrides or self.tree.is_file(path)

    def found(self, written: str, *bases: str, folder: bool | None = None) -> str | None:
        """The first of the bases below which a written path exists; `${PWD}` stands for a base."""
        for sign in ("${PWD}", "$PWD", "${PROJECT_DIR}", "${ROOT_DIR}", "${COMPOSE_PROJECT_DIR}"):
            written = written.removeprefix(sign)
        written = (
            written.removeprefix("/")
            if not written.startswith(("/etc", "/var", "/opt", "/home", "/srv", "/usr", "/mnt", "/data", "/root"))
            else written
        )
        if not written:
            written = "."
        if written.startswith(("/", "~", "$")) or "$" in written or "{{" in written:
            return None
        for base in dict.fromkeys(bases):
            path = self.tree.relative(written, base)
            there = (
                self.tree.is_dir(path)
                if folder
                else self.is_file(path)
                if folder is False
                else self.is_file(path) or self.tree.is_dir(path)
            )
            if there:
                return path
        return None


class Start:
    """One command text that something here starts."""

    __slots__ = (
        "by",
        "contained",
        "directory",
        "file",
        "instance",
        "live",
        "name",
        "place",
        "processes",
        "relayed",
        "runner",
        "sh",
        "stop_signal",
        "text",
        "user",
    )

    def __init__(self, name: str, by: str, file: str, text: str, runner: str, place: Origin) -> None:
        """See the fields."""
        self.name = name
        """The launch's name."""
        self.by = by
        """The launch's runner: "compose", "kubernetes", "script" …"""
        self.file = file
        """The file that declares it."""
        self.text = text
        """The command."""
        self.runner = runner
        """Who reads it: "execve" or "shell"."""
        self.place = place
        """Where it is written."""
        self.instance = file
        """What lives together with it."""
        self.directory: str | None = None
        """Its working folder."""
        self.processes: tuple[int, Mark | None] = (1, None)
        """How many of it run."""
        self.user: tuple[str, Mark | None] = ("root", None)
        """Its account, and how that is known."""
        self.live = True
        """Whether it is known to be in use."""
        self.sh = "dash"
        """What /bin/sh is where it runs, "" where that is not known; no shell makes way for what a script runs, as dash."""
        self.contained = False
        """Whether it runs in a container that is stopped by a signal to its first process."""
        self.stop_signal: tuple[str, Mark | None] = ("TERM", None)
        """That signal, and how it is known."""
        self.relayed: tuple[bool, Mark | None] = (False, None)
        """Whether something else may tell it to stop."""


class Table:
    """Cron lines that stand inside another file, or a whole file with a destination."""

    __slots__ = (
        "also_of_other_form",
        "destination",
        "filled",
        "instance",
        "kind",
        "lines",
        "path",
        "php_folder",
        "placed",
        "source",
        "user",
    )

    def __init__(self, path: str, kind: str, user: tuple[str | None, Mark | None]) -> None:
        """See the fields."""
        self.path = path
        """The file in which it stands, which is how it is named."""
        self.kind = kind
        """A kind of table, as the crontab source has them."""
        self.user = user
        """Whose it is where lines name nobody, and how that is known."""
        self.lines: list[tuple[int, str]] | None = None
        """Its lines and where they stand; None for a whole file."""
        self.filled: frozenset[str] = frozenset()
        """Variables that whatever writes the lines puts in."""
        self.source: str | None = None
        """For a whole file: the file."""
        self.destination: str | None = None
        """Where it is put, None where that is not told."""
        self.placed: Origin | None = None
        """The instruction that puts it in place."""
        self.instance = path
        """What lives together with it."""
        self.php_folder = ""
        """Where the only php of its machine lies; "" where that is not known."""
        self.also_of_other_form = False
        """Whether the same file is put in place as a table of the other form, with or without a user field, too."""


class Embedded:
    """A supervisor configuration inside another file."""

    __slots__ = ("destination", "first", "path", "text")

    def __init__(self, path: str, first: int, text: str, destination: str | None) -> None:
        """See the fields."""
        self.path = path
        """The file it stands in."""
        self.first = first
        """The line of its first line."""
        self.text = text
        """Its text."""
        self.destination = destination
        """Where it is written to, None where that is not told."""


class Stage:
    """One stage of a Dockerfile."""

    def __init__(self, file: str, name: str, index: int, base: str, line: int) -> None:
        """See the fields."""
        self.file = file
        self.name = name
        self.index = index
        self.base = base
        """The image's name, arguments put in; as written where they are not known."""
        self.line = line
        self.parent: Stage | None = None
        """The stage it goes on from."""
        self.user: tuple[str, Mark | None] | None = None
        self.environment: dict[str, tuple[str, Origin]] = {}
        self.unset: set[str] = set()
        """Names that ENV sets to what is not known here."""
        self.directory = "/"
        self.command: tuple[list[str] | str, Origin] | None = None
        self.entrypoint: tuple[list[str] | str, Origin] | None = None
        self.stop_signal: tuple[str, Origin] | None = None
        self.copies: list[tuple[tuple[str, ...], str, str, Stage | None, int]] = []
        """Sources, destination, foreign image, stage, line."""
        self.moves: list[tuple[str, str, int]] = []
        self.shells: list[tuple[Shell, tuple[str, Mark | None], int]] = []
        """What each RUN does, the account it runs as, its line."""
        self.written: list[tuple[str, str, int]] = []
        """Files given as here-documents: destination, text, first line."""
        self.owner: tuple[str, Origin] | None = None
        """Whom the app's files are given to, and where."""
        self.packages = ""
        """All RUN text, to look for packages in."""

    def chain(self) -> list[Stage]:
        """This stage and those it goes on from, nearest first."""
        found: list[Stage] = []
        here: Stage | None = self
        while here is not None and here not in found:
            found.append(here)
            here = here.parent
        return found


class Container:
    """A service before it becomes a fact."""

    def __init__(self, name: str, file: str, kind: str, place: Origin) -> None:
        """See the fields."""
        self.name = name
        self.file = file
        self.kind = kind
        self.place = place
        self.marks: dict[str, Mark] = {}
        self.values: dict[str, object] = {}
        self.command: tuple[list[str] | str, Origin] | None = None
        self.entrypoint: tuple[list[str] | str, Origin] | None = None
        self.shell_form = False
        """Whether a command given as one text is read by a shell."""
        self.image: str | None = None
        self.stage: Stage | None = None
        self.context: str | None = None
        self.user: tuple[str, Mark | None] | None = None
        self.directory: str | None = None
        self.environment: dict[str, tuple[str | None, Origin]] = {}
        """Own and env_files' values; None where it is set to what is not known."""
        self.passed: set[str] = set()
        """Names that it is handed from the deployment's own environment, where that does not tell their value."""
        self.maps: list[tuple[str, str, Origin]] = []
        """Kinds and names of what else its environment is taken from, and where: ConfigMaps and Secrets."""
        self.unseen_environment: str | None = None
        """Why it may have more environment than is seen, None where it has not."""
        self.mounts: list[tuple[str, str]] = []
        """Paths here and where they are mounted."""
        self.replicas: tuple[int, Mark | None] = (1, None)
        self.stop_signal: tuple[str, Origin] | None = None
        """What it is stopped with, where it says so itself."""
        self.asked_first: Origin | None = None
        """Where it has something run before it is stopped, None where it has not."""
        self.behind_shell: tuple[bool, Mark | None] = (False, None)
        """Whether a shell stays in front of its supervisord."""
        self.development = False
        self.confs: list[str] = []
        self.mains: set[str] = set()
        """The supervisor configurations that its command, or its script, names."""
        self.fact: Service | None = None


class Gathered:
    """Everything found in the repository's container files, scripts and playbooks."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.stages: dict[str, list[Stage]] = {}
        """A Dockerfile's path to its stages."""
        self.containers: list[Container] = []
        self.maps: dict[tuple[str, str], dict[str, tuple[str, Origin]]] = {}
        """ConfigMaps and Secrets by kind and name: what each sets, and where."""
        self.servers: list[ServerImage] = []
        self.images: list[Image] = []
        self.starts: list[Start] = []
        self.tables: list[Table] = []
        self.embedded: list[Embedded] = []
        self.asked_for: dict[str, Origin] = {}
        """A program's name, without a colon, to the first task that asks supervisor for it."""
        self.scripts: dict[str, Shell] = {}
        self.used: set[tuple[str, int]] = set()
        """Scripts' lines that a container runs, so that they are not told of by themselves."""


def words_text(command: list[str] | str) -> str:
    """A command as one text."""
    return command if isinstance(command, str) else shlex.join(command)
