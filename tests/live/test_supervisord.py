"""A real supervisord tells its processes and how its files drifted, without noticing that it was asked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from auditor import audit
from auditor.facts.running import Daemon, DaemonProcess
from auditor.facts.supervisor import HttpServer, SupervisorConf
from auditor.sources.live.access import Limits
from auditor.sources.live.supervisord import DaemonLook, ask_supervisord
from auditor.sources.supervisor import read_configuration
from auditor.sources.tree import Tree
from tests.live import faulty
from tests.stack.host import Host
from tests.stack.polling import until
from tests.stack.supervisord import Build, Supervisord

PROGRAMS = """\
[program:steady]
command=sleep 600
directory={folder}
stopwaitsecs=33

[program:pair]
command=sleep 60%(process_num)d
process_name=%(program_name)s_%(process_num)02d
numprocs=3

[program:resting]
command=sleep 600
autostart=false

[program:done]
command=sh -c "exit 7"
startsecs=0
autorestart=false

[program:missing]
command=/no/such/program
startretries=0

[program:failing]
command=false
startretries=50
"""


def conf_of(server: Supervisord) -> SupervisorConf:
    """The configuration it was started from, as our own sources read it."""
    return read_configuration(Tree("/"), server.conf.lstrip("/"))


def ask(server: Supervisord, conf: SupervisorConf | None = None) -> DaemonLook:
    """What it tells, asked by the socket that its own configuration names."""
    conf = conf or conf_of(server)
    return ask_supervisord(conf.http_servers[0], conf=conf)


def told(server: Supervisord) -> tuple[Daemon, dict[str, DaemonProcess]]:
    """The daemon and its processes by name."""
    found = ask(server)
    assert found.probe.outcome == "ok", found.probe.reason
    assert found.daemon is not None
    return found.daemon, {process.name: process for process in found.processes}


@pytest.mark.parametrize("build", ["debian", "pypi"])
def test_states(tmp_path: Path, build: Build) -> None:
    """Each process has the state, pid and reason that supervisord gives it; nothing has drifted."""
    server = Supervisord.of(tmp_path, PROGRAMS.format(folder=tmp_path), build=build)
    try:
        wanted = {"steady": "RUNNING", "pair_02": "RUNNING", "done": "EXITED", "missing": "FATAL", "failing": "BACKOFF"}
        until(lambda: wanted.items() <= server.states().items(), 10, "all have come to their state", server.log_path)
        theirs = server.processes()
        daemon, ours = told(server)

        assert ours.keys() == theirs.keys()
        for name, process in ours.items():
            if name != "failing":
                assert (process.statename, process.pid, process.start, process.spawnerr) == (
                    theirs[name]["statename"],
                    theirs[name]["pid"],
                    theirs[name]["start"],
                    theirs[name]["spawnerr"],
                )
        assert ours["done"].exited
        assert ours["done"].exitstatus == 7
        assert ours["missing"].fatal
        assert "can't find command" in ours["missing"].spawnerr
        assert ours["resting"].never_started
        assert ours["steady"].uptime >= 0
        assert ours["steady"].differs == ()
        assert not ours["steady"].older_than_conf
        assert (daemon.state, daemon.pid, daemon.processes) == ("RUNNING", server.child.pid, 8)
        assert ".".join(map(str, daemon.version)) == server.rpc.getSupervisorVersion()
        assert daemon.started == pytest.approx(Path(f"/proc/{server.child.pid}").stat().st_ctime, abs=5)
        assert (daemon.not_loaded, daemon.not_on_disk, daemon.drifts, daemon.newer_files) == ((), (), (), ())
        assert not daemon.drifted

        until(lambda: told(server)[1]["failing"].flapping, 10, "the failing one is in BACKOFF", server.log_path)
    finally:
        server.stop()


def test_drift(tmp_path: Path) -> None:
    """Options, programs and processes that the files have otherwise than the daemon are named, without a reread."""
    server = Supervisord.of(tmp_path, PROGRAMS.format(folder=tmp_path), build="pypi")
    try:
        server.wait_for("steady", "RUNNING")
        path = Path(server.conf)
        text = path.read_text()
        text = text.replace("stopwaitsecs=33", "stopwaitsecs=44").replace(
            "command=sleep 600\ndirectory", "command=sleep 700\ndirectory"
        )
        text = text.replace("numprocs=3", "numprocs=2").replace("[program:done]", "[program:new]")
        path.write_text(text)
        later = path.stat().st_mtime + 100
        os.utime(path, (later, later))
        daemon, processes = told(server)

        drifts = {(drift.process, drift.name): (drift.on_disk, drift.loaded) for drift in daemon.drifts}
        assert drifts == {("steady", "stopwaitsecs"): ("44", "33"), ("steady", "command"): ("sleep 700", "sleep 600")}
        assert daemon.not_loaded == ("new:new",)
        assert daemon.not_on_disk == ("done:*", "pair:pair_02")
        assert daemon.newer_files == (server.conf.lstrip("/"),)
        assert processes["steady"].older_than_conf
        assert processes["steady"].differs == ()

        # A reread by somebody: now the daemon holds the file's options, and the process still has the old command.
        server.rpc.reloadConfig()
        daemon, processes = told(server)
        assert daemon.drifts == ()
        assert processes["steady"].differs == ("command",)
    finally:
        server.stop()


def test_files_that_would_be_refused(tmp_path: Path) -> None:
    """Where supervisord would refuse the files as they are, what drifted is unknown, with the reason."""
    server = Supervisord.of(tmp_path, PROGRAMS.format(folder=tmp_path), build="pypi")
    try:
        path = Path(server.conf)
        path.write_text(path.read_text().replace("numprocs=3", "numprocs=many"))
        daemon, _ = told(server)
        assert daemon.is_unknown("drifts")
        assert daemon.is_unknown("not_loaded")
        found = ask_supervisord(conf_of(server).http_servers[0])
        assert found.daemon is not None
        assert found.daemon.is_unknown("drifts")
        assert found.processes[0].is_unknown("older_than_conf")
    finally:
        server.stop()


def test_its_log_and_state_are_the_same(tmp_path: Path) -> None:
    """It logs nothing of being asked, and tells the same before and after."""
    server = Supervisord.of(tmp_path, PROGRAMS.format(folder=tmp_path).partition("[program:done]")[0], build="pypi")
    try:
        server.wait_for("pair_02", "RUNNING")
        server.wait_for("steady", "RUNNING")

        def state() -> list[Any]:
            infos = server.rpc.getAllProcessInfo()
            for one in infos:
                del one["now"], one["description"]
            return [infos, server.rpc.getAllConfigInfo(), server.rpc.getIdentification(), server.log]

        before = state()
        assert ask(server).probe.outcome == "ok"
        assert state() == before
    finally:
        server.stop()


def test_configuration_that_it_cannot_tell(tmp_path: Path) -> None:
    """A daemon that answers getAllConfigInfo with HTTP 500, as one release does, still tells everything else."""
    import socket
    import threading
    import xmlrpc.client

    info = {"name": "w", "group": "w", "start": 5, "stop": 0, "now": 9, "state": 20, "statename": "RUNNING", "pid": 0,
            "spawnerr": "", "exitstatus": 0}  # fmt: skip
    answers: dict[str, Any] = {
        "supervisor.getState": {"statecode": 1, "statename": "RUNNING"},
        "supervisor.getSupervisorVersion": "4.4.0.dev0",
        "supervisor.getAPIVersion": "3.0",
        "supervisor.getPID": 1,
        "supervisor.getAllProcessInfo": [info],
    }

    def serve(talk: socket.socket, over: threading.Event) -> None:
        heard = b""
        while b"</methodCall>" not in heard:
            heard += talk.recv(65536)
        _, method = xmlrpc.client.loads(heard.partition(b"\r\n\r\n")[2])
        if method not in answers:
            talk.sendall(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")
            return
        body = xmlrpc.client.dumps((answers[str(method)],), methodresponse=True).encode()
        talk.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    with faulty.serving(serve) as port:
        server = HttpServer(section="inet_http_server", kind="inet", host="127.0.0.1", port=port)
        conf = SupervisorConf(main="etc/supervisord.conf", files=("etc/supervisord.conf",))
        found = ask_supervisord(server, conf=conf, limits=Limits())
    assert found.probe.outcome == "ok", found.probe.reason
    assert found.daemon is not None
    assert found.daemon.version == (4, 4, 0)
    assert "HTTP status 500" in (found.daemon.mark("drifts").reason or "")
    assert found.daemon.not_on_disk == ("w:*",)
    assert [process.statename for process in found.processes] == ["RUNNING"]


def test_a_socket_that_is_not_known() -> None:
    """A socket whose place an environment variable gives is not looked at."""
    probe = ask_supervisord(HttpServer(section="unix_http_server", kind="unix")).probe
    assert (probe.outcome, probe.reason) == ("unsupported", "where its socket is cannot be known from here")


def test_links_lead_on_inside_the_root(tmp_path: Path) -> None:
    """Of a host in a folder the socket in /var/run is found, which is a link to its own /run."""
    host = Host.lay_out(tmp_path / "host", "[program:idle]\ncommand=sleep 600\n")
    with host.running(build="pypi") as server:
        server.wait_for("idle", "RUNNING")
        site = audit.look(str(host.folder), live=True)

    assert site.live is not None
    assert [probe.outcome for probe in site.live.probes if probe.kind == "supervisord"] == ["ok"]
    assert [(one.name, one.statename) for one in site.live.supervised] == [("idle", "RUNNING")]
