"""Program, eventlistener, fcgi-program and group sections become Programs and Groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.facts.origin import Mark, declared, unknown
from auditor.facts.redaction import redact
from auditor.facts.supervisor import Group, Program
from auditor.sources.supervisor import values
from auditor.sources.supervisor.expand import Names, expand
from auditor.sources.supervisor.merge import Merged, Written
from auditor.sources.supervisor.oddities import hide_pairs, oddity
from auditor.sources.supervisor.reading import Environment, Fields, Reading, because, is_placeholder
from auditor.sources.supervisor.text import unclosed

_DEFAULT_NAME = "%(program_name)s"
_CHANNELS = ("stdout", "stderr")
_LATER = tuple(option for option in values.PROCESS if option != "command")


class _Draft:
    """A program before all programs of the configuration are known."""

    __slots__ = ("fields", "group", "logs", "name", "processes", "section")

    def __init__(self, section: Merged, name: str, group: str, fields: Fields) -> None:
        self.section = section
        self.name = name
        self.group = group
        self.fields = fields
        self.processes = 0
        self.logs: dict[str, tuple[str, str]] = {}


def read_programs(
    reading: Reading, daemon: Environment, *, whole: bool, outer: Mapping[str, str] | None = None
) -> tuple[tuple[Program, ...], tuple[Group, ...]]:
    """Every program and group, in the order supervisord starts the groups.

    `whole`: all files of the configuration are there, so a program that a group lists and nobody has is one too few.
    `outer`: the ENV_ names that supervisord is known to be started with.
    """
    reader = _Programs(reading, daemon, whole, outer or {})
    reader.read()
    return reader.finish()


class _Programs:
    def __init__(self, reading: Reading, daemon: Environment, whole: bool, outer: Mapping[str, str]) -> None:
        self.reading = reading
        self.text = reading.text
        self.daemon = daemon
        self.whole = whole
        self.hidden = hide_pairs(daemon.pairs)
        self.known: dict[str, object] = {"here": self.text.here, **outer}
        self.known.update({f"ENV_{name}": value for name, value in self.hidden})
        self.groups: list[tuple[dict[str, Any], dict[str, Mark], list[_Draft]]] = []

    def read(self) -> None:
        taken: dict[str, str] = {}
        for section in self.text.of_kind("group"):
            self._group(section, taken)
        for kind in ("program", "eventlistener", "fcgi-program"):
            for section in self.text.of_kind(kind):
                if section.name not in taken or kind == "eventlistener":
                    self._lone(section)

    def _name(self, section: Merged) -> str:
        raw = section.name.partition(":")[2]
        if is_placeholder(raw):
            return raw.strip()
        try:
            return values.name(raw)
        except values.Refused as refused:
            self._section_odd("bad-name", f"the name {refused}", section, refuses=True, value=raw)
            return raw.strip()

    def _section_odd(
        self, kind: str, detail: str, section: Merged, *, refuses: bool = False, value: str | None = None
    ) -> None:
        self.reading.oddities.append(
            oddity(kind, detail, section.headers[-1], refuses=refuses, section=section.name, value=value)
        )

    def _names(self) -> Names:
        return Names(self.known)

    def _group(self, section: Merged, taken: dict[str, str]) -> None:
        name = self._name(section)
        fields = Fields()
        listed = self.reading.read(section, "programs", values.strings, self._names(), fields)
        self.reading.read(section, "priority", values.integer, self._names(), fields)
        drafts: list[_Draft] = []
        seen: set[str] = set()
        for program in fields.values.pop("programs", ()):
            assert listed is not None
            self._listed(section, listed, name, program, taken, seen, drafts)
        head = {"name": name, "kind": "group", "section": section.name, **fields.values}
        self.groups.append((head, _placed(section, fields.marks), drafts))

    def _listed(
        self,
        section: Merged,
        listed: Written,
        group: str,
        program: str,
        taken: dict[str, str],
        seen: set[str],
        drafts: list[_Draft],
    ) -> None:
        odd = self.reading.odd
        found = [
            self.text.sections[name]
            for name in (f"program:{program}", f"fcgi-program:{program}")
            if name in self.text.sections
        ]
        if not found:
            if self.whole:
                odd("group-unknown-program", f'no program is named "{program}"', listed, section, refuses=True)
                self.reading.refuse(listed, f'no program is named "{program}"', "group-unknown-program")
            return
        if len(found) > 1:
            detail = f'"{program}" is both a program and an fcgi-program'
            odd("group-ambiguous-program", detail, listed, section, refuses=True)
            self.reading.refuse(listed, detail, "group-ambiguous-program")
        target = found[0]
        if target.name in seen:
            odd("program-listed-twice", f'"{program}" is listed twice, and runs once', listed, section)
            return
        seen.add(target.name)
        other = taken.setdefault(target.name, group)
        if other != group:
            detail = f'"{program}" is in group "{other}" too, and runs in both'
            odd("program-in-two-groups", detail, listed, section)
        if target.kind == "fcgi-program":
            odd("fcgi-in-group", f'"{program}" is an fcgi-program, and in a group it gets no socket', listed, section)
        drafts.append(self._program(target, group))

    def _lone(self, section: Merged) -> None:
        name = self._name(section)
        draft = self._program(section, name, told=True)
        if section.kind == "eventlistener":
            self._eventlistener(section, draft.fields)
        elif section.kind == "fcgi-program":
            self._fcgi(section, name)
        fields = draft.fields
        priority = fields.values.get("priority", -1 if section.kind == "eventlistener" else 999)
        marks = {"priority": fields.marks["priority"]} if "priority" in fields.marks else {}
        head = {"name": name, "kind": section.kind, "section": section.name, "priority": priority}
        self.groups.append((head, _placed(section, marks), [draft]))

    def _eventlistener(self, section: Merged, into: Fields) -> None:
        fields, read, names = Fields(), self.reading.read, self._names()
        read(section, "buffer_size", values.buffer_size, names, fields)
        read(section, "result_handler", values.plain, names, fields)
        events = read(section, "events", values.events, names, into)
        if events is None or into.values.get("events") == ():
            self._section_odd("eventlistener-without-events", "it has no events=", section, refuses=True)
        stderr = read(section, "redirect_stderr", values.boolean, names, fields)
        if stderr is not None and fields.values.get("redirect_stderr") is True:
            detail = "redirect_stderr=true would break an eventlistener's protocol"
            self.reading.odd("eventlistener-redirects-stderr", detail, stderr, section, refuses=True)
            self.reading.refuse(stderr, detail, "eventlistener-redirects-stderr")

    def _fcgi(self, section: Merged, name: str) -> None:
        fields, read, names = Fields(), self.reading.read, self._names()
        read(section, "socket_backlog", values.backlog, names, fields)
        owner = read(section, "socket_owner", values.user, names, fields)
        mode = read(section, "socket_mode", values.octal, names, fields)
        names["program_name"] = name
        read(section, "socket", _socket, names, fields)
        if fields.values.get("socket") == "" or "socket" not in fields.marks:
            self._section_odd("fcgi-without-socket", "it has no socket=", section, refuses=True)
        elif str(fields.values.get("socket", "")).startswith("tcp://"):
            for written in (owner, mode):
                if written is not None:
                    self.reading.refuse(written, f"{written.name} is for a unix socket only")

    def _program(self, section: Merged, group: str, *, told: bool = False) -> _Draft:
        name = section.name.partition(":")[2].strip() if told else self._name(section)
        fields = Fields()
        marks, found = fields.marks, fields.values
        read = self.reading.read
        known = {**self.known, "program_name": name, "group_name": group}
        once = Names(known)
        for option, convert in values.PROGRAM.items():
            if option in section.options or self.text.defaults.options:
                read(section, option, convert, once, fields)
        if str(found.get("serverurl", "")).strip().upper() in ("AUTO", ""):
            found.pop("serverurl", None)
        if "killasgroup" not in marks:
            if found.get("stopasgroup") is True:
                found["killasgroup"] = True
            if "stopasgroup" in marks:
                marks["killasgroup"] = marks["stopasgroup"]
        elif found.get("stopasgroup") is True and found.get("killasgroup") is False:
            self._kill(section)

        numprocs = found.get("numprocs", 1)
        first = found.get("numprocs_start", 0)
        strict = numprocs > 0
        each = Names({**known, "process_num": first, "numprocs": numprocs})
        environment = self.reading.environment(section, each, strict=strict)
        self._environment(environment, each, fields)
        draft = _Draft(section, name, group, fields)
        self._process_names(section, draft, each, numprocs, first)
        self._command(section, each, fields, strict=strict)
        for option in _LATER:
            if option in section.options or self.text.defaults.options:
                twice = option.endswith("_logfile")
                read(section, option, values.PROCESS[option], each, fields, strict=strict, twice=twice)
        for channel in _CHANNELS:
            self._log(section, channel, each, draft, numprocs, first)
        if found.get("redirect_stderr") is True:
            ignored = found.get("stderr_logfile", "AUTO")
            if ignored not in (None, "AUTO"):
                found["stderr_logfile_ignored"] = True
                marks["stderr_logfile_ignored"] = marks["stderr_logfile"]
            found["stderr_logfile"] = None
            draft.logs.pop("stderr", None)
        return draft

    def _kill(self, section: Merged) -> None:
        written = self.text.get(section, "killasgroup")
        if written is not None:
            detail = "killasgroup=false cannot be set with stopasgroup=true"
            self.reading.odd("stopasgroup-without-killasgroup", detail, written, section, refuses=True)
            self.reading.refuse(written, detail, "stopasgroup-without-killasgroup")

    def _environment(self, environment: Environment, each: Names, fields: Fields) -> None:
        own = hide_pairs(environment.pairs)
        for name, value in own:
            each[f"ENV_{name}"] = value
        if own:
            fields.values["environment"] = tuple({**dict(self.hidden), **dict(own)}.items())
        elif self.hidden:
            fields.values["environment"] = self.hidden
        mark = environment.mark or self.daemon.mark
        if mark is not None:
            fields.marks["environment"] = mark

    def _process_names(self, section: Merged, draft: _Draft, each: Names, numprocs: int, first: int) -> None:
        fields = draft.fields
        written = self.text.get(section, "process_name")
        pattern = _DEFAULT_NAME
        strict = numprocs > 0
        if written is not None:
            pattern = written.value
            if not is_placeholder(pattern):
                try:
                    pattern = values.name(pattern)
                except values.Refused as refused:
                    self.reading.refuse(written, str(refused))
                if strict:
                    self.reading.expand(written, section, each)
                quoted = pattern[:1] in ("'", '"') and pattern[-1:] == pattern[:1] and len(pattern) > 1
                if quoted:
                    self.reading.odd("quoted-value", "the quotes are part of the names", written, section)
            fields.values["process_name"] = pattern
            fields.marks["process_name"] = written.mark
        templated = is_placeholder(pattern)
        if numprocs > 1 and "%(process_num)" not in pattern and not templated:
            place = written or self.text.get(section, "numprocs")
            if place is not None:
                detail = f"it has {numprocs} processes, but process_name has no %(process_num) to tell them apart"
                self.reading.odd("numprocs-without-process-num", detail, place, section, refuses=True)
        if numprocs < 1:
            return
        draft.processes = numprocs
        names = []
        for index in (first, first + numprocs - 1)[: 1 if numprocs == 1 else 2]:
            each["process_num"] = index
            done = expand(pattern, each)
            names.append(pattern if templated or done.kind is not None else done.text)
        each["process_num"] = first
        fields.values["process_names"] = tuple(names)
        if numprocs > 1 and names[0] == names[1] and "%(process_num)" in pattern and not templated:
            place = written or self.text.get(section, "numprocs")
            if place is not None:
                detail = f'all its {numprocs} processes are named "{names[0]}", so one survives'
                self.reading.odd("process-name-collision", detail, place, section)

    def _command(self, section: Merged, each: Names, fields: Fields, *, strict: bool) -> None:
        written = self.text.get(section, "command")
        if written is None:
            self._section_odd("program-without-command", "it has no command=", section, refuses=strict)
            return
        raw = written.value
        marks = fields.marks
        if not raw.strip():
            self.reading.odd("program-without-command", "its command is empty", written, section)
        elif raw[0] in "\"'" and raw[-1] == raw[0] and len(raw) > 1:
            self.reading.quoted(written, section, strict=strict)
        marks["command"] = written.mark
        if is_placeholder(raw):
            done = expand(raw, each)
            fields.values["command"] = redact(raw if done.kind is not None else done.text)
            return
        done = self.reading.expand(written, section, each, strict=strict)
        fields.values["command"] = redact(done.text)
        if done.kind is not None:
            marks["command"] = unknown(done.fault, written.origin)
        elif done.symbols and raw.startswith("%(") and raw.endswith(")s") and raw.count("%") == 1:
            marks["command"] = unknown(because(done.symbols), written.origin)
        quote = unclosed(done.text, escapes=True)
        if quote is not None:
            detail = f"its quote {quote} is not closed, so no process of it can start"
            self.reading.odd("command-unbalanced", detail, written, section)

    def _log(self, section: Merged, channel: str, each: Names, draft: _Draft, numprocs: int, first: int) -> None:
        option = f"{channel}_logfile"
        found = draft.fields.values
        path = found.get(option, "AUTO")
        written = self.text.get(section, option)
        if written is None:
            return
        if path is None and written.value.lower() == "syslog":
            found[f"{channel}_syslog"] = True
            draft.fields.marks[f"{channel}_syslog"] = draft.fields.marks[option]
        if path in (None, "AUTO") or numprocs < 1:
            return
        last = path
        if numprocs > 1 and "process_num" in written.value:
            each["process_num"] = first + numprocs - 1
            last = expand(expand(written.value, each).text, each).text
            each["process_num"] = first
        draft.logs[channel] = (path, last)

    def finish(self) -> tuple[tuple[Program, ...], tuple[Group, ...]]:
        self._collisions()
        self.groups.sort(key=lambda group: (group[0].get("priority", 999), group[0]["name"]))
        writers = self._writers()
        first: dict[str, str] = {}
        programs: list[Program] = []
        groups: list[Group] = []
        for head, marks, drafts in self.groups:
            name, section = head["name"], head["section"]
            other = first.setdefault(name, section)
            if other != section:
                self._section_odd(
                    "group-shadows-program",
                    f'[{other}] makes a group "{name}" too and comes first, so this one never starts',
                    self.text.sections[section],
                    value=name,
                )
            members = [_program(draft, writers) for draft in drafts]
            programs += members
            groups.append(
                Group(
                    **head,
                    programs=tuple(member.name for member in members),
                    stopwaitsecs=max((member.stopwaitsecs for member in members if member.numprocs > 0), default=0.0),
                    dropped=other != section,
                    marks=marks,
                )
            )
        return tuple(programs), tuple(groups)

    def _collisions(self) -> None:
        for _, _, drafts in self.groups:
            if len(drafts) < 2:
                continue
            seen: dict[str, str] = {}
            for draft in drafts:
                for name in dict.fromkeys(draft.fields.values.get("process_names", ())):
                    other = seen.setdefault(name, draft.section.name)
                    if other != draft.section.name:
                        self._section_odd(
                            "process-name-collision",
                            f'[{other}] has a process "{name}" in the same group too, so one survives',
                            draft.section,
                            value=name,
                        )
                        break

    def _writers(self) -> dict[str, int]:
        """How many processes write to each path."""
        writers: dict[str, int] = {}
        for _, _, drafts in self.groups:
            for draft in drafts:
                for path, last in set(draft.logs.values()):
                    count = draft.processes if path == last else 1
                    writers[path] = writers.get(path, 0) + count
        return writers


def _program(draft: _Draft, writers: dict[str, int]) -> Program:
    found, section = draft.fields.values, draft.section
    for channel, (path, _) in draft.logs.items():
        if not path.startswith("/dev/") and writers[path] != 1:
            found[f"{channel}_logfile_writers"] = writers[path]
            draft.fields.marks[f"{channel}_logfile_writers"] = draft.fields.marks[f"{channel}_logfile"]
    return Program(
        name=draft.name,
        kind=section.kind,
        section=section.name,
        file=section.headers[-1].file,
        group=draft.group,
        marks=_placed(section, draft.fields.marks),
        **found,
    )


def _placed(section: Merged, marks: dict[str, Mark]) -> dict[str, Mark]:
    """These marks, and the last header as the place of what the section itself is."""
    place = section.headers[-1]
    head = declared(place)
    name = section.name.partition(":")[2]
    if is_placeholder(name):
        head = unknown("it is a template's placeholder", place)
    return {"name": head, "section": head, "kind": head, "file": head, "group": head, **marks}


def _socket(text: str) -> str:
    return values.fcgi_socket(text) if text else ""
