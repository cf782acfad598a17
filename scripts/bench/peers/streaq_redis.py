"""streaQ on Redis streams, the successor of arq; its tasks are coroutines, 32 at a time a process, and sleep as such.

As its own benchmark runs it, with the concurrency, uvloop and faster Redis client of there; `silent` and `ttl=0` of a
task spare it the log and the result, which nobody reads. Tasks are published in pipelines. An entry of the stream is
acknowledged after execution. https://github.com/tastyware/streaq/tree/master/benchmarks,
https://streaq.readthedocs.io/en/latest/worker.html, https://streaq.readthedocs.io/en/latest/task.html
"""

import asyncio
import os
from collections.abc import Iterable
from itertools import islice
from typing import Any

import coredis
from streaq import Worker

import work
from work import BRIEF, Kind

coredis.Config.optimized = True
worker: Any = Worker(
    redis_url=os.environ["REDIS_URL"],
    queue_name=os.environ["QUEUE"],
    concurrency=32,
    anyio_kwargs={"use_uvloop": True},
)


@worker.task(silent=True, ttl=0)
async def nothing() -> None:
    work.finished()


@worker.task(silent=True, ttl=0)
async def brief() -> None:
    await asyncio.sleep(BRIEF)
    work.finished()


TASKS: dict[str, Any] = {"nothing": nothing, "brief": brief}


def publish(tasks: Iterable[Kind]) -> None:
    asyncio.run(_publish(tasks))


async def _publish(tasks: Iterable[Kind]) -> None:
    remaining = iter(tasks)
    async with worker:
        while chunk := list(islice(remaining, 1000)):
            await worker.enqueue_many([TASKS[task].enqueue() for task in chunk])
