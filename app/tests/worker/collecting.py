"""The example's Celery app with a task that looks at the memory of the process that executes it."""

import gc
from pathlib import Path

from example.celery import app

__all__ = ["app"]


@app.task(name="tests.own_share")
def own_share() -> float:
    """The share of this process's memory that no other process has, once its garbage collector has been everywhere."""
    gc.collect()
    own = sum(map(_kilobytes, ("Private_Clean:", "Private_Dirty:")))
    return own / _kilobytes("Rss:")


def _kilobytes(name: str) -> int:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))
