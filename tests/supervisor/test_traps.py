"""Each trap of the format is told by its own oddity, at its own line, and what only looks like one is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.errors import Unreadable
from auditor.facts.supervisor import ODDITIES, SupervisorConf
from auditor.sources.supervisor import log_parents, read_configuration, read_file, read_text
from auditor.sources.tree import Tree

TWICE = "process-name-collision"
P = "[program:x]\ncommand=php artisan queue:work\n"
# text, then each oddity as "line kind", "!" after it where supervisord refuses
CASES: list[tuple[str, list[str]]] = [
    (P, []),
    (P + "user=www ; plain comment\n", []),
    (P + "; [program:y]\n", []),
    ("command=a\nuser=b\n" + P, ["1 missing-section-header!"]),
    ("\ufeff" + P, ["1 bom!"]),
    (P + "numprocs\n=1\n", ["3 no-delimiter!", "4 empty-option-name!"]),
    (P + "[program:y\ncommand=b\n", ["3 no-closing-bracket"]),
    (P + "[supervisord\n", ["3 no-closing-bracket!"]),
    ("[DEFAULT]\nuser=a\n" + P, ["1 default-section-leak"]),
    (P + "  user=www\n", ["3 swallowed-by-continuation"]),
    (P + "  --tries=3\n", []),
    (P + 'environment=A="1",\n  USER="www",\n  HOME="/h"\n', []),
    (P + 'environment=A="1",\n  user=www\n', ["4 swallowed-by-continuation"]),
    (P + "user=a\n  [program:y]\n  command=b\n", ["4 swallowed-by-continuation", "5 swallowed-by-continuation"]),
    ("[program:x]\ncommand=bash -c '[ -f x ] &&\n  [ -f y ]'\n", []),
    ("[program:x]\ncommand=sh -c 'a ; b'\n", ["2 comment-cuts-value", "2 command-unbalanced"]),
    ("[program:x]\ncommand=php artisan queue:work # --tries=3\n", ["2 comment-cuts-value"]),
    ("[program:x]\ncommand=cd /app ; php artisan queue:work\n", ["2 comment-cuts-value"]),
    (P + 'environment=A="b ;c"\n', ["3 comment-cuts-value", "3 environment-refused!"]),
    (P + 'stdout_logfile="/var/log/x.log"\n', ["3 quoted-value!"]),
    (P + 'directory="/app"\n', ["3 quoted-value"]),
    ('[program:x]\ncommand="php artisan queue:work"\n', ["2 quoted-value"]),
    ('[program:x]\ncommand="/usr/bin/php" artisan "queue:work"\n', []),
    ("[program:x]\ncommand=date +%Y\n", ["2 bad-percent!"]),
    ("[program:x]\ncommand=date +%s\n", ["2 bad-percent"]),
    ("[program:x]\ncommand=date +%%s\n", []),
    (P + "stdout_logfile=/l/%(process_name)s.log\n", ["3 unknown-expansion!"]),
    ("[program:x]\ncommand=x %(ENV_FOO)s\n", ["2 env-undefined"]),
    ('[program:x]\ncommand=x %(ENV_FOO)s\nenvironment=FOO="1"\n', []),
    (P + "environment=A=$HOME/x\n", ["3 environment-corrupted"]),
    (P + "environment=A=a#b,B=2\n", ["3 environment-corrupted"]),
    (P + "environment=A=1;B=2\n", []),
    (P + "environment=A=\n", ["3 environment-refused!"]),
    ("[program:x]\nuser=a\n", ["1 program-without-command!"]),
    ("[program:x]\ncommand=\n", ["2 program-without-command"]),
    (P + "numprocs=8\n", ["3 numprocs-without-process-num!"]),
    (P + "numprocs=8\nprocess_name=p%(process_num).0s\n", ["4 process-name-collision"]),
    (P + "stopasgroup=true\nkillasgroup=false\n", ["4 stopasgroup-without-killasgroup!"]),
    (P + "stopasgroup=true\n", []),
    (P + "[group:g]\nprograms=x\n[group:h]\nprograms=x\n", ["6 program-in-two-groups"]),
    (P + "[group:g]\nprograms=x,x\n", ["4 program-listed-twice"]),
    (P + "[group:x]\nprograms=y\n[program:y]\ncommand=b\n", ["1 group-shadows-program"]),
    (P + "process_name=p\n[program:y]\ncommand=b\nprocess_name=p\n[group:g]\nprograms=x,y\n", [f"4 {TWICE}"]),
    ("[fcgi-program:f]\ncommand=x\nsocket=tcp://h:1\n[group:g]\nprograms=f\n", ["5 fcgi-in-group"]),
    (P + "[group:g]\nprograms=x,other\n", []),
    ("[inet_http_server]\nport=9001\nusername=\npassword=p\n", ["3 empty-username"]),
    ("[inet_http_server_off]\nport=9001\n", ["1 server-section-prefix"]),
    ("{% if queue %}\n" + P + "numprocs={{ count }}\n{% endif %}\n", ["1 template-line", "5 template-line"]),
    (P + "numprocs={{ count }}\nuser=${USER_NAME}\ndirectory=%%APP%%\n", []),
    ("[program:x y]\ncommand=a\n", ["1 bad-name!"]),
]  # fmt: skip


def told(conf: SupervisorConf) -> list[str]:
    """The oddities, as the table writes them."""
    found = []
    for odd in conf.oddities:
        place = odd.mark("kind").origin
        assert place is not None
        assert odd.kind in ODDITIES
        found.append(f"{place.line} {odd.kind}{'!' if odd.refuses else ''}")
    return found


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_oddities(text: str, expected: list[str]) -> None:
    """The traps of a text are told, each once, and nothing else is."""
    assert sorted(told(read_text(text, "x.conf"))) == sorted(expected)


@pytest.mark.parametrize(
    ("kind", "option", "nearest"),
    [
        ("program:x", "stopwaitsec", "stopwaitsecs"),
        ("program:x", "stop_wait_secs", "stopwaitsecs"),
        ("program:x", "auto_restart", "autorestart"),
        ("program:x", "comand", "command"),
        ("program:x", "cwd", "directory"),
        ("program:x", "stdout_logfile_max_bytes", "stdout_logfile_maxbytes"),
        ("program:x", "numproc", "numprocs"),
        ("program:x", "logfile", "stdout_logfile"),
        ("program:x", "depends_on", None),
        ("supervisord", "nodemon", "nodaemon"),
        ("group:x", "program", "programs"),
    ],
)
def test_unknown_option(kind: str, option: str, nearest: str | None) -> None:
    """An option supervisor does not read is known for that, and for what it was meant to be."""
    conf = read_text(f"[{kind}]\n{option}=1\n", "x.conf")
    setting = conf.sections[0].settings[0]

    assert (setting.known, setting.nearest) == (False, nearest)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("progam:x", "program:x"),
        ("Program:x", "program:x"),
        (" program:x ", "program:x"),
        ("programs:x", "program:x"),
        ("program x", "program:x"),
        ("supervisor", "supervisord"),
        ("supervisorctrl", "supervisorctl"),
        ("unix-http-server", "unix_http_server"),
        ("web", None),
        ("program_defaults", None),
    ],
)
def test_unknown_section(name: str, nearest: str | None) -> None:
    """A section supervisor does not read is known for that, and for what it was meant to be."""
    section = read_text(f"[{name}]\n", "x.conf").sections[0]

    assert (section.known, section.kind, section.nearest) == (False, "unknown", nearest)


def tree_of(folder: Path, files: dict[str, str]) -> Tree:
    """These files, as an audited tree."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return Tree(folder)


