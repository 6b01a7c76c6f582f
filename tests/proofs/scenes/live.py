"""Harms that only the running system shows: it is asked while it runs, from within, as its administrator would ask it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from auditor import audit
from auditor.facts.site import Site
from tests.proofs.scenes.scene import NAME, Change, Scene, Seen, see
from tests.stack.host import Host
from tests.stack.rooms import run
from tests.stack.supervisord import Supervisord

CHECKOUT = Path(__file__).resolve().parents[3]


class Live(Scene):
    """A host that is audited with --live, at the end of what is done with it."""

    clock: ClassVar[str | None] = None  # what is asked goes by the real one
    site: Site
    """What the audit saw of it."""

    @override
    def observe(self, host: Host) -> Seen:
        with host.running(build="pypi") as server:
            seen = self.act(host, server)
            words = [sys.executable, "-m", "auditor", "facts", "/", "--live", "--output", "/run/facts.json"]
            run(host, words, cwd=str(CHECKOUT), seconds=60).must()
            self.site = audit.look(str(host.folder / "run/facts.json"))
            return seen


class NobodyAnswers(Live):
    """Where nobody listens on the port that .env names, no job can be pushed, and a worker that is RUNNING does nothing."""

    rule = "backend/unreachable"
    subject = "redis (redis://127.0.0.1:1/0)"
    bad = Change(env={"REDIS_PORT": "1"})

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        server.wait_for(NAME, "RUNNING")
        pushed = host.laravel.push("J")
        self.await_job_unless_harmed(host, "J")
        return see(host, exit_code=pushed.exit_code, output=pushed.output)

    @override
    def harmed(self, seen: Seen) -> None:
        """`output` and `exit_code` are the push's own."""
        assert seen.exit_code == 1
        assert "Connection refused" in seen.output
        assert seen.states == {NAME: "RUNNING"}
        assert not seen.starts

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.exit_code == 0
        assert seen.labels("end") == {"J"}
