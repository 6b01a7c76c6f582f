"""Ansible: tasks that give cron a line, write a configuration or start something; and the variables that templates take."""

from __future__ import annotations

import re

from auditor.dialects.yaml_lines import Node, load
from auditor.facts.origin import Mark, declared, unknown
from auditor.sources.crontab import DROP_IN, USER
from auditor.sources.repository.model import Embedded, Files, Gathered, Start, Table
from auditor.sources.repository.scripts import MENTIONS, read_shell_text

MAX_TASKS = 5000
"""No more tasks of one file are looked at."""
_BLOCKS = ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always")
_MODULES = ("ansible.builtin.", "ansible.legacy.", "community.general.")
_RUNS = ("shell", "command", "raw", "script")
_CONF = re.compile(r"^\[(?:program:|supervisord\])", re.MULTILINE)
_NEEDS_A_PROCESS = ("started", "stopped", "restarted", "signalled")
_PLAIN_NAME = re.compile(r"[\w.-]+")
_SPECIAL = ("reboot", "yearly", "annually", "monthly", "weekly", "daily", "hourly")
_VARIABLE_FILES = re.compile(
    r"(?:^|/)(?:defaults|vars|group_vars|host_vars)(?:/[^/]+)*(?:/main|/all|/[^/]+)?\.ya?ml$|(?:^|/)(?:default\.)?(?:vars|variables|config)\.ya?ml$"
)
_ROLE = re.compile(r"(?:^|/)roles/([^/]+)/")


def is_variable_file(path: str) -> bool:
    """Whether a file's place says that it holds a playbook's or a role's variables."""
    return _VARIABLE_FILES.search(path) is not None


def looks_like_tasks(root: Node) -> bool:
    """Whether a document is a playbook or a list of tasks."""
    return root.kind == "list" and any(
        item.kind == "map"
        and any(
            key in ("hosts", "name", "roles", "import_playbook", "include_tasks", *_BLOCKS) or key.startswith(_MODULES)
            for key in item.keys
        )
        for item in root.items[:50]
    )


def read_tasks(files: Files, path: str, gathered: Gathered) -> bool:
    """Take in a file of tasks; whether it is one."""
    root = load(files.text(path) or "")
    if root is None or not looks_like_tasks(root):
        return False
    pending = list(reversed(root.items))
    count = 0
    while pending and count < MAX_TASKS:
        task = pending.pop()
        count += 1
        if task.kind != "map":
            continue
        for key in _BLOCKS:
            pending += list(reversed(task.each(key)))
        for key, node in task.keys.items():
            name = key
            for prefix in _MODULES:
                name = name.removeprefix(prefix)
            if name == "cron":
                _cron(files, path, task, node, gathered)
            elif name in ("copy", "template", "blockinfile", "lineinfile"):
                _content(files, path, node, gathered)
            elif name in _RUNS:
                _runs(files, path, node, gathered)
            elif name == "supervisorctl":
                _asks_for(files, path, node, gathered)
    return True


def _cron(files: Files, path: str, task: Node, node: Node, gathered: Gathered) -> None:
    job = node.get("job")
    text = job.text if job is not None and job.kind == "text" else ""
    if (
        job is None
        or not text
        or node.value("state") == "absent"
        or (node.value("disabled") or "").lower() in ("yes", "true")
    ):
        files.understand(path, *range(node.line, node.end + 1))
        return
    special = node.value("special_time")
    when = (
        f"@{special}"
        if special in _SPECIAL
        else " ".join(node.value(k) or "*" for k in ("minute", "hour", "day", "month", "weekday"))
    )
    line = job.line if not job.quoted or "\n" not in text else job.line + 1
    written = node.value("user") or task.value("become_user")
    place = files.place(path, (node.get("user") or node).line)
    who: tuple[str | None, Mark | None]
    if written is None:
        who = (None, unknown("the account whose crontab it goes to is the one Ansible connects or becomes", place))
    elif "{{" in written:
        who = (written, unknown(f"it runs as {written}, which is not known here", place))
    else:
        who = (written, declared(place))
    table = Table(path, DROP_IN if node.value("cron_file") else USER, who)
    command = " ".join(text.split())
    table.lines = [(line, f"{when} {written or 'root'} {command}" if table.kind == DROP_IN else f"{when} {command}")]
    gathered.tables.append(table)
    files.understand(path, *range(node.line, node.end + 1))


def _content(files: Files, path: str, node: Node, gathered: Gathered) -> None:
    content = node.get("content") or node.get("block")
    if content is None or content.kind != "text":
        return
    target = node.value("dest") or node.value("path")
    if _CONF.search(content.text):
        gathered.embedded.append(Embedded(path, content.line + 1, content.text, target))
        files.understand(path, *range(content.line, content.end + 1))


def _asks_for(files: Files, path: str, node: Node, gathered: Gathered) -> None:
    """A task that needs a process of a name; `present` and `absent` take a group's, and a name with a colon is one."""
    words = dict(word.partition("=")[::2] for word in node.text.split()) if node.kind == "text" else {}
    name = words.get("name") or node.value("name") or ""
    state = words.get("state") or node.value("state")
    if state in _NEEDS_A_PROCESS and _PLAIN_NAME.fullmatch(name) and name != "all":
        gathered.asked_for.setdefault(name, files.place(path, (node.get("name") or node).line))


def _runs(files: Files, path: str, node: Node, gathered: Gathered) -> None:
    found = node if node.kind == "text" else node.get("cmd")
    if found is None or found.kind != "text" or not MENTIONS.search(found.text):
        return
    first = found.line + 1 if "\n" in found.text else found.line
    for statement in read_shell_text(found.text, first).starts:
        place = files.place(path, statement.line)
        start = Start(f"{path}:{statement.line}", "ansible", path, statement.text, "shell", place)
        start.user = ("root", unknown("which account Ansible runs it as is not known here", place))
        gathered.starts.append(start)
    files.understand(path, *range(found.line, found.end + 1))


class Variables:
    """The variables that a repository's playbooks and roles define, as plain text."""

    def __init__(self, files: Files, paths: list[str]) -> None:
        """Look in these files when first asked."""
        self.files = files
        self.paths = paths
        self._shared: dict[str, set[str]] | None = None
        self._roles: dict[str, dict[str, set[str]]] = {}

    def of(self, template: str) -> dict[str, str]:
        """What a template sees: its role's defaults and variables, and those of the whole repository; where they differ, none."""
        if self._shared is None:
            self._read()
        role = _ROLE.search(template)
        found: dict[str, set[str]] = {}
        for source in (self._shared or {}, self._roles.get(role[1], {}) if role else {}):
            for name, values in source.items():
                found.setdefault(name, set()).update(values)
        return {name: next(iter(values)) for name, values in found.items() if len(values) == 1}

    def _read(self) -> None:
        self._shared = {}
        for path in self.paths[:500]:
            root = load(self.files.text(path) or "")
            holders = [root] if root is not None and root.kind == "map" else []
            if root is not None and root.kind == "list":
                holders = [
                    vars_ for item in root.items[:100] if item.kind == "map" and (vars_ := item.get("vars")) is not None
                ]
            role = _ROLE.search(path)
            into = self._roles.setdefault(role[1], {}) if role else self._shared
            for holder in holders:
                for name, node in holder.keys.items():
                    if node.kind == "text" and "\n" not in node.text:
                        into.setdefault(name, set()).add(node.text)
