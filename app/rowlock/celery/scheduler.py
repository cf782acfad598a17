"""The scheduler of beat: django-celery-beat's, watched. Importing this needs Django's apps to be loaded."""

import time
from typing import Any

from django_celery_beat.schedulers import DatabaseScheduler
from prometheus_client import Gauge

LAST_TICK = Gauge("rowlock_beat_last_tick_timestamp_seconds", "When beat last looked for due schedules, Unix time.")


class WatchedScheduler(DatabaseScheduler):
    """DatabaseScheduler that says when it last ticked."""

    #: Monotonic seconds of the last tick; None before the first.
    last_tick: float | None = None

    def tick(self, *args: Any, **kwargs: Any) -> float:
        delay: float = super().tick(*args, **kwargs)
        self.last_tick = time.monotonic()
        LAST_TICK.set_to_current_time()
        return delay
