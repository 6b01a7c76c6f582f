"""Containers as a repository declares them: images, the services made of them, and the servers among these."""

from __future__ import annotations

import msgspec

from auditor.facts.origin import NEVER, Fact, MiB, Seconds, Version, derived

PRODUCTION_KINDS = ("kubernetes", "app-spec", "ecs", "kamal", "fly", "render")
"""Kinds of services that are written for no developer's machine."""
WHOLE_KINDS = ("app-spec", "render", "kamal", "fly")
"""Those of them whose one file is a whole deployment."""


class Copied(msgspec.Struct, frozen=True, gc=False):
    """One COPY or ADD of an image."""

    sources: tuple[str, ...]
    """What is copied, as written: paths and patterns below the build context."""
    destination: str
    """Where it goes: an absolute path of the image, with a slash at its end where it is a folder for certain."""
    stage: str = ""
    """The stage or image it is copied from; "" for the build context."""
    line: int = 0
    """The line of the instruction."""


class Image(Fact, frozen=True, kw_only=True):
    """What a Dockerfile makes: its last stage, or another that is named."""

    name: str = ""
    """The Dockerfile's path, with "#stage" behind it where it is not the last stage."""
    file: str = ""
    """The Dockerfile."""
    target: str = ""
    """The stage's name, "" for the last stage."""
    bases: tuple[str, ...] = ()
    """The image it is made from, and before that those of the stages it builds on, nearest first."""
    user: str = "root"
    """The account its processes start as: the last USER."""
    environment: tuple[tuple[str, str], ...] = ()
    """What ENV sets, secrets hidden."""
    command: str | None = None
    """CMD as text; None where there is none."""
    entrypoint: str | None = None
    """ENTRYPOINT as text; None where there is none."""
    working_directory: str = "/"
    """WORKDIR."""
    stop_signal: str = "TERM"
    """STOPSIGNAL, without SIG."""
    copies: tuple[Copied, ...] = ()
    """COPY and ADD, in order."""
    has_supervisor: bool = False
    """Whether it installs supervisor, or its base brings it."""
    has_cron: bool = False
    """Whether it installs a cron daemon, or its base brings one."""
    files_owner: str = ""
    """The account that its last `chown -R` or `COPY --chown` of the app's folder gives the files to; "" for none."""
    idle_connection: str = ""
    """The value sync or null that its ENV gives QUEUE_CONNECTION or QUEUE_DRIVER; "" where it gives none of them."""
    lacks_pcntl: bool = False
    """Whether its PHP has no pcntl for certain: that of the official image, to which nothing in the Dockerfile adds it."""
    names_invoiceninja: bool = False
    """Whether its Dockerfile says that it is InvoiceNinja's."""
    runs_workers: bool = False
    """Whether workers or Horizon are known to run in it, found by the census."""

    @derived("idle_connection")
    def sets_idle_connection(self) -> bool:
        """Whether its ENV makes jobs run at once, or nowhere."""
        return bool(self.idle_connection)


class Service(Fact, frozen=True, kw_only=True):
    """One container, or set of equal ones, that a deployment keeps running."""

    name: str = ""
    """Its name there."""
    file: str = ""
    """The file that declares it."""
    kind: str = "compose"
    """"compose", "kubernetes", "procfile", "app-spec", "render", "kamal", "fly", "ecs"."""
    command: str | None = None
    """Its own command as text; None where the image's counts."""
    entrypoint: str | None = None
    """Its own entrypoint as text; None where the image's counts."""
    image: str | None = None
    """The image's name as written; None where there is none."""
    built_from: str | None = None
    """The Dockerfile it is built from, where that is here."""
    target: str = ""
    """The Dockerfile's stage it is built to; "" for the last."""
    context: str | None = None
    """The build context, a folder here; None where it is not built here."""
    user: str = "root"
    """The account it starts as."""
    working_directory: str | None = None
    """Its working folder; None for the image's."""
    environment: tuple[tuple[str, str], ...] = ()
    """Its environment as far as it is known: of the image, its env_files and its own, secrets hidden."""
    env_files: tuple[str, ...] = ()
    """The environment files it reads, as written."""
    stop_grace: Seconds = 10.0
    """How long it may take to stop before it is killed."""
    stop_signal: str = "TERM"
    """What it is stopped with, without SIG: its own word, or its image's."""
    behind_shell: bool = False
    """Whether a shell stays in front of the supervisord that it starts."""
    restart: str = "no"
    """Its restart policy."""
    memory: MiB = NEVER
    """The memory it may take; NEVER without a limit."""
    replicas: int = 1
    """How many of it run."""
    volumes: tuple[tuple[str, str], ...] = ()
    """Paths of the repository that are mounted into it: from, to."""
    development: bool = False
    """Whether it is a developer's own: Laravel Sail."""
    periodic: bool = False
    """Whether it is started by the clock and ends by itself, as a CronJob."""
    every_minute: bool = True
    """For a periodic one: whether no minute passes without a start."""
    largest_gap: Seconds = 60.0
    """For a periodic one: the longest time between two starts."""
    confs: tuple[str, ...] = ()
    """The supervisor configurations here that run in it."""
    needs: Seconds | None = None
    """How long what runs in it may take to stop: its workers' stopwaitsecs under supervisord, else their timeout; None
    where it runs no worker. Found by the census."""
    needed_by: str = ""
    """The program, or the command, that may take that long; "" where there is none."""
    supervised: bool = False
    """Whether that is a program of a supervisord inside it."""

    @derived("kind")
    def grace_setting(self) -> str:
        """What the time to stop is called where it is set."""
        return {
            "compose": "stop_grace_period",
            "kubernetes": "terminationGracePeriodSeconds",
            "app-spec": "termination.grace_period_seconds",
            "render": "maxShutdownDelaySeconds",
            "kamal": "stop_timeout",
            "fly": "kill_timeout",
            "ecs": "stopTimeout",
        }.get(self.kind, "the time to stop")


class ServerImage(Fact, frozen=True, kw_only=True):
    """A database or Redis server that a deployment runs as a container."""

    name: str = ""
    """The service's name, which is its host name for the others."""
    file: str = ""
    """The file that declares it."""
    product: str = "redis"
    """"redis", "mysql", "mariadb" or "postgres"; Valkey, KeyDB and Dragonfly count as redis."""
    version: Version = ()
    """Its release, as far as its tag tells."""
    max_memory: MiB = NEVER
    """Redis: maxmemory; NEVER without a limit."""
    policy: str = "noeviction"
    """Redis: maxmemory-policy."""
    append_only: bool = False
    """Redis: appendonly."""
    development: bool = False
    """Whether it stands beside services of Laravel Sail."""

    @derived("policy", "max_memory")
    def evicts(self) -> bool:
        """Redis: whether a full server throws queues away: they have no expiry, so only an allkeys policy can."""
        return self.max_memory != NEVER and self.policy.startswith("allkeys-")
