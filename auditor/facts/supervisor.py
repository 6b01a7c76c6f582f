"""What one supervisord's configuration says, as supervisord understands it."""

from __future__ import annotations

from auditor.facts.origin import Fact, MiB, Origin, Seconds, derived

_ANY = "0.0.0.0"  # noqa: S104 - it is what is looked for
_READ_BY_CONFIG = frozenset(
    """
    APP_NAME APP_ENV APP_KEY APP_DEBUG APP_URL APP_TIMEZONE APP_LOCALE QUEUE_CONNECTION QUEUE_DRIVER
    QUEUE_FAILED_DRIVER REDIS_QUEUE REDIS_QUEUE_CONNECTION REDIS_QUEUE_RETRY_AFTER DB_QUEUE DB_QUEUE_TABLE
    DB_QUEUE_CONNECTION DB_QUEUE_RETRY_AFTER SQS_PREFIX SQS_QUEUE CACHE_STORE CACHE_DRIVER CACHE_PREFIX LOG_CHANNEL
    LOG_LEVEL LOG_STACK FILESYSTEM_DISK FILESYSTEM_DRIVER SESSION_DRIVER BROADCAST_DRIVER BROADCAST_CONNECTION
    DB_CONNECTION DB_HOST DB_PORT DB_DATABASE DB_USERNAME DB_PASSWORD DB_SOCKET DB_URL DATABASE_URL REDIS_HOST
    REDIS_PORT REDIS_PASSWORD REDIS_USERNAME REDIS_URL REDIS_DB REDIS_CACHE_DB REDIS_CLIENT REDIS_PREFIX
    REDIS_CLUSTER MAIL_MAILER MAIL_DRIVER MAIL_HOST MAIL_PORT MAIL_USERNAME MAIL_PASSWORD MAIL_ENCRYPTION
    MAIL_FROM_ADDRESS MAIL_FROM_NAME
    """.split()
)
# What the skeletons' config/*.php ask env() for, Laravel 5.5 to 12; Horizon's own names begin alike.
_READ_BY_CONFIG_PREFIXES = ("HORIZON_",)
MOST_SHOWN = 10
"""No more of the places where one thing is written again are shown; how many there are is told."""


class Setting(Fact, frozen=True, kw_only=True, gc=False):
    """One option of one section, however many times it is assigned."""

    section: str
    """The section's whole name, as between its brackets: "program:worker"."""
    kind: str
    """The section's kind, as Section.kind has it."""
    name: str
    """The option's name, in lower case."""
    value: str
    """The effective value before any `%` is expanded, lines joined by newlines, secrets hidden."""
    written: tuple[Origin, ...]
    """Every place it is assigned, in reading order; the last one is effective."""
    known: bool = True
    """Whether supervisord reads an option of this name in this kind of section."""
    nearest: str | None = None
    """The known option it was probably meant to be."""
    refusal: str | None = None
    """Why supervisord refuses the value, as a clause; None where it takes it."""
    oddity: str | None = None
    """The kind of the Oddity that tells the refusal in full, or None where the refusal is told here alone."""

    def overridden(self, field: str) -> tuple[Origin, ...]:
        """The assignments before the effective one, the first few of many."""
        return self.written[: min(MOST_SHOWN, len(self.written) - 1)] if field == "written" else ()

    @derived("written")
    def repeated(self) -> bool:
        """Whether it is assigned more than once."""
        return len(self.written) > 1

    @derived("written")
    def times(self) -> int:
        """How many times it is assigned."""
        return len(self.written)

    @derived("section", "name")
    def path(self) -> str:
        """Its section and its name: "[program:worker] command"."""
        return f"[{self.section}] {self.name}"


