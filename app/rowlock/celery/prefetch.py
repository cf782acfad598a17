"""How many messages a worker holds: of short tasks more than it may prefetch, of all others not one.

A message counts towards the prefetch until it is acked, which waits some milliseconds for the history. With one that is
fair for long tasks, one a process, a worker of tasks of a millisecond would spend nearly all of its time waiting
for the next. So it takes ahead what it starts within a moment at the pace of the last moment. What turns out to take
longer goes back to the others.
"""

import time
from typing import Any

from amqp.exceptions import ChannelError
from celery import bootsteps
from celery.utils.log import get_logger
from celery.worker.consumer.tasks import Tasks
from kombu.transport import pyamqp

from rowlock.celery.own_queues import FanOut, OwnNames
from rowlock.celery.pausing import ConsumerPauses
from rowlock.celery.qos import Limit
from rowlock.celery.watch import break_connection
from rowlock.conf import settings

logger = get_logger(__name__)

#: Seconds between looks.
INTERVAL = 0.5
#: Seconds for which the next to be started may wait, where messages were taken ahead.
STUCK_AFTER = 1.0
#: Messages that are taken ahead: few steps, as each of them means to consume anew.
STEPS = (0, 4, 8, 16, 32, 64, 128, 256, 512)
#: Looks at a slower pace after which less is taken ahead.
PATIENCE = 20
#: Looks for which nothing is taken ahead after something had to go back.
PENANCE = 120


def step_for(wanted: float) -> int:
    """The largest of the steps that is no more than `wanted`."""
    return max(step for step in STEPS if step <= max(0.0, wanted))


class Ahead:
    """Decides, look by look, how many messages to take ahead."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._slower = 0
        self._penance = 0
        self.now = 0

    def look(self, pace: float, *, has_stuck: bool) -> int:
        """`pace`: tasks started a second since the last look. `has_stuck`: what was taken ahead still waits."""
        if self.now and has_stuck:
            self.now, self._slower, self._penance = 0, 0, PENANCE
            return self.now
        self._penance = max(0, self._penance - 1)
        step = 0 if self._penance else step_for(pace * self._seconds)
        self._slower = self._slower + 1 if step < self.now else 0
        if step > self.now or self._slower > PATIENCE:
            self.now, self._slower = step, 0
        return self.now


class ConsumerPrefetch(bootsteps.StartStopStep):
    """Takes messages ahead while tasks are short, from RabbitMQ."""

    requires = (Tasks, OwnNames, FanOut, ConsumerPauses)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        self._timer: Any = None
        self._ahead = Ahead(0)
        self._started = 0
        self._looked = 0.0
        self._first: Any = None
        self._first_since = 0.0
        consumer.rowlock_resting = set()

    def start(self, consumer: Any) -> None:
        seconds = settings().prefetch_seconds
        is_rabbitmq = isinstance(consumer.connection.default_channel, pyamqp.Channel)
        consumer.rowlock_resting.clear()
        # A prefetch of 0 has no bound at all; greenlets are many, and need none ahead.
        if not seconds or not is_rabbitmq or consumer.hub is None or not consumer.initial_prefetch_count:
            return
        self._ahead, self._first = Ahead(seconds), None
        self._started, self._looked = consumer.controller.rowlock_slots.started, time.monotonic()
        self._timer = consumer.timer.call_repeatedly(INTERVAL, self._look, (consumer, Limit(consumer)))

    def stop(self, consumer: Any) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    shutdown = stop

    def _look(self, consumer: Any, limit: Limit) -> None:
        slots = consumer.controller.rowlock_slots
        if consumer.task_consumer is None or consumer.controller.rowlock_draining.has_begun:
            return
        now, first = time.monotonic(), slots.first_waiting
        pace = (slots.started - self._started) / max(now - self._looked, INTERVAL / 2)
        if first is not self._first:
            self._first, self._first_since = first, now
        # Looks are not to the millisecond.
        has_stuck = first is not None and now - self._first_since > STUCK_AFTER - INTERVAL / 2
        self._started, self._looked = slots.started, now
        before = self._ahead.now
        ahead = self._ahead.look(pace, has_stuck=has_stuck)
        try:
            if before and not ahead and has_stuck:
                limit.rest()
                back = slots.take_waiting_after(consumer.initial_prefetch_count - slots.running)
                for request in back:
                    request.put_back()
                logger.info("tasks take longer now: %d messages that were taken ahead given back", len(back))
            limit.keep(consumer.initial_prefetch_count + ahead, is_ahead=bool(ahead))
        except (*consumer.connection_errors, ChannelError) as error:
            # Not raised from here: a timer's errors are only logged.
            logger.warning("reconnecting: %r while changing the prefetch", error)
            break_connection(consumer)
