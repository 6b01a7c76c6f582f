"""The rules about supervisor's own configuration: nothing that its reader notices goes untold, or is told twice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from auditor.audit import judge, look
from auditor.facts.subjects import Subject, Totals
from auditor.facts.supervisor import ODDITIES, Oddity, SupervisorConf
from auditor.findings import Finding
from auditor.judge.rulebook import Rulebook, load_folder, rules_folder
from auditor.judge.weigh import judge_one

RULEBOOK = load_folder(rules_folder())
GROUP = Rulebook(rule for rule in RULEBOOK if rule.group == "supervisor")

ELSEWHERE: Mapping[str, str] = {
    "template-line": "no fault: what a template's line becomes is not known, so other rules stay silent or skip",
    "include-not-read": "no fault of the configuration: the survey tells of what it could not read",
    "include-unknown": "no fault: a pattern names what only the running supervisord knows",
    "environment-refused": "supervisor/invalid-value tells it by Setting.refusal",
    "eventlistener-redirects-stderr": "supervisor/invalid-value tells it by Setting.refusal",
    "stopasgroup-without-killasgroup": "supervisor/invalid-value tells it by Setting.refusal",
    "numprocs-without-process-num": "processes/numprocs-without-process-num judges the program, and mends it",
    "supervisorctl-not-in-main": "supervisor/supervisorctl-mismatch tells it by SupervisorConf.hides_supervisorctl",
    "empty-username": "supervisor/http-empty-username judges the server, and knows whether a network reaches it",
}
"""Kinds of Oddity that no rule about oddities tells, each with its reason."""

SAMPLE = """\
[program:laravel-worker]
process_name=%(program_name)s_%(process_num)02d
command=php /var/www/app/artisan queue:work sqs --sleep=3 --tries=3 --max-time=3600
autostart=true
autorestart=true
stopasgroup=true
killasgroup=true
user=www-data
numprocs=8
redirect_stderr=true
stdout_logfile=/var/log/supervisor/worker.log
stopwaitsecs=3600
"""
"""A program as people take it from Laravel's manual."""
MAIN = """\
[unix_http_server]
file=/var/run/supervisor.sock   ; (the path to the socket file)
chmod=0700

[supervisord]
logfile=/var/log/supervisor/supervisord.log
childlogdir=/var/log/supervisor

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix:///var/run/supervisor.sock

[include]
files = /etc/supervisor/conf.d/*.conf
"""
"""A main file like the one of a distribution's package."""


def found_for(kind: str) -> list[str]:
    """The rules that find an oddity of this kind, of whatever else it may be about."""
    oddity = Oddity(kind=kind, refuses=True, detail="it is so", section="program:x", setting="command", value="x")
    world = Subject("oddity", "x", (oddity, SupervisorConf(main="x", files=("x",)), Totals(kind="host")))
    return [rule.id for rule in RULEBOOK if rule.scope == "oddity" and isinstance(judge_one(rule, world), Finding)]


@pytest.mark.parametrize("kind", [kind for kind in ODDITIES if kind not in ELSEWHERE])
def test_each_oddity_is_told_by_one_rule(kind: str) -> None:
    """What the reader notices is told, and not twice."""
    assert len(found_for(kind)) == 1


@pytest.mark.parametrize("kind", ELSEWHERE)
def test_exceptions_are_none_but_exceptions(kind: str) -> None:
    """A kind that is left out is one there is, and no rule about oddities tells it all the same."""
    assert kind in ODDITIES
    assert found_for(kind) == []


