"""Schedules for tests."""

from datetime import datetime
from typing import Any

from django_celery_beat.models import IntervalSchedule, PeriodicTask

from rowlock.models import Missed, Run, Schedule

ADD = "example.tasks.basic.add"


def every(count: int, period: str = "seconds", *, missed: Missed | None = None, **fields: Any) -> PeriodicTask:
    """A schedule of `add`; `since` and `last` are times from which on beat knows it, and of its last run."""
    interval, _ = IntervalSchedule.objects.get_or_create(every=count, period=period)
    given = {"name": f"every {count} {period}", "task": ADD, "args": "[1, 2]", **fields}
    made: PeriodicTask = PeriodicTask.objects.create(interval=interval, **given)
    if missed is not None:
        Schedule.objects.create(task=made, missed=missed)
    return made


def made_at(task: PeriodicTask, moment: datetime) -> PeriodicTask:
    """As if `task` had been made, and last changed, at `moment`."""
    PeriodicTask.objects.filter(pk=task.pk).update(date_changed=moment)
    task.refresh_from_db()
    return task


def due_times(**chosen: Any) -> list[datetime | None]:
    """When the runs were due, in the order in which they are published."""
    return list(Run.objects.filter(**chosen).order_by("publish_after", "id").values_list("due", flat=True))
