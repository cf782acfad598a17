import math
import time
from typing import Any

from celery import Task, shared_task
from celery.utils.log import get_task_logger
from django.db.models import F

from example.models import Counter, Tick
from example.tasks.errors import BadInput
from example.tasks.storage import id_for
from rowlock import runs

logger = get_task_logger(__name__)

LONGEST_WAIT = 240
LONGEST_KEY = 200
MOST_FAILURES = 10


@shared_task(throws=(BadInput,))
def add(x: float, y: float) -> float:
    return _number("x", x) + _number("y", y)


@shared_task(bind=True)
def debug_task(self: Task) -> dict[str, Any]:
    """Tells where it ran."""
    request = self.request
    delivery = request.delivery_info or {}
    return {
        "task_id": request.id,
        "worker": request.hostname,
        "queue": delivery.get("routing_key"),
        "retries": request.retries,
    }


@shared_task(bind=True, ignore_result=True)
def tick(self: Task) -> None:
    """The scheduled task: one row for each time that it was due, however often it is delivered."""
    Tick.objects.get_or_create(id=id_for(self, "tick"))


@shared_task(throws=(BadInput,))
def wait(seconds: float) -> float:
    """Does nothing for a while, to see progress and what happens to a running task."""
    seconds = _duration(seconds)
    total = math.ceil(seconds)
    end = time.monotonic() + seconds
    for done in range(total):
        runs.progress(done, total, f"{total - done} s left")
        time.sleep(max(0.0, min(1.0, end - time.monotonic())))
    return seconds


@shared_task(atomic=True, throws=(BadInput,))
def count(key: str, seconds: float = 0) -> int:
    """Adds one to the counter `key`: once a run, even if its worker dies meanwhile and it is delivered again.

    It takes `seconds` between having counted and being done.
    """
    if not isinstance(key, str) or not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
        raise BadInput(f"key must be 1 to {LONGEST_KEY} printable characters, not {str(key)[:100]!r}.")
    seconds = _duration(seconds)
    counter, _ = Counter.objects.get_or_create(key=key)
    Counter.objects.filter(key=key).update(count=F("count") + 1)
    logger.info("counted %s, not committed yet", key)
    time.sleep(seconds)
    counter.refresh_from_db()
    return counter.count


class OutOfLuckError(Exception):
    """What `flaky` fails with."""


@shared_task(bind=True, throws=(BadInput,), max_retries=MOST_FAILURES)
def flaky(self: Task, failures: int = 2) -> str:
    """Fails `failures` times, a second apart, and then succeeds: to see a task being tried again."""
    if isinstance(failures, bool) or not isinstance(failures, int) or not 0 <= failures <= MOST_FAILURES:
        raise BadInput(f"failures must be a whole number from 0 to {MOST_FAILURES}, not {failures!r}.")
    attempt: int = self.request.retries + 1
    if attempt <= failures:
        raise self.retry(exc=OutOfLuckError(f"attempt {attempt} was bound to fail"), countdown=1)
    return f"attempt {attempt} succeeded"


def _duration(seconds: object) -> float:
    duration = _number("seconds", seconds)
    if not 0 <= duration <= LONGEST_WAIT:
        raise BadInput(f"seconds must be from 0 to {LONGEST_WAIT}, not {seconds}.")
    return duration


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadInput(f"{name} must be a number, not {value!r}.")
    return value
