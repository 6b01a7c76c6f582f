"""A host below a test's folder whose own absolute paths hold: a real application, its servers, and a real supervisord."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tests.live.host import Host
from tests.stack.laravel import Laravel
from tests.stack.supervisord import HEAD

MAIN = "etc/supervisor/supervisord.conf"


def real_host(root: Path, env: Mapping[str, str]) -> tuple[Host, Laravel]:
    """A host with one real application; what its files name by this machine's paths is found below the root too."""
    root.mkdir()
    inner = root / str(root.parent).lstrip("/")
    inner.mkdir(parents=True)
    (inner / root.name).symlink_to(os.path.relpath(root, inner))
    (root / "etc/supervisor").mkdir(parents=True)
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (root / "srv").mkdir()
    app = Laravel.lay_out(root / "srv/shop", env=env)
    return Host(root), app


def write_programs(host: Host, programs: str) -> Path:
    """The host's supervisor configuration."""
    conf = host.root / MAIN
    conf.write_text(HEAD.format(folder=conf.parent) + programs)
    return conf


def worker(app: Laravel, name: str = "shop", more: str = "", *, options: str = "") -> str:
    """A program that works the default connection's queues off."""
    command = f"php {app.folder}/artisan queue:work --queue=default,mails --sleep=0.2 --tries=3 --timeout=60 {options}"
    return f"[program:{name}]\ncommand={command.strip()}\nautorestart=true\nstopwaitsecs=70\nstartsecs=0\n{more}"
