"""Editing one thing of a command: the text where it stands, and nothing else of what it starts."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from auditor.dialects.command_edit import (
    Plain,
    add_exec,
    join_lines,
    set_connection,
    set_option,
    strip_queue_spaces,
    without_shell,
)
from auditor.errors import CannotMend
from auditor.facts.command import Command
from auditor.sources.commands import understand

SET: list[tuple[str, str, str | None, str]] = [
    # changed in place
    ("php artisan queue:work --timeout=60 --tries=3", "timeout", "80", "php artisan queue:work --timeout=80 --tries=3"),
    ("php  artisan queue:work  --timeout  60", "timeout", "80", "php  artisan queue:work  --timeout  80"),
    ('php artisan queue:work "--timeout=60"', "timeout", "80", 'php artisan queue:work "--timeout=80"'),
    ("php artisan queue:work --timeout='60'", "timeout", "80", "php artisan queue:work --timeout='80'"),
    ("php artisan queue:work --timeout= -v", "timeout", "80", "php artisan queue:work --timeout=80 -v"),
    ("php artisan queue:work --timeout -v", "timeout", "80", "php artisan queue:work --timeout=80 -v"),
    ("php artisan queue:work --tries=1 --tries=2", "tries", "5", "php artisan queue:work --tries=1 --tries=5"),
    ("php artisan queue:work --tries=%(ENV_T)s", "tries", "5", "php artisan queue:work --tries=5"),
    # added
    ("php artisan queue:work", "timeout", "80", "php artisan queue:work --timeout=80"),
    ("php artisan queue:work redis", "timeout", "80", "php artisan queue:work redis --timeout=80"),
    ("php artisan queue:work --tries=3 redis", "timeout", "80", "php artisan queue:work --tries=3 --timeout=80 redis"),
    ("php artisan queue:work -- redis", "timeout", "80", "php artisan queue:work --timeout=80 -- redis"),
    ("php artisan queue:work -v  # all", "memory", "96", "php artisan queue:work -v --memory=96  # all"),
    ("php artisan queue:work --once", "force", "", "php artisan queue:work --once --force"),
    ("php artisan queue:work {{ connection }}", "tries", "5", "php artisan queue:work {{ connection }} --tries=5"),
    ("nice -n 5 php artisan horizon", "environment", "live", "nice -n 5 php artisan horizon --environment=live"),
    # inside of shells, before what the shell keeps for itself
    (
        "sh -c 'cd /srv && php artisan queue:work --tries=3 >> w.log 2>&1'",
        "timeout",
        "80",
        "sh -c 'cd /srv && php artisan queue:work --tries=3 --timeout=80 >> w.log 2>&1'",
    ),
    (
        'bash -c "php artisan queue:work \\"--timeout=60\\" --once"',
        "timeout",
        "80",
        'bash -c "php artisan queue:work \\"--timeout=80\\" --once"',
    ),
    (
        """sh -c 'exec bash -c "php artisan queue:work"'""",
        "timeout",
        "80",
        """sh -c 'exec bash -c "php artisan queue:work --timeout=80"'""",
    ),
    ("php artisan queue:work >> /x 2>&1", "timeout", "80", "php artisan queue:work --timeout=80 >> /x 2>&1"),
    ("cd /srv && php artisan queue:work &", "timeout", "80", "cd /srv && php artisan queue:work --timeout=80 &"),
    # taken out
    ("php artisan queue:work --once --tries=3", "once", None, "php artisan queue:work --tries=3"),
    ("php artisan queue:work --tries 3 redis", "tries", None, "php artisan queue:work redis"),
    ("php artisan queue:work --tries=3 -v --tries=4", "tries", None, "php artisan queue:work -v"),
    ('sh -c "php artisan queue:work --daemon"', "daemon", None, 'sh -c "php artisan queue:work"'),
    ("php artisan queue:work", "daemon", None, "php artisan queue:work"),
]


@pytest.mark.parametrize(("text", "option", "value", "edited"), SET)
def test_set_option(text: str, option: str, value: str | None, edited: str) -> None:
    """The option is changed, added or taken out where a person would, and every other character stays."""
    assert set_option(text, option, value) == edited
    assert set_option(edited, option, value) == edited


CANNOT: list[tuple[str, str, str | None, str]] = [
    ("php worker.php", "timeout", "80", "no artisan command"),
    ("php artisan horizon", "timeout", "80", "has no option --timeout"),
    ("php artisan queue:work", "timeout", "80; x", "without quotes"),
    ("php artisan queue:work $MORE", "timeout", "80", "may already hold"),
    ('php artisan queue:work --timeout="6"0', "timeout", "80", "quotes or escapes"),
    ("php artisan queue:work --timeout ''", "timeout", "80", "is empty"),
    ('sh -c "php artisan queue:work \\"--once\\""', "once", None, "would alter more"),
    ("sh -c 'php artisan queue:work", "timeout", "80", "cannot be read"),
    ("sh -c 'case a in b) php artisan queue:work;; esac'", "timeout", "80", "is not followed"),
    ("sh -c 'php artisan queue:work & php artisan queue:work'", "timeout", "80", "several artisan commands"),
]


@pytest.mark.parametrize(("text", "option", "value", "why"), CANNOT)
def test_cannot_set_option(text: str, option: str, value: str | None, why: str) -> None:
    """What cannot be edited with certainty is refused, with the reason."""
    with pytest.raises(CannotMend, match=why):
        set_option(text, option, value)


@pytest.mark.parametrize(
    ("text", "name", "edited"),
    [
        ("php artisan queue:work redis --tries=3", "database", "php artisan queue:work database --tries=3"),
        ("php artisan queue:work --tries=3", "database", "php artisan queue:work database --tries=3"),
        ("php artisan queue:work --tries=3 'sync'", "redis", "php artisan queue:work --tries=3 'redis'"),
        ("php artisan -v queue:work", "redis", "php artisan -v queue:work redis"),
        ("php artisan queue:work sync", None, "php artisan queue:work"),
        ("php artisan queue:work", None, "php artisan queue:work"),
        ("php artisan queue:work -- sync", "redis", "php artisan queue:work -- redis"),
        ("sh -c 'php artisan queue:listen sync > x'", "redis", "sh -c 'php artisan queue:listen redis > x'"),
    ],
)
def test_set_connection(text: str, name: str | None, edited: str) -> None:
    """The connection is changed, added behind the command's name, or taken out."""
    assert set_connection(text, name) == edited


