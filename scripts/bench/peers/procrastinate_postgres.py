"""Procrastinate: the queue is a table in Postgres, told of by LISTEN/NOTIFY; tasks are coroutines, 30 at a time a
process as its documentation has it, and sleep as such.

Jobs are deleted at their end, which costs the least of what can be done with them, and published a thousand in a query.
https://procrastinate.readthedocs.io/en/stable/howto/production/concurrency.html,
https://procrastinate.readthedocs.io/en/stable/howto/production/delete_finished_jobs.html,
https://procrastinate.readthedocs.io/en/stable/howto/basics/batch_defer.html
"""

import asyncio
import os
from collections.abc import Iterable
from itertools import groupby, islice
from typing import Any

from procrastinate import App, PsycopgConnector

import work
from work import BRIEF, Kind

QUEUE = os.environ["QUEUE"]

app = App(
    connector=PsycopgConnector(conninfo=os.environ["DATABASE_URL"]),
    import_paths=["peers.procrastinate_postgres"],
    worker_defaults={"queues": [QUEUE]},
)


@app.task(name="nothing", queue=QUEUE)
async def nothing() -> None:
    work.finished()


@app.task(name="brief", queue=QUEUE)
async def brief() -> None:
    await asyncio.sleep(BRIEF)
    work.finished()


TASKS: dict[str, Any] = {"nothing": nothing, "brief": brief}


def publish(tasks: Iterable[Kind]) -> None:
    with app.open():
        if not app.check_connection():
            app.schema_manager.apply_schema()
        remaining = iter(tasks)
        while chunk := list(islice(remaining, 1000)):
            # The same task several times in a row is one query.
            for task, row in groupby(chunk):
                TASKS[task].batch_defer(*({} for _ in row))
