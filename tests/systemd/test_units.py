"""systemd's units, as systemd itself reads them."""

from __future__ import annotations

import math
import os
import pathlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.dialects.systemd import assignments, commands, every_minute, time_span, words
from auditor.facts.origin import NEVER
from auditor.facts.schedule import Unit
from auditor.sources.systemd import join_timers, read_unit, read_units
from auditor.sources.tree import Tree

WORKER = """[Unit]
Description=Queue worker
[Service]
User=www-data
WorkingDirectory=/srv/app
ExecStart=/usr/bin/php artisan queue:work --timeout=60
Restart=always
RestartSec=5
TimeoutStopSec=1min 30s
KillMode=mixed
KillSignal=SIGQUIT
MemoryMax=512M
[Install]
WantedBy=multi-user.target
"""


def unit(text: str, name: str = "a.service") -> Unit:
    """One unit read by itself."""
    return read_unit(Tree(os.curdir), f"etc/systemd/system/{name}", text.encode())


def put(root: pathlib.Path, path: str, text: str) -> None:
    """Write a file below the tree."""
    where = root / path
    where.parent.mkdir(parents=True, exist_ok=True)
    where.write_text(text)


def link(root: pathlib.Path, path: str, target: str) -> None:
    """Make a symlink below the tree."""
    where = root / path
    where.parent.mkdir(parents=True, exist_ok=True)
    where.symlink_to(target)


def test_a_worker() -> None:
    """Every key of an ordinary service becomes its field, with its line."""
    found = unit(WORKER)
    assert (found.name, found.kind, found.description) == ("a.service", "service", "Queue worker")
    assert found.exec_start == ("/usr/bin/php artisan queue:work --timeout=60",)
    assert (found.user, found.working_directory, found.restart, found.restart_sec) == (
        "www-data",
        "/srv/app",
        "always",
        5,
    )
    assert (found.timeout_stop, found.kill_mode, found.kill_signal, found.memory_max) == (90, "mixed", "SIGQUIT", 512)
    assert found.wanted_by == ("multi-user.target",)
    place = found.mark("timeout_stop").origin
    assert place is not None
    assert (place.file, place.line, place.text) == ("etc/systemd/system/a.service", 9, "TimeoutStopSec=1min 30s")


# What stands in [Service], the field it decides, and the value.
SERVICE: tuple[tuple[str, str, object], ...] = (
    ("", "timeout_stop", 90.0),
    ("", "restart", "no"),
    ("", "restart_sec", 0.1),
    ("", "kill_signal", "SIGTERM"),
    ("", "user", "root"),
    ("", "memory_max", NEVER),
    ("TimeoutStopSec=infinity", "timeout_stop", NEVER),
    ("TimeoutStopSec=0", "timeout_stop", NEVER),
    ("TimeoutStopSec=3600", "timeout_stop", 3600.0),
    ("TimeoutStopSec=nonsense", "timeout_stop", 90.0),
    ("TimeoutStopSec=5\nTimeoutStopSec=7", "timeout_stop", 7.0),
    ("TimeoutStopSec=5\nTimeoutStopSec=", "timeout_stop", 90.0),
    ("TimeoutSec=20", "timeout_stop", 20.0),
    ("TimeoutSec=20", "timeout_start", 20.0),
    ("Type=oneshot", "timeout_start", NEVER),
    ("Restart=sometimes", "restart", "no"),
    ("Restart=on-failure", "restart", "on-failure"),
    ("KillMode=process", "kill_mode", "process"),
    ("KillSignal=2", "kill_signal", "SIGINT"),
    ("KillSignal=term", "kill_signal", "SIGTERM"),
    ("MemoryMax=1.5G", "memory_max", 1536.0),
    ("MemoryMax=infinity", "memory_max", NEVER),
    ("MemoryLimit=1048576", "memory_max", 1.0),
    ("User = deploy ", "user", "deploy"),
    ("User=deploy\nUser=", "user", "root"),
    ("WorkingDirectory=-/srv/", "working_directory", "/srv"),
    ("ExecStart=/bin/a\nExecStart=/bin/b", "exec_start", ("/bin/a", "/bin/b")),
    ("ExecStart=/bin/a\nExecStart=\nExecStart=/bin/b", "exec_start", ("/bin/b",)),
    ("ExecStart=/bin/a ; /bin/b", "exec_start", ("/bin/a", "/bin/b")),
    ("ExecStart=/bin/sh -c 'a ; b'", "exec_start", ("/bin/sh -c 'a ; b'",)),
    ("ExecStart=-/bin/a", "exec_start", ("/bin/a",)),
    ("ExecStart=-/bin/a", "ignores_failure", True),
    ("ExecStart=!!/bin/a", "exec_start", ("/bin/a",)),
    ("ExecStart=+-/bin/a", "ignores_failure", True),
    ("ExecStart=/bin/date +%%F", "exec_start", ("/bin/date +%F",)),
    ("ExecStart=/bin/echo %n %N", "exec_start", ("/bin/echo a.service a",)),
    ("ExecStart=/bin/a \\\n  --b \\\n  # a remark within\n  --c", "exec_start", ("/bin/a    --b    --c",)),
    ("ExecStart=/bin/a --password=hunter2", "exec_start", ("/bin/a --password=***",)),
    ("Environment=A=1 B=2", "environment", (("A", "1"), ("B", "2"))),
    ("Environment=\"A=1 2\" 'B=3'\nEnvironment=C=4", "environment", (("A", "1 2"), ("B", "3"), ("C", "4"))),
    ("Environment=A=1\nEnvironment=", "environment", ()),
    ("Environment=DB_PASSWORD=hunter2", "environment", (("DB_PASSWORD", "***"),)),
    ("EnvironmentFile=-/srv/.env\nEnvironmentFile=/b", "environment_files", ("/srv/.env", "/b")),
    ("; User=a\n# User=b", "user", "root"),
    ("User", "user", "root"),
    ("user=deploy", "user", "root"),
    ("[Unit]\nUser=deploy", "user", "root"),
)


