"""Tasks that write down where they ran (in the file ROWLOCK_TEST_NOTES), and queues of a topic exchange."""

import json
import os
from pathlib import Path
from typing import Any

from celery import Celery, Task
from kombu import Exchange, Queue

from rowlock.celery.queues import queue_of


def topic_queues(suffix: str) -> list[Queue]:
    """`images` takes what begins with `image.`, `resizing` takes what ends with `.resize`."""
    media = Exchange(f"media-{suffix}", type="topic")
    quorum = {"x-queue-type": "quorum"}
    return [
        Queue(f"images-{suffix}", media, routing_key="image.#", queue_arguments=quorum),
        Queue(f"resizing-{suffix}", media, routing_key="*.resize", queue_arguments=quorum),
    ]


def add_tasks(app: Celery) -> None:
    """Also for the process that publishes."""
    app.task(note, bind=True, name="note")
    app.task(note_twice, bind=True, name="note_twice", max_retries=1)


def note(self: Task, what: str) -> None:
    """Write down that it ran."""
    _write(self, what)


def note_twice(self: Task, what: str, countdown: float) -> None:
    """The same, and once more by a retry."""
    _write(self, what)
    if not self.request.retries:
        raise self.retry(countdown=countdown)


def read_notes(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def _write(task: Task, what: str) -> None:
    line = {"what": what, "worker": os.getppid(), "queue": queue_of(task.request.delivery_info)}
    with Path(os.environ["ROWLOCK_TEST_NOTES"]).open("a") as notes:
        notes.write(json.dumps(line) + "\n")
