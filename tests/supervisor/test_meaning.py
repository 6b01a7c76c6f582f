"""What is read of programs, groups and servers is what both supervisors make of the same text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.facts.supervisor import Program, SupervisorConf
from auditor.sources.supervisor import read_configuration
from auditor.sources.supervisor.values import SIGNALS
from auditor.sources.tree import Tree
from tests.supervisor.oracle import Oracle

MAIN = "etc/supervisord.conf"
_MIB = 1024 * 1024
_SIGNS = {number: name for name, number in reversed(SIGNALS.items()) if not name.startswith("_")} | {0: "0"}
_SAME: tuple[str, ...] = (
    *("priority", "autostart", "startsecs", "startretries", "stopwaitsecs", "stopasgroup", "killasgroup", "serverurl"),
    *("redirect_stderr", "directory", "stdout_syslog", "stderr_syslog", "stdout_events_enabled", "command"),
    *("stdout_logfile_backups", "stderr_logfile_backups", "stderr_events_enabled"),
)
_CONVERTED: tuple[str, ...] = (
    *("stdout_logfile", "stderr_logfile", "stopsignal", "autorestart", "exitcodes", "umask"),
    *("stdout_logfile_maxbytes", "stderr_logfile_maxbytes", "stdout_capture_maxbytes", "stderr_capture_maxbytes"),
)


def conf_of(files: dict[str, str], folder: Path) -> SupervisorConf:
    """What the auditor reads of these files."""
    for path, text in files.items():
        where = folder / path
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_text(text, newline="")
    return read_configuration(Tree(folder), MAIN)


def refused(conf: SupervisorConf) -> bool:
    """Whether the text refuses, but for quoted paths and users, which the oracle's machine takes."""
    return any(odd.refuses for odd in conf.oddities if odd.kind != "quoted-value") or any(
        setting.refusal is not None and setting.oddity != "quoted-value"
        for section in conf.sections
        for setting in section.settings
    )


def of_process(found: dict[str, Any]) -> dict[str, Any]:
    """One of supervisor's processes, in the auditor's words."""
    plain = {name: found[name] for name in _SAME}
    for name in ("stdout", "stderr"):
        plain[f"{name}_logfile"] = found[f"{name}_logfile"] or None
        for size in ("logfile_maxbytes", "capture_maxbytes"):
            plain[f"{name}_{size}"] = found[f"{name}_{size}"] / _MIB
    plain["stopsignal"] = _SIGNS[found["stopsignal"]]
    plain["autorestart"] = found["autorestart"] if isinstance(found["autorestart"], str) else "false"
    plain["exitcodes"] = tuple(found["exitcodes"])
    plain["serverurl"] = found["serverurl"] or None
    plain["umask"] = None if found["umask"] is None else f"{found['umask']:03o}"
    plain["environment"] = dict(found["environment"])
    return plain


def of_program(program: Program) -> dict[str, Any]:
    """The same of a Program, unknown fields left out."""
    plain = {name: getattr(program, name) for name in _SAME + _CONVERTED if not program.is_unknown(name)}
    if not program.is_unknown("environment"):
        plain["environment"] = dict(program.environment)
    return plain


def compare(conf: SupervisorConf, answer: dict[str, Any]) -> None:
    """Refusal for refusal, group for group, process for process."""
    assert refused(conf) == (answer["refused"] is not None), (
        answer["refused"],
        [(odd.kind, odd.detail) for odd in conf.oddities if odd.refuses],
        [(s.name, s.refusal) for section in conf.sections for s in section.settings if s.refusal],
    )
    if answer["refused"] is not None:
        return
    assert [[group.name, group.priority] for group in conf.groups] == answer["groups"]
    processes: dict[str, list[dict[str, Any]]] = {}
    for process in answer["programs"]:
        processes.setdefault(process["group"], []).append(process)
    ours: dict[str, list[Program]] = {}
    for program in conf.programs:
        ours.setdefault(program.group, []).append(program)
    for group in {*processes, *ours}:
        expected = {p["name"]: p for p in processes.get(group, ())}
        # A program that a group lists twice is configured twice, and one of each pair survives.
        if "program-listed-twice" not in {odd.kind for odd in conf.oddities}:
            total = sum(program.processes for program in ours.get(group, ()))
            assert total == len(processes.get(group, ()))
        for program in ours.get(group, ()):
            for name in program.process_names:
                assert name in expected
            if not program.process_names or "process-name-collision" in {odd.kind for odd in conf.oddities}:
                continue
            theirs, mine = of_process(expected[program.process_names[0]]), of_program(program)
            assert mine == {name: theirs[name] for name in mine}
    servers = [[s.section, s.file, s.host, s.port, int(s.chmod, 8), s.username] for s in conf.http_servers]
    for server, (section, file, host, port, chmod, username) in zip(servers, answer["servers"], strict=True):
        assert server[:4] == [section, file, host, port]
        assert (username or None) == (server[5] or None)
        if chmod is not None:
            assert server[4] == chmod


