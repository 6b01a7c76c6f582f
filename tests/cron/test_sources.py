"""Tables on a host and in a repository: who runs what, and what cron ignores without telling."""

from __future__ import annotations

import json
import os
import pathlib

import pytest

from auditor.facts.origin import NEVER
from auditor.facts.schedule import CronLine, CronTable
from auditor.sources.crontab import kind_of, looks_like_crontab, ownership, read_crontab, read_crontabs
from auditor.sources.tree import Tree

PASSWD = "root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/var/www:/usr/sbin/nologin\nmail:x:8:8::/:/bin/false\n"
RUN = "php artisan schedule:run >> /dev/null 2>&1"
CD = f"cd /srv/app && {RUN}"


class Host(Tree):
    """A tree whose files all belong to root, or to whom `owners` says: tests need not be root to say so."""

    def __init__(self, root: pathlib.Path) -> None:
        """Begin with everything root's."""
        super().__init__(root)
        self.owners: dict[str, tuple[int, int]] = {}
        """Path to owner and mode, where they are not root's."""

    def stat(self, path: str) -> os.stat_result | None:
        """The file's own numbers, with another owner and mode."""
        found = super().stat(path)
        if found is None:
            return None
        uid, mode = self.owners.get(path, (0, 0o600 if path.startswith("var/spool") else 0o644))
        fields = list(found)
        fields[0] = int(fields[0]) & ~0o7777 | mode
        fields[4] = fields[5] = uid
        return os.stat_result(fields)


@pytest.fixture
def host(tmp_path: pathlib.Path) -> Host:
    """A host with its users and nothing else."""
    tree = Host(tmp_path)
    put(tree, "etc/passwd", PASSWD)
    return tree


def put(tree: Tree, path: str, text: str) -> None:
    """Write a file below the tree."""
    where = pathlib.Path(tree.root) / path
    where.parent.mkdir(parents=True, exist_ok=True)
    where.write_bytes(text.encode())


DROP_IN = "etc/cron.d/app"
SPOOL = "var/spool/cron/crontabs/www-data"
# Name of the variant: path, text, owner and mode, and the facts that tell it from the correct ones.
VARIANTS: dict[str, tuple[str, str, tuple[int, int], dict[str, object]]] = {
    "correct drop-in": (
        DROP_IN, f"* * * * * www-data {CD}\n", (0, 0o644),
        {"user": "www-data", "has_user_field": True, "command": CD, "every_minute": True, "refused": None},
    ),
    "correct user's table": (
        SPOOL, f"* * * * * {CD}\n", (33, 0o600),
        {"user": "www-data", "has_user_field": False, "command": CD, "refused": None, "owner": "www-data"},
    ),
    "runs as root": (DROP_IN, f"* * * * * root {CD}\n", (0, 0o644), {"user": "root", "refused": None}),
    "no user field": (
        DROP_IN, f"* * * * * {CD}\n", (0, 0o644),
        {"user": None, "has_user_field": False, "command": CD, "causes": ("user-field",)},
    ),
    "unknown user": (
        DROP_IN, f"* * * * * nobody-here {CD}\n", (0, 0o644),
        {"user": "nobody-here", "user_exists": False, "causes": ("unknown-user",)},
    ),
    "no final newline": (
        DROP_IN, f"* * * * * www-data {CD}", (0, 0o644),
        {"final_newline": False, "causes": ("final-newline",), "command": CD},
    ),
    "writable by the group": (DROP_IN, f"* * * * * www-data {CD}\n", (0, 0o664), {"mode": 0o664, "causes": ("mode",)}),
    "not root's": (DROP_IN, f"* * * * * www-data {CD}\n", (33, 0o644), {"owner_uid": 33, "causes": ("owner",)}),
    "a dot in the name": (
        "etc/cron.d/app.cron", f"* * * * * www-data {CD}\n", (0, 0o644),
        {"has_dot": True, "name_ignored": True, "causes": ("name",)},
    ),
    "php is not on PATH": (
        DROP_IN, f"PATH=/opt/bin\n* * * * * www-data {CD}\n", (0, 0o644),
        {"path_variable": "/opt/bin", "environment": (("PATH", "/opt/bin"),), "refused": None},
    ),
    "no cd": (
        DROP_IN, f"* * * * * www-data {RUN}\n", (0, 0o644),
        {"command": RUN, "user": "www-data", "refused": None},
    ),
    "user field in a user's table": (
        SPOOL, f"* * * * * www-data {CD}\n", (33, 0o600),
        {"has_user_field": True, "written_user": "www-data", "user": "www-data", "command": f"www-data {CD}"},
    ),
    "carriage returns": (
        DROP_IN, f"* * * * * www-data {CD}\r\n", (0, 0o644),
        {"crlf": True, "ends_with_carriage_return": True, "command": CD, "refused": None},
    ),
    "a bare percent sign": (
        DROP_IN, "* * * * * www-data cd /srv/app && php artisan schedule:run >> /var/log/s-$(date +%F).log\n",
        (0, 0o644),
        {
            "cut_at_percent": True, "refused": None,
            "command_seen": "cd /srv/app && php artisan schedule:run >> /var/log/s-$(date +",
        },
    ),
    "a user who may not write": (DROP_IN, f"* * * * * mail {CD}\n", (0, 0o644), {"user": "mail", "refused": None}),
    "a variable that nobody sets": (
        DROP_IN, "A=/srv\n* * * * * www-data php ${APP_ROOT}/artisan schedule:run $A $HOME '$B'\n", (0, 0o644),
        {"undefined_variables": ("APP_ROOT",), "refused": None},
    ),
    "every five minutes": (
        DROP_IN, f"*/5 * * * * www-data {CD}\n", (0, 0o644),
        {"every_minute": False, "largest_gap": 300.0},
    ),
}  # fmt: skip


