"""What is InvoiceNinja's own: its settings, its schedule of the bank sync, and what its database says of itself.

Its terms are those of InvoiceNinja 5 (config/ninja.php, app/Console/Kernel.php, table `accounts`).
"""

from __future__ import annotations

from auditor.facts.origin import NEVER, Fact, Seconds, Version, derived

SELFHOST = "selfhost"
"""The one value of NINJA_ENVIRONMENT by which the app takes itself for self-hosted (App\\Utils\\Ninja::isSelfHost)."""
OVERHEAD = 60.0
"""Seconds that a sync may take beside its accounts."""
PER_ACCOUNT = 35.0
"""Seconds that a sync may take for each account: 15 to 17 where all is well (with the app's own pause of 5), some 50
where a call fails."""
DAY = 86400.0
"""Seconds of a day."""

SYNC_GENERATIONS: dict[str, str] = {
    "A": "any status but READY turns the feed off",
    "B": "any failed call for details or balances turns the feed off, one over the daily limit too",
    "C": "a failed call is told apart from an ended consent",
    "D": "details and balances are not asked for any more; a failed call for the status turns the feed off",
    "E": "the requisition is asked first; an account in ERROR is left alone, and never asked again",
    "F": "an account in ERROR is asked for data again, three times and then once a day",
}
"""How the app's bank sync takes what the banks answer, by the generation of its code (5.8.10 in 2024 is A)."""


