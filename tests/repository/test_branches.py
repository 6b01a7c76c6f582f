"""Which statements of an entrypoint run in which container: compared with the shell itself."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.sources.repository.given import arguments_of
from auditor.sources.repository.scripts import read_shell_text

ROLE = """\
#!/bin/bash
role=${CONTAINER_ROLE:-app}
if [ "$role" = "app" ]; then
    echo web
elif [ "$role" = "queue" ]; then
    php artisan queue:work --name=queue
elif [[ "$role" == "scheduler" ]]; then
    php artisan schedule:work
else
    exit 1
fi
"""
ARGUMENT = """\
case "$1" in
  web|app)
    echo web
    ;;
  worker*) exec php artisan queue:work --name=worker ;;
  scheduler)
    exec php artisan schedule:work
    ;;
  *) echo "$@" ;;
esac
php artisan queue:work --name=after
"""
FUNCTIONS = """\
start_worker() {
  exec php artisan queue:work --name=function
}
log() { echo "$1"; }
: "${WITH_QUEUE:=true}"
[ "$WITH_QUEUE" = true ] && start_worker
log "no queue"
exec php artisan schedule:work
"""
ENDS = """\
if [ "$SIDECAR" = "1" ] || [ "$OTHER" = "1" ]; then exit 0; fi
if [ -n "$ROLE" ]; then
  if [ "$ROLE" != "none" ]; then
    php artisan queue:work --name="$ROLE"
  fi
fi
[ -z "$ROLE" ] && exec php artisan schedule:work
php artisan queue:work --name=last
"""
DEFAULTS = """\
ROLE=${1:-${ROLE:-web}}
if [[ $ROLE =~ ^(worker|queue)$ ]]; then php artisan queue:work --name=one; exit; fi
if test "${ROLE}" = web; then exit 0; fi
php artisan queue:work --name=two
"""
CASES: list[tuple[str, list[str], dict[str, str]]] = [
    *((ROLE, [], {"CONTAINER_ROLE": role}) for role in ("app", "queue", "scheduler")),
    (ROLE, [], {}),
    *((ARGUMENT, [word], {}) for word in ("web", "app", "worker", "worker-2", "scheduler", "other")),
    (FUNCTIONS, [], {}),
    (FUNCTIONS, [], {"WITH_QUEUE": "false"}),
    *((ENDS, [], {"ROLE": role}) for role in ("", "none", "mail")),
    *((DEFAULTS, words, {"ROLE": role}) for words in ([], ["queue"]) for role in ("web", "worker", "x")),
]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder whose `php` only says how it was called."""
    folder = tmp_path_factory.mktemp("bin")
    stub = folder / "php"
    stub.write_text('#!/bin/sh\necho "RAN $*"\n')
    stub.chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def ran(script: Path, words: list[str], environment: Mapping[str, str], path: str) -> list[str]:
    """What the shell starts."""
    found = subprocess.run(
        ["bash", str(script), *words], env={"PATH": path, **environment}, capture_output=True, text=True, check=False
    )
    return [line[4:] for line in found.stdout.splitlines() if line.startswith("RAN ")]


def told(
    text: str, words: list[str] | None, environment: Mapping[str, str], *, whole: bool = True
) -> list[bool | None]:
    """What is told of each statement that starts something."""
    shell = read_shell_text(text)
    given_ = shell.given(words, environment, whole=whole)
    return [start.when.holds(given_) for start in shell.starts]


@pytest.mark.parametrize(("text", "words", "environment"), CASES)
def test_what_runs_is_what_the_shell_runs(
    text: str, words: list[str], environment: dict[str, str], path: str, tmp_path: Path
) -> None:
    """As many statements are told to run as bash starts, in the same order; none stays open."""
    script = tmp_path / "entrypoint.sh"
    script.write_text(text)
    starts = [start.text.split("php ")[-1].split(" --name")[0] for start in read_shell_text(text).starts]

    answers = told(text, words, environment)
    wanted = [line.split(" --name")[0] for line in ran(script, words, environment, path)]

    may = [start for start, answer in zip(starts, answers, strict=True) if answer is not False]
    if None not in answers:
        assert may == wanted
    else:
        assert set(wanted) <= set(may)
        assert text is ENDS  # an `||` between two questions is left open


