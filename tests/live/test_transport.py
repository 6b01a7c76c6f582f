"""The ways to a server that are no plain port: encrypted, and through a unix socket; asked of real servers."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor.facts.backend import Probe
from auditor.sources.live.access import Queue, Tables
from auditor.sources.live.database import look_at_sql
from auditor.sources.live.redis import look_at_redis
from auditor.sources.live.settings import SSL_CA, database_access, redis_access
from tests.live.real import real_host, worker, write_programs
from tests.live.test_counts import monitored
from tests.stack import mariadb
from tests.stack.fixtures import empty_mariadb
from tests.stack.processes import on_free_port
from tests.stack.redis import Redis

NOW = 2_000_000_000
UNTRUSTED = "its certificate is not one that is trusted here"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca.pem, and key.pem and cert.pem of 127.0.0.1 signed by it; other.pem signed nothing."""
    folder = tmp_path_factory.mktemp("certificates")
    new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    key = ["-keyout", "ca.key", "-out", "ca.pem"]
    for words in (
        [*new, *key, "-subj", "/CN=authority"],
        [*new, "-keyout", "other.key", "-out", "other.pem", "-subj", "/CN=other"],
        [*new, "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=server", "-CA", "ca.pem", "-CAkey", "ca.key",
         "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"],
    ):  # fmt: skip
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
    (folder / "key.pem").chmod(0o644)
    return folder


@pytest.fixture
def redis_tls(tmp_path: Path, certificates: Path) -> Iterator[tuple[Redis, int]]:
    """A Redis, and the port at which it speaks TLS."""
    files = [f"--tls-{name}-file" for name in ("cert", "key", "ca-cert")]
    paths = [str(certificates / name) for name in ("cert.pem", "key.pem", "ca.pem")]
    options = [word for pair in zip(files, paths, strict=True) for word in pair]
    ports: list[int] = []

    def start(port: int) -> Redis:
        ports.append(port)
        return Redis.start(tmp_path, "--tls-port", str(port), *options, "--tls-auth-clients", "no")

    server = on_free_port(start)
    try:
        yield server, ports[-1]
    finally:
        server.stop()


def test_redis_by_tls(redis_tls: tuple[Redis, int], certificates: Path, tmp_path: Path) -> None:
    """A real Laravel's jobs in a Redis that it reaches by TLS; whom the app does not trust, the look does not either."""
    _, port = redis_tls
    env = {"QUEUE_CONNECTION": "redis", "REDIS_HOST": "tls://127.0.0.1", "REDIS_PORT": str(port)}
    host, app = real_host(tmp_path / "host", env)
    config = app.folder / "config/database.php"
    stream = f"'context' => ['stream' => ['cafile' => '{certificates}/ca.pem']],"
    config.write_text(
        config.read_text().replace("'default' => [\n            'url'", f"'default' => [{stream}\n            'url'")
    )
    inside = host.root / str(certificates).lstrip("/")
    inside.parent.mkdir(parents=True, exist_ok=True)
    inside.symlink_to(certificates)
    write_programs(host, worker(app))
    app.push("J", count=2).must()

    told = json.loads(host.run("facts", "--live").output)["live"]

    sizes = {queue["name"]: queue["size"] for queue in told["queues"]}
    assert sizes == monitored(app, "redis", ("default", "mails")) == {"default": 2, "mails": 0}

    def probe(host: str, **stream: Any) -> Probe:
        settings = {"host": host, "port": port, "context": {"stream": stream}}
        return look_at_redis(redis_access(settings), [Queue("default")], NOW).probe

    assert (probe("tls://127.0.0.1").outcome, probe("tls://127.0.0.1").reason) == ("protocol", UNTRUSTED)
    assert probe("tls://127.0.0.1", cafile=str(certificates / "other.pem")).reason == UNTRUSTED
    assert probe("tls://localhost", cafile=str(certificates / "ca.pem")).reason == UNTRUSTED, "it is another's name"
    assert probe("tls://localhost", verify_peer=False).outcome == "ok"
    assert probe("127.0.0.1").outcome in ("gone", "protocol")


def test_mysql_by_tls_and_by_socket(certificates: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A server that takes encrypted logins alone, or those through its socket; it calls itself MySQL 8."""
    with mariadb.open_folder() as folder:
        names = {"ssl-cert": "cert.pem", "ssl-key": "key.pem", "ssl-ca": "ca.pem"}
        shown = shutil.copytree(
            certificates, folder / "certificates"
        )  # pytest's own folder is closed to the server's user
        options = [f"--{option}={shown / name}" for option, name in names.items()]
        server = mariadb.MariaDB.start(folder, empty_mariadb(tmp_path_factory), *options, "--version=8.0.36")
        try:
            with server.database() as made:
                made.sql(f"ALTER USER '{mariadb.USER}'@'127.0.0.1' REQUIRE SSL;"
                         f"CREATE USER '{mariadb.USER}'@'localhost' IDENTIFIED BY '{mariadb.PASSWORD}';"
                         f"GRANT ALL ON {made.name}.* TO '{mariadb.USER}'@'localhost'")  # fmt: skip
                given = {"driver": "mysql", "host": "127.0.0.1", "port": server.port, "database": made.name,
                         "username": mariadb.USER, "password": mariadb.PASSWORD}  # fmt: skip

                def probe(**more: Any) -> Probe:
                    return look_at_sql(database_access({**given, **more}), Tables(), [], NOW).probe

                def by(authority: str) -> dict[str, str]:
                    return {SSL_CA: str(certificates / authority)}

                seen = look_at_sql(database_access({**given, "options": by("ca.pem")}), Tables(), [], NOW)
                assert seen.probe.outcome == "ok", seen.probe.reason
                assert seen.server is not None
                assert (seen.server.product, seen.server.version, seen.server.skip_locked) == (
                    "mysql",
                    (8, 0, 36),
                    True,
                )
                assert probe().outcome == "auth"
                assert probe(options=by("other.pem")).reason == UNTRUSTED
                assert probe(unix_socket=str(folder / "data" / mariadb.SOCKET)).outcome == "ok"
                assert probe(unix_socket=str(folder / "data" / "none.sock")).outcome == "refused"
        finally:
            server.stop()