def host(root: Path, files: Mapping[str, str]) -> Path:
    """A small host with these files, and the folders that every host has."""
    for folder in ("var/log/supervisor", "etc/supervisor/conf.d"):
        (root / folder).mkdir(parents=True)
    for name, text in {"etc/passwd": "root:x:0:0::/root:/bin/sh\n", **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def told(root: Path, kind: str) -> list[str]:
    """Each finding of the group as "severity rule line", in the order of a report."""
    findings = judge(look(str(root), kind=kind), GROUP).findings
    return [f"{found.severity} {found.rule.partition('/')[2]} {found.locations[0].line}" for found in findings]


def test_a_sound_host_is_silent_but_for_the_shared_log(tmp_path: Path) -> None:
    """The package's main file and Laravel's sample: eight processes rotate one log, and that is a note."""
    root = host(tmp_path, {"etc/supervisor/supervisord.conf": MAIN, "etc/supervisor/conf.d/worker.conf": SAMPLE})

    assert told(root, "host") == ["note log-shared-rotation 11"]


PROGRAM = "[program:w]\ncommand=/bin/cat\n"
FAULTS: Mapping[str, tuple[str, list[str]]] = {
    "misspelt": (PROGRAM + "stopwaitsec=60\n", ["error unknown-option 3"]),
    "misspelt beside the right one": (PROGRAM + "stopwaitsec=60\nstopwaitsecs=60\n", ["note unknown-option 3"]),
    "section": ("[progam:w]\ncommand=/bin/cat\n" + PROGRAM.replace(":w", ":v"), ["error unknown-section 1"]),
    "switched off": ("[xprogram:w]\n" + PROGRAM.replace(":w", ":v"), ["note unknown-section 1"]),
    "refused": (PROGRAM + "autorestart=always\n", ["error invalid-value 3"]),
    "environment refused": (PROGRAM + "environment=A=\n", ["error invalid-value 3"]),
    "environment corrupted": (PROGRAM + "environment=A=a b\n", ["error environment-corrupted 3"]),
    "percent": (PROGRAM.replace("cat", "date +%d"), ["error percent-unescaped 2"]),
    "cut quote": ("[program:w]\ncommand=sh -c 'a ; b'\n", ["error comment-cuts-value 2"]),
    "cut environment": (PROGRAM + 'environment=A="x ;y"\n', ["error comment-cuts-value 3"]),
    "quoted": (PROGRAM + 'stdout_logfile="/var/log/w.log"\n', ["error quoted-value 3"]),
    "swallowed": (
        PROGRAM + "priority=3\n  numprocs=2\n",
        [
            "error invalid-value 3",
            "error swallowed-by-continuation 4",
        ],
    ),
    "twice": (PROGRAM + "priority=3\npriority=4\n", ["note duplicate-option 4"]),
    "merged": (PROGRAM + PROGRAM, ["warning duplicate-section 3"]),
    "no command": ("[program:w]\npriority=3\n", ["error program-without-command 1"]),
    "two groups": (PROGRAM + "[group:a]\nprograms=w\n[group:b]\nprograms=w\n", ["warning program-in-two-groups 6"]),
    "own group": (PROGRAM + "[group:w]\nprograms=w\n", []),
    "no delimiter": (PROGRAM + "nonsense\n", ["error conf-parse-error 3"]),
    "device": (PROGRAM + "stdout_logfile=/dev/stdout\n", ["warning log-dev-stdout-rotates 1"]),
    "both": (
        PROGRAM + "redirect_stderr=true\nstderr_logfile=/var/log/w.err\n",
        ["note redirect-stderr-with-stderr-logfile 4"],
    ),
    "no folder": (PROGRAM + "stdout_logfile=/var/log/none/w.log\n", ["error log-dir-missing 3"]),
    "folder made at boot": (PROGRAM + "stdout_logfile=/run/none/w.log\n", []),
    "unknown": (PROGRAM + "user=%(ENV_NOBODY)s\n", []),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_once(tmp_path: Path, name: str) -> None:
    """Each fault in a file of a host is one finding, at its line."""
    text, expected = FAULTS[name]
    root = host(tmp_path, {"etc/supervisor/supervisord.conf": MAIN, "etc/supervisor/conf.d/w.conf": text})

    assert told(root, "host") == expected


def test_file_with_another_ending_is_missed(tmp_path: Path) -> None:
    """A program file that the main file's pattern does not match is told, unless a pattern could not be understood."""
    files = {"etc/supervisor/supervisord.conf": MAIN, "etc/supervisor/conf.d/w.ini": PROGRAM}
    unsure = MAIN.replace("files =", "files = %(ENV_MORE)s")

    assert told(host(tmp_path / "a", files), "host") == [
        "error conf-not-included None",
        "note include-matches-nothing 16",
    ]
    assert "conf-not-included" not in str(
        told(host(tmp_path / "b", {**files, "etc/supervisor/supervisord.conf": unsure}), "host")
    )


SERVERS: Mapping[str, tuple[str, list[str]]] = {
    "open": ("[inet_http_server]\nport=*:9001\n", ["error http-exposed 2"]),
    "local": ("[inet_http_server]\nport=127.0.0.1:9001\n", []),
    "password": ("[inet_http_server]\nport=:9001\nusername=a\npassword=b\n", []),
    "empty name": ("[inet_http_server]\nport=:9001\nusername=\npassword=b\n", ["error http-empty-username 3"]),
    "renamed": ("[inet_http_server_off]\nport=127.0.0.1:9001\n", ["warning server-section-prefix 1"]),
}


@pytest.mark.parametrize("name", SERVERS)
def test_servers(tmp_path: Path, name: str) -> None:
    """Who can drive supervisord is told by what the sockets ask for."""
    text, expected = SERVERS[name]
    files = {"etc/supervisor/supervisord.conf": text + MAIN, "etc/supervisor/conf.d/w.conf": PROGRAM}

    assert told(host(tmp_path, files), "host") == expected


MAINS: Mapping[str, tuple[str, str, list[str]]] = {
    "loose": ("chmod=0700", "chmod=0777", ["warning socket-loose 3"]),
    "elsewhere": ("serverurl=unix:///var/run/", "serverurl=unix:///tmp/", ["warning supervisorctl-mismatch 13"]),
    "same place": ("serverurl=unix:///var/run/", "serverurl=unix:///run/", []),
    "not told": (
        "[supervisorctl]\nserverurl=unix:///var/run/supervisor.sock\n",
        "",
        ["warning supervisorctl-mismatch 5"],
    ),
    "no interface": (
        "[rpcinterface:supervisor]",
        "[ctlplugin:x]\nsupervisor.ctl_factory=a:b",
        ["warning rpcinterface-missing 5"],
    ),
    "leak": ("[unix_http_server]", "[DEFAULT]\npriority=5\n[unix_http_server]", ["note default-section-leak 1"]),
}


@pytest.mark.parametrize("name", MAINS)
def test_main_files(tmp_path: Path, name: str) -> None:
    """What is wrong with a main file as a whole is told at the line that says so, or at its [supervisord]."""
    before, after, expected = MAINS[name]
    text = MAIN.replace(before, after, 1)
    files = {"etc/supervisor/supervisord.conf": text, "etc/supervisor/conf.d/w.conf": PROGRAM}

    assert text != MAIN
    assert told(host(tmp_path, files), "host") == expected


def test_a_repository_is_judged_by_what_it_holds(tmp_path: Path) -> None:
    """A variable is missed only where nothing beside the configuration could define it; patterns may lead elsewhere."""
    conf = "[program:w]\ncommand=/bin/cat %(ENV_X)s\n"
    alone, container = tmp_path / "alone", tmp_path / "container"
    for root in (alone, container):
        root.mkdir()
        (root / "w.conf").write_text(conf)
        (root / "supervisord.conf").write_text(
            MAIN.split("[rpcinterface", maxsplit=1)[0] + "[include]\nfiles=/srv/*.conf\n"
        )
    (container / "Dockerfile").write_text("FROM php\n")

    assert told(alone, "repository") == ["note env-var-undefined 2"]
    assert told(container, "repository") == []


def test_every_line_of_a_repeated_option_is_shown(tmp_path: Path) -> None:
    """The one that counts comes first, then those without effect, and of very many only the first few."""
    path = tmp_path / "worker.conf"
    path.write_text("[program:x]\ncommand=/bin/cat\nstartsecs=1\nuser=a\nstartsecs=2\nstartsecs=3\n" + "user=a\n" * 50)
    verdict = judge(look(str(path)), RULEBOOK)
    shown = {f.message.partition(" ")[0]: [place.line for place in f.locations] for f in verdict.findings}

    assert shown["startsecs"] == [6, 3, 5, 1]
    assert shown["user"] == [56, 4, *range(7, 16), 1]


def test_every_header_of_a_repeated_section_is_shown(tmp_path: Path) -> None:
    """So are a section's headers."""
    path = tmp_path / "worker.conf"
    path.write_text("[program:x]\ncommand=/bin/cat\n[program:y]\ncommand=/bin/cat\n[program:x]\nuser=b\n")

    (finding,) = judge(look(str(path)), RULEBOOK.select(["supervisor/duplicate-section"])).findings

    assert [place.line for place in finding.locations] == [5, 1]
