"""Celery's consumer, but back at its broker within seconds however long that was away."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from celery.worker import consumer
from kombu.utils import functional

from rowlock.celery import transport

#: Seconds between two attempts to connect, at first and at the most. Celery's own grow to half a minute.
FIRST_PAUSE = 1
LONGEST_PAUSE = 5


class Consumer(consumer.Consumer):
    """What a worker runs, from Celery's setting `worker_consumer`."""

    class Blueprint(consumer.Consumer.Blueprint):
        default_steps = [
            "rowlock.celery.delayed_delivery:DelayedDelivery" if step.endswith(":DelayedDelivery") else step
            for step in consumer.Consumer.Blueprint.default_steps
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        app = kwargs["app"]
        timeout = app.conf.broker_connection_timeout
        super().__init__(*args, **kwargs)
        # Celery drops it for gevent, because of a bug long gone; without it a broker that takes a connection and says
        # nothing is waited for without end.
        app.conf.broker_connection_timeout = timeout
        self._is_green = bool(getattr(self.pool, "is_green", False))
        if self._is_green:
            # kombu takes its own before gevent has replaced it, and with it stops all greenlets between two attempts.
            functional.sleep = time.sleep

    def on_connection_error_after_connected(self, exc: BaseException) -> None:
        # Putting away what is left of a connection takes its time when the broker does not answer.
        self.controller.rowlock_health.reconnecting()
        super().on_connection_error_after_connected(exc)

    def ensure_connected(self, conn: Any) -> Any:
        transport.use_for(conn)
        conn.ensure_connection = partial(self._persevere, conn.ensure_connection)
        connected = super().ensure_connected(conn)
        patience = connected.transport_options.get("read_timeout")
        if self._is_green and patience and connected.transport.driver_type == "amqp":
            # The timeout that py-amqp sets is the kernel's, which sockets under gevent do not meet.
            connected.connection.sock.settimeout(patience)
        return connected

    def _persevere(self, ensure: Callable[..., Any], *args: Any, callback: Callable[[], Any], **kwargs: Any) -> Any:
        def before_each_second() -> None:
            self.controller.rowlock_health.trying()
            callback()

        self.controller.rowlock_health.trying()
        pauses = {"interval_start": FIRST_PAUSE, "interval_step": 1, "interval_max": LONGEST_PAUSE}
        return ensure(*args, callback=before_each_second, **pauses, **kwargs)
