"""A task for every worker of a pool."""

from pathlib import Path
from uuid import uuid4

import pytest

from rowlock.models import Run
from tests.broker.topic import read_notes
from tests.broker.workers import noting_worker, publisher
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_worker_of_the_pool_executes_it_once(tmp_path: Path) -> None:
    pool, queue, notes = uuid4().hex, f"fanned-{uuid4().hex}", tmp_path / "notes"
    arguments = ("--queues", queue, "--concurrency", "2")
    app = publisher()
    with (
        noting_worker(tmp_path, *arguments, ROWLOCK_POOL=pool) as first,
        noting_worker(tmp_path, *arguments, ROWLOCK_POOL=pool) as second,
    ):
        app.tasks["note"].fan_out(["drop the cache"], pool=pool)
        app.tasks["note"].fan_out(["nobody's"], pool="another")
        wait_until("both workers have executed it", lambda: len(read_notes(notes)) == 2)
        # What comes after it in both queues shows that there was no more.
        app.tasks["note"].fan_out(["last"], pool=pool)
        wait_until("both workers have executed the last", lambda: len(read_notes(notes)) == 4)

    executed = {(note["what"], note["worker"]) for note in read_notes(notes)}
    workers = (first.process.pid, second.process.pid)
    assert executed == {(what, worker) for what in ("drop the cache", "last") for worker in workers}
    assert {note["queue"] for note in read_notes(notes)} == {f"rowlock.fanout.{pool}"}
    assert not Run.objects.exists(), "a fan-out is in the history"


def test_a_retry_of_it_comes_to_the_worker_that_asked_for_it(tmp_path: Path) -> None:
    pool, queue, notes = uuid4().hex, f"fanned-{uuid4().hex}", tmp_path / "notes"
    arguments = ("--queues", queue, "--concurrency", "1")
    app = publisher()
    with (
        noting_worker(tmp_path, *arguments, ROWLOCK_POOL=pool) as first,
        noting_worker(tmp_path, *arguments, ROWLOCK_POOL=pool) as second,
    ):
        app.tasks["note_twice"].fan_out(["reload", 0], pool=pool)

        wait_until("both have executed it twice", lambda: len(read_notes(notes)) >= 4)

    executed = sorted(note["worker"] for note in read_notes(notes))
    assert executed == sorted([first.process.pid, second.process.pid] * 2)
