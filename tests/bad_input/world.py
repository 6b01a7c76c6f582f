"""A small sound host, and the ways in which one of its files can be something else than a file."""

from __future__ import annotations

import hashlib
import os
import socket
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple


class Pipe(NamedTuple):
    """A named pipe that nobody writes to."""


class Socket(NamedTuple):
    """A socket that nobody answers."""


class Folder(NamedTuple):
    """A folder, in place of a file."""

    mode: int = 0o755
    """Its mode."""


class Link(NamedTuple):
    """A symlink."""

    target: str
    """What it points to, as it is written in it."""


class Sparse(NamedTuple):
    """A file of that many zero bytes, which take no room on the disk."""

    size: int
    """How many."""


class Locked(NamedTuple):
    """A file that nobody may read."""

    content: str = "secret"
    """What is in it."""


class Made(NamedTuple):
    """A file whose content is too long to stand in a table."""

    make: Callable[[], str | bytes]
    """What makes it."""


class Gone(NamedTuple):
    """No file, where the sound host has one."""


Content = str | bytes | Pipe | Socket | Folder | Link | Sparse | Locked | Made | Gone

MAIN = "etc/supervisor/supervisord.conf"
WORKER = "etc/supervisor/conf.d/worker.conf"
ENV = "var/www/shop/.env"
QUEUE = "var/www/shop/config/queue.php"
LOCK = "var/www/shop/composer.lock"
CACHE = "var/www/shop/bootstrap/cache/config.php"
CRON = "etc/cron.d/shop"

SOUND: Mapping[str, str] = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n",
    "etc/hostname": "shop\n",
    "proc/meminfo": "MemTotal:        8000000 kB\n",
    "proc/cpuinfo": "processor\t: 0\nprocessor\t: 1\n",
    MAIN: (
        "[unix_http_server]\nfile=/var/run/supervisor.sock\nchmod=0700\n\n"
        "[supervisord]\nlogfile=/var/log/supervisor/supervisord.log\npidfile=/var/run/supervisord.pid\n\n"
        "[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n\n"
        "[supervisorctl]\nserverurl=unix:///var/run/supervisor.sock\n\n"
        "[include]\nfiles = /etc/supervisor/conf.d/*.conf\n"
    ),
    WORKER: (
        "[program:shop-worker]\n"
        "command=/usr/bin/php /var/www/shop/artisan queue:work redis --tries=3 --timeout=80 --max-time=3600\n"
        "user=www-data\nautostart=true\nautorestart=true\nstopwaitsecs=100\n"
        "redirect_stderr=true\nstdout_logfile=/var/log/supervisor/shop.log\n"
    ),
    ENV: "APP_ENV=production\nQUEUE_CONNECTION=redis\nCACHE_STORE=redis\n",
    QUEUE: (
        "<?php\n\nreturn [\n    'default' => env('QUEUE_CONNECTION', 'database'),\n    'connections' => [\n"
        "        'redis' => [\n            'driver' => 'redis',\n            'connection' => 'default',\n"
        "            'queue' => 'default',\n            'retry_after' => 90,\n            'block_for' => null,\n"
        "        ],\n    ],\n    'failed' => ['driver' => 'database-uuids', 'table' => 'failed_jobs'],\n];\n"
    ),
    LOCK: '{"packages": [{"name": "laravel/framework", "version": "v10.48.0"}]}\n',
    "var/www/shop/artisan": "#!/usr/bin/env php\n",
    "var/log/supervisor/.keep": "",
    CRON: "* * * * * www-data cd /var/www/shop && /usr/bin/php artisan schedule:run >> /dev/null 2>&1\n",
}
"""A host with one app, one worker and one scheduler, to which no rule objects."""


def build(root: Path, changed: Mapping[str, Content], base: Mapping[str, str] = SOUND) -> None:
    """Make the sound host below a folder, with some of its files being something else."""
    for path, content in {**base, **changed}.items():
        _make(root, path, content)


def _make(root: Path, path: str, content: Content) -> None:
    where = Path(os.path.join(root, path))  # noqa: PTH118 - a name may hold what Path would tidy
    if isinstance(content, Gone):
        return
    where.parent.mkdir(parents=True, exist_ok=True)
    match content:
        case Pipe():
            os.mkfifo(where)
        case Socket():
            here = Path.cwd()
            os.chdir(where.parent)  # a socket's whole path may be no longer than 108 bytes
            try:
                with socket.socket(socket.AF_UNIX) as one:
                    one.bind(where.name)
            finally:
                os.chdir(here)
        case Folder(mode):
            where.mkdir()
            where.chmod(mode)
        case Link(target):
            where.symlink_to(target)
        case Sparse(size):
            with where.open("wb") as file:
                file.truncate(size)
        case Locked(text):
            where.write_text(text)
            where.chmod(0)
        case Made(make):
            made = make()
            where.write_bytes(made if isinstance(made, bytes) else made.encode())
        case bytes():
            where.write_bytes(content)
        case str():
            where.write_text(content)


def snapshot(root: Path) -> dict[str, tuple[object, ...]]:
    """Everything below a folder: kind and mode, and what is in it."""
    found: dict[str, tuple[object, ...]] = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            where = Path(folder, name)
            status = where.lstat()
            held: object = status.st_size
            if stat.S_ISLNK(status.st_mode):
                held = str(Path(where).readlink())
            elif stat.S_ISDIR(status.st_mode):
                held = None
            elif stat.S_ISREG(status.st_mode) and status.st_size < 32 * 1024 * 1024:
                held = hashlib.blake2b(where.read_bytes()).hexdigest()
            found[str(where.relative_to(root))] = (status.st_mode, held)
    return found
