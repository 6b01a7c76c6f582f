"""Shell text of scripts and Dockerfiles, as far as it plainly starts or installs something."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.sources.repository.scripts import read_shell_text, statements

STARTS = [
    ("#!/bin/sh\nset -e\nexec php artisan horizon\n", [("exec php artisan horizon", 3)]),
    ("if [ $A = b ]; then exec php artisan queue:work; fi\n", [("exec php artisan queue:work", 1)]),
    ('case "$1" in\n  worker) exec php artisan queue:work ;;\nesac\n', [("exec php artisan queue:work", 2)]),
    ("php artisan queue:work &\nwait\n", [("php artisan queue:work &", 1)]),
    (
        "while true; do\n  php artisan schedule:run\n  sleep 60\ndone\n",
        [("while true; do php artisan schedule:run; sleep 60; done", 1)],
    ),
    ("# php artisan queue:work\necho 'php artisan queue:work'\ngrep queue:work x\n", []),
    ("php artisan horizon:terminate\nphp artisan queue:restart\n", []),
    ("cat <<EOF\nphp artisan queue:work\nEOF\n", []),
]


@pytest.mark.parametrize(("text", "wanted"), STARTS)
def test_what_is_started(text: str, wanted: list[tuple[str, int]]) -> None:
    """Statements that start a worker or the scheduler, each on its line; what only speaks of one is none."""
    assert [(start.text, start.line) for start in read_shell_text(text).starts] == wanted


CRONS = [
    ('echo "* * * * * php artisan schedule:run" | crontab -\n', None, None),
    ("echo '* * * * * php artisan schedule:run' | crontab -u app -\n", None, "app"),
    ('echo "* * * * * php artisan schedule:run" | sudo -u app crontab -\n', None, "app"),
    (
        'echo "* * * * * php artisan schedule:run >> /dev/null" >> /var/spool/cron/crontabs/root\n',
        "/var/spool/cron/crontabs/root",
        None,
    ),
    ("(crontab -l; echo '* * * * * php artisan schedule:run') | crontab -\n", None, None),
    ("cat > /etc/cron.d/app <<'X'\n* * * * * root php artisan schedule:run\nX\n", "/etc/cron.d/app", None),
]


@pytest.mark.parametrize(("text", "path", "user"), CRONS)
def test_what_is_given_to_cron(text: str, path: str | None, user: str | None) -> None:
    """Lines for a user's table or for a file, by echo or by a here-document."""
    (found,) = read_shell_text(text).crons

    assert (found.path, found.user) == (path, user)
    assert any("schedule:run" in line for _, line in found.lines)


def test_configurations_that_are_written() -> None:
    """A here-document and a variable that is written later, with the lines they begin on."""
    here = read_shell_text("cat > /etc/supervisor/conf.d/a.conf <<EOF\n[program:a]\ncommand=x\nEOF\n").confs
    held = read_shell_text('C="\n[program:b]\ncommand=y\n"\necho "$C" | tee /etc/supervisor/conf.d/b.conf\n').confs

    assert [(one.path, one.line) for one in here] == [("/etc/supervisor/conf.d/a.conf", 2)]
    assert [(one.path, one.line) for one in held] == [("/etc/supervisor/conf.d/b.conf", 2)]


def test_supervisord_and_cron() -> None:
    """Which configuration supervisord is given, and that a cron daemon starts."""
    found = read_shell_text("crond -b\nexec gosu app supervisord -n -c /etc/s.conf\n")

    assert [daemon[:2] for daemon in found.supervisord] == [("/etc/s.conf", 2)]
    assert found.switches_user
    assert found.crond


@given(st.text(alphabet="ab \n;&|()\"'\\#<>=$EOFcrontab*", max_size=300), st.integers(1, 50))
@settings(deadline=None, max_examples=400)
def test_any_shell_text_is_read_in_order(text: str, first: int) -> None:
    """Statements come in order and inside the text; nothing raises."""
    before = first
    for one in statements(text, first):
        assert before <= one.line <= one.end <= first + text.count("\n") + 1
        before = one.line
    read_shell_text(text, first)
