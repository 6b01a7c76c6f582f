"""Harms of supervisor's own format: what it reads otherwise than it looks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from typing_extensions import override

from tests.proofs.scenes.scene import EMPTY, NAME, Change, NeverRuns, Scene, Seen, see
from tests.proofs.scenes.timeouts import JobIsKilledAtStop
from tests.stack.host import SUPERVISORD_CONF, Host
from tests.stack.polling import until
from tests.stack.rooms import run
from tests.stack.supervisord import Supervisord


class Edited(Scene):
    """A sound conf in which one piece of text is replaced by another: what is bad about it is in no option's value."""

    old: str = ""
    """The piece; "" for the end of the file."""
    new: str = ""
    """What stands there on the bad host."""
    right: str | None = None
    """What stands there on the good one, where that is not the piece itself."""

    @override
    def conf(self, change: Change, *, bad: bool) -> str:
        text = super().conf(change, bad=bad)
        new = self.new if bad else self.right
        if new is None:
            return text
        assert self.old in text
        return text.replace(self.old, new, 1) if self.old else text + new


CONF = "etc/supervisor/conf.d/works.conf"
MAIN = "etc/supervisor/supervisord.conf"
COMMAND = "command=php /var/www/app/artisan queue:work redis --sleep=1 --tries=3 --timeout=60 --max-jobs=1000"


class QuotedDirectory(NeverRuns):
    """Quotes around a directory are part of its name, and every start ends there."""

    rule = "supervisor/quoted-value"
    subject = "program:worker"
    bad = Change(program={"directory": '"/var/www/app"'})
    words = "couldn't chdir"


class OpenQuote(NeverRuns):
    """A command with an open quote passes, and fails when it is to start."""

    rule = "supervisor/conf-parse-error"
    subject = "program:worker"
    bad = Change(options={"queue": '"default'})
    good = Change(options={"queue": '"default"'})
    words = "can't parse command"


class OptionSwallowed(Edited, NeverRuns):
    """An indented option is a part of the value above it, here an argument that artisan does not know."""

    rule = "supervisor/swallowed-by-continuation"
    subject = "program:worker"
    old = "\nprocess_name="
    new = "\n  stopwaitsecs=75\nprocess_name="
    right: str | None = "\nprocess_name="
    words = "Too many arguments"


class MisspeltOption(JobIsKilledAtStop):
    """A misspelt option is ignored without a word: supervisord waits its 10 s, and kills the job."""

    rule = "supervisor/unknown-option"
    bad = Change(program={"stopwaitsecs": None, "stopwaitsec": "75"})


class NotThere(Scene):
    """A program that everybody believes to run, and of which supervisord knows nothing."""

    then = "It runs, and the job with it."

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        host.laravel.push("J").must()
        self.await_job_unless_harmed(host, "J")
        return see(host, left=host.laravel.count())

    @override
    def harmed(self, seen: Seen) -> None:
        assert seen.states == {}
        assert seen.left == 1

    @override
    def unharmed(self, seen: Seen) -> None:
        assert set(seen.states) == {NAME}
        assert seen.labels("end") == {"J"}


class MisspeltSection(Edited, NotThere):
    """A section whose kind is misspelt is ignored without a word."""

    rule = "supervisor/unknown-section"
    subject = "progam:worker"
    old = "[program:worker]"
    new = "[progam:worker]"
    right: str | None = "[program:worker]"


class OtherEnding(NotThere):
    """A file with an ending that the main file does not include is never read."""

    rule = "supervisor/conf-not-included"
    subject = "etc/supervisor/conf.d/works.ini"

    @override
    def prepare(self, host: Host, *, bad: bool) -> None:
        if bad:
            path = host.folder / CONF
            path.rename(path.with_suffix(".ini"))


class ValueCut(Scene):
    """An unquoted blank ends a value of environment=: the worker has another prefix than the application, and other queues."""

    rule = "supervisor/environment-corrupted"
    subject = "program:worker"
    always = Change(env={"REDIS_PREFIX": '"works co_"'})
    bad = Change(program={"environment": 'HOME="/var/www",USER="www-data",REDIS_PREFIX=works co_'})
    good = Change(program={"environment": 'HOME="/var/www",USER="www-data",REDIS_PREFIX="works co_"'})

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        server.wait_for(NAME, "RUNNING")
        host.laravel.push("J").must()
        self.await_job_unless_passed_over(host, "J")
        return see(host, left=host.laravel.count())

    @override
    def harmed(self, seen: Seen) -> None:
        assert seen.states == {NAME: "RUNNING"}
        assert seen.left == 1

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.labels("end") == {"J"}


