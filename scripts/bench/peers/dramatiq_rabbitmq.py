"""Dramatiq on RabbitMQ, its default middleware, no results.

Messages are acknowledged after execution and published without confirms, both by default. The worker's default is a
process a core with 8 threads each; the variant with one thread each is what compares with a prefork pool. By default a
process prefetches two messages a thread; dramatiq_queue_prefetch is the documented way to more.
https://dramatiq.io/guide.html, https://dramatiq.io/reference.html#environment-variables
"""

import os
from collections.abc import Iterable

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker

import work
from work import Kind

dramatiq.set_broker(RabbitmqBroker(url=os.environ["BROKER_URL"]))
QUEUE = os.environ["QUEUE"]

TASKS = {task.__name__: dramatiq.actor(task, queue_name=QUEUE) for task in (work.nothing, work.brief)}


def publish(tasks: Iterable[Kind]) -> None:
    for task in tasks:
        TASKS[task].send()