def test_cannot_set_connection() -> None:
    """A command without a connection, or a name that is none, is refused."""
    for text, name in (
        ("php artisan horizon", "redis"),
        ("php artisan queue:work", "--x"),
        ("php artisan queue:work", ""),
    ):
        with pytest.raises(CannotMend):
            set_connection(text, name)


@pytest.mark.parametrize(
    ("text", "edited"),
    [
        ('php artisan queue:work --queue="a, b ,c" -v', 'php artisan queue:work --queue="a,b,c" -v'),
        ("php artisan queue:work '--queue= a'", "php artisan queue:work '--queue=a'"),
        ("php artisan queue:work --queue 'a, b'", "php artisan queue:work --queue 'a,b'"),
        ("""sh -c 'php artisan queue:work --queue "a, b"'""", """sh -c 'php artisan queue:work --queue "a,b"'"""),
        ('php artisan queue:work --queue="two words, b"', 'php artisan queue:work --queue="two words,b"'),
        ("php artisan queue:work --queue=a,b", "php artisan queue:work --queue=a,b"),
        ("php artisan queue:work", "php artisan queue:work"),
    ],
)
def test_strip_queue_spaces(text: str, edited: str) -> None:
    """Blanks around the queues' names go, blanks within stay."""
    assert strip_queue_spaces(text) == edited


def test_cannot_strip_queue_spaces() -> None:
    """A blank behind a backslash is left to its author."""
    with pytest.raises(CannotMend):
        strip_queue_spaces("php artisan queue:work --queue=a,\\ b")


@pytest.mark.parametrize(
    ("text", "edited"),
    [
        (
            "php artisan queue:work redis \\\n--tries=3 \\\n--sleep=3",
            "php artisan queue:work redis --tries=3 --sleep=3",
        ),
        ("php artisan queue:work \\\n  --tries=3\\\n", "php artisan queue:work --tries=3"),
        ("php artisan queue:work\n--tries=3", "php artisan queue:work\n--tries=3"),
    ],
)
def test_join_lines(text: str, edited: str) -> None:
    """Lines that a backslash was to join are joined, and the options behind it count."""
    assert join_lines(text) == edited
    command = understand(edited, runner="execve")
    assert command.refusal is None
    assert not command.newline_escaped
    assert command.tries == 3


@pytest.mark.parametrize(
    ("text", "edited"),
    [
        ("sh -c 'cd /srv && php artisan horizon'", "sh -c 'cd /srv && exec php artisan horizon'"),
        ("sh -c 'A=1 php artisan horizon > x'", "sh -c 'A=1 exec php artisan horizon > x'"),
        ("""sh -c 'bash -c "php artisan horizon > x"'""", """sh -c 'exec bash -c "exec php artisan horizon > x"'"""),
        ("bash -c 'cd /srv && php artisan horizon'", "bash -c 'cd /srv && php artisan horizon'"),
        ("php artisan horizon", "php artisan horizon"),
    ],
)
def test_add_exec(text: str, edited: str) -> None:
    """Every shell that stays gets an exec; where none stays, nothing changes."""
    assert add_exec(text) == edited


