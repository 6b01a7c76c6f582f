"""The real stack as child processes: Redis, MariaDB, supervisord, Laravel, cron, and whole small hosts of them."""
