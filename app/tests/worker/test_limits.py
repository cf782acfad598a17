"""Which of several time limits holds."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from example.tasks.basic import add, wait
from rowlock.models import Run, State
from tests.processes import running_worker, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_limit_of_a_pool_holds_where_the_settings_have_another(tmp_path: Path) -> None:
    queue = f"limited-{uuid4().hex}"
    arguments = ("--queues", queue, "--concurrency", "1", "--time-limit", "2")

    with running_worker(tmp_path / "log", *arguments, TASK_TIME_LIMIT="300"):
        result = wait.apply_async((60,), queue=queue)

        assert _error_of(result.id) == "TimeLimitExceeded"


def test_a_limit_of_the_call_below_the_soft_limit_of_the_pool_holds(tmp_path: Path) -> None:
    queue = f"limited-{uuid4().hex}"
    arguments = ("--queues", queue, "--concurrency", "1", "--time-limit", "300", "--soft-time-limit", "270")

    with running_worker(tmp_path / "log", *arguments):
        result = wait.apply_async((60,), queue=queue, time_limit=2)

        assert _error_of(result.id) == "TimeLimitExceeded"


@pytest.mark.parametrize("delay", ["countdown", "eta"])
def test_a_delay_of_less_than_a_second_is_taken(delay: str, tmp_path: Path) -> None:
    queue = f"soon-{uuid4().hex}"
    value = {"countdown": 0.3, "eta": datetime.now(UTC) + timedelta(seconds=0.8)}[delay]

    with running_worker(tmp_path / "log", "--queues", queue, "--concurrency", "1"):
        result = add.apply_async((2, 3), queue=queue, **{delay: value})

        assert result.get(timeout=120) == 5


def _error_of(id: str) -> str:
    wait_until("the run has failed", lambda: Run.objects.filter(id=id, state=State.FAILED).exists())
    return Run.objects.get(id=id).error_type
