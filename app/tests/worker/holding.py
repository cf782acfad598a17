"""Tasks that end when a test says so: for workers with `--include tests.worker.holding`."""

import time
from contextlib import suppress
from pathlib import Path

from celery import Task, shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.db.models import F

from example.models import Counter


def _hold(file: str) -> None:
    while not Path(file).exists():
        time.sleep(0.05)


@shared_task(name="tests.hold")
def hold(file: str, key: str = "held") -> None:
    """Ends when there is `file`, and counts `key` then. Not atomic, or SQLite would be locked all the while."""
    _hold(file)
    Counter.objects.get_or_create(key=key)
    Counter.objects.filter(key=key).update(count=F("count") + 1)


@shared_task(name="tests.hold_acked_early", acks_late=False)
def hold_acked_early(file: str) -> None:
    _hold(file)


@shared_task(name="tests.hold_until_killed", time_limit=4, soft_time_limit=3)
def hold_until_killed(file: str) -> None:
    with suppress(SoftTimeLimitExceeded):
        _hold(file)
    _hold(file)


@shared_task(name="tests.hold_until_interrupted", soft_time_limit=4)
def hold_until_interrupted(file: str) -> None:
    _hold(file)


@shared_task(name="tests.retry_once", bind=True)
def retry_once(self: Task) -> None:
    if not self.request.retries:
        raise self.retry(countdown=0)


@shared_task(name="tests.break")
def break_down() -> None:
    raise ValueError("broken on purpose")
