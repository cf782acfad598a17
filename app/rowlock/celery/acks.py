"""Acks the messages of many tasks at once: those whose history was written together."""

from collections import deque
from typing import Any

from celery import bootsteps
from celery.utils.log import get_logger
from kombu.transport import pyamqp

from rowlock.celery import transport

logger = get_logger(__name__)


class Acks:
    """What is to be acked in the worker's main loop."""

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._messages: deque[Any] = deque()
        self._is_expected = False

    def takes(self, message: Any) -> bool:
        """May `message` be acked together with others? Else it is to be acked as Celery does it."""
        consumer = self._worker.consumer
        # Without a hub there are greenlets, which would write into the middle of each other's frames. After the loss of
        # a connection Celery counts acks, to get back to its prefetch count (`worker_enable_prefetch_count_reduction`).
        counts = consumer.restart_count > 0 and not consumer._maximum_prefetch_restored
        return consumer.hub is not None and not counts and isinstance(message.channel, pyamqp.Channel)

    def add(self, message: Any) -> None:
        """Ack `message` soon; from any thread."""
        self._messages.append(message)
        if not self._is_expected:
            self._is_expected = True
            self._worker.consumer.call_soon_ack(self._send)

    def _send(self) -> None:
        # In this order: whoever adds a message looks after it has added it.
        self._is_expected = False
        messages = [self._messages.popleft() for _ in range(len(self._messages))]
        try:
            transport.ack(messages)
        except self._worker.consumer.connection_errors as error:
            logger.warning("the broker is gone and delivers %d messages again: %r", len(messages), error)
            if isinstance(error, BrokenPipeError):
                # As Celery: what is broken is not used on.
                raise


class WorkerAcks(bootsteps.Step):
    """Lets requests ack together."""

    def create(self, worker: Any) -> None:
        worker.app.rowlock_acks = Acks(worker)
