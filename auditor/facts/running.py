"""What runs: the processes that supervisord keeps, and every worker and scheduler, whatever started it; all of it observed."""

from __future__ import annotations

from auditor.facts.origin import Fact, MiB, Seconds, Version, derived

JUST_STARTED = 10.0
"""Seconds that a process runs at most, in each of two looks, where it is taken to end as soon as it is started."""


class DaemonProcess(Fact, frozen=True, kw_only=True):
    """One process as supervisord sees it."""

    name: str = ""
    """Its own name, without the group's."""
    group: str = ""
    """Its group's name."""
    conf: str = ""
    """Main file of the configuration, where the daemon was asked for one."""
    daemon: str = ""
    """Name of the Daemon."""
    state: int = 0
    """0 STOPPED, 10 STARTING, 20 RUNNING, 30 BACKOFF, 40 STOPPING, 100 EXITED, 200 FATAL, 1000 UNKNOWN."""
    statename: str = ""
    """The same as a word."""
    start: Seconds = 0.0
    """When it was last started, in seconds since 1970; 0 never."""
    stop: Seconds = 0.0
    """When it last ended, in seconds since 1970; 0 never."""
    now: Seconds = 0.0
    """The daemon's own clock at that moment."""
    exitstatus: int = 0
    """The exit status of its last run, -1 where a signal ended it; 0 also where it has none."""
    spawnerr: str = ""
    """Why it could not be started; "" where it could."""
    pid: int = 0
    """Its process number; 0 where it does not run."""
    older_than_conf: bool = False
    """Whether the file its program stands in was changed after it was started."""
    previous_start: Seconds | None = None
    """When it had been started when it was asked before, found by the census; None where it was not asked, or not there."""
    previous_uptime: Seconds = 0.0
    """How long it had been running then."""
    differs: tuple[str, ...] = ()
    """What the running process has otherwise than the daemon's configuration: "command", "directory"."""

    @derived("state", "start", "now")
    def uptime(self) -> Seconds:
        """How long it has been running; 0 where it does not."""
        return max(self.now - self.start, 0.0) if self.statename in ("RUNNING", "STOPPING") and self.start else 0.0

    @derived("state", "start", "now", "previous_start", "previous_uptime")
    def flapping(self) -> bool:
        """Whether it ends as soon as it is started: on the way to FATAL, or just started anew in each of two looks."""
        if self.statename == "BACKOFF":
            return True
        anew = self.previous_start is not None and self.previous_start != self.start
        return anew and self.statename == "RUNNING" and max(self.uptime, self.previous_uptime) < JUST_STARTED

    @derived("state")
    def fatal(self) -> bool:
        """Whether supervisord has given it up: it stays down until somebody starts it."""
        return self.statename == "FATAL"

    @derived("state", "start", "stop", "exitstatus")
    def exited(self) -> bool:
        """Whether it ended by itself and is not started again."""
        return self.statename == "EXITED"

    @derived("stop", "now")
    def ago(self) -> Seconds:
        """How long ago it last ended."""
        return max(self.now - self.stop, 0.0)

    @derived("spawnerr")
    def told_error(self) -> str:
        """Why it could not be started, as the end of a sentence; "" where that is not told."""
        return f": {self.spawnerr.strip().rstrip('.')}" if self.spawnerr.strip() else ""

    @derived("state", "start")
    def never_started(self) -> bool:
        """Whether nobody has started it since the daemon was."""
        return self.statename == "STOPPED" and self.start == 0


class Drift(Fact, frozen=True, kw_only=True):
    """One option that the file has otherwise than the daemon last read it."""

    name: str = ""
    """The option: "command", "stopwaitsecs"."""
    group: str = ""
    """The group's name."""
    process: str = ""
    """The process's name."""
    on_disk: str = ""
    """What the file says, secrets hidden."""
    loaded: str = ""
    """What the daemon last read, secrets hidden."""

    @property
    def told(self) -> str:
        """As a clause."""
        name = f"{self.group}:{self.process}"
        return f"{name} has {self.name}={_cut(self.on_disk)} in the files and {_cut(self.loaded)} in the daemon"


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"