class CommentCutsCommand(Scene):
    """A semicolon after a blank begins a comment: the options behind it are lost, and the queues in them never read."""

    rule = "supervisor/comment-cuts-value"
    subject = "program:worker"
    then = "Both queues are read."
    bad = Change(program={"command": "php /var/www/app/artisan {worker} ; --queue=mails,default"})
    good = Change(program={"command": "php /var/www/app/artisan {worker} --queue=mails,default"})

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        host.laravel.push("D", queue="default").must()
        host.laravel.push("M", queue="mails").must()
        host.laravel.await_end("D")
        self.await_job_unless_passed_over(host, "M")
        return see(host, left=host.laravel.count(queue="mails"))

    @override
    def harmed(self, seen: Seen) -> None:
        assert seen.labels("end") == {"D"}
        assert seen.left == 1

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.labels("end") == {"D", "M"}


MAILS = f"""
[program:mails]
{COMMAND} --queue=mails
directory=/var/www/app
user=www-data
autorestart=true
stopwaitsecs=75
process_name=%(program_name)s_00
"""
"""A second program, of the queue mails."""


class TwoPrograms(Edited):
    """A host whose second program never runs, though both are written down."""

    then = "Both run, and both queues are read."

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        host.laravel.push("D", queue="default").must()
        host.laravel.push("M", queue="mails").must()
        until(host.journal.ends, 10, "a job ends", server.log_path)
        self.await_unless_harmed(lambda: len(host.journal.ends()) == 2, 1, "both jobs end", server.log_path)
        return see(host, workers=len(server.states()))

    @override
    def harmed(self, seen: Seen) -> None:
        """`workers` are the processes that supervisord knows of."""
        assert seen.workers == 1
        assert len(seen.ends) == 1

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.workers == 2
        assert seen.labels("end") == {"D", "M"}


class GroupShadowsProgram(TwoPrograms):
    """A group has the name of a program that it does not list: of the two only one runs."""

    rule = "supervisor/group-shadows-program"
    subject = "program:worker"
    new = f"{MAILS}\n[group:worker]\nprograms=mails\n"
    right: str | None = f"{MAILS}\n[group:works]\nprograms=mails\n"


class NamesCollide(TwoPrograms):
    """Two programs of a group name their process alike: the later takes the earlier's place."""

    rule = "processes/process-name-collision"
    subject = "program:mails"
    new = MAILS.replace("%(program_name)s_00", NAME) + "\n[group:works]\nprograms=worker,mails\n"
    right: str | None = f"{MAILS}\n[group:works]\nprograms=worker,mails\n"


PASSWORD = "ops"
"""What the good host asks for."""


class OpenPort(Scene):
    """Whoever reaches supervisord's port stops the workers, without a password."""

    rule = "supervisor/http-exposed"
    subject = "inet_http_server"
    then = "Who has no password is turned away, and the worker runs on."
    backends: ClassVar[tuple[str, ...]] = ("sqlite",)  # the host is alone: it reaches no other
    secret: ClassVar[Mapping[str, str]] = EMPTY
    """What the bad host's server section says beside its port."""

    @override
    def prepare(self, host: Host, *, bad: bool) -> None:
        lines = self.secret if bad else {"username": "ops", "password": PASSWORD}
        section = "".join(f"{name}={value}\n" for name, value in {"port": "*:9001", **lines}.items())
        text = SUPERVISORD_CONF.replace("[supervisord]", f"[inet_http_server]\n{section}\n[supervisord]")
        (host.folder / MAIN).write_text(text)
        host.alone = True

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        server.wait_for(NAME, "RUNNING")
        code = (
            "import xmlrpc.client; "
            f"xmlrpc.client.ServerProxy('http://127.0.0.1:9001').supervisor.stopProcess('worker:{NAME}')"
        )
        done = run(host, ["/usr/bin/python3", "-c", code], user="www-data")
        return see(host, exit_code=done.exit_code, output=done.output)

    @override
    def harmed(self, seen: Seen) -> None:
        assert seen.exit_code == 0
        assert seen.states == {NAME: "STOPPED"}

    @override
    def unharmed(self, seen: Seen) -> None:
        assert "401 Unauthorized" in seen.output
        assert seen.states == {NAME: "RUNNING"}


class EmptyUsername(OpenPort):
    """With an empty user name supervisord's port asks for no password, though one is set."""

    rule = "supervisor/http-empty-username"
    secret: ClassVar[Mapping[str, str]] = {"username": "", "password": PASSWORD}
