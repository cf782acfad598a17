from pathlib import Path
from uuid import uuid4

import pytest

from example.celery import app
from tests.processes import running_worker

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_cache_that_keeps_something_open_is_closed_after_each_task(tmp_path: Path) -> None:
    queue = f"closing-{uuid4().hex}"
    options = ("--queues", queue, "--concurrency", "1")
    with running_worker(tmp_path / "log", *options, app="tests.worker.closing:app"):
        closed = [app.send_task("tests.use_the_cache", queue=queue).get(timeout=120) for _ in range(3)]

    assert closed == [closed[0], closed[0] + 1, closed[0] + 2], f"closed {closed} times before each of three tasks"
