"""Problems over time: what is told when, of findings that flicker, logs that fall quiet, queues that grow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.facts.backend import QueueState
from auditor.facts.live import Live
from auditor.facts.running import DaemonProcess
from auditor.findings import Severity
from auditor.sources.logs.follow import Told
from auditor.sources.logs.signatures import load_signatures
from auditor.watch import events, trends
from auditor.watch.problems import HOLD, Policy, Problem, Track, follow

TABLE = load_signatures()
FINDING = Problem("queue/x", "mail", Severity.ERROR, "It is wrong.")
WARNING = Problem("queue/x", "mail", Severity.WARNING, "It is wrong.")
EVENT = Problem("log/x", "a.log", Severity.ERROR, "It was said.", sure=True)


def told(story: str, policy: Policy = Policy(), problem: Problem = FINDING, every: float = 60) -> str:  # noqa: B008 - frozen
    """A story of rounds ("x" there, "w" as a warning, "." not, "?" not to be seen) as what each told: new, worse, over."""
    tracks: dict[str, Track] = {}
    out = ""
    for number, sign in enumerate(story):
        found = {"x": problem, "w": WARNING}.get(sign)
        present = {found.key: found} if found else {}

        def unsure(_key: str, _track: Track, sign: str = sign) -> bool:
            return sign == "?"

        changes = follow(tracks, present, 1000 + number * every, policy, unsure=unsure)
        assert len(changes) <= 1
        out += changes[0].what[0] if changes else "."
    return out


@pytest.mark.parametrize(
    ("story", "expected", "policy", "problem"),
    [
        ("xxxxx", ".n...", Policy(2, 2), FINDING),
        ("x.x.x.", "......", Policy(2, 2), FINDING),
        ("xxxxx", "n....", Policy(1, 1), FINDING),
        ("xx..xx..", ".n.o.n.o", Policy(2, 2), FINDING),
        ("xx.x.x.x..", ".n.......o", Policy(2, 2), FINDING),
        ("xx????..", ".n.....o", Policy(2, 2), FINDING),
        ("wwxx..", ".nw..o", Policy(2, 2), FINDING),
        ("xxww..", ".n...o", Policy(2, 2), FINDING),
        ("x..", "n.o", Policy(2, 2), EVENT),
        ("x.", "no", Policy(2, 1), EVENT),
        ("", "", Policy(), FINDING),
    ],
)
def test_what_is_told(story: str, expected: str, policy: Policy, problem: Problem) -> None:
    """New once it is confirmed, over once it is gone, worse where it becomes so, and nothing where it is not to be seen."""
    assert told(story, policy, problem) == expected


def test_what_comes_and_goes_is_said_to_and_then_held() -> None:
    """After the third time within the hour it is over only when it has been away for half an hour."""
    away = int(HOLD / 60)
    story = "xx.." * 3 + "." * away

    found = told(story)

    assert found[:10] == ".n.o.n.o.n"
    assert found[10:].count("o") == 1
    assert found.index("o", 10) == 9 + away  # the last round it was seen in, and half an hour
    assert told(story + "xx").count("n") == 3 + 1


@given(story=st.text(alphabet="xw.?", max_size=60), confirm=st.integers(1, 4), clear=st.integers(1, 4))
def test_new_and_over_take_turns(story: str, confirm: int, clear: int) -> None:
    """Whatever happens, nothing is new twice without having been over, nor over twice, nor over before it was new."""
    turns = [sign for sign in told(story, Policy(confirm, clear)) if sign in "no"]

    assert turns == ["n", "o"] * (len(turns) // 2) + ["n"] * (len(turns) % 2)


def test_a_kind_that_is_told_from_the_first() -> None:
    """One record is enough, more are counted, and after its quiet time it is over."""
    kept: dict[str, events.Events] = {}

    def now(time: float, count: int = 0) -> list[str]:
        events.heard(kept, "a.log", {"memory": Told(count, "first", "Allowed…")} if count else {}, TABLE, time)
        return [problem.text for problem in events.problems(kept, TABLE, time)]

    assert now(0, 1) == [
        "a.log: PHP ran out of memory, and the job that it worked on is lost (1 record). The last: “Allowed…”"
    ]
    assert "3 records" in now(600, 2)[0]
    assert now(1499) != []
    assert now(1500) == []
    assert "(1 record)" in now(1600, 1)[0]
    assert kept["a.log\tmemory"].total == 4


def test_a_kind_that_is_told_from_a_number_on() -> None:
    """A worker that reaches its --memory now and then is recycled; five times in ten minutes is told."""
    kept: dict[str, events.Events] = {}
    told_at = []
    for minute in (*range(0, 30, 4), *range(30, 36)):
        events.heard(kept, "s.log", {"exit-memory": Told(1, "x", "x")}, TABLE, minute * 60.0)
        if list(events.problems(kept, TABLE, minute * 60.0)):
            told_at.append(minute)

    assert told_at[0] == 32  # 24, 28, 30, 31, 32


def sizes(*waiting: int, every: float = 60) -> list[trends.Sample]:
    """Samples of a queue."""
    return [trends.Sample(1000 + number * every, size) for number, size in enumerate(waiting)]


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (sizes(10, 20, 30, 40, 50), True),
        (sizes(10, 200), False),  # too little is seen
        (sizes(10, 200, 400, every=240), False),
        (sizes(10, 100, 200, 300, every=240), True),
        (sizes(1, 5, 9, 13, 17), False),  # a few jobs
        (sizes(1000, 1010, 1020, 1030, 1040), False),  # no fifth of what it was
        (sizes(10, 500, 400, 300, 200), False),  # a burst that is worked off
        (sizes(0, 90, 0, 90, 0, 90), False),  # emptied again and again
        (sizes(0, 20, 45, 60, 90), True),
        (sizes(0, 0, 0, 0, 20, 45, 60), False),  # not for long yet
        (sizes(90, 40, 0, 0, 0, 20, 45, 60, 90), True),
        (sizes(50, 40, 30, 20, 10), False),
    ],
)  # fmt: skip
def test_a_queue_that_grows(samples: list[trends.Sample], *, expected: bool) -> None:
    """Growth is a slope over minutes, by a number that matters, of a queue that is never worked off."""
    assert (trends.grows(samples) > 0) is expected


def test_a_queue_too_long_to_be_counted_is_no_sample() -> None:
    """Where only the oldest jobs were told apart, their number says nothing of growth, and it is known that it does not."""
    queues: dict[str, list[trends.Sample]] = {}
    long = QueueState(app="a", connection="database", name="mail", ready=200, capped=True)
    trends.sampled(queues, {}, Live(queues=(long,)), 60.0)

    assert queues == {}
    assert trends.uncounted(Live(queues=(long, QueueState(connection="database", name="other")))) == {"database:mail"}


def test_growth_and_restarts_are_told_of_what_is_seen() -> None:
    """Looks at the running system become samples, and those become problems, and old ones are forgotten."""
    queues: dict[str, list[trends.Sample]] = {}
    starts: dict[str, trends.Starts] = {}
    for minute in range(8):
        live = Live(
            queues=(QueueState(app="a", connection="redis", name="mail", ready=10 + 20 * minute),),
            supervised=(
                DaemonProcess(group="w", name="w_00", start=100.0 + minute),
                DaemonProcess(group="w", name="w_01", start=100.0),
            ),
        )
        trends.sampled(queues, starts, live, minute * 60.0)

    found = {problem.rule: problem for problem in trends.problems(queues, starts)}

    assert found["watch/backlog-grows"].subject == "redis:mail"
    assert "10 jobs waited 7 min ago, 150 wait now, 20.0 more each minute" in found["watch/backlog-grows"].text
    assert found["watch/process-flaps"].subject == "w:w_00"
    for minute in range(8, 30):
        trends.sampled(
            queues, starts, Live(supervised=(DaemonProcess(group="w", name="w_00", start=107.0),)), minute * 60.0
        )
    assert list(trends.problems(queues, starts)) == []
    assert queues == {}
