"""What starts the scheduler: cron's tables and systemd's units, as the daemon that reads them understands them."""

from __future__ import annotations

from auditor.facts.origin import NEVER, Fact, MiB, Seconds, derived


class CronLine(Fact, frozen=True, kw_only=True):
    """One job of a cron table."""

    schedule: str = ""
    """The time fields as they are written, or a nickname such as @hourly."""
    every_minute: bool = False
    """Whether no minute passes without a run."""
    at_reboot: bool = False
    """Whether it runs once when the machine starts, and never by the clock."""
    largest_gap: Seconds = NEVER
    """The longest time between two runs; NEVER where it does not run by the clock at all."""
    user: str | None = None
    """The user it runs as: the line's own, or the table's owner; None where neither is written."""
    has_user_field: bool = False
    """Whether a user is written between the time and the command, wanted there or not."""
    wants_user_field: bool = False
    """Whether its table is of the form in which every line names a user."""
    written_user: str | None = None
    """That user as it is written, even where cron takes it for a part of the command; None where there is none."""
    user_exists: bool = True
    """Whether the host knows that user."""
    command: str = ""
    """All that follows time and user, as it is written."""
    command_seen: str = ""
    """What the shell is given: in cron itself a bare `%` ends it, and `\\%` has become `%`."""
    cut_at_percent: bool = False
    """Whether a bare `%` ends the command, so that the rest becomes its input."""
    ends_with_carriage_return: bool = False
    """Whether a carriage return at the line's end has become a part of the command."""
    environment: tuple[tuple[str, str], ...] = ()
    """The variables set above this line, in order, secrets hidden."""
    path_variable: str = "/usr/bin:/bin"
    """The PATH the command is searched on."""
    shell: str = "/bin/sh"
    """The shell that is given the command."""
    home: str | None = None
    """HOME where the table sets it, the folder the command starts in; None for the user's own."""
    mailto: str | None = None
    """MAILTO: whom output is mailed to; "" for nobody; None for the job's user."""
    undefined_variables: tuple[str, ...] = ()
    """Variables the command uses that neither the table, nor the command, nor cron itself sets."""
    appends_to: str | None = None
    """The file that output is appended to; None where there is none."""
    output_rotated: bool = False
    """Whether logrotate rotates that file, found by the census."""
    problem: str | None = None
    """Why cron does not take this line, as a clause, or None."""

    @property
    def number(self) -> int:
        """The line of its table on which it stands, from 1; 0 where that is not told."""
        place = self.mark("schedule").origin
        return place.line or 0 if place is not None else 0

    not_on_path: str = ""
    """The php that the command names without a folder, where no folder of PATH holds it; else ""."""

    @derived("command")
    def runs_schedule(self) -> bool:
        """Whether the scheduler's command stands in it, whether it gets that far or not."""
        return "schedule:run" in self.command or "schedule:work" in self.command

    @derived("undefined_variables")
    def uses_undefined(self) -> bool:
        """Whether the command uses a variable that nothing sets."""
        return bool(self.undefined_variables)


class CronTable(Fact, frozen=True, kw_only=True):
    """One file that a cron daemon reads, or would read where it is put in place."""

    path: str = ""
    """Where it lies."""
    kind: str = "repository"
    """system (/etc/crontab), drop-in (/etc/cron.d), user (the spool), busybox, supercronic, or repository: a file whose
    destination is not known."""
    daemon: str = "cron"
    """Who reads it: cron (Debian's), cronie (Red Hat's), busybox or supercronic."""
    file_name: str = ""
    """Its last path component."""
    has_dot: bool = False
    """Whether the name holds a dot."""
    name_ignored: bool = False
    """Whether the daemon passes over a file of that name without a word."""
    owner: str | None = None
    """The user a spool file belongs to, by its name; None for other kinds."""
    owner_uid: int | None = None
    """The numeric owner of the file; None where it is unknown."""
    owner_gid: int | None = None
    """The numeric group of the file; None where it is unknown."""
    mode: int | None = None
    """Its permission bits; None where they are unknown."""
    hard_links: int | None = None
    """How many names the file has; None where that is unknown."""
    final_newline: bool = True
    """Whether the last line that cron reads ends with a newline."""
    crlf: bool = False
    """Whether a line ends with a carriage return and a newline."""
    refused: str | None = None
    """Why the daemon ignores the whole table, as a clause (the first cause met); None where it is taken."""
    causes: tuple[str, ...] = ()
    """Every cause for which it is ignored, as words: name, owner, mode, hard-links, time, command, user-field,
    unknown-user, command-length, final-newline, table-length."""
    also_of_other_form: bool = False
    """Whether the same file is put in place once more as a table of the other form, where lines that are wrong here run."""
    lines: tuple[CronLine, ...] = ()
    """Its jobs, in order; those of an ignored table too."""
    faulty_artisan: bool = False
    """Whether a line that cron takes for no job, and for which it ignores the table, names artisan."""

    @derived("lines", "faulty_artisan")
    def runs_artisan(self) -> bool:
        """Whether one of its jobs, taken or not, runs artisan."""
        return self.faulty_artisan or any("artisan" in line.command for line in self.lines)

    @derived("causes", "lines")
    def refused_for_another_line(self) -> bool:
        """Whether the daemon ignores it for a line's syntax, or for a line that does not run the scheduler."""
        return any(cause in self.causes for cause in ("time", "command", "command-length", "table-length")) or any(
            line.problem is not None and not line.runs_schedule for line in self.lines
        )

    @derived("causes")
    def refused_for_owner_or_mode(self) -> bool:
        """Whether the daemon ignores it for its owner, its permissions or its hard links."""
        return any(cause in self.causes for cause in ("owner", "mode", "hard-links"))


