"""Bootsteps: how a worker knows whether it is started, ready and alive."""

import threading
import time
from typing import Any

from celery import bootsteps
from celery.utils.log import get_logger
from celery.worker import state
from celery.worker.consumer import Consumer
from celery.worker.consumer.tasks import Tasks

from rowlock.conf import health_address
from rowlock.health.report import Report
from rowlock.health.server import serve

logger = get_logger(__name__)

#: Seconds that a worker which ends gives to the history of its last tasks.
FLUSH_PATIENCE = 10.0
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


class History(bootsteps.StartStopStep):
    """Writes the history of this worker's runs, cancels those that people cancel, and relays."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        # Imported late: models need Django's apps.
        from rowlock.celery.history import HistoryWriter
        from rowlock.runs.reporting import send_progress_to

        # Before the pool forks, so that its processes inherit the way to it.
        self._worker = worker
        worker.app.rowlock_history = self._history = HistoryWriter(self._cancel)
        send_progress_to(self._history.send_progress)

    def start(self, worker: Any) -> None:
        from rowlock.conf import settings
        from rowlock.outbox import relay

        self._history.start()
        if worker.hub is not None:
            # The hub closes after the pool has ended and then runs what was left to it: the last acks.
            worker.hub.on_close.add(self._flush)
        if settings().relay:
            relay.start(worker.app)

    def stop(self, worker: Any) -> None:
        self._flush()

    def _flush(self, *_: Any) -> None:
        if not self._history.flush(seconds=FLUSH_PATIENCE):
            logger.error("the history could not be written; tasks that have ended are delivered again")

    def _cancel(self, id: str) -> None:
        consumer = getattr(self._worker, "consumer", None)
        if consumer is not None:
            consumer.call_soon(_cancel, consumer, id)
        else:
            state.revoked.add(id)


def _cancel(consumer: Any, id: str) -> None:
    # As Celery's own remote control does it (celery/worker/control.py `revoke`).
    state.revoked.add(id)
    for request in [request for request in state.active_requests if request.id == id]:
        try:
            request.terminate(consumer.pool, signal="TERM")
        except NotImplementedError:
            logger.warning("%s was cancelled while it ran; only a prefork pool can stop a running task", id)


class ConsumerHealth(bootsteps.StartStopStep):
    """Tells the health of the worker when its consumer runs and when it has lost its connection."""

    requires = (Tasks,)

    def start(self, consumer: Any) -> None:
        consumer.controller.rowlock_health.consuming(consumer)

    def stop(self, consumer: Any) -> None:
        consumer.controller.rowlock_health.reconnecting()

    # Celery stops a consumer's steps on an orderly end and only closes them down on a broken connection.
    shutdown = stop
