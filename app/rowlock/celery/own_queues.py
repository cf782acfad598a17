"""Bootsteps of a worker's queues: beside those of its tasks, one for what every worker of its pool is to do."""

from typing import Any
from uuid import uuid4

from celery import bootsteps
from celery.utils.log import get_logger
from celery.worker.consumer.tasks import Tasks
from kombu import Queue

from rowlock.celery.delayed_delivery import DelayedDelivery
from rowlock.celery.fan_out import DEFAULT_POOL, exchange_of
from rowlock.celery.queues import DELAYED, FAN_OUT, delays_in_broker
from rowlock.conf import pool_name

logger = get_logger(__name__)

#: Seconds after which RabbitMQ drops the fan-out queue of a worker that died before it consumed it.
UNUSED = 60.0


class OwnNames(bootsteps.StartStopStep):
    """Has requests know their queue, and each queue with a routing key of its own reached by its name as well."""

    requires = (Tasks, DelayedDelivery)

    def start(self, consumer: Any) -> None:
        consumer.app.rowlock_task_consumer = consumer.task_consumer
        if not delays_in_broker(consumer.app):
            return
        apart = [queue for queue in consumer.task_consumer.queues if queue.routing_key != queue.name or queue.bindings]
        for queue in apart:
            if not queue.name.startswith(FAN_OUT):
                _warn_of_greed(queue)
                DELAYED(consumer.task_consumer.channel).declare()
                queue.bind_to(DELAYED.name, routing_key=f"#.{queue.name}")

    def stop(self, consumer: Any) -> None:
        consumer.app.rowlock_task_consumer = None

    shutdown = stop


def _warn_of_greed(queue: Queue) -> None:
    for key in [queue.routing_key, *(bound.routing_key for bound in queue.bindings)]:
        if (key or "").startswith("#"):
            logger.error(
                "the queue %s is bound by %r, through which Celery's delayed delivery gives it every message with a "
                "countdown or ETA, of whatever queue: those tasks run twice. Bind it by patterns that begin otherwise.",
                queue.name,
                key,
            )


class FanOut(bootsteps.StartStopStep):
    """Has the worker consume what is for every worker of its pool, beside its queues."""

    requires = (Tasks,)

    def start(self, consumer: Any) -> None:
        exchange = exchange_of(pool_name() or DEFAULT_POOL)
        consumer.task_consumer.add_queue(
            Queue(
                f"{exchange.name}.{uuid4().hex}",
                exchange,
                # Not exclusive, though its messages are of use to this worker alone: celery-exporter asks how long
                # every queue is that a worker consumes, and fails on one that is locked.
                auto_delete=True,
                expires=UNUSED,
                queue_arguments={"x-queue-type": "classic"},
            )
        )
