"""systemd's services and timers that run artisan or supervisord, with their drop-ins, as systemd itself reads them.

Grammar: systemd.syntax(7), systemd.service(5), systemd.timer(5), systemd.time(7). Nothing is resolved that only the
running manager knows: a specifier such as `%h`, or a template's placeholder, makes a field unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from auditor.dialects.systemd import Assignment, assignments, commands, every_minute, time_span, words
from auditor.errors import Unreadable
from auditor.facts.origin import NEVER, Mark, Origin, declared, origin, unknown
from auditor.facts.redaction import redact
from auditor.facts.schedule import Unit
from auditor.sources.tree import Tree

SYSTEM_FOLDERS = (
    "etc/systemd/system",
    "run/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
)
"""Where the system's manager looks for units, the strongest first."""
USER_FOLDERS = ("etc/systemd/user", "run/systemd/user", "usr/local/lib/systemd/user", "usr/lib/systemd/user")
"""Where every user's own manager looks, the strongest first."""
HOMES = ("home/*/.config/systemd/user", "root/.config/systemd/user")
"""Where users keep their own units."""

_WANTED = (b"artisan", b"supervisord")
_SIZES = {"": 1.0, "B": 1.0, "K": 1024.0, "M": 1024.0**2, "G": 1024.0**3, "T": 1024.0**4, "P": 1024.0**5}
_SIGNALS = {
    "1": "SIGHUP",
    "2": "SIGINT",
    "3": "SIGQUIT",
    "9": "SIGKILL",
    "10": "SIGUSR1",
    "12": "SIGUSR2",
    "15": "SIGTERM",
}


def read_units(tree: Tree, overrides: Mapping[str, bytes] | None = None) -> tuple[Unit, ...]:
    """Every unit of a host that runs artisan or supervisord, and the timers that start one.

    `overrides` (path to content) stand in for files, there or not. A unit that cannot be read is left out.
    """
    overrides = overrides or {}
    units = [*_Manager(tree, overrides, SYSTEM_FOLDERS, "system").units()]
    homes = {home for pattern in HOMES for home in tree.glob(pattern)}
    homes |= {path.rpartition("/")[0] for path in overrides if "/.config/systemd/user/" in path}
    for folders in (*((home,) for home in sorted(homes)), USER_FOLDERS):
        units += _Manager(tree, overrides, folders, "user").units()
    return join_timers(tuple(units))


def read_unit(tree: Tree, path: str, data: bytes | None = None) -> Unit:
    """One unit file by itself, its content given or read from the tree (raises Unreadable): no drop-ins, no symlinks.

    A template of a unit (`x.service.j2`) is read too: what its placeholders fill in is unknown.
    """
    content = tree.read(path) if data is None else data
    name = path.rpartition("/")[2]
    for suffix in (".j2", ".jinja2", ".jinja", ".erb", ".tpl", ".tmpl", ".dist", ".example", ".template"):
        name = name.removesuffix(suffix)
    unit = _unit(name, path, "system", _settings(path, content), (), 90.0)
    here = origin(path)
    marks = dict(unit.marks)
    marks["enabled"] = marks["drop_ins"] = marks["instances"] = unknown("the host it is put on is not seen here", here)
    return msgspec.structs.replace(unit, marks=marks)


def join_timers(units: tuple[Unit, ...]) -> tuple[Unit, ...]:
    """The units, each service naming the timers that start it; an enabled timer enables its service."""
    timers: dict[tuple[str, str], list[Unit]] = {}
    for unit in units:
        if unit.kind == "timer" and unit.activates is not None:
            timers.setdefault((unit.scope, unit.activates), []).append(unit)
    joined = []
    for unit in units:
        found = timers.get((unit.scope, unit.name), []) if unit.kind == "service" else []
        if found:
            marks = dict(unit.marks)
            marks["triggered_by"] = declared(origin(found[0].path))
            names = tuple(timer.name for timer in found)
            on = unit.enabled or any(timer.enabled for timer in found)
            joined.append(msgspec.structs.replace(unit, triggered_by=names, enabled=on, marks=marks))
        else:
            joined.append(unit)
    return tuple(joined)


