"""What the records of each form of log tell, whatever else stands in the file."""

# ruff: noqa: E501 - a case is a line

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.facts.failed import FAILURE_ADVICE, FAILURE_KINDS
from auditor.sources.live.failures import SIGNATURES
from auditor.sources.logs.follow import MOST_RECORD, Log, Looked, look
from auditor.sources.logs.formats import forms
from auditor.sources.logs.sample import LONGEST, sample
from auditor.sources.logs.signatures import Signatures, SignaturesRefused, load_signatures

TABLE = load_signatures()
FORMS = forms(TABLE)
AT = "[2026-03-01 10:00:00] production"
TRACE = '[stacktrace]\n#0 /var/www/app/vendor/x.php(12): A->b()\n#1 {main}\n"} \n'


def read(folder: Path, data: bytes, form: str = "laravel") -> Looked:
    """Everything that a file of this content tells: twice looked at, so that its last record is settled."""
    path = folder / "a.log"
    path.write_bytes(data)
    first = look(str(path), Log(), FORMS[form], 1000.0)
    second = look(str(path), first.log, FORMS[form], 1060.0)
    for kind, told in second.told.items():
        assert kind not in first.told or told.count
        known = first.told.get(kind)
        first.told[kind] = told if known is None else type(told)(known.count + told.count, known.first, told.last)
    return first


def kinds(looked: Looked) -> dict[str, int]:
    """Kind to how many records told it."""
    return {kind: told.count for kind, told in looked.told.items()}


@pytest.mark.parametrize(
    ("form", "text", "told"),
    [
        ("laravel", f"{AT}.ERROR: SQLSTATE[HY000] [2002] Connection refused (SQL: select 1)\n", {"database-down": 1}),
        ("laravel", f"{AT}.INFO: SQLSTATE[HY000] [2002] is only spoken of\n", {}),
        ("laravel", f"{AT}.INFO: he wrote production.ERROR: OOM command not allowed\n", {}),
        ("laravel", f'{AT}.ERROR: Order failed {{"exception":"[object] (App\\\\Oops(code: 0): Order failed at /x:1)\n{TRACE}', {"other": 1}),
        (
            "laravel",
            f'{AT}.ERROR: Order failed {{"exception":"[object] (App\\\\Oops(code: 0): Order failed at /x:1)\n{TRACE}'  # noqa: ISC004
            "[previous exception] [object] (RedisException(code: 0): OOM command not allowed when used memory > 'maxmemory'.)\n",
            {"redis-memory": 1},
        ),
        ("laravel", f"{AT}.ERROR: a\n{AT}.CRITICAL: Allowed memory size of 134217728 bytes exhausted\n{AT}.ERROR: b\n", {"other": 2, "memory": 1}),
        ("laravel", "[2026-03-01T10:00:00.123456+00:00] local.EMERGENCY: NOAUTH Authentication required.\n", {"redis-auth": 1}),
        ("laravel", '{"message":"READONLY You can\'t write against a read only replica.","level_name":"ERROR","channel":"local"}\n', {"redis-readonly": 1}),
        ("laravel", '{"message":"fine","level_name":"INFO","channel":"local"}\n', {}),
        ("laravel", f"{AT}.ERROR: 1213 Deadlock found when trying to get lock\r\n", {"deadlock": 1}),
        ("ninja", f"{AT}.INFO: Exception:: BankTransactioSync:: timeout  \n{AT}.INFO: syncing transactions - done  \n", {"bank-failed": 1}),
        ("ninja", f"{AT}.INFO: Nordigen: account inactive: 1f2e  \n", {"bank-consent": 1}),
        ("ninja", f"{AT}.INFO: Nordigen Rate Limit hit for account 1f2e\n{AT}.ERROR: Rate limit exceeded\n", {"bank-rate": 2}),
        ("ninja", f"{AT}.ERROR: MySQL server has gone away\n", {"database-gone": 1}),
        ("output", "  2026-03-01 10:00:00 App\\Jobs\\Mail ..... RUNNING\n  2026-03-01 10:00:01 App\\Jobs\\Mail ..... 71.46ms DONE\n", {}),
        ("output", "  2026-03-01 10:00:01 App\\Jobs\\Mail ..... 1.2s FAIL\n", {"job-failed": 1}),
        ("output", "[2026-03-01 10:00:00][abc] Processing: App\\Jobs\\A\n[2026-03-01 10:00:00][abc] Failed:     App\\Jobs\\A\n", {"job-failed": 1}),
        ("output", "PHP Fatal error:  Uncaught RedisException: Connection refused in /x:3\nStack trace:\n#0 /y(1): Redis->connect()\n#1 {main}\n  thrown in /x on line 3\n", {"redis-down": 1}),
        ("output", "\n   Illuminate\\Database\\QueryException \n\n  SQLSTATE[HY000] [2002] Connection refused\n\n  at vendor/x.php:1\n\n" * 2, {"database-down": 2}),
        ("output", "\nIn Connection.php line 760:\n\n  [PDOException (1045)]\n  SQLSTATE[HY000] [1045] Access denied for user\n\n", {"database-auth": 1}),
        ("output", "Could not open input file: artisan\nCould not open input file: artisan\n", {"not-started": 2}),
        ("output", f"{AT}.INFO: SQLSTATE[HY000] [2002] is only spoken of\n", {}),
        ("supervisord", "2026-03-01 10:00:00,123 WARN exited: w (exit status 255; not expected)\n", {"exit-fatal": 1}),
        ("supervisord", "2026-03-01 10:00:00,123 WARN exited: w (terminated by SIGKILL; not expected)\n", {"sigkilled": 1}),
        ("supervisord", "2026-03-01 10:00:00,123 WARN killing 'w' (12) with SIGKILL\n", {"killed-at-stop": 1}),
        ("supervisord", "2026-03-01 10:00:00,123 INFO gave up: w entered FATAL state, too many start retries too quickly\n", {"gave-up": 1}),
        ("supervisord", "2026-03-01 10:00:00,123 INFO exited: w (exit status 0; expected)\n2026-03-01 10:00:00,123 WARN reaped unknown pid 7\n", {}),
    ],
)  # fmt: skip
def test_what_a_record_tells(tmp_path: Path, form: str, text: str, told: dict[str, int]) -> None:
    """A record is told once, by the first signature that fits, and what but speaks of a fault is none."""
    assert kinds(read(tmp_path, text.encode(), form)) == told


