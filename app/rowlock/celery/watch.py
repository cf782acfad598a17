"""Whether a worker that is connected does consume, looked at from its main loop every few seconds.

A connection can be well while nothing comes through it: RabbitMQ has cancelled the consumer and the notice was dropped
on its way through Celery, or it has forgotten the consumer in a failover. Celery notices neither. Connecting again
cures both, so that is done first; a worker whose consumer stays gone is then a matter for Kubernetes.
"""

import socket
import time
from collections.abc import Iterator
from typing import Any

from amqp.exceptions import ChannelError
from celery.utils.log import get_logger
from celery.worker import state

logger = get_logger(__name__)

#: Seconds between two looks.
PERIOD = 10.0
#: Seconds for which messages must lie ready in a queue of an idle worker. RabbitMQ delivers within milliseconds to
#: whoever has room; a queue whose leader is being elected may take some seconds.
STARVED_AFTER = 30.0
#: Seconds that the broker may take to tell the length of a queue. Only an idle main loop waits for it.
PATIENCE = 5.0


class Watch:
    """The looks at one worker. All but the attributes and `unwell_for` belongs to the main loop."""

    def __init__(self) -> None:
        #: What keeps the worker from consuming; "" if nothing does.
        self.trouble = "the main loop has not begun"
        #: Queues that the worker was told to consume; without any it is well and has nothing to do.
        self.has_queues = True
        #: All of them are paused, which is well too.
        self.is_paused = False
        self._since = time.monotonic()
        self._is_cured_already = False
        self._begun: object | None = None
        self._channel: Any = None
        self._hungry: float | None = None
        self._accepted = 0

    def unwell_for(self) -> float:
        """Seconds for which the trouble has lasted, on this connection."""
        return time.monotonic() - self._since if self.trouble else 0.0

    def begin(self, consumer: Any) -> None:
        """Look at `consumer` from its first turn on, until `end`; what is wrong already stays wrong until a look."""
        self._begun, self._channel, self._hungry = object(), None, None
        self._since = time.monotonic()
        consumer.call_soon(self._look, consumer, self._begun)

    def end(self) -> None:
        """Look no more; from any thread."""
        self._begun = None

    def _look(self, consumer: Any, begun: object) -> None:
        if begun is not self._begun or consumer.connection is None:
            return
        # Not `call_repeatedly`, which cannot be ended in gevent's timer.
        consumer.timer.call_after(PERIOD, consumer.call_soon, (self._look, consumer, begun))
        try:
            trouble = _gone(consumer) or self._starved(consumer)
            # Meanwhile the worker may have begun to end.
            if begun is self._begun:
                self._note(consumer, trouble)
        except (*consumer.connection_errors, ChannelError) as error:
            # Not raised from here: Celery's loop for gevent would only log it.
            logger.warning("reconnecting: %r while looking at the queues", error)
            break_connection(consumer)

    def _note(self, consumer: Any, trouble: str) -> None:
        self.has_queues = bool(_own(consumer))
        self.is_paused = self.has_queues and not _wanted(consumer)
        if not trouble:
            self.trouble, self._is_cured_already = "", False
            return
        self.trouble = trouble
        if not self._is_cured_already:
            logger.error("reconnecting: %s", trouble)
            self._is_cured_already = True
            break_connection(consumer)

    def _starved(self, consumer: Any) -> str:
        """Names a queue that has had messages for long while this worker, with nothing to do, got none."""
        if consumer.connection.transport.driver_type != "amqp":
            return ""
        accepted, before = state.all_total_count[0], self._accepted
        self._accepted = accepted
        if accepted != before or not _is_idle(consumer):
            self._hungry = None
            return ""
        try:
            queue = self._waiting(consumer)
        except socket.timeout:  # noqa: UP041 - py-amqp's timeout is this one, whatever Python calls it
            # Heartbeats tell whether the broker is there at all.
            logger.warning("the broker did not tell the length of a queue within %.0f s", PATIENCE)
            return self.trouble if self._is_cured_already else ""
        if not queue or not _is_idle(consumer):
            self._hungry = None
            return ""
        now = time.monotonic()
        self._hungry = self._hungry or now
        # After reconnecting because of it, it is known already.
        if now - self._hungry < STARVED_AFTER and not self._is_cured_already:
            return ""
        return f"queue {queue} has messages, and this idle worker is given none"

    def _waiting(self, consumer: Any) -> str:
        """A queue of this worker in which messages are ready; "" if there is none."""
        with consumer.connection.connection.transport.having_timeout(PATIENCE):
            if self._channel is None or self._channel.connection is None:
                self._channel = consumer.connection.channel()
            for queue in list(_wanted(consumer)):
                # Of several consumers only one is given messages, and this may be another.
                if (queue.queue_arguments or {}).get("x-single-active-consumer"):
                    continue
                found = self._channel.queue_declare(queue.name, passive=True)
                if found.message_count:
                    return str(queue.name)
        return ""


def _own(consumer: Any) -> list[Any]:
    # Remote control takes queues out of these and puts them back (`cancel_consumer`, `add_consumer`).
    return list(consumer.app.amqp.queues.consume_from.values())


def _wanted(consumer: Any) -> list[Any]:
    paused = consumer.controller.rowlock_pauses.queues
    return [queue for queue in _own(consumer) if queue.name not in paused]


def _gone(consumer: Any) -> str:
    """What this process itself knows to be missing from its consumer; "" if nothing."""
    tasks = consumer.task_consumer
    if tasks is None or tasks.channel is None:
        return "there is no consumer"
    if consumer.connection.transport.driver_type == "amqp" and tasks.channel.connection is None:
        return "the consumer's channel is closed"
    return next((f"queue {name} has no consumer" for name in _unconsumed(consumer, tasks)), "")


def _unconsumed(consumer: Any, tasks: Any) -> Iterator[str]:
    # py-amqp forgets a tag when the broker cancels it, kombu does not.
    known = tasks.channel.callbacks if consumer.connection.transport.driver_type == "amqp" else None
    for queue in _wanted(consumer):
        tag = tasks._active_tags.get(queue.name)
        if tag is None and queue.name in consumer.rowlock_resting:
            continue
        if tag is None or (known is not None and tag not in known):
            yield queue.name


def _is_idle(consumer: Any) -> bool:
    """Has this worker nothing of the broker's in its hands? What it holds may be all that it is to be given."""
    slots = consumer.controller.rowlock_slots
    if (
        slots.running
        or slots.prefetched
        or any(bucket and bucket.contents for bucket in consumer.task_buckets.values())
    ):
        return False
    history = getattr(consumer.app, "rowlock_history", None)
    return history is None or bool(history.flush(seconds=0))


def break_connection(consumer: Any) -> None:
    """Have the main loop, whichever it is, meet a broken connection and so make a new one."""
    sock = consumer.connection.connection.sock
    # Not the method of a TLS socket: it forgets its session, which py-amqp then trips over.
    socket.socket.shutdown(sock, socket.SHUT_RDWR)