HEAD = "[supervisord]\n"
TABLE = [
    "[program:a]\ncommand=x\n",
    "[program:a]\n",
    "[program:a]\ncommand=\n",
    "[program:a]\ncommand=x\nnumprocs=8\n",
    "[program:a]\ncommand=x %(process_num)d/%(numprocs)s\nnumprocs=8\nprocess_name=%(group_name)s_%(process_num)02d\n",
    "[program:a]\ncommand=x\nnumprocs=3\nnumprocs_start=-1\nprocess_name=p%(process_num)s\n",
    "[program:a]\ncommand=x\nnumprocs=0\nstdout_logfile=%\n",
    "[program:a]\ncommand=x\nnumprocs=-1\nautostart=maybe\n",
    "[program:a]\ncommand=x\nnumprocs=1_0\nprocess_name=p%(process_num)s\n",
    "[program:a]\ncommand=x\nstopasgroup=true\n",
    "[program:a]\ncommand=x\nstopasgroup=true\nkillasgroup=false\n",
    "[program:a]\ncommand=x\nstartsecs=10s\n",
    "[program:a]\ncommand=x\nautorestart=always\n",
    "[program:a]\ncommand=x\nautorestart=UNEXPECTED\nautostart=Yes\n",
    "[program:a]\ncommand=x\nstopsignal=TERM,INT\n",
    "[program:a]\ncommand=x\nstopsignal=sigusr2\n",
    "[program:a]\ncommand=x\nstopsignal=15\n",
    "[program:a]\ncommand=x\nstopsignal=SIG_DFL\n",
    "[program:a]\ncommand=x\nstopsignal=35\n",
    "[program:a]\ncommand=x\nexitcodes=0 2\n",
    "[program:a]\ncommand=x\nexitcodes=0,2,\n",
    "[program:a]\ncommand=x\nexitcodes=\n",
    "[program:a]\ncommand=x\nexitcodes= 0, 12 \n",
    "[program:a]\ncommand=x\numask=0o22\n",
    "[program:a]\ncommand=x\numask=9\n",
    "[program:a]\ncommand=x\nstdout_logfile_maxbytes=50M\n",
    "[program:a]\ncommand=x\nstdout_logfile_maxbytes=1 gb\nstderr_logfile_maxbytes=-1\n",
    "[program:a]\ncommand=x\nstdout_logfile=NONE\nstderr_logfile=syslog\n",
    "[program:a]\ncommand=x\nstdout_logfile=\n",
    "[program:a]\ncommand=x\nstdout_logfile=/l/%(program_name)s-%(process_num)03d.log\n",
    "[program:a]\ncommand=x\nstdout_logfile=/l/%(process_name)s.log\n",
    "[program:a]\ncommand=x\nstdout_logfile=/l/100%%.log\n",
    "[program:a]\ncommand=x\nstdout_logfile=/l/100%%%%.log\n",
    "[program:a]\ncommand=x\nredirect_stderr=true\nstderr_logfile=/l/e\n",
    "[program:a]\ncommand=date +%Y\n",
    "[program:a]\ncommand=date +%%Y\n",
    "[program:a]\ncommand=x 50%\n",
    "[program:a]\ncommand=x %(ENV_A)s %(ENV_B)s %(host_node_name)s\n",
    '[program:a]\ncommand=x %(ENV_FOO)s\nenvironment=FOO="1"\n',
    "[program:a]\ncommand=x\nuser=%(process_num)s\n",
    "[program:a]\ncommand=x\nuser=\n",
    "[program:a]\ncommand=x\ndirectory=%(here)s/d\n",
    "[program:a]\ncommand=x\nunknown=%bad\n",
    "[program:a b]\ncommand=x\n",
    "[program:a/b]\ncommand=x\n",
    "[program: a ]\ncommand=x\n",
    "[program:]\ncommand=x\n",
    "[program:a]\ncommand=x\nprocess_name=a b\n",
    "[program:a]\ncommand=x\nprocess_name=a/%(program_name)s\n",
    "[program:a]\ncommand=x\n[DEFAULT]\nautostart=false\n",
    "[program:a]\ncommand=x\n[DEFAULT]\nautostart=perhaps\n",
    "[program:a]\ncommand=x\nserverurl=auto\n",
    "[program:a]\ncommand=x\nserverurl=http://h:1\n",
    "[program:a]\ncommand=x\npriority=1\n[program:b]\ncommand=y\n[group:g]\nprograms=a,b\n",
    "[program:a]\ncommand=x\n[group:g]\nprograms=a,c\n",
    "[program:a]\ncommand=x\n[group:g]\nprograms=a,\n",
    "[program:a]\ncommand=x\n[group:g]\nprograms=a\n[group:h]\nprograms=a\npriority=5\n",
    "[program:a]\ncommand=x\n[group:g]\n",
    "[program:a]\ncommand=x\n[group:g]\nprograms=\npriority=low\n",
    "[program:a]\ncommand=x\n[fcgi-program:a]\ncommand=x\nsocket=tcp://h:1\n[group:g]\nprograms=a\n",
    "[eventlistener:e]\ncommand=x\nevents=TICK_5,process_state\n",
    "[eventlistener:e]\ncommand=x\n",
    "[eventlistener:e]\ncommand=x\nevents=\n",
    "[eventlistener:e]\ncommand=x\nevents=TICK_7\n",
    "[eventlistener:e]\ncommand=x\nevents=TICK_5\nbuffer_size=0\n",
    "[eventlistener:e]\ncommand=x\nevents=TICK_5\nredirect_stderr=true\n",
    "[fcgi-program:f]\ncommand=x\nsocket=unix:///run/%(program_name)s.sock\nsocket_owner=a:b\nsocket_mode=0770\n",
    "[fcgi-program:f]\ncommand=x\n",
    "[fcgi-program:f]\ncommand=x\nsocket=unix://rel\n",
    "[fcgi-program:f]\ncommand=x\nsocket=tcp://h:1\nsocket_mode=0700\n",
    "[fcgi-program:f]\ncommand=x\nsocket=tcp://h:70000\n",
    "[fcgi-program:f]\ncommand=x\nsocket=tcp://h:1\nsocket_backlog=0\n",
    "[unix_http_server]\nfile=/run/s.sock\n",
    "[unix_http_server]\nfile=%(here)s/s.sock\nchmod=0770\nchown=a:b\n",
    "[unix_http_server]\nchmod=0770\n",
    "[unix_http_server]\nfile=/s\nchmod=rwx\n",
    "[unix_http_server]\nfile=/s\nusername=u\n",
    "[unix_http_server]\nfile=/s\nusername=\npassword=p\n",
    "[inet_http_server]\nport=9001\n",
    "[inet_http_server]\nport=*:9001\n",
    "[inet_http_server]\nport=Host:9001\nusername=u\npassword=p\n",
    "[inet_http_server:two]\nport=127.0.0.1:9001\n",
    "[inet_http_server_disabled]\nport=:9001\n",
    "[inet_http_server]\nport=9001:\n",
    "[inet_http_server]\nport=0\n",
    "[inet_http_server]\nport=%(here)s\n",
    "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=a:b\n",
    "[rpcinterface:supervisor]\nother=1\n",
    "[rpcinterface:x]\nsupervisor.rpcinterface_factory=a:b\nother=%bad\n",
    "[ctlplugin:x]\nother=%bad\n",
    "nodaemon=maybe\n",
    "loglevel=warning\n",
    "logfile_maxbytes=5M\n",
    "umask=8\n",
    'environment=A="1",B=\'2\'\n[program:a]\ncommand=x %(ENV_A)s\nenvironment=B="3"\n',
    'environment=A="100%%"\n',
    'environment=A="100%%%%"\n[program:a]\ncommand=x %(ENV_A)s\n',
    "logfile=/x/%(program_name)s\n",
    "logfile=/x/%(host_node_name)s\n",
    "[include]\n",
    "[include]\nfiles=\n",
    "[include]\nfiles=*.none\n",
    "[include]\nfiles=%bad\n",
    "[include]\nfiles=%(here)s/none/*.conf\n[program:a]\ncommand=x\ndirectory=%(here)s\n",
    "[program:a\ncommand=x\n",
    "[programs:a]\ncommand=%bad\n",
]
ENVIRONMENTS = [
    'A="1",B="2"', "A=1,B=2,", "A=1\n  ,B=2", "A=$HOME/x", "A=~/x", "A=a b", "A=x!", 'A="a"b', "A=http://h/?a=1&b=2",
    "A=a#b,B=2", "A=a#b\n  B=2", "A=1 # c", "A=", "A=a@b", "A=a=b=c", "A=a*b", "A=[x]", "A={x}", "A=1,,B=2", 'A="1',
    "A=a\\b", "export A=1", 'A="1" B="2"', 'A="a\\"b"', "A=it's", "A='\"x\"'", 'A="say \'hi\'"', "A=1;B=2", '"A"="1"',
    "A.B-C=1", "A=é", 'A="é"', "A=(x):y/z+1", "", ",", "A", "A=1,B", 'A="%(ENV_A)s"', "A='%%'", "A=%",
    'A="1",\n  B="2",\n  C="3"', "A = 1 , B = 2", "A=''", "'", "A=1,B='x", "KEY:x=1", "A=%(process_num)s",
]  # fmt: skip


