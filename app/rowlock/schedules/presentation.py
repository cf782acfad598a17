"""Schedules as JSON, the same for the API and the page."""

import json
from typing import Any

from django_celery_beat.models import PeriodicTask

from rowlock.models import Missed
from rowlock.redaction import hides_arguments
from rowlock.runs import registry
from rowlock.runs.presentation import moment
from rowlock.schedules.times import next_due, shown, spoken

#: Beat makes it by itself.
CLEANUP = "celery.backend_cleanup"


def presented(task: PeriodicTask) -> dict[str, Any]:
    """All that is shown of a schedule."""
    hidden = hides_arguments(task.task)
    args, kwargs = (None, None) if hidden else stored_arguments(task)
    return {
        "id": task.id,
        "name": task.name,
        "task": task.task,
        "schedule": shown(task),
        "when": spoken(task),
        "args": args,
        "kwargs": kwargs,
        "arguments_redacted": hidden,
        "queue": task.queue,
        "priority": task.priority,
        "enabled": task.enabled,
        "one_off": task.one_off,
        "starts": moment(task.start_time),
        "ends": moment(task.expires),
        "expire_seconds": task.expire_seconds,
        "missed": task.rowlock.missed if hasattr(task, "rowlock") else Missed.SKIP,
        "description": task.description,
        "from_settings": is_from_settings(task),
        "next": moment(next_due(task)),
        "last_run": moment(task.last_run_at),
        "run_count": task.total_run_count,
        "changed": moment(task.date_changed),
    }


def stored_arguments(task: PeriodicTask) -> tuple[list[Any] | None, dict[str, Any] | None]:
    """The arguments of a schedule; None for those that are not JSON, which the column allows."""
    return _read(task.args or "[]", list), _read(task.kwargs or "{}", dict)


def is_from_settings(task: PeriodicTask) -> bool:
    """Does beat write this one at each start?"""
    return task.name == CLEANUP or task.name in registry.celery_app().conf.beat_schedule


def _read(text: str, kind: type) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, kind) else None
