"""What a worker tells of itself, and that it takes it back."""

from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import Settings

from rowlock import runs
from rowlock.models import State, Worker
from rowlock.outbox.relay import relay_once
from rowlock.workers import presence
from rowlock.workers.presence import list_workers
from tests.processes import running_worker, wait_until
from tests.runs.factory import ago
from tests.worker import holding  # noqa: F401 - has this process know the tasks
from tests.worker.submitting import becomes

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_worker_tells_what_it_is_and_does_and_leaves_when_it_ends(tmp_path: Path, settings: Settings) -> None:
    queue = f"presence-{uuid4().hex}"
    settings.ROWLOCK = {**settings.ROWLOCK, "QUEUES": [queue]}
    arguments = ("--queues", queue, "--concurrency", "3", "--include", "tests.worker.holding")
    with running_worker(tmp_path / "log", *arguments, ROWLOCK_POOL="heavy"):
        run = runs.submit("tests.hold", [str(tmp_path / "file")], queue=queue)
        relay_once()
        becomes(run, State.STARTED)

        [present] = wait_until("the worker is known", list_workers)

        worker = present.worker
        assert (worker.pool, worker.concurrency, worker.slots, worker.queue_names) == ("heavy", "prefork", 3, [queue])
        assert not present.is_gone
        assert [found.id for found in present.runs] == [run.id]
        (tmp_path / "file").touch()
        becomes(run, State.SUCCEEDED)

    assert not Worker.objects.exists()


def test_a_worker_that_says_nothing_is_gone_and_a_day_later_forgotten() -> None:
    Worker.objects.create(name="here", seen=timezone.now())
    Worker.objects.create(name="gone", seen=ago(minutes=2))
    Worker.objects.create(name="forgotten", seen=ago(hours=25))

    presence.prune()

    assert {present.worker.name: present.is_gone for present in list_workers()} == {"here": False, "gone": True}


def test_a_worker_takes_over_the_row_that_one_of_its_name_has_left() -> None:
    Worker.objects.create(name="celery@host", pool="old", started=ago(hours=1), seen=ago(minutes=5))

    presence.tell(Worker(name="celery@host", pool="new", started=timezone.now()))

    [present] = list_workers()
    assert (present.worker.pool, present.is_gone) == ("new", False)


def test_a_worker_does_not_delete_the_row_of_the_next_one_of_its_name() -> None:
    ended = Worker(name="celery@host", started=ago(hours=1))
    presence.tell(Worker(name="celery@host", started=timezone.now()))

    presence.leave(ended)

    assert Worker.objects.exists()
