"""Health of beat."""

import time
from typing import Any

from celery.beat import Service

from rowlock.conf import health_address
from rowlock.health.report import Report
from rowlock.health.server import serve

#: Seconds without a tick after which beat counts as dead. It wakes at least every five seconds (max_interval of the
#: database scheduler); a slow database or broker may hold up one tick for a while.
TICK_CEILING = 120.0


def start_health_of_beat(sender: Service, **kwargs: Any) -> None:
    """Serve the health of the beat that is starting; a handler of Celery's beat_init signal."""
    began = time.monotonic()

    def report() -> Report:
        # Service builds its scheduler in the main thread; asking before that would build a second one here.
        scheduler = sender.__dict__.get("scheduler")
        if scheduler is not None and not hasattr(scheduler, "last_tick"):
            detail = "beat runs; rowlock.celery.scheduler:WatchedScheduler as beat_scheduler would tell more"
            return Report(started=True, ready=True, alive=True, detail=detail)
        last_tick: float | None = getattr(scheduler, "last_tick", None)
        silent = time.monotonic() - (last_tick or began)
        ticked, alive = last_tick is not None, silent < TICK_CEILING
        detail = f"ticked {silent:.0f} s ago" if ticked else f"no tick in the {silent:.0f} s since start"
        return Report(started=ticked, ready=ticked and alive, alive=alive, detail=detail)

    serve(health_address(), report)
