"""Supervisor's value types: a text becomes a value, or the clause that tells why supervisord refuses it."""

from __future__ import annotations

from collections.abc import Callable

from auditor.patterns import late
from auditor.sources.supervisor.vocabulary import EVENTS


class Refused(Exception):
    """supervisord refuses the value; the text is a clause that tells why."""


_TRUE = frozenset({"yes", "true", "on", "1"})
_FALSE = frozenset({"no", "false", "off", "0"})
_MIB = 1024 * 1024
_SUFFIXES = {"kb": 1024, "mb": _MIB, "gb": 1024 * _MIB}
_LEVELS = frozenset({"critical", "error", "warn", "info", "debug", "trace", "blather"})
_TCP = late(r"tcp://([^\s:]+):(\d+)$")

# The names Python's signal module has on Linux; supervisor asks that module, whatever the name means.
SIGNALS = {
    "ABRT": 6, "ALRM": 14, "BUS": 7, "CHLD": 17, "CLD": 17, "CONT": 18, "FPE": 8, "HUP": 1, "ILL": 4, "INT": 2,
    "IO": 29, "IOT": 6, "KILL": 9, "PIPE": 13, "POLL": 29, "PROF": 27, "PWR": 30, "QUIT": 3, "RTMAX": 64, "RTMIN": 34,
    "SEGV": 11, "STKFLT": 16, "STOP": 19, "SYS": 31, "TERM": 15, "TRAP": 5, "TSTP": 20, "TTIN": 21, "TTOU": 22,
    "URG": 23, "USR1": 10, "USR2": 12, "VTALRM": 26, "WINCH": 28, "XCPU": 24, "XFSZ": 25,
    "_BLOCK": 0, "_DFL": 0, "_IGN": 1, "_SETMASK": 2, "_UNBLOCK": 1,
}  # fmt: skip
"""Signal name without SIG to number, on Linux."""
# The usual name of a number: the first in the table, synonyms and SIG_* left out.
_NAMES: dict[int, str] = {}
for _name, _number in SIGNALS.items():
    if not _name.startswith("_"):
        _NAMES.setdefault(_number, _name)


def boolean(text: str) -> bool:
    """yes, true, on, 1 or no, false, off, 0, in any case."""
    word = text.lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise Refused(f'"{text}" is not true or false')


def restart(text: str) -> str:
    """true, false or unexpected."""
    word = text.lower()
    if word in _TRUE:
        return "true"
    if word in _FALSE:
        return "false"
    if word == "unexpected":
        return word
    raise Refused(f'"{text}" is not true, false or unexpected')


def integer(text: str) -> int:
    """What Python's int() takes."""
    try:
        return int(text)
    except ValueError:
        raise Refused(f'"{text}" is not a whole number') from None


def seconds(text: str) -> float:
    """Whole seconds, without a unit."""
    number = integer(text)
    try:
        return float(number)
    except OverflowError:
        return float("inf")


def mebibytes(text: str) -> float:
    """A size in bytes, KB, MB or GB, as MiB."""
    word = text.lower()
    factor = _SUFFIXES.get(word[-2:], 1)
    try:
        return int(word if factor == 1 else word[:-2]) * factor / _MIB
    except OverflowError:
        return float("inf")
    except ValueError:
        raise Refused(f'"{text}" is not a whole number of bytes, KB, MB or GB') from None


def signal(text: str) -> str:
    """One signal by name or number, as its name without SIG; "0" for none."""
    try:
        number = int(text)
    except ValueError:
        name = text.strip().upper()
        number = SIGNALS.get(name.removeprefix("SIG"), -1)
        if number < 0:
            raise Refused(f'"{text}" is not the name of one signal') from None
    if number == 0:
        return "0"
    if number not in _NAMES:
        raise Refused(f'"{text}" is not the number of a signal')
    return _NAMES[number]


def exit_codes(text: str) -> tuple[int, ...]:
    """Comma-separated numbers from 0 to 255; none for an empty value."""
    if not text:
        return ()
    try:
        codes = tuple(int(code) for code in text.split(","))
    except ValueError:
        raise Refused(f'"{text}" is not a comma-separated list of whole numbers') from None
    if any(not 0 <= code <= 255 for code in codes):
        raise Refused(f'"{text}" has an exit code outside 0 to 255')
    return codes


def octal(text: str) -> str:
    """A number in octal, without its 0 or 0o."""
    try:
        number = int(text, 8)
    except ValueError:
        raise Refused(f'"{text}" is not an octal number') from None
    return f"{number:03o}"


