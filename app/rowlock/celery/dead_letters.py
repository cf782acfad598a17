"""The queue of messages that were given up: whole, for people to look at."""

from typing import Any

from celery import current_app
from celery.utils.log import get_logger
from kombu import Exchange, Queue

from rowlock.broker.topology import DEAD_QUEUE, DEAD_QUEUE_ARGUMENTS
from rowlock.celery.queues import queue_of
from rowlock.celery.task import CONFIRM_TIMEOUT

logger = get_logger(__name__)

NAME = DEAD_QUEUE
QUEUE = Queue(NAME, Exchange(NAME, type="direct"), routing_key=NAME, queue_arguments=DEAD_QUEUE_ARGUMENTS)

_HEADERS = ("lang", "task", "id", "root_id", "parent_id", "group", "retries", "argsrepr", "kwargsrepr", "rowlock")


def publish(id: str, request: dict[str, Any], body: Any, content_type: str, content_encoding: str) -> None:
    """Keep a copy of the message. Without a broker it is only logged: the run keeps the arguments, whole, as well."""
    headers = {name: request[name] for name in _HEADERS if request.get(name) is not None}
    headers["x-rowlock-queue"] = queue_of(request.get("delivery_info"))
    try:
        with current_app.producer_pool.acquire(block=True, timeout=CONFIRM_TIMEOUT) as producer:
            producer.publish(
                body,
                exchange=QUEUE.exchange,
                routing_key=NAME,
                declare=[QUEUE],
                headers=headers,
                content_type=content_type,
                content_encoding=content_encoding,
                correlation_id=id,
                delivery_mode=2,
                confirm_timeout=CONFIRM_TIMEOUT,
            )
    except Exception:
        logger.exception("no dead letter for %s", id)
