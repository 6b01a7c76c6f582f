"""A log read forward: every record once, whatever is done to its files between two looks, and whenever a look is lost."""

# ruff: noqa: D102, D107 - each step of a story says by its name what it does

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from auditor.sources.logs.follow import Log, look
from auditor.sources.logs.formats import Form, Laravel, Output, Supervisord
from auditor.sources.logs.signatures import load_signatures

TABLE = load_signatures()
STAMP = "[2026-03-01 10:00:00] production"
TRACE = '[stacktrace]\n#0 /var/www/app/vendor/x.php(12): A->b()\n#1 {main}\n"}\n'


class Heard:
    """A form of log that writes down which records were told, by the number each bears."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.numbers: list[int] = []

    def last_head(self, buffer: bytes) -> int:
        return self.form.last_head(buffer)

    def tell(self, block: bytes, *, inside: bool) -> Iterator[tuple[str, bytes]]:
        for kind, line in self.form.tell(block, inside=inside):
            self.numbers.append(int(re.findall(rb"number (\d+)", line)[0]))
            yield kind, line


class Host:
    """A log, what is done to it, and a watch of it that may be killed between reading and keeping what it read."""

    def __init__(self, folder: Path, form: Form) -> None:
        self.path = folder / "laravel.log"
        self.form = form
        self.now = 0.0
        self.written = 0
        self.told: list[int] = []
        self.tail = ""
        self.days = 100
        self.path.touch()
        self.kept = look(str(self.path), None, form, self.now).log
        self.writer = self.path.open("ab", buffering=0)

    def record(self) -> str:
        self.written += 1
        if isinstance(self.form, Supervisord):
            return f"2026-03-01 10:00:00,123 INFO gave up: number {self.written} entered FATAL state, too many start retries\n"
        if isinstance(self.form, Output):
            return f"PHP Fatal error:  Allowed memory size of 134217728 bytes exhausted, number {self.written}\n"
        return f"{STAMP}.ERROR: SQLSTATE[HY000] [2002] Connection refused, number {self.written}\n"

    def put(self, text: str) -> None:
        self.writer.write((self.tail + text).encode())
        self.tail = ""

    def write(self) -> None:
        self.put(self.record())

    def trace(self) -> None:
        self.put(self.record() + ("" if isinstance(self.form, Supervisord) else TRACE))

    def harmless(self) -> None:
        self.put(
            "  2026-03-01 10:00:00 App\\Jobs\\Mail ..... 71.46ms DONE\n"
            if isinstance(self.form, Output)
            else f"{STAMP}.INFO: nothing\n"
            if isinstance(self.form, Laravel)
            else "2026-03-01 10:00:00,123 INFO spawned: 'w' with pid 12\n"
        )

    def half(self) -> None:
        text = self.record()
        cut = len(text) // 2
        self.put(text[:cut])
        self.tail = text[cut:]

    def finish(self) -> None:
        self.put("")

    def reopen(self) -> None:
        self.finish()
        self.writer.close()
        self.writer = self.path.open("ab", buffering=0)

    def _make_room(self) -> None:
        for name in sorted(self.path.parent.glob("laravel.log.*"), reverse=True):
            number = int(name.name.split(".")[2])
            name.rename(name.with_name(name.name.replace(f".{number}", f".{number + 1}", 1)))

    def rename(self) -> None:
        """logrotate with create: who has the file open writes on in it until reopen()."""
        self.rename_without_new()
        self.path.touch()

    def rename_without_new(self) -> None:
        """logrotate with nocreate, or supervisord's own rotation a moment before it opens the new file."""
        if self.path.exists():
            self._make_room()
            self.path.rename(f"{self.path}.1")

    def copytruncate(self) -> None:
        if not self.path.exists():
            return
        self.finish()
        self._make_room()
        shutil.copyfile(self.path, f"{self.path}.1")
        os.truncate(self.path, 0)

    def copying(self) -> None:
        """A copy that is being made while the watch looks."""
        if not self.path.exists():
            return
        self._make_room()
        data = self.path.read_bytes()
        for part in (0, len(data) // 2, len(data)):
            Path(f"{self.path}.1").write_bytes(data[:part])
            self.look()
        Path(f"{self.path}.1").unlink()

    def slow_copytruncate(self) -> None:
        """A copy that is whole when the watch looks, and a cut after another line and another look."""
        if not self.path.exists():
            return
        self.finish()
        self._make_room()
        shutil.copyfile(self.path, f"{self.path}.1")
        self.look()
        if os.fstat(self.writer.fileno()).st_ino == self.path.stat().st_ino:
            self.write()
            self.harmless()  # what is read is told as soon as another record begins
        self.look()
        os.truncate(self.path, 0)

    def rename_dated(self) -> None:
        """logrotate with dateext and create."""
        if self.path.exists():
            self.days += 1
            self.path.rename(f"{self.path}-2026{self.days:04}")
        self.path.touch()

    def _idle(self) -> None:
        """Everything has been read."""
        self.finish()
        for _ in range(3):
            self.look()
            self.now += 100

    def recreate(self) -> None:
        """Somebody removes the log, and another one takes its place, and its number too, if the file system likes."""
        if self.path.exists():
            self._idle()
            self.path.unlink()
        self.reopen()

    def empty(self) -> None:
        """Somebody cuts the log to nothing without a copy."""
        if self.path.exists():
            self._idle()
            os.truncate(self.path, 0)

    def vanish(self) -> None:
        """The folder is away for two looks, as one that is mounted elsewhere is; writers have its files open."""
        folder = self.path.parent
        away = folder.with_name("away")
        folder.rename(away)
        self.look()
        folder.mkdir()
        self.look()
        folder.rmdir()
        away.rename(folder)

    def compress(self) -> None:
        """gzip of the newest rotated file, seen half done by the watch; nobody writes in it any more."""
        first = Path(f"{self.path}.1")
        if not first.exists():
            return
        if os.fstat(self.writer.fileno()).st_ino == first.stat().st_ino:
            self.finish()
            self.writer.close()
            self.writer = self.path.open("ab", buffering=0)
        status = first.stat()
        packed = Path(f"{first}.gz")
        data = gzip.compress(first.read_bytes())
        packed.write_bytes(data[: len(data) // 2])
        self.look()
        packed.write_bytes(data)
        os.utime(packed, ns=(status.st_atime_ns, status.st_mtime_ns))
        first.unlink()

    def drop(self) -> None:
        """logrotate removes what is oldest, which has long been read."""
        oldest = sorted(self.path.parent.glob("laravel.log.*"), key=lambda p: int(p.name.split(".")[2]))[3:]
        if oldest:
            self.look()
            self.now += 100
            self.look()
            for each in oldest:
                if os.fstat(self.writer.fileno()).st_ino != each.stat().st_ino:
                    each.unlink()

    def look(self, *, killed: bool = False, asked: Sequence[bool] = ()) -> None:
        self.now += 4
        heard = Heard(self.form)
        answers = iter(asked)
        stopped = lambda: next(answers, bool(asked))  # noqa: E731
        looked = look(str(self.path), self.kept, heard, self.now, stopped=stopped)  # type: ignore[arg-type] # but in name
        if not killed:
            self.kept = looked.log
            self.told += heard.numbers
            assert sum(each.count for each in looked.told.values()) == len(heard.numbers)

    def killed(self) -> None:
        self.look(killed=True)

    def stopped(self) -> None:
        """A look that is asked to end once it has read something."""
        self.look(asked=[False, False, True])

    def wait(self) -> None:
        self.now += 60


STEPS = (
    "write", "write", "trace", "trace", "harmless", "half", "finish", "reopen", "rename", "rename_without_new",
    "rename_dated", "copytruncate", "slow_copytruncate", "copying", "recreate", "empty", "vanish", "compress", "drop",
    "look", "look", "look", "killed", "stopped", "wait",
)  # fmt: skip


@pytest.mark.parametrize(
    "form", [Laravel(TABLE), Output(TABLE), Supervisord(TABLE)], ids=["laravel", "output", "supervisord"]
)
@settings(max_examples=120)
@example(  # a freed inode that the next file takes
    steps=["write", "rename_without_new", "finish", "write", "reopen", "trace", "write", "rename", "compress",
           "copytruncate", "compress", "write", "reopen"]
)  # fmt: skip
@example(steps=["rename", "compress", "write", "write", "copying"])
@example(steps=["half", "look", "copytruncate", "write"])
@example(  # the number of a compressed file that is gone
    steps=["rename", "compress", "rename", "rename", "rename", "drop", "recreate", "write"]
)
@example(  # a copy that is shorter than what was told
    steps=["write", "slow_copytruncate", "half", "look"]
)
@example(  # half a line that is what another file begins with, too
    steps=["write", "rename", "copying", "reopen", "half", "rename", "copying", "copytruncate"]
)
@given(steps=st.lists(st.sampled_from(STEPS), max_size=40))
def test_every_record_once(form: Form, steps: list[str]) -> None:
    """None is lost, none told twice: through rotations of every kind, half-done ones, and kills of the watch."""
    with tempfile.TemporaryDirectory() as folder:
        logs = Path(folder, "logs")
        logs.mkdir()
        host = Host(logs, form)
        for step in steps:
            getattr(host, step)()
        host.finish()
        for _ in range(3):
            host.look()
            host.wait()
        host.writer.close()

        assert sorted(host.told) == list(range(1, host.written + 1))


def test_a_file_for_each_day(tmp_path: Path) -> None:
    """Laravel's daily channel begins a new file each day; the laravel.log of before may still lie there."""
    form = Laravel(TABLE)
    path = tmp_path / "laravel.log"
    path.write_text(f"{STAMP}.ERROR: of long ago\n")
    (tmp_path / "laravel-2026-03-01.log").write_text(f"{STAMP}.ERROR: of before\n")
    log = look(str(path), None, form, 1000.0).log
    told = 0
    for day in range(1, 5):
        with (tmp_path / f"laravel-2026-03-{day:02}.log").open("a") as file:
            file.write(f"{STAMP}.ERROR: of day {day}\n{STAMP}.INFO: nothing\n")
        looked = look(str(path), log, form, 1000.0 + day)
        log, told = looked.log, told + sum(each.count for each in looked.told.values())
        assert told == day

    (tmp_path / "laravel-2026-03-01.log").unlink()
    (tmp_path / "laravel-old-notes.log").write_text(f"{STAMP}.ERROR: of nobody's\n{STAMP}.INFO: nothing\n")
    assert look(str(path), log, form, 2000.0).told == {}


IDLE = "No scheduled commands are ready to run.\n"
FATAL = "PHP Fatal error:  Allowed memory size of 134217728 bytes exhausted, number {}\n"


def _numbers(log: Log, path: Path, now: float) -> tuple[Log, list[int]]:
    """One look at the output of a scheduler, and the records that it told."""
    heard = Heard(Output(TABLE))
    looked = look(str(path), log, heard, now)  # type: ignore[arg-type] # it is one but in name
    return looked.log, heard.numbers


@pytest.mark.parametrize("way", ["rename", "copytruncate", "compress"])
@pytest.mark.parametrize("lines", [3, 60])
def test_days_that_begin_alike(tmp_path: Path, way: str, lines: int) -> None:
    """A scheduler prints the same line each minute: a watch that was away knows yesterday's log from the one before."""
    path = tmp_path / "scheduler.log"
    log = look(str(path), None, Output(TABLE), 0.0).log
    told: list[int] = []
    for day in range(6):
        with path.open("a") as file:
            file.write(IDLE * lines + FATAL.format(3 * day) + IDLE)
        log, numbers = _numbers(log, path, day * 1e5)
        told += numbers
        with path.open("a") as file:  # the watch is away: what follows it sees afterwards
            file.write(IDLE * lines + FATAL.format(3 * day + 1) + IDLE)
        for number in range(3, 0, -1):
            for old in tmp_path.glob(f"scheduler.log.{number}*"):
                old.rename(str(old).replace(f".log.{number}", f".log.{number + 1}"))
        for old in tmp_path.glob("scheduler.log.4*"):
            old.unlink()
        if way == "copytruncate":
            shutil.copyfile(path, f"{path}.1")
        elif way == "rename":
            path.rename(f"{path}.1")
        else:
            Path(f"{path}.1.gz").write_bytes(gzip.compress(path.read_bytes()))
        with path.open("w") as file:
            file.write(IDLE * lines * 6 + FATAL.format(3 * day + 2) + IDLE)
        log, numbers = _numbers(log, path, day * 1e5 + 5e4)
        told += numbers

    assert told == list(range(18))


def test_the_first_look_falls_into_a_copy(tmp_path: Path) -> None:
    """What is in the log then is history, in its copy too, however the copy ends."""
    path, copy = tmp_path / "laravel.log", tmp_path / "laravel.log.1"
    form = Laravel(TABLE)
    records = [f"{STAMP}.ERROR: Too many connections, number {number}\n" for number in range(50)]
    path.write_text("".join(records))
    copy.write_text("".join(records)[:1500])
    log = look(str(path), None, form, 0.0).log
    copy.write_text("".join(records))
    log = look(str(path), log, form, 4.0).log
    with path.open("w") as file:
        file.write(f"{STAMP}.ERROR: Too many connections, number 50\n{STAMP}.INFO: nothing\n")

    looked = look(str(path), log, form, 8.0)

    assert {kind: told.count for kind, told in looked.told.items()} == {"connections": 1}


ZSTD = import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
PACK: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda data: ZSTD.compress(data, options={ZSTD.CompressionParameter.checksum_flag: 1}),
}


@pytest.mark.parametrize("ending", PACK)
def test_what_is_compressed_at_once_is_read_on(tmp_path: Path, ending: str) -> None:
    """It goes on behind what was told before, and is read once."""
    path = tmp_path / "laravel.log"
    form = Laravel(TABLE)
    path.touch()
    log = look(str(path), None, form, 0.0).log
    path.write_text(f"{STAMP}.ERROR: Too many connections\n{STAMP}.INFO: nothing\n")
    log = look(str(path), log, form, 4.0).log
    with path.open("a") as file:
        file.write(f"{STAMP}.ERROR: Too many connections, again\n{STAMP}.ERROR: deadlock detected\n")
    Path(f"{path}.1.{ending}").write_bytes(PACK[ending](path.read_bytes()))
    path.unlink()

    looked = look(str(path), log, form, 8.0)

    assert {kind: told.count for kind, told in looked.told.items()} == {"connections": 1, "deadlock": 1}
    assert looked.lost == ""
    assert look(str(path), looked.log, form, 12.0).told == {}


def test_without_its_library_zstd_is_said_not_to_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, with what reads it."""
    for package in ("compression", "backports"):
        monkeypatch.setitem(sys.modules, package, None)
    path = tmp_path / "laravel.log"
    form = Laravel(TABLE)
    log = look(str(path), None, form, 0.0).log
    Path(f"{path}.1.zst").write_bytes(ZSTD.compress(b"anything"))

    looked = look(str(path), log, form, 4.0)

    assert looked.lost == f"{path}.1.zst cannot be read: it is compressed with zstd; queue-auditor[zstd] reads that"
    assert look(str(path), looked.log, form, 8.0).lost == ""


@pytest.mark.parametrize("ending", PACK)
@pytest.mark.parametrize("damage", ["cut", "wrong", "none"])
def test_a_damaged_archive_is_said_once(tmp_path: Path, ending: str, damage: str) -> None:
    """What can be read of it is read, and nothing else suffers by it."""
    path = tmp_path / "laravel.log"
    form = Laravel(TABLE)
    log = look(str(path), None, form, 0.0).log
    text = "".join(f"{STAMP}.ERROR: Too many connections, number {n}, {os.urandom(40).hex()}\n" for n in range(4_000))
    data = bytearray(PACK[ending](text.encode()))
    if damage == "cut":
        del data[len(data) // 2 :]
    elif damage == "wrong":
        data[len(data) // 2 : len(data) // 2 + 64] = bytes(64)
    Path(f"{path}.1.{ending}").write_bytes(data if damage != "none" else b"nothing of the kind")
    path.write_text(f"{STAMP}.ERROR: Too many connections\n{STAMP}.INFO: nothing\n")

    looked = look(str(path), log, form, 4.0)

    assert f"{path}.1.{ending} cannot be read: " in looked.lost
    assert 1 <= looked.told["connections"].count < 4_001
    assert looked.told["connections"].count > 1 or damage != "cut" or ending == "bz2"  # one block
    assert look(str(path), looked.log, form, 8.0).lost == ""
    assert look(str(path), looked.log, form, 8.0).told == {}
