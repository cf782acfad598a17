"""How a worker ends: it stops consuming at once, gives back what it has not started, and finishes what runs.

Celery's warm shutdown leaves its main loop first and then waits for the pool. Here the loop goes on until nothing runs
any more, so that while a worker drains everything works as ever: time limits, cancelling, heartbeats, acks, progress.
Only then, or when the time is up, is Celery told to end.
"""

import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from billiard.common import REMAP_SIGTERM
from celery import bootsteps, signals
from celery.utils.log import get_logger
from celery.worker import state
from celery.worker.consumer.tasks import Tasks

from rowlock.conf import grace_seconds

logger = get_logger(__name__)

#: Seconds before the KILL at which what still runs is put back, half of the grace period at the most: enough to stop
#: its processes and write its history.
RESERVE = 15.0
#: Seconds from the TERM to the KILL of a task's process.
STOPPING = 3.0
#: Seconds that the history, and after it the acks, get before a worker that cannot stop its tasks ends.
FLUSHING = 8.0
SENDING = 0.5
#: Seconds before the KILL at which a worker that has got stuck ends in any case.
LAST_RESORT = 2.0
POLL = 0.1


class Draining:
    """The end of a worker, from TERM on."""

    def __init__(self, worker: Any, exit_now: Callable[[int], None] = os._exit) -> None:
        self._worker = worker
        self._exit_now = exit_now
        self._pid = os.getpid()
        self._term: queue.SimpleQueue[float] = queue.SimpleQueue()
        self._has_begun = False
        self._has_stopped_consuming = threading.Event()
        self.thread = threading.Thread(target=self._run, name="rowlock drain", daemon=True)

    @property
    def has_begun(self) -> bool:
        return self._has_begun

    def begin(self, *_: Any) -> None:
        """The handler of TERM; every one but the first does nothing."""
        if os.getpid() != self._pid:
            # A child that has not got handlers of its own yet.
            raise SystemExit(0)
        if not self._has_begun:
            self._has_begun = True
            # This may interrupt anything, also a thread's work with a lock: of all queues this one is made for it.
            self._term.put(time.monotonic())

    def stop_consuming(self, consumer: Any) -> None:
        """Called in the main loop: nothing more is delivered, what was and does not run goes back."""
        _cancel_consumer(consumer)
        self._worker.rowlock_slots.give_back()
        for request in (*_scheduled(consumer), *_rate_limited(consumer)):
            request.put_back()
        self._has_stopped_consuming.set()

    def _run(self) -> None:
        began = self._term.get()
        grace = grace_seconds()
        slots = self._worker.rowlock_slots
        slots.close()
        self._worker.rowlock_health.draining()
        signals.worker_shutting_down.send(sender=self._worker.hostname, sig="SIGTERM", how="Warm", exitcode=0)
        logger.warning("draining: %d running, %d given back", slots.running, slots.prefetched)
        self._in_loop(self.stop_consuming)
        if grace is None:
            _wait(lambda: not slots.running)
        elif not _wait(lambda: not slots.running, until=began + grace - _reserve(grace)):
            self._put_back_what_runs()
        # While the loop still turns: what is given back takes another way than what a closed connection leaves.
        _wait(self._has_stopped_consuming.is_set, until=time.monotonic() + SENDING)
        self._worker.app.rowlock_history.flush(seconds=FLUSHING)
        state.should_stop = os.EX_OK
        self._in_loop(_nothing)
        if grace is not None:
            time.sleep(max(0.0, began + grace - min(LAST_RESORT, _reserve(grace) / 4) - time.monotonic()))
            logger.error("the worker does not end by itself; it ends now, and the broker delivers again what it has")
            self._exit_now(os.EX_SOFTWARE)

    def _in_loop(self, call: Callable[[Any], None]) -> None:
        consumer = getattr(self._worker, "consumer", None)
        if consumer is None:
            return
        if consumer.hub is None and getattr(self._worker.pool, "is_green", False):
            # The loop waits in the socket, and greenlets may write to it meanwhile.
            call(consumer)
        else:
            consumer.call_soon(call, consumer)

    def _put_back_what_runs(self) -> None:
        slots = self._worker.rowlock_slots
        requests = slots.requests()
        logger.warning("the grace period is nearly over: %d running tasks are put back", len(requests))
        for request in requests:
            request.is_interrupted = True
        if self._worker.pool.uses_semaphore:
            _signal_processes(self._worker.pool, requests, signal.SIGTERM)
            if not _wait(lambda: not slots.running, until=time.monotonic() + STOPPING):
                _signal_processes(self._worker.pool, slots.requests(), signal.SIGKILL)
                _wait(lambda: not slots.running, until=time.monotonic() + STOPPING)
        else:
            self._end_with_what_runs(requests)

    def _end_with_what_runs(self, requests: list[Any]) -> None:
        # Neither a thread nor the main loop can be stopped. The broker delivers again what this process has not acked
        # once it is gone, and not before: it does not run twice at a time.
        history = self._worker.app.rowlock_history
        for request in requests:
            request.tell_interruption()
        if not history.flush(seconds=FLUSHING):
            logger.error("the history could not be written; what was put back is shown as running")
        self._worker.rowlock_presence.leave()
        time.sleep(SENDING)
        self._exit_now(os.EX_OK)