@pytest.mark.parametrize(
    ("main", "expected"),
    [
        ("[supervisord]\n[include]\n", ["2 include-without-files!"]),
        ("[supervisord]\n[include]\nfiles=*.none\n", ["3 include-matches-nothing"]),
        ("[supervisord]\n[include]\nfiles=b.ini\nfiles=a.ini\n", ["3 include-lost"]),
        ("[supervisord]\n[include]\nfiles=a.ini\nfiles=a.ini\n", []),
        ("[supervisord]\n[include]\nfiles=nested.ini\n", ["1 include-nested"]),
        ("[supervisord]\n[include]\nfiles=folder dangling\n", ["3 include-unreadable", "3 include-unreadable"]),
        ("[supervisord]\n[include]\nfiles=%(ENV_X)s/*.ini /etc/a.ini\n", ["3 include-unknown"]),
        ("[supervisord]\n[include]\nfiles=ctl.ini\n", ["1 supervisorctl-not-in-main"]),
        ("[program:x]\ncommand=a\n", ["None supervisord-section-missing!"]),
        ("[supervisord]\n[group:g]\nprograms=nobody\n", ["3 group-unknown-program!"]),
    ],
)
def test_include_oddities(main: str, expected: list[str], tmp_path: Path) -> None:
    """What goes wrong between files is told where it is written."""
    files = {"etc/s.conf": main, "etc/a.ini": P, "etc/nested.ini": "[include]\nfiles=b\n", "etc/folder/x": ""}
    tree = tree_of(tmp_path, {**files, "etc/ctl.ini": "[supervisorctl]\n"})
    (tmp_path / "etc/dangling").symlink_to("nowhere")

    assert told(read_configuration(tree, "etc/s.conf")) == expected


