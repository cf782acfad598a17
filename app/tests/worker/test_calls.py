"""Calls of every kind that Celery offers, against a real worker on the broker and result backend of this run."""

from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from celery import chain, chord, group
from celery.exceptions import TimeoutError as ResultTimeout
from celery.result import AsyncResult
from django.utils import timezone

from example.celery import app
from example.tasks.basic import add, debug_task, wait
from rowlock.models import Run, State
from tests.processes import running_worker, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("worker")]

SECONDS = 60


def history_of(result: AsyncResult) -> Run:
    succeeded = Run.objects.filter(id=result.id, state=State.SUCCEEDED)
    wait_until(f"the history of task {result.id}", succeeded.exists)
    return succeeded.get()


def started_at(result: AsyncResult) -> datetime:
    started = history_of(result).started
    assert started is not None, f"task {result.id} has no start time in the history"
    return started


def test_delay_gives_the_result() -> None:
    result = add.delay(2, 3)

    assert result.get(timeout=SECONDS) == 5


def test_a_result_tells_that_it_succeeded() -> None:
    result = add.delay(2, 3)

    result.get(timeout=SECONDS)

    assert (result.status, result.ready(), result.successful(), result.failed()) == ("SUCCESS", True, True, False)


def test_a_result_tells_that_it_failed() -> None:
    result = add.delay(2, "three")

    with pytest.raises(Exception, match="y must be a number"):
        result.get(timeout=SECONDS)

    assert (result.status, result.ready(), result.successful(), result.failed()) == ("FAILURE", True, False, True)


def test_get_gives_up_after_its_timeout() -> None:
    result = add.apply_async((1, 1), queue=f"nobody-{uuid4().hex}")

    with pytest.raises(ResultTimeout):
        result.get(timeout=0.5)


def test_debug_task_says_who_ran_it() -> None:
    result = debug_task.delay()

    assert result.id in str(result.get(timeout=SECONDS))


def test_countdown_holds_a_task_back() -> None:
    due = timezone.now() + timedelta(seconds=2)

    result = add.apply_async((2, 3), countdown=2)

    assert result.get(timeout=SECONDS) == 5
    # RabbitMQ delays by whole seconds, counted from when it got the message.
    assert started_at(result) >= due - timedelta(seconds=1), "the task started before its countdown was over"


def test_eta_holds_a_task_back() -> None:
    due = timezone.now() + timedelta(seconds=3)

    result = add.apply_async((2, 3), eta=due)

    assert result.get(timeout=SECONDS) == 5
    assert started_at(result) >= due - timedelta(seconds=1), "the task started before its ETA"


def test_an_expired_task_never_runs(tmp_path: Path) -> None:
    queue = f"late-{uuid4().hex}"
    expired = add.apply_async((2, 3), queue=queue, expires=1)
    expires_at = timezone.now() + timedelta(seconds=1)
    last = add.apply_async((4, 5), queue=queue)
    wait_until("the task is over its time", lambda: timezone.now() > expires_at)

    with running_worker(tmp_path / "log", "--queues", queue, "--pool", "solo"):
        assert last.get(timeout=SECONDS) == 9

    # RabbitMQ drops it by itself; the broker of files delivers it and the worker revokes it.
    assert expired.status in {"REVOKED", "PENDING"}, f"the expired task is {expired.status}"


def test_link_starts_another_task_with_the_result() -> None:
    result = add.apply_async((2, 3), link=add.s(10))

    result.get(timeout=SECONDS)

    child = wait_until("the linked task is listed", lambda: (result.children or [None])[0])
    assert child.get(timeout=SECONDS) == 15


def test_a_chain_passes_results_on() -> None:
    result = chain(add.s(1, 2), add.s(3), add.s(4))()

    assert result.get(timeout=SECONDS) == 10


def test_a_group_gives_all_results_in_order() -> None:
    result = group(add.s(n, n) for n in range(10))()

    assert result.get(timeout=SECONDS) == [2 * n for n in range(10)]


def test_a_chord_collects_results() -> None:
    result = chord((add.s(n, 1) for n in range(5)), app.signature("celery.accumulate", kwargs={"index": 0}))()

    assert result.get(timeout=SECONDS) == [1, 2, 3, 4, 5]


def test_a_revoked_task_does_not_start() -> None:
    result = add.apply_async((2, 3), countdown=3)
    result.revoke()

    later = add.apply_async((4, 5), countdown=5)

    assert later.get(timeout=SECONDS) == 9
    assert result.status == "REVOKED"


def test_a_running_task_can_be_revoked() -> None:
    result = wait.delay(200)
    wait_until("the task runs", lambda: result.status == "STARTED")

    result.revoke(terminate=True)

    wait_until("the task is revoked", lambda: result.status == "REVOKED")
    assert add.delay(1, 1).get(timeout=SECONDS) == 2


def test_progress_is_seen_while_a_task_runs() -> None:
    result = wait.delay(3)

    wait_until("progress", lambda: Run.objects.filter(id=result.id, progress_done__isnull=False).exists())

    seen = Run.objects.get(id=result.id)
    assert (seen.progress_total, seen.progress_message.endswith("s left")) == (3, True), seen.progress_message
    result.get(timeout=SECONDS)


def test_the_soft_time_limit_stops_a_task() -> None:
    result = wait.apply_async((200,), soft_time_limit=1)

    with pytest.raises(Exception, match="SoftTimeLimitExceeded"):
        result.get(timeout=SECONDS)


def test_the_hard_time_limit_kills_a_task_and_not_the_worker(tmp_path: Path) -> None:
    queue = f"limited-{uuid4().hex}"
    # Celery looks at the hard limit only after the soft one, and both publisher and worker have one by default.
    with running_worker(tmp_path / "log", "--queues", queue, "--concurrency", "1", TASK_SOFT_TIME_LIMIT="0"):
        result = wait.apply_async((200,), time_limit=2, soft_time_limit=None, queue=queue)

        with pytest.raises(Exception, match="TimeLimitExceeded"):
            result.get(timeout=SECONDS)

        assert add.apply_async((1, 1), queue=queue).get(timeout=SECONDS) == 2


def test_the_history_keeps_name_and_arguments() -> None:
    result = add.delay(20, 22)
    result.get(timeout=SECONDS)

    run = history_of(result)

    assert (run.task, run.args, run.result_value) == ("example.tasks.basic.add", [20, 22], 42)