def end_on_term() -> None:
    """Have TERM end a container's first process, as it ends every other one, until somebody handles it better.

    The kernel ignores signals to process 1 that it has no handler for. A pod that is deleted while its worker still
    imports would miss its TERM, take tasks, and be killed with them.
    """
    first = os.getpid() == 1 and threading.current_thread() is threading.main_thread()
    if first and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _end)


def _end(*_: Any) -> None:
    raise SystemExit(os.EX_OK)


def _reserve(grace: float) -> float:
    return min(RESERVE, grace / 2)


def _nothing(consumer: Any) -> None:
    """Only wakes the loop."""


def _wait(look: Callable[[], bool], *, until: float = float("inf")) -> bool:
    while not look():
        if time.monotonic() >= until:
            return False
        time.sleep(POLL)
    return True


def _cancel_consumer(consumer: Any) -> None:
    tasks = consumer.task_consumer
    if tasks is None:
        return
    if hasattr(tasks.channel, "send_method"):
        # Celery's way waits for an answer, which a broker that has fallen silent does not give.
        for tag in list(tasks._active_tags.values()):
            tasks.channel.basic_cancel(tag, nowait=True)
        tasks._active_tags.clear()
    for queue_of_tasks in list(tasks.queues):
        tasks.cancel_by_queue(queue_of_tasks.name)


def _scheduled(consumer: Any) -> list[Any]:
    requests = list(state.scheduled_requests)
    for request in requests:
        if request._eta_timer_entry is not None:
            consumer.timer.cancel(request._eta_timer_entry)
    return requests


def _rate_limited(consumer: Any) -> list[Any]:
    found = []
    for bucket in consumer.task_buckets.values():
        if bucket is not None:
            found += [request for request, _ in bucket.contents]
            bucket.clear_pending()
    return found


def _signal_processes(pool: Any, requests: list[Any], number: signal.Signals) -> None:
    for request in requests:
        if request.worker_pid:
            pool.terminate_job(request.worker_pid, number)


class Drain(bootsteps.StartStopStep):
    """Has the worker drain on TERM."""

    requires = ("celery.worker.components:Pool", "rowlock.celery.slots:WorkerSlots")

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        worker.rowlock_draining = Draining(worker)

    def start(self, worker: Any) -> None:
        # Whoever has TERM do what QUIT does wants Celery's own cold shutdown.
        if REMAP_SIGTERM is None and threading.current_thread() is threading.main_thread():
            worker.rowlock_draining.thread.start()
            signal.signal(signal.SIGTERM, worker.rowlock_draining.begin)


class ConsumerDrain(bootsteps.StartStopStep):
    """Has a worker that connects anew while it drains consume nothing."""

    requires = (Tasks,)

    def start(self, consumer: Any) -> None:
        if consumer.controller.rowlock_draining.has_begun:
            consumer.controller.rowlock_draining.stop_consuming(consumer)
