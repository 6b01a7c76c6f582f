"""The workers and schedulers that really run, whatever started them, from the process table."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from auditor.facts.backend import Probe
from auditor.facts.redaction import redact
from auditor.facts.running import WorkerProcess
from auditor.sources.live.access import LIMITS, Limits
from auditor.sources.live.looking import Clock, look
from auditor.sources.live.witness import seen

KINDS = (
    "queue:work", "queue:listen", "horizon", "horizon:supervisor", "horizon:work", "schedule:work", "schedule:run",
)  # fmt: skip
"""Artisan commands that are looked for; their unambiguous abbreviations too ("q:w")."""
CODE = ("composer.lock", "vendor/composer/installed.json", "VERSION.txt", ".git/logs/HEAD", "artisan")
"""Files of an app whose change shows a deploy: composer's, InvoiceNinja's updater's, git's, an unpacked release's."""
CONFIG = (".env", "bootstrap/cache/config.php", "config/queue.php", "config/database.php", "config/app.php",
          "config/cache.php", "config/horizon.php")  # fmt: skip
"""Files of an app that a worker reads once, when it starts."""
CRONS = frozenset(("anacron", "bcron-sched", "cron", "crond", "dcron", "fcron", "supercronic"))
"""Programs that start what cron tables hold."""
MOST = 2_000
"""Workers whose details are asked for at most."""
_MIB = 1024 * 1024
_PHP = re.compile(r"(?:ls|debug)?php[\d.]*(?:-cli)?|frankenphp")


class ProcessLook(NamedTuple):
    """What came of reading the process table."""

    probe: Probe
    """How it went."""
    processes: tuple[WorkerProcess, ...] = ()
    """Every worker, scheduler and supervisord, by pid."""
    crons: tuple[str, ...] = ()
    """Names of the cron daemons."""


def list_processes(roots: Iterable[str], limits: Limits = LIMITS) -> ProcessLook:
    """Every worker here; `roots` are the absolute folders of the apps that are audited. Never raises.

    Command lines are asked of all processes, everything else of those that match.
    """
    apps = tuple(roots)
    found = look(lambda clock: _list(apps, clock), limits.total)
    return ProcessLook(found.probe("processes", "processes"), *(found.value or ()))


def kind_of(words: Sequence[str]) -> str:
    """What a command line is: one of KINDS, "supervisord", or "" for anything else."""
    if not words:
        return ""
    names = [os.path.basename(word) for word in words[:4]]  # noqa: PTH119
    if names[0] == "supervisord" or (names[0].startswith("python") and "supervisord" in names[1:]):
        return "supervisord"
    if names[0].startswith("python") and "supervisor.supervisord" in words[1:4]:
        return "supervisord"
    if not _PHP.fullmatch(names[0]) and names[0] != "artisan":
        return ""
    at = next((n for n, word in enumerate(words) if os.path.basename(word) == "artisan"), None)  # noqa: PTH119
    if at is None:
        return ""
    command = next((word for word in words[at + 1 :] if not word.startswith("-")), "")
    return _full(command)


def _full(command: str) -> str:
    if command in KINDS or ":" not in command:
        return command if command in KINDS else ""
    parts = command.split(":")
    matches = [
        kind
        for kind in KINDS
        if len(kind.split(":")) == len(parts)
        and all(whole.startswith(part) and part for part, whole in zip(parts, kind.split(":"), strict=True))
    ]
    return matches[0] if len(matches) == 1 else ""


class _One(NamedTuple):
    pid: int
    parent: int
    words: tuple[str, ...]
    kind: str
    process: Any


def _list(roots: tuple[str, ...], clock: Clock) -> tuple[tuple[WorkerProcess, ...], tuple[str, ...]]:
    import psutil

    everything: dict[int, _One] = {}
    children: dict[int, list[int]] = defaultdict(list)
    for process in psutil.process_iter(["pid", "ppid", "cmdline"]):
        words = tuple(process.info["cmdline"] or ())
        one = _One(process.pid, process.info["ppid"] or 0, words, kind_of(words), process)
        everything[one.pid] = one
        children[one.parent].append(one.pid)
    apps = _Apps(roots)
    found: list[WorkerProcess] = []
    for one in everything.values():
        if not one.kind or len(found) >= MOST:
            continue
        clock.within(1.0)
        try:
            found.append(_details(one, everything, children, apps))
        except psutil.NoSuchProcess:
            continue  # it ended while it was looked at
    names = {os.path.basename(one.words[0]) for one in everything.values() if one.words}  # noqa: PTH119
    return tuple(sorted(found, key=lambda worker: worker.pid)), tuple(sorted(names & CRONS))


