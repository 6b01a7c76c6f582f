"""The watch as it is started: what it tells, to whom, how it ends, and what it does where it cannot begin."""

# ruff: noqa: E501 - a sentence of ours is a line

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from auditor.facts.backend import Probe, QueueState
from auditor.facts.live import Live
from auditor.facts.site import Site
from auditor.findings import Finding, Location, Severity, Verdict
from auditor.settings.file import read
from auditor.settings.shape import SettingsRefused
from auditor.watch.events import Events
from auditor.watch.metrics import MOST_SERIES, metrics
from auditor.watch.nagios import nagios
from auditor.watch.problems import Problem, Track
from auditor.watch.round import Seen
from auditor.watch.state import State, StateFile
from tests.stack.polling import until
from tests.suppress.shop import run
from tests.watch.prometheus import samples
from tests.watch.running import Small
from tests.watch.servers import Hook, hook, mailbox

ODD: dict[str, Any] = {
    "rule": "a/b",
    "severity": Severity.ERROR,
    "subject": "w\udcff",
    "message": "It is odd.",
    "locations": (Location("x\udcff.conf"),),
}
"""A finding in a file whose name is no text."""
BROKEN = (
    "[program:late]\ncommand=php /var/www/shop/artisan queue:work redis --timeout=120\nstopwaitsecs=30\nuser=www-data\n"
)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Small]:
    """A small host with nothing wrong in it."""
    made = Small(tmp_path)
    try:
        yield made
    finally:
        made.end()


@pytest.fixture
def web() -> Iterator[Hook]:
    """A web server."""
    with hook() as made:
        yield made


@contextmanager
def no_room() -> Iterator[None]:
    """No file can grow beyond a few bytes, here and in what is started here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def fetch(url: str) -> tuple[int, str]:
    """Status and text of a page."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as problem:
        with problem:
            return problem.code, problem.read().decode()


def test_a_problem_is_told_once_and_once_when_it_is_over(small: Small, web: Hook) -> None:
    """A finding, and a log's record; the pages say so meanwhile; a signal ends the watch, and another goes on from there."""
    own = small.root / "queue-auditor.yaml"
    quick = small.root.parent / "quick.yaml"
    quick.write_text(
        "- {kind: memory, says: memory, severity: error, logs: [laravel], words: [Allowed memory], quiet: 3}\n"
    )
    small.url.write_text(web.url)
    own.write_text(
        f"watch:\n  every: 1\n  notify: file:{small.url}\n  listen: 127.0.0.1:0\n  heartbeat: {web.url}/beat\n"
        f"  textfile: ../node/q.prom\n  signatures: ../quick.yaml\n"
    )
    (small.root.parent / "node").mkdir()
    child = small.start()
    port = until(lambda: re.search(r"listening on port (\d+)", small.said()), 10, "it listens", small.output)[1]  # type: ignore[index] # until gives what is true
    until(lambda: fetch(f"http://127.0.0.1:{port}/healthz")[0] == 200, 20, "it is well", small.output)
    conf = small.root / "etc/supervisor/conf.d/late.conf"
    conf.write_text(BROKEN)
    small.put(1, 2, 3)
    until(lambda: len(web.changes()) >= 2, 60, "both are told", small.output)
    status, page = fetch(f"http://127.0.0.1:{port}/healthz")
    assert (status, json.loads(page)["status"]) == (503, "error")

    conf.unlink()
    until(lambda: sum(change["what"] == "over" for change in web.changes()) >= 2, 60, "both are over", small.output)
    until(lambda: fetch(f"http://127.0.0.1:{port}/healthz")[0] == 200, 20, "it is well again", small.output)
    heard = 'queue_auditor_log_events_total{log="var/www/shop/storage/logs/laravel.log",kind="memory"}'
    metrics_page = f"http://127.0.0.1:{port}/metrics"
    assert samples(fetch(metrics_page)[1])[heard] == 3
    textfile = small.root.parent / "node/q.prom"
    until(lambda: samples(textfile.read_text())[heard] == 3, 20, "the textfile says the same", small.output)
    assert "GET /beat" in web.asked
    child.end()
    assert child.exit_code == 0

    before = len(web.changes())
    rounds = json.loads(small.state.read_text())["rounds"]
    small.put(4)
    small.start()
    until(lambda: len(web.changes()) > before, 60, "what was written meanwhile is told", small.output)
    (new,) = web.changes()[before:]
    assert (new["what"], new["rule"]) == ("new", "log/memory")
    assert "(1 record). The last: “" in new["text"]
    assert json.loads(small.state.read_text())["rounds"] > rounds
    per_rule = [(change["rule"], change["what"]) for change in web.changes()]
    assert per_rule.count(("timeouts/stopwaitsecs-covers-timeout", "new")) == 1
    assert per_rule.count(("timeouts/stopwaitsecs-covers-timeout", "over")) == 1


