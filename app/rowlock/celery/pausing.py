"""How a worker leaves paused queues alone: it stops consuming them, gives back what it has not started, and goes on
with the others. What was paused is in the database, so it stays so whatever restarts.
"""

import threading
from collections.abc import Collection
from typing import Any

from amqp.exceptions import ChannelError
from celery import bootsteps
from celery.utils.log import get_logger
from celery.worker import state
from celery.worker.consumer.tasks import Tasks

from rowlock.celery.own_queues import FanOut, OwnNames
from rowlock.celery.queues import queue_of
from rowlock.celery.steps import History
from rowlock.celery.watch import break_connection

logger = get_logger(__name__)

#: Seconds for which a worker that starts waits for the database to tell what is paused. Without it the worker begins
#: with all of its queues; but no run of the history starts before the database has answered.
PATIENCE = 5.0


class Pauses(bootsteps.StartStopStep):
    """Looks every second which queues are paused."""

    requires = (History,)

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        self._worker = worker
        self._has_looked = threading.Event()
        self._queues: frozenset[str] = frozenset()
        worker.rowlock_pauses = self
        worker.app.rowlock_history.also(self._look)

    @property
    def queues(self) -> Collection[str]:
        """The paused queues, also those that are not this worker's."""
        return self._queues

    def start(self, worker: Any) -> None:
        """Nothing to do: the thread of the history looks."""

    def wait(self) -> None:
        """Wait until it is known what is paused, unless that takes too long."""
        self._has_looked.wait(PATIENCE)

    def _look(self) -> None:
        from rowlock.models import PausedQueue

        found = frozenset(PausedQueue.objects.values_list("queue", flat=True))
        is_news, self._queues = found != self._queues, found
        self._has_looked.set()
        consumer = getattr(self._worker, "consumer", None)
        if is_news and consumer is not None:
            consumer.call_soon(follow, consumer)


class ConsumerPauses(bootsteps.StartStopStep):
    """Has a consumer that has just connected begin without what is paused."""

    requires = (Tasks, OwnNames, FanOut)

    def start(self, consumer: Any) -> None:
        consumer.controller.rowlock_pauses.wait()
        for name in _to_leave(consumer):
            consumer.task_consumer.cancel_by_queue(name)


def follow(consumer: Any) -> None:
    """Stop consuming what is paused, and consume again what is not any more; in the main loop."""
    if consumer.task_consumer is None or consumer.controller.rowlock_draining.has_begun:
        return
    try:
        _leave(consumer)
        _come_back(consumer)
    except (*consumer.connection_errors, ChannelError) as error:
        # Not raised from here: Celery's loop for gevent would only log it.
        logger.warning("reconnecting: %r while pausing or resuming a queue", error)
        break_connection(consumer)


def _leave(consumer: Any) -> None:
    tasks = consumer.task_consumer
    leaving = _to_leave(consumer)
    for name in leaving:
        # Before its tag is forgotten: what is still delivered has to find out its queue.
        if (tag := tasks._active_tags.get(name)) is not None:
            tasks.channel.basic_cancel(tag)
            tasks._active_tags.pop(name, None)
        tasks.cancel_by_queue(name)
    if leaving:
        logger.warning("paused: %s; %d messages given back", ", ".join(leaving), _give_back(consumer))


def _give_back(consumer: Any) -> int:
    paused = consumer.controller.rowlock_pauses.queues
    waiting = consumer.controller.rowlock_slots.take_waiting(lambda request: _is_of(request, paused))
    waiting += [request for request in tuple(state.scheduled_requests) if _is_of(request, paused)]
    waiting += _rate_limited(consumer, paused)
    for request in waiting:
        if getattr(request, "_eta_timer_entry", None) is not None:
            consumer.timer.cancel(request._eta_timer_entry)
        request.put_back()
    return len(waiting)


def _come_back(consumer: Any) -> None:
    tasks = consumer.task_consumer
    consumed = {queue.name for queue in tasks.queues}
    paused = consumer.controller.rowlock_pauses.queues
    back = [
        queue
        for name, queue in consumer.app.amqp.queues.consume_from.items()
        if name not in consumed and name not in paused
    ]
    for queue in back:
        # The very declaration with which this worker began.
        tasks.add_queue(queue)
    if back:
        tasks.consume()
        logger.warning("resumed: %s", ", ".join(queue.name for queue in back))


def _to_leave(consumer: Any) -> list[str]:
    paused = consumer.controller.rowlock_pauses.queues
    return [queue.name for queue in consumer.task_consumer.queues if queue.name in paused]


def _rate_limited(consumer: Any, paused: Collection[str]) -> list[Any]:
    found = []
    for bucket in consumer.task_buckets.values():
        if bucket is None:
            continue
        for waiting in list(bucket.contents):
            if _is_of(waiting[0], paused):
                bucket.contents.remove(waiting)
                found.append(waiting[0])
    return found


def _is_of(request: Any, queues: Collection[str]) -> bool:
    return queue_of(request.delivery_info) in queues