def level(text: str) -> str:
    """One of supervisor's log levels."""
    if text.lower() not in _LEVELS:
        raise Refused(f'"{text}" is not critical, error, warn, info, debug, trace or blather')
    return text.lower()


def name(text: str) -> str:
    """A process or group name: no blank, colon or slash."""
    word = text.strip()
    for character in " :/":
        if character in word:
            shown = "blank" if character == " " else f'"{character}"'
            raise Refused(f'"{text}" holds a {shown}, which a name must not')
    return word


def user(text: str) -> str:
    """A user's name or number; whether the host has it is not looked at."""
    if not text:
        raise Refused("it names no user")
    return text


def plain(text: str) -> str:
    """Any text."""
    return text


def logfile(text: str) -> str | None:
    """A path; AUTO; None for NONE, off, empty and the deprecated syslog."""
    word = text.lower()
    if word == "auto":
        return "AUTO"
    return None if word in ("none", "off", "syslog", "") else text


def strings(text: str) -> tuple[str, ...]:
    """A comma-separated list."""
    return tuple(part.strip() for part in text.split(",")) if text else ()


def events(text: str) -> tuple[str, ...]:
    """A comma-separated list of event types."""
    found = tuple(part.upper() for part in strings(text))
    for event in found:
        if event not in EVENTS:
            raise Refused(f'"{event}" is not an event type')
    return found


def port(text: str) -> int:
    """A port from 1 to 65535."""
    number = integer(text)
    if not 1 <= number <= 0xFFFF:
        raise Refused(f'"{text}" is not a port from 1 to 65535')
    return number


def inet_address(text: str) -> tuple[str, int]:
    """host and port of "9001", ":9001", "*:9001" or "host:9001"; an empty host is all interfaces."""
    host, colon, number = text.rpartition(":")
    if colon and not number:
        raise Refused(f'"{text}" has no port after its colon')
    host = host.lower()
    return ("" if host == "*" else host), port(number)


def backlog(text: str) -> int:
    """A whole number from 1 to 65535."""
    number = integer(text)
    if not 1 <= number <= 65535:
        raise Refused(f'"{text}" is not a number from 1 to 65535')
    return number


def buffer_size(text: str) -> int:
    """A whole number from 1."""
    number = integer(text)
    if number < 1:
        raise Refused(f'"{text}" is below 1')
    return number


def fcgi_socket(text: str) -> str:
    """unix:///absolute/path or tcp://host:port."""
    if text.startswith("unix://"):
        if not text.startswith("unix:///"):
            raise Refused(f'"{text}" is not unix:// with an absolute path')
        return text
    found = _TCP.match(text)
    if found is None:
        raise Refused(f'"{text}" is not unix:///path or tcp://host:port')
    port(found[2])
    return text


Converter = Callable[[str], object]

PROGRAM: dict[str, Converter] = {
    "priority": integer,
    "autostart": boolean,
    "autorestart": restart,
    "startsecs": seconds,
    "startretries": integer,
    "stopsignal": signal,
    "stopwaitsecs": seconds,
    "stopasgroup": boolean,
    "killasgroup": boolean,
    "exitcodes": exit_codes,
    "redirect_stderr": boolean,
    "numprocs": integer,
    "numprocs_start": integer,
    "stdout_capture_maxbytes": mebibytes,
    "stdout_events_enabled": boolean,
    "stderr_capture_maxbytes": mebibytes,
    "stderr_events_enabled": boolean,
    "serverurl": plain,
    "user": user,
    "umask": octal,
}
"""The options of a program that are read once for all its processes."""

PROCESS: dict[str, Converter] = {
    "directory": plain,
    "stdout_logfile": logfile,
    "stdout_logfile_maxbytes": mebibytes,
    "stdout_logfile_backups": integer,
    "stdout_syslog": boolean,
    "stderr_logfile": logfile,
    "stderr_logfile_maxbytes": mebibytes,
    "stderr_logfile_backups": integer,
    "stderr_syslog": boolean,
    "command": plain,
}
"""The options that are read again for each process, and may hold process_num and the section's own ENV_*."""

SUPERVISORD: dict[str, Converter] = {
    "minfds": integer,
    "minprocs": integer,
    "directory": plain,
    "user": user,
    "umask": octal,
    "logfile": logfile,
    "logfile_maxbytes": mebibytes,
    "logfile_backups": integer,
    "loglevel": level,
    "pidfile": plain,
    "identifier": plain,
    "nodaemon": boolean,
    "silent": boolean,
    "childlogdir": plain,
    "nocleanup": boolean,
    "strip_ansi": boolean,
}
"""The options of [supervisord]."""
