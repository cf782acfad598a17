"""How a worker knows whether it is started, ready and alive, and the bootsteps that tell it."""

import threading
import time
from typing import Any

from celery import bootsteps
from celery.worker import state
from celery.worker.consumer import Consumer
from celery.worker.consumer.tasks import Tasks

from rowlock.celery.limits import limits_of
from rowlock.celery.solo import is_solo
from rowlock.celery.watch import Watch
from rowlock.conf import Ceilings, ceilings, health_address
from rowlock.health.report import Report
from rowlock.health.server import serve

#: An attempt to connect that takes so many times the ceiling of the main loop hangs. With a name server that does not
#: answer, one may take a minute or two.
LONGEST_ATTEMPT = 5


class WorkerHealth:
    """What the health thread may ask of the main loop without ever waiting for it.

    It begins to answer once the pool runs, so a worker counts as started while it still looks for its broker:
    starting it again would not bring the broker back.
    """

    def __init__(self, ceilings: Ceilings) -> None:
        self._ceilings = ceilings
        self._lock = threading.Lock()
        self._watch = Watch()
        self._consumer: Consumer | None = None
        self._disconnected = time.monotonic()
        #: When it last tried to connect; None for a consumer of the project's own, which does not tell.
        self._tried: float | None = None
        self._is_draining = False
        #: When the main loop was asked to turn; None once it has.
        self._asked: float | None = None

    def consuming(self, consumer: Consumer) -> None:
        """Called from the main loop, which turns from now on."""
        with self._lock:
            self._consumer = consumer
            self._asked = None
        if not self._is_draining:
            self._watch.begin(consumer)

    def reconnecting(self) -> None:
        """Called from the main loop, which does not turn until it has a connection again."""
        self._watch.end()
        with self._lock:
            self._consumer = None
            self._disconnected = time.monotonic()
            self._tried = None if self._tried is None else self._disconnected

    def trying(self) -> None:
        """Called over and over while there is no connection to be had."""
        self._tried = time.monotonic()

    def draining(self) -> None:
        """Called once the worker stops consuming on purpose, from any thread."""
        self._is_draining = True
        self._watch.end()

    def report(self) -> Report:
        self._ask_for_a_turn()
        with self._lock:
            consumer, asked = self._consumer, self._asked
        if self._is_draining or state.should_stop not in (None, False) or state.should_terminate not in (None, False):
            # How long it may take to finish is the grace period's to say.
            return Report(started=True, ready=False, alive=True, detail="ending")
        return self._reconnecting() if consumer is None else self._consuming(consumer, asked)

    def _reconnecting(self) -> Report:
        now = time.monotonic()
        lasted, hung = now - self._disconnected, 0.0 if self._tried is None else now - self._tried
        alive = lasted < self._ceilings.reconnect and hung < LONGEST_ATTEMPT * self._ceilings.loop
        detail = f"connecting to the broker for {lasted:.0f} s, this time for {hung:.0f} s"
        return Report(started=True, ready=False, alive=alive, detail=detail)

    def _consuming(self, consumer: Consumer, asked: float | None) -> Report:
        # Time counts from a question without an answer, so that nobody is dead for not having been asked.
        silent = 0.0 if asked is None else time.monotonic() - asked
        if _solo_pool_is_busy(consumer, self._ceilings.loop):
            return Report(started=True, ready=True, alive=True, detail="the main loop executes a task")
        turns = silent < self._ceilings.loop
        trouble = self._watch.trouble
        if trouble:
            detail = f"connected, but {trouble}"
        else:
            detail = "consuming" if self._watch.has_queues else "told to consume no queue"
            detail = "all its queues are paused" if self._watch.is_paused else detail
        return Report(
            started=True,
            ready=turns and not trouble and self._watch.has_queues,
            alive=turns and self._watch.unwell_for() < self._ceilings.loop,
            detail=f"{detail}; main loop silent for {silent:.0f} s",
        )

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


def _solo_pool_is_busy(consumer: Consumer, patience: float) -> bool:
    """Does the main loop itself execute a task, and not for longer than that may take?

    Nothing else ends a solo pool's task at its hard time limit. Where there is none, a task may take for ever.
    """
    if not is_solo(consumer.pool):
        return False
    for request in tuple(state.active_requests):
        limit = limits_of(request, consumer.pool).hard
        began = request.time_start
        if not limit or not began or time.time() - began < limit + patience:
            return True
    return False


class HealthServer(bootsteps.StartStopStep):
    """Serves the health and metrics of this worker from its parent process."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        worker.rowlock_health = WorkerHealth(ceilings())

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
