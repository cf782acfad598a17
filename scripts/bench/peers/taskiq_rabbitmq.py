"""taskiq on RabbitMQ (taskiq-aio-pika), no result backend; its tasks are coroutines, and sleep as such.

The queue is a quorum queue and messages are acknowledged after execution, both by default. A worker runs 100 tasks at a
time and so prefetches as many here (`qos`, by default 10, would not fill them); `--no-parse` spares it pydantic for
arguments, of which there are none. uvloop, which it uses when installed, and orjson are the faster of what it offers.
https://taskiq-python.github.io/guide/cli.html, https://github.com/taskiq-python/taskiq-aio-pika,
https://taskiq-python.github.io/guide/architecture-overview.html, https://taskiq-python.github.io/guide/message-format.html
"""

import asyncio
import os
from collections.abc import Iterable
from itertools import islice

from taskiq.serializers import ORJSONSerializer
from taskiq_aio_pika import AioPikaBroker, Exchange, Queue

import work
from work import BRIEF, Kind

QUEUE = os.environ["QUEUE"]

broker = (
    AioPikaBroker(os.environ["BROKER_URL"], qos=100, exchange=Exchange(name=QUEUE))
    .with_queue(Queue(name=QUEUE))
    .with_serializer(ORJSONSerializer())
)


@broker.task
async def nothing() -> None:
    work.finished()


@broker.task
async def brief() -> None:
    await asyncio.sleep(BRIEF)
    work.finished()


TASKS = {"nothing": nothing, "brief": brief}


def publish(tasks: Iterable[Kind]) -> None:
    asyncio.run(_publish(tasks))


async def _publish(tasks: Iterable[Kind]) -> None:
    await broker.startup()
    remaining = iter(tasks)
    # Each waits for its confirm.
    while chunk := list(islice(remaining, 100)):
        await asyncio.gather(*(TASKS[task].kiq() for task in chunk))
    await broker.shutdown()
