"""What the history says of runs that a real worker executes."""

from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from celery import Signature, chain, chord, group

from example.celery import app
from example.tasks.basic import add, debug_task, wait
from rowlock import runs
from rowlock.models import Run, State
from rowlock.outbox.relay import relay_once
from tests.processes import running_worker, wait_until
from tests.worker.submitting import becomes, submitted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("worker")]


def test_a_run_that_succeeds_has_its_result_and_times() -> None:
    run = becomes(submitted("basic.add", 2, 3, owner="ann"), State.SUCCEEDED)

    assert (run.result_value, run.deliveries, run.owner) == (5, 1, "ann")
    assert run.started is not None
    assert run.finished is not None
    assert run.created <= run.started <= run.finished


def test_a_run_that_fails_keeps_type_message_and_traceback() -> None:
    run = becomes(submitted("basic.add", 2, "three"), State.FAILED)

    assert (run.error_type, run.error_message) == ("BadInput", "y must be a number, not 'three'.")
    assert "basic.py" in run.traceback


def test_a_run_that_is_executed_shows_its_progress_and_keeps_the_last() -> None:
    run = submitted("basic.wait", 3)

    wait_until("progress is seen", lambda: Run.objects.filter(id=run.id, progress_done__gte=1).exists())

    run = becomes(run, State.SUCCEEDED)
    assert (run.progress_done, run.progress_total) == (2, 3)


def test_a_retried_attempt_is_seen_and_counted(tmp_path: Path) -> None:
    queue = f"mail-{uuid4().hex}"
    # Nobody listens there: sending fails, and the task asks to be retried.
    variables = {"EMAIL_BACKEND": "smtp", "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": "1"}
    with running_worker(tmp_path / "log", "--queues", queue, "--concurrency", "1", **variables):
        run = submitted("email.send_confirmation", "a@example.com", "hello", queue=queue)

        run = becomes(run, State.RETRYING)

        # The pause before an attempt is a random one, and may be none.
        assert run.retries >= 1
        assert run.error_type == "ConnectionRefusedError"
        wait_until("another attempt", lambda: Run.objects.filter(id=run.id, retries__gte=2).exists(), seconds=90)


def test_a_run_that_takes_too_long_has_failed(tmp_path: Path) -> None:
    queue = f"slow-{uuid4().hex}"
    limits = {"TASK_TIME_LIMIT": "2", "TASK_SOFT_TIME_LIMIT": "0"}
    with running_worker(tmp_path / "log", "--queues", queue, "--concurrency", "1", **limits):
        run = becomes(submitted("basic.wait", 100, queue=queue), State.FAILED)

    assert run.error_type == "TimeLimitExceeded"


def test_tasks_of_plain_celery_appear_with_their_arguments() -> None:
    result = add.delay(20, 22)
    result.get(timeout=120)

    run = wait_until("the run is listed", lambda: Run.objects.filter(id=result.id, state=State.SUCCEEDED).first())

    assert (run.task, run.args, run.kwargs, run.result_value) == ("example.tasks.basic.add", [20, 22], {}, 42)


@pytest.mark.parametrize(
    ("task", "args", "kwargs"),
    [
        (debug_task.s(), [], {}),
        (add.s("20", y=2), ["20"], {"y": 2}),
        (add.s(date(2026, 2, 1), y=2), [{"__type__": "date", "__value__": "2026-02-01"}], {"y": 2}),
    ],
)
def test_the_arguments_of_tasks_of_plain_celery_are_as_their_messages_have_them(
    task: Signature, args: list[Any], kwargs: dict[str, Any]
) -> None:
    result = task.apply_async()

    run = wait_until("the run has ended", lambda: Run.objects.filter(id=result.id, finished__isnull=False).first())

    assert (run.args, run.kwargs) == (args, kwargs)


def test_the_links_of_a_chain_and_a_group_appear() -> None:
    links = chain(add.s(1, 2), add.s(3))()
    members = group(add.s(n, n) for n in range(3))()
    assert (links.get(timeout=120), members.get(timeout=120)) == (6, [0, 2, 4])
    ids = {UUID(result.id) for result in (links, links.parent, *members.results)}

    wait_until("all five are listed", lambda: Run.objects.filter(id__in=ids, state=State.SUCCEEDED).count() == len(ids))

    assert Run.objects.get(id=links.id).parent_id == UUID(links.parent.id)


def test_the_members_and_the_end_of_a_chord_appear() -> None:
    whole = chord((add.s(n, 1) for n in range(3)), app.signature("celery.accumulate", kwargs={"index": 0}))()
    assert whole.get(timeout=120) == [1, 2, 3]
    ids = {UUID(result.id) for result in (whole, *whole.parent.results)}

    wait_until("all four are listed", lambda: Run.objects.filter(id__in=ids, state=State.SUCCEEDED).count() == len(ids))


