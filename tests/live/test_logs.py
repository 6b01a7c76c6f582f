"""What an app's own log tells of the last day: in records that a real Laravel wrote, and whatever else lies there."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor.facts.laravel import App
from auditor.facts.logged import LogEvents
from auditor.facts.site import Site
from auditor.sources.live.logs import TAIL, look_at_logs
from auditor.sources.tree import Tree
from tests.live.host import Host, found, skipped
from tests.live.real import real_host, worker, write_programs
from tests.stack.backends import on_redis
from tests.stack.redis import Redis

LOG = "app/storage/logs/laravel.log"
FULL = "production.ERROR: OOM command not allowed when used memory > 'maxmemory'.\n"
OUT_OF_MEMORY = "production.ERROR: Allowed memory size of 134217728 bytes exhausted\n"
STAMP = 1_772_359_200
"""What 2026-03-01 10:00:00 is in seconds, taken for UTC."""


def at(ago: float, text: str = FULL) -> str:
    """A record of that long before 10:00:00."""
    return f"[{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(STAMP - ago))}] {text}"


def look(folder: Path, quiet: float = 0.0, now: float = 1e9) -> tuple[LogEvents, ...]:
    """What the logs of a host's one app tell where each was last written to `quiet` seconds before `now`."""
    for path in (folder / LOG).parent.iterdir():
        if path.is_file():
            os.utime(path, (now - quiet, now - quiet))
    return look_at_logs(Tree(str(folder)), Site(name=str(folder), apps=(App(name="app"),)), now)


def write(folder: Path, text: str, name: str = LOG) -> Path:
    """A log of this content."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_records_of_a_real_laravel(redis_server: Redis, tmp_path: Path) -> None:
    """A Redis that is full, as Laravel's own log tells it in each of its forms, is one finding, whatever its clock's zone."""
    host, app = real_host(tmp_path / "host", on_redis(redis_server).env)
    write_programs(host, worker(app))
    app.configure("app.timezone", "'Asia/Tokyo'")
    redis_server.cli("CONFIG", "SET", "maxmemory", "1")
    app.push("J", connection="none")  # an error of the app's own: by itself it is not told
    app.push("J")

    (full,) = found(host.audit(), "backend/log-events")

    assert full["severity"] == "warning"
    said = "srv/shop/storage/logs/laravel.log tells that Redis is full and takes no more jobs: 1 record within a day, the last"
    assert said in full["message"]
    assert full["advice"].startswith("Raise maxmemory")

    site = Site(name=str(host.root), apps=(App(name="srv/shop"),))
    logs = app.folder / "storage/logs"
    for channel in ("daily", "json"):
        (logs / "laravel.log").unlink()
        app.set_env("LOG_CHANNEL", channel)
        app.push("J")
        (path,) = logs.iterdir()
        (event,) = look_at_logs(Tree(str(host.root)), site, time.time())
        assert (path.name == "laravel.log") == (channel == "json")
        assert (event.kind, event.count, event.enough) == ("redis-memory", 1, True)
        assert event.file == f"srv/shop/storage/logs/{path.name}"
        assert 0 <= event.age < 60
        path.rename(logs / "laravel.log")


def test_a_host_without_a_log(tmp_path: Path) -> None:
    """A log that is not there, or is empty, tells nothing and leaves nothing out."""
    host = Host.of(tmp_path, {"QUEUE_CONNECTION": "database"})
    host.sqlite()
    report = host.audit()
    assert not found(report, "backend/log-events") + skipped(report, "backend/log-events")

    write(tmp_path, "")
    assert look(tmp_path) == ()


@pytest.mark.parametrize(
    ("text", "quiet", "told"),
    [
        (at(7200) + at(3600) + at(0, "production.INFO: fine\n"), 60, ("redis-memory", 2, 3660)),
        (at(90_000) + at(0, "production.INFO: fine\n"), 0, None),
        (at(50_000) + at(0, "production.INFO: fine\n"), 50_000, None),
        (at(0), 86_401, None),
        (at(-60) + at(0), 10, ("redis-memory", 2, 10)),
        ("no log at all\n", 0, None),
        ("[2026-99-99 10:00:00] " + FULL, 0, None),
        ("[2026-03-01 10:00:00\n" * 3, 0, None),
        (at(0, "production.INFO: he wrote OOM command not allowed\n"), 0, None),
        (at(0).rstrip("\n"), 5, ("redis-memory", 1, 5)),
        (at(0).replace(" ", "T", 1).replace("]", ".123456+00:00]", 1), 5, ("redis-memory", 1, 5)),
    ],
)
def test_the_last_day(tmp_path: Path, text: str, quiet: float, told: tuple[str, int, float] | None) -> None:
    """Records count whose age, by the log's own stamps and by when it was last written to, is below a day."""
    write(tmp_path, text)

    events = look(tmp_path, quiet)

    assert [(event.kind, event.count, event.age) for event in events] == ([told] if told else [])


def test_as_many_as_the_table_asks_for(tmp_path: Path) -> None:
    """What means little by itself is told where it comes often within a short time."""
    unknown = "production.ERROR: Something of the app's own\n"
    write(tmp_path, "".join(at(ago, unknown) for ago in range(60_000, 0, -2_900)))
    assert [(event.kind, event.enough) for event in look(tmp_path)] == [("other", False)]

    write(tmp_path, "".join(at(ago, unknown) for ago in range(60, 0, -3)))
    assert [(event.kind, event.count, event.enough) for event in look(tmp_path)] == [("other", 20, True)]


def test_no_more_than_the_end_is_read(tmp_path: Path) -> None:
    """Of a log as large as any only the end is read, and only the file that was last written to."""
    path = write(tmp_path, at(7200))
    size = 1 << 36
    os.truncate(path, size)
    with path.open("r+") as stream:
        stream.seek(size)
        stream.write("\n" + at(0, OUT_OF_MEMORY))
    write(tmp_path, at(0) * (TAIL // len(at(0)) + 1_000), f"{LOG}.1")
    begun = time.monotonic()

    assert [event.kind for event in look(tmp_path)] == ["memory"]
    assert time.monotonic() - begun < 10

    path.unlink()
    (event,) = look(tmp_path)
    assert event.count == TAIL // len(at(0))
    assert (event.name, event.file) == (LOG, f"{LOG}.1")


def link_out(path: Path) -> None:
    """A symlink that leaves the host's root: what it leads to below that is not there."""
    other = path.parents[4] / "other.log"
    other.write_text(at(0))
    path.symlink_to(other)


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, link_out, lambda path: path.symlink_to("/dev/stdout")])
def test_what_is_no_file(tmp_path: Path, make: Callable[[Path], object]) -> None:
    """A pipe, a folder, a link to a terminal or out of the host is no log, and nobody waits for it."""
    root = tmp_path / "root"
    path = root / LOG
    path.parent.mkdir(parents=True)
    make(path)

    assert all(event.is_unknown("count") for event in look(root))


def test_a_log_that_cannot_be_read(tmp_path: Path) -> None:
    """Why it cannot be is told, as a judgement that was left out."""
    folder = tmp_path / LOG
    folder.parent.parent.mkdir(parents=True)
    folder.parent.write_text("a file where the folder should be")

    (event,) = look_at_logs(Tree(str(tmp_path)), Site(name=str(tmp_path), apps=(App(name="app"),)), 1e9)

    assert event.is_unknown("count")
    assert event.mark("count").reason