class Section(Fact, frozen=True, kw_only=True):
    """One section, however many headers it has."""

    name: str
    """What stands between the brackets, as it is: "program:worker"."""
    kind: str
    """program, group, supervisord, unix_http_server, inet_http_server, rpcinterface, supervisorctl, eventlistener,
    fcgi-program, include, ctlplugin, default (`[DEFAULT]`), or unknown."""
    known: bool = True
    """Whether supervisor reads a section of this name at all."""
    nearest: str | None = None
    """The section name it was probably meant to be."""
    written: tuple[Origin, ...]
    """Each of its headers, in reading order."""
    settings: tuple[Setting, ...] = ()
    """Its options, in the order they first come."""

    def overridden(self, field: str) -> tuple[Origin, ...]:
        """The headers before the last, the first few of many."""
        return self.written[: min(MOST_SHOWN, len(self.written) - 1)] if field == "written" else ()

    @derived("written")
    def repeated(self) -> bool:
        """Whether it has more than one header."""
        return len(self.written) > 1

    @derived("written")
    def times(self) -> int:
        """How many headers it has."""
        return len(self.written)

    @derived("written")
    def in_several_files(self) -> bool:
        """Whether its headers stand in more than one file."""
        return len({place.file for place in self.written}) > 1

    @derived("settings")
    def option_names(self) -> tuple[str, ...]:
        """The names of its options."""
        return tuple(setting.name for setting in self.settings)

    @derived("name", "nearest")
    def switched_off(self) -> bool:
        """Whether a known name with a sign or word put in front of it ("xprogram:worker"), as people do on purpose."""
        if self.nearest is None:
            return False
        name = self.name.strip()
        return name != self.nearest and name.endswith(self.nearest)


class Oddity(Fact, frozen=True, kw_only=True):
    """Something in the text that supervisord refuses, or takes for something else than it looks like."""

    kind: str
    """A stable word: one of the keys of `ODDITIES`."""
    refuses: bool = False
    """Whether supervisord would not start with it, nor reread."""
    detail: str
    """What it is, as a clause with the concrete names and values, secrets hidden."""
    section: str | None = None
    """The section it is in, or None where it is in none."""
    setting: str | None = None
    """The option it is about, or None."""
    value: str | None = None
    """The piece of text it is about, secrets hidden, or None."""

    @derived("section", "setting")
    def path(self) -> str:
        """Its section and its option, as Setting.path has them; "" where it is about no option."""
        return f"[{self.section}] {self.setting}" if self.setting is not None else ""


ODDITIES: dict[str, str] = {
    # the text
    "missing-section-header": "text stands before the first section header",
    "no-delimiter": "a line has neither = nor :",
    "empty-option-name": "a line begins with = or :",
    "no-closing-bracket": "a section header has no ]",
    "bom": "the file begins with a byte order mark",
    "encoding": "the file is not UTF-8",
    "template-line": "a line is a template's, not supervisor's",
    "default-section-leak": "[DEFAULT] leaks into every section of every file",
    "swallowed-by-continuation": "an indented option or header is part of the value above it",
    "comment-cuts-value": "an inline comment sign cuts off what looks like a part of the value",
    "quoted-value": "the quotes are part of the value",
    "server-section-prefix": "a section opens a server because of how its name begins",
    "supervisord-section-missing": "the main file has no [supervisord]",
    "supervisorctl-not-in-main": "supervisorctl does not see a section in an included file",
    # include
    "include-without-files": "[include] has no files=",
    "include-matches-nothing": "a pattern matches no file",
    "include-nested": "an included file's own [include] is not followed",
    "include-lost": "a later files= replaces an earlier one",
    "include-unreadable": "supervisord silently skips what a pattern matches",
    "include-not-read": "an included file cannot be read from here",
    "include-unknown": "a pattern names what is not known from here",
    # % and environment=
    "bad-percent": "a % is neither doubled nor a known form",
    "unknown-expansion": "a %(name)s supervisord does not know there",
    "env-undefined": "an environment variable that no environment= defines is expanded",
    "environment-corrupted": "environment= is taken, but not as it looks",
    "environment-refused": "environment= is refused",
    # programs and groups
    "bad-name": "a program, group or process name holds a blank, : or /",
    "program-without-command": "a program has no command",
    "command-unbalanced": "the command has an open quote",
    "numprocs-without-process-num": "numprocs > 1, and process_name has no %(process_num)",
    "process-name-collision": "two processes of one group have the same name",
    "stopasgroup-without-killasgroup": "stopasgroup=true with killasgroup=false",
    "group-unknown-program": "a group lists a program that is not there",
    "group-ambiguous-program": "a group lists a name that is a program and an fcgi-program",
    "group-shadows-program": "two groups have the same name, and one of them is dropped",
    "program-in-two-groups": "a program is listed in two groups, and runs twice",
    "program-listed-twice": "a group lists a program twice",
    "fcgi-in-group": "an fcgi-program in a [group] gets no socket",
    "eventlistener-without-events": "an eventlistener has no events",
    "eventlistener-redirects-stderr": "an eventlistener sets redirect_stderr=true",
    "fcgi-without-socket": "an fcgi-program has no socket",
    # servers
    "server-without-address": "a server section has no file or port",
    "plugin-without-factory": "a plugin section names no factory",
    "incomplete-authentication": "a server has a username or a password, not both",
    "empty-username": "the username is empty, so no password is asked",
}
"""Each kind of Oddity, and what it means."""

