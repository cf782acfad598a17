"""A project whose tasks are routed by patterns of routing keys."""

from collections import Counter
from pathlib import Path
from uuid import uuid4

import pytest

from rowlock.models import Run
from tests.broker.topic import read_notes
from tests.broker.workers import noting_worker, publisher
from tests.processes import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("real_services")]


@pytest.mark.parametrize("countdown", [0, 1], ids=["at once", "later"])
def test_what_a_pattern_routes_comes_into_each_queue_and_its_retry_into_that_queue_alone(
    countdown: int, tmp_path: Path
) -> None:
    suffix, notes = uuid4().hex, tmp_path / "notes"
    app = publisher(suffix)
    queues = f"images-{suffix},resizing-{suffix}"
    with noting_worker(tmp_path, "--queues", queues, "--concurrency", "2", ROWLOCK_TEST_SUFFIX=suffix):
        route = {"exchange": f"media-{suffix}", "exchange_type": "topic"}
        app.send_task("note_twice", ["thumbnail", countdown], routing_key="image.resize", **route)
        app.send_task("note_twice", ["film", countdown], routing_key="video.resize", **route)

        wait_until("all have run twice", lambda: len(read_notes(notes)) == 6)
        app.send_task("note", ["last"], routing_key="image.resize", **route)
        wait_until("the last has run in both queues", lambda: len(read_notes(notes)) >= 8)

    ran = Counter((note["what"], note["queue"]) for note in read_notes(notes))
    assert ran == {
        ("thumbnail", f"images-{suffix}"): 2,
        ("thumbnail", f"resizing-{suffix}"): 2,
        ("film", f"resizing-{suffix}"): 2,
        ("last", f"images-{suffix}"): 1,
        ("last", f"resizing-{suffix}"): 1,
    }
    assert {run.queue for run in Run.objects.all()} <= {f"images-{suffix}", f"resizing-{suffix}"}


def test_a_countdown_is_kept_with_a_pattern(tmp_path: Path) -> None:
    suffix, notes = uuid4().hex, tmp_path / "notes"
    app, routed = publisher(suffix), publisher(suffix)
    with noting_worker(tmp_path, "--queues", f"images-{suffix}", "--concurrency", "1", ROWLOCK_TEST_SUFFIX=suffix):
        route = {"exchange": f"media-{suffix}", "exchange_type": "topic", "routing_key": "image.resize"}
        routed.conf.task_routes = {"note": route}
        app.tasks["note"].apply_async(["by key"], countdown=2, **route)
        routed.tasks["note"].apply_async(["by route"], countdown=2)
        app.send_task("note", ["by queue"], countdown=2, queue=f"images-{suffix}")

        wait_until("all have run", lambda: len(read_notes(notes)) >= 3)

    assert {note["what"] for note in read_notes(notes)} == {"by key", "by route", "by queue"}
