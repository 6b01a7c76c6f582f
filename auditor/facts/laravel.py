"""One Laravel application, as its files configure it."""

from __future__ import annotations

from auditor.facts.invoiceninja import Ninja
from auditor.facts.origin import Fact, Version, derived
from auditor.facts.queue import Connection, Pool


class EnvFile(Fact, frozen=True):
    """The one environment file that the app reads."""

    name: str = ""
    """Path of the file."""
    example: bool = False
    """Whether it is only an example (.env.example): it shows what is meant, not what is set."""
    refusal: str | None = None
    """Why phpdotenv refuses it, so that the app does not boot; None where it is accepted."""
    swallowed: int = 0
    """How many lines an unterminated quote makes vanish without an error."""
    names: tuple[str, ...] = ()
    """Every name it sets, in order."""


class Dispatch(Fact, frozen=True):
    """A queue that an app's code sends jobs to by name."""

    name: str = ""
    """The queue."""


class App(Fact, frozen=True):
    """One Laravel application."""

    name: str = ""
    """Its root folder in the audited tree, "." for the tree's own root."""
    product: str = "laravel"
    """Which application it is where that is known ("invoiceninja"), else "laravel"."""
    package: str = ""
    """Its name in composer.json, as "vendor/name"; "" where it has none."""
    product_version: Version = ()
    """Release of the product, () where it is not known."""
    laravel: Version = ()
    """Release of laravel/framework."""
    environment: str = "production"
    """APP_ENV, as config/app.php sees it."""
    env_file: str | None = None
    """The .env file it reads, or None where there is none."""
    env: EnvFile | None = None
    """What is known of that file."""
    configured: bool = False
    """Whether its queue configuration could be read at all (config/queue.php, or Laravel 11's built-in one)."""
    default_connection: str = ""
    """`queue.default`: the connection used where none is named."""
    queue_env_name: str = ""
    """The environment name from which `queue.default` is read ("QUEUE_CONNECTION"), "" where from none."""
    failed_driver: str = ""
    """`queue.failed.driver`; "null" drops failed jobs."""
    cache_driver: str = ""
    """Driver of the default cache store, which carries the restart signal and the scheduler's locks."""
    cache_env_name: str = ""
    """The environment name from which the default cache store is read."""
    config_cached: bool = False
    """Whether bootstrap/cache/config.php is there: then .env is not read."""
    config_cache_age: str = ""
    """Files changed after the cache was written, as text for a message; "" where there are none."""
    config_cache_disagrees: tuple[str, ...] = ()
    """Settings that the cache froze with another value than .env and config/ now give."""
    retired_env_names: tuple[str, ...] = ()
    """Names set in .env that this app's configuration no longer reads, though it reads their successor or ancestor."""
    schedules_tasks: bool = False
    """Whether the app's code schedules any task."""
    schedule_locks: tuple[str, ...] = ()
    """Which locks its scheduled tasks ask for: "onOneServer", "withoutOverlapping"."""
    schedule_cache_driver: str | None = None
    """Driver of the store that the scheduler's locks use (`cache.schedule_store`, SCHEDULE_CACHE_DRIVER,
    SCHEDULE_CACHE_STORE); None for the default store."""
    has_horizon: bool = False
    """Whether laravel/horizon is installed or configured."""
    horizon_published: bool = False
    """Whether it has a config/horizon.php of its own; without one Horizon goes by what it brings."""
    horizon_environments: tuple[str, ...] = ()
    """Keys of `horizon.environments`."""
    horizon_environment_matches: bool = True
    """Whether one of them matches the environment Horizon runs in."""
    connections: tuple[Connection, ...] = ()
    """Every queue connection."""
    pools: tuple[Pool, ...] = ()
    """Every Horizon supervisor of every environment."""
    ninja: Ninja | None = None
    """What it is beside that where it is an InvoiceNinja; None for any other app."""

    schedulers: int = 0
    """How many schedulers run its tasks, counted by the census."""
    dispatches: tuple[Dispatch, ...] = ()
    """The queues that its code names, where workers are here that might poll them."""
    unserved: tuple[str, ...] = ()
    """Those of them that no worker and no Horizon here polls, found by the census."""
    unscheduled: tuple[str, ...] = ()
    """Files that each run the app on a platform and nothing that starts its scheduler, found by the census."""
    workers: int = 0
    """How many workers or Horizon masters serve it, counted by the census."""
    processes: int = 0
    """How many worker processes those are at most, counted by the census."""
    failed_table_missing: str = ""
    """The table of failed jobs where its database has none, as a live look found; "" where it has, or was not asked."""
    served_queues: tuple[str, ...] = ()
    """The queues that its workers poll, gathered by the census."""
    horizons: int = 0
    """How many Horizon masters serve it, counted by the census."""
    default_workers: int = 0
    """How many of its workers use its default connection, counted by the census."""

    @derived("failed_driver", "failed_table_missing")
    def keeps_failed(self) -> bool:
        """Whether a failed job is kept."""
        return self.failed_driver != "null" and not self.failed_table_missing

    @derived("failed_driver", "failed_table_missing")
    def why_not_kept(self) -> str:
        """Why no failed job is kept, as a clause; "" where it is."""
        if self.failed_driver == "null":
            return "its failed-job driver is null"
        return f"its database has no table {self.failed_table_missing}" if self.failed_table_missing else ""

    @derived("laravel")
    def laravel_known(self) -> bool:
        """Whether the release of laravel/framework is known."""
        return bool(self.laravel)

    @derived("name")
    def spoken(self) -> str:
        """As a sentence names it: "the app", or "the app in backend"."""
        return "the app" if self.name in ("", ".") else f"the app in {self.name}"

    @derived("env", "queue_env_name", "default_connection")
    def default_is_told(self) -> bool:
        """Whether its default connection is written out, or set by its environment file: no mere fallback."""
        return not self.queue_env_name or (
            self.env is not None and not self.env.example and self.queue_env_name in self.env.names
        )

    @derived("default_connection", "connections")
    def real_default(self) -> str | None:
        """Its default connection where a worker on it gets jobs; None where it gets none."""
        found = next((c for c in self.connections if c.name == self.default_connection), None)
        return None if found is None or found.idles or found.is_unknown("driver") else found.name

    @derived("env")
    def env_refusal(self) -> str | None:
        """Why phpdotenv refuses its environment file; None where it does not, or where the file is an example."""
        return self.env.refusal if self.env is not None and not self.env.example else None

    @derived("env")
    def env_swallowed(self) -> int:
        """How many lines of its environment file an unterminated quote makes vanish; 0 for an example."""
        return self.env.swallowed if self.env is not None and not self.env.example else 0

    @derived("env")
    def env_fault(self) -> str:
        """What is wrong with its environment file, as a clause; "" where nothing is, or where it is an example."""
        if self.env_refusal is not None:
            return f"is refused, so that no artisan command starts: {self.env_refusal.rstrip('.')}"
        if self.env_swallowed:
            lines = "line" if self.env_swallowed == 1 else "lines"
            return f"loses {self.env_swallowed} {lines} without an error, behind a quote that is not closed"
        return ""

    @derived("unserved")
    def leaves_queues_unserved(self) -> bool:
        """Whether its code names a queue that nothing here polls."""
        return bool(self.unserved)

    @derived("unscheduled")
    def is_unscheduled_somewhere(self) -> bool:
        """Whether a file that runs it on a platform starts no scheduler there."""
        return bool(self.unscheduled)

    @derived("retired_env_names")
    def sets_retired_names(self) -> bool:
        """Whether its environment file sets a name that nothing reads any more."""
        return bool(self.retired_env_names)

    @derived("config_cache_disagrees", "config_cache_age")
    def stale_parts(self) -> tuple[str, ...]:
        """What tells that the cached configuration is stale: settings that differ, else files that are newer."""
        return self.config_cache_disagrees or ((self.config_cache_age,) if self.config_cache_age else ())

    @derived("config_cache_disagrees")
    def cache_disagrees(self) -> bool:
        """Whether the cached configuration holds another value than the files now give."""
        return bool(self.config_cache_disagrees)

    @derived("schedule_locks")
    def asks_for_locks(self) -> bool:
        """Whether a scheduled task asks for a lock."""
        return bool(self.schedule_locks)

    @derived("schedule_cache_driver", "cache_driver")
    def lock_driver(self) -> str:
        """Driver of the cache store that the scheduler's locks lie in."""
        return self.cache_driver if self.schedule_cache_driver is None else self.schedule_cache_driver

    @derived("default_connection", "connections")
    def default_driver(self) -> str:
        """Driver of the default connection, "" where that names none."""
        return next((c.driver for c in self.connections if c.name == self.default_connection), "")

    @derived("connections")
    def connection_names(self) -> tuple[str, ...]:
        """The names of its connections."""
        return tuple(c.name for c in self.connections)