_EXITS = ("EVENT", "PROCESS_STATE", "PROCESS_STATE_EXITED")
"""The types of events by which a listener is told that a process has exited."""


class Program(Fact, frozen=True, kw_only=True):
    """One program (or eventlistener, or fcgi-program) in one group.

    A program that two groups list is two of these, for supervisord runs it twice.
    """

    name: str
    """The name after the colon of its section."""
    kind: str = "program"
    """program, eventlistener or fcgi-program."""
    section: str
    """Its section's whole name: "program:worker"."""
    file: str
    """The file of its last header, where an option added to it is sure to hold."""
    group: str
    """The group its processes are in; its own name where no [group] lists it."""
    command: str = ""
    """The command of its first process, expanded except what is unknown (`%(ENV_X)s`), secrets hidden."""
    process_name: str = "%(program_name)s"
    """The pattern of its processes' names, before expansion."""
    process_names: tuple[str, ...] = ()
    """The names of its first and its last process; one name for one process, none for none."""
    asked_for_as: str = ""
    """The name, without a colon, by which a playbook's task starts, stops or restarts it; "" where none does."""
    numprocs: int = 1
    """How many processes it has; none where it is below 1."""
    numprocs_start: int = 0
    """The process_num of the first."""
    priority: int = 999
    """Lower starts first and stops last."""
    autostart: bool = True
    """Whether it starts with supervisord."""
    autorestart: str = "unexpected"
    """true, false or unexpected."""
    exitcodes: tuple[int, ...] = (0,)
    """The exit codes that are expected."""
    startsecs: Seconds = 1.0
    """How long it must run to count as started."""
    startretries: int = 3
    """How many times a failed start is tried again before FATAL."""
    stopsignal: str = "TERM"
    """The signal that stops it, without SIG; "0" for none."""
    stopwaitsecs: Seconds = 10.0
    """How long it may take to stop before KILL."""
    stopasgroup: bool = False
    """Whether the stop signal goes to its whole process group."""
    killasgroup: bool = False
    """Whether KILL goes to its whole process group."""
    user: str | None = None
    """The user it becomes, or None for supervisord's own."""
    directory: str | None = None
    """The directory it starts in, or None for supervisord's own."""
    umask: str | None = None
    """Its umask in octal ("022"), or None for supervisord's own."""
    environment: tuple[tuple[str, str], ...] = ()
    """What `environment=` of [supervisord] and of its own section add, first process, secrets hidden."""
    redirect_stderr: bool = False
    """Whether stderr goes where stdout goes."""
    stdout_logfile: str | None = "AUTO"
    """The path of the first process's log; None for no log; AUTO for a temporary file."""
    stdout_logfile_maxbytes: MiB = 50.0
    """The size at which it is rotated; 0 = never."""
    stdout_logfile_backups: int = 10
    """How many rotated files are kept."""
    stdout_logfile_writers: int = 1
    """How many processes of this configuration write to that very path; 1 for AUTO and for none."""
    log_folder_missing: str = ""
    """The folder of one of its logs that is not there on the audited host; "" where all are, or where it is unknown."""
    stdout_capture_maxbytes: MiB = 0.0
    """The size of the capture buffer."""
    stdout_events_enabled: bool = False
    """Whether each write makes an event."""
    stdout_syslog: bool = False
    """Whether stdout also goes to syslog."""
    stderr_logfile: str | None = "AUTO"
    """As stdout_logfile; None with redirect_stderr, whatever is written."""
    stderr_logfile_maxbytes: MiB = 50.0
    """As stdout_logfile_maxbytes."""
    stderr_logfile_backups: int = 10
    """As stdout_logfile_backups."""
    stderr_logfile_writers: int = 1
    """As stdout_logfile_writers."""
    stderr_logfile_ignored: bool = False
    """Whether a stderr_logfile path is written that redirect_stderr=true makes ineffective."""
    stderr_capture_maxbytes: MiB = 0.0
    """As stdout_capture_maxbytes."""
    stderr_events_enabled: bool = False
    """As stdout_events_enabled."""
    stderr_syslog: bool = False
    """As stdout_syslog."""
    serverurl: str | None = None
    """What SUPERVISOR_SERVER_URL is set to, or None for AUTO."""
    events: tuple[str, ...] = ()
    """For an eventlistener: the types of events that it is told of."""

    @derived("events", "name", "command")
    def shuts_down(self) -> bool:
        """Whether it is a listener that is told of every exit, and by its name or command one that shuts down."""
        told = any(event in _EXITS for event in self.events)
        return told and ("shutdown" in self.name or "shutdown" in self.command)

    @derived("asked_for_as", "process_names", "group")
    def answers(self) -> bool:
        """Whether a process is called what it is asked for as: supervisor leaves out a group of the process's own name."""
        return not self.asked_for_as or (self.group == self.asked_for_as and self.asked_for_as in self.process_names)

    @derived("numprocs")
    def processes(self) -> int:
        """How many processes really run."""
        return max(self.numprocs, 0)

    @derived("stdout_logfile", "stdout_logfile_maxbytes", "stdout_logfile_backups", "numprocs")
    def stdout_log_size(self) -> MiB:
        """The most disk its stdout logs take when rotated; NEVER without rotation or a limit."""
        return _log_size(self, self.stdout_logfile, self.stdout_logfile_maxbytes, self.stdout_logfile_backups)

    @derived("stderr_logfile", "stderr_logfile_maxbytes", "stderr_logfile_backups", "numprocs", "redirect_stderr")
    def stderr_log_size(self) -> MiB:
        """As stdout_log_size."""
        return _log_size(self, self.stderr_logfile, self.stderr_logfile_maxbytes, self.stderr_logfile_backups)

    @derived("environment")
    def configuration_names(self) -> tuple[str, ...]:
        """The variables of its environment that Laravel's own config files read, and a cached configuration freezes."""
        return tuple(
            name for name, _ in self.environment if name in _READ_BY_CONFIG or name.startswith(_READ_BY_CONFIG_PREFIXES)
        )

    @derived("environment")
    def sets_configuration(self) -> bool:
        """Whether its environment sets a variable that Laravel's own config files read."""
        return bool(self.configuration_names)

    @derived("environment")
    def sets_home(self) -> bool:
        """Whether its environment has a HOME of its own."""
        return any(name == "HOME" for name, _ in self.environment)

    @derived("stdout_logfile")
    def stdout_is_device(self) -> bool:
        """Whether its stdout log is a device (/dev/stdout and the like, /dev/null left out)."""
        return _is_device(self.stdout_logfile)

    @derived("stderr_logfile")
    def stderr_is_device(self) -> bool:
        """Whether its stderr log is a device (/dev/stderr and the like, /dev/null left out)."""
        return _is_device(self.stderr_logfile)

    @derived("stdout_logfile", "stdout_logfile_writers", "stdout_logfile_maxbytes")
    def stdout_rotates_shared(self) -> bool:
        """Whether several processes write to its stdout log, each of which rotates it."""
        return _rotates_shared(self.stdout_logfile, self.stdout_logfile_writers, self.stdout_logfile_maxbytes)

    @derived("stderr_logfile", "stderr_logfile_writers", "stderr_logfile_maxbytes")
    def stderr_rotates_shared(self) -> bool:
        """As stdout_rotates_shared."""
        return _rotates_shared(self.stderr_logfile, self.stderr_logfile_writers, self.stderr_logfile_maxbytes)

    @derived("stdout_logfile", "stdout_logfile_writers", "stdout_logfile_maxbytes", "numprocs")
    def stdout_logfile_apart(self) -> str | None:
        """The same path with the process's number in it ("worker_%(process_num)02d.log"), as its option holds it.

        None where nothing is shared, and where others write to that file too, whom the number would not tell apart.
        """
        path = self.stdout_logfile
        if path is None or not self.stdout_rotates_shared or self.stdout_logfile_writers != self.numprocs:
            return None
        if any(character.isspace() for character in path):
            return None  # a value of several lines, or one that its comment signs would cut
        folder, slash, name = path.replace("%", "%%").rpartition("/")
        stem, dot, ending = name.rpartition(".")
        if not stem:
            stem, dot, ending = name, "", ""
        return f"{folder}{slash}{stem}_%(process_num)02d{dot}{ending}"

    @derived("stdout_logfile", "stderr_logfile")
    def public_log(self) -> str:
        """Its log that lies below a folder named public, "" where none does."""
        return next((path for path in _paths(self) if "/public/" in path), "")

    @derived("stdout_logfile", "stderr_logfile")
    def app_log(self) -> str:
        """Its log that is the file a Laravel app writes its own log to, "" where none is."""
        return next((path for path in _paths(self) if path.endswith("/storage/logs/laravel.log")), "")

    @derived("stdout_logfile", "stderr_logfile")
    def log_in_storage(self) -> str:
        """Its log that lies in a Laravel app's storage/logs, "" where none does."""
        return next((path for path in _paths(self) if "/storage/logs/" in path), "")

    @derived("stderr_logfile", "redirect_stderr", "stderr_syslog")
    def stderr_is_kept(self) -> bool:
        """Whether stderr reaches a log that outlives supervisord: its own file, stdout's, or syslog."""
        return self.redirect_stderr or self.stderr_syslog or self.stderr_logfile not in (None, "AUTO", "/dev/null")


