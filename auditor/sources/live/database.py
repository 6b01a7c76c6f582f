"""Queues in MySQL, MariaDB and PostgreSQL: one connection, read-only, each statement with a time limit of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from auditor.facts.backend import DatabaseServer, Endpoint, Probe, QueueState
from auditor.sources.live.access import LIMITS, Access, Limits, Queue, Tables
from auditor.sources.live.jobs import Denied, Found, Row, Session, look_into
from auditor.sources.live.looking import Clock, NoAnswer, look, unsupported
from auditor.sources.live.witness import release

STATEMENT = 1.0
"""Seconds a statement may take on the server, which then ends it."""
LOCK_WAIT = 1
"""Seconds to wait for a table that is being altered."""
_MIB = 1024 * 1024
_SOCKETS = ("/var/run/mysqld/mysqld.sock", "/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock")  # noqa: S108
"""Where PHP's mysqlnd and the distributions look for the server's socket when the host is "localhost"."""


class DatabaseLook(NamedTuple):
    """What came of a look at one database."""

    probe: Probe
    """How it went."""
    server: DatabaseServer | None = None
    """The server and the queue's tables; None where it did not answer."""
    queues: tuple[QueueState, ...] = ()
    """Each queue asked for, in that order, then others that hold jobs; () where they could not be read."""


def look_at_sql(
    access: Access, tables: Tables, queues: Sequence[Queue], now: float, zone: str = "UTC", limits: Limits = LIMITS
) -> DatabaseLook:
    """Ask one server for these queues and tables.

    `now` is the time in seconds since 1970 on the clock of who pushes jobs, `zone` the app's time zone. Never raises.
    """
    end = access.endpoint
    sessions: Mapping[str, Any] = {"mysql": _MySql, "mariadb": _MySql, "pgsql": _Postgres}
    kind = sessions.get(end.kind)
    if kind is None:
        return DatabaseLook(not_looked_at(end))

    def ask(clock: Clock) -> Found:
        session = kind(access, limits, clock)
        with clock.closing(session.close):
            return look_into(session, end, tables, queues, now, zone, limits, clock)

    found = look(ask, limits.total, access.password)
    probe = found.probe(end.kind, end.name, end.app, end.connection)
    return DatabaseLook(probe, *found.value) if found.value is not None else DatabaseLook(probe)


_NOT_LOOKED_AT = {
    "sqs": "Amazon SQS is asked through its own API, with the app's keys, which the auditor does not use",
    "beanstalkd": "the auditor does not speak beanstalkd's protocol",
    "sqlsrv": "the auditor does not speak SQL Server's protocol",
    "sync": "jobs run at once, so that there is no queue",
    "null": "jobs are dropped, so that there is no queue",
    "deferred": "jobs run after the response, so that there is no queue",
    "background": "jobs run in a process of their own at once, so that there is no queue",
    "failover": "it has no queue of its own: its members are looked at",
}


def not_looked_at(end: Endpoint) -> Probe:
    """The Probe of a driver that nobody here asks, with the reason."""
    reason = _NOT_LOOKED_AT.get(end.kind, f"the driver {end.kind!r} is not known")
    return unsupported(reason).probe(end.kind, end.name, end.app, end.connection)


@contextmanager
def opened(access: Access, limits: Limits, clock: Clock) -> Iterator[Session]:
    """A session with MySQL or MariaDB until the block's end; raises NoAnswer where it cannot be had."""
    session = _MySql(access, limits, clock)
    with clock.closing(session.close):
        yield session


