"""The limit: pika takes the messages that Celery would send from a quorum queue, calls the function, acknowledges.

No framework, no results; BlockingConnection is pika's simplest API, and is given 64 messages ahead and acknowledges
each. https://pika.readthedocs.io/en/stable/modules/adapters/blocking.html
"""

import json
import os
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import pika

import work
from work import Kind

QUEUE = os.environ["QUEUE"]
FUNCTIONS: dict[str, Any] = {"nothing": work.nothing, "brief": work.brief}


def publish(tasks: Iterable[Kind]) -> None:
    # Imported late: who consumes needs no Celery.
    from celery import Celery

    app = Celery()
    with pika.BlockingConnection(pika.URLParameters(os.environ["BROKER_URL"])) as connection:
        channel = _open(connection)
        for task in tasks:
            message = app.amqp.as_task_v2(str(uuid4()), task)
            properties = pika.BasicProperties(
                headers={name: value for name, value in message.headers.items() if value is not None},
                content_type="application/json",
                correlation_id=message.properties["correlation_id"],
                delivery_mode=2,
            )
            channel.basic_publish("", QUEUE, json.dumps(message.body).encode(), properties)


def consume() -> None:
    with pika.BlockingConnection(pika.URLParameters(os.environ["BROKER_URL"])) as connection:
        channel = _open(connection)
        channel.basic_qos(prefetch_count=64)
        channel.basic_consume(QUEUE, _execute)
        channel.start_consuming()


def _open(connection: Any) -> Any:
    channel = connection.channel()
    channel.queue_declare(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
    return channel


def _execute(channel: Any, method: Any, properties: Any, body: bytes) -> None:
    arguments, options, _ = json.loads(body)
    FUNCTIONS[properties.headers["task"]](*arguments, **options)
    channel.basic_ack(method.delivery_tag)


if __name__ == "__main__":
    consume()