@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize("size", [10, MOST_RECORD - 60, MOST_RECORD, 3 * MOST_RECORD + 7])
def test_lines_of_any_length(tmp_path: Path, form: str, size: int) -> None:
    """What stands behind a line of any length is still read, and the line itself is one record."""
    known = {
        "output": "PHP Fatal error:  Allowed memory size of 1 bytes exhausted",
        "supervisord": "2026-03-01 10:00:00,123 WARN exited: w (exit status 255; not expected)",
    }.get(form, f"{AT}.ERROR: Allowed memory size of 1 bytes exhausted")

    looked = read(tmp_path, (known + "x" * size + "\n" + known + "\n").encode(), form)

    assert sum(kinds(looked).values()) == 2
    assert len(next(iter(looked.told.values())).first) <= LONGEST + 2


def test_a_hole_of_zeros_is_passed_over(tmp_path: Path) -> None:
    """A writer that does not append leaves one behind, where its file was cut to nothing under it."""
    record = f"{AT}.ERROR: MySQL server has gone away\n".encode()

    assert kinds(read(tmp_path, record + b"\0" * 1_000_000 + record)) == {"database-gone": 2}


def test_what_is_no_text_stands_in_nobodys_way(tmp_path: Path) -> None:
    """Bytes of another encoding are shown as such."""
    looked = read(tmp_path, f"{AT}.ERROR: Too many connections für ".encode("latin-1") + b"\xff\xfe\x00\n")

    assert kinds(looked) == {"connections": 1}
    assert "Too many connections f\ufffdr" in looked.told["connections"].first


@given(data=st.lists(st.sampled_from([b"\n", b"\0", b"[", AT.encode(), b".ERROR: ", b"#0 ", b" DONE", b"\xff", b'{"message":', b"x"])).map(b"".join))  # fmt: skip
@pytest.mark.parametrize("form", sorted(FORMS))
def test_any_bytes_are_read_to_their_end(tmp_path_factory: pytest.TempPathFactory, form: str, data: bytes) -> None:
    """Nothing makes a reader fail, and all whole lines are behind it in the end."""
    folder = tmp_path_factory.mktemp("log")
    path = folder / "a.log"
    path.write_bytes(data + b"\n")
    log = Log()
    for now in (1000.0, 1060.0, 1120.0):
        log = look(str(path), log, FORMS[form], now).log

    assert log.files[0].offset == len(data) + 1


