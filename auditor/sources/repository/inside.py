"""What a container runs, as whom and with which environment, and where the repository's files lie in it."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Sequence

from auditor.facts.origin import Mark, Origin, declared, unknown
from auditor.sources.repository.bases import base_of, sh_of
from auditor.sources.repository.dockerfile import user_of_base
from auditor.sources.repository.given import Given, arguments_of
from auditor.sources.repository.model import Container, Files, Gathered, words_text
from auditor.sources.repository.places import in_container, in_image

_SCRIPT_WORD = re.compile(r"[\w./{}$-]+\.(?:sh|bash)\b|(?:/[\w.-]+)+|[\w.-]*(?:entrypoint|start|run|init)[\w.-]*")
_PROGRAMS = re.compile(
    r"(?:^|/)(?:php[\w.-]*|artisan|apache2\w*|httpd|nginx|caddy|frankenphp|node|npm|yarn|pnpm|python3?|composer|tini|dumb-init"
    r"|docker-php-entrypoint|sh|bash|ash|env|gosu|su-exec|sleep|tail|cron|crond|supercronic|rr|true|docker-entrypoint\.sh)$"
)
STOPPED_BY_SIGNAL = ("compose", "kubernetes", "ecs", "kamal", "fly", "dockerfile")
"""Kinds of containers whose first process alone is told to stop, and by a signal."""
_TELLS_ALL = re.compile(r"\bdumb-init\b|\btini\s+(?:-\w+\s+)*-\w*g")
"""Inits that hand a signal on to more than their child."""


class Inside:
    """The containers of a repository, looked into."""

    def __init__(self, files: Files, gathered: Gathered) -> None:
        """Of what is gathered."""
        self.files = files
        self.gathered = gathered
        self._placed: dict[tuple[int, str | None, str], list[tuple[str, int]]] = {}

    def effective(self, container: Container) -> list[tuple[list[str] | str, Origin]]:
        """What it starts: entrypoint, then command, its own or the image's."""
        stage = container.stage
        entrypoint = container.entrypoint or (stage.entrypoint if stage is not None else None)
        command = container.command
        if command is None and container.entrypoint is None and stage is not None:
            command = stage.command
        return [part for part in (entrypoint, command) if part is not None]

    def is_shell_form(self, container: Container, words: list[str] | str) -> bool:
        """Whether a shell reads what it starts: an image's text, or a platform's; a compose file's is only cut into words."""
        stage = container.stage
        images = [] if stage is None else [part[0] for part in (stage.entrypoint, stage.command) if part is not None]
        return isinstance(words, str) and (container.shell_form or any(words is part for part in images))

    def words_of(self, container: Container) -> str:
        """The same as one text."""
        return " ".join(words_text(words) for words, _ in self.effective(container))

    def scripts_of(self, container: Container) -> list[str]:
        """The repository's scripts that what it starts names."""
        return self.scripts_in(self.words_of(container), container)

    def scripts_in(self, text: str, container: Container) -> list[str]:
        """The repository's scripts that a command names."""
        found = []
        folder = posixpath.dirname(container.stage.file if container.stage is not None else container.file)
        for path in self.gathered.scripts:
            name = posixpath.basename(path)
            if name in text and re.search(rf"(?:^|[\s/\"';&|]){re.escape(name)}(?=$|[\s\"';&|,\]])", text):
                # one of that name beside its Dockerfile is meant before others, though it start nothing that is looked for
                beside = posixpath.join(folder, name)
                if path == beside or not self.files.is_file(beside) or self._is_named(container, path, text):
                    found.append(path)
        if len(found) > 1:
            exact = [path for path in found if self._is_named(container, path, text)]
            found = exact or [path for path in found if f"/{path}" in text] or found
            folder = posixpath.dirname(container.file)
            near = [path for path in found if path.startswith(f"{folder}/")] if folder else found
            found = near or found
            if not exact and len({posixpath.basename(path) for path in found}) < len(found) and not self._alike(found):
                return []  # several of one name, and which of them it runs is not told
            found = list({posixpath.basename(path): path for path in reversed(found)}.values())
        return found[:5]

    def _is_named(self, container: Container, path: str, text: str) -> bool:
        """Whether a command names the very place where a script lies."""
        return any(there in text for there, _ in self.places(container, path))

    def _alike(self, paths: list[str]) -> bool:
        """Whether scripts of one name start the same."""
        shells = [self.gathered.scripts[path] for path in paths]
        return len({tuple(start.text for start in shell.starts) for shell in shells}) == 1

    def given(self, container: Container, path: str) -> Given:
        """What a container answers to a script that asks its arguments and its environment."""
        words = [word for part, _ in self.effective(container) for word in split_words(part)]
        lone = container.kind == "dockerfile"
        whole = not lone and container.unseen_environment is None and container.stage is not None
        arguments = None if lone else arguments_of(words, path)
        return self.gathered.scripts[path].given(arguments, self.environment_of(container), whole=whole)

    def running(self, folder: str, apps: Sequence[str]) -> Iterator[Container]:
        """The containers that are known to run workers or the scheduler of the app in a folder."""
        runs = {(start.file, start.name) for start in self.gathered.starts if start.live}
        for container in self.gathered.containers:
            if container.development or not (
                (container.file, container.name) in runs
                or any("artisan" in (self.files.text(conf) or "") for conf in container.confs)
            ):
                continue
            stage = posixpath.dirname(container.stage.file) if container.stage is not None else None
            places = {container.context, stage, *(source for source, _ in container.mounts)}
            if len(apps) == 1 or folder in places:
                yield container

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

    def stop_signal_of(self, container: Container) -> tuple[str, Mark | None]:
        """What it is stopped with, without SIG: its own word, its image's STOPSIGNAL, or its base's."""
        if container.stop_signal is not None:
            name, place = container.stop_signal
            return (name, declared(place)) if name else ("TERM", unknown("its stop signal is filled in", place))
        image = container.image
        if container.stage is not None:
            if container.stage.stop_signal is not None:
                name, place = container.stage.stop_signal
                return (
                    (name, declared(place)) if name.isalpha() else ("TERM", unknown("STOPSIGNAL is filled in", place))
                )
            image = container.stage.chain()[-1].base
        base = base_of(image) if image is not None else None
        if base is not None and base.signal is not None:
            return base.signal, declared(self._base_place(container))
        told = f'the image "{image}"' if image is not None else "its image"
        return "TERM", unknown(f"which signal {told} is stopped with is not written here", self._base_place(container))

    def relayed(self, container: Container) -> tuple[bool, Mark | None]:
        """Whether something besides that signal may tell what runs in it to stop."""
        if container.asked_first is not None:
            return False, unknown("what is run in it before it is stopped may end it", container.asked_first)
        if _TELLS_ALL.search(self.words_of(container)) is not None:
            return False, unknown("its init hands the signal on to more than its child", container.place)
        return False, None

    def _base_place(self, container: Container) -> Origin:
        """Where the image it is made from is named."""
        if container.stage is None:
            return container.place
        first = container.stage.chain()[-1]
        return self.files.place(first.file, first.line)

    def sh_of(self, container: Container) -> str:
        """What its /bin/sh is: "dash", "bash", or "" for not known."""
        return sh_of(container.stage.chain()[-1].base if container.stage is not None else container.image or "")

    def environment_of(self, container: Container) -> dict[str, str | None]:
        """Its environment: name to value, None where it is set to what is not known."""
        found: dict[str, str | None] = {}
        if container.stage is not None:
            found.update({name: value for name, (value, _) in container.stage.environment.items()})
            found.update(dict.fromkeys(container.stage.unset))
        found.update({name: value for name, (value, _) in container.environment.items()})
        return found

    def places(self, container: Container, path: str) -> list[tuple[str, int | None]]:
        """Where a file of the repository lies in it, each with the line of the Dockerfile that puts it there."""
        if container.stage is None or container.mounts:
            return in_container(container, path)
        key = (id(container.stage), container.context, path)
        if key not in self._placed:
            self._placed[key] = in_image(container.stage, path, container.context)
        return list(self._placed[key])

    def runs_unseen_script(self, text: str) -> bool:
        """Whether a command runs a script that is not in the repository."""
        words = text.replace('"', " ").replace("'", " ").split()
        first = [word for word in words[:6] if not word.startswith("-")]
        return any(_SCRIPT_WORD.fullmatch(word) and not _PROGRAMS.search(word) for word in first[:3])

    def is_opaque(self, path: str) -> bool:
        """Whether a script hands over to what it is given, or to another script."""
        text = self.files.text(path) or ""
        return '"$@"' in text or "$@" in text or ".sh" in text


def split_words(words: list[str] | str) -> list[str]:
    """A command's words, those of a text cut as a shell does."""
    if isinstance(words, list):
        return words
    try:
        return shlex.split(words)
    except ValueError:
        return words.split()
