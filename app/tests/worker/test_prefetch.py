"""Workers take messages of short tasks ahead, and give back what turns out to take long."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from example.celery import app
from rowlock.celery.prefetch import PATIENCE, PENANCE, STEPS, Ahead
from rowlock.models import Run, State
from tests.processes import running_worker, wait_until
from tests.worker.telling import echo, tell_and_hold

SHORT = 1500


def after(ahead: Ahead, *paces: float, has_stuck: bool = False) -> int:
    for pace in paces:
        ahead.look(pace, has_stuck=has_stuck)
    return ahead.now


def test_tasks_of_a_second_are_not_taken_ahead() -> None:
    assert after(Ahead(0.2), 4, 4, 4) == 0


def test_short_tasks_are_taken_ahead_for_so_many_seconds_as_is_set() -> None:
    for pace, most in ((200, 40), (1000, 200), (1_000_000, STEPS[-1])):
        taken = after(Ahead(0.2), pace)

        assert most / 2 < taken <= most, f"at {pace} tasks a second"


def test_a_short_lull_changes_nothing_and_a_long_one_does() -> None:
    ahead = Ahead(0.2)
    busy = after(ahead, 1000)

    assert after(ahead, *[0] * (PATIENCE // 2), 1000) == busy, "after half as many looks as it has patience for"

    assert after(ahead, *[0] * (PATIENCE + 1)) == 0, "after more than it has patience for"


def test_what_was_stuck_is_not_taken_ahead_again_for_a_while() -> None:
    ahead = Ahead(0.2)
    after(ahead, 1000)

    assert after(ahead, 1000, has_stuck=True) == 0

    assert after(ahead, *[1000] * (PENANCE - 1)) == 0, "within the penance"
    assert after(ahead, 1000) > 0, "after it"


@pytest.fixture
def queue() -> Iterator[str]:
    """A queue of the test's own, emptied at the end: nobody could execute what is left in it."""
    name = f"ahead-{uuid4().hex}"
    yield name
    with app.connection_for_write() as connection:
        connection.default_channel.queue_delete(name)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("real_services")
def test_long_tasks_that_were_taken_ahead_go_to_another_worker(tmp_path: Path, queue: str) -> None:
    options = ("--queues", queue, "--concurrency", "1", "--include", "tests.worker.telling")
    with running_worker(tmp_path / "first", *options):
        for _ in range(SHORT):
            echo.apply_async(("short",), queue=queue)
        long = [tell_and_hold.apply_async((str(tmp_path / "go"),), queue=queue) for _ in range(5)]
        wait_until("all short tasks have ended", lambda: Run.objects.filter(state=State.SUCCEEDED).count() == SHORT)

        wait_until(
            "what the worker does not execute waits in the broker", lambda: ready(queue) == len(long) - 1, seconds=40
        )

        with running_worker(tmp_path / "second", *options):
            wait_until("each worker has one", lambda: ready(queue) == len(long) - 2, seconds=40)
            (tmp_path / "go").touch()
            for result in long:
                result.get(timeout=60)


def ready(queue: str) -> int:
    with app.connection_for_read() as connection:
        return int(connection.default_channel.queue_declare(queue, passive=True).message_count)
