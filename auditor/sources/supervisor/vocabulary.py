"""The sections and options supervisor reads (3.0 to 4.3.0), and the one a misspelt name was probably meant to be."""

from __future__ import annotations

import functools

_CHANNEL = ("logfile", "logfile_maxbytes", "logfile_backups", "capture_maxbytes", "events_enabled", "syslog")

PROGRAM = frozenset(
    """command process_name numprocs numprocs_start priority autostart startsecs startretries autorestart exitcodes
    stopsignal stopwaitsecs stopasgroup killasgroup user redirect_stderr environment directory umask
    serverurl""".split()
) | {f"{channel}_{option}" for channel in ("stdout", "stderr") for option in _CHANNEL}

OPTIONS: dict[str, frozenset[str]] = {
    "program": PROGRAM,
    "eventlistener": PROGRAM | {"events", "buffer_size", "result_handler"},
    "fcgi-program": PROGRAM | {"socket", "socket_owner", "socket_mode", "socket_backlog"},
    "group": frozenset({"programs", "priority"}),
    "include": frozenset({"files"}),
    "supervisord": frozenset(
        """logfile logfile_maxbytes logfile_backups loglevel pidfile umask nodaemon silent minfds minprocs nocleanup
        childlogdir user directory strip_ansi environment identifier""".split()
    ),
    "unix_http_server": frozenset({"file", "chmod", "chown", "username", "password"}),
    "inet_http_server": frozenset({"port", "username", "password"}),
    "supervisorctl": frozenset({"serverurl", "username", "password", "prompt", "history_file"}),
    "rpcinterface": frozenset({"supervisor.rpcinterface_factory"}),
    "ctlplugin": frozenset({"supervisor.ctl_factory"}),
}
"""What supervisor reads in each kind of section; a plugin's section may hold more, for the plugin."""

PLUGINS = frozenset({"rpcinterface", "ctlplugin"})
"""Kinds whose every option is handed to the plugin."""

NAMED = ("program", "group", "eventlistener", "fcgi-program", "rpcinterface", "ctlplugin")
"""Kinds whose sections are told by `kind:`."""

PLAIN = ("supervisord", "supervisorctl", "include")
"""Kinds whose section has exactly that name."""

SERVERS = ("inet_http_server", "unix_http_server")
"""Kinds whose sections are told by how their name begins, whatever follows."""

EVENTS = frozenset(
    """EVENT PROCESS_COMMUNICATION PROCESS_COMMUNICATION_STDERR PROCESS_COMMUNICATION_STDOUT PROCESS_GROUP
    PROCESS_GROUP_ADDED PROCESS_GROUP_REMOVED PROCESS_LOG PROCESS_LOG_STDERR PROCESS_LOG_STDOUT PROCESS_STATE
    PROCESS_STATE_BACKOFF PROCESS_STATE_EXITED PROCESS_STATE_FATAL PROCESS_STATE_RUNNING PROCESS_STATE_STARTING
    PROCESS_STATE_STOPPED PROCESS_STATE_STOPPING PROCESS_STATE_UNKNOWN REMOTE_COMMUNICATION SUPERVISOR_STATE_CHANGE
    SUPERVISOR_STATE_CHANGE_RUNNING SUPERVISOR_STATE_CHANGE_STOPPING TICK TICK_3600 TICK_5 TICK_60""".split()
)
"""What an eventlistener may listen to, plugins apart."""

# What people write for an option, where it is not merely misspelt.
_MEANT = {
    "cwd": "directory",
    "dir": "directory",
    "workdir": "directory",
    "working_directory": "directory",
    "workingdirectory": "directory",
    "env": "environment",
    "cmd": "command",
    "exec": "command",
    "logfile": "stdout_logfile",
    "log_stdout": "stdout_logfile",
    "log_stderr": "stderr_logfile",
    "log_file": "stdout_logfile",
    "stdout": "stdout_logfile",
    "stderr": "stderr_logfile",
    "error_log": "stderr_logfile",
    "err_log": "stderr_logfile",
    "restart": "autorestart",
    "retries": "startretries",
    "processes": "numprocs",
    "numproc": "numprocs",
    "program": "programs",
    "maxbytes": "stdout_logfile_maxbytes",
    "backups": "stdout_logfile_backups",
    "stopwait": "stopwaitsecs",
    "stoptimeout": "stopwaitsecs",
    "stop_timeout": "stopwaitsecs",
    "daemon": "nodaemon",
}


@functools.lru_cache(maxsize=4096)
def kind_of(section: str) -> str:
    """The kind of a section by its name, "default" for [DEFAULT], "unknown" where supervisor reads none such."""
    if section in PLAIN:
        return section
    kind, colon, _ = section.partition(":")
    if colon and kind in NAMED:
        return kind
    for server in SERVERS:
        if section.startswith(server):
            return server
    return "default" if section == "DEFAULT" else "unknown"


def is_known(kind: str, option: str) -> bool:
    """Whether an option of that name is read in that kind of section; [DEFAULT] holds any that some section reads."""
    if kind in PLUGINS:
        return True
    if kind == "default":
        return any(option in options for options in OPTIONS.values())
    return option in OPTIONS.get(kind, ())


@functools.lru_cache(maxsize=1024)
def nearest_option(kind: str, option: str) -> str | None:
    """The known option of that kind of section this one was probably meant to be."""
    options = OPTIONS.get(kind)
    if not options or len(option) > 60:
        return None
    meant = _MEANT.get(option)
    if meant in options:
        return meant
    return _nearest(option, options)


@functools.lru_cache(maxsize=1024)
def nearest_section(section: str) -> str | None:
    """The section name this unknown one was probably meant to be: "progam:x" is "program:x"."""
    if len(section) > 200:
        return None
    stripped = section.strip()
    head, colon, rest = stripped.partition(":")
    if not colon:
        head, _, rest = stripped.partition(" ")
    head, rest = head.strip(), rest.strip()
    if rest:
        kind = _nearest(head.lower(), NAMED)
        if kind is not None:
            return f"{kind}:{rest}"
    return _nearest(stripped.lower(), (*PLAIN, *SERVERS))


def _nearest(word: str, known: frozenset[str] | tuple[str, ...]) -> str | None:
    flat = _flat(word)
    best, best_distance = None, 1 + max(1, len(flat) // 4)
    for candidate in sorted(known):
        distance = _distance(flat, _flat(candidate), best_distance)
        if distance < best_distance:
            best, best_distance = candidate, distance
    return best


def _flat(word: str) -> str:
    return word.replace("_", "").replace("-", "").replace(" ", "").replace(".", "")


def _distance(a: str, b: str, limit: int) -> int:
    """How many letters to add, drop, change or swap with a neighbour; `limit` where it is that or more."""
    if abs(len(a) - len(b)) >= limit:
        return limit
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, last = row, before
        row = [i]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return min(row[-1], limit)
