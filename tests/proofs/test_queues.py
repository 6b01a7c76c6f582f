"""Queues that nobody reads, that are thrown away, or that cost the worker."""

from __future__ import annotations

from collections.abc import Callable

from tests.proofs.scenes import memory, queues, stores

Prove = Callable[..., None]


def test_sync_worker_idles(prove: Prove) -> None:
    """With the sync driver a job runs in whoever pushes it, and the worker waits for ever."""
    prove(queues.SyncWorkerIdles)


def test_connection_unknown(prove: Prove) -> None:
    """A connection that config/queue.php does not have ends every start."""
    prove(queues.ConnectionUnknown)


def test_queue_with_space(prove: Prove) -> None:
    """The name after ", " begins with a space: that queue is never read."""
    prove(queues.QueueWithSpace)


def test_queue_not_served(prove: Prove) -> None:
    """Jobs go to a queue that no worker reads."""
    prove(queues.QueueNotServed)


def test_config_cache_stale(prove: Prove) -> None:
    """An edited .env changes nothing while the cached configuration is there: the worker reads the old queue."""
    prove(queues.ConfigCacheStale)


def test_env_unreadable(prove: Prove) -> None:
    """A .env that phpdotenv refuses ends every artisan, the workers' too."""
    prove(queues.EnvUnreadable)


def test_redis_evicts(prove: Prove) -> None:
    """A Redis that may evict any key throws a whole queue away to make room, and every push succeeds."""
    prove(stores.RedisEvicts)


def test_memory_restarts_fatal(prove: Prove) -> None:
    """A --memory that one job fills makes each job cost a restart, and enough of them the worker."""
    prove(memory.MemoryRestartsFatal)


def test_memory_runs_out(prove: Prove) -> None:
    """Three workers on a host that has the memory for two."""
    prove(memory.MemoryRunsOut)


def test_dies_in_mid_job(prove: Prove) -> None:
    """Where PHP's memory_limit is below --memory, a leak ends a worker in a job and not between two."""
    prove(memory.DiesInMidJob)


def test_env_swallowed(prove: Prove) -> None:
    """A .env that ends at an open quote is read without a complaint."""
    prove(queues.EnvSwallowed)


def test_worker_on_idle_connection(prove: Prove) -> None:
    """`queue:work sync` never has anything to do."""
    prove(queues.WorkerOnIdleConnection)


def test_sqlite_locks_workers_out(prove: Prove) -> None:
    """Six processes of one program on SQLite."""
    prove(stores.SqliteLocks, "sqlite")


def test_sqlite_locks_programs_out(prove: Prove) -> None:
    """Several programs of one process each on SQLite."""
    prove(stores.SqliteTwoPrograms, "sqlite")


def test_packed_job_runs_again(prove: Prove) -> None:
    """phpredis packs what the queue looks for."""
    prove(stores.PackedJobRunsAgain)


def test_cluster_refuses_jobs(prove: Prove) -> None:
    """A queue's keys in different slots of a cluster."""
    prove(stores.ClusterRefusesJobs, "redis_cluster")


def test_failed_job_is_gone(prove: Prove) -> None:
    """A failed job that nothing keeps."""
    prove(queues.FailedJobIsGone)


def test_apps_take_each_others_jobs(prove: Prove) -> None:
    """Two applications, one Redis, one prefix."""
    prove(stores.AppsShareQueues)


def test_attempts_overflow(prove: Prove) -> None:
    """The 256th attempt of a job in MariaDB."""
    prove(stores.AttemptsOverflow, "mariadb")
