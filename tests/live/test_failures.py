"""Failed jobs are classified by the words of their exception."""

from __future__ import annotations

import pytest

from auditor.facts.failed import FAILURE_KINDS
from auditor.sources.live.failures import SIGNATURES, classify_failure

EXCEPTIONS = {
    "timeout": r"Illuminate\Queue\TimeoutExceededException: App\Jobs\Work has timed out. in /app/vendor/x.php:7",
    "attempts": r"Illuminate\Queue\MaxAttemptsExceededException: App\Jobs\Work has been attempted too many times or run "
    "too long. The job may have previously timed out. in /app/x.php:750",
    "memory": "Symfony\\Component\\ErrorHandler\\Error\\FatalError: Allowed memory size of 134217728 bytes exhausted",
    "child-process": r"Symfony\Component\Process\Exception\ProcessTimedOutException: The process \"chrome\" exceeded the "
    "timeout of 60 seconds.",
    "database-gone": "PDOException: SQLSTATE[HY000]: General error: 2006 MySQL server has gone away in /app/x.php:1",
    "database-down": "PDOException: SQLSTATE[HY000] [2002] Connection refused in /app/x.php:70",
    "database-auth": "PDOException: SQLSTATE[HY000] [1045] Access denied for user 'a'@'b' (using password: YES)",
    "connections": "PDOException: SQLSTATE[HY000] [1040] Too many connections",
    "deadlock": "PDOException: SQLSTATE[40001]: Serialization failure: 1213 Deadlock found when trying to get lock",
    "lock-wait": "PDOException: SQLSTATE[HY000]: General error: 1205 Lock wait timeout exceeded; try restarting",
    "packet": "PDOException: SQLSTATE[08S01]: 1153 Got a packet bigger than 'max_allowed_packet' bytes",
    "table-missing": "PDOException: SQLSTATE[42S02]: Base table or view not found: 1146 Table 'x.cache' doesn't exist",
    "column-missing": "PDOException: SQLSTATE[42S22]: Column not found: 1054 Unknown column 'a' in 'field list'",
    "redis-down": "RedisException: Connection refused in /app/x.php:1",
    "redis-auth": "RedisException: NOAUTH Authentication required. in /app/x.php:1",
    "redis-memory": "RedisException: OOM command not allowed when used memory > 'maxmemory'.",
    "redis-disk": "RedisException: MISCONF Redis is configured to save RDB snapshots, but",
    "redis-readonly": "RedisException: READONLY You can't write against a read only replica.",
    "redis-loading": "RedisException: LOADING Redis is loading the dataset in memory",
    "permission": 'UnexpectedValueException: The stream or file "/app/storage/logs/laravel.log" could not be opened in '
    "append mode: Failed to open stream: Permission denied",
    "old-code": r"Error: Call to undefined method App\Models\Invoice::total() in /app/x.php:3",
    "stale-cache": r"Illuminate\Contracts\Container\BindingResolutionException: Target class [view] does not exist.",
    "bank-auth": "App\\Exceptions\\NordigenException(code: 401): Authentication failed",
    "bank-rate": "Exception: Daily request limit set by the Institution has been exceeded",
    "bank-consent": "Exception: EUA was valid for 90 days and it expired",
    "mail": "Symfony\\Component\\Mailer\\Exception\\TransportException: Connection could not be established with host x",
    "http": "GuzzleHttp\\Exception\\ConnectException: cURL error 28: Operation timed out",
    "other": "RuntimeException: No such invoice in /app/x.php:3",
}


@pytest.mark.parametrize("kind", FAILURE_KINDS)
def test_each_kind(kind: str) -> None:
    """Every kind has an exception that is told as it, however long the rest."""
    assert classify_failure(EXCEPTIONS[kind] + "\nStack trace:\n#0 /app/y.php(3): z()") == kind


def test_the_table_is_whole() -> None:
    """Every kind but "other" has its words, and every kind with words is one that is explained."""
    kinds = [kind for kind, _ in SIGNATURES]
    assert len(kinds) == len(set(kinds))
    assert {*kinds, "other"} == set(FAILURE_KINDS)
