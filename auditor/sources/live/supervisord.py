"""A running supervisord, asked over its own interface: what it runs, how that goes, and where the files say otherwise.

Only what reads is called (supervisord.org/api.html): never reloadConfig, which is `reread` and replaces what the daemon
holds, and blocks it. Drift is told by comparing the files, as our own sources read them, with getAllConfigInfo (what
the daemon last read) and with the processes themselves.
"""

from __future__ import annotations

import base64
import os
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from auditor.errors import Unreadable
from auditor.facts.backend import Probe
from auditor.facts.redaction import redact
from auditor.facts.running import Daemon, DaemonProcess, Drift
from auditor.facts.supervisor import HttpServer, Program, SupervisorConf
from auditor.sources.live.access import LIMITS, NO_SECRET, Limits, Secret
from auditor.sources.live.looking import Clock, NoAnswer, look, unsupported
from auditor.sources.live.witness import release, seen
from auditor.sources.tree import Tree

MANY = 500
"""Processes above which getAllConfigInfo is not called: it holds up the daemon, 1.5 ms for each of them."""
_ANSWER_LIMIT = 16 * 1024 * 1024
_SIGNALS = {"TERM": 15, "HUP": 1, "INT": 2, "QUIT": 3, "KILL": 9, "USR1": 10, "USR2": 12}


class DaemonLook(NamedTuple):
    """What came of asking one supervisord."""

    probe: Probe
    """How it went."""
    daemon: Daemon | None = None
    """The daemon; None where it did not answer."""
    processes: tuple[DaemonProcess, ...] = ()
    """Its processes, in its own order."""


def ask_supervisord(
    server: HttpServer,
    password: Secret = NO_SECRET,
    *,
    conf: SupervisorConf | None = None,
    root: str = "/",
    limits: Limits = LIMITS,
) -> DaemonLook:
    """Ask the supervisord behind one of its sockets; `conf` is the configuration that it should be running.

    `root` is the folder that the paths of `server` and `conf` start from. Never raises.
    """
    name = f"unix://{server.file}" if server.kind == "unix" else f"http://{server.host or '127.0.0.1'}:{server.port}"
    if not (server.file if server.kind == "unix" else server.port):
        return DaemonLook(
            unsupported("where its socket is cannot be known from here").probe("supervisord", server.section)
        )
    found = look(lambda clock: _ask(server, password, conf, root, name, limits, clock), limits.total, password)
    probe = found.probe("supervisord", name)
    return DaemonLook(probe, *found.value) if found.value is not None else DaemonLook(probe)


def _ask(
    server: HttpServer,
    password: Secret,
    conf: SupervisorConf | None,
    root: str,
    name: str,
    limits: Limits,
    clock: Clock,
) -> tuple[Daemon, tuple[DaemonProcess, ...]]:
    ask = _Rpc(server, password, root, limits, clock)
    state = _record(ask("supervisor.getState"))
    version, api = str(ask("supervisor.getSupervisorVersion")), str(ask("supervisor.getAPIVersion"))
    pid = _whole(ask("supervisor.getPID"))
    infos = [_record(one) for one in _records(ask("supervisor.getAllProcessInfo"))]
    configs, unavailable = _configs(ask, len(infos))
    missing: dict[str, str] = {}
    values: dict[str, Any] = {
        "version": release(version),
        "api": api[:20],
        "state": str(state.get("statename", ""))[:20],
        "pid": pid,
        "processes": len(infos),
    }
    local = server.kind == "unix" or server.is_local
    started = _started(pid) if local else None
    if started is None:
        missing["started"] = missing["newer_files"] = "its process is not seen from here"
    else:
        values["started"] = started
    if conf is None:
        missing |= dict.fromkeys(("not_loaded", "not_on_disk", "drifts", "newer_files"), "its files were not read")
    else:
        if started is not None:
            values["newer_files"] = tuple(f for f in conf.files if (_changed(root, f) or 0.0) > started + 1)
        _compare(conf, infos, configs, unavailable, values, missing)
    commands = {(str(one.get("group")), str(one.get("name"))): one for one in configs or ()}
    files = _program_files(conf)
    processes = tuple(_process(one, name, conf, commands, files, root, local=local) for one in infos)
    values["outdated"] = tuple(f"{one.group}:{one.name}" for one in processes if one.differs)
    daemon = seen(Daemon, missing, name=name, conf=conf.main if conf is not None else "", **values)
    return daemon, processes