class _MySql:
    """A connection through PyMySQL."""

    quote = "`"
    mark = "%s"

    def __init__(self, access: Access, limits: Limits, clock: Clock) -> None:
        import pymysql

        self.errors = pymysql.err
        self.clock = clock
        self.connection = self._connect(access, limits, clock)
        version = str(self.rows("SELECT VERSION()")[0][0])
        self.product = "mariadb" if "mariadb" in version.lower() else "mysql"
        self.version = release(version.removeprefix("5.5.5-") if self.product == "mariadb" else version)
        limit = (
            f"max_statement_time = {STATEMENT}"
            if self.product == "mariadb"
            else f"max_execution_time = {STATEMENT * 1000:.0f}"
        )
        for setting in ("TRANSACTION READ ONLY", limit, f"lock_wait_timeout = {LOCK_WAIT}"):
            try:
                self.rows(f"SET SESSION {setting}")
            except NoAnswer as error:
                if error.outcome != "protocol":
                    raise  # an older server knows fewer of them: then only our own time-outs count

    def _connect(self, access: Access, limits: Limits, clock: Clock) -> Any:
        end = access.endpoint
        options: dict[str, Any] = {
            "user": end.username,
            "password": access.password.reveal().encode(),  # PyMySQL itself would take Latin-1
            "database": end.database or None,
            "connect_timeout": clock.within(limits.connect),
            "read_timeout": clock.within(limits.read),
            "write_timeout": clock.within(limits.read),
            "autocommit": True,
            "charset": "utf8mb4",
            "program_name": "queue-auditor",
            # Where neither the app nor the way there asks for it, no certificates are read for a mere attempt.
            "ssl_disabled": not end.tls and (bool(end.socket) or _is_loopback(end.host)),
        }
        socket = end.socket or _local_socket(end.host)
        if socket and not os.path.exists(socket):  # noqa: PTH110
            raise NoAnswer("refused", "its socket is not there")  # PyMySQL would leave its own end open
        if socket:
            options["unix_socket"] = socket
        else:
            options |= {"host": end.host or "127.0.0.1", "port": end.port or 3306}
        if end.tls:
            options["ssl"] = _tls(end)
        try:
            return self._open(options)
        except RuntimeError:
            # MySQL 8's own kind of login wants an encrypted connection, or a library for encrypting the password alone.
            if end.tls or socket:
                raise NoAnswer("unsupported", "its kind of login needs the Python package cryptography") from None
        try:
            return self._open({**options, "ssl": _tls(None), "ssl_disabled": False})
        except RuntimeError:
            raise NoAnswer("unsupported", "its kind of login needs the Python package cryptography") from None

    def _open(self, options: Mapping[str, Any]) -> Any:
        import pymysql

        try:
            return pymysql.connect(**options)
        except self.errors.MySQLError as error:
            raise self._told(error) from (error.__cause__ or error.__context__)

    def close(self) -> None:
        self.connection.close()

    def rows(self, statement: str, *values: object) -> Sequence[Row]:
        self.clock.within(1.0)
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                rows: Sequence[Row] = cursor.fetchall()
                return rows
        except self.errors.MySQLError as error:
            raise self._told(error) from (error.__cause__ or error.__context__)

    def _told(self, error: Exception) -> Exception:
        number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        if number in (1142, 1143, 1370):
            return Denied()
        known = _MYSQL_ERRORS.get(number)
        if known is not None:
            return NoAnswer(*known)
        if number in (2002, 2003, 2006, 2013, 2014, 2026):
            from auditor.sources.live.looking import classify

            cause = error.__cause__ or error.__context__
            told = classify(cause) if isinstance(cause, OSError) else None
            return NoAnswer(*(told or ("gone", "it closed the connection before it had answered")))
        if isinstance(error, self.errors.InternalError) or number == 0:
            return NoAnswer("protocol", "what answers there is neither MySQL nor MariaDB")
        return NoAnswer("protocol", f"it answers with error {number}")

    def columns(self, table: str) -> Mapping[str, str] | None:
        try:
            return {str(row[0]): _words(row[1]) for row in self.rows(f"SHOW COLUMNS FROM {_quoted(table)}")}
        except NoAnswer as error:
            if error.reason == _MYSQL_ERRORS[1146][1]:
                return None
            raise

    def queue_index(self, table: str) -> tuple[bool, str | None]:
        columns: dict[str, dict[int, str]] = {}
        for row in self.rows(f"SHOW INDEX FROM {_quoted(table)}"):
            columns.setdefault(str(row[2]), {})[int(row[3])] = str(row[4])
        present, clause = False, None
        for name, parts in columns.items():
            named = [parts[place] for place in sorted(parts)]
            if named[0] == "queue":
                present = True
                if named in (["queue"], ["queue", "id"]):
                    clause = f" FORCE INDEX ({_quoted(name)})"
        return present, clause

    def server(self) -> tuple[dict[str, Any], dict[str, str]]:
        values: dict[str, Any] = {"version": self.version}
        missing: dict[str, str] = {}
        least = (10, 6) if self.product == "mariadb" else (8, 0, 1)
        if self.version:
            values["skip_locked"] = self.version >= least
        else:
            missing["version"] = missing["skip_locked"] = "it does not tell a version"
        connections, packet, read_only = self.rows("SELECT @@max_connections, @@max_allowed_packet, @@read_only")[0]
        values |= {
            "max_connections": int(connections),
            "max_allowed_packet": int(packet) / _MIB,
            "read_only": str(read_only) in ("1", "ON"),
        }
        open_now = self.rows("SHOW GLOBAL STATUS LIKE 'Threads_connected'")
        if open_now:
            values["connections"] = int(open_now[0][1])
        else:
            missing["connections"] = "it does not tell"
        return values, missing