class Unit(Fact, frozen=True, kw_only=True):
    """One systemd service or timer, its drop-ins read into it."""

    name: str = ""
    """The unit's name, as in "horizon.service"."""
    path: str = ""
    """The file that defines it."""
    kind: str = "service"
    """service or timer."""
    scope: str = "system"
    """system, or user: run by a user's own manager."""
    drop_ins: tuple[str, ...] = ()
    """The files that change it, in the order in which they are read."""
    description: str = ""
    """Description=."""
    enabled: bool = False
    """Whether a symlink in a .wants or .requires folder, or a timer, pulls it in."""
    masked: bool = False
    """Whether it is empty or linked to /dev/null, so that it can never start."""
    wanted_by: tuple[str, ...] = ()
    """WantedBy= and RequiredBy= of its [Install] section."""
    instances: tuple[str, ...] = ()
    """For a template (name@.service): the instances that are pulled in."""
    type: str = "simple"
    """Type=."""
    exec_start: tuple[str, ...] = ()
    """The commands it runs, without their prefixes."""
    ignores_failure: bool = False
    """Whether a command has the prefix `-`: its failure counts as success."""
    user: str = "root"
    """User=."""
    group: str | None = None
    """Group=; None for the user's own."""
    working_directory: str | None = None
    """WorkingDirectory=; None for /."""
    environment: tuple[tuple[str, str], ...] = ()
    """Environment=, secrets hidden."""
    environment_files: tuple[str, ...] = ()
    """EnvironmentFile=, without the prefix `-`."""
    restart: str = "no"
    """Restart=."""
    restart_sec: Seconds = 0.1
    """RestartSec=: the wait before a restart."""
    kill_mode: str = "control-group"
    """KillMode=."""
    kill_signal: str = "SIGTERM"
    """KillSignal=."""
    timeout_stop: Seconds = 90.0
    """TimeoutStopSec=: the time between the stop signal and SIGKILL; NEVER for infinity."""
    timeout_start: Seconds = 90.0
    """TimeoutStartSec=: the time a start may take; NEVER for infinity, and for Type=oneshot."""
    runtime_max: Seconds = NEVER
    """RuntimeMaxSec=: the age at which it is stopped."""
    memory_max: MiB = NEVER
    """MemoryMax=: the memory at which the kernel kills."""
    triggered_by: tuple[str, ...] = ()
    """The timers that start it."""
    activates: str | None = None
    """For a timer: the service it starts."""
    on_calendar: tuple[str, ...] = ()
    """For a timer: OnCalendar=."""
    on_unit_active: Seconds | None = None
    """For a timer: OnUnitActiveSec=, counted from the service's last start; None where it is not set."""
    on_unit_inactive: Seconds | None = None
    """For a timer: OnUnitInactiveSec=, counted from the service's last end; None where it is not set."""
    on_boot: Seconds | None = None
    """For a timer: OnBootSec= or OnStartupSec=; None where neither is set."""
    accuracy: Seconds = 60.0
    """For a timer: AccuracySec=, how much later than asked it may fire."""
    every_minute: bool = False
    """For a timer: whether no minute passes without a start."""
