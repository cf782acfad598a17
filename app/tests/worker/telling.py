"""Tasks that tell of themselves by Celery's results: for workers with `--include tests.worker.telling`."""

import time
from pathlib import Path

from celery import Task, shared_task

LARGE = 300_000


def _wait_for(file: str) -> None:
    while not Path(file).exists():
        time.sleep(0.05)


@shared_task(name="tests.tell_and_hold", bind=True)
def tell_and_hold(self: Task, file: str) -> None:
    self.update_state(state="HALFWAY", meta={"half": 1})
    _wait_for(file)


@shared_task(name="tests.hold_in_the_second_attempt", bind=True)
def hold_in_the_second_attempt(self: Task, file: str) -> None:
    if self.request.retries == 0:
        raise self.retry(countdown=1)
    _wait_for(file)


@shared_task(name="tests.echo")
def echo(text: str) -> str:
    return text
