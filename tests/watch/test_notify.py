"""Messages and how they are sent: to real servers on loopback, good ones and bad ones, and never with a secret shown."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from auditor.errors import UsageError
from auditor.notify.failures import Refused, Unsent
from auditor.notify.message import Change, Message, subject, text
from auditor.notify.target import Target, target_of, targets
from auditor.watch import outbox
from auditor.watch.outbox import LONGEST_WAIT, MOST_PENDING, MOST_WAITING, TRIES, Outbox
from tests.watch.servers import hook, mailbox

NEW = Change("new", "queue/x", "mail", "error", "Queue <mail> & co. stand still.", 1000.0, "Start a worker.")
OVER = Change("over", "queue/y", "mail", "warning", "It was slow.", 900.0)
MESSAGE = Message("id-1", 1000.0, "web1", (NEW, OVER), "One was given up.")


def test_a_message_reads_well() -> None:
    """A line for those who glance, all of it for those who act."""
    assert subject(MESSAGE) == "[web1] 1 new (worst: error), 1 over"
    assert subject(Message("i", 0.0, "web1", (OVER,))) == "[web1] OVER: queue/y mail"
    assert text(MESSAGE) == (
        "NEW error: Queue <mail> & co. stand still.\n  Start a worker. (queue/x, mail)\n"
        "OVER warning: It was slow.\n  It had begun at 1970-01-01T00:15:00Z. (queue/y, mail)\nOne was given up.\n"
    )
    assert "… and 60 more." in text(Message("i", 0.0, "web1", (NEW,) * 100))


def test_a_webhook_gets_json() -> None:
    """With the same id however often it is sent."""
    with hook() as server:
        target = target_of(f"{server.url}/T0K3N")
        target.send(MESSAGE)
        target.send(MESSAGE)

        assert server.ids == ["id-1", "id-1"]
        post = server.posts[0]
        assert (post["id"], post["host"], post["time"], post["note"]) == (
            "id-1",
            "web1",
            "1970-01-01T00:16:40Z",
            "One was given up.",
        )
        assert post["changes"][1]["what"] == "over"
        assert post["changes"][1]["since"] == "1970-01-01T00:15:00Z"
        assert "T0K3N" not in repr(target) + target.name


def test_slack_gets_its_text_and_nobody_is_mentioned() -> None:
    """What a line of a log holds cannot become a mention or a link."""
    with hook() as server:
        target_of("slack+" + server.url + "/services/x").send(MESSAGE)

        assert server.posts[0]["text"].startswith(
            "*[web1] 1 new (worst: error), 1 over*\nNEW error: Queue &lt;mail&gt; &amp; co."
        )


def test_mail_is_sent() -> None:
    """With an account, to several, and with a Message-ID by which a second one is known."""
    with mailbox() as server:
        target_of(
            f"smtp://user:s%40cret@127.0.0.1:{server.port}/?to=a@example.org,b@example.org&from=q@example.org"
        ).send(MESSAGE)

        assert "Subject: [web1] 1 new (worst: error), 1 over" in server.mails[0]
        assert "Message-ID: <id-1@queue-auditor.invalid>" in server.mails[0]
        assert "Queue <mail> & co. stand still." in server.mails[0]
        assert [line for line in server.heard if line.startswith("rcpt")] == [
            "rcpt TO:<a@example.org>",
            "rcpt TO:<b@example.org>",
        ]
        assert any(line.startswith("AUTH PLAIN") for line in server.heard)


@pytest.mark.parametrize(
    ("status", "final"), [(500, False), (503, False), (429, False), (302, True), (404, True), (410, True)]
)
def test_a_web_server_that_does_not_take_it(status: int, *, final: bool) -> None:
    """A busy one is asked again later, one that refuses is not; a redirect is not followed."""
    with hook() as server:
        server.status = status
        with pytest.raises(Unsent) as problem:
            target_of(f"{server.url}/T0K3N").send(MESSAGE)

        assert isinstance(problem.value, Refused) is final
        assert str(problem.value) == f"the server answered {status}"
        assert server.asked == ["POST /T0K3N"]


@pytest.mark.parametrize(("answer", "final"), [("550 no such user", True), ("450 busy", False)])
def test_a_mail_server_that_does_not_take_it(answer: str, *, final: bool) -> None:
    """As with a web server."""
    with mailbox(answer) as server, pytest.raises(Unsent) as problem:
        target_of(f"smtp://127.0.0.1:{server.port}/?to=a@example.org").send(MESSAGE)

    assert isinstance(problem.value, Refused) is final


def test_nobody_listens() -> None:
    """And why is said without the address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/T0K3N", f"smtp://u:s3cret@127.0.0.1:{port}/?to=a@example.org"):
        with pytest.raises(Unsent, match="nobody listens there"):
            target_of(url).send(MESSAGE)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("hunter2", "is a URL"),
        ("https:///hunter2", "names no host"),
        ("https://[hunter2", "is not a URL"),
        ("https://h:99999/hunter2", "is not a URL"),
        ("https://h/hunter2 b", "is not a URL"),
        ("https://h/hunter2\n", "is not a URL"),
        ("smtp://h/?to=hunter2", "an address that is none"),
        ("smtp://h/?too=hunter2@x", "a mail target is"),
        ("env:NOT_SET_AT_ALL", "NOT_SET_AT_ALL, which is not set"),
        ("file:nowhere", "nowhere, which cannot be read"),
        ("nosuchservice://hunter2", "apprise knows no target of the kind nosuchservice://"),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # apprise's own