_MYSQL_ERRORS: Mapping[int, tuple[str, str]] = {
    1040: ("refused", "it has as many connections as it allows"),
    1044: ("auth", "its user may not use that database"),
    1045: ("auth", "it refuses the user or the password"),
    1049: ("refused", "it has no database of that name"),
    1129: ("refused", "it has blocked this host after too many failed connections"),
    1130: ("auth", "it lets no user in from this host"),
    1146: ("gone", "a table is not there"),
    1203: ("refused", "its user has as many connections as it may have"),
    1205: ("timeout", "a table was locked"),
    1226: ("refused", "its user has as many connections as it may have"),
    1524: ("unsupported", "its kind of login is not one that PyMySQL knows"),
    1698: ("auth", "it refuses the user or the password"),
    1969: ("timeout", "a statement took too long"),
    2059: ("unsupported", "its kind of login is not one that PyMySQL knows"),
    3024: ("timeout", "a statement took too long"),
}
"""Error numbers of MySQL and MariaDB, and of PyMySQL's client, to outcome and reason."""


def _local_socket(host: str) -> str:
    """For PHP, "localhost" is the server's socket and never a port."""
    return next((path for path in _SOCKETS if os.path.exists(path)), "") if host == "localhost" else ""  # noqa: PTH110


def _is_loopback(host: str) -> bool:
    return host in ("", "localhost", "::1") or host.startswith("127.")


def _tls(end: Endpoint | None) -> Any:
    import ssl

    if end is not None and end.tls_verified:
        return ssl.create_default_context(cafile=end.tls_authority or None)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _quoted(name: str) -> str:
    return ".".join("`" + part.replace("`", "``") + "`" for part in name.split("."))


def _words(value: object) -> str:
    return (value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)).lower()