def test_once_is_a_nagios_plugin(small: Small) -> None:
    """OK, WARNING, CRITICAL, UNKNOWN by what is there, a line with performance data first; logs are read on between two."""
    plain = small.run("--once")
    assert (plain.status, plain.out.splitlines()[0].split(" | ")[0]) == (0, "QUEUE OK - nothing to object to")
    assert re.fullmatch(r"errors=0;;0;0 warnings=0;0;;0 time=[\d.]+s;;;0", plain.out.splitlines()[0].split(" | ")[1])

    small.put(1, whole=False)
    first = small.run("--once")
    os.utime(small.log)
    again = small.run("--once", "--ignore", "timeouts")
    assert [first.status, again.status] == [0, 0]  # one record may still be written on; none is lost for that
    small.put(2, 3)
    heard = small.run("--once")
    assert heard.status == 2
    assert "PHP ran out of memory, and the job that it worked on is lost (3 records)" in heard.out.splitlines()[1]

    (small.root / "etc/supervisor/conf.d/late.conf").write_text(BROKEN)
    assert small.run("--once").status == 2
    gone = small.run("--once", "--as", "file")
    assert (gone.status, gone.out.partition(" - ")[0]) == (3, "QUEUE UNKNOWN")


def test_one_state_is_held_by_one_watch(small: Small) -> None:
    """A second one does not begin, whether it is to stay or to look once; when the first is killed it may."""
    child = small.start()

    second = small.run("--every", "5")
    once = small.run("--once")
    assert second.status == 2
    assert re.fullmatch(
        r"queue-auditor: another watch is running on the state \S+; name another one with --state\.\n", second.err
    )
    assert (once.status, once.out.partition(";")[0]) == (
        3,
        f"QUEUE UNKNOWN - another watch is running on the state {small.state}",
    )
    os.kill(child.pid, signal.SIGKILL)
    until(lambda: child.exit_code is not None, 10, "it is gone")
    assert small.run("--once").status == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is damaged"),
        ("{", "is damaged"),
        ('{"version": 1, "logs": 5}', "is damaged"),
        ('{"version": 99}', "is of version 99, not 1"),
        ('{"version": 1, "site": "/elsewhere"}', "is that of /elsewhere"),
        ("\0" * 1000, "is damaged"),
    ],
)
def test_a_damaged_state_is_begun_anew(tmp_path: Path, text: str, told: str) -> None:
    """With a clause that says why, and then it is a good one again."""
    path = tmp_path / "s.json"
    path.write_text(text)
    file = StateFile(str(path))

    state, why = file.load("/")
    file.save(state)

    assert why == f"the state {path} {told}"
    assert file.load("/") == (State(site="/"), "")
    assert path.stat().st_mode & 0o777 == 0o600
    file.close()


def test_beginning_anew_is_said(small: Small) -> None:
    """In one sentence, once."""
    small.state.parent.mkdir()
    small.state.write_text("{")

    first, second = small.run("--once"), small.run("--once")

    assert (
        first.err
        == f"queue-auditor: the state {small.state} is damaged; it is begun anew, and logs are read from their end on.\n"
    )
    assert (first.status, second.err) == (0, "")


def test_a_state_that_cannot_be_written_changes_nothing(small: Small, web: Hook) -> None:
    """Nothing is told of a round that is not kept: the next one makes it again, once its disk has room."""
    small.url.write_text(web.url)
    small.run("--once")
    small.put(1, 2)
    before = small.state.read_bytes()
    with no_room():
        told = small.run("--once", "--notify", f"file:{small.url}")

    assert "watch.json cannot be written: file too large" in told.err
    assert (web.posts, small.state.read_bytes()) == ([], before)
    small.run("--once", "--notify", f"file:{small.url}")
    assert [change["rule"] for change in web.changes()] == ["log/memory"]


