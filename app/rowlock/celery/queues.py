"""Which queue a message came from, and how a message gets into that queue again."""

import re
from collections.abc import Mapping
from typing import Any

from celery import Celery
from celery.utils.quorum_queues import detect_quorum_queues
from kombu import Exchange, Queue
from kombu.transport.native_delayed_delivery import CELERY_DELAYED_DELIVERY_EXCHANGE

#: In a task's delivery info: the queue, where the routing key does not tell it.
QUEUE = "rowlock_queue"
#: Exchanges of fan-outs are named so, and the pool; their queues, one a worker, have more after that.
FAN_OUT = "rowlock.fanout."

#: What native delayed delivery puts before the routing key: the seconds in binary digits (kombu/transport/
#: native_delayed_delivery.py).
_DELAY = re.compile(r"^(?:[01]\.)+")
#: What comes out of native delayed delivery.
DELAYED = Exchange(CELERY_DELAYED_DELIVERY_EXCHANGE, type="topic")


def queue_of(delivery_info: Mapping[str, Any] | None) -> str:
    """The queue of a message that was delivered; of a fan-out its exchange, for its queues come and go with workers.

    Messages that did not pass through rowlock's Request are taken for ones in Celery's usual topology, where the
    routing key is the queue.
    """
    info = delivery_info or {}
    if is_fan_out(info):
        return ".".join(info[QUEUE].split(".")[:-1])
    return info.get(QUEUE) or _DELAY.sub("", info.get("routing_key") or "")


def is_fan_out(delivery_info: Mapping[str, Any]) -> bool:
    """Was it for every worker of a pool?"""
    return bool((delivery_info.get(QUEUE) or "").startswith(FAN_OUT))


def note_queue(app: Celery, delivery_info: dict[str, Any], message: Any) -> None:
    """Write into `delivery_info`, which goes along with the task, the queue that `message` was consumed from."""
    consumer = getattr(app, "rowlock_task_consumer", None)
    if consumer is None:
        return
    told = message.delivery_info or {}
    tag, exchange = told.get("consumer_tag"), told.get("exchange") or ""
    if tag is not None:
        known: dict[str, str] = consumer.__dict__.setdefault("rowlock_queues_of_tags", {})
        if tag not in known:
            # Kept, for what was delivered to a consumer that is cancelled by now.
            known.update({tag_of_queue: name for name, tag_of_queue in consumer._active_tags.items()})
        if tag in known:
            delivery_info[QUEUE] = known[tag]
        return
    # The broker of files does not say which consumer a message is for.
    for name in consumer._active_tags:
        if exchange.startswith(FAN_OUT) and name.startswith(f"{exchange}."):
            delivery_info[QUEUE] = name


def again(app: Celery, delivery_info: Mapping[str, Any] | None, *, later: bool) -> str | Queue | None:
    """Where to publish so that a message comes again into the very queue it came from; None where that is not known.

    Through the exchange that it came from, it would come into every other queue that is bound alike as well, and into
    that of every worker where it was a fan-out.
    """
    info = delivery_info or {}
    name = info.get(QUEUE) or queue_of(info)
    if is_fan_out(info):
        return Queue(name, Exchange("", type="direct"), routing_key=name, no_declare=True)
    known = app.amqp.queues.get(name)
    if known is None:
        return None
    if known.routing_key == name and not known.bindings:
        return name
    exchange = DELAYED if later and delays_in_broker(app) else Exchange("", type="direct")
    return Queue(name, exchange, routing_key=name, queue_arguments=known.queue_arguments, no_declare=True)


def behind(exchange: Exchange | str, routing_key: str) -> Queue:
    """Whatever is bound to a topic exchange for `routing_key`, in the form in which Celery can delay it."""
    given = exchange if isinstance(exchange, Exchange) else Exchange(exchange, type="topic")
    return Queue(given.name, given, routing_key=routing_key, no_declare=True)


def delays_in_broker(app: Celery) -> bool:
    """Do countdowns and ETAs wait in RabbitMQ, rather than in a worker?"""
    driver = app.producer_pool.connections.connection.transport.driver_type
    return bool(detect_quorum_queues(app, driver)[0])