@pytest.mark.parametrize(("text", "field", "value"), SERVICE)
def test_service_keys(text: str, field: str, value: object) -> None:
    """What a service's settings come to."""
    found = unit(f"[Service]\n{text}\n")
    assert getattr(found, field) == value
    assert not found.is_unknown(field)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("ExecStart=%h/artisan", "exec_start"),
        ("User={{ app_user }}", "user"),
        ("WorkingDirectory=~", "working_directory"),
        ("MemoryMax=50%", "memory_max"),
        ("TimeoutStopSec={{ stop }}", "timeout_stop"),
        ("{% if x %}\nTimeoutStopSec=5\n{% endif %}", "timeout_stop"),
        ("{% for x in y %}\nExecStart=/bin/a\n{%- endfor %}", "exec_start"),
    ],
)
def test_what_cannot_be_known(text: str, field: str) -> None:
    """A specifier, a placeholder and a condition of a template make a field unknown."""
    found = unit(f"[Service]\n{text}\nRestart=always\n", "a.service.j2")
    assert found.name == "a.service"
    assert found.is_unknown(field)
    assert found.restart == "always"
    assert not found.is_unknown("restart")


def test_instance_of_a_template() -> None:
    """An instance knows what %i is; the template itself does not."""
    assert unit("[Service]\nExecStart=/bin/a %i %p\n", "w@3.service").exec_start == ("/bin/a 3 w",)
    assert unit("[Service]\nExecStart=/bin/a %i\n", "w@.service").is_unknown("exec_start")


# Checked against systemd-analyze timespan of systemd 252.
SPANS: tuple[tuple[str, float | None], ...] = (
    ("90", 90), ("1min 30s", 90), ("5min20s", 320), ("1.5s", 1.5), (".5s", 0.5), ("2h 30min", 9000), ("0", 0),
    ("500ms", 0.5), ("100us", 0.0001), ("1w", 604800), ("1 month", 2629800), ("1M", 2629800), ("1m", 60),
    ("1y", 31557600), ("2 d 3 h", 183600), ("infinity", math.inf), ("", None), ("bogus", None), ("5 foo", None),
    ("-1", None), ("1.5.2", None), ("5s garbage", None),
)  # fmt: skip


@pytest.mark.parametrize(("text", "seconds"), SPANS)
def test_time_spans(text: str, seconds: float | None) -> None:
    """Time spans come to the seconds that systemd-analyze gives."""
    assert time_span(text) == seconds


