"""Giving a message back to the broker without a word against it."""

from typing import Any

from amqp import spec
from celery.utils.log import get_logger

logger = get_logger(__name__)


def requeue(message: Any, connection_errors: tuple[type[BaseException], ...] = ()) -> None:
    """Put `message` back in its queue; to be called where acks are sent.

    RabbitMQ from 4.3 on counts rejected messages as failures and leaves those out that are nacked
    (https://www.rabbitmq.com/docs/4.3/nack); 4.0 counts both towards a quorum queue's delivery limit.
    """
    try:
        if hasattr(message.channel, "send_method"):
            message.channel.send_method(spec.Basic.Nack, "Lbb", (message.delivery_tag, False, True))
        else:
            message.reject(requeue=True)
    except connection_errors as error:
        logger.warning("the broker is gone and delivers %s again by itself: %s", message.delivery_tag, error)
