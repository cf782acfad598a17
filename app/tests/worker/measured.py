"""The example's Celery app with a task for each way in which a task can end."""

import contextlib
import os
import signal
import time
from typing import Any

from celery import Task
from celery.exceptions import Ignore, Reject, SoftTimeLimitExceeded

from example.celery import app

__all__ = ["app"]


def nothing() -> None:
    """All that a task does that succeeds."""


# One for each test that wants to be alone with what is counted.
ALONE = (
    "succeeds",
    "is_an_exemplar",
    "expires",
    "was_sent_long_ago",
    "was_sent_in_the_future",
    "has_no_stamp",
    "has_labels",
    "comes_after",
)
for name in ALONE:
    app.task(nothing, name=f"{__name__}.{name}")


@app.task
def fails() -> None:
    raise ValueError("as intended")


@app.task(bind=True, default_retry_delay=1)
def succeeds_at_second_attempt(self: Task) -> None:
    if self.request.retries == 0:
        raise self.retry()


@app.task
def is_ignored() -> None:
    raise Ignore


@app.task
def is_rejected() -> None:
    raise Reject("as intended", requeue=False)


@app.task(bind=True)
def is_put_back_once(self: Task) -> None:
    if not _was_delivered_before(self):
        raise Reject("as intended", requeue=True)


@app.task(soft_time_limit=1)
def exceeds_soft_limit() -> None:
    time.sleep(60)


# With a soft limit, for a prefork pool on RabbitMQ looks at the hard one only after the soft one.
@app.task(soft_time_limit=1, time_limit=2)
def exceeds_hard_limit() -> None:
    with contextlib.suppress(SoftTimeLimitExceeded):
        time.sleep(60)
    time.sleep(60)


@app.task(bind=True)
def is_killed_once(self: Task) -> None:
    if not _was_delivered_before(self):
        os.kill(os.getpid(), signal.SIGKILL)


@app.task
def takes_long() -> None:
    time.sleep(60)


@app.task
def takes_long_too() -> None:
    time.sleep(60)


def _was_delivered_before(task: Task) -> Any:
    return (task.request.delivery_info or {})["redelivered"]
