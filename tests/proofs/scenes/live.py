"""Harms that the running system tells: it is asked while it runs, from within, as its administrator would ask it."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from auditor import audit
from auditor.facts.site import Site
from tests.proofs.scenes.programs import ExitedStaysDead, UnknownOption
from tests.proofs.scenes.scene import NAME, Change, Scene, Seen, see
from tests.proofs.scenes.stores import AttemptsOverflow
from tests.stack.backends import Backend
from tests.stack.host import Host
from tests.stack.mariadb import Database
from tests.stack.polling import until
from tests.stack.rooms import run
from tests.stack.supervisord import Supervisord

CHECKOUT = Path(__file__).resolve().parents[3]


class Live(Scene):
    """A host with workers and a cron, audited with --live at the end of what is done with it."""

    clock: ClassVar[str | None] = None  # what is asked goes by the real one
    site: Site
    """What the audit saw of it."""

    @override
    def observe(self, host: Host) -> Seen:
        with host.opened():
            self.before(host)
            server = host.start(build="pypi", faketime=self.clock)
            self.start_cron(host)
            seen = self.act(host, server)
            words = [sys.executable, "-m", "auditor", "facts", "/", "--live", "--output", "/run/facts.json"]
            run(host, words, cwd=str(CHECKOUT)).must()
            self.site = audit.look(str(host.folder / "run/facts.json"))
            return seen

    def before(self, host: Host) -> None:
        """What happens before its workers start."""

    def start_cron(self, host: Host) -> None:
        """Start its cron."""
        host.cron(speed=1)


class NobodyAnswers(Live):
    """Where nobody listens on the port that .env names, no job can be pushed, and a worker that is RUNNING does nothing."""

    rule = "backend/unreachable"
    subject = "redis (redis://127.0.0.1:1/0)"
    bad = Change(env={"REDIS_PORT": "1"})
    words: ClassVar[str] = "Connection refused"
    """What the application says of it."""

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
        assert self.words in seen.output
        assert seen.states == {NAME: "RUNNING"}
        assert not seen.starts

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.exit_code == 0
        assert seen.labels("end") == {"J"}


class LoginRefused(NobodyAnswers):
    """With a password that is no longer the server's no job can be pushed, and a worker that is RUNNING does nothing."""

    rule = "backend/auth-refused"
    bad = Change(env={"DB_PASSWORD": "of-last-year"})
    backends: ClassVar[tuple[str, ...]] = ("mariadb",)
    words = "Access denied for user"

    def __init__(self, backend: Backend) -> None:
        """About that server's database."""
        super().__init__(backend)
        assert isinstance(backend.server, Database)
        self.url = f"mysql://works@127.0.0.1:{backend.server.server.port}/{backend.server.name}"
        self.subject = f"database ({self.url})"

    @override
    def empty(self, host: Host) -> None:
        if self.put_right:  # the bad host could not even make its tables
            super().empty(host)


class TablesMissing(LoginRefused):
    """In a database without its tables no job can be pushed, and a worker that is RUNNING does nothing."""

    rule = "backend/jobs-table-missing"
    bad = Change()
    words = "Base table or view not found"

    def __init__(self, backend: Backend) -> None:
        """About that database."""
        super().__init__(backend)
        self.subject = self.url


class GivenUp(Live, UnknownOption):
    """A worker that supervisord has given up stays down, and its jobs wait."""

    rule = "backend/process-fatal"
    subject = "worker:worker_00"


class EndedForGood(Live, ExitedStaysDead):
    """A worker that has ended with 0, and is not to be started again, stays down, and its jobs wait."""

    rule = "backend/process-exited"
    subject = "worker:worker_00"


class AttemptsFillTheirColumn(Live, AttemptsOverflow):
    """A job at its 255th attempt stands before all others: counting one more is an error, and nobody gets any job."""

    rule = "backend/jobs-attempts-overflow"
    subject = "database:default"

    @override
    def before(self, host: Host) -> None:
        self.push(host)


class CronIsDown(Live):
    """Where no cron runs, no task does, and nothing says so."""

    rule = "backend/scheduler-silent"
    subject = "etc/cron.d/works:1"
    then = "The tasks are run."

    @override
    def start_cron(self, host: Host) -> None:
        if self.put_right:
            host.cron()

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        server.wait_for(NAME, "RUNNING")
        self.await_unless_harmed(host.journal.ticks, 2, "the schedule runs", host.journal.path)
        return see(host, starts=host.journal.ticks())

    @override
    def harmed(self, seen: Seen) -> None:
        """`starts` are the runs of the task that is due each minute."""
        assert not seen.starts

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.starts


class FilesNotApplied(Live):
    """A file that was edited and only restarted is not read: the worker goes on with the options from before."""

    rule = "backend/disk-vs-running"
    subject = "unix:///var/run/supervisor.sock"
    then = "The worker reads the queue that was added."

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        server.wait_for(NAME, "RUNNING")
        path = host.folder / "etc/supervisor/conf.d/works.conf"
        path.write_text(path.read_text().replace("queue:work redis", "queue:work redis --queue=mails,default"))
        if self.put_right:
            server.ctl("update").must()
        else:
            server.restart(NAME)
        host.laravel.push("M", queue="mails").must()
        self.await_job_unless_passed_over(host, "M")
        return see(host, left=host.laravel.count(queue="mails"))

    @override
    def harmed(self, seen: Seen) -> None:
        assert seen.states == {NAME: "RUNNING"}
        assert not seen.starts
        assert seen.left == 1

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.labels("end") == {"M"}


class WorksInOldCode(Live):
    """After a deploy a worker that nobody has restarted goes on in the code from before."""

    rule = "backend/worker-older-than-code"
    then = "The job is run by the new code."

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        host.laravel.push("A").must()
        host.laravel.await_end("A")
        begun = int(server.processes()[NAME]["start"])  # a change in a worker's first second may be the start's own
        until(lambda: time.time() > begun + 3, 5, "the worker is older than the deploy")
        code = host.laravel.folder / "app/Jobs/Work.php"
        code.write_text(code.read_text().replace("'start', $this->label", "'start', $this->label.' anew'"))
        (host.laravel.folder / "composer.lock").touch()
        if self.put_right:
            first = server.pid(NAME)
            host.laravel.artisan("queue:restart").must()
            until(lambda: server.pid(NAME) not in {0, first}, 10, "a new worker runs", server.log_path)
        host.laravel.push("B").must()
        host.laravel.await_end("B")
        self.subject = f"pid {server.pid(NAME)} (worker:{NAME})"
        return see(host)

    @override
    def harmed(self, seen: Seen) -> None:
        assert seen.labels("start") == {"A", "B"}

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.labels("start") == {"A", "B anew"}
