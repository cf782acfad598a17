"""The example's Celery app in a worker whose main loop or consumer breaks when a file is made (ROWLOCK_TEST_BREAK).

What the file says is what breaks: `wedge` blocks the main loop for ever, `cancel` ends the consumer behind the back of
kombu, `forget` ends it at the broker alone. A file beside, with `.done` to its name, tells that it is done.
"""

import os
import threading
import time
from pathlib import Path
from typing import Any

from celery import bootsteps
from celery.worker.consumer.tasks import Tasks

from example.celery import app

__all__ = ["app"]

ORDER = Path(os.environ["ROWLOCK_TEST_BREAK"])


class Breaking(bootsteps.StartStopStep):
    requires = (Tasks,)

    def start(self, consumer: Any) -> None:
        self._ended = threading.Event()
        threading.Thread(target=self._obey, args=(consumer, self._ended), daemon=True).start()

    def stop(self, consumer: Any) -> None:
        self._ended.set()

    shutdown = stop

    def _obey(self, consumer: Any, ended: threading.Event) -> None:
        while not ended.wait(0.1):
            if ORDER.exists():
                order = ORDER.read_text()
                consumer.call_soon(_break, consumer, order)
                ORDER.unlink()
                return


def _break(consumer: Any, order: str) -> None:
    if order == "wedge":
        time.sleep(3600)
    channel = consumer.task_consumer.channel
    for tag in consumer.task_consumer._active_tags.values():
        callback = channel.callbacks[tag]
        channel.basic_cancel(tag)
        if order == "forget":
            channel.callbacks[tag] = callback
    ORDER.with_suffix(".done").touch()


app.steps["consumer"].add(Breaking)