class Daemon(Fact, frozen=True, kw_only=True):
    """One running supervisord."""

    name: str = ""
    """Where it was asked: "unix:///var/run/supervisor.sock"."""
    conf: str = ""
    """Main file of the configuration it was asked for; "" where for none."""
    version: Version = ()
    """Its release."""
    api: str = ""
    """Version of its interface: "3.0"."""
    state: str = ""
    """RUNNING, RESTARTING, SHUTDOWN or FATAL."""
    pid: int = 0
    """Its process number."""
    started: Seconds | None = None
    """When it was started, in seconds since 1970; None where its process is not seen from here."""
    processes: int = 0
    """How many processes it has, running or not."""
    not_loaded: tuple[str, ...] = ()
    """"group:process" of what the files have and the daemon has not."""
    not_on_disk: tuple[str, ...] = ()
    """"group:process" of what the daemon has and the files have not."""
    drifts: tuple[Drift, ...] = ()
    """Options that the files have otherwise than the daemon last read them."""
    outdated: tuple[str, ...] = ()
    """"group:process" of what runs otherwise than the daemon would start it now: read again, and not yet restarted."""
    newer_files: tuple[str, ...] = ()
    """Files of its configuration changed after it was started (a reread may have read them since)."""

    @derived("not_loaded", "not_on_disk", "drifts", "outdated")
    def drifted(self) -> bool:
        """Whether the files say something else than what runs."""
        return bool(self.not_loaded or self.not_on_disk or self.drifts or self.outdated)

    @derived("not_loaded", "not_on_disk", "drifts", "outdated")
    def told_drift(self) -> str:
        """The first three differences, as clauses."""
        told = [
            *(f"{name} is in the files and not in the daemon" for name in self.not_loaded),
            *(f"{name} is in the daemon and not in the files" for name in self.not_on_disk),
            *(drift.told for drift in self.drifts),
            *(f"{name} still runs as it was started before" for name in self.outdated),
        ]
        more = f"; and {len(told) - 3} more" if len(told) > 3 else ""
        return "; ".join(told[:3]) + more


class WorkerProcess(Fact, frozen=True, kw_only=True):
    """One running process that works off a queue or runs a schedule, whatever started it."""

    name: str = ""
    """"pid 1234", and under supervisord its group and name."""
    pid: int = 0
    """Its process number."""
    kind: str = ""
    """"queue:work", "queue:listen", "horizon", "horizon:supervisor", "horizon:work", "schedule:work", "schedule:run"
    or "supervisord"."""
    command: str = ""
    """Its command line, secrets hidden."""
    user: str = ""
    """The account it runs under."""
    started: Seconds = 0.0
    """When it was started, in seconds since 1970."""
    rss: MiB = 0.0
    """Resident memory of it and of its children, other workers among them left out."""
    cwd: str = ""
    """Its working folder."""
    parent: int = 0
    """Its parent's process number."""
    supervised: bool = False
    """Whether a supervisord is among its ancestors."""
    group: str = ""
    """The supervisor group that started it; "" where none did."""
    process: str = ""
    """Its name in that group; "" where it has none."""
    orphan: bool = False
    """Whether a supervisord started it and none is its ancestor any more: an earlier stop left it behind."""
    app: str = ""
    """Root folder of its app, as it was asked for; "" where it is none of those."""
    code_changed: str = ""
    """The file that shows a deploy after it was started; "" where none does."""
    config_changed: str = ""
    """The app's configuration file that was changed after it was started; "" where none was."""

    @derived("code_changed")
    def older_than_code(self) -> bool:
        """Whether it was started before the last deploy, so that it runs the code from before."""
        return bool(self.code_changed)

    @derived("code_changed", "config_changed")
    def told_change(self) -> str:
        """The file that shows it to be older; "" where none does."""
        return self.code_changed or self.config_changed

    @derived("config_changed")
    def older_than_config(self) -> bool:
        """Whether it was started before its app's configuration was last changed."""
        return bool(self.config_changed)
