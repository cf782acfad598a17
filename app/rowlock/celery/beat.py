"""Health of beat."""

import time
from typing import Any

from celery.beat import Service

from rowlock.conf import health_address
from rowlock.health.report import Report
from rowlock.health.server import serve

#: Seconds without a move of the main loop after which beat counts as dead. It wakes every second; a slow database may
#: hold it up for a while.
DEAD = 120.0
#: Seconds without a move after which it is not ready: whatever holds it up, nothing ticks.
STUCK = 20.0


def start_health_of_beat(sender: Service, **kwargs: Any) -> None:
    """Serve the health of the beat that is starting; a handler of Celery's beat_init signal."""

    def report() -> Report:
        # Service builds its scheduler in the main thread; asking before that would build a second one here.
        return report_of(sender.__dict__.get("scheduler"))

    serve(health_address(), report)


def report_of(scheduler: Any) -> Report:
    """What a scheduler says of itself; None is one that is not built yet.

    It is ready when it ticks, and also when it knows that another does. Alive is who moves, also in vain: a database
    that is away makes beat unready, and no restart would bring it back.
    """
    if scheduler is None:
        return Report(started=False, ready=False, alive=True, detail="beat is starting")
    if not hasattr(scheduler, "status"):
        detail = "beat runs; rowlock.celery.scheduler:Scheduler as beat_scheduler would tell more"
        return Report(started=True, ready=True, alive=True, detail=detail)
    still = time.monotonic() - scheduler.moved
    status = scheduler.status
    if status is None:
        return Report(started=False, ready=False, alive=still < DEAD, detail=f"in its first turn for {still:.0f} s")
    detail = f"{status.state}: {status.detail}"
    if still >= STUCK:
        detail = f"stuck for {still:.0f} s, before that {detail}"
    ready = status.state != "hindered" and still < STUCK
    return Report(started=True, ready=ready, alive=still < DEAD, detail=detail)
