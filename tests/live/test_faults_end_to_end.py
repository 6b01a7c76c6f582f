"""Every backend of a host misbehaves at once, each app's in its own way: one finding or one skip each, in bounded time."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from pathlib import Path

from tests.live import faulty
from tests.live.host import NOW, SUPERVISOR, Host, found, skipped
from tests.live.test_faults import MARIADB_GREETING
from tests.stack.processes import free_port

MAINS = ("etc/supervisor/supervisord.conf", "etc/supervisord.conf", "usr/local/etc/supervisord.conf",
         "usr/etc/supervisord.conf")  # fmt: skip
"""Where a host may have a supervisord; there is one for each way to misbehave."""
MOST = 30.0
"""Seconds that the whole audit may take: two rounds of looks of 5 s each, and a busy machine."""


def refuses_us(talk: socket.socket, over: threading.Event) -> None:
    """Answer as a Redis that knows another password."""
    talk.settimeout(0.5)
    with contextlib.suppress(OSError):
        while talk.recv(4096):
            talk.sendall(b"-WRONGPASS invalid username-password pair or user is disabled.\r\n")


WAYS: dict[str, faulty.Way] = {
    "hangs": faulty.hangs,
    "hangs-up": faulty.hangs_up,
    "http": faulty.speaks_http,
    "nonsense": faulty.speaks_nonsense,
}


def test_every_backend_misbehaves_at_once(tmp_path: Path) -> None:
    """Fourteen apps and four daemons misbehave: each is told once, the one app that is well is audited as if alone."""
    host = Host.of(tmp_path, {"QUEUE_CONNECTION": "database", "QUEUE_FAILED_DRIVER": "null"})
    host.sqlite(f"INSERT INTO jobs VALUES (1, 'default', '', 0, NULL, {NOW - 7200}, {NOW - 7200});")
    static = json.loads(host.run("audit", "--format", "json", "--no-config").output)
    wanted: dict[str, str] = {}
    with contextlib.ExitStack() as open_ones:

        def app(name: str, port: int, outcome: str, **env: str) -> None:
            host.add_app(f"var/www/{name}", {"QUEUE_FAILED_DRIVER": "null", "REDIS_PASSWORD": "canary-pass",
                         "DB_PASSWORD": "canary-pass", "REDIS_PORT": str(port), "DB_PORT": str(port), **env})  # fmt: skip
            wanted[f"var/www/{name}"] = outcome

        for name, way in WAYS.items():
            app(f"redis-{name}", open_ones.enter_context(faulty.serving(way)), "unreachable", QUEUE_CONNECTION="redis")
            greeted = faulty.after(MARIADB_GREETING, way) if name == "hangs-up" else way
            port = open_ones.enter_context(faulty.serving(greeted))
            app(f"mysql-{name}", port, "unreachable", QUEUE_CONNECTION="database", DB_CONNECTION="mysql")
            port = open_ones.enter_context(faulty.serving(way))
            app(f"pgsql-{name}", port, "unreachable", QUEUE_CONNECTION="database", DB_CONNECTION="pgsql")
        app("redis-dead", free_port(), "unreachable", QUEUE_CONNECTION="redis")
        port = open_ones.enter_context(faulty.serving(refuses_us))
        app("redis-auth", port, "auth-refused", QUEUE_CONNECTION="redis")
        for main, way in zip(MAINS, WAYS.values(), strict=True):
            port = open_ones.enter_context(faulty.serving(way))
            inet = f"[inet_http_server]\nport=127.0.0.1:{port}\nusername=u\npassword=canary-pass"
            text = SUPERVISOR.replace("[unix_http_server]\nfile=/run/supervisor.sock", inet)
            idle = text.partition("[program:")[0] + "[program:idle]\ncommand=/bin/sleep 60\n"
            host.write(main, text if main == MAINS[0] else idle)

        told = host.run("audit", "--live", "--now", str(NOW), "--format", "json", "--no-config")

    assert told.status == 1
    assert not told.errors
    assert told.seconds < MOST
    assert "canary-pass" not in told.output
    report = json.loads(told.output)
    rules = ("unreachable", "auth-refused")
    findings = [(rule, one) for rule in rules for one in found(report, f"backend/{rule}")]
    by_app = {
        one["locations"][0]["file"].removesuffix("/config/queue.php"): rule for rule, one in findings if "database (" in
        one["subject"] or "redis (" in one["subject"]
    }  # fmt: skip
    left = {one["subject"] for one in skipped(report, "backend/unreachable")}
    pgsql = {name for name in wanted if "pgsql" in name} - set(by_app)
    assert len(left) == len(pgsql), "PostgreSQL without its extra is skipped, and nothing else is"
    assert by_app == {name: rule for name, rule in wanted.items() if name not in pgsql}
    daemons = [one for _, one in findings if one["subject"].startswith("http://127.0.0.1")]
    assert sorted(one["locations"][0]["file"] for one in daemons) == sorted(MAINS)
    assert len(findings) == len(by_app) + len(MAINS)
    (old,) = found(report, "backend/backlog-old")
    assert "has waited 2 h." in old["message"]
    alone, beside = ({one["key"] for one in each["findings"] if one["subject"] == "shop"} for each in (static, report))
    assert alone == beside
