"""What clients of Celery's result backend see of tasks, whose worker stores many results at once."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings

from example.celery import app
from rowlock.models import Run, State
from tests.processes import running_worker, wait_until
from tests.proxy import proxied
from tests.worker.telling import LARGE, echo, hold_in_the_second_attempt, tell_and_hold

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("real_services")]

SECONDS = 60


@pytest.fixture(scope="module")
def queue() -> str:
    return f"telling-{uuid4().hex}"


@pytest.fixture
def worker(tmp_path: Path, queue: str) -> Iterator[None]:
    with running_worker(tmp_path / "log", "--queues", queue, "--concurrency", "1", "--include", "tests.worker.telling"):
        yield


@pytest.mark.usefixtures("worker")
def test_what_a_task_says_of_itself_outlives_the_word_that_it_has_started(tmp_path: Path, queue: str) -> None:
    result = tell_and_hold.apply_async((str(tmp_path / "go"),), queue=queue)

    wait_until("its start is told", Run.objects.filter(id=result.id, state=State.STARTED).exists)

    assert (result.status, result.info) == ("HALFWAY", {"half": 1})
    (tmp_path / "go").touch()
    assert result.get(timeout=SECONDS) is None


@pytest.mark.usefixtures("worker")
def test_the_next_attempt_of_a_task_is_told_to_have_started(tmp_path: Path, queue: str) -> None:
    result = hold_in_the_second_attempt.apply_async((str(tmp_path / "go"),), queue=queue)

    wait_until("the first attempt has ended", lambda: result.status == "RETRY")
    wait_until("the second has started", lambda: result.status == "STARTED")

    (tmp_path / "go").touch()
    assert result.get(timeout=SECONDS) is None


@pytest.mark.usefixtures("worker")
def test_messages_and_results_of_all_sizes_come_through_whole(queue: str) -> None:
    sizes = (1, *range(1000, 4000, 250), 16_383, 16_384, 16_385, 65_537, LARGE, 2)
    texts = [str(size % 10) * size for size in sizes]

    results = [echo.apply_async((text,), queue=queue) for text in texts]

    for text, result in zip(texts, results, strict=True):
        assert result.get(timeout=SECONDS) == text, f"the result of {len(text)} characters"


@pytest.mark.usefixtures("worker")
def test_a_result_expires_when_celerys_own_would(queue: str) -> None:
    result = echo.apply_async(("kept for a day",), queue=queue)
    result.get(timeout=SECONDS)

    left = app.backend.client.ttl(app.backend.get_key_for_task(result.id))

    assert 0 < left <= app.backend.expires


def test_results_are_stored_when_redis_is_back(tmp_path: Path, queue: str) -> None:
    with (
        proxied(str(settings.ENV.REDIS_URL)) as (redis, url),
        running_worker(
            *(tmp_path / "log", "--queues", queue, "--concurrency", "1", "--include", "tests.worker.telling"),
            REDIS_URL=url,
        ),
    ):
        redis.cut()
        result = echo.apply_async(("kept",), queue=queue)
        wait_until("the task has ended", Run.objects.filter(id=result.id, state=State.SUCCEEDED).exists)
        assert not result.ready(), "Redis cannot have it"
        redis.mend()

        assert result.get(timeout=SECONDS) == "kept"
