"""Put copies of a queue's first message behind it, each with an id of its own, as fast as RabbitMQ takes them: unlike
publishing with a confirm each this fills a queue with a million messages in a minute or two. Usage: deepen.py COPIES
"""

import os
import sys
from uuid import uuid4

import pika

queue, copies = os.environ["QUEUE"], int(sys.argv[1])
with pika.BlockingConnection(pika.URLParameters(os.environ["BROKER_URL"])) as connection:
    channel = connection.channel()
    found, properties, body = channel.basic_get(queue)
    if found is None:
        sys.exit(f"no message to copy in {queue}")
    channel.basic_nack(found.delivery_tag)
    for _ in range(copies):
        properties.correlation_id = properties.headers["id"] = properties.headers["root_id"] = str(uuid4())
        channel.basic_publish(found.exchange, found.routing_key, body, properties)
    # Answered only after all before it.
    channel.queue_declare(queue, passive=True)