class _Manager:
    """One manager's view of its folders: which file defines a unit, what changes it, what pulls it in."""

    def __init__(self, tree: Tree, overrides: Mapping[str, bytes], folders: tuple[str, ...], scope: str) -> None:
        self.tree, self.overrides, self.scope = tree, overrides, scope
        self.names: dict[str, list[str]] = {}
        real: set[str] = set()
        for folder in folders:
            try:
                where = tree.real(folder)
            except (OSError, Unreadable):
                where = folder
            if where in real:
                continue  # /lib is /usr/lib
            real.add(where)
            try:
                names = tree.names(folder)
            except Unreadable:
                names = []
            names += [p[len(folder) + 1 :].split("/")[0] for p in overrides if p.startswith(f"{folder}/")]
            self.names[folder] = sorted(set(names))
        self.wants: dict[str, set[str]] | None = None
        self.stop: float | None = None

    def units(self) -> Iterator[Unit]:
        """The services of this manager that run artisan or supervisord, then the timers that start one of them."""
        names = set()
        for name, paths in self._fragments(".service"):
            texts = [self._read(path) for path in paths]
            changes = self._drop_ins(name)
            if any(word in text for text in (*texts, *(text for _, text in changes)) for word in _WANTED):
                unit = self._unit(name, paths, texts, changes)
                if unit is not None:
                    names.add(name)
                    yield unit
        if names:
            for name, paths in self._fragments(".timer"):
                unit = self._unit(name, paths, [self._read(path) for path in paths], self._drop_ins(name))
                if unit is not None and unit.activates in names:
                    yield unit

    def _fragments(self, suffix: str) -> Iterator[tuple[str, list[str]]]:
        """Each unit's name with the files that define it, the strongest first."""
        found: dict[str, list[str]] = {}
        for folder, names in self.names.items():
            for name in names:
                # systemd's own units, hundreds of them, run neither.
                if name.endswith(suffix) and not name.startswith("systemd-"):
                    found.setdefault(name, []).append(f"{folder}/{name}")
        yield from found.items()

    def _read(self, path: str) -> bytes:
        if path in self.overrides:
            return self.overrides[path]
        try:
            return self.tree.read(path)
        except Unreadable:
            return b""

    def _drop_ins(self, name: str) -> list[tuple[str, bytes]]:
        """Files of name.d/ and, for an instance, of its template's folder: by file name, the strongest folder's own."""
        stem, _, suffix = name.rpartition(".")
        folders = [f"{suffix}.d"]
        prefix = ""
        for part in stem.split("-")[:-1]:
            prefix += f"{part}-"
            folders.append(f"{prefix}.{suffix}.d")
        if "@" in stem and not stem.endswith("@"):
            folders.append(f"{stem.partition('@')[0]}@.{suffix}.d")
        folders.append(f"{name}.d")
        found: dict[str, str] = {}
        for folder in reversed(folders):
            for base, names in self.names.items():
                if folder not in names:
                    continue
                for file in self._files(f"{base}/{folder}"):
                    if file.endswith(".conf"):
                        found.setdefault(file, f"{base}/{folder}/{file}")
        return [(found[file], self._read(found[file])) for file in sorted(found)]

    def _files(self, folder: str) -> list[str]:
        try:
            names = self.tree.names(folder)
        except Unreadable:
            names = []
        return names + [p[len(folder) + 1 :] for p in self.overrides if p.startswith(f"{folder}/")]

    def _pulled_in(self) -> dict[str, set[str]]:
        """Unit name to the targets whose .wants or .requires folder holds it."""
        if self.wants is None:
            self.wants = {}
            for folder, names in self.names.items():
                for name in names:
                    if name.endswith((".wants", ".requires")):
                        for unit in self._files(f"{folder}/{name}"):
                            self.wants.setdefault(unit, set()).add(name.rpartition(".")[0])
        return self.wants

    def _unit(self, name: str, paths: list[str], texts: list[bytes], changes: list[tuple[str, bytes]]) -> Unit | None:
        """The unit, or None where the name is only another name of one; a masked unit shows what is masked."""
        if paths[0] not in self.overrides and self._is_alias(paths[0], name):
            return None
        masked = not texts[0].strip()
        data = next((text for text in texts if text.strip()), b"")
        path = paths[texts.index(data)] if data else paths[0]
        lines = _settings(path, data)
        for other, text in changes:
            lines += _settings(other, text)
        unit = _unit(name, paths[0], self.scope, lines, tuple(other for other, _ in changes), self._stop_default())
        pulled = self._pulled_in()
        stem, _, suffix = name.rpartition(".")
        instances: tuple[str, ...] = ()
        if stem.endswith("@"):
            end = f".{suffix}"
            ours = (one for one in pulled if one.startswith(stem) and one.endswith(end) and one != name)
            instances = tuple(sorted(one[len(stem) : -len(end)] for one in ours))
        enabled = (name in pulled or bool(instances)) and not masked
        return msgspec.structs.replace(unit, enabled=enabled, instances=instances, masked=masked)

    def _is_alias(self, path: str, name: str) -> bool:
        try:
            last = self.tree.real(path).rpartition("/")[2]
        except (OSError, Unreadable):
            return False
        return last != name and last.endswith((".service", ".timer"))

    def _stop_default(self) -> float:
        """DefaultTimeoutStopSec= of the manager's own configuration, else 90 s."""
        if self.stop is not None:
            return self.stop
        seconds = 90.0
        path = f"etc/systemd/{self.scope}.conf"
        folder = f"etc/systemd/{self.scope}.conf.d"
        for file in (path, *(f"{folder}/{name}" for name in self._files(folder) if name.endswith(".conf"))):
            for line in _settings(file, self._read(file)):
                if line.key == "DefaultTimeoutStopSec" and line.value:
                    found = time_span(line.value)
                    seconds = seconds if found is None else (found or NEVER)
        self.stop = seconds
        return seconds


