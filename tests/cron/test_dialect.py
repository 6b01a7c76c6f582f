"""The line parser reads tables as Debian's own `crontab -n` does."""

from __future__ import annotations

import datetime
import itertools
import json
import math
import pathlib
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.dialects.crontab import Bad, Job, Remark, Setting, parse, refusal, shell_input

HERE = pathlib.Path(__file__).parent
TABLES: list[tuple[str, bool, str]] = [
    *map(tuple, json.loads((HERE / "tables.json").read_text())),
    ("* * * * * " + "a" * 998 + "\n", True, "the longest command"),
    ("* * * * * " + "a" * 999 + "\n", False, "a command too long"),
    ("A=" + "b" * 2000 + "\n", True, "a setting is cut, not refused"),
    ("1" * 999 + " * * * * true\n", False, "a number of 999 digits"),
    ("1" * 1200 + " * * * * true\n", False, "a number of 1,200 digits"),
    ("\n" * 9_999 + "* * * * * true\n", True, "10,000 lines"),
    ("\n" * 10_000 + "* * * * * true\n", False, "10,001 lines"),
]
"""A user's table, whether cron takes it, and what is remarkable about it."""
SCHEDULES: list[tuple[str, float, int]] = [tuple(row) for row in json.loads((HERE / "schedules.json").read_text())]
"""Time fields, the largest gap in minutes, and the runs of a day."""


def crontab_takes(data: bytes, folder: pathlib.Path) -> bool:
    """Whether `crontab -n` finds nothing wrong with a table."""
    table = folder / "table"
    table.write_bytes(data)
    return subprocess.run(["crontab", "-n", str(table)], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A folder for the oracle's tables."""
    return tmp_path_factory.mktemp("cron")


@pytest.mark.parametrize(("text", "taken", "why"), TABLES, ids=[why for _, _, why in TABLES])
def test_agrees_with_crontab(text: str, taken: bool, why: str, folder: pathlib.Path) -> None:
    """Cron takes a table exactly where we find no problem in it."""
    data = text.encode()
    assert crontab_takes(data, folder) is taken, why
    assert (refusal(parse(data, system=False)) is None) is taken, why


ELEMENT = st.one_of(
    st.integers(0, 70).map(str),
    st.sampled_from(["*", "jan", "Dec", "sun", "SAT", "x", "", "~", "?", "L", "00", "007", "4294967301"]),
)
RANGE = st.builds(
    lambda first, dash, last, slash, step: first + (dash + last if dash else "") + (slash + step if slash else ""),
    ELEMENT,
    st.sampled_from(["", "", "-", "-", "~", "--"]),
    ELEMENT,
    st.sampled_from(["", "", "/", "//"]),
    ELEMENT,
)
FIELD = st.lists(RANGE, min_size=1, max_size=3).map(",".join)
STARS = st.sampled_from(["*", "*", "1"])


@settings(deadline=None, max_examples=300)
@given(st.lists(st.one_of(STARS, FIELD), min_size=5, max_size=5), st.sampled_from([" ", "\t", "  "]))
def test_time_fields_agree_with_crontab(folder: pathlib.Path, fields: list[str], blank: str) -> None:
    """Whatever the time fields are, cron and we take the same ones."""
    data = f"{blank.join(fields)}{blank}true\n".encode()
    assert (refusal(parse(data, system=False)) is None) is crontab_takes(data, folder)


PIECE = st.sampled_from([
    b"* * * * * ", b"0 0 1 jan sun ", b"@daily ", b"@", b"true", b"*", b"5", b"=", b" = ", b'"', b"'", b"A", b" ",
    b"\t", b"\n", b"\r\n", b"\r", b"#", b"%", b"\\", b"\0", b"\xff", b"\xc3\xa9", b"\xef\xbb\xbf", b"a" * 500,
])  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.lists(PIECE, max_size=10).map(b"".join), st.sampled_from([b"\n", b"\n", b""]))
def test_any_bytes_agree_with_crontab(folder: pathlib.Path, start: bytes, end: bytes) -> None:
    """Cron and we take the same tables, whatever bytes they are made of."""
    # `NAME="` at a line's end makes cron read past the end of its buffer: what it finds there is chance.
    if any(
        line.rstrip(b"\0").endswith((b'"', b"'")) or b'"\0' in line or b"'\0" in line for line in start.split(b"\n")
    ):
        return
    data = start + end
    assert (refusal(parse(data, system=False)) is None) is crontab_takes(data, folder)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=400), st.booleans())
def test_positions_give_the_text_back(data: bytes, system: bool) -> None:
    """Each line's offsets point at its own bytes, and spans lie in order within it."""
    before = 0
    for line in parse(data, system):
        assert data[line.start : line.start + len(line.text)] == line.text
        assert line.start >= before
        assert line.number == data.count(b"\n", 0, line.start) + 1
        before = line.start + len(line.text)
        if isinstance(line, Job):
            spans = [line.schedule_span, *([line.user_span] if line.user_span else []), line.command_span]
            edges = [edge for span in spans for edge in span]
            assert edges == sorted(edges)