def test_a_target_that_is_none(given: str, told: str) -> None:
    """It is refused in words that quote no secret."""
    with pytest.raises(UsageError) as problem:
        target_of(given)

    assert told in str(problem.value)
    assert "hunter2" not in str(problem.value)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # apprise's own
def test_apprise_knows_the_others() -> None:
    """Any service of apprise's is a target: here its own JSON one."""
    with hook() as server:
        target = target_of(f"json://127.0.0.1:{server.url.rpartition(':')[2]}/T0K3N")
        target.send(MESSAGE)
        server.status = 500
        with pytest.raises(Unsent, match="apprise could not send it"):
            target.send(MESSAGE)

        assert server.posts[0]["title"] == "[web1] 1 new (worst: error), 1 over"
        assert "T0K3N" not in target.name


def test_a_target_is_kept_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a variable or a file; the same one twice is one."""
    (tmp_path / "hook").write_text("https://hooks.example.org/T0K3N\n")
    monkeypatch.setenv("HOOK", "https://hooks.example.org/T0K3N")

    (only,) = targets((f"file:{tmp_path / 'hook'}", "env:HOOK", "https://hooks.example.org/T0K3N"))

    assert only.name.startswith("webhook at hooks.example.org (")


class Server:
    """A target that takes what it is told to."""

    def __init__(self) -> None:
        """It takes everything."""
        self.problem: Exception | None = None
        self.taken: list[str] = []
        self.target = Target("t", self._take)

    def _take(self, message: Message) -> None:
        if self.problem is not None:
            raise self.problem
        self.taken.append(message.id)


def test_a_message_is_tried_until_it_is_taken() -> None:
    """Later and later, never more than twelve times, and each try is written down."""
    server, box, kept = Server(), Outbox(), []
    server.problem = Unsent("it is down")
    outbox.add(box, [NEW])
    outbox.seal(box, [server.target], "web1", 0.0, 5)
    now, waits = 0.0, []
    while box.waiting:
        told = outbox.deliver(box, [server.target], now, lambda: kept.append(1))
        assert told == ["a message was not taken by t: it is down"]
        if box.waiting:
            due = box.waiting[0].left["t"].due
            waits.append(due - now)
            assert outbox.deliver(box, [server.target], due - 1, lambda: kept.append(1)) == []
            now = due

    assert waits == [30, 60, 120, 240, 480, 960, 1920, *[LONGEST_WAIT] * 4]
    assert len(kept) == TRIES
    assert (box.failed, box.sent, box.untold) == ({"t": 1}, {}, 1)
    server.problem = None
    outbox.add(box, [OVER])
    outbox.seal(box, [server.target], "web1", now, 5)
    assert box.waiting[0].message.note == "1 earlier message or change was given up and not told."
    outbox.deliver(box, [server.target], now, lambda: None)
    assert (len(server.taken), box.sent, box.waiting) == (1, {"t": 1}, [])


def test_one_target_does_not_hold_up_another() -> None:
    """And what is refused for good is not tried again, whatever a library raises is one failed try."""
    good, bad, odd, box = Server(), Server(), Server(), Outbox()
    good.target, bad.target, odd.target = (Target(n, s._take) for n, s in (("good", good), ("bad", bad), ("odd", odd)))
    bad.problem, odd.problem = Refused("the server answered 404"), ValueError("https://h/T0K3N")
    everyone = [bad.target, odd.target, good.target]
    outbox.add(box, [NEW])
    outbox.seal(box, everyone, "web1", 0.0, 5)

    told = outbox.deliver(box, everyone, 0.0, lambda: None)

    assert len(good.taken) == 1
    assert list(box.waiting[0].left) == ["odd"]
    assert told[1] == "a message was not taken by odd: it failed (ValueError)"


def test_no_more_messages_than_an_hour_may_have() -> None:
    """What is beyond is told together when there is room again; nothing is lost."""
    server, box = Server(), Outbox()
    for minute in range(120):
        outbox.add(box, [NEW])
        outbox.seal(box, [server.target], "web1", minute * 60.0, 3)
        outbox.deliver(box, [server.target], minute * 60.0, lambda: None)

    assert len(server.taken) == 6
    assert len(box.pending) == 57


def test_nothing_grows_for_ever() -> None:
    """What nobody takes is given up from the oldest on, and counted."""
    server, box = Server(), Outbox()
    outbox.add(box, [NEW] * (MOST_PENDING + 5))
    assert (len(box.pending), box.untold) == (MOST_PENDING, 5)
    for hour in range(MOST_WAITING + 3):
        outbox.add(box, [NEW])
        outbox.seal(box, [server.target], "web1", hour * 3600.0, 1)

    assert len(box.waiting) == MOST_WAITING
    assert box.failed == {"t": 3}


def test_a_target_that_is_configured_no_more_gets_nothing() -> None:
    """Its messages are dropped."""
    server, box = Server(), Outbox()
    outbox.add(box, [NEW])
    outbox.seal(box, [server.target], "web1", 0.0, 5)

    assert outbox.deliver(box, [], 0.0, lambda: None) == []
    assert box.waiting == []
