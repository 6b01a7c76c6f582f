"""Which supervisor configurations of a repository run in which container, and what they get from it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

from auditor.facts.origin import Mark, declared, unknown
from auditor.sources.repository.bases import base_of
from auditor.sources.repository.inside import Inside, split_words
from auditor.sources.repository.model import Container, words_text
from auditor.sources.repository.places import (
    SUPERVISOR_FOLDERS,
    SUPERVISOR_MAINS,
    is_included,
    is_supervisor_place,
)
from auditor.sources.repository.scripts import read_shell_text

_SUPERVISORD = re.compile(r"(?:^|[\s/\"'])supervisord(?=$|[\s;&\"'])")
_CONF_OPTION = re.compile(r"\s(?:-c|--configuration)(?:\s+|=)[\"']?([^\s\"';&]+)")
_INCLUDE = re.compile(r"^\[include\][^\[]*?^files\s*=\s*([^\n]*)", re.MULTILINE)


class Ties:
    """Configurations to the containers that run them."""

    def __init__(self, inside: Inside, confs: Iterable[str]) -> None:
        """`confs` are the repository's files of supervisor sections."""
        self.inside = inside
        self.files = inside.files
        self.gathered = inside.gathered
        self.confs = list(confs)
        self._of: dict[str, list[Container]] = {}

    def tie(self, container: Container, scripts: list[str]) -> None:
        """Find which of the repository's supervisor configurations run in it, which runs these scripts."""
        text = self.inside.words_of(container)
        told = bool(self.inside.effective(container))
        named: list[str | None] = []
        if (daemon := _SUPERVISORD.search(text)) is not None:
            option = _CONF_OPTION.search(text, daemon.start())
            named = [option[1] if option else None]
        else:
            for path in scripts:
                given = self.inside.given(container, path)
                started = self.gathered.scripts[path].supervisord
                named += [one.conf for one in started if one.when.holds(given) is not False]
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
            elif told and not scripts and not self.inside.runs_unseen_script(text):
                return  # it plainly runs something else
            elif told and scripts and stage is not None and any(not self.inside.is_opaque(path) for path in scripts):
                return
        container.behind_shell = self._behind_shell(container, text, scripts)
        alternatives = len({conf for conf in named if conf}) > 1
        container.mains.update(conf for conf in named if conf)
        places = {path: self.inside.places(container, path) for path in self.confs}
        inside = self._written_inside(container)
        for conf in self._live(places, inside, named, container):
            if alternatives:  # which of them it runs is chosen when it starts
                continue
            self._of.setdefault(conf, []).append(container)
            if conf not in container.confs:
                container.confs.append(conf)

    def _behind_shell(self, container: Container, text: str, scripts: list[str]) -> tuple[bool, Mark | None]:
        """Whether a shell stays in front of supervisord: the container's own, or a script's, which never makes way."""
        for written, place in self.inside.effective(container):
            words = (
                ["sh", "-c", words_text(written)]
                if self.inside.is_shell_form(container, written)
                else split_words(written)
            )
            inner = words[2] if words[1:2] == ["-c"] and len(words) > 2 else ""
            shell = posixpath.basename(words[0]) if inner else ""
            sh = self.inside.sh_of(container) if shell == "sh" else shell
            for daemon in read_shell_text(inner).supervisord if sh == "dash" else ():
                if _is_waited_for(daemon.text):
                    return True, declared(place)
        if _SUPERVISORD.search(text):
            return False, None
        for path in scripts:
            given = self.inside.given(container, path)
            for daemon in self.gathered.scripts[path].supervisord:
                runs = daemon.when.holds(given)
                if runs is False or not _is_waited_for(daemon.text):
                    continue
                place = self.files.place(path, daemon.line)
                if self.gathered.scripts[path].traps:
                    return False, unknown(f"{path} may hand on the signal to stop in a way of its own", place)
                doubt = None if runs else unknown(f"how {path} starts supervisord is decided when it starts", place)
                return runs is True, doubt or self.inside.relayed(container)[1] or declared(place)
        return False, None

    def _written_inside(self, container: Container) -> dict[str, str]:
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

    def variables_for(self, conf: str) -> dict[str, str] | None:
        """The environment its supervisord starts with, as far as all that run it agree; None where nothing is seen to run it."""
        ties = self._of.get(conf)
        if not ties:
            return None
        values: dict[str, set[str | None]] = {}
        each = [self.inside.environment_of(container) for container in ties]
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
        ties = self._of.get(conf)
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
        user, mark = self.inside.user_of(container)
        if user != "root" or (mark is not None and mark.reason is not None):
            return user, mark
        parts = self.inside.effective(container)
        for path in self.inside.scripts_of(container):
            if self.gathered.scripts[path].switches_user:
                return user, unknown(f"{path} switches to another account", container.place)
        if not parts and container.stage is None:
            return user, unknown("what its image starts is not known here", container.place)
        if not _SUPERVISORD.search(words_text(parts[0][0])) if parts else False:
            entry = words_text(parts[0][0])
            if self.inside.runs_unseen_script(entry) and not self.inside.scripts_in(entry, container):
                return user, unknown(
                    f"{entry[:60]} is not in this repository, and may switch to another account", container.place
                )
        return user, mark

    def is_part(self, conf: str) -> bool:
        """Whether it lies, everywhere it runs, in a folder that the main file of supervisor's package takes in."""
        places = [
            (there, container.mains)
            for container in self._of.get(conf, ())
            for there, _ in self.inside.places(container, conf)
        ]
        return bool(places) and all(
            posixpath.dirname(there) in SUPERVISOR_FOLDERS and there not in mains for there, mains in places
        )

    def started_in(self, conf: str) -> tuple[str | None, Mark | None]:
        """The folder its supervisord is started in, by WORKDIR or working_dir; None for / and where no image is here."""
        found = {
            container.directory or (container.stage.directory if container.stage is not None else None)
            for container in self._of.get(conf, ())
        }
        if not found and not self.gathered.stages:
            return None, None
        if len(found) != 1 or None in found:
            return None, unknown("which image it runs in, and in which folder that starts, is not known here")
        folder = found.pop()
        return (None if folder == "/" else folder), declared(self._of[conf][0].place)


def _is_waited_for(text: str) -> bool:
    """Whether a shell starts supervisord in the foreground, and stays in front of it."""
    words = text.split()
    return words[:1] != ["exec"] and words[-1:] != ["&"] and any(word in words for word in ("-n", "--nodaemon"))
