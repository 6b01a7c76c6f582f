"""What rules are judged for: workers, Horizon, schedulers, and the site as a whole, each with what the census joins to it."""

from __future__ import annotations

from typing import NamedTuple

from auditor.facts.origin import NEVER, Fact, MiB, Origin, Seconds, derived

BESIDE_HEAP = 60.0
"""MiB that a PHP worker's process holds beside the heap that --memory watches: interpreter, opcache, extensions."""


class Absent(NamedTuple):
    """In place of a fact that a subject does not have."""

    reason: str = ""
    """Why it cannot be known; "" where there simply is none, so that rules about it do not apply."""


NONE = Absent()
Joined = Fact | Absent


class Subject(NamedTuple):
    """One thing that rules are judged for."""

    scope: str
    """A key of SCOPES."""
    name: str
    """As a report names it."""
    roots: tuple[Joined, ...]
    """What the scope's roots stand for, in the scope's order."""


class Worker(Fact, frozen=True):
    """Processes that take jobs off a queue: `queue:work` or `queue:listen`, whatever starts them."""

    name: str = ""
    """The program's, unit's or service's name."""
    kind: str = "queue:work"
    """"queue:work" or "queue:listen"."""
    runner: str = "supervisor"
    """What starts it: "supervisor", "systemd", "cron" …"""
    processes: int = 1
    """How many copies run."""
    user: str = "root"
    """The account it runs under."""
    connection_named: bool = False
    """Whether its command names a connection."""
    connection: str = ""
    """Name of the connection it uses: the one named, or the app's default."""
    queues: tuple[str, ...] = ()
    """The queues it polls, in order of priority, as written."""
    timeout: Seconds = 60.0
    """Seconds a job may run; NEVER for --timeout=0."""
    timeout_written: bool = False
    """Whether --timeout is given."""
    memory: MiB = 128.0
    """MiB at which it restarts between two jobs."""
    heap: MiB = NEVER
    """PHP's memory_limit for it; NEVER where none is known."""
    sleep: Seconds = 3.0
    """Seconds it waits when no job is ready."""
    rest: Seconds = 0.0
    """Seconds it waits after each job."""
    tries: int = 1
    """Attempts a job gets; 0 has no limit."""
    tries_written: bool = False
    """Whether --tries is given."""
    laravel_known: bool = True
    """Whether the release of its Laravel is known, and with it what holds where an option is not written."""
    max_jobs: int = 0
    """Jobs after which it ends; 0 never."""
    max_time: Seconds = NEVER
    """Seconds after which it ends; NEVER where it does not."""
    once: bool = False
    """Whether it ends after one job."""
    stop_when_empty: bool = False
    """Whether it ends when no job is ready."""
    can_be_recycled: bool = True
    """Whether its Laravel has --max-time and --max-jobs: false only where that is known to be older than 8."""
    shared_variable: str = ""
    """The variable of unknown value that is both its --timeout and its program's stopwaitsecs, as written; "" where
    there is none."""
    twins: tuple[str, ...] = ()
    """Other workers on this host, defined elsewhere, that take the same jobs."""
    beside_horizon: tuple[str, ...] = ()
    """Horizon masters here that serve one of its queues on the same connection."""
    maybe_beside_horizon: tuple[str, ...] = ()
    """Horizon masters here of which it is not known what they serve, where it polls what Horizon serves by default."""
    urgent_behind: str = ""
    """The first of its queues that is called urgent and stands behind an ordinary one; "" where none does."""
    ordinary_before: str = ""
    """That ordinary queue."""

    @derived("memory", "heap")
    def takes(self) -> MiB:
        """What one of its processes may take: --memory, or PHP's limit where that is lower, and what PHP takes beside it."""
        return min(self.memory if self.memory > 0 else NEVER, self.heap) + BESIDE_HEAP

    @derived("memory", "heap")
    def per_mib(self) -> float:
        """How many of its processes go into one MiB: what a rule multiplies by, for it divides by nothing that may be 0."""
        return 1 / float(self.takes)

    @derived("twins")
    def has_twins(self) -> bool:
        """Whether the same work is defined elsewhere as well."""
        return bool(self.twins)

    @derived("queues")
    def polls_several(self) -> bool:
        """Whether it polls more than one queue."""
        return len(self.queues) > 1

    def where(self, _field: str) -> Origin | None:
        """Its options stand in its command."""
        command = self.marks.get("command")
        return command.origin if command is not None and command.origin is not None else self.place

    def label(self, field: str) -> str:
        """As an option of artisan."""
        return f"--{field.removesuffix('_written').replace('_', '-')}"

    @derived("queues")
    def queue_with_space(self) -> str:
        """The first queue name that begins or ends with a blank, "" where none does."""
        return next((q for q in self.queues if q != q.strip()), "")

    @derived("queues")
    def queues_trimmed(self) -> tuple[str, ...]:
        """Its queues as they were meant: without blanks around their names."""
        return tuple(q.strip() for q in self.queues)

    @derived("tries")
    def tries_told(self) -> str:
        """Its tries as a sentence tells them."""
        return {0: "any number of tries", 1: "1 try"}.get(self.tries, f"{self.tries} tries")

    @derived("name", "beside_horizon", "maybe_beside_horizon")
    def shares_with_horizon(self) -> bool:
        """Whether a Horizon master here serves, for certain or probably, one of its queues."""
        return bool(self.beside_horizon or self.maybe_beside_horizon)

    @derived("beside_horizon")
    def is_beside_horizon(self) -> bool:
        """Whether a Horizon master here serves one of its queues."""
        return bool(self.beside_horizon)

    @derived("maybe_beside_horizon")
    def may_be_beside_horizon(self) -> bool:
        """Whether a Horizon master here may well serve one of its queues."""
        return bool(self.maybe_beside_horizon)

    @derived("once", "stop_when_empty", "max_jobs", "max_time")
    def ends_by_itself(self) -> bool:
        """Whether it ends without being told to, sooner or later."""
        return self.once or self.stop_when_empty or self.max_jobs > 0 or self.max_time != NEVER


