"""Tasks that log: for workers with `--include tests.worker.talking`."""

import logging
import os
import signal
import time
from pathlib import Path

from celery import Task, shared_task
from celery.utils.log import get_task_logger

logger = logging.getLogger("talking")
task_logger = get_task_logger("talking")


@shared_task(name="tests.talk")
def talk(lines: int = 1, text: str = "line") -> None:
    for number in range(lines):
        logger.info("%s %d", text, number)


@shared_task(name="tests.talk_through_celery")
def talk_through_celery() -> None:
    task_logger.info("by the task's logger")
    print("printed")
    logger.debug("too quiet")


@shared_task(name="tests.talk_and_hold")
def talk_and_hold(file: str) -> None:
    logger.warning("waiting for a file")
    while not Path(file).exists():
        time.sleep(0.05)
    logger.warning("there it is")


@shared_task(name="tests.talk_and_fail")
def talk_and_fail() -> None:
    try:
        int("seven")
    except ValueError:
        logger.exception("about to fail")
        raise


@shared_task(name="tests.talk_and_retry", bind=True)
def talk_and_retry(self: Task) -> None:
    logger.info("try %d", self.request.retries)
    if not self.request.retries:
        raise self.retry(countdown=0)


@shared_task(name="tests.talk_and_die", bind=True, acks_late=False)
def talk_and_die(self: Task) -> None:
    logger.info("last words")
    time.sleep(2)
    os.kill(os.getpid(), signal.SIGKILL)


@shared_task(name="tests.talk_secretly")
def talk_secretly(password: str) -> None:
    logger.info("got %s", password)
