"""Paused queues: nothing is taken from them until they are resumed, whatever restarts, and nothing is lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from pytest_django import Settings

from example.celery import app
from rowlock import runs
from rowlock.celery.fan_out import publish as fan_out
from rowlock.models import AuditEntry, Run, State, Worker
from rowlock.outbox.relay import relay_once
from rowlock.queues.depths import depths
from rowlock.queues.pausing import pause, resume
from tests.processes import Running, running_worker, wait_until
from tests.worker import holding  # noqa: F401 - has this process know the tasks
from tests.worker.submitting import becomes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def queue(settings: Settings) -> str:
    """A queue of this test's own, which the project knows."""
    name = f"pausing-{uuid4().hex}"
    settings.ROWLOCK = {**settings.ROWLOCK, "QUEUES": [name]}
    return name


@contextmanager
def worker(log: Path, *queues: str, pool: str = "prefork", concurrency: int = 1) -> Iterator[Running]:
    arguments = ("--pool", pool, "--concurrency", str(concurrency), "--include", "tests.worker.holding")
    with running_worker(log, *arguments, "--queues", ",".join(queues)) as process:
        yield process


def submitted(task: str, *args: object, queue: str) -> Run:
    run = runs.submit(task, args, queue=queue)
    relay_once()
    return run


def pauses(queue: str) -> None:
    pause(queue, actor="ops", via="cli")


def resumes(queue: str) -> None:
    resume(queue, actor="ops", via="cli")


def lies_ready(queue: str, number: int = 1) -> None:
    """Wait until so many messages of `queue` are ready and no worker has any."""

    def look() -> bool:
        with app.connection_for_read() as connection:
            told = connection.default_channel.queue_declare(queue, passive=True)
        return bool(told.message_count == number)

    wait_until(f"{number} messages ready in {queue}", look)


def is_left(queue: str, log: Path) -> None:
    wait_until(f"the worker leaves {queue}", lambda: f"paused: {queue}" in log.read_text())


@pytest.mark.parametrize("pool", ["prefork", "threads", "gevent", "solo"])
def test_a_paused_queue_is_left_alone_until_it_is_resumed(queue: str, pool: str, tmp_path: Path) -> None:
    with worker(tmp_path / "log", queue, pool=pool):
        becomes(submitted("example.tasks.basic.add", 1, 1, queue=queue), State.SUCCEEDED)
        pauses(queue)
        is_left(queue, tmp_path / "log")

        waiting = submitted("example.tasks.basic.add", 2, 3, queue=queue)

        lies_ready(queue)
        waiting.refresh_from_db()
        assert waiting.state == State.PUBLISHED
        resumes(queue)
        assert becomes(waiting, State.SUCCEEDED).result_value == 5


def test_what_runs_goes_on_and_what_waits_in_the_worker_goes_back(queue: str, tmp_path: Path) -> None:
    with worker(tmp_path / "log", queue):
        running = submitted("tests.hold", str(tmp_path / "file"), queue=queue)
        becomes(running, State.STARTED)
        waiting = submitted("example.tasks.basic.add", 2, 3, queue=queue)
        pauses(queue)
        is_left(queue, tmp_path / "log")

        (tmp_path / "file").touch()

        becomes(running, State.SUCCEEDED)
        lies_ready(queue)
        waiting.refresh_from_db()
        assert waiting.state == State.PUBLISHED
        resumes(queue)
        assert becomes(waiting, State.SUCCEEDED).deliveries == 1


def test_other_queues_of_a_worker_go_on(queue: str, tmp_path: Path, settings: Settings) -> None:
    other = f"{queue}-other"
    settings.ROWLOCK = {**settings.ROWLOCK, "QUEUES": [queue, other]}
    with worker(tmp_path / "log", queue, other):
        pauses(queue)
        is_left(queue, tmp_path / "log")

        run = submitted("example.tasks.basic.add", 2, 3, queue=other)

        becomes(run, State.SUCCEEDED)


def test_a_worker_that_starts_leaves_a_paused_queue_alone_and_is_ready(queue: str, tmp_path: Path) -> None:
    pauses(queue)
    waiting = submitted("example.tasks.basic.add", 2, 3, queue=queue)

    with worker(tmp_path / "log", queue) as process:
        wait_until("the worker is told of", lambda: Worker.objects.filter(queues__contains=queue).exists())

        assert process.probe("/readyz") == 200
        assert process.probe("/livez") == 200
        lies_ready(queue)
        waiting.refresh_from_db()
        assert waiting.state == State.PUBLISHED
        resumes(queue)
        becomes(waiting, State.SUCCEEDED)


def test_a_fan_out_reaches_a_worker_whose_queues_are_paused(queue: str, tmp_path: Path) -> None:
    pauses(queue)
    with worker(tmp_path / "log", queue):
        fan_out(app.tasks["tests.hold_acked_early"], (str(tmp_path),))

        wait_until(
            "the task of the fan-out has run", lambda: "tests.hold_acked_early" in (tmp_path / "log").read_text()
        )


def test_who_paused_and_resumed_is_on_record(queue: str) -> None:
    pause(queue, actor="anna", via="console", reason="the printer burns")

    resume(queue, actor="ben", via="api")

    told = [(entry.actor, entry.action, entry.target, entry.via) for entry in AuditEntry.objects.order_by("id")]
    assert told == [("anna", "pause", queue, "console"), ("ben", "resume", queue, "api")]


def test_the_worker_of_a_queue_counts_as_its_consumer_while_it_is_not_paused(queue: str, tmp_path: Path) -> None:
    def consumers() -> int | None:
        return (depths([queue]) or {})[queue].consumers

    with worker(tmp_path / "log", queue):
        wait_until("one consumer", lambda: consumers() == 1)

        pauses(queue)

        wait_until("no consumer", lambda: consumers() == 0)
