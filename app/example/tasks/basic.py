import math
import time
from typing import Any

from celery import Task, shared_task

from example.models import Tick
from example.tasks.errors import BadInput
from example.tasks.progress import report_progress
from example.tasks.storage import id_for

LONGEST_WAIT = 240


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


@shared_task(bind=True, throws=(BadInput,))
def wait(self: Task, seconds: float) -> float:
    """Does nothing for a while, to see progress and what happens to a running task."""
    if not 0 <= _number("seconds", seconds) <= LONGEST_WAIT:
        raise BadInput(f"seconds must be from 0 to {LONGEST_WAIT}, not {seconds}.")
    total = math.ceil(seconds)
    end = time.monotonic() + seconds
    for done in range(total):
        report_progress(self, done, total, f"{total - done} s left")
        time.sleep(max(0.0, min(1.0, end - time.monotonic())))
    return seconds


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadInput(f"{name} must be a number, not {value!r}.")
    return value