@pytest.mark.parametrize(
    "text", ["sh -c 'php artisan horizon; true'", "sh -c 'php artisan horizon | cat'", "sh -c '(php artisan horizon)'"]
)
def test_cannot_add_exec(text: str) -> None:
    """Where the shell has more to do, exec is no cure."""
    assert not understand(text, runner="execve").can_exec
    with pytest.raises(CannotMend):
        add_exec(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (
            "cd /srv && php artisan queue:work --tries=3 >> storage/w.log 2>&1",
            Plain("php artisan queue:work --tries=3", "/srv", "/srv/storage/w.log", True),
        ),
        ("php artisan horizon > /var/log/h.log", Plain("php artisan horizon", None, "/var/log/h.log", False)),
        ("sh -c 'cd /srv; exec php artisan horizon'", Plain("php artisan horizon", "/srv", None, False)),
        ("php artisan horizon", Plain("php artisan horizon", None, None, False)),
        ("cd /srv && php artisan horizon '-v'", Plain("php artisan horizon '-v'", "/srv", None, False)),
    ],
)  # fmt: skip
def test_without_shell(text: str, plain: Plain) -> None:
    """The folder and the log that a shell was to see to become supervisor's own."""
    assert without_shell(text) == plain


@pytest.mark.parametrize(
    "text",
    [
        "php artisan horizon | tee x",
        "A=1 php artisan horizon",
        "cd $APP && php artisan horizon",
        "cd app && php artisan horizon",
        "sh -c 'php artisan queue:work --queue=$Q'",
        "php artisan horizon < in",
        "php artisan horizon > w.log",
        "sh -c 'php artisan horizon &'",
        "sh -c 'while true; do php artisan schedule:run; done'",
        "sudo -u www-data sh -c 'cd /srv && php artisan horizon'",
        "source /etc/x && php artisan horizon",
        "php artisan down; php artisan horizon",
    ],
)
def test_cannot_do_without_shell(text: str) -> None:
    """What supervisor has no option for is left to its author."""
    with pytest.raises(CannotMend):
        without_shell(text)


OPTIONS = {
    "timeout": ("timeout", st.integers(1, 9999).map(str)),
    "memory": ("memory", st.integers(32, 4096).map(str)),
    "sleep": ("sleep", st.integers(0, 60).map(str)),
    "tries": ("tries", st.integers(1, 20).map(str)),
    "max-time": ("max_time", st.integers(1, 9999).map(str)),
}
WRITTEN = st.lists(
    st.one_of(
        *(
            st.builds(f"--{name}{{}}{{}}".format, st.sampled_from("= "), values)
            for name, (_, values) in OPTIONS.items()
        ),
        st.sampled_from(["-v", "--once", "--force", "'--queue=a, b'", '"--queue=x"', "--queue=%(ENV_Q)s", "--tires=1"]),
    ),
    max_size=4,
)
AROUND = st.sampled_from(
    [
        "{}",
        "nice -n 5 {}",
        "{} >> /tmp/w.log 2>&1",
        "cd /srv && {} | tee x",
        "{{{{ php }}}} -v; {}",
        "su www-data -s /bin/sh -c {quoted}",
        "sh -c {quoted}",
        "bash -lc {nested}",
        'bash -c "{}"',
        "docker exec -u 33 web {}",
        "/opt/run.sh queue {}",
    ]
)


def differences(before: Command, after: Command) -> set[str]:
    """The facts that are not the same, but for the text itself."""
    return {
        field
        for field in Command.__struct_fields__
        if field not in ("text", "words", "marks") and getattr(before, field) != getattr(after, field)
    } | {field for field in {**before.marks, **after.marks} if before.is_unknown(field) != after.is_unknown(field)}


@settings(max_examples=400)
@given(
    st.sampled_from(["", " redis", " {{ conn_connection }}"]),
    WRITTEN,
    AROUND,
    st.sampled_from(sorted(OPTIONS)),
    st.data(),
)
def test_edit_changes_that_option_alone(
    connection: str, written: list[str], around: str, option: str, data: st.DataObject
) -> None:
    """Whatever the command and whatever stands around it, of all its facts only the option's own differ."""
    artisan = " ".join([f"php /srv/shop/artisan queue:work{connection}", *written])
    if '"{}"' in around:
        assume('"' not in artisan)
    shell = f"cd /srv && exec {artisan}"
    text = around.format(artisan, quoted=shlex.quote(artisan), nested=shlex.quote(shell))
    field, values = OPTIONS[option]
    value = data.draw(values)
    before = understand(text, runner="execve")
    edited = set_option(text, option, value)
    after = understand(edited, runner="execve")
    assert differences(before, after) <= {field, "written"}
    assert getattr(after, field) == float(value)
    assert not after.is_unknown(field)
    assert option in after.written
    added = len(edited) - len(text)
    assert added <= len(f" --{option}={value}")
    removed: Any = set_option(edited, option, None)
    assert option not in understand(removed, runner="execve").written
