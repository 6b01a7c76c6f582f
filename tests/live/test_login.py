"""A password of any characters logs in, and a loopback server is not asked for encryption that nobody configured."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from auditor.audit import look
from auditor.facts.supervisor import HttpServer
from auditor.sources.live.access import Limits, Queue, Secret, Tables
from auditor.sources.live.app_settings import AppSettings
from auditor.sources.live.database import look_at_sql
from auditor.sources.live.redis import look_at_redis
from auditor.sources.live.settings import database_access, redis_access
from auditor.sources.live.supervisord import ask_supervisord
from auditor.sources.tree import Tree
from tests.live import faulty
from tests.live.host import APP, Host
from tests.live.test_faults import MARIADB_GREETING
from tests.stack import mariadb
from tests.stack.polling import until
from tests.stack.processes import Child
from tests.stack.redis import Redis
from tests.stack.supervisord import HEAD, SOCKET, WORDS

PASSWORDS = ("pässwörd", "пароль-密码", "a'b\"c\\d e", "%41%zz")
"""Latin letters with marks, other scripts, quotes and blanks, what looks like an escape."""


@pytest.mark.parametrize("password", PASSWORDS)
def test_mariadb(password: str, database: mariadb.Database) -> None:
    """PHP sends a password as UTF-8, and so do we."""
    quoted = password.replace("\\", "\\\\").replace("'", "''")
    database.sql(f"CREATE OR REPLACE USER 'other'@'127.0.0.1' IDENTIFIED BY '{quoted}'; "
                 f"GRANT ALL ON {database.name}.* TO 'other'@'127.0.0.1'")  # fmt: skip
    access = database_access({"driver": "mysql", "host": "127.0.0.1", "port": database.server.port,
                              "database": database.name, "username": "other", "password": password})  # fmt: skip

    probe = look_at_sql(access, Tables(), [Queue("default")], 1e9).probe

    assert (probe.outcome, probe.reason) == ("ok", "")


@pytest.mark.parametrize("password", PASSWORDS)
def test_redis(password: str, redis_server: Redis) -> None:
    """Redis compares bytes, those of UTF-8."""
    redis_server.cli("CONFIG", "SET", "requirepass", password)
    access = redis_access({"port": redis_server.port, "password": password})

    probe = look_at_redis(access, [Queue("default")], 1e9).probe

    assert (probe.outcome, probe.reason) == ("ok", "")


def test_supervisord(tmp_path: Path) -> None:
    """supervisord takes the two of HTTP's basic authentication as UTF-8."""
    conf, socket_ = tmp_path / "supervisord.conf", tmp_path / SOCKET
    head = HEAD.format(folder=tmp_path)
    words = f"file={socket_}\nusername=someone\npassword=пароль: ä"
    conf.write_text(head.replace(f"file={socket_}", words, 1), encoding="utf-8")
    server = HttpServer(section="unix_http_server", kind="unix", file=str(socket_), username="someone")
    child = Child([*WORDS["pypi"], "-n", "-c", str(conf)], tmp_path / "output.log")
    try:
        until(socket_.exists, 10, "its socket is there", tmp_path / "output.log")
        assert ask_supervisord(server, Secret("wrong")).probe.outcome == "auth"
        assert ask_supervisord(server, Secret("пароль: ä")).probe.outcome == "ok"
    finally:
        child.end()


def test_no_tls_where_nobody_asks_for_it() -> None:
    """A loopback MariaDB that offers encryption is logged in to without; where the app names a certificate, never."""
    heard: dict[str, bytes] = {}

    def said_to(name: str, options: dict[str, str]) -> bytes:
        def listens(talk: socket.socket, over: threading.Event) -> None:
            talk.settimeout(1)
            heard[name] = talk.recv(4096)

        with faulty.serving(faulty.after(MARIADB_GREETING, listens)) as port:
            access = database_access({"driver": "mysql", "host": "127.0.0.1", "port": port, "username": "someone",
                                      "password": "p", "database": "d", "options": options})  # fmt: skip
            look_at_sql(access, Tables(), [], 1e9, limits=Limits(1, 1, 2))
        return heard.get(name, b"")

    plain = said_to("plain", {})
    assert b"someone" in plain
    assert not plain[5] & 0x08, "CLIENT_SSL, in the second byte of its flags"
    assert b"someone" not in said_to("configured", {"1009": "/none/ca.pem"})


def test_the_certificate_of_laravels_own_configuration(tmp_path: Path) -> None:
    """What config/database.php takes from MYSQL_ATTR_SSL_CA, if PHP has pdo_mysql, makes the look an encrypted one."""
    host = Host.of(tmp_path, {"MYSQL_ATTR_SSL_CA": "/etc/ssl/db.pem", "QUEUE_CONNECTION": "database"})
    config = host.root / APP / "config/database.php"
    options = "'options' => extension_loaded('pdo_mysql') ? [PDO::MYSQL_ATTR_SSL_CA => env('MYSQL_ATTR_SSL_CA')] : []"
    config.write_text(config.read_text().replace("'mysql' => [", f"'mysql' => [{options}, "))
    (app,) = look(str(tmp_path)).apps

    end = AppSettings(Tree(tmp_path), app).database("mysql").endpoint

    assert (end.tls, end.tls_verified, end.tls_authority) == (True, True, str(tmp_path / "etc/ssl/db.pem"))
