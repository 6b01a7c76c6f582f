"""One Laravel application, as its files configure it."""

from __future__ import annotations

from auditor.facts.origin import Fact, Version, derived
from auditor.facts.queue import Connection, Pool


class EnvFile(Fact):
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


class App(Fact):
    """One Laravel application."""

    name: str = ""
    """Its root folder in the audited tree, "." for the tree's own root."""
    product: str = "laravel"
    """Which application it is where that is known ("invoiceninja"), else "laravel"."""
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
    has_horizon: bool = False
    """Whether laravel/horizon is installed or configured."""
    horizon_environments: tuple[str, ...] = ()
    """Keys of `horizon.environments`."""
    horizon_environment_matches: bool = True
    """Whether one of them matches the environment Horizon runs in."""
    connections: tuple[Connection, ...] = ()
    """Every queue connection."""
    pools: tuple[Pool, ...] = ()
    """Every Horizon supervisor of every environment."""

    schedulers: int = 0
    """How many schedulers run its tasks, counted by the census."""
    workers: int = 0
    """How many workers or Horizon masters serve it, counted by the census."""
    served_queues: tuple[str, ...] = ()
    """The queues that its workers poll, gathered by the census."""

    @derived("default_connection")
    def default_driver(self) -> str:
        """Driver of the default connection, "" where that names none."""
        return next((c.driver for c in self.connections if c.name == self.default_connection), "")

    @derived()
    def connection_names(self) -> tuple[str, ...]:
        """The names of its connections."""
        return tuple(c.name for c in self.connections)
