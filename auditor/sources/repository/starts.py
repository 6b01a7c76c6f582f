"""The commands that containers, scripts and playbooks start, as launches."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.facts.launch import Launch
from auditor.facts.origin import Mark, declared
from auditor.sources.launches import Reader
from auditor.sources.repository.model import Start


def read_starts(reader: Reader, starts: Iterable[Start]) -> Iterable[Launch]:
    """One launch for each artisan command."""
    for start in starts:
        for command, app, mark in reader.commands(start.text, start.runner, start.place, start.directory, start.sh):
            if command.kind == "other":
                continue
            marks: dict[str, Mark] = {"name": declared(start.place)}
            if mark is not None:
                marks["app"] = mark
            user, known = start.user
            if command.user is not None or command.is_unknown("user"):
                user, known = command.user or "root", command.mark("user")
            if known is not None:
                marks["user"] = known
            processes, known = start.processes
            if known is not None:
                marks["processes"] = known
            signal, known = start.stop_signal
            if known is not None:
                marks["stop_signal"] = known
            relayed, known = start.relayed
            if known is not None:
                marks["relayed"] = known
            yield Launch(
                marks=marks,
                name=start.name,
                runner=start.by,
                file=start.file,
                instance=start.instance,
                command=command,
                app=app,
                user=user,
                directory=start.directory,
                processes=processes,
                live=start.live,
                contained=start.contained,
                stop_signal=signal,
                relayed=relayed,
            )