def _details(
    one: _One, everything: Mapping[int, _One], children: Mapping[int, list[int]], apps: _Apps
) -> WorkerProcess:
    import psutil

    missing: dict[str, str] = {}
    process = one.process
    denied = "this account may not see it"
    values: dict[str, Any] = {"started": float(process.create_time()), "user": "", "cwd": "", "rss": 0.0}
    try:
        values["user"] = str(process.username())
    except (psutil.AccessDenied, KeyError):
        missing["user"] = denied
    try:
        values["cwd"] = str(process.cwd())
    except psutil.AccessDenied:
        missing["cwd"] = denied
    try:
        values["rss"] = _memory(one, everything, children) / _MIB
    except psutil.AccessDenied:
        missing["rss"] = denied
    supervised = _supervised(one, everything)
    group = name = ""
    if one.kind != "supervisord":
        try:
            marks = process.environ()
            group, name = marks.get("SUPERVISOR_GROUP_NAME", ""), marks.get("SUPERVISOR_PROCESS_NAME", "")
        except (psutil.AccessDenied, OSError):
            missing |= dict.fromkeys(("group", "process"), denied)
            if not supervised:
                missing["orphan"] = denied
    app, code, config = "", "", ""
    if one.kind != "supervisord":
        artisan = next((word for word in one.words if os.path.basename(word) == "artisan"), "")  # noqa: PTH119
        if "cwd" in missing and not artisan.startswith("/"):
            missing |= dict.fromkeys(("app", "code_changed", "config_changed"), denied)
        else:
            folder = os.path.dirname(os.path.join(values["cwd"], artisan))  # noqa: PTH118, PTH120
            app, code, config = apps.of(folder, values["started"], gone=_gone(one.pid))
    return seen(
        WorkerProcess,
        missing,
        name=f"pid {one.pid}" + (f" ({group}:{name})" if name else ""),
        pid=one.pid,
        kind=one.kind,
        command=redact(" ".join(one.words))[:1000],
        parent=one.parent,
        supervised=supervised,
        group=group,
        process=name,
        orphan=bool(name) and not supervised,
        app=app,
        code_changed=code,
        config_changed=config,
        **values,
    )


def _gone(pid: int) -> bool:
    """Whether its working folder was deleted, and at best replaced (psutil takes the kernel's note of it away)."""
    try:
        return os.readlink(f"/proc/{pid}/cwd").endswith(" (deleted)")  # noqa: PTH115
    except OSError:
        return False


def _supervised(one: _One, everything: Mapping[int, _One]) -> bool:
    parent, steps = everything.get(one.parent), 0
    while parent is not None and steps < 50:
        if parent.kind == "supervisord":
            return True
        parent, steps = everything.get(parent.parent), steps + 1
    return False


def _memory(one: _One, everything: Mapping[int, _One], children: Mapping[int, list[int]]) -> int:
    """Resident bytes of it and of whatever it started, other workers left out; of a supervisord its own alone."""
    import psutil

    total = int(one.process.memory_info().rss)
    waiting = list(children.get(one.pid, ())) if one.kind != "supervisord" else []
    counted = {one.pid}
    while waiting:
        child = everything.get(waiting.pop())
        if child is None or child.kind or child.pid in counted:
            continue
        counted.add(child.pid)
        try:
            total += int(child.process.memory_info().rss)
        except psutil.Error:
            continue
        waiting += children.get(child.pid, ())
    return total


class _Apps:
    """The audited apps' folders, and when their code and configuration were last changed."""

    def __init__(self, roots: tuple[str, ...]) -> None:
        self.roots = {root: os.path.realpath(root) for root in roots}
        self.times: dict[str, tuple[tuple[float, str], tuple[float, str]]] = {}

    def of(self, folder: str, started: float, *, gone: bool) -> tuple[str, str, str]:
        """Root of the app that `folder` is of, and the newest files of code and configuration newer than `started`."""
        folder = os.path.realpath(folder)
        for root, real in self.roots.items():
            if folder == real:
                (code_time, code), (config_time, config) = self.changed(root, real)
                if gone:
                    return root, code or ".", config
                return root, code if code_time > started + 1 else "", config if config_time > started + 1 else ""
            # A root that is a link (current -> releases/3): a process in releases/2 runs the release before.
            if root.rstrip("/") != real and os.path.dirname(folder) == os.path.dirname(real):  # noqa: PTH120
                return root, os.path.basename(root.rstrip("/")), ""  # noqa: PTH119
        return "", "", ""

    def changed(self, root: str, real: str) -> tuple[tuple[float, str], tuple[float, str]]:
        if root not in self.times:
            link = _newest(os.path.dirname(root.rstrip("/")), (os.path.basename(root.rstrip("/")),), link=True)  # noqa: PTH119, PTH120
            self.times[root] = (max(_newest(real, CODE), link), _newest(real, CONFIG))
        return self.times[root]


def _newest(folder: str, names: Iterable[str], *, link: bool = False) -> tuple[float, str]:
    newest = (0.0, "")
    for name in names:
        path = os.path.join(folder, name)  # noqa: PTH118
        try:
            if link and not os.path.islink(path):  # noqa: PTH114
                continue
            time = os.stat(path, follow_symlinks=not link).st_mtime  # noqa: PTH116
        except OSError:
            continue
        newest = max(newest, (time, name))
    return newest
