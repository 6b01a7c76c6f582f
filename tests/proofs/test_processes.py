"""Workers supervised badly, for real."""

from __future__ import annotations

from collections.abc import Callable

from tests.proofs.scenes import images, programs, supervisor

Prove = Callable[..., None]


def test_exited_stays_dead(prove: Prove) -> None:
    """After queue:restart, as any deploy gives it, a worker ends with 0 and is not started again."""
    prove(programs.ExitedStaysDead)


def test_exits_too_quickly(prove: Prove) -> None:
    """A worker that is done before startsecs counts as one that could not start: soon it is FATAL."""
    prove(programs.ExitsTooQuickly)


def test_crash_loop_looks_well(prove: Prove) -> None:
    """With startsecs=0 a worker that dies at once, again and again, is shown as RUNNING and never given up."""
    prove(programs.CrashLoopLooksWell)


def test_numprocs_refused(prove: Prove) -> None:
    """Several processes under one name: supervisord does not start at all."""
    prove(programs.NumprocsRefused)


def test_shell_builtin(prove: Prove) -> None:
    """`cd … && php …` is no command without a shell."""
    prove(programs.ShellBuiltin)


def test_shell_redirection(prove: Prove) -> None:
    """`>> file 2>&1` is handed to artisan as words of its own."""
    prove(programs.ShellRedirection)


def test_relative_artisan(prove: Prove) -> None:
    """`php artisan` without a directory looks for artisan where supervisord was started."""
    prove(programs.RelativeArtisan)


def test_unknown_option(prove: Prove) -> None:
    """An option that this Laravel does not have ends every start."""
    prove(programs.UnknownOption)


def test_option_too_new(prove: Prove) -> None:
    """An option of a later Laravel ends every start too."""
    prove(programs.OptionTooNew)


def test_non_integer_timeout(prove: Prove) -> None:
    """`--timeout=60s` is a type error, thrown after a job was taken: each start burns a try."""
    prove(programs.NonIntegerTimeout)


def test_non_integer_memory(prove: Prove) -> None:
    """`--memory=128M` is always exceeded: the worker ends with 12 after every look into the queue."""
    prove(programs.NonIntegerMemory)


def test_wrapper_leaves_orphan(prove: Prove) -> None:
    """Stopped is the shell; its php works on without a parent, beside the new one, in old code."""
    prove(programs.WrapperLeavesOrphan)


def test_stopsignal_kills(prove: Prove) -> None:
    """SIGINT ends a worker of this Laravel in the middle of its job, however long supervisord would wait."""
    prove(programs.StopsignalKills)


def test_listener_drops_job(prove: Prove) -> None:
    """queue:listen hears no SIGTERM: the stop leaves its child, and the job, to themselves."""
    prove(programs.ListenerDropsJob)


def test_root_owns_the_log(prove: Prove) -> None:
    """What a worker of root's writes, the web server's user cannot write to."""
    prove(programs.RootOwnsTheLog)


def test_backgrounded_workers_pile_up(prove: Prove) -> None:
    """A worker with & behind it is one that nobody watches."""
    prove(programs.BackgroundedCommand)


def test_escaped_line_break(prove: Prove) -> None:
    """A backslash at the end of a line is no continuation to supervisord."""
    prove(programs.LineEscaped)


def test_relative_command(prove: Prove) -> None:
    """`./artisan` is not looked for in directory=."""
    prove(programs.RelativeCommand)


def test_no_processes_run_nothing(prove: Prove) -> None:
    """numprocs=0 is taken, and runs nothing."""
    prove(programs.NoProcesses)


def test_second_process_of_a_name_is_dropped(prove: Prove) -> None:
    """Two processes of one name in a group: one of them never runs."""
    prove(supervisor.NamesCollide)


def test_image_without_pcntl(prove: Prove) -> None:
    """A PHP that knows neither an alarm nor a signal."""
    prove(images.WithoutPcntl)