@pytest.mark.parametrize("text", TABLE)
def test_table(text: str, tmp_path: Path, supervisors: list[Oracle]) -> None:
    """Each trap of the format is refused, or gives the values, as in both supervisors."""
    files = {MAIN: HEAD + text}
    conf = conf_of(files, tmp_path)

    for supervisor in supervisors:
        compare(conf, supervisor.ask(files))


@pytest.mark.parametrize("value", ENVIRONMENTS)
def test_environment(value: str, tmp_path: Path, supervisors: list[Oracle]) -> None:
    """Each odd environment= is refused, or gives the variables, as in both supervisors."""
    files = {MAIN: f"{HEAD}[program:a]\ncommand=x\nenvironment={value}\n"}
    conf = conf_of(files, tmp_path)

    for supervisor in supervisors:
        compare(conf, supervisor.ask(files))


INCLUDES = {
    "later file wins": {
        MAIN: "[include]\nfiles=conf.d/*.conf\n[supervisord]\n[program:a]\ncommand=main\nuser=u\n",
        "etc/conf.d/1.conf": "[program:a]\ncommand=one\ndirectory=%(here)s\n",
        "etc/conf.d/2.conf": "[program:a]\ncommand=two\n",
    },
    "patterns in order, names in order": {
        MAIN: "[supervisord]\n[include]\nfiles=b/*.ini\n  a/*.ini  ./c/[x-z].ini\n",
        "etc/a/9.ini": "[program:p]\ncommand=a9\n",
        "etc/b/1.ini": "[program:p]\ncommand=b1\n",
        "etc/c/y.ini": "[program:q]\ncommand=cy\n",
        "etc/c/w.ini": "[program:p]\ncommand=cw\n",
    },
    "the last files= wins": {
        MAIN: "[supervisord]\n[include]\nfiles=a.ini\n[include]\nfiles=b.ini\n",
        "etc/a.ini": "[program:a]\ncommand=x\n",
        "etc/b.ini": "[program:b]\ncommand=x\n",
    },
    "no include in an included file": {
        MAIN: "[supervisord]\n[include]\nfiles=a.ini\n",
        "etc/a.ini": "[include]\nfiles=b.ini\n[program:a]\ncommand=x\n",
        "etc/b.ini": "[program:b]\ncommand=%\n",
    },
    "[DEFAULT] of any file leaks": {
        MAIN: "[supervisord]\n[include]\nfiles=*.ini\n[program:m]\ncommand=x\n",
        "etc/a.ini": "[DEFAULT]\nautorestart=true\n",
    },
    "the same file twice, and the main file too": {
        MAIN: "[supervisord]\n[include]\nfiles=a.ini b.ini a.ini *.conf\n[program:m]\ncommand=x\n",
        "etc/a.ini": "[program:a]\ncommand=x\n",
        "etc/b.ini": "[program:a]\ncommand=y\n",
    },
    "an included file that is refused": {
        MAIN: "[supervisord]\n[include]\nfiles=*.ini\n",
        "etc/a.ini": "command=x\n",
    },
    "dot files and deep stars are not matched": {
        MAIN: "[supervisord]\n[include]\nfiles=**/*.ini *.{ini,conf}\n",
        "etc/x/a.ini": "[program:a]\ncommand=x\n",
        "etc/x/y/b.ini": "[program:b]\ncommand=x\n",
        "etc/x/.c.ini": "[program:c]\ncommand=x\n",
    },
    "[supervisord] in an included file": {
        MAIN: "[include]\nfiles=*.ini\n",
        "etc/a.ini": "[supervisord]\nenvironment=A='1'\n[program:a]\ncommand=%(ENV_A)s\n",
    },
    "no [supervisord] at all": {MAIN: "[program:a]\ncommand=x\n"},
}


