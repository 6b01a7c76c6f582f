"""The cached configuration: what `artisan config:cache` froze, as PHP's var_export() writes it."""

from __future__ import annotations

from auditor.sources.php.context import Context, no_environment
from auditor.sources.php.evaluator import evaluate
from auditor.sources.php.values import Value

PATH = "bootstrap/cache/config.php"
"""Where Laravel keeps it below the application, unless APP_CONFIG_CACHE says otherwise."""


def read_cached_config(source: bytes) -> Value:
    """The whole configuration by file name ("queue", "database" …), exactly as it was frozen."""
    return evaluate(source, Context(env=no_environment("a cached configuration holds no env() calls")))
