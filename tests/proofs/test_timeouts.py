"""The chain of time-outs, broken for real."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.proofs.scenes import programs, timeouts

Prove = Callable[..., None]


@pytest.mark.parametrize("backend", timeouts.JobRunsTwice.backends)
def test_job_runs_twice(prove: Prove, backend: str) -> None:
    """A job that outlasts retry_after is begun by a second worker while the first is still at it."""
    prove(timeouts.JobRunsTwice, backend)


def test_job_fails_and_succeeds(prove: Prove) -> None:
    """With one try, the second worker writes off a job that the first then finishes."""
    prove(timeouts.JobFailsAndSucceeds)


def test_retry_after_of_zero(prove: Prove) -> None:
    """A retry_after cast from a variable that is not there is 0: a running job is handed out again at once."""
    prove(timeouts.RetryAfterIsZero)


@pytest.mark.parametrize("backend", timeouts.JobIsNeverRetried.backends)
def test_job_is_never_retried(prove: Prove, backend: str) -> None:
    """A job whose worker was killed stays reserved for years, and nothing says so."""
    prove(timeouts.JobIsNeverRetried, backend)


def test_job_is_killed_at_stop(prove: Prove) -> None:
    """supervisord kills a worker in the middle of its job: the restart looks well, the job never ends."""
    prove(timeouts.JobIsKilledAtStop)


def test_default_timeout_kills(prove: Prove) -> None:
    """Without --timeout a job has 60 s; then its worker kills itself, and no line says why."""
    prove(timeouts.DefaultTimeoutKills)


def test_idle_worker_kills_itself(prove: Prove) -> None:
    """The alarm of --timeout also counts while a worker sleeps: with a longer --sleep it is killed when idle."""
    prove(timeouts.IdleWorkerKillsItself)


def test_blocked_worker_cannot_stop(prove: Prove) -> None:
    """With block_for 0 an idle worker hears no SIGTERM until a job arrives, so that every stop ends in SIGKILL."""
    prove(timeouts.BlockedWorkerCannotStop)


def test_job_without_limit_runs_twice(prove: Prove) -> None:
    """`--timeout=0` is longer than any retry_after."""
    prove(timeouts.JobHasNoLimit)


def test_block_for_as_text(prove: Prove) -> None:
    """phpredis takes no text for the time that it is to block."""
    prove(timeouts.BlocksForText)


def test_no_signals(prove: Prove) -> None:
    """A worker that may not set its alarm does not run at all."""
    prove(programs.NoSignals)