# Checked against systemd-analyze calendar of systemd 252.
CALENDARS: tuple[tuple[str, bool | None], ...] = (
    ("minutely", True), ("*:*", True), ("*:0/1", True), ("*-*-* *:*:00", True), ("*:00/1:00", True), ("*:*:0/10", True),
    ("Mon..Sun *:*", True), ("*-*-* *:*:00 UTC", True), ("*-*-* *:*:00 Europe/Berlin", True), ("*-01..12-* *:*", True),
    ("*:0..59", True), ("0/1:0/1", True), ("*:*:*", True), ("hourly", False), ("daily", False), ("*:0/5", False),
    ("Mon..Fri *:*", False), ("Sat,Sun *:*", False), ("12:00", False), ("*:1/1", False), ("2025-*-* *:*", False),
    ("*-*~01 *:*", False), ("Mon", False), ("*:0/60", None), ("*:*/1", None), ("foo", None), ("Fri..Mon *:*", None),
    ("", None),
)  # fmt: skip


@pytest.mark.parametrize(("text", "every"), CALENDARS)
def test_calendars(text: str, every: bool | None) -> None:
    """A calendar expression elapses in every minute, or not; what systemd refuses cannot be told."""
    assert every_minute(text) is every


@pytest.mark.parametrize(
    ("text", "every"),
    [
        ("OnCalendar=*:*", True),
        ("OnCalendar=daily", False),
        ("OnCalendar=daily\nOnCalendar=\nOnCalendar=minutely", True),
        ("OnUnitActiveSec=1min", True),
        ("OnUnitActiveSec=60", True),
        ("OnUnitActiveSec=5min", False),
        ("OnBootSec=1min", False),
        ("OnCalendar={{ when }}", None),
        ("OnCalendar=*:0/2\nOnCalendar=*:1/2", None),
        ("OnUnitInactiveSec=30", None),
    ],
)
def test_timers(text: str, every: bool | None) -> None:
    """Whether a timer fires in every minute, where that can be told."""
    found = unit(f"[Timer]\n{text}\n", "a.timer")
    assert (found.kind, found.activates) == ("timer", "a.service")
    assert found.is_unknown("every_minute") is (every is None)
    assert found.every_minute is (every is True)


def test_a_host(tmp_path: pathlib.Path) -> None:
    """Units that run artisan or supervisord are found with their timers; others, aliases and copies are not."""
    put(tmp_path, "etc/systemd/system/worker.service", WORKER)
    put(tmp_path, "usr/lib/systemd/system/worker.service", WORKER.replace("60", "61"))
    put(tmp_path, "usr/lib/systemd/system/ssh.service", "[Service]\nExecStart=/usr/sbin/sshd\n")
    put(tmp_path, "usr/lib/systemd/system/supervisor.service", "[Service]\nExecStart=/usr/bin/supervisord -n\n")
    put(tmp_path, "etc/systemd/system/tick.service", "[Service]\nType=oneshot\nExecStart=php artisan schedule:run\n")
    put(tmp_path, "etc/systemd/system/every.timer", "[Timer]\nOnCalendar=minutely\nUnit=tick.service\n")
    put(tmp_path, "etc/systemd/system/other.timer", "[Timer]\nOnCalendar=minutely\n")
    link(tmp_path, "lib", "usr/lib")
    link(tmp_path, "etc/systemd/system/alias.service", "worker.service")
    link(tmp_path, "etc/systemd/system/multi-user.target.wants/worker.service", "../worker.service")
    link(tmp_path, "etc/systemd/system/timers.target.wants/every.timer", "/etc/systemd/system/every.timer")
    found = {one.name: one for one in read_units(Tree(tmp_path))}
    assert sorted(found) == ["every.timer", "supervisor.service", "tick.service", "worker.service"]
    assert found["worker.service"].exec_start == ("/usr/bin/php artisan queue:work --timeout=60",)
    assert [found[name].enabled for name in sorted(found)] == [True, False, True, True]
    assert found["tick.service"].triggered_by == ("every.timer",)
    assert found["every.timer"].activates == "tick.service"


