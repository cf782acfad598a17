"""Running a schedule's slots: each is a run, accepted in one transaction with the word that it was."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache
from itertools import islice
from typing import Any

from celery import Celery, Task
from django.db import transaction
from django.db.models import F
from django_celery_beat.models import PeriodicTask

from rowlock import runs
from rowlock.conf import settings
from rowlock.models import Missed
from rowlock.runs import Submission, registry
from rowlock.runs.errors import ArgumentsError, KeyConflictError
from rowlock.schedules.followed import Followed

logger = logging.getLogger(__name__)

#: Slots of one schedule that are caught up; older ones are dropped.
MOST_MISSED = 1000
#: Slots that one transaction takes.
CHUNK = 100
#: Days after which the run of a task that only another service knows is given up, where runs are kept for ever.
FOREIGN_DAYS = 30


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of the due slots of a schedule.

    `submitted` runs are new; `dropped` slots had passed too long ago. `is_stale`: somebody has changed the schedule
    meanwhile, and nothing was done.
    """

    submitted: int = 0
    dropped: int = 0
    is_stale: bool = False


def dispatch(schedule: Followed, now: datetime) -> Outcome:
    """Submit the slots that are due, at most `CHUNK` of them, and advance the schedule.

    Who dispatches the same slot at the same time finds the row changed or the slot's key taken. Raises RunErrors where
    the schedule cannot be submitted, and DatabaseErrors; nothing has happened then.
    """
    slots, dropped = due_slots(schedule, now)
    if not slots:
        return Outcome()
    task = schedule.task
    with transaction.atomic():
        # First, so that another beat waits here and then finds that it is late.
        if not _claim(task, slots):
            return Outcome(is_stale=True)
        submitted = _submit(task, slots)
    schedule.advance(slots[-1])
    task.total_run_count += len(slots)
    if task.one_off:
        task.enabled, schedule.next = False, None
    return Outcome(submitted=submitted, dropped=dropped)


def due_slots(schedule: Followed, now: datetime) -> tuple[list[datetime], int]:
    """The slots to submit now, in order, and how many older ones are dropped for good."""
    if schedule.next is None or schedule.next > now:
        return [], 0
    catches_up = schedule.missed == Missed.CATCH_UP and not schedule.task.one_off
    most = MOST_MISSED if catches_up else 1
    back = schedule.timing.back(schedule.after, now)
    slots = list(islice(back, most))[::-1]
    # Counting further would take as long as beat was away.
    dropped = sum(1 for _ in islice(back, MOST_MISSED))
    return slots[:CHUNK], dropped


def end(task: PeriodicTask) -> None:
    """Disable a schedule whose `expires` has come."""
    PeriodicTask.objects.filter(pk=task.pk, enabled=True, expires=task.expires).update(enabled=False, last_run_at=None)


def key_of(task: PeriodicTask, slot: datetime) -> str:
    """The key of the run for `slot`: one for each slot, whoever submits it and however often."""
    return f"schedule-{task.pk}@{slot.astimezone(UTC).isoformat()}"


def _claim(task: PeriodicTask, slots: Sequence[datetime]) -> bool:
    mine = PeriodicTask.objects.filter(pk=task.pk, enabled=True, last_run_at=task.last_run_at)
    count = F("total_run_count") + len(slots)
    if task.one_off:
        # As django-celery-beat leaves a disabled schedule: switched on again, it begins anew.
        return bool(mine.update(enabled=False, last_run_at=None, total_run_count=count))
    return bool(mine.update(last_run_at=slots[-1], total_run_count=count))


def _submit(task: PeriodicTask, slots: Sequence[datetime]) -> int:
    """Submit a run for each slot; returns how many are new."""
    target = _target(task.task)
    args, kwargs = _arguments(task)
    options = _options(task, is_foreign=isinstance(target, _Foreign))
    each = [
        {"task": target, "args": args, "kwargs": kwargs, "key": key_of(task, slot), "eta": slot, "owner": "", **options}
        for slot in slots
    ]
    try:
        # Of one alone, without a savepoint.
        found = [runs.submit(**each[0])] if len(each) == 1 else runs.submit_many(Submission(**one) for one in each)
    except KeyConflictError as error:
        if len(slots) > 1:
            return sum(_submit(task, [slot]) for slot in slots)
        # The slot was run, and the schedule has other arguments since.
        logger.info("the schedule %r has run for %s already: %s", task.name, slots[0].isoformat(), error)
        return 0
    return sum(run.is_new for run in found)


def _arguments(task: PeriodicTask) -> tuple[list[Any], dict[str, Any]]:
    return _parsed("args", task.args or "[]", list), _parsed("kwargs", task.kwargs or "{}", dict)


def _options(task: PeriodicTask, *, is_foreign: bool) -> dict[str, Any]:
    headers = _parsed("headers", task.headers or "{}", dict)
    options: dict[str, Any] = {
        "queue": task.queue or None,
        "exchange": task.exchange or None,
        "routing_key": task.routing_key or None,
        "priority": task.priority,
        "expires": task.expires or task.expire_seconds or None,
        # What Celery and django-celery-beat add; django-celery-results keeps the name.
        "headers": {**headers, "periodic_task_name": task.name, "celery_beat_task": True},
    }
    if is_foreign and options["expires"] is None:
        # Nobody may ever report how it ended.
        options["expires"] = timedelta(days=settings().retention_days or FOREIGN_DAYS).total_seconds()
    return options


def _parsed(name: str, text: str, kind: type) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArgumentsError(f"The {name} of the schedule are not JSON: {error}.") from None
    if not isinstance(value, kind):
        what = "a list" if kind is list else "an object"
        raise ArgumentsError(f"The {name} of the schedule must be {what} of JSON, not {text[:100]}.")
    return value


class _Foreign(Task):
    """A task that only another service has: without a `run` of its own it takes any arguments."""


def _target(name: str) -> Task:
    # Also one of Celery's own, which nobody may submit otherwise: beat's default schedule has one.
    return registry.registered(name) or _foreign(registry.celery_app(), name)


@cache
def _foreign(app: Celery, name: str) -> Task:
    near = get_close_matches(name, registry.task_names(), n=1, cutoff=0.8)
    logger.warning(
        "this project has no task %r%s; its schedule publishes it for a service that has it",
        name,
        f" (did you mean {near[0]!r}?)" if near else "",
    )
    task = type("_Foreign", (_Foreign,), {"name": name})()
    task.bind(app)
    return task
