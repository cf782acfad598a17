"""What a worker tells of its tasks: scraped over HTTP from real workers, however their tasks end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from prometheus_client.samples import Sample
from pytest_django import DjangoDbBlocker, Settings

from example.celery import app
from rowlock import runs
from rowlock.models import Run, State
from tests.processes import Running, running, wait_until
from tests.scraping import matching, scrape, value
from tests.worker.submitting import becomes, submitted

pytestmark = pytest.mark.django_db(transaction=True)

TASKS = "tests.worker.measured"
WAIT, RUN, OUTCOMES = "rowlock_task_wait_seconds", "rowlock_task_run_seconds", "rowlock_tasks_total"


@contextmanager
def measured_worker(log: Path, queue: str, *arguments: str) -> Iterator[Running]:
    command = ["celery", "-A", f"{TASKS}:app", "worker", "--loglevel", "INFO", "--queues", queue, *arguments]
    command += ["--hostname", f"{uuid4().hex}@%h", "--without-mingle", "--without-gossip"]
    with running(command, log, ROWLOCK_POOL="measured") as worker:
        wait_until("the worker is ready", lambda: worker.probe("/readyz") == 200 or worker.process.poll() is not None)
        assert worker.process.poll() is None, f"the worker ended:\n{log.read_text()}"
        yield worker


@pytest.fixture(scope="module")
def queue() -> str:
    return f"measured-{uuid4().hex}"


@pytest.fixture(scope="module")
def worker(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory, queue: str
) -> Iterator[Running]:
    """Two processes, each for one task only where there is RabbitMQ: what is counted in them would be lost."""
    log = tmp_path_factory.mktemp("worker") / "log"
    arguments = ["--concurrency", "2", "--prefetch-multiplier", "2"]
    if settings.ENV.BROKER_URL:
        # The pool without an event loop, which the embedded broker needs, now and then loses a job when processes
        # come and go.
        arguments += ["--max-tasks-per-child", "1"]
    with django_db_blocker.unblock(), measured_worker(log, queue, *arguments) as process:
        yield process


def send(task: str, queue: str, **options: Any) -> str:
    return str(app.send_task(f"{TASKS}.{task}", queue=queue, **options).id)


def outcomes(samples: list[Sample], task: str) -> dict[str, float]:
    counted = matching(samples, OUTCOMES, task=f"{TASKS}.{task}")
    return {sample.labels["outcome"]: sample.value for sample in counted if sample.value}


def wait_for_outcomes(worker: Running, task: str, expected: dict[str, float]) -> list[Sample]:
    """A scrape that has the expected outcomes; fails with those of the last one."""
    last: dict[str, float] = {}

    def look() -> bool:
        last.clear()
        last.update(outcomes(scrape(worker.port), task))
        return last == expected

    try:
        wait_until(f"{task} has ended with {expected}", look)
    except AssertionError as error:
        raise AssertionError(f"{error}: {last}\n{worker.log.read_text()}") from None
    # Anew, for a scrape can fall between the counting of one thing and of the next.
    return scrape(worker.port)


def assert_counted(samples: list[Sample], task: str, **expected: int) -> None:
    name = f"{TASKS}.{task}"
    found = {"waits": value(samples, f"{WAIT}_count", task=name), "runs": value(samples, f"{RUN}_count", task=name)}
    assert found == expected, f"{task}: {found}"


@pytest.mark.parametrize(
    ("task", "expected", "starts", "raised"),
    [
        ("succeeds", {"succeeded": 1}, 1, ""),
        ("fails", {"failed": 1}, 1, "ValueError"),
        ("succeeds_at_second_attempt", {"retried": 1, "succeeded": 1}, 2, "Retry"),
        ("is_ignored", {"succeeded": 1}, 1, ""),
        ("is_rejected", {"rejected": 1}, 1, ""),
        ("is_put_back_once", {"requeued": 1, "succeeded": 1}, 2, ""),
        ("exceeds_soft_limit", {"timed_out": 1}, 1, "SoftTimeLimitExceeded"),
        ("exceeds_hard_limit", {"timed_out": 1}, 1, "TimeLimitExceeded"),
    ],
)
def test_each_start_of_a_task_is_counted_once_by_how_it_ended(  # noqa: PLR0917 - the columns of a table
    worker: Running, queue: str, task: str, expected: dict[str, float], starts: int, raised: str
) -> None:
    send(task, queue)

    samples = wait_for_outcomes(worker, task, expected)

    assert_counted(samples, task, waits=starts, runs=starts)
    exceptions = matching(samples, "rowlock_task_exceptions_total", task=f"{TASKS}.{task}")
    assert {found.labels["exception"]: found.value for found in exceptions} == ({raised: 1} if raised else {})


def test_a_task_whose_process_is_killed_is_counted_as_lost(real_services: None, worker: Running, queue: str) -> None:
    send("is_killed_once", queue)

    samples = wait_for_outcomes(worker, "is_killed_once", {"lost": 1, "succeeded": 1})

    assert_counted(samples, "is_killed_once", waits=2, runs=2)


def test_a_task_that_is_cancelled_while_it_runs_is_counted_as_revoked(worker: Running, queue: str) -> None:
    run_id = send("takes_long", queue)
    wait_until("it runs", lambda: value(scrape(worker.port), "rowlock_tasks_running", pool="measured") == 1)

    app.control.revoke(run_id, terminate=True)

    samples = wait_for_outcomes(worker, "takes_long", {"revoked": 1})
    assert_counted(samples, "takes_long", waits=1, runs=1)
    wait_until("none runs", lambda: value(scrape(worker.port), "rowlock_tasks_running", pool="measured") == 0)


def test_a_task_of_which_nobody_knows_is_counted_as_rejected(worker: Running, queue: str) -> None:
    app.send_task(f"no.such.task.{uuid4().hex}", queue=queue)

    wait_until(
        "it is counted",
        lambda: value(scrape(worker.port), OUTCOMES, task="(unknown)", queue=queue, outcome="rejected") == 1,
    )


def test_the_labels_are_the_task_its_queue_and_the_pool_and_never_a_host(worker: Running, queue: str) -> None:
    send("has_labels", queue)

    samples = wait_for_outcomes(worker, "has_labels", {"succeeded": 1})

    expected = {"task": f"{TASKS}.has_labels", "queue": queue, "pool": "measured"}
    for name in (f"{WAIT}_count", f"{RUN}_count", OUTCOMES):
        for sample in matching(samples, name, task=f"{TASKS}.has_labels"):
            assert {key: of for key, of in sample.labels.items() if key != "outcome"} == expected, name


def test_the_last_run_is_the_exemplar_of_its_buckets_and_its_outcome(worker: Running, queue: str) -> None:
    run_id = send("is_an_exemplar", queue)

    samples = wait_for_outcomes(worker, "is_an_exemplar", {"succeeded": 1})

    for name in (f"{WAIT}_bucket", f"{RUN}_bucket", OUTCOMES):
        of_task = matching(samples, name, task=f"{TASKS}.is_an_exemplar")
        found = [sample.exemplar.labels for sample in of_task if sample.exemplar]
        assert found == [{"run_id": run_id}], f"exemplars of {name}"


@pytest.mark.parametrize("pool", ["solo", "threads", "gevent"])
def test_other_pools_count_the_same(tmp_path: Path, pool: str) -> None:
    queue = f"{pool}-{uuid4().hex}"
    with measured_worker(tmp_path / "log", queue, "--pool", pool, "--concurrency", "2") as worker:
        for task in ("succeeds", "succeeds", "fails", "succeeds_at_second_attempt", "is_put_back_once"):
            send(task, queue)

        wait_for_outcomes(worker, "succeeds", {"succeeded": 2})
        wait_for_outcomes(worker, "fails", {"failed": 1})
        wait_for_outcomes(worker, "is_put_back_once", {"requeued": 1, "succeeded": 1})
        samples = wait_for_outcomes(worker, "succeeds_at_second_attempt", {"retried": 1, "succeeded": 1})

    assert_counted(samples, "succeeds", waits=2, runs=2)
    assert value(samples, "rowlock_worker_slots", pool="measured") == (1 if pool == "solo" else 2)


def test_what_a_worker_holds_and_may_execute_is_told(worker: Running, queue: str) -> None:
    ids = [send("takes_long_too", queue) for _ in range(4)]
    idle = {"tasks_running": 0, "tasks_prefetched": 0, "worker_slots": 2, "worker_consuming": 1}

    wait_until("two run and two wait", lambda: told(worker) == {**idle, "tasks_running": 2, "tasks_prefetched": 2})

    app.control.revoke(ids, terminate=True)
    wait_until("the worker is idle", lambda: told(worker) == idle)
    samples = wait_for_outcomes(worker, "takes_long_too", {"revoked": 4})
    assert_counted(samples, "takes_long_too", waits=2, runs=2)


def told(worker: Running) -> dict[str, float]:
    samples = scrape(worker.port)
    names = ("tasks_running", "tasks_prefetched", "worker_slots", "worker_consuming")
    return {name: value(samples, f"rowlock_{name}", pool="measured") for name in names}


def test_a_task_that_has_expired_is_counted_without_a_start(worker: Running, queue: str) -> None:
    send("expires", queue, expires=datetime.now(UTC) - timedelta(hours=1))

    samples = wait_for_outcomes(worker, "expires", {"expired": 1})

    assert_counted(samples, "expires", waits=0, runs=0)


def test_a_second_message_of_a_finished_run_is_not_counted(worker: Running, queue: str) -> None:
    run = becomes(submitted("basic.add", 1, 2, queue=queue), State.SUCCEEDED)
    before = scrape(worker.port)

    app.send_task(run.task, (1, 2), task_id=str(run.id), queue=queue, headers={"rowlock": {"attempt": 2, "owner": ""}})
    wait_until("the delivery is counted", lambda: Run.objects.filter(id=run.id, deliveries=2).exists())
    send("comes_after", queue)

    after = wait_for_outcomes(worker, "comes_after", {"succeeded": 1})
    for name in (OUTCOMES, f"{WAIT}_count", f"{RUN}_count"):
        assert value(after, name, task=run.task) == value(before, name, task=run.task), name


def test_waiting_counts_from_when_a_message_was_due_and_is_never_negative(
    worker: Running, queue: str, settings: Settings
) -> None:
    # Without it this process does not stamp what it publishes, so that a test may.
    settings.ROWLOCK = {**settings.ROWLOCK, "METRICS": False}

    send("was_sent_long_ago", queue, headers={"rowlock_due": time.time() - 1000})
    send("was_sent_in_the_future", queue, headers={"rowlock_due": time.time() + 1000})
    send("has_no_stamp", queue)

    for task, waits in (("was_sent_long_ago", 1), ("was_sent_in_the_future", 1), ("has_no_stamp", 0)):
        samples = wait_for_outcomes(worker, task, {"succeeded": 1})
        assert_counted(samples, task, waits=waits, runs=1)
    assert value(samples, f"{WAIT}_sum", task=f"{TASKS}.was_sent_long_ago") >= 1000
    assert value(samples, f"{WAIT}_sum", task=f"{TASKS}.was_sent_in_the_future") == 0


def test_what_was_submitted_and_relayed_has_waited(worker: Running, queue: str) -> None:
    before = scrape(worker.port)

    run = becomes(submitted("basic.debug_task", queue=queue), State.SUCCEEDED)

    after = scrape(worker.port)
    counted = [value(samples, f"{WAIT}_count", task=run.task, queue=queue) for samples in (before, after)]
    assert counted[1] - counted[0] == 1


def test_a_run_that_is_cancelled_before_it_starts_is_counted_as_revoked(tmp_path: Path) -> None:
    queue = f"cancelled-{uuid4().hex}"
    run = submitted("basic.add", 1, 2, queue=queue)
    runs.cancel(run)

    with measured_worker(tmp_path / "log", queue, "--pool", "solo") as worker:
        send("succeeds", queue)
        samples = wait_for_outcomes(worker, "succeeds", {"succeeded": 1})

    counted = {sample.labels["outcome"]: sample.value for sample in matching(samples, OUTCOMES, task=run.task)}
    assert {name for name, count in counted.items() if count} == {"revoked"}
    assert not value(samples, f"{RUN}_count", task=run.task)
