"""The schedules of the project's settings, written to the database when beat begins to tick.

As django-celery-beat does it, but only what differs: else every start of beat would count as a change of the schedule.
"""

import logging
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from celery import Celery
from celery.schedules import BaseSchedule, crontab, maybe_schedule
from celery.schedules import schedule as interval
from django.db import DatabaseError, transaction
from django.db.models import Model
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from django_celery_beat.schedulers import ModelEntry
from kombu.utils.json import dumps

from rowlock.models import Missed, Schedule
from rowlock.schedules.followed import KINDS

logger = logging.getLogger(__name__)

CLEANUP = "celery.backend_cleanup"


def write_settings(app: Celery) -> None:
    """Write `beat_schedule`, and Celery's own clean-up of results; raises DatabaseErrors.

    What cannot be written is logged, and the rest is written.
    """
    entries: dict[str, Mapping[str, Any]] = dict(app.conf.beat_schedule)
    if app.conf.result_expires:
        cleanup = {"task": CLEANUP, "schedule": crontab("0", "4", "*"), "options": {"expire_seconds": 12 * 3600}}
        entries = {CLEANUP: cleanup, **entries}
    for name, entry in entries.items():
        try:
            with transaction.atomic():
                _write(app, name, dict(entry))
        except DatabaseError:
            raise
        except Exception as error:  # whatever Celery and django-celery-beat make of a mistake; the others are written
            logger.error("the schedule %r of beat_schedule cannot be used: %s", name, error)  # noqa: TRY400


def _write(app: Celery, name: str, entry: dict[str, Any]) -> None:
    options = dict(entry.pop("options", None) or {})
    missed = options.pop("missed", Missed.SKIP)
    if missed not in Missed:
        raise ValueError(f"the option missed must be one of {', '.join(Missed)}, not {missed!r}")
    wanted = _fields(app, options=options, **entry)
    task = PeriodicTask.objects.filter(name=name).select_related(*KINDS).first()
    if task is None:
        task = PeriodicTask(name=name, **wanted)
        task.save()
    elif any(_value(task, field) != value for field, value in wanted.items()):
        for field, value in wanted.items():
            setattr(task, field, value)
        # Beat writes the times of runs to the same row.
        task.save(update_fields=[*wanted, "date_changed"])
    kept = Schedule.objects.filter(task=task).first() or Schedule(task=task)
    if kept.missed != missed:
        kept.missed = missed
        kept.save()


def _value(task: PeriodicTask, field: str) -> Any:
    value = getattr(task, field)
    # The columns that hold text have null for nothing.
    return "{}" if field == "headers" and value is None else value


def _fields(
    app: Celery,
    *,
    task: str,
    schedule: Any,
    args: Any = None,
    kwargs: Any = None,
    relative: bool = False,
    options: dict[str, Any],
    **more: Any,
) -> dict[str, Any]:
    if not isinstance(schedule, int | float | timedelta | BaseSchedule):
        raise TypeError(f"schedule must be seconds, a timedelta, or a crontab, solar or clocked, not {schedule!r}")
    kind, row = _row(maybe_schedule(schedule, relative, app=app))
    fields: dict[str, Any] = dict.fromkeys(KINDS)
    return {
        **fields,
        kind: row,
        "task": task,
        "args": dumps(args or []),
        "kwargs": dumps(kwargs or {}),
        "queue": options.get("queue"),
        "exchange": options.get("exchange"),
        "routing_key": options.get("routing_key"),
        "priority": options.get("priority"),
        "headers": dumps(options.get("headers") or {}),
        "expire_seconds": _seconds(options.get("expire_seconds", options.get("expires"))),
        **more,
    }


def _seconds(expires: Any) -> int | None:
    """`expires` as Celery takes it in seconds, which django-celery-beat forgets."""
    if expires is None or isinstance(expires, int):
        return expires
    if isinstance(expires, datetime):
        raise TypeError("expires must be seconds: a time would be the same for every run")
    return math.ceil(expires.total_seconds() if isinstance(expires, timedelta) else expires)


def _row(when: Any) -> tuple[str, Model]:
    """The row of django-celery-beat for one of Celery's schedules, found or made."""
    if isinstance(when, interval) and when.run_every % timedelta(seconds=1):
        # Otherwise it would be rounded down to whole seconds, or to none.
        every = when.run_every // timedelta(microseconds=1)
        row, _ = IntervalSchedule.objects.get_or_create(every=every, period=IntervalSchedule.MICROSECONDS)
        return "interval", row
    if isinstance(when, crontab):
        when = _spelt(when)
    for kind, model, field in ModelEntry.model_schedules:
        if isinstance(when, kind):
            found = model.from_schedule(when)
            if found.pk is None:
                found.save()
            return field, found
    raise TypeError(f"{when!r} is none of the schedules that the database has columns for")


def _spelt(when: crontab) -> crontab:
    """`when` with its parts as text, which may be given as numbers and sets."""
    names = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year")
    texts = {name: _text(getattr(when, f"_orig_{name}")) for name in names}
    return crontab(**texts, app=when.app)


def _text(part: Any) -> str:
    return str(part) if isinstance(part, str | int) else ",".join(str(number) for number in sorted(part))