def facts_of(table: CronTable) -> dict[str, object]:
    """The table's facts and its one line's."""
    (line,) = table.lines
    return {name: getattr(part, name) for part in (table, line) for name in part.__struct_fields__ if name != "marks"}


@pytest.mark.parametrize("name", VARIANTS)
def test_variants_of_the_scheduler_line(host: Host, name: str) -> None:
    """Each way in which the line goes wrong in the field shows in the facts."""
    path, text, owner, expected = VARIANTS[name]
    put(host, path, text)
    host.owners = {path: owner}
    (table,) = read_crontabs(host)
    found = facts_of(table)
    assert {key: found[key] for key in expected} == expected
    assert not table.is_unknown("mode")


def test_variants_differ(host: Host) -> None:
    """No two variants give the same facts, so a rule can tell each of them."""
    seen: dict[str, str] = {}
    for name, (path, text, owner, _) in VARIANTS.items():
        put(host, path, text)
        host.owners = {path: owner}
        found = facts_of(read_crontab(host, path, kind_of(path)))
        key = json.dumps({k: v for k, v in found.items() if k not in ("path", "file_name")}, default=str)
        assert seen.setdefault(key, name) == name
    assert len(seen) == len(VARIANTS)


def test_every_place_of_a_host(host: Host) -> None:
    """All places are read, hidden files and folders left out, in a stable order; overrides stand in for files."""
    put(host, "etc/crontab", "SHELL=/bin/bash\n* * * * * root true\n")
    put(host, "etc/cron.d/b", "* * * * * root true\n")
    put(host, "etc/cron.d/.placeholder", "x")
    put(host, "var/spool/cron/crontabs/root", "* * * * * true\n")
    put(host, "etc/crontabs/root", "* * * * * true")
    tables = read_crontabs(host, {"etc/cron.d/a": b"* * * * * root false\n", "etc/cron.d/b": b"# nothing\n"})
    assert [(table.path, table.kind, len(table.lines)) for table in tables] == [
        ("etc/crontab", "system", 1),
        ("etc/cron.d/a", "drop-in", 1),
        ("etc/cron.d/b", "drop-in", 0),
        ("var/spool/cron/crontabs/root", "user", 1),
        ("etc/crontabs/root", "busybox", 1),
    ]
    assert tables[0].lines[0].shell == "/bin/bash"
    assert all(table.refused is None for table in tables)
    mark = tables[0].lines[0].mark("schedule")
    assert mark.origin is not None
    assert (mark.origin.file, mark.origin.line, mark.origin.text) == ("etc/crontab", 2, "* * * * * root true")