def test_a_retry_of_a_run_of_plain_celery_has_its_arguments() -> None:
    result = add.delay(20, 22)
    result.get(timeout=120)
    run = wait_until("the run is listed", lambda: Run.objects.filter(id=result.id, state=State.SUCCEEDED).first())

    again = runs.retry(run)
    relay_once()

    assert becomes(again, State.SUCCEEDED).result_value == 42


def test_a_published_run_that_is_cancelled_does_not_start(tmp_path: Path) -> None:
    queue = f"later-{uuid4().hex}"
    run, other = submitted("basic.add", 1, 1, queue=queue), submitted("basic.add", 2, 2, queue=queue)

    cancellation = runs.cancel(run)

    assert cancellation.was == "published"
    with running_worker(tmp_path / "log", "--queues", queue, "--concurrency", "1"):
        becomes(other, State.SUCCEEDED)
    run.refresh_from_db()
    assert (State(run.state), run.started) == (State.CANCELLED, None)


def test_a_running_run_is_stopped_when_it_is_cancelled() -> None:
    run = becomes(submitted("basic.wait", 200), State.STARTED)

    cancellation = runs.cancel(run)

    assert cancellation.was == "started"
    becomes(run, State.CANCELLED, seconds=20)
    becomes(submitted("basic.add", 1, 1), State.SUCCEEDED)


def test_a_run_that_expires_in_the_queue_says_so(tmp_path: Path) -> None:
    queue = f"late-{uuid4().hex}"
    run = submitted("basic.add", 1, 1, queue=queue, expires=1)

    with running_worker(tmp_path / "log", "--queues", f"other-{uuid4().hex}", "--pool", "solo"):
        becomes(run, State.EXPIRED, seconds=30)


def test_a_second_message_of_a_finished_run_is_not_executed() -> None:
    run = becomes(submitted("basic.add", 2, 3), State.SUCCEEDED)
    finished = run.finished
    again = add.apply_async((2, 3), task_id=str(run.id), headers={"rowlock": {"attempt": 2, "owner": ""}})

    wait_until("the delivery is counted", lambda: Run.objects.filter(id=run.id, deliveries=2).exists())

    run.refresh_from_db()
    assert again.id == str(run.id)
    assert run.finished == finished


def test_a_second_message_of_a_running_run_is_not_executed() -> None:
    run = becomes(submitted("basic.wait", 200), State.STARTED)

    wait.apply_async((200,), task_id=str(run.id), headers={"rowlock": {"attempt": 2, "owner": ""}})

    wait_until("the delivery is counted", lambda: Run.objects.filter(id=run.id, deliveries=2).exists())
    run.refresh_from_db()
    assert State(run.state) == State.STARTED
    runs.cancel(run)
    becomes(run, State.CANCELLED)


def test_workers_stop_being_careful_with_a_cancelled_run_once_its_message_is_gone() -> None:
    run = becomes(submitted("basic.wait", 200), State.STARTED)

    runs.cancel(run)

    becomes(run, State.CANCELLED, seconds=20)
    wait_until("nobody needs to check it any more", lambda: not Run.objects.get(id=run.id).check_first)


def test_a_run_that_ends_while_its_worker_is_stopped_is_not_delivered_again(tmp_path: Path) -> None:
    queue = f"stopped-{uuid4().hex}"
    with running_worker(tmp_path / "first", "--queues", queue, "--concurrency", "1") as first:
        run = becomes(submitted("basic.wait", 3, queue=queue), State.STARTED)
        first.process.terminate()
        assert first.process.wait(timeout=120) == 0, first.log.read_text()
    becomes(run, State.SUCCEEDED)

    with running_worker(tmp_path / "second", "--queues", queue, "--concurrency", "1"):
        becomes(submitted("basic.add", 1, 1, queue=queue), State.SUCCEEDED)

    run.refresh_from_db()
    assert run.deliveries == 1


def test_a_pool_of_threads_cannot_stop_a_run_and_lets_it_end(tmp_path: Path) -> None:
    queue = f"threads-{uuid4().hex}"
    with running_worker(tmp_path / "log", "--queues", queue, "--pool", "threads", "--concurrency", "2") as worker:
        run = becomes(submitted("basic.wait", 8, queue=queue), State.STARTED)
        assert runs.cancel(run).was == "started"
        wait_until("the worker says that it cannot", lambda: "only a prefork pool can stop" in worker.log.read_text())

        run = becomes(run, State.SUCCEEDED)

    assert (run.result_value, run.progress_done) == (8, 7)