@pytest.mark.parametrize(
    ("line", "hidden", "kept"),
    [
        ("x.ERROR: auth failed for redis://u:s3cret@h:6379", "s3cret", "redis://u:***@h"),
        ("x.ERROR: Authorization: Bearer abcdef0123456789 was refused", "abcdef0123456789", "was refused"),
        ('x.ERROR: insert failed (Connection: mysql, SQL: insert into jobs values ("hunter2"))', "hunter2", "insert failed …"),
        ('x.ERROR: it broke {"userId":12,"card":"4111"}', "4111", "it broke …"),
        ("x.ERROR: no such user max@example.org", "max@", "***@example.org"),
        ("x.ERROR: GET /webcron?secret=abc123 failed", "abc123", "failed"),
        ("x.ERROR: token 0123456789abcdef0123456789abcdef0123456789abcdef", "0123456789abcdef", "token"),
        ("x.ERROR: REDIS_PASSWORD=hunter2", "hunter2", "REDIS_PASSWORD"),
        ("x.ERROR: a\x1b[31mred\x07", "\x1b", "a [31mred"),
    ],
)  # fmt: skip
def test_a_sample_holds_no_secret(line: str, hidden: str, kept: str) -> None:
    """What leaves the host in a message is without secrets, data and control characters, and still says what happened."""
    shown = sample(line.encode())

    assert hidden not in shown
    assert kept in shown


def test_the_table_calls_things_as_failed_jobs_are_called() -> None:
    """A kind that failed jobs have too has the same name, and holds the same words."""
    for kind, words in SIGNATURES:
        entry = TABLE.named(kind)
        assert entry is not None
        assert kind in FAILURE_KINDS
        missing = [word for word in words if not any(_within(word, own) for own in entry.words)]
        assert missing == [], kind


def _within(word: str, own: str | tuple[str, ...]) -> bool:
    return own in word if isinstance(own, str) else all(part in word for part in own)


ENTRY = """# One's own.
- kind: a
  says: b
  severity: note
  logs: [laravel]
  words: [c]
  """


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kind: a\n", "own.yaml:1: expected “array”, got “object”"),
        ("", "own.yaml: expected “array”, got “object”"),
        ("- kind: a\n", "own.yaml:1: object missing required field “says”"),
        (ENTRY.replace("note", "bad"), "own.yaml:4: invalid enum value 'bad'"),
        (f"- {{kind: x}}\n{ENTRY}", "own.yaml:1: object missing required field"),
        (f"{ENTRY}sevrity: note\n", "own.yaml:7: there is no key “sevrity” here; did you mean “severity”?"),
        (f"{ENTRY}after: many\n", "own.yaml:7: expected “int”, got “str”"),
        (f"{ENTRY}after: 0\n", "own.yaml:7: “after” is a positive number"),
        (f"{ENTRY}within: .nan\n", "own.yaml:7: “.nan” is not taken here"),
        (f"{ENTRY}quiet: -1\n", "own.yaml:7: “quiet” is a positive number"),
        (ENTRY.replace("[laravel]", "[apache]"), "own.yaml:5: “logs” holds some of laravel, "),
        (ENTRY.replace("[c]", "[]"), "own.yaml:6: “words” holds at least one text"),
        (ENTRY.replace("[c]", "[c, []]"), "own.yaml:6: “words” holds at least one text"),
        (ENTRY.replace("[c]", "[&x [c], *x]"), "own.yaml:6: a"),
        (ENTRY.replace("[c]", '["\\uD800"]'), "own.yaml:6: "),
        (ENTRY.replace("kind: a", 'kind: "a b\\n"'), "own.yaml:2: “kind” is a name of letters, digits and hyphens"),
        ("[" * 5000, "own.yaml:1: nested more than 30 deep"),
    ],
)  # fmt: skip
def test_a_table_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, told: str) -> None:
    """With its file, its line and the reason."""
    monkeypatch.chdir(tmp_path)
    Path("own.yaml").write_text(text)

    with pytest.raises(SignaturesRefused) as problem:
        load_signatures("own.yaml")

    assert told in str(problem.value)


def test_one_advice_is_given_for_a_failed_job_and_for_the_record_that_tells_of_it() -> None:
    """A kind that failed jobs have too is advised alike, where its entry does not say otherwise."""
    assert {kind: entry.advice for kind, _ in SIGNATURES if (entry := TABLE.named(kind))} == {
        kind: FAILURE_ADVICE[kind] for kind, _ in SIGNATURES
    }
    other = TABLE.named("other")
    assert other is not None
    assert other.advice not in FAILURE_ADVICE.values()


def test_a_users_own_table_goes_first(tmp_path: Path) -> None:
    """It may say of a line what the shipped one says otherwise, and leaves the rest to it."""
    own = tmp_path / "own.yaml"
    own.write_text(
        "- {kind: nightly, says: the nightly restart, severity: note, logs: [laravel], words: [gone away]}\n"
    )
    table = load_signatures(str(own))

    assert isinstance(table, Signatures)
    assert table.classify(b"MySQL server has gone away", "laravel") == "nightly"
    assert table.classify(b"Too many connections", "laravel") == "connections"