class _Setting(msgspec.Struct, frozen=True):
    """One assignment, and where it is written."""

    section: str
    key: str
    value: str
    place: Origin
    doubt: str | None
    """Why it is uncertain whether it is written at all."""


def _settings(path: str, data: bytes) -> list[_Setting]:
    return [_placed(path, one) for one in assignments(data)]


def _placed(path: str, one: Assignment) -> _Setting:
    doubt = "a template decides whether it is written" if one.conditional else None
    return _Setting(one.section, one.key, one.value, origin(path, one.number, one.line), doubt)


class _Builder:
    """Collects a unit's fields from its settings, in the order in which systemd reads them."""

    def __init__(self, name: str, path: str) -> None:
        self.name = name
        self.path = path
        self.values: dict[str, Any] = {}
        self.marks: dict[str, Mark] = {}

    def put(self, field: str, line: _Setting, value: Any, why: str | None = None) -> None:
        """Set a field; where it is doubtful, mark it unknown and leave its default."""
        why = why or line.doubt or _unresolved(line.value)
        if why is None:
            self.values[field] = value
            self.marks[field] = declared(line.place)
        else:
            self.values.pop(field, None)
            self.marks[field] = unknown(why, line.place)

    def add(self, field: str, line: _Setting, items: list[Any], why: str | None = None) -> None:
        """Add to a list, which an empty value empties; one doubtful item makes the whole unknown, the others stay."""
        if not line.value and line.doubt is None:
            self.values.pop(field, None)
            self.marks[field] = declared(line.place)
            return
        why = why or line.doubt or _unresolved(line.value)
        self.values[field] = (*self.values.get(field, ()), *items)
        if why is not None:
            self.marks[field] = unknown(why, line.place)
        elif field not in self.marks or self.marks[field].reason is None:
            self.marks.setdefault(field, declared(line.place))

    def reset(self, field: str, line: _Setting) -> None:
        """Back to the default, as an empty assignment does."""
        self.values.pop(field, None)
        self.marks[field] = declared(line.place)

    def resolve(self, text: str) -> str:
        """The specifiers that the unit's own name decides."""
        if "%" not in text:
            return text
        stem = self.name.rpartition(".")[0]
        prefix, at, instance = stem.partition("@")
        known = {"%n": self.name, "%N": stem, "%p": prefix, "%%": "%%"}
        if instance or not at:
            known["%i"] = known["%I"] = instance
        return re.sub(r"%.", lambda match: known.get(match[0], match[0]), text)


