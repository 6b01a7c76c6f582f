"""PHP files read without PHP: configuration arrays, the cached configuration and php.ini."""