def test_settings_hold_for_the_lines_below(host: Host) -> None:
    """A setting changes what comes after it, not what stands above; secrets are hidden."""
    text = '* * * * * root one\nMAILTO=""\nDB_PASSWORD=hunter2\nHOME=/srv\n* * * * * root two --password=hunter2\n'
    table = read_crontab(host, "etc/crontab", "system", text.encode())
    first, second = table.lines
    assert (first.mailto, first.environment, first.home) == (None, (), None)
    assert (second.mailto, second.home) == ("", "/srv")
    assert second.environment == (("MAILTO", ""), ("DB_PASSWORD", "***"), ("HOME", "/srv"))
    assert "hunter2" not in repr(table)


def test_what_a_repository_cannot_tell(tmp_path: pathlib.Path) -> None:
    """Owner, mode, name and user of a file in a repository are unknown, not guessed."""
    table = read_crontab(Tree(tmp_path), "docker/crontab", "repository", f"* * * * * {CD}\n".encode())
    (line,) = table.lines
    assert all(table.is_unknown(field) for field in ("owner_uid", "mode", "hard_links", "name_ignored"))
    assert line.is_unknown("user")
    assert (line.command, line.has_user_field, table.refused) == (CD, False, None)


@pytest.mark.parametrize(
    ("rest", "user", "unknown"),
    [
        ("app /usr/bin/php /srv/artisan schedule:run", "app", False),
        ("www-data php artisan schedule:run", "www-data", False),
        ("php /srv/artisan schedule:run", None, False),
        ("/usr/bin/php8.2 /srv/artisan schedule:run", None, False),
        ("cd /srv && php artisan schedule:run", None, False),
        ("backup /srv/data", None, True),
        ("{{ cron_user }} php artisan schedule:run", "{{", True),
    ],
)
def test_user_fields_in_a_repository(tmp_path: pathlib.Path, rest: str, user: str | None, unknown: bool) -> None:
    """A word is a user where a command follows it for certain; where that is doubtful it is unknown."""
    table = read_crontab(Tree(tmp_path), "x/crontab", "repository", f"* * * * * {rest}\n".encode())
    line = table.lines[0]
    assert line.is_unknown("written_user") is unknown
    assert (line.written_user or "").startswith(user or "")
    assert line.has_user_field is (user is not None)


def test_templates_are_read_as_far_as_they_tell(tmp_path: pathlib.Path) -> None:
    """A time that a template fills in is unknown; its control lines are no lines of the table."""
    text = (
        "{% if on %}\n{{ minute }} * * * * root php artisan schedule:run\n{% endif %}\n"
        "* * * * * root {{ php }} artisan x\n"
    )
    table = read_crontab(Tree(tmp_path), "t/cron.j2", "drop-in", text.encode())
    first, second = table.lines
    assert first.is_unknown("every_minute")
    assert "schedule:run" in first.command
    assert (second.every_minute, second.user, second.command) == (True, "root", "{{ php }} artisan x")


def test_other_daemons_have_other_rules(tmp_path: pathlib.Path) -> None:
    """busybox and supercronic know neither percent signs nor a user, and want no final newline."""
    text = b"* * * * * php artisan x --at=%d"
    for kind in ("busybox", "supercronic"):
        table = read_crontab(Tree(tmp_path), "etc/crontabs/app", kind, text)
        (line,) = table.lines
        assert (table.refused, line.cut_at_percent, line.command_seen) == (None, False, "php artisan x --at=%d")
    seconds = read_crontab(Tree(tmp_path), "cron", "supercronic", b"*/10 * * * * * * php artisan x\n").lines[0]
    assert (seconds.command, seconds.is_unknown("every_minute")) == ("php artisan x", True)


