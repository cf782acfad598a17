"""arq on Redis; its tasks are coroutines, 100 at a time a process, and sleep as such.

A worker looks for jobs every `poll_delay`, by default half a second: here at once. `keep_result=0` as nobody reads
results. uvloop is not documented, and used as streaQ's benchmark of both uses it. Jobs are published one by one, 100 at
a time: there is no other way. https://arq-docs.helpmanual.io/#arq.worker.Worker,
https://github.com/tastyware/streaq/tree/master/benchmarks

As a program this is `arq peers.arq_redis.WorkerSettings` but for its log of every job.
"""

import asyncio
import os
from collections.abc import Iterable
from itertools import islice
from typing import Any

import uvloop
from arq import create_pool, run_worker
from arq.connections import RedisSettings

import work
from work import BRIEF, Kind

REDIS = RedisSettings.from_dsn(os.environ["REDIS_URL"])
QUEUE = os.environ["QUEUE"]


async def nothing(context: dict[str, Any]) -> None:
    work.finished()


async def brief(context: dict[str, Any]) -> None:
    await asyncio.sleep(BRIEF)
    work.finished()


class WorkerSettings:
    functions = [nothing, brief]
    redis_settings = REDIS
    queue_name = QUEUE
    max_jobs = 100
    poll_delay = 0.01
    keep_result = 0


def publish(tasks: Iterable[Kind]) -> None:
    asyncio.run(_publish(tasks))


async def _publish(tasks: Iterable[Kind]) -> None:
    pool = await create_pool(REDIS, default_queue_name=QUEUE)
    remaining = iter(tasks)
    while chunk := list(islice(remaining, 100)):
        await asyncio.gather(*(pool.enqueue_job(task) for task in chunk))
    await pool.aclose()


if __name__ == "__main__":
    uvloop.install()
    run_worker(WorkerSettings)  # type: ignore[arg-type, unused-ignore]