def test_absolute_patterns_stay_inside(tmp_path: Path) -> None:
    """An absolute include is looked for in the audited tree, and %(here)s is the including folder there."""
    files = {
        "etc/supervisor/supervisord.conf": "[supervisord]\n[include]\nfiles=/etc/supervisor/conf.d/*.conf\n",
        "etc/supervisor/conf.d/x.conf": "[program:x]\ncommand=%(here)s/run\n",
    }
    conf = read_configuration(tree_of(tmp_path, files), "etc/supervisor/supervisord.conf")

    assert conf.files == ("etc/supervisor/supervisord.conf", "etc/supervisor/conf.d/x.conf")
    assert conf.programs[0].command == "/etc/supervisor/conf.d/run"
    assert conf.programs[0].file == "etc/supervisor/conf.d/x.conf"


def test_overrides_stand_for_files(tmp_path: Path) -> None:
    """A rendered text is read in place of the file it is to become."""
    tree = tree_of(tmp_path, {"s.conf": "[supervisord]\n[include]\nfiles=*.ini\n", "a.ini": P})
    conf = read_configuration(tree, "s.conf", {"a.ini": (P + "stopwaitsecs=90\n").encode()})

    assert conf.programs[0].stopwaitsecs == 90
    assert read_file(tree, "a.ini", {"a.ini": b"[program:y]\ncommand=z\n"}).programs[0].name == "y"


def test_main_must_be_there(tmp_path: Path) -> None:
    """A main file that is not there cannot be read."""
    with pytest.raises(Unreadable):
        read_configuration(Tree(tmp_path), "s.conf")


def test_marks() -> None:
    """What is written is declared at its line, what is not is a default, what cannot be known is unknown, and why."""
    conf = read_text(P + "numprocs={{ n }}\nuser=%(ENV_U)s\nstartsecs=10s\nstopwaitsecs=9\n", "x.conf")
    program = conf.programs[0]

    assert (program.stopwaitsecs, program.mark("stopwaitsecs").grade) == (9, "declared")
    assert program.mark("autorestart").grade == "default"
    for field, line, reason in (
        ("numprocs", 3, "it is a template's placeholder"),
        ("user", 4, "it holds %(ENV_U)s, which only the running supervisord knows"),
        ("startsecs", 5, 'supervisord refuses it: "10s" is not a whole number'),
    ):
        mark = program.mark(field)
        assert mark.origin is not None
        assert (mark.grade, mark.origin.line, mark.reason) == ("unknown", line, reason)


def test_repeated_places(tmp_path: Path) -> None:
    """Every place of a repeated option and section is kept, the effective one last."""
    files = {
        "s.conf": "[supervisord]\n[include]\nfiles=*.ini\n",
        "a.ini": P + "user=a\n",
        "b.ini": "[program:x]\nuser=b\n",
    }
    conf = read_configuration(tree_of(tmp_path, files), "s.conf")
    section = next(one for one in conf.sections if one.name == "program:x")
    user = next(one for one in section.settings if one.name == "user")

    assert [(place.file, place.line) for place in user.written] == [("a.ini", 3), ("b.ini", 2)]
    assert (user.value, user.repeated, section.in_several_files) == ("b", True, True)


def test_logs_and_folders() -> None:
    """How many processes share a log, which folders must be there, and what a device is."""
    text = (
        "[supervisord]\nlogfile=/var/log/s/s.log\n" + P + "stdout_logfile=/l/a.log\nnumprocs=8\nredirect_stderr=true\n"
    )
    text += "process_name=p%(process_num)s\nstderr_logfile=/l/e.log\n[program:y]\ncommand=z\n"
    text += "stdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\nstderr_logfile=/m/%(process_num)s.log\n"
    conf = read_text(text, "x.conf")
    x, y = conf.programs

    assert (x.stdout_logfile_writers, x.stderr_logfile, x.stderr_logfile_ignored) == (8, None, True)
    assert (y.stdout_is_device, y.stderr_logfile, y.stderr_logfile_writers) == (True, "/m/0.log", 1)
    assert log_parents(conf) == ("/var/log/s", "/l", "/dev", "/m")


def test_no_secret_is_kept() -> None:
    """No password, wherever it is written, is in any fact."""
    text = (
        '[supervisord]\nenvironment=DB_PASSWORD="hunter2",A="1"\n'
        "[program:x]\ncommand=x --a=%(ENV_DB_PASSWORD)s redis://u:hunter2@h %(ENV_API_TOKEN)s\n"
        "environment=API_TOKEN='hunter2',\n  OTHER_SECRET=hunter2\n"
        "[program:y]\ncommand=x\nenvironment=MY_SECRET='a ;hunter2'\n"
        "[unix_http_server]\nfile=/s\nusername=u\npassword=hunter2 ; x\n"
        "[supervisorctl]\nusername=u\npassword = hunter2\n"
        "[inet_http_server]\nport=1\npassword=hunter2\n  hunter2\n"
    )
    import msgspec

    facts = msgspec.json.encode(read_text(text, "x.conf")).decode()

    assert "hunter2" not in facts
    assert '"has_password":true' in facts
