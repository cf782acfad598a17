"""A worker's pool gets no more tasks than it executes at once; what was delivered beyond that waits here, in order.

Each of Celery's pools keeps what it is given too much in its own way: prefork behind a semaphore, threads in a queue
that nobody can take from, gevent by blocking the main loop. What waits here can be given back to the broker at any
moment, and the main loop never blocks.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from celery import bootsteps
from celery.exceptions import TaskRevokedError
from celery.utils.log import get_logger
from celery.worker import state
from celery.worker.consumer.tasks import Tasks

logger = get_logger(__name__)


class Slots:
    """The places of a worker's pool, and the requests that wait for one. Every method may be called in any thread."""

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._lock = threading.Lock()
        self._waiting: deque[Any] = deque()
        self._taken: set[Any] = set()
        self._is_open = True
        self._gives_back = False
        #: How many requests have been given to the pool, ever.
        self.started = 0

    @property
    def limit(self) -> int:
        """How many tasks the pool executes at once; 0 when it has ended."""
        try:
            return int(self._worker.pool.num_processes)
        except AttributeError:
            return 0

    @property
    def running(self) -> int:
        """Tasks that are being executed."""
        return len(self._taken)

    @property
    def prefetched(self) -> int:
        """Messages that were delivered and have not been started: they wait for a slot, or for their time."""
        return len(self._waiting) + len(state.scheduled_requests)

    @property
    def seconds_running(self) -> float:
        """The time that would be lost if all that runs were killed now."""
        now = time.time()
        with self._lock:
            return float(sum(now - request.time_start for request in self._taken if request.time_start))

    @property
    def _has_room(self) -> bool:
        return self._is_open and len(self._taken) < self.limit

    def requests(self) -> list[Any]:
        """Those that the pool has."""
        with self._lock:
            return list(self._taken)

    def run(self, request: Any) -> Any:
        """Give `request` to the pool, now or when there is a slot; raises TaskRevokedError."""
        with self._lock:
            is_taken = self._has_room and not self._waiting
            if is_taken:
                self._take(request)
            elif not self._gives_back:
                self._waiting.append(request)
        if is_taken:
            try:
                return self._start(request)
            except BaseException:
                self._fill()
                raise
        if self._gives_back:
            request.put_back()
        else:
            self._fill()
        return None

    def accepted(self, request: Any) -> None:
        """The pool executes `request`: also one that it was thought to have dropped with a lost connection."""
        if request not in self._taken and not request.has_left_pool:
            with self._lock:
                self._taken.add(request)

    def ended(self, request: Any) -> None:
        """A callback of the pool tells the outcome of `request`."""
        request.has_left_pool = True
        # Threads and greenlets still hold their place in the pool while they run the callback.
        if self._worker.pool.uses_semaphore:
            self._release(request)

    def call_in_loop(self, call: Callable[..., Any], *args: Any) -> None:
        """Call where the worker acks and rejects."""
        self._worker.consumer.call_soon_ack(call, *args)

    def close(self) -> None:
        """Start nothing any more."""
        with self._lock:
            self._is_open = False

    def give_back(self) -> None:
        """Give back to the broker what waits, and from now on whatever arrives; once nothing is started."""
        with self._lock:
            self._gives_back = True
            waiting, self._waiting = self._waiting, deque()
        for request in waiting:
            request.put_back()

    @property
    def held(self) -> list[Any]:
        """Those that the pool has, and those that wait for a slot."""
        with self._lock:
            return [*self._taken, *self._waiting]

    @property
    def first_waiting(self) -> Any:
        """The request that gets the next slot; None where none waits."""
        with self._lock:
            return self._waiting[0] if self._waiting else None

    def take_waiting_after(self, count: int) -> list[Any]:
        """Take out what waits for a slot behind the first `count`."""
        with self._lock:
            waiting = list(self._waiting)
            self._waiting = deque(waiting[: max(0, count)])
        return waiting[max(0, count) :]

    def take_waiting(self, is_wanted: Callable[[Any], bool]) -> list[Any]:
        """Take out what waits for a slot and `is_wanted`."""
        with self._lock:
            taken = [request for request in self._waiting if is_wanted(request)]
            self._waiting = deque(request for request in self._waiting if request not in taken)
        return taken

    def forget_lost(self, running: Iterable[Any]) -> None:
        """The connection is lost: what waits is delivered again, and so is what the pool has not begun."""
        running = set(running)
        with self._lock:
            self._waiting.clear()
            self._taken &= running

    def _take(self, request: Any) -> None:
        self._taken.add(request)
        self.started += 1

    def _start(self, request: Any) -> Any:
        try:
            result = request.start_in(self._worker.pool)
        except BaseException:
            self._leave(request)
            raise
        if hasattr(result, "f"):
            result.f.add_done_callback(lambda _: self._release(request))
        elif hasattr(result, "link"):
            result.link(lambda _: self._release(request))
        elif result is None:
            # The solo pool has already executed it; a pool that is closed never will.
            self._release(request)
        return result

    def _leave(self, request: Any) -> None:
        with self._lock:
            self._taken.discard(request)

    def _release(self, request: Any) -> None:
        self._leave(request)
        self._fill()

    def _fill(self) -> None:
        while (following := self._next()) is not None:
            try:
                self._start(following)
            except TaskRevokedError:
                continue
            except Exception:
                logger.exception("%s could not be started", following)

    def _next(self) -> Any:
        with self._lock:
            if not self._waiting or not self._has_room:
                return None
            request = self._waiting.popleft()
            self._take(request)
            return request


class WorkerSlots(bootsteps.StartStopStep):
    """Puts the slots before the worker's pool."""

    requires = ("celery.worker.components:Pool",)

    def create(self, worker: Any) -> None:
        worker.app.rowlock_slots = worker.rowlock_slots = Slots(worker)
        # Celery's own two gates: a semaphore before prefork, and one that blocks whoever gives a pool too much.
        worker.process_task = worker._process_task
        worker.pool.putlocks = False

    def start(self, worker: Any) -> None:
        """Nothing to do: it was there before the consumer was made."""

    def close(self, worker: Any) -> None:
        worker.rowlock_slots.close()


class ConsumerSlots(bootsteps.StartStopStep):
    """Forgets what cannot be acked any more when the connection is lost."""

    requires = (Tasks,)

    def stop(self, consumer: Any) -> None:
        consumer.controller.rowlock_slots.forget_lost(tuple(state.active_requests))

    shutdown = stop