@pytest.mark.parametrize("files", INCLUDES.values(), ids=INCLUDES)
def test_include(files: dict[str, str], tmp_path: Path, supervisors: list[Oracle]) -> None:
    """Included files are found, ordered and merged as in both supervisors."""
    conf = conf_of(files, tmp_path)

    for supervisor in supervisors:
        compare(conf, supervisor.ask(files))


VALUES = {
    "command": ["x", "php artisan queue:work", "x %(process_num)d", "x %(ENV_A)s", "x %", "x %%", "%(nope)s", "x ; y"],
    "process_name": ["%(program_name)s_%(process_num)02d", "p%(process_num)d", "p", "%(group_name)s", "a b"],
    "numprocs": ["1", "2", "8", "0", "-1", "x", ""],
    "numprocs_start": ["0", "1", "-3"],
    "priority": ["1", "999", "x", "-1", " 7"],
    "autostart": ["true", "no", "1", "TRUE", "y"],
    "autorestart": ["true", "false", "unexpected", "on", "never"],
    "startsecs": ["0", "10", "-1", "1.5", "1_0"],
    "stopsignal": ["TERM", "int", "SIGQUIT", "9", "0", "FOO", "SIG"],
    "stopwaitsecs": ["3600", "10s"],
    "stopasgroup": ["true", "false"],
    "killasgroup": ["true", "false"],
    "exitcodes": ["0", "0,2", "256", "-1", ""],
    "user": ["www-data", "0", "%(program_name)s"],
    "umask": ["022", "8", "0o77"],
    "directory": ["/app", "%(here)s", "%(process_num)s"],
    "environment": ['A="1"', "A=1,B=2", "A=", "A=$X", "A=%(process_num)s"],
    "redirect_stderr": ["true", "false"],
    "stdout_logfile": ["/l/a", "AUTO", "none", "/l/%(program_name)s_%(process_num)s", "syslog", "/l/%%"],
    "stderr_logfile": ["/l/b", "off", "auto"],
    "stdout_logfile_maxbytes": ["0", "5MB", "5M", "1kb"],
    "stdout_logfile_backups": ["0", "3", "x"],
    "serverurl": ["AUTO", "http://x", ""],
    "stopwaitsec": ["%"],
}
OPTION = st.sampled_from(sorted(VALUES)).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(VALUES[name])))
# Mostly valid values, so that what comes after a refusal is looked at too.
GOOD = st.sampled_from(sorted(set(VALUES) - {"stopwaitsec", "process_name", "numprocs"})).flatmap(
    lambda name: st.tuples(st.just(name), st.just(VALUES[name][0]))
)
SECTION = st.tuples(
    st.sampled_from(["program:a", "program:b", "program:c", "DEFAULT", "supervisord", "eventlistener:a"]),
    st.lists(st.one_of(GOOD, GOOD, GOOD, GOOD, OPTION), max_size=8),
)
GROUP = st.tuples(
    st.sampled_from(["group:g", "group:a"]),
    st.lists(st.tuples(st.just("programs"), st.sampled_from(["a", "a,b", "b", "b,c,a", "a,a"])), max_size=1),
)


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(SECTION, SECTION, SECTION, GROUP), max_size=5))
def test_random_configurations(
    tmp_path_factory: pytest.TempPathFactory,
    supervisors: list[Oracle],
    sections: list[tuple[str, list[tuple[str, str]]]],
) -> None:
    """Whatever sections and options come together, the outcome is that of both supervisors."""
    text = HEAD
    for name, options in sections:
        text += f"[{name}]\n"
        if name.startswith("program"):
            text += "command=z\n"
        text += "".join(f"{option}={value}\n" for option, value in options)
    files = {MAIN: text}
    conf = conf_of(files, tmp_path_factory.mktemp("host"))

    for supervisor in supervisors:
        compare(conf, supervisor.ask(files))