def test_it_cannot_begin(small: Small) -> None:
    """Each reason is one sentence, and the status that of what could not be done."""
    for words, told in (
        (("--once", "--test-notify"), "--once, --test-notify and --render are three things to do; ask for one."),
        (("--test-notify",), "there is nobody to tell: name a target with --notify, or in the configuration's section “watch”."),
        (("--notify", "hunter2"), "a target of notifications is a URL: https://…, slack+https://…, smtp://… or one that apprise knows."),
        (("--listen", "9817"), "--listen takes HOST:PORT, and “9817” is none."),
        (("--as", "file"), f"{small.root} is a folder, not a file."),
        (("--signatures", "/nowhere.yaml"), "/nowhere.yaml: no such file or directory."),
    ):  # fmt: skip
        found = small.run(*words)
        assert (found.status, found.err) == (2, f"queue-auditor: {told}\n")


def test_the_test_message(small: Small, web: Hook) -> None:
    """Every target gets it, and who did not is told, with no secret."""
    with mailbox() as mails:
        found = small.run(
            "--test-notify", "--notify", f"{web.url}/T0K3N", "--notify", "http://127.0.0.1:1/T0K3N",
            QUEUE_AUDITOR_NOTIFY="unused",
        )  # fmt: skip
        several = small.run(
            "--test-notify", QUEUE_AUDITOR_NOTIFY=f"{web.url}/T0K3N smtp://127.0.0.1:{mails.port}/?to=a@example.org"
        )

        assert found.status == 2
        assert re.fullmatch(
            r"webhook at 127\.0\.0\.1 \(\w{6}\): taken\nwebhook at 127\.0\.0\.1 \(\w{6}\): not taken: nobody listens there\n",
            found.out,
        )
        assert (several.status, several.out.count(": taken")) == (0, 2)
        assert web.posts[0]["changes"][0]["what"] == "test"
        assert len(mails.mails) == 1


def test_secrets_of_the_configuration_are_not_shown(small: Small) -> None:
    """`config show` says that there are targets, and not which; a unit does not take them over."""
    (small.root / "queue-auditor.yaml").write_text(
        "watch: {notify: ['https://h/T0K3N'], heartbeat: 'https://h/T0K3N', every: 90}\n"
    )

    shown = run(small.root, "config", "show", ".", "--format", "json")
    unit = small.run("--render", "systemd", "--notify", "https://h/T0K3N")

    assert json.loads(shown.out)["watch"]["value"] == {"notify": "***", "heartbeat": "***", "every": 90}
    assert "T0K3N" not in shown.out + run(small.root, "config", "show", ".").out
    for told in (unit, small.run("--render", "supervisor", QUEUE_AUDITOR_HEARTBEAT="https://h/T0K3N")):
        assert (told.status, told.out) == (2, "")
        assert "holds a secret" in told.err
        assert "T0K3N" not in told.err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("watch: 5\n", "queue-auditor.yaml:1: “watch” is a mapping of keys."),
        ("watch:\n  evry: 5\n", "queue-auditor.yaml:2: “watch” has no key “evry”; did you mean “every”?"),
        ("watch:\n  every: 0\n", "queue-auditor.yaml:2: “every” is a number of at least 1."),
        ("watch:\n  every: soon\n", "queue-auditor.yaml:2: “every” is a number of at least 1."),
        ("watch:\n  notify: [5]\n", "queue-auditor.yaml:2: “notify” is a text."),
        ("watch:\n  notify_severity: bad\n", "queue-auditor.yaml:2: “bad” is none of error, warning, note; there are"),
    ],
)
def test_its_section_of_the_configuration_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, told: str
) -> None:
    """Strictly, with file, line and the nearest key."""
    monkeypatch.chdir(tmp_path)
    Path("queue-auditor.yaml").write_text(text)

    with pytest.raises(SettingsRefused) as problem:
        read("queue-auditor.yaml")

    assert told in str(problem.value)


def test_what_runs_it_is_what_supervisor_reads(small: Small, tmp_path: Path) -> None:
    """supervisor's own parser takes the program, and finds in it the words that were given."""
    from supervisor.options import ServerOptions, split_namespec  # noqa: F401 - the oracle

    conf = tmp_path / "supervisord.conf"
    told = small.run(
        "--render", "supervisor", "--every", "90", "--textfile", "50% full/q.prom", QUEUE_AUDITOR_PER_HOUR="7"
    )
    folder = "/var/log/supervisor"
    conf.write_text("[supervisord]\n" + told.out.replace(f"stdout_logfile={folder}", f"stdout_logfile={tmp_path}"))
    options = ServerOptions()
    options.realize(["-c", str(conf)])
    (group,) = options.process_group_configs
    (program,) = group.process_configs

    import shlex

    words = shlex.split(program.command)
    assert words[1:4] == ["watch", str(small.root), "--no-live"]
    assert words[words.index("--every") + 1] == "90"
    assert words[words.index("--textfile") + 1].endswith("/50% full/q.prom")
    assert program.environment == {"QUEUE_AUDITOR_PER_HOUR": "7"}
    assert (program.autorestart.__name__, program.stopwaitsecs) == ("RestartUnconditionally", 60)


