from pathlib import Path
from uuid import uuid4

import pytest

from example.models import Counter
from example.tasks.basic import count, wait
from rowlock import runs
from rowlock.models import Run, State
from tests.processes import running_worker, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_task_of_a_killed_worker_runs_on_the_next_one(tmp_path: Path) -> None:
    queue = f"fragile-{uuid4().hex}"
    arguments = ("--queues", queue, "--concurrency", "1")
    with running_worker(tmp_path / "first", *arguments) as first:
        result = wait.apply_async((3,), queue=queue)
        wait_until("the task runs", lambda: result.status == "STARTED")
        first.kill()

    with running_worker(tmp_path / "second", *arguments):
        assert result.get(timeout=90) is not None


def test_a_stopped_worker_finishes_its_task_first(tmp_path: Path) -> None:
    queue = f"drained-{uuid4().hex}"
    with running_worker(tmp_path / "log", "--queues", queue, "--concurrency", "1") as worker:
        result = wait.apply_async((4,), queue=queue)
        wait_until("the task runs", lambda: result.status == "STARTED")

        worker.process.terminate()
        status = worker.process.wait(timeout=120)

    assert status == 0, f"the worker ended with {status}:\n{worker.log.read_text()}"
    assert result.status == "SUCCESS"


def test_a_counting_task_whose_worker_dies_before_its_commit_counts_once(tmp_path: Path) -> None:
    queue = f"counting-{uuid4().hex}"
    arguments = ("--queues", queue, "--concurrency", "1")
    run = runs.submit(count, ["key"], {"seconds": 3}, queue=queue)
    with running_worker(tmp_path / "first", *arguments) as first:
        wait_until("it has counted", lambda: "counted key" in first.log.read_text())
        first.kill()
    assert not Counter.objects.exists(), "the count was committed before the task ended"

    with running_worker(tmp_path / "second", *arguments):
        wait_until("the run has ended", lambda: Run.objects.filter(id=run.id, state=State.SUCCEEDED).exists())

    assert Counter.objects.get(key="key").count == 1