class Ninja(Fact, frozen=True):
    """One InvoiceNinja, as its files configure it."""

    name: str = ""
    """Root folder of the app."""
    version: Version = ()
    """Its release, () where it is not known."""
    environment: str = SELFHOST
    """`ninja.environment` (NINJA_ENVIRONMENT)."""
    is_docker: bool = False
    """`ninja.is_docker` (IS_DOCKER): then its schedule starts no worker."""
    internal_queue_enabled: bool = True
    """`ninja.internal_queue_enabled` (INTERNAL_QUEUE_ENABLED)."""
    default_connection: str = ""
    """`queue.default` of the app."""
    expanded_logging: bool = False
    """`ninja.expanded_logging` (EXPANDED_LOGGING), without which the bank sync writes no line anywhere."""
    keys_set: tuple[str, ...] = ()
    """Which of the bank feeds' two keys are set, by their names in .env."""
    keys_missing: tuple[str, ...] = ("NORDIGEN_SECRET_ID", "NORDIGEN_SECRET_KEY")
    """Which of the bank feeds' two keys are not set."""
    payment_keys: tuple[str, ...] = ()
    """Which keys of GoCardless payments .env sets, by name: they do nothing for bank feeds."""
    app_key_is_sample: bool = False
    """Whether APP_KEY is the one that is published in the app's example and images."""
    multi_db: bool = False
    """`ninja.db.multi_db_enabled` (MULTI_DB_ENABLED), which is meant for the vendor's own hosting."""
    databases_are_one: bool = False
    """Whether the two databases of that mode are the same one."""
    webcron: bool = False
    """Whether WEBCRON_SECRET is set, so that a request can run the schedule."""
    ignored_cache_store: str = ""
    """CACHE_STORE of .env where the app reads CACHE_DRIVER, and that says otherwise; "" where nothing is ignored."""
    cache_table_made: bool = False
    """Whether a migration or the schema of the app makes the cache's table."""
    cache_in_database: bool = False
    """Whether the default cache store keeps its entries in a table of the database."""
    prunes_failed_jobs: bool = False
    """Whether its schedule prunes failed jobs."""
    pdf_generator: str = ""
    """What makes its PDFs instead of a Chrome on the host: "hosted_ninja", "phantom"; "" for none of these."""
    timezone: str = "UTC"
    """`app.timezone` (SERVER_TIMEZONE): the clock of its schedule and of its database's times."""

    has_bank_sync: bool = True
    """Whether its schedule holds the bank sync."""
    sync_schedule: str = ""
    """How the schedule says when the bank sync runs: "everyFourHours()"."""
    syncs_per_day: int = 0
    """How often the bank sync runs a day; each run asks each account once for each kind of data."""
    sync_gap: Seconds = NEVER
    """The longest time between two runs of the bank sync; NEVER where there is none."""
    generation: str = ""
    """A key of SYNC_GENERATIONS, "" where it is not known."""

    workers: int = 0
    """How many workers here serve it, counted by the census."""
    schedulers: int = 0
    """How many schedulers here run its tasks, as far as they are seen, counted by the census."""
    feeds: int = 1
    """How many accounts the bank sync asks: counted in the database, one where nobody looked there."""
    feeds_counted: bool = False
    """Whether they were counted."""

    @derived("name")
    def spoken(self) -> str:
        """As a sentence names it: "InvoiceNinja", or "InvoiceNinja in backend"."""
        return "InvoiceNinja" if self.name in ("", ".") else f"InvoiceNinja in {self.name}"

    @derived("version")
    def is_version_5(self) -> bool:
        """Whether its release is known to be 5 or later."""
        return self.version >= (5,)

    @derived("environment")
    def is_selfhost(self) -> bool:
        """Whether it takes itself for self-hosted."""
        return self.environment == SELFHOST

    @derived("environment", "internal_queue_enabled", "is_docker", "default_connection")
    def starts_own_worker(self) -> bool:
        """Whether its schedule starts a worker every minute, and tells all workers to restart every five."""
        return (
            self.default_connection == "database"
            and self.environment == SELFHOST
            and self.internal_queue_enabled
            and not self.is_docker
        )

    @derived("pdf_generator")
    def makes_pdfs(self) -> bool:
        """Whether its jobs start a Chrome of the host's for each PDF."""
        return self.pdf_generator not in ("hosted_ninja", "phantom")

    @derived("keys_missing")
    def has_bank_keys(self) -> bool:
        """Whether both keys of the bank feeds are set."""
        return not self.keys_missing

    @derived("keys_set", "keys_missing")
    def has_half_the_keys(self) -> bool:
        """Whether one of the two is set, and the other is not."""
        return bool(self.keys_set) and bool(self.keys_missing)

    @derived("keys_set", "payment_keys")
    def has_only_payment_keys(self) -> bool:
        """Whether keys of GoCardless payments are set, and none of the bank feeds'."""
        return bool(self.payment_keys) and not self.keys_set

    @derived("feeds")
    def sync_may_take(self) -> Seconds:
        """How long one bank sync may take: one job asks all accounts, one after another."""
        return OVERHEAD + PER_ACCOUNT * self.feeds

    @derived("feeds", "feeds_counted")
    def accounts_told(self) -> str:
        """Those accounts as a sentence tells them: counted, or not."""
        if not self.feeds_counted:
            return "all bank accounts in turn, some 15 to 50 s each"
        return f"{self.feeds} bank account{'' if self.feeds == 1 else 's'} in turn, up to {PER_ACCOUNT:g} s each"

    @derived("generation")
    def limit_turns_feeds_off(self) -> bool:
        """Whether the first call over the daily limit turns a feed off for good."""
        return self.generation == "B"

    @derived("ignored_cache_store")
    def ignores_cache_store(self) -> bool:
        """Whether CACHE_STORE is set, and nothing reads it."""
        return bool(self.ignored_cache_store)


class NinjaState(Fact, frozen=True):
    """What the database of one InvoiceNinja says of the app itself."""

    name: str = ""
    """Where it was asked, no secret in it."""
    app: str = ""
    """Root folder of the app."""
    now: Seconds = 0.0
    """When it was asked, in seconds since 1970."""
    scheduler_ever_ran: bool = False
    """`accounts.is_scheduler_running`: whether the schedule has run since the installation; it never goes back."""
    heartbeat_age: Seconds = 0.0
    """How long ago an account was last written to: the schedule of a self-hosted app does so every five minutes."""
    failed_jobs: int = 0
    """Rows of failed_jobs, counted up to 1001."""

    has_cache_table: bool = False
    """Whether it has the table that a cache in the database needs."""

    @derived("failed_jobs")
    def failed_jobs_told(self) -> str:
        """That number as a sentence tells it."""
        return "more than 1000" if self.failed_jobs > 1000 else str(self.failed_jobs)

    @derived("heartbeat_age")
    def silent_minutes(self) -> float:
        """The same age in whole minutes."""
        return float(int(self.heartbeat_age // 60))