OPEN = [
    ("if [ -f /x ]; then php artisan queue:work; fi\n", [None]),
    ('if [ "$ROLE" = a ]; then php artisan queue:work; fi\n', [None]),
    ("if grep -q x y; then exit 0; fi\nphp artisan queue:work\n", [True]),
    ('case "$(hostname)" in a) php artisan queue:work ;; esac\n', [None]),
    ('run() { [ "$1" = a ] && php artisan queue:work; }\nrun a\n', [None]),
    ("never() { php artisan queue:work; }\n", [None]),
    ("php artisan migrate && php artisan queue:work\n", [True]),
    ('shift\n[ "$1" = a ] && php artisan queue:work\n', [None]),
    ('ROLE=a\n[ "$X" = 1 ] && ROLE=b\n[ "$ROLE" = a ] && php artisan queue:work\n', [None]),
    ("a() { b; }\nb() { a; php artisan queue:work; }\na\n", [True]),
]


@pytest.mark.parametrize(("text", "wanted"), OPEN)
def test_what_cannot_be_known_stays_open(text: str, wanted: list[bool | None]) -> None:
    """Files, other commands, variables nobody tells, a function's own arguments; a command is taken to succeed."""
    assert told(text, [], {}, whole=False) == wanted


def test_arguments_of_a_script() -> None:
    """What stands behind the script's name, wherever the script lies."""
    assert arguments_of(["tini", "--", "/usr/local/bin/entry.sh", "worker", "2"], "docker/entry.sh") == ["worker", "2"]
    assert arguments_of(["php", "artisan"], "docker/entry.sh") is None


_LINES = st.sampled_from(
    ['if [ "$A" = 1 ]; then', "if [ ${A} = 1 ]; then", 'B="${A:+x}${B-y}"', "case ${B} in", "elif [ x ]; then", "else", "fi",
     "case $1 in", "a) php artisan queue:work", "esac", "f() {", "}", "f", "exit", "exec x", "{", "shift",
     "[ -z $A ] && php artisan horizon", "while true; do", "done", "A=${A:-1}"]
)  # fmt: skip


@given(st.lists(_LINES, max_size=25))
@settings(deadline=None, max_examples=300)
def test_any_order_of_words_is_followed(lines: list[str]) -> None:
    """Constructs that do not fit together raise nothing, and every question has an answer."""
    assert all(answer in (True, False, None) for answer in told("\n".join(lines), ["a"], {"A": "1"}))


HUGE = {
    "if": "if [ $A = 1 ]; then\n" * 8000 + "php artisan queue:work\n",
    "case": "case $1 in\n" + "a) php artisan queue:work ;;\n" * 4000,
    "exit": "[ $A = 1 ] && exit\nphp artisan queue:work\n" * 2000,
    "calls": "".join(f"f{n}() {{ f{n - 1}; f{n - 1}; }}\n" for n in range(1, 2000))
    + "f0() { php artisan horizon; }\nf1999\n",
    "variables": "".join(f'A{n}="$A{n - 1}$A{n - 1}"\n' for n in range(1, 2000))
    + "[ $A1999 = x ] && php artisan horizon\n",
    "braces": '[ "' + "${A:-" * 5000 + "}" * 5000 + '" = x ] && php artisan horizon\n',
}


@pytest.mark.parametrize("name", HUGE)
def test_no_script_takes_long(name: str) -> None:
    """Depth, length and doubling have an end; what lies behind it is open or decided, and nothing raises."""
    began = time.process_time()

    assert all(answer in (True, False, None) for answer in told(HUGE[name], ["a"], {}))
    assert time.process_time() - began < 5
