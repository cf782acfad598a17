"""The bootstep by which a worker tells that it lives, and what it is busy with."""

import json
import os
import socket
import threading
import time
from importlib import metadata
from typing import Any

from celery import bootsteps
from celery.utils.log import get_logger
from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone

from rowlock.celery.steps import History
from rowlock.conf import pool_name

logger = get_logger(__name__)

#: Seconds that a worker which ends gives to saying so; a minute later it would be taken for gone anyway.
FAREWELL = 2.0


class Presence(bootsteps.StartStopStep):
    """Keeps the row of this worker up to date, and deletes it at the end."""

    requires = (History, "rowlock.celery.slots:WorkerSlots", "rowlock.celery.drain:Drain")

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        self._worker = worker
        self._started = timezone.now()
        self._told = -float("inf")
        self._lock = threading.Lock()
        self._has_left = False
        worker.rowlock_presence = self
        worker.app.rowlock_history.also(self._tell)

    def start(self, worker: Any) -> None:
        if worker.hub is not None:
            # The hub closes after the pool has ended.
            worker.hub.on_close.add(self.leave)

    def stop(self, worker: Any) -> None:
        if worker.hub is None:
            self.leave()

    def leave(self, *_: Any) -> None:
        """Say that this worker has ended, unless the database takes too long to hear it."""
        farewell = threading.Thread(target=self._leave, name="rowlock farewell", daemon=True)
        farewell.start()
        farewell.join(FAREWELL)

    def _tell(self) -> None:
        from rowlock.workers.presence import INTERVAL, tell

        with self._lock:
            if not self._has_left and time.monotonic() - self._told >= INTERVAL:
                tell(self._row())
                self._told = time.monotonic()

    def _leave(self) -> None:
        from rowlock.workers.presence import leave

        self._has_left = True
        try:
            with self._lock:
                leave(self._row())
        except DatabaseError as error:
            logger.warning("this worker will be shown for a minute more, its end cannot be written: %s", error)
        finally:
            connection.close()

    def _row(self) -> Any:
        from rowlock.models import Worker

        slots = self._worker.rowlock_slots
        return Worker(
            name=self._worker.hostname,
            pool=pool_name(),
            concurrency=_kind_of(self._worker.pool),
            queues=json.dumps(sorted(self._worker.app.amqp.queues.consume_from)),
            slots=slots.limit,
            running=slots.running,
            prefetched=slots.prefetched,
            pod=os.environ.get("ROWLOCK_POD_NAME", "") or socket.gethostname(),
            pid=os.getpid(),
            version=_version(),
            started=self._started,
            draining=self._worker.rowlock_draining.has_begun,
        )


def _kind_of(pool: Any) -> str:
    kind = type(pool).__module__.rpartition(".")[2]
    return "threads" if kind == "thread" else kind


def _version() -> str:
    try:
        return metadata.version("rowlock")
    except metadata.PackageNotFoundError:
        return ""
