"""What a worker does with its messages when it is told to end, and that its slots are all there until then."""

import os
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from celery import Task
from django.utils import timezone

from example.models import Counter
from rowlock import runs
from rowlock.models import Run, State
from rowlock.outbox.relay import relay_once
from tests.processes import Running, running_worker, wait_until
from tests.worker import holding
from tests.worker.submitting import becomes

pytestmark = pytest.mark.django_db(transaction=True)

#: A worker with so long a grace period puts back what runs when half of it is over.
SHORT_GRACE = 16


@pytest.fixture
def queue() -> str:
    return f"drained-{uuid4().hex}"


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Path]:
    """The file that lets held tasks go; it is made in any case, so that no worker waits for it after a failure."""
    file = tmp_path / "gate"
    yield file
    file.touch()


@pytest.mark.parametrize("pool", ["prefork", "threads", "gevent"])
def test_a_worker_that_drains_gives_back_what_it_has_not_started(
    pool: str, tmp_path: Path, queue: str, gate: Path
) -> None:
    held = submitted(holding.hold, gate, queue=queue)
    with working(tmp_path / "first", queue, "--pool", pool, "--prefetch-multiplier", "4") as first:
        becomes(held, State.STARTED)
        others = [submitted(holding.retry_once, queue=queue) for _ in range(3)]
        wait_until("all are prefetched", lambda: all(str(other.id) in first.log.read_text() for other in others))

        first.process.terminate()
        with working(tmp_path / "second", queue):
            for other in others:
                becomes(other, State.SUCCEEDED)
            held.refresh_from_db()
            assert held.state == State.STARTED, "what runs did not go on"
            assert first.probe("/readyz") == 503, "a worker that drains is ready"
            assert first.probe("/livez") == 200, "a worker that drains is dead"
            first.process.terminate()
            gate.touch()

            assert_ends_well(first)

    becomes(held, State.SUCCEEDED)
    assert held.deliveries == 1
    assert Counter.objects.get(key="held").count == 1


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo", "gevent"])
def test_what_does_not_end_within_the_grace_period_is_done_by_the_next_worker(
    pool: str, tmp_path: Path, queue: str, gate: Path
) -> None:
    held = submitted(holding.hold, gate, queue=queue)
    with working(tmp_path / "first", queue, "--pool", pool, ROWLOCK_GRACE_SECONDS=str(SHORT_GRACE)) as first:
        becomes(held, State.STARTED)

        first.process.terminate()

        assert_ends_well(first)
    held.refresh_from_db()
    assert (State(held.state), held.started, held.deliveries) == (State.PUBLISHED, None, 0)

    gate.touch()
    with working(tmp_path / "second", queue):
        becomes(held, State.SUCCEEDED)
    assert held.deliveries == 1
    assert Counter.objects.get(key="held").count == 1


def test_what_was_acked_early_and_does_not_end_has_failed(tmp_path: Path, queue: str, gate: Path) -> None:
    held = submitted(holding.hold_acked_early, gate, queue=queue)
    with working(tmp_path / "log", queue, ROWLOCK_GRACE_SECONDS=str(SHORT_GRACE)) as worker:
        becomes(held, State.STARTED)

        worker.process.terminate()

        assert_ends_well(worker)
    becomes(held, State.FAILED)
    assert held.error_type == "WorkerLostError"


@pytest.mark.parametrize(
    ("task", "error"),
    [
        (holding.hold_until_killed, "TimeLimitExceeded"),
        (holding.hold_until_interrupted, "SoftTimeLimitExceeded"),
    ],
)
def test_time_limits_hold_while_a_worker_drains(task: Task, error: str, tmp_path: Path, queue: str, gate: Path) -> None:
    held = submitted(task, gate, queue=queue)
    with working(tmp_path / "log", queue) as worker:
        becomes(held, State.STARTED)

        worker.process.terminate()
        becomes(held, State.FAILED)

        assert_ends_well(worker)
    assert held.error_type == error


@pytest.mark.parametrize("pool", ["prefork", "threads", "gevent"])
def test_every_slot_is_free_again_however_tasks_end(pool: str, tmp_path: Path, queue: str, gate: Path) -> None:
    with working(tmp_path / "log", queue, "--pool", pool, "--prefetch-multiplier", "4", concurrency=2) as worker:
        blocking = [submitted(holding.hold, gate, f"first {number}", queue=queue) for number in range(2)]
        for run in blocking:
            becomes(run, State.STARTED)
        cancelled = submitted(holding.retry_once, queue=queue)
        failing = submitted(holding.break_down, queue=queue)
        retried = submitted(holding.retry_once, queue=queue)
        expiring = submitted(holding.retry_once, queue=queue, expires=2)
        wait_until("all are prefetched", lambda: str(expiring.id) in worker.log.read_text())
        runs.cancel(cancelled)
        wait_until("one expires while it waits", lambda: expiring.expires and timezone.now() > expiring.expires)
        gate.touch()
        for run, state in ((failing, State.FAILED), (retried, State.SUCCEEDED), (expiring, State.EXPIRED)):
            becomes(run, state)
        wait_until("the cancelled one has ended", partial(_has_ended, cancelled))

        gate.unlink()
        last = [submitted(holding.hold, gate, f"last {number}", queue=queue) for number in range(2)]

        for run in last:
            becomes(run, State.STARTED)
        gate.touch()
        for run in last:
            becomes(run, State.SUCCEEDED)


def test_every_slot_is_free_again_however_processes_end(tmp_path: Path, queue: str, gate: Path) -> None:
    with working(tmp_path / "log", queue, "--prefetch-multiplier", "4", concurrency=2) as worker:
        killed = [submitted(holding.hold_until_killed, gate, queue=queue) for _ in range(2)]
        for run in killed:
            becomes(run, State.FAILED)
        last = [submitted(holding.hold, gate, f"last {number}", queue=queue) for number in range(2)]
        for run in last:
            becomes(run, State.STARTED)

        for child in children(worker):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        for run in last:
            wait_until(f"{run} is started again", partial(_is_delivered_twice, run))

        gate.touch()
        for run in last:
            becomes(run, State.SUCCEEDED)


def submitted(task: Task, *arguments: object, **options: Any) -> Run:
    run = runs.submit(task, [str(argument) for argument in arguments], **options)
    relay_once()
    return run


def working(
    log: Path, queue: str, *arguments: str, concurrency: int = 1, **variables: str
) -> AbstractContextManager[Running]:
    include = ("--include", "tests.worker.holding", "--concurrency", str(concurrency))
    return running_worker(log, "--queues", queue, *include, *arguments, **variables)


def assert_ends_well(worker: Running) -> None:
    wait_until("the worker ends", lambda: worker.process.poll() is not None)
    assert worker.process.returncode == 0, f"it ended with {worker.process.returncode}:\n{worker.log.read_text()}"


def children(worker: Running) -> list[int]:
    # A process that was lost is replaced by another thread than the one that made the first.
    lists = Path(f"/proc/{worker.process.pid}/task").glob("*/children")
    return [int(child) for file in lists for child in file.read_text().split()]


def _has_ended(run: Run) -> bool:
    run.refresh_from_db()
    return State(run.state).is_final


def _is_delivered_twice(run: Run) -> bool:
    run.refresh_from_db()
    return run.deliveries == 2
