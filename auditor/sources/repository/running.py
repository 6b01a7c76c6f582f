"""What containers and scripts start: one record for each command that may be a worker's or a scheduler's."""

from __future__ import annotations

from auditor.facts.origin import Origin, unknown
from auditor.sources.repository.inside import STOPPED_BY_SIGNAL, Inside, split_words
from auditor.sources.repository.model import Container, Embedded, Files, Gathered, Start, words_text
from auditor.sources.repository.scripts import MENTIONS


def start_inside(inside: Inside, container: Container, scripts: list[str]) -> None:
    """What a container starts itself: in its command, or in the scripts it runs."""
    own = inside.effective(container)
    stated = [(words, place) for words, place in own if MENTIONS.search(words_text(words))]
    if stated:
        words, place = stated[-1]
        if container.entrypoint is not None and container.command is not None:
            both = [*split_words(container.entrypoint[0]), *split_words(container.command[0])]
            words = both
        runner = "shell" if inside.is_shell_form(container, words) else "execve"
        start = _start(inside, container, words_text(words), runner, place)
        start.sh = inside.sh_of(container)
        inside.files.understand(place.file, place.line or 0)
    for path in scripts:
        shell = inside.gathered.scripts[path]
        given = inside.given(container, path)
        for statement in shell.starts:
            runs = statement.when.holds(given)
            if runs is False:
                continue
            inside.gathered.used.add((path, statement.line))
            text = given.filled(statement.text)
            start = _start(inside, container, text, "shell", inside.files.place(path, statement.line))
            start.live = runs is True
            if shell.traps:
                at = inside.files.place(path, shell.traps)
                start.relayed = (False, unknown(f"{path} may hand on the signal to stop in a way of its own", at))
            elif not start.live:
                start.relayed = (False, unknown(f"whether {path} starts it is decided when it starts", start.place))


def _start(inside: Inside, container: Container, text: str, runner: str, place: Origin) -> Start:
    start = Start(container.name, container.kind, container.file, text, runner, place)
    start.directory = container.directory or (container.stage.directory if container.stage is not None else None)
    start.processes = container.replicas
    start.user = inside.user_of(container)
    start.contained = container.kind in STOPPED_BY_SIGNAL and not container.values.get("periodic")
    start.stop_signal = inside.stop_signal_of(container)
    start.relayed = inside.relayed(container)
    inside.gathered.starts.append(start)
    return start


def start_scripts(files: Files, gathered: Gathered) -> None:
    """What scripts start that no container is seen to run; and the configurations they write."""
    for path, shell in gathered.scripts.items():
        given = shell.given(None, {}, whole=False)
        for written in shell.confs:
            text = written.text if written.literal else given.written(written.text)
            gathered.embedded.append(Embedded(path, written.line, text, written.path))
        for statement in shell.starts:
            if (path, statement.line) in gathered.used:
                continue
            place = files.place(path, statement.line)
            start = Start(f"{path}:{statement.line}", "script", path, statement.text, "shell", place)
            start.user = ("root", unknown("who runs this script is not known from here", place))
            start.live = False
            gathered.starts.append(start)