class _Postgres:
    """A connection through psycopg, which is an extra."""

    product = "pgsql"
    quote = '"'
    mark = "%s"

    def __init__(self, access: Access, limits: Limits, clock: Clock) -> None:
        try:
            import psycopg
        except ImportError:
            raise NoAnswer("unsupported", "PostgreSQL needs the extra queue-auditor[pgsql]") from None
        self.errors = psycopg
        self.clock = clock
        end = access.endpoint
        milliseconds = int(STATEMENT * 1000)
        mode = "verify-full" if end.tls_verified and end.tls_authority else "require"
        options: dict[str, Any] = {
            "host": end.socket or end.host or "127.0.0.1",
            "port": end.port or 5432,
            "user": end.username,
            "password": access.password.reveal() or None,
            "dbname": end.database or None,
            "connect_timeout": max(2, round(clock.within(limits.connect))),
            "tcp_user_timeout": int(limits.read * 1000),
            "sslmode": mode if end.tls else "prefer",
            "passfile": "/dev/null",  # nobody's own ~/.pgpass
            "application_name": "queue-auditor",
            "options": f"-c statement_timeout={milliseconds} -c lock_timeout={LOCK_WAIT * 1000} "
            "-c default_transaction_read_only=on",
        }
        if end.tls_authority:
            options["sslrootcert"] = end.tls_authority
        try:
            self.connection = psycopg.connect(**options, autocommit=True)
        except psycopg.Error as error:
            raise self._told(error) from None

    def close(self) -> None:
        self.connection.close()

    def rows(self, statement: str, *values: object) -> Sequence[Row]:
        self.clock.within(1.0)
        try:
            return self.connection.execute(statement, values or None).fetchall()
        except self.errors.Error as error:
            raise self._told(error) from None

    def _told(self, error: Any) -> Exception:
        code = error.sqlstate or ""
        if code == "42501":
            return Denied()
        words = str(error).lower()
        for outcome, reason, codes, texts in _POSTGRES_ERRORS:
            if code.startswith(codes) if code else any(text in words for text in texts):
                return NoAnswer(outcome, reason)
        return NoAnswer("protocol", f"it answers with error {code}" if code else "what answers there is no PostgreSQL")

    def columns(self, table: str) -> Mapping[str, str] | None:
        found = self.rows(
            "SELECT a.attname, format_type(a.atttypid, NULL) FROM pg_attribute a "
            "WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped",
            _regclass(table),
        )
        return {str(name): str(kind) for name, kind in found} or None

    def queue_index(self, table: str) -> tuple[bool, str | None]:
        found = self.rows(
            "SELECT i.indnkeyatts FROM pg_index i "
            "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
            "WHERE i.indrelid = to_regclass(%s) AND i.indisvalid AND i.indpred IS NULL AND a.attname = 'queue'",
            _regclass(table),
        )
        # PostgreSQL cannot be told which index to use; its planner reads by id where the queue is most of the table.
        return bool(found), "" if found else None

    def server(self) -> tuple[dict[str, Any], dict[str, str]]:
        number, connections, read_only = self.rows(
            "SELECT current_setting('server_version_num')::int, current_setting('max_connections')::int, "
            "pg_is_in_recovery()"
        )[0]
        open_now = self.rows("SELECT COALESCE(SUM(numbackends), 0) FROM pg_stat_database")[0][0]
        version = (
            (number // 10000, number % 10000)
            if number >= 100000
            else (number // 10000, number // 100 % 100, number % 100)
        )
        values = {
            "version": version,
            "skip_locked": number >= 90500,
            "max_connections": connections,
            "connections": int(open_now),
            "read_only": bool(read_only),
        }
        return values, {}


def _regclass(table: str) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in table.split("."))


_POSTGRES_ERRORS: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("auth", "it refuses the user or the password", ("28",),
     ("authentication failed", "no password supplied", "pg_hba.conf")),
    ("refused", "it has no database of that name", ("3D000",), ("does not exist",)),
    ("refused", "it has as many connections as it allows", ("53300",), ("too many", "remaining connection slots")),
    ("refused", "it is starting or stopping", ("57P",), ("starting up", "shutting down", "recovery mode")),
    ("timeout", "a statement took too long", ("57014", "55P03"), ()),
    ("timeout", "it did not answer in time", (), ("timeout expired", "connection timeout", "timed out")),
    ("refused", "nobody listens there", (), ("connection refused",)),
    ("refused", "its socket is not there", (), ("no such file or directory",)),
    ("denied", "this account may not open it", (), ("permission denied",)),
    ("refused", "its host's name is not known", (),
     ("could not translate host name", "resolve host", "name or service")),
    ("protocol", "its certificate is not one that is trusted here", (),
     ("certificate verify failed", "root certificate file")),
    ("protocol", "the connection cannot be encrypted", (), ("does not support ssl", "ssl error")),
    ("protocol", "what answers there is no PostgreSQL", (),
     ("received invalid response", "expected authentication request")),
    ("gone", "it closed the connection before it had answered", ("08",),
     ("closed the connection", "connection reset", "broken pipe", "connection is lost", "connection is closed")),
)  # fmt: skip
"""Outcome and reason, by SQLSTATE or, where libpq gives none, by its words."""
