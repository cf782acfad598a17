"""Memory that the processes of a prefork worker share.

A child starts with its parent's pages, and a page is copied as soon as one of them writes to it. The garbage collector
writes to every object that it looks at, in the parent as in the children; what is frozen it leaves alone. And what each
child would load by itself its parent loads before: the first connection to Postgres has OpenSSL make tables of 6 MiB.
"""

import gc
from typing import Any

from celery import bootsteps
from celery.concurrency.prefork import TaskPool
from celery.utils.log import get_logger
from django.db import Error as DatabaseError
from django.db import connection

logger = get_logger(__name__)

#: Seconds for a database to answer. A worker starts without one too.
PATIENCE = 2


class SharedMemory(bootsteps.Step):
    """Freezes what a worker has loaded, before its first child is made."""

    requires = ("celery.worker.components:Pool",)

    def create(self, worker: Any) -> None:
        # Steps are created before the first of them starts, so before the pool forks.
        if isinstance(worker.pool, TaskPool):
            _load_what_connecting_takes()
        # Not again before later forks: the garbage of the worker's own work would stay for ever.
        gc.collect()
        gc.freeze()


def _load_what_connecting_takes() -> None:
    if connection.vendor != "postgresql":
        return
    once = connection.copy()
    # Not of a pool, whose threads a child would not have.
    options = {name: value for name, value in once.settings_dict["OPTIONS"].items() if name != "pool"}
    once.settings_dict["OPTIONS"] = {**options, "connect_timeout": PATIENCE}
    try:
        once.ensure_connection()
    except DatabaseError as error:
        logger.info("each child connects to the database without its parent's help: %s", error)
    finally:
        once.close()