def test_red_hat_reads_names_with_dots(host: Host) -> None:
    """cronie takes a drop-in with a dot, and skips a bad line where Debian's cron ignores the table."""
    put(host, "etc/os-release", 'ID="rocky"\nID_LIKE="rhel centos fedora"\n')
    put(host, "etc/cron.d/app.cron", f"bad\n* * * * * www-data {CD}\n")
    (table,) = read_crontabs(host)
    assert (table.daemon, table.name_ignored, table.refused, len(table.lines)) == ("cronie", False, None, 1)


def test_an_unreadable_table_is_unknown(host: Host) -> None:
    """A table that cannot be read has unknown lines, not none."""
    table = read_crontab(host, "etc/cron.d/missing", "drop-in")
    assert table.is_unknown("lines")
    assert table.is_unknown("refused")


@pytest.mark.parametrize(
    ("kind", "uid", "mode", "links", "owner", "causes"),
    [
        ("drop-in", 0, 0o644, 1, None, []),
        ("drop-in", 0, 0o600, 1, None, []),
        ("drop-in", 0, 0o755, 1, None, []),
        ("system", 0, 0o646, 1, None, ["mode"]),
        ("system", 5, 0o664, 2, None, ["owner", "mode", "hard-links"]),
        ("user", 33, 0o600, 1, 33, []),
        ("user", 0, 0o600, 1, 33, []),
        ("user", 5, 0o600, 1, 33, ["owner"]),
        ("user", 5, 0o600, 1, None, []),
        ("user", 33, 0o644, 1, 33, ["mode"]),
    ],
)
def test_owner_and_mode(kind: str, uid: int, mode: int, links: int, owner: int | None, causes: list[str]) -> None:
    """What Debian's cron says of a table's owner, mode and links."""
    assert [cause for cause, _ in ownership(kind, "cron", uid, mode, links, owner)] == causes


JOB = "* * * * * cd /srv && php artisan schedule:run\n"


@pytest.mark.parametrize(
    ("path", "text", "is_table"),
    [
        ("docker/crontab", JOB, True),
        ("docker/cron/app", f"SHELL=/bin/sh\n# x\n{JOB}", True),
        ("etc/cron.d/app", f"# only\n{JOB}", True),
        ("workspace/crontab/app", "* * * * * app /usr/bin/php /srv/artisan schedule:run", True),
        ("schedule.txt", JOB, True),
        ("cron.j2", "{% if x %}\n* * * * * {{ user }} php artisan schedule:run\n{% endif %}\n", True),
        ("crontab", "@hourly php artisan x\n", True),
        ("etc/crontab", f"# a\r\n{JOB}", True),
        ("crontab", "# nothing but remarks\n", False),
        ("deploy.sh", JOB, False),
        ("bin/deploy", f"#!/bin/sh\necho '{JOB}' | crontab -\n", False),
        ("bin/install-cron", f"set -e\n{JOB}", False),
        ("playbook.yml", f"- cron:\n    job: '{JOB}'", False),
        ("README.md", f"Add this line:\n\n{JOB}", False),
        ("docs/cron.md", JOB, False),
        ("NOTES", f"To run the scheduler add\n{JOB}", False),
        ("Dockerfile", f"RUN echo '{JOB}' > /etc/crontab\n", False),
        ("data.txt", "1 2 3 4 5 six\n* not a job\n", False),
        ("app/cron", "\0\0\0", False),
        ("list", "* a\n* b\n* c\n", False),
    ],
)
def test_what_looks_like_a_table(path: str, text: str, is_table: bool) -> None:
    """A file with jobs is a table; a script, a playbook or prose with a cron line in it is none."""
    assert looks_like_crontab(path, text.encode()) is is_table


def test_defaults_are_crons_own(host: Host) -> None:
    """Where nothing is set, PATH and the shell are those of Debian's cron, and nothing is marked as written."""
    line = read_crontab(host, "etc/crontab", "system", b"@reboot root true\n").lines[0]
    assert (line.path_variable, line.shell, line.largest_gap, line.at_reboot) == (
        "/usr/bin:/bin",
        "/bin/sh",
        NEVER,
        True,
    )
    assert "path_variable" not in line.marks
    assert isinstance(line, CronLine)
