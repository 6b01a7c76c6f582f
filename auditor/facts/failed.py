"""What failed jobs failed of."""

from __future__ import annotations

from auditor.facts.origin import Fact, Seconds, derived

FAILURE_KINDS: dict[str, str] = {
    "timeout": "the job ran longer than it may",
    "attempts": "the job was handed out too often",
    "memory": "PHP ran out of memory",
    "child-process": "a program that the job started was killed, or ran too long",
    "database-gone": "the database connection was lost",
    "database-down": "the database could not be reached",
    "database-auth": "the database refused the login",
    "connections": "the database had no connection left",
    "deadlock": "the database broke a deadlock",
    "lock-wait": "a lock of the database was not freed in time",
    "packet": "a payload was larger than max_allowed_packet",
    "table-missing": "a table is missing",
    "column-missing": "a column is missing: migrations have not run",
    "redis-down": "Redis could not be reached",
    "redis-auth": "Redis refused the login",
    "redis-memory": "Redis was full",
    "redis-disk": "Redis could not save to disk and took no writes",
    "redis-readonly": "a replica of Redis was written to",
    "redis-loading": "Redis was still loading",
    "permission": "a file could not be written",
    "old-code": "the worker ran older code than the job was made with",
    "stale-cache": "bootstrap/cache is older than the code",
    "bank-auth": "the bank feed's keys were refused",
    "bank-rate": "the bank feed's daily number of calls was used up",
    "bank-consent": "the bank's consent has ended",
    "mail": "mail could not be sent",
    "http": "another server did not answer, or refused",
    "other": "the job itself failed",
}
"""Each class of a failed job, and what it means."""

FAILURE_ADVICE: dict[str, str] = {
    "timeout": "Give its worker a longer --timeout, with retry_after and stopwaitsecs above it, or the job less to do.",
    "attempts": "Look whether it is handed out again while it still runs (retry_after below --timeout), or released too "
    "often by a lock or a rate limit: each time counts as an attempt.",
    "memory": "Let --memory lie below PHP's memory_limit, raise both, or give the job less to hold at once.",
    "child-process": "Look at what the job starts (Chrome, as a rule): its own time-out, the memory left for it (signal "
    "9), the rights of its HOME (5 and 6), and whether stopasgroup=true ends it together with the worker (15).",
    "database-gone": "Look whether the database was restarted, or ends idle connections sooner than a job takes; its "
    "worker ends then, and autorestart=true brings it back.",
    "database-down": "Look whether the database runs, and whether DB_HOST and DB_PORT are its.",
    "database-auth": "Look at DB_USERNAME and DB_PASSWORD, and restart the workers once they are right.",
    "connections": "Run fewer workers, or raise max_connections.",
    "deadlock": "Run fewer workers on a database queue, or move it to Redis; a database with SKIP LOCKED has none of them.",
    "lock-wait": "Run fewer workers on a database queue, or move it to Redis, and look for long transactions.",
    "packet": "Raise max_allowed_packet, or let jobs hold a record's id in place of the record.",
    "table-missing": "Run the migrations; CACHE_DRIVER=database needs a table for the cache.",
    "column-missing": "Run the migrations, and restart the workers.",
    "redis-down": "Look whether Redis runs, and whether REDIS_HOST and REDIS_PORT are its.",
    "redis-auth": "Look at REDIS_PASSWORD and REDIS_USERNAME, and restart the workers once they are right.",
    "redis-memory": "Raise maxmemory, or give the queue a Redis of its own; keep maxmemory-policy at noeviction.",
    "redis-disk": "Make room on Redis's disk, or let it write where it saves.",
    "redis-readonly": "Let the app connect to the master: through sentinels, or at its own address.",
    "redis-loading": "Start workers after Redis; what failed meanwhile can be tried again with queue:retry.",
    "permission": "Give storage/ and bootstrap/cache/ to the account that workers, scheduler and web server run under; no "
    "artisan as root.",
    "old-code": "Let each deploy end with queue:restart, and try what failed again with queue:retry.",
    "stale-cache": "Let each deploy run config:clear and view:clear, or optimize, and then queue:restart.",
    "bank-auth": "Look at the bank feed's keys.",
    "bank-rate": "Ask less often: a bank answers for each account a few times a day.",
    "bank-consent": "Connect the bank account again.",
    "mail": "Look at the MAIL_ settings, and whether their server answers from here.",
    "http": "Look whether the other server answers from here.",
    "other": "Look at its exception with queue:failed.",
}
"""Each class of a failed job, and what a person can do; of a record of a log that tells the same, too."""


class FailureCount(Fact, frozen=True, kw_only=True):
    """Recent failed jobs of one kind."""

    name: str = ""
    """One of FAILURE_KINDS."""
    backend: str = ""
    """Name of the Endpoint whose table they are in."""
    app: str = ""
    """The app they belong to."""
    count: int = 0
    """How many of the newest failed jobs are of this kind."""
    newest_age: Seconds | None = None
    """How long ago the newest of them failed; None where its time cannot be read."""
    job: str = ""
    """The newest one's job class; "" where its payload does not tell."""
    connection: str = ""
    """The newest one's queue connection."""
    queue: str = ""
    """The newest one's queue."""

    @derived("name")
    def meaning(self) -> str:
        """What its kind means, as a clause."""
        return FAILURE_KINDS.get(self.name, FAILURE_KINDS["other"])

    @derived("name")
    def remedy(self) -> str:
        """What a person can do."""
        return FAILURE_ADVICE.get(self.name, FAILURE_ADVICE["other"])

    @derived("count")
    def told(self) -> str:
        """How many there are, as a sentence tells it."""
        return f"{self.count} job{'' if self.count == 1 else 's'}"

    @derived("job", "queue")
    def example(self) -> str:
        """The newest one, as a sentence names it."""
        job = self.job.rpartition("\\")[2] or "a job"
        return f'{job} on queue "{self.queue}"' if self.queue else job