class _Rpc:
    """XML-RPC over HTTP over a unix or inet socket, with time-outs: a connection for each call."""

    def __init__(self, server: HttpServer, password: Secret, root: str, limits: Limits, clock: Clock) -> None:
        self.server = server
        self.limits = limits
        self.clock = clock
        self.path = _inside(root, server.file or "")
        self.headers = {"Content-Type": "text/xml", "Host": "localhost", "User-Agent": "queue-auditor"}
        if server.username:
            pair = f"{server.username}:{password.reveal()}".encode()
            self.headers["Authorization"] = "Basic " + base64.b64encode(pair).decode("ascii")

    def __call__(self, method: str) -> Any:
        import http.client
        import xmlrpc.client
        from xml.parsers.expat import ExpatError

        connection = http.client.HTTPConnection("localhost")
        connection.sock = self._socket()
        with self.clock.closing(connection.close):
            connection.request("POST", "/RPC2", xmlrpc.client.dumps((), method), self.headers)
            try:
                answer = connection.getresponse()
                body = answer.read(_ANSWER_LIMIT)
            except http.client.IncompleteRead:
                raise NoAnswer("gone", "it closed the connection before it had answered") from None
            except http.client.RemoteDisconnected:
                raise NoAnswer("gone", "it closed the connection before it had answered") from None
            except http.client.HTTPException:
                raise NoAnswer("protocol", "what answers there is no supervisord") from None
        if answer.status == 401:
            raise NoAnswer("auth", "it refuses the user or the password")
        if answer.status != 200:
            raise NoAnswer("protocol", f"it answers with HTTP status {answer.status}")
        try:
            values, _ = xmlrpc.client.loads(body, use_builtin_types=True)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == 1:
                raise NoAnswer("protocol", "it has no [rpcinterface:supervisor]") from None
            if fault.faultCode == 6:
                raise NoAnswer("gone", "it is shutting down") from None
            raise NoAnswer("protocol", f"it answers with fault {fault.faultCode}") from None
        except (ExpatError, xmlrpc.client.Error, ValueError, TypeError, LookupError, RecursionError):
            raise NoAnswer("protocol", "what answers there is no supervisord") from None
        return values[0] if values else None

    def _socket(self) -> Any:
        import socket

        if self.server.kind != "unix":
            host = self.server.host or "127.0.0.1"
            made = socket.create_connection((host, self.server.port or 0), self.clock.within(self.limits.connect))
        else:
            made = socket.socket(socket.AF_UNIX)
            try:
                made.settimeout(self.clock.within(self.limits.connect))
                _connect(made, self.path)
            except BaseException:
                made.close()
                raise
        made.settimeout(self.clock.within(self.limits.read))
        return made


def _connect(made: Any, path: str) -> None:
    if len(os.fsencode(path)) < 108:
        made.connect(path)
        return
    # An address holds no longer path: go through its open folder.
    folder = os.open(os.path.dirname(path), os.O_PATH)  # noqa: PTH120
    try:
        made.connect(f"/proc/self/fd/{folder}/{os.path.basename(path)}")  # noqa: PTH119
    finally:
        os.close(folder)


def _configs(ask: _Rpc, processes: int) -> tuple[list[Mapping[str, Any]] | None, str]:
    if processes > MANY:
        return None, f"it has {processes} processes, and to ask for their configuration would hold it up"
    try:
        return [_record(one) for one in _records(ask("supervisor.getAllConfigInfo"))], ""
    except NoAnswer as error:
        if error.outcome != "protocol":
            raise
        return None, f"it does not tell its configuration: {error.reason}"


