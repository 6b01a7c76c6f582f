"""Harms of how a worker is supervised: restarts, wrappers, signals, users, spellings."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from tests.proofs.scenes.scene import NAME, Change, NeverRuns, Scene, Seen, see
from tests.proofs.scenes.timeouts import JobIsKilledAtStop
from tests.stack.host import Host
from tests.stack.polling import until
from tests.stack.supervisord import Refused, Supervisord


class ExitedStaysDead(Scene):
    """After queue:restart, as any deploy gives it, a worker ends with 0 and is not started again."""

    rule = "processes/autorestart"
    then = "supervisord starts it again, and the next job is run."
    bad = Change(program={"autorestart": None})

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        server.wait_for(NAME, "RUNNING")
        host.laravel.push("I").must()
        host.laravel.await_end("I")  # a worker that is still starting takes the restart for an old one
        host.laravel.artisan("queue:restart").must()
        until(lambda: server.exits(NAME), 6, "the worker ends", server.log_path)
        host.laravel.push("J").must()
        self.await_job_unless_harmed(host, "J")
        return see(host, left=host.laravel.count())

    @override
    def harmed(self, seen: Seen) -> None:
        assert seen.states == {NAME: "EXITED"}
        assert seen.exits == ["exit status 0; expected"]
        assert seen.left == 1

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.labels("end") == {"I", "J"}
        assert seen.left == 0


class ExitsTooQuickly(Scene):
    """A worker that is done before startsecs counts as one that could not start: soon it is FATAL."""

    rule = "processes/worker-exits-before-startsecs"
    then = "It is started again and again, and runs the job when there is one."
    always = Change(options={"stop-when-empty": "", "max-time": None})
    bad = Change(program={"startsecs": "60"})  # six real seconds: even a busy machine ends a start within
    good = Change(program={"startsecs": "0"})
    clock: ClassVar[str | None] = "+0 x10"

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        until(
            lambda: server.states()[NAME] == "FATAL" or len(server.exits(NAME)) >= 6,
            30,
            "supervisord gives up, or starts it six times",
            server.log_path,
        )
        host.laravel.push("J").must()
        self.await_job_unless_harmed(host, "J")
        return see(host, left=host.laravel.count())

    @override
    def harmed(self, seen: Seen) -> None:
        assert seen.states == {NAME: "FATAL"}
        assert set(seen.exits) == {"exit status 0; not expected"}
        assert seen.left == 1

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.states != {NAME: "FATAL"}
        assert seen.labels("end") == {"J"}


class CrashLoopLooksWell(Scene):
    """With startsecs=0 a worker that dies at once, again and again, is shown as RUNNING and never given up."""

    rule = "processes/startsecs-zero-crash-loop"
    then = "It is FATAL, for anyone to see."
    always = Change(
        program={"startretries": "1"},
        files={"var/www/app/vendor/autoload.php": "<?php throw new Error('a deploy went wrong');\n"},
    )
    bad = Change(program={"startsecs": "0"})
    clock: ClassVar[str | None] = None  # a real second, within which even a busy machine's PHP comes to die

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        if self.put_right:
            server.wait_for(NAME, "FATAL", 15)
        else:
            until(lambda: len(server.exits(NAME)) >= 3, 15, "it has died more often than is tried", server.log_path)
        return see(host)

    @override
    def harmed(self, seen: Seen) -> None:
        assert len(seen.exits) >= 3
        assert "FATAL" not in seen.states.values()

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.states == {NAME: "FATAL"}


class NumprocsRefused(Scene):
    """Several processes under one name: supervisord does not start at all."""

    rule = "processes/numprocs-without-process-num"
    then = "supervisord starts, and runs both."
    always = Change(program={"numprocs": "2"})
    bad = Change(program={"process_name": None})

    @override
    def observe(self, host: Host) -> Seen:
        try:
            return super().observe(host)
        except Refused as refused:
            return Seen(exit_code=refused.exit_code, output=refused.output)

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        server.wait_for(NAME, "RUNNING")
        server.wait_for("worker_01", "RUNNING")
        return see(host)

    @override
    def harmed(self, seen: Seen) -> None:
        assert seen.exit_code == 2
        assert "%(process_num) must be present within process_name" in seen.output

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.states == {NAME: "RUNNING", "worker_01": "RUNNING"}


class ShellBuiltin(NeverRuns):
    """`cd … && php …` is no command without a shell."""

    rule = "processes/shell-syntax-in-command"
    bad = Change(program={"command": "cd /var/www/app && php artisan {worker}"})
    words = "can't find command 'cd'"


class ShellRedirection(NeverRuns):
    """`>> file 2>&1` is handed to artisan as words of its own."""

    rule = "processes/shell-syntax-in-command"
    bad = Change(program={"command": "php /var/www/app/artisan {worker} >> /var/log/worker.log 2>&1"})
    words = "Too many arguments"


class RelativeArtisan(NeverRuns):
    """`php artisan` without a directory looks for artisan where supervisord was started."""

    rule = "processes/relative-artisan-without-directory"
    bad = Change(program={"command": "php artisan {worker}", "directory": None})
    good = Change(program={"command": "php artisan {worker}"})
    words = "Could not open input file: artisan"


class UnknownOption(NeverRuns):
    """An option that this Laravel does not have ends every start."""

    rule = "processes/unknown-option"
    bad = Change(options={"max-job": "500"})
    good = Change(options={"max-jobs": "500"})
    words = 'The "--max-job" option does not exist'


class OptionTooNew(NeverRuns):
    """An option of a later Laravel ends every start too."""

    rule = "processes/option-too-new"
    bad = Change(options={"stop-when-empty-for": "60"})
    words = 'The "--stop-when-empty-for" option does not exist'


class NonIntegerTimeout(NeverRuns):
    """`--timeout=60s` is a type error, thrown after a job was taken: each start burns a try."""

    rule = "processes/non-integer-option"
    bad = Change(options={"timeout": "60s"})
    words = "must be of type"

    @override
    def harmed(self, seen: Seen) -> None:
        super().harmed(seen)
        assert set(seen.exits) == {"exit status 1; not expected"}
        assert not seen.starts


class NonIntegerMemory(Scene):
    """`--memory=128M` is always exceeded: the worker ends with 12 after every look into the queue."""

    rule = "processes/non-integer-option"
    then = "The worker lives on."
    bad = Change(options={"memory": "128M"})
    good = Change(options={"memory": "128"})

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        self.await_if_harmed(lambda: server.exits(NAME), 2, "the worker ends", server.log_path)
        return see(host)

    @override
    def harmed(self, seen: Seen) -> None:
        assert seen.exits[0] == "exit status 12; not expected"

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.exits == []


class WrapperLeavesOrphan(Scene):
    """Stopped is the shell; its php works on without a parent, beside the new one, in old code."""

    rule = "processes/wrapper-without-exec"
    then = "One worker runs, a new one."
    bad = Change(program={"command": 'sh -c "cd /var/www/app && php artisan {worker}"'})
    good = Change(program={"command": 'sh -c "cd /var/www/app && exec php artisan {worker}"'})

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        until(host.workers, 5, "a worker runs", server.log_path)
        first = host.workers()[0].pid
        server.wait_for(NAME, "RUNNING")
        server.restart(NAME)
        until(lambda: any(one.pid != first for one in host.workers()), 5, "a new worker runs", server.log_path)
        return see(host)

    @override
    def harmed(self, seen: Seen) -> None:
        assert seen.workers == 2
        assert len(seen.orphans) == 1
        assert seen.states == {NAME: "RUNNING"}

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.workers == 1
        assert seen.orphans == []


class StopsignalKills(JobIsKilledAtStop):
    """SIGINT ends a worker of this Laravel in the middle of its job, however long supervisord would wait."""

    rule = "processes/stopsignal"
    bad = Change(program={"stopsignal": "INT"})

    @override
    def harmed(self, seen: Seen) -> None:
        assert not seen.ends
        assert f"stopped: {NAME} (terminated by SIGINT)" in seen.log


class ListenerDropsJob(JobIsKilledAtStop):
    """queue:listen hears no SIGTERM: the stop leaves its child, and the job, to themselves."""

    rule = "processes/listen-or-once"
    always = Change(options={"max-time": None})
    bad = Change(program={"command": "php /var/www/app/artisan queue:listen redis --sleep=1 --tries=3 --timeout=60"})

    @override
    def harmed(self, seen: Seen) -> None:
        assert not seen.ends
        assert f"stopped: {NAME} (terminated by SIGTERM)" in seen.log
        assert len(seen.orphans) == 1


class RootOwnsTheLog(Scene):
    """What a worker of root's writes, the web server's user cannot write to."""

    rule = "processes/runs-as-root"
    then = "Nothing in storage is root's, and the web server's user can log."
    bad = Change(program={"user": None, "environment": None})

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        host.laravel.push("J", breaks=True, tries=1).must()
        until(lambda: host.laravel.log, 6, "the worker logs the exception", server.log_path)
        host.laravel.await_failure("J")
        done = host.laravel.artisan("work:push", "--connection=nowhere")
        return see(host, output=done.output, extra=_of_root(host.laravel.folder / "storage"))

    @override
    def harmed(self, seen: Seen) -> None:
        """`extra` holds the files in storage that are root's."""
        assert seen.starts[0].uid == 0
        assert "logs/laravel.log" in seen.extra
        assert "could not be opened in append mode" in seen.output

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.starts[0].uid != 0
        assert seen.extra == []
        assert "append mode" not in seen.output


