"""Celery's delayed delivery in RabbitMQ, set up for the queues that a worker consumes.

Celery binds every queue that it knows of, the default one among them. On a broker where nobody has declared that yet, a
worker of other queues calls the whole of delayed delivery unavailable, though its own queues are bound.
"""

from typing import Any

from celery.worker.consumer import delayed_delivery
from kombu.common import Broadcast
from kombu.transport.native_delayed_delivery import bind_queue_to_native_delayed_delivery_exchange


class DelayedDelivery(delayed_delivery.DelayedDelivery):
    """Celery's bootstep, in whose place it stands."""

    def _bind_queues(self, app: Any, connection: Any) -> None:
        for queue in app.amqp.queues.consume_from.values():
            if not isinstance(queue, Broadcast):
                bind_queue_to_native_delayed_delivery_exchange(connection, queue)
