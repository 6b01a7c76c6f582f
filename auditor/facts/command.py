"""What a command line starts: the fact that programs, cron lines and units share."""

from __future__ import annotations

import msgspec

from auditor.facts.artisan_options import WORKERS
from auditor.facts.origin import NEVER, Fact, MiB, Seconds, derived


class Suggestion(msgspec.Struct, frozen=True):
    """An option that the command does not have, and the one that was probably meant."""

    name: str
    """The option as written, without its dashes (with one dash where it is a letter)."""
    nearest: str | None = None
    """The command's own option that is spelt most alike, or None."""


class TooNew(msgspec.Struct, frozen=True):
    """An option that a later Laravel brought."""

    name: str
    """The option without its dashes."""
    since: str
    """The first versions that have it: "8.32" or "11.53, 12.60, 13.10"."""


class WrittenValue(msgspec.Struct, frozen=True):
    """An option and its value as it is written."""

    name: str
    """The option without its dashes."""
    value: str
    """Its value as written, quotes taken away."""


class Setting(msgspec.Struct, frozen=True):
    """One `-d name=value` of the php binary."""

    name: str
    """The directive's name."""
    value: str
    """What it is set to; "1" where no value is written."""


class Command(Fact, frozen=True):
    """One command, as whoever starts it understands it.

    Fields of options hold what the worker takes them for; where one is not written, the default of the command and of
    the Laravel version.
    """

    text: str = ""
    """The command as it was given."""
    words: tuple[str, ...] = ()
    """Its words as its runner cuts them; () where it cannot be cut."""
    runner: str = "execve"
    """What reads it: "execve" (no shell: supervisor, systemd) or "shell" (cron, `sh -c`)."""

    kind: str = "other"
    """The full name of the framework's queue or scheduler command ("queue:work", "horizon", "schedule:run"…),
    "other-artisan" for any other artisan command, "other" for what is no artisan command."""
    artisan_command: str | None = None
    """The name of the artisan command as written, or None."""
    nearest_command: str | None = None
    """For a command of the namespaces queue, schedule or horizon that these do not have: the one spelt most alike."""
    refusal: str | None = None
    """Why it can never start its program, as a sentence without a full stop; None where nothing is known against it."""
    others: tuple[str, ...] = ()
    """The other artisan commands in the same text, by full name where known."""

    program: str | None = None
    """The first word: what its runner looks for; None where there is none."""
    php: str | None = None
    """The php binary as written, or None."""
    php_version: str | None = None
    """The version its path names ("8.2"), or None."""
    php_settings: tuple[Setting, ...] = ()
    """What -d sets, in order."""
    memory_limit: MiB | None = None
    """What -d sets PHP's memory_limit to, or None."""
    artisan: str | None = None
    """The path of artisan as written, or None."""
    directory: str | None = None
    """The folder the command changes to before, as written; None where it changes to none."""
    app: str | None = None
    """The folder of artisan as an absolute path of the host (or of the container), or None where it cannot be told."""
    user: str | None = None
    """The user the command switches to, or None."""
    wrappers: tuple[str, ...] = ()
    """The programs between the runner and the program, outermost first ("sh -c", "env", "docker exec")."""
    shell: str = ""
    """The innermost shell that reads the command: "sh", "bash"…, "login" for a user's own; "" for none."""
    shell_stays: bool = False
    """Whether a shell process stays between the runner and the program."""
    can_exec: bool = False
    """Whether an `exec` in front of the program would make that shell go."""
    backgrounded: bool = False
    """Whether the runner's process ends, or goes on, before the program does (`&`, `setsid -f`, `daemonize`)."""
    in_container: bool = False
    """Whether it runs in a container that the command names (`docker exec`, `kubectl exec`)."""
    loop: bool = False
    """Whether a loop of the shell starts it again and again."""
    loop_sleep: Seconds | None = None
    """What that loop sleeps between two runs, or None."""
    output: str | None = None
    """The file its standard output is redirected to by a shell, as written, or None."""
    output_appends: bool = False
    """Whether that file is appended to."""

    shell_syntax: tuple[str, ...] = ()
    """Shell constructs that no shell will see: "&&", "||", "|", ";", "&", ">", ">>", "<", "~", "$VAR", "`", "*",
    "VAR=x cmd", or a shell's own command such as "cd" in first place."""
    newline_escaped: bool = False
    """Whether a backslash at a line's end has become part of a word."""
    relative_artisan: bool = False
    """Whether artisan's path is relative."""
    relative_command: bool = False
    """Whether the first word holds a slash and yet does not begin with one."""
    placeholders: tuple[str, ...] = ()
    """What looks as if a person was to fill it in ("/path/to", "your-app", "<PHP_BIN>", "--tries=$")."""

    connection: str | None = None
    """The connection named, or None for the default one."""
    queues: tuple[str, ...] | None = None
    """The queues named, in order, as written, blanks included; None for the connection's own."""
    queues_text: str | None = None
    """The value of `--queue` as written, or None."""
    timeout: Seconds = 60
    """`--timeout`: seconds a job may take; NEVER for 0."""
    timeout_variable: str = ""
    """`--timeout` as written where that is a variable whose value is not known here, "" elsewhere."""
    memory: MiB = 128
    """`--memory`: how much the worker may hold between two jobs."""
    sleep: Seconds = 3
    """`--sleep`: seconds to wait when no job is there."""
    rest: Seconds = 0
    """`--rest`: seconds to wait after every job."""
    tries: int = 1
    """`--tries`: how often a job is attempted; 0 is without end."""
    backoff: tuple[int, ...] = (0,)
    """`--backoff`: seconds before each further attempt, the last one repeated."""
    delay: Seconds = 0
    """`--delay`: the older name of `--backoff`."""
    max_jobs: int = 0
    """`--max-jobs`: jobs after which the worker ends; 0 is never."""
    max_time: Seconds = NEVER
    """`--max-time`: seconds after which the worker ends; NEVER for 0."""
    stop_when_empty_for: Seconds = NEVER
    """`--stop-when-empty-for`: seconds without a job after which the worker ends; NEVER for 0."""
    once: bool = False
    """`--once`: one job, then end."""
    stop_when_empty: bool = False
    """`--stop-when-empty`: end when no job is left."""
    daemon: bool = False
    """`--daemon`: accepted, without effect."""
    force: bool = False
    """`--force`: also in maintenance mode."""
    json: bool = False
    """`--json`: one JSON object for each event."""
    name: str = "default"
    """`--name`: the worker's name."""
    environment: str | None = None
    """`--env`: the environment whose `.env` file is read, or None."""
    horizon_environment: str | None = None
    """Horizon's `--environment`, or None for the app's own."""
    verbose: int = 0
    """How many of `-v` there are, up to 3."""
    quiet: bool = False
    """`--quiet`."""

    written: tuple[str, ...] = ()
    """The options written, long names without dashes, each once, in order."""
    deprecated_options: tuple[str, ...] = ()
    """Those of them that this version calls deprecated."""
    unknown_options: tuple[Suggestion, ...] = ()
    """The options written that the command does not have in any version."""
    too_new_options: tuple[TooNew, ...] = ()
    """The options written that a later version than the app's brought."""
    not_integer_options: tuple[WrittenValue, ...] = ()
    """The options whose value had to be a number and is none."""
    extra_arguments: tuple[str, ...] = ()
    """The arguments written beyond those the command takes."""

    @derived("kind")
    def is_worker(self) -> bool:
        """Whether its process takes jobs from a queue itself."""
        return self.kind in WORKERS

    @derived("tries")
    def tries_unlimited(self) -> bool:
        """Whether a job is attempted without end."""
        return self.tries <= 0

    @derived("once", "stop_when_empty", "max_jobs", "max_time", "stop_when_empty_for")
    def ends_by_itself(self) -> bool:
        """Whether the worker ends without being told to, sooner or later."""
        return (
            self.once
            or self.stop_when_empty
            or self.max_jobs > 0
            or self.max_time != NEVER
            or self.stop_when_empty_for != NEVER
        )

    @derived("queues")
    def queue_blanks(self) -> bool:
        """Whether a queue's name begins or ends with a blank, and so is another queue's."""
        return any(queue != queue.strip() for queue in self.queues or ())

    @derived("runner", "shell_syntax")
    def shell_reads_it(self) -> bool:
        """Whether a shell reads all the shell syntax there is in it."""
        return self.runner == "shell" or not self.shell_syntax

    @derived("placeholders")
    def has_placeholders(self) -> bool:
        """Whether something in it was to be filled in."""
        return bool(self.placeholders)

    @derived("unknown_options", "extra_arguments", "shell_syntax")
    def has_unknown_options(self) -> bool:
        """Whether artisan refuses an option or, where shell syntax does not explain it, an argument of it."""
        return bool(self.unknown_options) or bool(self.extra_arguments and not self.shell_syntax)

    @derived("too_new_options")
    def has_too_new_options(self) -> bool:
        """Whether an option of it came with a later Laravel."""
        return bool(self.too_new_options)

    @derived("deprecated_options")
    def has_deprecated_options(self) -> bool:
        """Whether an option of it is deprecated."""
        return bool(self.deprecated_options)

    @derived("not_integer_options")
    def has_not_integer_options(self) -> bool:
        """Whether an option that takes a number has none."""
        return bool(self.not_integer_options)

    @derived("not_integer_options")
    def only_memory_not_integer(self) -> bool:
        """Whether --memory is the one option that has no number, which later versions cut down to one."""
        return [option.name for option in self.not_integer_options] == ["memory"]

    @derived("deprecated_options")
    def deprecated_options_text(self) -> tuple[str, ...]:
        """Each of deprecated_options with its dashes: "--daemon"."""
        return tuple(_dashed(name) for name in self.deprecated_options)

    @derived("unknown_options", "extra_arguments")
    def refused_words_text(self) -> tuple[str, ...]:
        """What artisan refuses of it: unknown_options_text, then the arguments that are too many."""
        return (*self.unknown_options_text, *(f'"{argument.strip()}"' for argument in self.extra_arguments))

    @derived("unknown_options")
    def unknown_options_text(self) -> tuple[str, ...]:
        """Each of unknown_options as a person would write it: "--tiemout (--timeout?)"."""
        return tuple(
            _dashed(option.name) + (f" ({_dashed(option.nearest)}?)" if option.nearest else "")
            for option in self.unknown_options
        )

    @derived("too_new_options")
    def too_new_options_text(self) -> tuple[str, ...]:
        """Each of too_new_options: "--rest (8.32)"."""
        return tuple(f"{_dashed(option.name)} ({option.since})" for option in self.too_new_options)

    @derived("not_integer_options")
    def not_integer_options_text(self) -> tuple[str, ...]:
        """Each of not_integer_options: "--timeout=60s"."""
        return tuple(f"{_dashed(option.name)}={option.value}" for option in self.not_integer_options)


def _dashed(name: str) -> str:
    return name if name.startswith("-") else f"--{name}"
