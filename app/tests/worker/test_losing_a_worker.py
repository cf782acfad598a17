from pathlib import Path
from uuid import uuid4

import pytest

from example.tasks.basic import wait
from tests.processes import running_worker, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_task_of_a_killed_worker_runs_on_the_next_one(tmp_path: Path) -> None:
    queue = f"fragile-{uuid4().hex}"
    arguments = ("--queues", queue, "--concurrency", "1")
    with running_worker(tmp_path / "first", *arguments) as first:
        result = wait.apply_async((3,), queue=queue)
        wait_until("the task runs", lambda: result.status in {"STARTED", "PROGRESS"})
        first.kill()

    with running_worker(tmp_path / "second", *arguments):
        assert result.get(timeout=90) is not None


def test_a_stopped_worker_finishes_its_task_first(tmp_path: Path) -> None:
    queue = f"drained-{uuid4().hex}"
    with running_worker(tmp_path / "log", "--queues", queue, "--concurrency", "1") as worker:
        result = wait.apply_async((4,), queue=queue)
        wait_until("the task runs", lambda: result.status in {"STARTED", "PROGRESS"})

        worker.process.terminate()
        status = worker.process.wait(timeout=60)

    assert status == 0, f"the worker ended with {status}:\n{worker.log.read_text()}"
    assert result.status == "SUCCESS"
