"""What beat says of itself."""

from prometheus_client import Counter, Gauge

LAST_TICK = Gauge("rowlock_beat_last_tick_timestamp_seconds", "When beat last looked for due schedules, Unix time.")
ACTIVE = Gauge("rowlock_beat_active", "1 where this beat holds the lock and ticks, 0 where it stands by.")
LATE = Gauge(
    "rowlock_schedule_late_seconds",
    "How long ago the most overdue slot of any schedule was due; without one, how late the latest was dispatched.",
)
TICKS = Counter("rowlock_beat_ticks_total", "Slots of schedules that beat has submitted.")
FAILURES = Counter("rowlock_beat_failures_total", "Slots that could not be submitted, each time that it was tried.")
DROPPED = Counter("rowlock_beat_dropped_total", "Missed slots that were dropped: older than their schedule catches up.")