def _unresolved(text: str) -> str | None:
    """Why a value is not what is written: a template's placeholder, or a specifier only the manager can resolve."""
    if "{{" in text or "<%" in text or "{%" in text:
        return "a template fills it in"
    if "%" in text:
        match = re.search(r"%[A-Za-z]", text.replace("%%", ""))
        if match is not None:
            return f"only the running manager resolves {match[0]}"
    return None


_SPANS = {
    ("Service", "RestartSec"): "restart_sec",
    ("Service", "TimeoutStopSec"): "timeout_stop",
    ("Service", "TimeoutStartSec"): "timeout_start",
    ("Service", "RuntimeMaxSec"): "runtime_max",
    ("Timer", "OnUnitActiveSec"): "on_unit_active",
    ("Timer", "OnUnitInactiveSec"): "on_unit_inactive",
    ("Timer", "OnBootSec"): "on_boot",
    ("Timer", "OnStartupSec"): "on_boot",
    ("Timer", "AccuracySec"): "accuracy",
}
"""Keys whose value is a time span, and the field each decides."""
_TEXTS = {
    ("Unit", "Description"): "description",
    ("Service", "Type"): "type",
    ("Service", "User"): "user",
    ("Service", "Group"): "group",
    ("Service", "Restart"): "restart",
    ("Service", "KillMode"): "kill_mode",
}
"""Keys whose value is taken as it is, and the field each decides."""
_CHOICES = {
    "type": frozenset(["simple", "exec", "forking", "oneshot", "dbus", "notify", "notify-reload", "idle"]),
    "restart": frozenset(
        ["no", "always", "on-success", "on-failure", "on-abnormal", "on-abort", "on-watchdog"],
    ),
    "kill_mode": frozenset(["control-group", "mixed", "process", "none"]),
}
"""Fields that take nothing but these words."""
_ZERO_IS_NEVER = frozenset(["timeout_stop", "timeout_start", "runtime_max"])


def _unit(
    name: str, path: str, scope: str, lines: list[_Setting], drop_ins: tuple[str, ...], stop_default: float
) -> Unit:
    built = _Builder(name, path)
    kind = "timer" if name.endswith(".timer") else "service"
    if stop_default != 90.0:
        built.values["timeout_stop"] = stop_default
    for line in lines:
        _take(built, msgspec.structs.replace(line, value=built.resolve(line.value)))
    if kind == "service":
        _settle_service(built, scope)
    else:
        _settle_timer(built)
    built.marks.setdefault("name", declared(origin(path)))
    return Unit(name=name, path=path, kind=kind, scope=scope, drop_ins=drop_ins, marks=built.marks, **built.values)


def _take(built: _Builder, line: _Setting) -> None:
    """One assignment, into the field it decides."""
    at = (line.section, line.key)
    value = line.value
    if at in _TEXTS:
        field = _TEXTS[at]
        if value and value not in _CHOICES.get(field, (value,)) and not line.doubt and not _unresolved(value):
            return  # systemd logs it and goes on as if it were not written
        if value:
            built.put(field, line, value.replace("%%", "%"))
        else:
            built.reset(field, line)
    elif at in _SPANS or at == ("Service", "TimeoutSec"):
        for field in (_SPANS[at],) if at in _SPANS else ("timeout_start", "timeout_stop"):
            _put_span(built, field, line)
    elif line.section == "Service":
        _take_service(built, line)
    elif at == ("Timer", "OnCalendar"):
        built.add("on_calendar", line, [value])
    elif at == ("Timer", "Unit"):
        built.put("activates", line, value)
    elif line.section == "Install" and line.key in ("WantedBy", "RequiredBy"):
        built.add("wanted_by", line, value.split())