def _record(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise NoAnswer("protocol", "what answers there is no supervisord")
    return value


def _records(value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise NoAnswer("protocol", "what answers there is no supervisord")
    return value


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _started(pid: int) -> float | None:
    """When a process was started, if it is a supervisord that can be seen here (in a container it has another pid)."""
    import psutil

    try:
        process = psutil.Process(pid)
        is_daemon = any("supervisord" in word for word in process.cmdline()[:4])
        return float(process.create_time()) if is_daemon else None
    except (psutil.Error, ValueError):
        return None


def _inside(root: str, path: str) -> str:
    """The path on this machine; a link such as Debian's /var/run leads on inside the root."""
    try:
        return Tree(root).host_path(path.lstrip("/"))
    except (OSError, Unreadable):
        return os.path.join(root, path.lstrip("/"))  # noqa: PTH118


def _changed(root: str, path: str) -> float | None:
    try:
        return os.stat(_inside(root, path)).st_mtime  # noqa: PTH116
    except OSError:
        return None


def _names(conf: SupervisorConf) -> dict[tuple[str, str], Program]:
    """Each process that can be named from the files, and its program; of many, the first and the last."""
    return {(program.group, name): program for program in conf.programs for name in program.process_names}


def _program_files(conf: SupervisorConf | None) -> Mapping[str, tuple[str, ...]]:
    """Group to the files that its programs stand in."""
    files: dict[str, tuple[str, ...]] = {}
    for program in conf.programs if conf is not None else ():
        files[program.group] = tuple(dict.fromkeys((*files.get(program.group, ()), program.file)))
    return files


def _compare(
    conf: SupervisorConf,
    infos: Sequence[Mapping[str, Any]],
    configs: Sequence[Mapping[str, Any]] | None,
    unavailable: str,
    values: dict[str, Any],
    missing: dict[str, str],
) -> None:
    if conf.refused:
        missing |= dict.fromkeys(
            ("not_loaded", "not_on_disk", "drifts"), "supervisord would refuse its files as they are"
        )
        return
    groups = {group.name for group in conf.groups if not group.dropped}
    written = {
        key: one for key, one in _names(conf).items() if key[0] in groups and not one.is_unknown("process_names")
    }
    running = {(str(one.get("group", "")), str(one.get("name", ""))) for one in infos}
    values["not_loaded"] = tuple(f"{group}:{name}" for group, name in written if (group, name) not in running)
    gone = sorted({group for group, _ in running} - groups)
    surplus = _surplus(conf, running, groups)
    values["not_on_disk"] = tuple([f"{group}:*" for group in gone] + surplus)
    if configs is None:
        missing["drifts"] = unavailable
        return
    drifts: list[Drift] = []
    seen_programs: set[tuple[str, str]] = set()
    loaded = {(str(one.get("group", "")), str(one.get("name", ""))): one for one in configs}
    for (group, process), program in written.items():
        config = loaded.get((group, process))
        # Facts hold a program's first process.
        if config is None or (group, program.name) in seen_programs:
            continue
        seen_programs.add((group, program.name))
        for option, (on_disk, in_daemon) in _options(program, config).items():
            if on_disk != in_daemon and not program.is_unknown(option):
                drifts.append(
                    seen(
                        Drift,
                        {},
                        name=option,
                        group=group,
                        process=process,
                        on_disk=redact(on_disk)[:400],
                        loaded=redact(in_daemon)[:400],
                    )
                )
    values["drifts"] = tuple(drifts)


def _surplus(conf: SupervisorConf, running: set[tuple[str, str]], groups: set[str]) -> list[str]:
    """Processes beyond numprocs, where the group's number of processes is known."""
    counts: dict[str, int] = {}
    for program in conf.programs:
        if program.is_unknown("numprocs") or program.is_unknown("process_names"):
            return []
        counts[program.group] = counts.get(program.group, 0) + program.processes
    found: list[str] = []
    for group in sorted(groups):
        names = sorted(name for one, name in running if one == group)
        known = {name for program in conf.programs if program.group == group for name in program.process_names}
        if len(names) > counts.get(group, 0):
            found += [f"{group}:{name}" for name in names if name not in known][-(len(names) - counts.get(group, 0)) :]
    return found


def _options(program: Program, config: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Option to what the file and what the daemon has, as text; only those that the daemon tells (by its release)."""
    stop = program.stopsignal
    on_disk: dict[str, tuple[str, object]] = {
        "command": ("command", program.command),
        "directory": ("directory", program.directory or "none"),
        "autostart": ("autostart", program.autostart),
        "autorestart": ("autorestart", program.autorestart),
        "priority": ("process_prio", program.priority),
        "startsecs": ("startsecs", int(program.startsecs)),
        "startretries": ("startretries", program.startretries),
        "stopsignal": ("stopsignal", _SIGNALS.get(stop, stop)),
        "stopwaitsecs": ("stopwaitsecs", int(program.stopwaitsecs)),
        "killasgroup": ("killasgroup", program.killasgroup),
        "redirect_stderr": ("redirect_stderr", program.redirect_stderr),
        "exitcodes": ("exitcodes", list(program.exitcodes)),
        "stdout_logfile": ("stdout_logfile", _log(program.stdout_logfile)),
    }
    found: dict[str, tuple[str, str]] = {}
    for option, (key, value) in on_disk.items():
        if key not in config:
            continue
        told = config[key]
        if option == "command":
            told = redact(str(told))  # as the fact is
        if option == "autorestart":
            told = {"auto": "unexpected", "True": "true", "False": "false"}.get(str(told), str(told).lower())
        if option == "stopsignal" and not isinstance(value, int):
            continue
        if option in ("directory", "stdout_logfile"):
            if str(value) == "auto" or (option == "stdout_logfile" and not str(value).startswith("/")):
                continue  # a path of the daemon's own making, or from its own folder
            told = "none" if told in ("none", None, "") else told
        found[option] = (str(value), str(told))
    return found


def _log(path: str | None) -> str:
    return "none" if path is None else "auto" if path == "AUTO" else path


def _process(
    info: Mapping[str, Any],
    daemon: str,
    conf: SupervisorConf | None,
    configs: Mapping[tuple[str, str], Mapping[str, Any]],
    files: Mapping[str, tuple[str, ...]],
    root: str,
    *,
    local: bool,
) -> DaemonProcess:
    group, name = str(info.get("group", "")), str(info.get("name", ""))
    missing: dict[str, str] = {}
    pid, start = _whole(info.get("pid")), float(_whole(info.get("start")))
    newer = False
    if conf is None or group not in files:
        missing["older_than_conf"] = "the file its program stands in is not known"
    elif pid:
        times = [_changed(root, path) for path in files[group]]
        newer = any(time is not None and time > start + 1 for time in times)
    differs: tuple[str, ...] = ()
    config = configs.get((group, name))
    if pid and local and config is not None:
        differs = _differs(pid, config)
    elif pid:
        missing["differs"] = "its configuration, or its process, is not seen from here"
    return seen(
        DaemonProcess,
        missing,
        name=name,
        group=group,
        conf=conf.main if conf is not None else "",
        daemon=daemon,
        state=_whole(info.get("state")),
        statename=str(info.get("statename", ""))[:20],
        start=start,
        stop=float(_whole(info.get("stop"))),
        now=float(_whole(info.get("now"))),
        exitstatus=_whole(info.get("exitstatus")),
        spawnerr=redact(str(info.get("spawnerr") or ""))[:300],
        pid=pid,
        older_than_conf=newer,
        differs=differs,
    )


def _differs(pid: int, config: Mapping[str, Any]) -> tuple[str, ...]:
    """Where a process is not what the daemon would start now, if its first word shows it to be the same program."""
    import psutil

    try:
        process = psutil.Process(pid)
        words, folder = process.cmdline(), process.cwd()
        wanted = shlex.split(str(config.get("command", "")))
    except (psutil.Error, ValueError, OSError):
        return ()
    found: list[str] = []
    if words and wanted and os.path.basename(words[0]) == os.path.basename(wanted[0]) and words[1:] != wanted[1:]:  # noqa: PTH119
        found.append("command")
    directory = config.get("directory")
    if isinstance(directory, str) and directory not in ("", "none") and folder:
        here = os.path.realpath(directory)
        if folder.removesuffix(" (deleted)") != here:
            found.append("directory")
    return tuple(found)
