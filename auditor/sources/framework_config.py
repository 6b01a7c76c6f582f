"""The configuration that Laravel 11 and later carry themselves, merged under an app's own (Foundation/LoadConfiguration).

Only the parts that decide how a queue works, and only keys that we read.
"""

from __future__ import annotations

from auditor.facts.origin import Version

_QUEUE = b"""<?php return [
    'default' => env('QUEUE_CONNECTION', 'database'),
    'connections' => [
        'sync' => ['driver' => 'sync'],
        'database' => ['driver' => 'database', 'connection' => env('DB_QUEUE_CONNECTION'),
            'table' => env('DB_QUEUE_TABLE', 'jobs'), 'queue' => env('DB_QUEUE', 'default'),
            'retry_after' => (int) env('DB_QUEUE_RETRY_AFTER', 90), 'after_commit' => false],
        'beanstalkd' => ['driver' => 'beanstalkd', 'queue' => env('BEANSTALKD_QUEUE', 'default'),
            'retry_after' => (int) env('BEANSTALKD_QUEUE_RETRY_AFTER', 90), 'block_for' => 0, 'after_commit' => false],
        'sqs' => ['driver' => 'sqs', 'queue' => env('SQS_QUEUE', 'default'), 'after_commit' => false],
        'redis' => ['driver' => 'redis', 'connection' => env('REDIS_QUEUE_CONNECTION', 'default'),
            'queue' => env('REDIS_QUEUE', 'default'), 'retry_after' => (int) env('REDIS_QUEUE_RETRY_AFTER', 90),
            'block_for' => null, 'after_commit' => false],
    ],
    'failed' => ['driver' => env('QUEUE_FAILED_DRIVER', 'database-uuids'), 'table' => 'failed_jobs'],
];"""
_CACHE = b"""<?php return [
    'default' => env('CACHE_STORE', 'database'),
    'stores' => [
        'array' => ['driver' => 'array'],
        'database' => ['driver' => 'database', 'table' => env('DB_CACHE_TABLE', 'cache')],
        'file' => ['driver' => 'file'],
        'memcached' => ['driver' => 'memcached'],
        'redis' => ['driver' => 'redis', 'connection' => env('REDIS_CACHE_CONNECTION', 'cache')],
        'dynamodb' => ['driver' => 'dynamodb'],
        'octane' => ['driver' => 'octane'],
    ],
];"""
_DATABASE = b"""<?php return [
    'default' => env('DB_CONNECTION', 'sqlite'),
    'connections' => [
        'sqlite' => ['driver' => 'sqlite'],
        'mysql' => ['driver' => 'mysql'],
        'mariadb' => ['driver' => 'mariadb'],
        'pgsql' => ['driver' => 'pgsql'],
        'sqlsrv' => ['driver' => 'sqlsrv'],
    ],
];"""
_APP = b"<?php return ['env' => env('APP_ENV', 'production')];"

_PARTS = {"queue": _QUEUE, "cache": _CACHE, "database": _DATABASE, "app": _APP}


def base_config(name: str, laravel: Version | None) -> bytes | None:
    """The framework's own config file of that name, or None for a release (or a name) that has none."""
    return _PARTS.get(name) if laravel is not None and laravel >= (11,) else None