class Horizon(Fact, frozen=True):
    """A Horizon master."""

    name: str = ""
    """The program's name."""
    runner: str = "supervisor"
    """What starts it."""
    processes: int = 1
    """How many masters run."""
    user: str = "root"
    """The account it runs under."""
    environment: str = ""
    """The environment whose supervisors it starts: --environment, else the app's."""
    longest_timeout: Seconds = 60.0
    """The largest timeout of the Horizon supervisors it starts; NEVER where one has none."""
    expected_timeout: Seconds = 60.0
    """The same; where no config/horizon.php is here, what the one that Horizon brings gives a job."""
    configured: bool = True
    """Whether its config/horizon.php is here."""
    pools: int = 0
    """How many Horizon supervisors it starts."""
    max_workers: int = 0
    """Workers they start at most, all together."""


class Scheduler(Fact, frozen=True):
    """Something that runs the application's scheduled tasks."""

    name: str = ""
    """The cron file and line, the program's or the unit's name."""
    kind: str = "schedule:run"
    """"schedule:run" or "schedule:work"."""
    runner: str = "cron"
    """What starts it."""
    loop: bool = False
    """Whether a shell loop repeats it."""
    background: bool = False
    """Whether the loop starts each run in the background."""
    user: str = "root"
    """The account it runs under."""
    every_minute: bool = True
    """Whether it runs once every minute."""
    largest_gap: Seconds = 60.0
    """The longest time between two runs; NEVER where it does not run by the clock."""
    starts_in_app: bool = False
    """Whether what starts it does so in the app's own folder, so that artisan is found there."""
    others: tuple[str, ...] = ()
    """Other schedulers of the same app."""
    earlier: tuple[str, ...] = ()
    """Those of them that come before it."""
    files_owner: str = ""
    """The account that the image it runs in gives the app's files to; "" where none is told."""
    starter: str = ""
    """What starts it and does not run, as a live look found: "a cron daemon"; "" where it runs, or was not looked for."""
    output: str = ""
    """The file that its output is appended to, where a live look found it."""
    output_age: Seconds | None = None
    """How long ago something was last written there; None where that is not known."""
    worker_users: tuple[str, ...] = ()
    """The accounts that the same app's workers run under."""

    @derived("starter", "output", "output_age")
    def told_silence(self) -> str:
        """How it is known not to run, as a clause; "" where it is not."""
        if self.starter:
            return f"it needs {self.starter}, and none runs"
        if self.output_age is None:
            return ""
        return f"it should write to {self.output} each minute, and has not for {self.output_age // 60:.0f} minutes"

    @derived("earlier")
    def comes_second(self) -> bool:
        """Whether another scheduler of the same app comes before it."""
        return bool(self.earlier)

    @derived("user", "files_owner")
    def owns_files(self) -> bool:
        """Whether the app's files belong to its account, as far as an image tells whom it gives them to."""
        return self.files_owner in ("", self.user)

    @derived("user", "worker_users")
    def user_differs(self) -> bool:
        """Whether workers of the app run, and none under its account."""
        return bool(self.worker_users) and self.user not in self.worker_users


class Totals(Fact, frozen=True):
    """The site as a whole: its kind, and its sums."""

    name: str = ""
    """The audited path."""
    kind: str = "host"
    """"host", "repository" or "file"."""
    workers: int = 0
    """Worker processes, those of Horizon included."""
    workers_memory: MiB = 0.0
    """Sum over all workers of processes × (--memory + what PHP takes beside it)."""
    stop_sum: Seconds = 0.0
    """How long stopping everything can take: supervisord stops one group after another."""
    stop_longest: Seconds = 0.0
    """How long the slowest of its groups can take."""
    stop_granted: Seconds | None = None
    """How long systemd lets supervisord stop before it kills it; None where no unit that starts it is seen."""
    schedulers: int = 0
    """Schedulers found."""
    defines_environment: bool = False
    """Whether something here may give supervisord more environment than its own configuration does."""


class Census:
    """Every subject of a site, by scope."""

    def __init__(self, subjects: dict[str, list[Subject]], *, live: bool = False) -> None:
        """Hold the subjects; `live` tells whether the running system was asked."""
        self.subjects = subjects
        self.live = live

    def of(self, scope: str) -> list[Subject]:
        """The subjects of one scope."""
        return self.subjects.get(scope, [])
