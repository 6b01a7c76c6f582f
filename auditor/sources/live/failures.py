"""What a failed job failed of, told by the words in its exception: one literal table, first hit counts.

Only the class is kept: an exception's own text may hold whatever the job held. Wordings: PHP's, Laravel's (its queue,
its LostConnectionDetector), MySQL's error numbers, Redis's replies, and InvoiceNinja's bank feed.
"""

from __future__ import annotations

SIGNATURES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("timeout", ("TimeoutExceededException",)),
    ("memory", ("Allowed memory size of", "Out of memory (allocated")),
    (
        "old-code",
        (
            "__PHP_Incomplete_Class",
            "must not be accessed before initialization",
            "Call to undefined method",
            "Call to undefined function",
        ),
    ),
    ("stale-cache", ("Target class [", "Erroneous data format for unserializing")),
    ("redis-memory", ("OOM command not allowed",)),
    ("redis-disk", ("MISCONF Redis", "MISCONF Valkey")),
    ("redis-readonly", ("READONLY You can't write", "Expected master but got slave")),
    ("redis-loading", ("LOADING Redis", "LOADING Valkey")),
    ("redis-auth",
     ("NOAUTH Authentication required", "WRONGPASS ", "ERR AUTH <password> called", "ERR invalid password")),
    ("deadlock", ("1213 Deadlock", "Deadlock found when trying to get lock", "40P01", "deadlock detected")),
    ("lock-wait", ("1205 Lock wait timeout", "Lock wait timeout exceeded", "database is locked", "55P03")),
    ("packet", ("max_allowed_packet",)),
    ("connections", ("[1040]", "Too many connections", "1203 User", "too many clients already")),
    ("database-auth", ("[1045]", "[1044]", "Access denied for user", "password authentication failed")),
    (
        "database-gone",
        (
            "server has gone away",
            "Lost connection to MySQL",
            "Lost connection to server",
            "Lost connection and no transaction",
            "Error while sending",
            "Packets out of order",
            "server closed the connection unexpectedly",
            "SSL connection has been closed unexpectedly",
            "is dead or not enabled",
        ),
    ),
    ("table-missing", ("42S02", "no such table", "Undefined table", "42P01")),
    ("column-missing", ("42S22", "no such column", "has no column named", "Undefined column", "42703")),
    (
        "redis-down",
        ("Predis\\Connection\\ConnectionException", "RedisException: Connection refused", "RedisException: Connection",
         "RedisException: read error on connection", "RedisException: php_network_getaddresses",
         "RedisException: Redis server"),
    ),
    ("database-down", ("SQLSTATE[HY000] [2002]", "SQLSTATE[HY000] [2003]", "SQLSTATE[08006]", "SQLSTATE[08001]")),
    ("child-process", ("ProcessTimedOutException", "ProcessSignaledException", "has been signaled with signal")),
    (
        "permission",
        ("could not be opened in append mode", "failed to open stream: Permission denied",
         "Failed to open stream: Permission denied", "file_put_contents(", "Permission denied"),
    ),
    ("bank-consent", ("EUA was valid for", "Account suspended", "Invalid Account ID", "EUA has expired")),
    ("bank-rate", ("Daily request limit set by the Institution", "Rate limit exceeded")),
    ("bank-auth", ("NordigenException(code: 401)", "NordigenException")),
    ("mail", ("Swift_TransportException", "Symfony\\Component\\Mailer\\Exception",
              "Connection could not be established with host")),
    (
        "http",
        ("GuzzleHttp\\Exception\\", "Illuminate\\Http\\Client\\", "cURL error"),
    ),
    # Last: Laravel before 10.25 gives up a job that ran too long with these words too.
    ("attempts", ("MaxAttemptsExceededException", "has been attempted too many times")),
)  # fmt: skip
"""Kind to the words that tell it; the order is that of precedence."""


def classify_failure(exception: str) -> str:
    """One of FAILURE_KINDS, by the beginning of a failed job's exception as the table has it."""
    for kind, words in SIGNATURES:
        if any(word in exception for word in words):
            return kind
    return "other"