def test_what_runs_it_is_what_systemd_reads(small: Small, tmp_path: Path) -> None:
    """Our reader of units finds the command; systemd's own verifier has nothing to say, where it is installed."""
    from auditor.dialects.systemd import assignments

    told = small.run("--render", "systemd", "--textfile", "/var/lib/50% $full/q.prom", QUEUE_AUDITOR_PER_HOUR="7")
    found = {one.key: one.value for one in assignments(told.out.encode())}

    assert found["ExecStart"].split(" ")[1:4] == ["watch", str(small.root), "--no-live"]
    assert '"/var/lib/50%% $$full/q.prom"' in found["ExecStart"]
    assert found["Environment"] == "QUEUE_AUDITOR_PER_HOUR=7"
    assert found["ReadWritePaths"] == f'{small.state.parent} "/var/lib/50%% $full"'
    assert "StateDirectory" not in found
    verifier = shutil.which("systemd-analyze")
    if verifier:
        unit = tmp_path / "queue-auditor-watch.service"
        unit.write_text(told.out)
        done = subprocess.run([verifier, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
        assert [line for line in done.stderr.splitlines() if unit.name in line] == []


def test_metrics_are_what_prometheus_reads() -> None:
    """Whatever a queue, a log or a problem is called, and however many there are."""
    ugly = 'a"b\\c\nd\udc80{},='
    live = Live(
        queues=tuple(
            QueueState(app=ugly, connection="redis", name=f"{ugly}{n}", ready=n, oldest_ready_age=1.5)
            for n in range(300)
        ),
        probes=(Probe(kind="redis", name="a"), Probe(kind="redis", name="a")),
    )
    state = State(events={"x": Events(log=ugly, kind="memory", total=3)})
    tracks = {str(n): Track("r", ugly, Severity.ERROR, "t", told=1.0) for n in range(3)}

    found = samples(metrics(Seen(5.25, live=live, tracks=tracks), state))

    assert found["queue_auditor_up"] == 1
    assert found['queue_auditor_problems{severity="error"}'] == 3
    assert sum(key.startswith("queue_auditor_queue_jobs{") for key in found) == MOST_SERIES
    with pytest.raises(ValueError, match="no sample"):
        samples('a{b="c} 1\n')


def test_a_plugins_line_holds_no_sign_of_its_own() -> None:
    """What a message says does not end the line, nor begin the performance data."""
    live = Live(queues=(QueueState(connection="redis", name="a'=|\nb", ready=7),))
    text, status = nagios(Seen(1.0, live=live, present={"k": Problem("r", "s", Severity.WARNING, "a | b\nc")}))

    assert status == 1
    assert text.splitlines()[0].startswith("QUEUE WARNING - 1 warning: a ¦ b c | errors=0;;0;0 ")
    assert text.splitlines()[0].endswith(" 'redis:a____b'=7;;;0")
    assert nagios(Seen(1.0, failure="It is gone."))[1] == 3


def test_a_state_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """What stands there is the last whole one, whatever happens to the next."""
    file = StateFile(str(tmp_path / "s.json"))
    file.save(State(site="/", rounds=1))
    with no_room(), pytest.raises(OSError, match="too large"):
        file.save(State(site="/", rounds=2))

    assert file.load("/")[0].rounds == 1
    file.close()


def test_it_goes_on_whatever_it_sees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that fails as nobody foresaw is a problem like any other, and names that are no text can be written down."""
    from auditor import audit
    from auditor.sources.logs.signatures import load_signatures
    from auditor.suppress.whole import Lived
    from auditor.watch.round import Sight, make_round

    sight = Sight(str(tmp_path), audit.rulebook(), Lived(), load_signatures())
    answers: list[object] = [ValueError("hunter2"), (Site(), Verdict(findings=(Finding(**ODD),)))]

    def look(_now: float) -> object:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(sight, "look", look)
    file, state = StateFile(str(tmp_path / "s.json")), State(site="/")

    first, second = make_round(sight, state, 1000.0), make_round(sight, state, 1060.0)
    file.save(state)

    assert first.failure == "It failed unforeseen (ValueError)."
    assert [problem.subject for problem in second.present.values()] == ["w\\udcff"]
    assert file.load("/")[0].tracks.keys() == {"a/b\tw\\udcff\tx\\udcff.conf"}
    file.close()
