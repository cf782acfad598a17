"""Bootsteps: how a worker knows whether it is started, ready and alive."""

import threading
import time
from typing import Any

from celery import bootsteps
from celery.worker.consumer import Consumer
from celery.worker.consumer.tasks import Tasks

from rowlock.conf import health_address
from rowlock.health.report import Report
from rowlock.health.server import serve

#: Seconds after which a main loop that does not turn counts as dead. Loops wait in the broker's socket for a few
#: seconds at the most, whatever the tasks do; solo pools run tasks in the loop itself and are let be while one runs.
LOOP_CEILING = 60.0
#: Seconds for which a worker may say "reconnecting" and stay alive. A broker outage is not cured by a restart, but one
#: that lasts hours may be a worker's own (a stale address), and a restart is then cheap.
RECONNECT_CEILING = 4 * 3600.0


class WorkerHealth:
    """What the health thread may ask of the main loop without ever waiting for it.

    It begins to answer once the pool runs, so a worker counts as started while it still looks for its broker:
    starting it again would not bring the broker back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._consumer: Consumer | None = None
        self._disconnected = time.monotonic()
        #: When the main loop was asked to turn; None once it has.
        self._asked: float | None = None

    def consuming(self, consumer: Consumer) -> None:
        with self._lock:
            self._consumer = consumer
            self._asked = None

    def reconnecting(self) -> None:
        with self._lock:
            self._consumer = None
            self._disconnected = time.monotonic()

    def report(self) -> Report:
        self._ask_for_a_turn()
        now = time.monotonic()
        with self._lock:
            if self._consumer is None:
                lasted = now - self._disconnected
                alive, ready = lasted < RECONNECT_CEILING, False
                detail = f"connecting to the broker for {lasted:.0f} s"
            else:
                # Time counts from a question without an answer, so that nobody is dead for not having been asked.
                silent = 0.0 if self._asked is None else now - self._asked
                alive = ready = silent < LOOP_CEILING or _solo_pool_is_busy(self._consumer)
                detail = f"consuming; main loop silent for {silent:.0f} s"
        return Report(started=True, ready=ready, alive=alive, detail=detail)

    def _ask_for_a_turn(self) -> None:
        # The loop runs what is queued with call_soon on its next turn, whichever of Celery's two loops it is.
        with self._lock:
            consumer = self._consumer
            if consumer is None or self._asked is not None:
                return
            self._asked = time.monotonic()
        consumer.call_soon(self._turned)

    def _turned(self) -> None:
        with self._lock:
            self._asked = None


def _solo_pool_is_busy(consumer: Consumer) -> bool:
    from celery.worker.state import active_requests

    return type(consumer.pool).__module__ == "celery.concurrency.solo" and bool(active_requests)


class HealthServer(bootsteps.StartStopStep):
    """Serves the health and metrics of this worker from its parent process."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        worker.rowlock_health = WorkerHealth()

    def start(self, worker: Any) -> None:
        serve(health_address(), worker.rowlock_health.report)


class ConsumerHealth(bootsteps.StartStopStep):
    """Tells the health of the worker when its consumer runs and when it has lost its connection."""

    requires = (Tasks,)

    def start(self, consumer: Any) -> None:
        consumer.controller.rowlock_health.consuming(consumer)

    def stop(self, consumer: Any) -> None:
        consumer.controller.rowlock_health.reconnecting()

    # Celery stops a consumer's steps on an orderly end and only closes them down on a broken connection.
    shutdown = stop
