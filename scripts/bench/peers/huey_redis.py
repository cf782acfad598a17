"""Huey on Redis, two worker processes, no results.

RedisHuey blocks on the queue instead of polling; `results=False` as nobody reads them; without periodic tasks there is
no scheduler for them. https://huey.readthedocs.io/en/latest/api.html#Huey,
https://huey.readthedocs.io/en/latest/consumer.html
"""

import os
from collections.abc import Iterable

from huey import RedisHuey

import work
from work import Kind

huey = RedisHuey(os.environ["QUEUE"], url=os.environ["REDIS_URL"], results=False)

TASKS = {task.__name__: huey.task()(task) for task in (work.nothing, work.brief)}


def publish(tasks: Iterable[Kind]) -> None:
    for task in tasks:
        TASKS[task]()