def _log_size(program: Program, path: str | None, maxbytes: float, backups: int) -> float:
    if path is None or path.startswith("/dev/") or program.numprocs < 1:
        return 0.0
    if maxbytes <= 0:
        return float("inf")
    return (max(backups, 0) + 1) * maxbytes * program.numprocs


def _is_device(path: str | None) -> bool:
    return path is not None and path != "/dev/null" and path.startswith(("/dev/", "/proc/"))


def _rotates_shared(path: str | None, writers: int, maxbytes: float) -> bool:
    return writers > 1 and maxbytes > 0 and path is not None and "%(process_num)" not in path


def _paths(program: Program) -> tuple[str, ...]:
    return tuple(path for path in (program.stdout_logfile, program.stderr_logfile) if path not in (None, "AUTO"))


class Group(Fact, frozen=True, kw_only=True):
    """What supervisord starts and stops together."""

    name: str
    """Its name, as `supervisorctl start name:*` takes it."""
    kind: str
    """group for a [group:x]; program, eventlistener or fcgi-program where one section is its own group."""
    section: str
    """The section that makes it."""
    priority: int = 999
    """Lower starts first and stops last."""
    programs: tuple[str, ...] = ()
    """The names of the programs in it."""
    stopwaitsecs: Seconds = 0.0
    """The longest stopwaitsecs of them: how long its stop may take."""
    dropped: bool = False
    """Whether supervisord drops it, for another group of the same name comes first."""


