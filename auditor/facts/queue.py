"""Queue connections: one entry of `queue.connections`, as the worker that uses it would see it."""

from __future__ import annotations

from auditor.facts.origin import Fact, MiB, Seconds, Version, derived

IDLE_DRIVERS = ("sync", "null", "deferred", "background")
"""Drivers whose `pop()` never returns a job: a worker on one of them idles for ever (laravel.com/docs/queues)."""


class Connection(Fact, frozen=True):
    """One key of `queue.connections`, with Laravel's own defaults filled in."""

    name: str = ""
    """The key: "redis", "database"."""
    app: str = ""
    """Root folder of the app whose configuration names it."""
    driver: str = ""
    """"redis", "database", "sync", "null", "sqs", "beanstalkd", "failover", "deferred", "background" or another's."""
    is_default: bool = False
    """Whether it is `queue.default`."""
    retry_after: Seconds | None = None
    """When a reserved job is handed out again; 60 where the key is missing or null; None where the driver has none."""
    retry_after_written: bool = False
    """Whether the key is there and not null."""
    queue: str = "default"
    """The queue a worker polls that names none."""
    block_for: Seconds | None = None
    """Redis: how long a pop blocks; None polls."""
    block_for_is_text: bool = False
    """Redis: whether block_for is text, as an uncast env() gives it: phpredis refuses it."""
    read_timeout: Seconds | None = None
    """Redis: the client's read timeout where it is configured; None leaves PHP's default_socket_timeout (60 s)."""
    after_commit: bool = False
    """Whether jobs wait for open database transactions."""
    redis: str = ""
    """Redis: the entry of `database.redis` it uses."""
    redis_prefix: str = ""
    """Redis: the prefix of every key."""
    redis_serializer: str = ""
    """Redis: phpredis serializer or compression that is set and that the queue driver cannot work with; "" is none."""
    redis_cluster: bool = False
    """Redis: whether the entry is a cluster's."""
    database: str = ""
    """Database: the entry of `database.connections` it uses."""
    database_driver: str = ""
    """Database: "mysql", "mariadb", "pgsql", "sqlite" or "sqlsrv"."""
    database_version: Version = ()
    """Database: the server's version where it is known."""
    table: str = "jobs"
    """Database: the table of jobs."""
    redis_address: str = ""
    """Redis: host (or socket), port and number of the database its jobs lie in, as "127.0.0.1:6379/0"; "" for none."""
    processes: int = 0
    """How many processes take its jobs, those of Horizon included, counted by the census."""
    programs: int = 0
    """How many programs those are, counted by the census."""
    served: tuple[str, ...] = ()
    """The queues that they poll on it, gathered by the census."""
    shared_with: tuple[str, ...] = ()
    """Other apps whose jobs lie under the same keys of the same Redis, found by the census."""
    redis_server: str = ""
    """Redis: the service of a deployment here that is its server, found by the census; "" where none is seen."""
    redis_policy: str = "noeviction"
    """Redis: that server's maxmemory-policy."""
    redis_evicts: bool = False
    """Redis: whether that server throws jobs away when it is full."""
    used: bool = False
    """Whether it is the default one, or a worker or Horizon here takes jobs from it, as the census finds."""

    @derived("shared_with")
    def shares_keys(self) -> bool:
        """Whether another app's jobs lie under the same keys."""
        return bool(self.shared_with)

    @derived("database_version")
    def version_known(self) -> bool:
        """Whether the release of its database server is known."""
        return bool(self.database_version)

    @derived("database_driver", "database_version")
    def is_mariadb(self) -> bool:
        """Whether the server is MariaDB: Laravel before 11 calls that mysql too, but no MySQL is called 10 or 11."""
        return self.database_driver == "mariadb" or (
            self.database_driver == "mysql" and self.database_version[:1] >= (10,)
        )

    @derived("driver")
    def idles(self) -> bool:
        """Whether a worker on it never gets a job."""
        return self.driver in IDLE_DRIVERS


class Pool(Fact, frozen=True):
    """One Horizon supervisor in one environment, its defaults merged in."""

    name: str = ""
    """The key under `environments.<environment>`."""
    app: str = ""
    """Root folder of the app."""
    environment: str = ""
    """The environment it belongs to."""
    live: bool = True
    """Whether its environment is the one the app runs in."""
    connection: str = "redis"
    """The queue connection its workers use."""
    queues: tuple[str, ...] = ("default",)
    """The queues they poll."""
    timeout: Seconds = 60.0
    """Seconds a job may run."""
    memory: MiB = 128.0
    """MiB at which a worker restarts."""
    tries: int = 0
    """Attempts; 0 has no limit."""
    max_processes: int = 1
    """Workers at most."""
    min_processes: int = 1
    """Workers at least."""
    balance: str = "off"
    """"auto", "simple" or "off"."""
    sleep: Seconds = 3.0
    """Seconds to wait when no job is ready."""
    max_time: Seconds = 0.0
    """Seconds after which a worker is replaced; 0 never."""
    max_jobs: int = 0
    """Jobs after which a worker is replaced; 0 never."""