def _put_span(built: _Builder, field: str, line: _Setting) -> None:
    if not line.value:
        built.reset(field, line)
        return
    seconds = time_span(line.value)
    if seconds is None and line.doubt is None and _unresolved(line.value) is None:
        return  # systemd logs it and goes on as if it were not written
    if seconds == 0 and field in _ZERO_IS_NEVER:
        seconds = NEVER
    built.put(field, line, seconds)


def _take_service(built: _Builder, line: _Setting) -> None:
    value = line.value
    if line.key == "ExecStart":
        found, ignores = commands(value)
        built.add("exec_start", line, [redact(command.replace("%%", "%")) for command in found])
        if ignores:
            built.put("ignores_failure", line, True)
        elif not value:
            built.reset("ignores_failure", line)
    elif line.key == "WorkingDirectory":
        folder = value.removeprefix("-").replace("%%", "%")
        why = "it is the user's home folder" if folder == "~" else None
        if folder:
            built.put("working_directory", line, folder.rstrip("/") or "/", why)
        else:
            built.reset("working_directory", line)
    elif line.key == "Environment":
        pairs = [word.partition("=") for word in words(value) or [] if "=" in word]
        items = [(name, redact(f"{name}={text}").partition("=")[2].replace("%%", "%")) for name, _, text in pairs]
        built.add("environment", line, items)
    elif line.key == "EnvironmentFile":
        built.add("environment_files", line, [value.removeprefix("-")] if value else [])
    elif line.key == "KillSignal":
        signal = _SIGNALS.get(value, value.upper())
        if value:
            built.put("kill_signal", line, signal if signal.startswith("SIG") else f"SIG{signal}")
        else:
            built.reset("kill_signal", line)
    elif line.key in ("MemoryMax", "MemoryLimit"):
        _put_memory(built, line)


def _put_memory(built: _Builder, line: _Setting) -> None:
    value = line.value
    if not value or value == "infinity":
        built.reset("memory_max", line)
        return
    match = re.match(r"(\d{1,18}(?:\.\d{1,9})?)\s*([BKMGTP]?)$", value)
    why = "it is a share of the machine's memory" if value.endswith("%") else None
    if match is None and why is None and line.doubt is None and _unresolved(value) is None:
        return
    built.put("memory_max", line, float(match[1]) * _SIZES[match[2]] / 1024**2 if match else None, why)


def _settle_service(built: _Builder, scope: str) -> None:
    """What follows from the settings together."""
    if scope == "user":
        built.marks["user"] = unknown("a user's own manager runs it", origin(built.path))
        built.values.pop("user", None)
    if built.values.get("type") == "oneshot" and "timeout_start" not in built.marks:
        built.values["timeout_start"] = NEVER


def _settle_timer(built: _Builder) -> None:
    stem = built.name.rpartition(".")[0]
    if "activates" not in built.marks:
        built.values["activates"] = f"{stem}.service"
    calendars = built.values.get("on_calendar", ())
    told = [every_minute(calendar) for calendar in calendars]
    active = built.values.get("on_unit_active")
    doubtful = next((m for f in ("on_calendar", "on_unit_active") if (m := built.marks.get(f)) and m.reason), None)
    place = next(
        (m.origin for f in ("on_calendar", "on_unit_active", "on_unit_inactive") if (m := built.marks.get(f))), None
    )
    if any(told) or (active is not None and 0 < active <= 60):
        built.values["every_minute"] = True
    elif doubtful is not None:
        built.marks["every_minute"] = doubtful
        return
    elif None in told:
        built.marks["every_minute"] = unknown("its calendar expression is not read here", place)
        return
    elif len(told) > 1:
        built.marks["every_minute"] = unknown("its calendar expressions together are not weighed here", place)
        return
    elif "on_unit_inactive" in built.values and built.values["on_unit_inactive"] <= 60:
        built.marks["every_minute"] = unknown("it counts from the end of a run, whose length is not known", place)
        return
    if place is not None:
        built.marks["every_minute"] = declared(place)