def test_drop_ins_change_a_unit(tmp_path: pathlib.Path) -> None:
    """Drop-ins are read by file name, a stronger folder's file instead of a weaker one's, and may reset a list."""
    put(tmp_path, "usr/lib/systemd/system/app-worker.service", WORKER)
    put(tmp_path, "usr/lib/systemd/system/app-worker.service.d/20-stop.conf", "[Service]\nTimeoutStopSec=20\n")
    put(tmp_path, "etc/systemd/system/app-worker.service.d/20-stop.conf", "[Service]\nTimeoutStopSec=30\n")
    put(tmp_path, "etc/systemd/system/app-worker.service.d/10-first.conf", "[Service]\nTimeoutStopSec=10\nExecStart=\n")
    put(tmp_path, "etc/systemd/system/app-.service.d/30-all.conf", "[Service]\nExecStart=/bin/php artisan x\n")
    put(tmp_path, "etc/systemd/system/app-worker.service.d/README", "[Service]\nTimeoutStopSec=1\n")
    (found,) = read_units(Tree(tmp_path))
    assert found.timeout_stop == 30
    assert found.exec_start == ("/bin/php artisan x",)
    assert [path.rpartition("/")[2] for path in found.drop_ins] == ["10-first.conf", "20-stop.conf", "30-all.conf"]
    place = found.mark("timeout_stop").origin
    assert place is not None
    assert place.file == "etc/systemd/system/app-worker.service.d/20-stop.conf"


def test_a_masked_unit(tmp_path: pathlib.Path) -> None:
    """A unit linked to /dev/null is masked, whatever a weaker folder says of it."""
    put(tmp_path, "usr/lib/systemd/system/worker.service", WORKER)
    link(tmp_path, "etc/systemd/system/worker.service", "/dev/null")
    (found,) = read_units(Tree(tmp_path))
    assert (found.masked, found.enabled, found.user) == (True, False, "www-data")


def test_instances_and_defaults(tmp_path: pathlib.Path) -> None:
    """A template's instances are those pulled in, and the manager's own default time-out holds."""
    put(tmp_path, "etc/systemd/system/w@.service", "[Service]\nExecStart=php artisan queue:work\n")
    link(tmp_path, "etc/systemd/system/multi-user.target.wants/w@1.service", "../w@.service")
    link(tmp_path, "etc/systemd/system/multi-user.target.wants/w@2.service", "../w@.service")
    put(tmp_path, "etc/systemd/system.conf", "[Manager]\nDefaultTimeoutStopSec=15s\n")
    (found,) = read_units(Tree(tmp_path))
    assert (found.instances, found.enabled, found.timeout_stop) == (("1", "2"), True, 15)


def test_users_own_units_and_overrides(tmp_path: pathlib.Path) -> None:
    """A user's unit runs as that user, whom the file does not name; overrides stand in for files."""
    text = b"[Service]\nExecStart=php artisan queue:work\n"
    (found,) = read_units(Tree(tmp_path), {"home/deploy/.config/systemd/user/q.service": text})
    assert (found.scope, found.is_unknown("user")) == ("user", True)
    (other,) = read_units(Tree(tmp_path), {"etc/systemd/system/q.service": text})
    assert (other.scope, other.user) == ("system", "root")


def test_timers_of_a_repository_are_joined() -> None:
    """Units read one by one can be joined afterwards."""
    service = unit("[Service]\nExecStart=php artisan schedule:run\n", "s.service")
    timer = unit("[Timer]\nOnCalendar=minutely\n", "s.timer")
    joined = join_timers((service, timer))
    assert joined[0].triggered_by == ("s.timer",)
    assert joined[0].is_unknown("enabled")


def test_words_and_commands() -> None:
    """Quotes group, backslashes escape, and a quote that stays open is refused."""
    assert words("a 'b c' \"d e\" f\\ g h\\x") == ["a", "b c", "d e", "f g", "hx"]
    assert words("a 'b") is None
    assert words("''") == [""]
    assert commands("a ; -b ; ") == (["a", "b"], True)


@settings(deadline=None, max_examples=200)
@given(st.one_of(st.binary(max_size=300), st.text("[]Service\nExtr=\\;# %'\"{}-", max_size=120).map(str.encode)))
def test_any_bytes_are_read(data: bytes) -> None:
    """No input breaks the reader, and lines are numbered as they are written."""
    for one in assignments(data):
        assert 1 <= one.number <= data.count(b"\n") + 1
    unit(data.decode("utf-8", "replace"))
    read_unit(Tree(os.curdir), "x.timer", data)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=60))
def test_any_text_is_a_span_or_none(text: str) -> None:
    """Time spans, calendars and words of any text come to something or to nothing."""
    time_span(text)
    every_minute(text)
    words(text)
    commands(text)
