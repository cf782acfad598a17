"""Memory that the processes of a prefork worker share.

A child starts with its parent's pages, and a page is copied as soon as one of them writes to it. The garbage collector
writes to every object that it looks at, in the parent as in the children; what is frozen it leaves alone.
"""

import gc
from typing import Any

from celery import bootsteps


class SharedMemory(bootsteps.Step):
    """Freezes what a worker has loaded, before its first child is made."""

    requires = ("celery.worker.components:Pool",)

    def create(self, worker: Any) -> None:
        # Steps are created before the first of them starts, so before the pool forks.
        # Not again before later forks: the garbage of the worker's own work would stay for ever.
        gc.collect()
        gc.freeze()