class Supervisord(Fact, frozen=True, kw_only=True):
    """The options of supervisord itself."""

    logfile: str | None = "supervisord.log"
    """Its own log; None for no log, "syslog" for syslog, a relative path from its start directory."""
    logfile_maxbytes: MiB = 50.0
    """The size at which it is rotated; 0 = never."""
    logfile_backups: int = 10
    """How many rotated files are kept."""
    loglevel: str = "info"
    """critical, error, warn, info, debug, trace or blather."""
    pidfile: str = "supervisord.pid"
    """Where its process number is written."""
    umask: str = "022"
    """Its umask, in octal."""
    nodaemon: bool = False
    """Whether it stays in the foreground."""
    silent: bool = False
    """Whether it keeps its log off stdout."""
    minfds: int = 1024
    """The number of file descriptors it asks for."""
    minprocs: int = 200
    """The number of processes it asks for."""
    nocleanup: bool = False
    """Whether old AUTO logs stay at start."""
    childlogdir: str | None = None
    """Where AUTO logs lie, or None for the system's temporary directory."""
    user: str | None = None
    """The user it becomes, or None for the one it is started as."""
    directory: str | None = None
    """The directory it changes to when it daemonizes, or None."""
    strip_ansi: bool = False
    """Whether colour codes are taken out of the programs' logs."""
    environment: tuple[tuple[str, str], ...] = ()
    """What it adds to the environment of every program, secrets hidden."""
    identifier: str = "supervisor"
    """Its name among several."""