def _of_root(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.stat().st_uid == 0]


class BackgroundedCommand(Scene):
    """A worker in the background is out of supervisord's sight: every start leaves one more, and none is stopped."""

    rule = "processes/backgrounded-command"
    then = "One worker runs, and supervisord watches it."
    always = Change(program={"startsecs": "20"})  # two real seconds: even a busy machine ends the shell within
    bad = Change(program={"command": 'sh -c "php /var/www/app/artisan {worker} &"'})
    clock: ClassVar[str | None] = "+0 x10"

    @override
    def act(self, host: Host, server: Supervisord) -> Seen:
        until(lambda: server.states()[NAME] in {"RUNNING", "FATAL"}, 15, "supervisord gives up or is content")
        self.await_if_harmed(lambda: len(host.workers()) >= 2, 0, "two workers run", server.log_path)
        return see(host)

    @override
    def harmed(self, seen: Seen) -> None:
        assert seen.states == {NAME: "FATAL"}
        assert len(seen.orphans) >= 2

    @override
    def unharmed(self, seen: Seen) -> None:
        assert seen.states == {NAME: "RUNNING"}
        assert seen.workers == 1
        assert seen.orphans == []


class LineEscaped(NeverRuns):
    """A backslash at a line's end makes the line break a part of the next word, which artisan refuses."""

    rule = "processes/command-line-continuation"
    bad = Change(program={"command": "php /var/www/app/artisan {worker} \\\n  --queue=default"})
    words = "Too many arguments"


class RelativeCommand(NeverRuns):
    """A command with a relative path is looked for where supervisord was started, whatever directory= says."""

    rule = "processes/relative-command"
    bad = Change(program={"command": "./artisan {worker}"})
    words = "can't find command './artisan'"


class NoProcesses(Scene):
    """With numprocs=0 a program has no process, no line in the status, and no log: its jobs wait."""

    rule = "processes/numprocs-zero"
    bad = Change(program={"numprocs": "0"})

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


class NoSignals(NeverRuns):
    """A php.ini that forbids pcntl's functions, as hardening guides have it, ends every worker at its start."""

    rule = "timeouts/timeout-not-enforced"
    words = "pcntl_async_signals"

    @override
    def prepare(self, host: Host, *, bad: bool) -> None:
        shutil.copytree("/etc/php", host.folder / "etc/php", symlinks=True)
        forbidden = "exec,system" + (",pcntl_alarm,pcntl_signal,pcntl_async_signals" if bad else "")
        for folder in (host.folder / "etc/php").glob("*/cli/conf.d"):
            (folder / "99-hardening.ini").write_text(f"disable_functions={forbidden}\n")

    @override
    def push(self, host: Host) -> None:
        host.laravel.push("J").must()