@pytest.mark.parametrize(("fields", "gap", "a_day"), SCHEDULES, ids=[fields for fields, _, _ in SCHEDULES])
def test_schedule_counts_what_runs(fields: str, gap: float, a_day: int) -> None:
    """Every minute, the largest gap and the runs of a day are what counting each minute of two months gives."""
    job = parse(f"{fields} true\n".encode(), system=False)[0]
    assert isinstance(job, Job)
    schedule = job.schedule
    moments = []
    for day in range(59):  # January and February of a year that begins on a Monday
        month, date = (1, day + 1) if day < 31 else (2, day - 30)
        found = [
            60 * hour + minute
            for hour in range(24)
            for minute in range(60)
            if schedule.runs_at(month, date, (day + 1) % 7, hour, minute)
        ]
        moments += [1440 * day + moment for moment in found]
        assert len(found) in (0, a_day)
    counted = max(b - a for a, b in itertools.pairwise(moments))
    assert schedule.runs_per_day == a_day
    assert schedule.largest_gap == gap
    assert counted <= gap
    assert schedule.runs_every_minute is (counted == 1 and len(moments) == 59 * 1440)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.integers(0, 59), min_size=1, max_size=60), st.lists(st.integers(0, 23), min_size=1, max_size=24))
def test_largest_gap_of_a_daily_schedule(minutes: list[int], hours: list[int]) -> None:
    """The largest gap is the one that two days, written out minute by minute, show."""
    fields = f"{','.join(map(str, minutes))} {','.join(map(str, hours))} * * *"
    job = parse(f"{fields} true\n".encode(), system=False)[0]
    assert isinstance(job, Job)
    moments = sorted(1440 * day + 60 * h + m for day in (0, 1) for h in set(hours) for m in set(minutes))
    assert job.schedule.largest_gap == max(b - a for a, b in itertools.pairwise(moments))
    assert job.schedule.runs_every_minute is (len(moments) == 2880)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.integers(1, 31), max_size=3).map(lambda days: ",".join(map(str, days)) or "*"),
    st.lists(st.integers(1, 12), max_size=3).map(lambda months: ",".join(map(str, months)) or "*"),
    st.lists(st.integers(0, 7), max_size=3).map(lambda weekdays: ",".join(map(str, weekdays)) or "*"),
)
def test_largest_gap_between_days(days: str, months: str, weekdays: str) -> None:
    """The largest gap between days is the one that 56 years, day by day, show."""
    job = parse(f"0 0 {days} {months} {weekdays} true\n".encode(), system=False)[0]
    assert isinstance(job, Job)
    first = datetime.date(2001, 1, 1).toordinal()
    dates = map(datetime.date.fromordinal, range(first, first + 2 * 10_227))
    runs = [day.toordinal() for day in dates if job.schedule.runs_on(day.month, day.day, day.isoweekday() % 7)]
    expected = max((b - a for a, b in itertools.pairwise(runs)), default=math.inf)
    assert job.schedule.largest_gap == expected * 1440


@pytest.mark.parametrize(
    ("fields", "runs"),
    [
        ("@reboot", False),
        ("* * * * fri-mon", False),
        ("* * 30 2 *", False),
        ("* * 29 2 *", True),
        ("0 0 1 * fri-mon", True),
    ],
)
def test_some_schedules_never_run(fields: str, runs: bool) -> None:
    """A range that runs backwards and a day that no month has leave a gap without end."""
    job = parse(f"{fields} true\n".encode(), system=False)[0]
    assert isinstance(job, Job)
    assert (job.schedule.largest_gap < math.inf) is runs
    assert job.schedule.at_reboot is (fields == "@reboot")


@pytest.mark.parametrize(
    ("command", "seen", "cut"),
    [
        (b"date +%F", b"date +", 6),
        (b"date +\\%F", b"date +%F", None),
        (b"a\\\\b", b"a\\b", None),
        (b"a\\nb", b"a\\nb", None),
        (b"a\\\\%b", b"a\\", 3),
        (b"%", b"", 0),
        (b"a\\", b"a\\", None),
        (b"plain", b"plain", None),
    ],
)
def test_percent_signs(command: bytes, seen: bytes, cut: int | None) -> None:
    """The first bare percent sign ends the command; a backslash before one, or before a backslash, goes."""
    assert shell_input(command) == (seen, cut)


@pytest.mark.parametrize(
    ("text", "user", "command", "cause"),
    [
        ("* * * * * www-data true\n", "www-data", "true", None),
        ("* * * * *\twww-data\ttrue\n", "www-data", "true", None),
        ("* * * * * root  two blanks\n", "root", " two blanks", None),
        ("@daily root true\n", "root", "true", None),
        ("* * * * * root\n", "root", "", "user-field"),
        ("* * * * *\n", "", "", "user-field"),
        ("* * * * * php artisan x\n", "php", "artisan x", None),
    ],
)
def test_system_tables_name_a_user(text: str, user: str, command: str, cause: str | None) -> None:
    """In a system table the word behind the time is the user, and something must follow it."""
    job = parse(text.encode(), system=True)[0]
    assert isinstance(job, Job)
    assert (job.user, job.command, job.cause) == (user, command, cause)


def test_kinds_of_line() -> None:
    """Remarks, settings, jobs and what is none of them, each with its number."""
    lines = parse(b"# a\n\nA = 'b c'\n* * * * * true\nbad\n", system=False)
    assert [(type(line), line.number) for line in lines] == [
        (Remark, 1),
        (Remark, 2),
        (Setting, 3),
        (Job, 4),
        (Bad, 5),
    ]
    assert isinstance(lines[2], Setting)
    assert (lines[2].name, lines[2].value) == ("A", "b c")
    assert refusal(lines) is lines[4]
    assert lines[4].problem == '"bad" is not a minute'


@pytest.mark.parametrize("data", [b"\0" * 500_000, b"\n" * 500_000, b"* " * 250_000, b"1," * 250_000, b"a=" * 250_000])
def test_large_input_is_bounded(data: bytes) -> None:
    """Half a megabyte of nonsense gives a bounded list of lines."""
    assert len(parse(data, system=True)) <= 2 * 10_003 + 2