class HttpServer(Fact, frozen=True, kw_only=True):
    """One socket supervisord can be driven through."""

    section: str
    """The section that opens it."""
    kind: str
    """unix or inet."""
    address: str = ""
    """The socket's path, or "host:port" with `*` for all interfaces."""
    file: str | None = None
    """The socket's path, or None for inet."""
    host: str | None = None
    """The host name or address, empty for all interfaces; None for unix."""
    port: int | None = None
    """The port, or None for unix."""
    chmod: str = "700"
    """The socket's mode, in octal; for unix."""
    chown: str | None = None
    """The socket's "user:group", or None for supervisord's own; for unix."""
    username: str | None = None
    """The user name it asks for; None or empty for none."""
    has_password: bool = False
    """Whether a password is set; the password itself is never kept."""

    @derived("username", "has_password")
    def is_open(self) -> bool:
        """Whether it asks for no password."""
        return not self.username

    @derived("host")
    def all_interfaces(self) -> bool:
        """Whether it listens on every interface."""
        return self.kind == "inet" and self.host in ("", _ANY)

    @derived("host")
    def is_local(self) -> bool:
        """Whether only this host can reach it."""
        return self.kind == "unix" or self.host == "localhost" or (self.host or "").startswith("127.")

    @derived("chmod")
    def world_writable(self) -> bool:
        """Whether any user may connect to the socket; for unix."""
        return self.kind == "unix" and bool(int(self.chmod, 8) & 0o002)

    @derived("chmod")
    def group_writable(self) -> bool:
        """Whether the socket's group may connect; for unix."""
        return self.kind == "unix" and bool(int(self.chmod, 8) & 0o020)


class Supervisorctl(Fact, frozen=True, kw_only=True):
    """How supervisorctl finds supervisord."""

    serverurl: str = "http://localhost:9001"
    """unix:///path or http://host:port."""
    username: str | None = None
    """The user name it sends, or None."""
    has_password: bool = False
    """Whether it sends a password; the password itself is never kept."""


