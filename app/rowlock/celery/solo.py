"""Heartbeats of a solo worker, whose main loop cannot send any while it executes a task."""

import contextlib
import threading
from typing import Any

from celery import bootsteps
from celery.worker import state
from celery.worker.consumer.tasks import Tasks


def is_solo(pool: Any) -> bool:
    return type(pool).__module__ == "celery.concurrency.solo"


class SoloHeartbeats(bootsteps.StartStopStep):
    """Sends them from a thread, or RabbitMQ would end the connection and give the task to another worker."""

    requires = (Tasks,)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        self._ended = threading.Event()
        # A TLS session is not for two threads; without heartbeats the broker waits for ever.
        conninfo = consumer.conninfo
        if is_solo(consumer.pool) and (conninfo.ssl or conninfo.transport_cls == "amqps"):
            consumer.amqheartbeat = 0

    def include_if(self, consumer: Any) -> bool:
        return is_solo(consumer.pool)

    def start(self, consumer: Any) -> None:
        interval = consumer.connection.get_heartbeat_interval()
        if not interval or not consumer.connection.supports_heartbeats:
            return
        self._ended = threading.Event()
        arguments = (consumer.connection.connection, interval / 2, self._ended)
        threading.Thread(target=_send, args=arguments, name="rowlock heartbeats", daemon=True).start()

    def stop(self, consumer: Any) -> None:
        self._ended.set()

    shutdown = stop


def _send(connection: Any, every: float, ended: threading.Event) -> None:
    while not ended.wait(every):
        if state.active_requests:
            # A broken connection is found by the main loop. Frames are written under a lock of py-amqp's.
            with contextlib.suppress(OSError):
                connection.send_heartbeat()