class SupervisorConf(Fact, frozen=True, kw_only=True, dict=True):
    """One supervisord's whole configuration, or one file of it read alone."""

    main: str
    """The file it was read from."""
    files: tuple[str, ...]
    """Every file read, the main one first, in supervisord's order."""
    is_main: bool = False
    """Whether it has a [supervisord] section, so supervisord can start from it."""
    sections: tuple[Section, ...] = ()
    """Every section, in the order they first come."""
    programs: tuple[Program, ...] = ()
    """Every program, in the order of their groups."""
    groups: tuple[Group, ...] = ()
    """Every group, in the order supervisord starts them."""
    oddities: tuple[Oddity, ...] = ()
    """Everything odd or refused, by place."""
    supervisord: Supervisord = Supervisord()
    """The options of supervisord itself."""
    http_servers: tuple[HttpServer, ...] = ()
    """The sockets it opens."""
    supervisorctl: Supervisorctl | None = None
    """How supervisorctl finds it, or None where the main file does not say."""
    has_rpcinterface: bool = False
    """Whether the interface that supervisorctl needs is there."""
    started_in: str | None = None
    """The folder that the containers which run it start in, where that is another than /; None where none is told."""
    not_included: bool = False
    """Whether it is a program file of the audited host that no main file there includes."""

    @derived("sections", "oddities", kept=True)
    def refused(self) -> bool:
        """Whether supervisord would refuse to start or to reread, as far as the text alone tells."""
        return any(oddity.refuses for oddity in self.oddities) or any(
            setting.refusal is not None for section in self.sections for setting in section.settings
        )

    @derived("oddities", "programs", kept=True)
    def is_template(self) -> bool:
        """Whether lines of a template stand in it, so that it is not what supervisord will read."""
        return any(oddity.kind == "template-line" for oddity in self.oddities)

    @derived("supervisord")
    def works_in(self) -> str | None:
        """The directory supervisord changes to when it daemonizes, or None where it stays where it is started."""
        return None if self.supervisord.nodaemon else self.supervisord.directory

    @derived("programs", kept=True)
    def program_names(self) -> tuple[str, ...]:
        """The names of its programs."""
        return tuple(program.name for program in self.programs)

    @derived("programs")
    def has_programs(self) -> bool:
        """Whether it has any program."""
        return bool(self.programs)

    @derived("programs", kept=True)
    def shutdown_listener(self) -> str:
        """Its event listener that stops supervisord when any program exits, "" where it has none."""
        return next((program.name for program in self.programs if program.shuts_down), "")

    @derived("oddities", kept=True)
    def cut_options(self) -> tuple[str, ...]:
        """The options that a comment sign cuts off, as Setting.path has them."""
        return tuple(oddity.path for oddity in self.oddities if oddity.kind == "comment-cuts-value")

    @derived("sections", "files", "oddities", kept=True)
    def is_whole(self) -> bool:
        """Whether its [include] was followed, and every file that it matches was read."""
        if not any(section.kind == "include" for section in self.sections):
            return True
        kinds = {oddity.kind for oddity in self.oddities}
        return kinds.isdisjoint(_UNSEEN) and (len(self.files) > 1 or "include-matches-nothing" in kinds)

    @derived("oddities", kept=True)
    def misses_includes(self) -> bool:
        """Whether a pattern of its [include] matches no file, which in a repository may lie elsewhere."""
        return any(oddity.kind == "include-matches-nothing" for oddity in self.oddities)

    @derived("http_servers")
    def has_server(self) -> bool:
        """Whether it opens a socket that supervisord can be driven through."""
        return bool(self.http_servers)

    @derived("supervisorctl", "oddities")
    def tells_supervisorctl(self) -> bool:
        """Whether its main file has a [supervisorctl]."""
        return self.supervisorctl is not None

    @derived("supervisorctl", "oddities")
    def hides_supervisorctl(self) -> bool:
        """Whether its [supervisorctl] stands in an included file, where supervisorctl does not see it."""
        return any(oddity.kind == "supervisorctl-not-in-main" for oddity in self.oddities)

    @derived("http_servers")
    def server_addresses(self) -> tuple[str, ...]:
        """Where its sockets are, as supervisorctl's serverurl names them."""
        return tuple(
            f"unix://{server.file}" if server.kind == "unix" else f"http://{server.address}"
            for server in self.http_servers
            if not server.is_unknown("address")
        )

    @derived("supervisorctl")
    def serverurl(self) -> str | None:
        """The address supervisorctl is told, or None without a [supervisorctl] in the main file."""
        return None if self.supervisorctl is None else self.supervisorctl.serverurl

    @derived("groups")
    def stop_seconds(self) -> Seconds:
        """The longest a shutdown may take: supervisord stops one group after the other."""
        return sum(group.stopwaitsecs for group in self.groups if not group.dropped)

    @derived("supervisorctl", "http_servers")
    def supervisorctl_reaches(self) -> bool:
        """Whether supervisorctl's serverurl is one of the sockets; true where either is not written."""
        if self.supervisorctl is None or not self.http_servers:
            return True
        url = self.supervisorctl.serverurl
        if self.supervisorctl.is_unknown("serverurl"):
            return True
        return any(_reaches(url, server) for server in self.http_servers)


_UNSEEN = ("include-unknown", "include-not-read")
"""Kinds of Oddity that tell of an [include] some of whose files were not read."""


def _reaches(url: str, server: HttpServer) -> bool:
    if server.is_unknown("address"):
        return True
    if server.kind == "unix":
        return _socket(url) == _socket(f"unix://{server.file}")
    scheme, _, rest = url.partition("://")
    if scheme not in ("http", "https"):
        return False
    host, _, port = rest.split("/", 1)[0].rpartition("@")[2].partition(":")
    if (port or "80") != str(server.port):
        return False
    return server.all_interfaces or host == server.host or {host, server.host} <= {"localhost", "127.0.0.1"}


def _socket(url: str) -> str:
    """The address with /var/run as /run, which it is a symlink to."""
    return url.replace("unix:///var/run/", "unix:///run/", 1)
