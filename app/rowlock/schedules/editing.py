"""Making, changing and deleting schedules, and starting their tasks beside their times."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django_celery_beat.models import PeriodicTask

from rowlock import audit, runs
from rowlock.models import Run
from rowlock.models import Schedule as KeptOfSchedule
from rowlock.runs import registry
from rowlock.runs.arguments import checked_arguments
from rowlock.runs.errors import OptionsError
from rowlock.schedules.errors import FromSettingsError, NameTakenError, NoSuchScheduleError, ScheduleError, wrong
from rowlock.schedules.followed import KINDS
from rowlock.schedules.presentation import is_from_settings, stored_arguments
from rowlock.schedules.times import NO_EPHEM, has_ephem, row_of, spoken_error

#: What may be changed of a schedule that comes from the project's settings.
OF_EVERY_SCHEDULE = frozenset({"enabled", "description"})

_COLUMNS = {"starts": "start_time", "ends": "expires"}
#: Fits the column.
_ID = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Editor:
    """Who changes schedules, and by which way, for the audit log."""

    name: str
    via: audit.Way


def schedules() -> QuerySet[PeriodicTask]:
    """All schedules, with what is shown of them."""
    found: QuerySet[PeriodicTask] = PeriodicTask.objects.select_related(*KINDS, "rowlock")
    return found


def find(id: str, *, lock: bool = False) -> PeriodicTask:
    """Raises NoSuchScheduleError on anything but the id of a schedule."""
    # Postgres cannot lock the empty side of the joins.
    candidates = schedules().select_for_update(of=("self",)) if lock else schedules()
    found = candidates.filter(id=int(id)).first() if _ID.fullmatch(id) else None
    if found is None:
        raise NoSuchScheduleError(f"There is no schedule {id[:100]!r}.")
    return found


def create(values: Mapping[str, Any], *, by: Editor) -> PeriodicTask:
    """A new schedule; beat follows it within seconds.

    `values` are name, task, schedule (see `times.row_of`), args, kwargs, queue, priority, enabled, one_off, starts,
    ends, expire_seconds, missed and description; all of them. Raises ScheduleErrors, ArgumentsError and
    UnknownTaskError on what beat could not follow.
    """
    task = PeriodicTask(name=values["name"])
    with transaction.atomic():
        _change(task, {name: value for name, value in values.items() if name != "name"})
        _record(by, "create", task, task=task.task)
    return task


def change(id: str, values: Mapping[str, Any], *, by: Editor) -> PeriodicTask:
    """Change what is given, and leave the rest; raises as `create`, and FromSettingsError."""
    with transaction.atomic():
        task = find(id, lock=True)
        if is_from_settings(task) and values.keys() - OF_EVERY_SCHEDULE:
            raise _from_settings(task, "change")
        _change(task, values)
        _record(by, "change", task, changed=sorted(values))
    return task


def switch(id: str, *, on: bool, by: Editor) -> PeriodicTask:
    """Let beat follow it, or keep it and start nothing by it."""
    with transaction.atomic():
        task = find(id, lock=True)
        task.enabled = on
        _check_consistent(task)
        _save(task, {"enabled"})
        _record(by, "enable" if on else "disable", task)
    return task


def delete(id: str, *, by: Editor) -> PeriodicTask:
    """Delete a schedule, which is returned; runs that it has started stay. Raises FromSettingsError."""
    with transaction.atomic():
        task = find(id, lock=True)
        if is_from_settings(task):
            raise _from_settings(task, "delete")
        _record(by, "delete", task, task=task.task)
        task.delete()
    return task


def run_now(id: str, *, by: Editor) -> Run:
    """Start its task now, beside the times of the schedule, also when it is disabled; as a run of `by`."""
    task = find(id)
    args, kwargs = stored_arguments(task)
    if args is None or kwargs is None:
        raise OptionsError("The arguments of this schedule are not JSON; change them first.")
    with transaction.atomic():
        run = runs.submit(
            task.task,
            args,
            kwargs,
            queue=task.queue or None,
            priority=task.priority,
            expires=task.expire_seconds,
            owner=by.name,
        )
        _record(by, "run", task, run=str(run.id))
    return run


def _record(by: Editor, action: str, schedule: PeriodicTask, **detail: Any) -> None:
    audit.record(
        actor=by.name,
        action=action,
        kind="schedule",
        target=schedule.name,
        detail={"id": schedule.pk, **detail},
        via=by.via,
    )


def _change(task: PeriodicTask, values: Mapping[str, Any]) -> None:
    names = values.keys()
    with transaction.atomic():
        for name in names - {"schedule", "args", "kwargs", "missed"}:
            setattr(task, _COLUMNS.get(name, name), values[name])
        if names & {"task", "args", "kwargs"}:
            _set_arguments(task, values)
        if "queue" in names and task.queue is not None:
            _check_queue(task.queue)
        if "schedule" in names:
            _set_times(task, values["schedule"])
        task.one_off = task.one_off or task.clocked is not None
        _check_consistent(task)
        _save(task, names - {"missed"})
        if "missed" in names:
            _set_missed(task, values["missed"])


def _set_missed(task: PeriodicTask, missed: str) -> None:
    kept = task.rowlock if hasattr(task, "rowlock") else KeptOfSchedule(task=task)
    if kept.missed != missed:
        kept.missed = missed
        kept.save()


def _set_arguments(task: PeriodicTask, values: Mapping[str, Any]) -> None:
    args, kwargs = stored_arguments(task)
    args, kwargs = values.get("args", args), values.get("kwargs", kwargs)
    checked_arguments(registry.find_task(task.task), args or [], kwargs or {})
    task.args, task.kwargs = json.dumps(args or []), json.dumps(kwargs or {})


def _check_queue(queue: str) -> None:
    try:
        registry.check_queue(queue)
    except OptionsError as error:
        raise wrong("queue", str(error)) from None


def _set_times(task: PeriodicTask, when: Mapping[str, Any]) -> None:
    for kind in KINDS:
        setattr(task, kind, None)
    setattr(task, when["type"], row_of(when))


def _check_consistent(task: PeriodicTask) -> None:
    if task.expires is not None and task.expire_seconds is not None:
        raise wrong(
            "expire_seconds", "Give either ends or expire_seconds, not both: django-celery-beat has one of them."
        )
    if task.start_time is not None and task.expires is not None and task.expires <= task.start_time:
        raise wrong("ends", "ends must be after starts.")
    if task.enabled and task.solar is not None and not has_ephem():
        raise wrong("event", NO_EPHEM)


def _save(task: PeriodicTask, names: set[str]) -> None:
    try:
        with transaction.atomic():
            if task.pk is None:
                task.save()
                return
            # Beat writes the times of runs to the same row while this one is changed.
            columns = {_COLUMNS.get(name, name) for name in names - {"schedule"}} | {"one_off", "date_changed"}
            if "schedule" in names:
                columns |= set(KINDS)
            if not task.enabled:
                columns.add("last_run_at")
            task.save(update_fields=columns)
    except IntegrityError:
        raise _name_is_taken(task) from None
    except ValidationError as error:
        if "name" in getattr(error, "error_dict", {}):
            raise _name_is_taken(task) from None
        told = spoken_error(error)
        raise ScheduleError(told, fields={}) from None


def _name_is_taken(task: PeriodicTask) -> NameTakenError:
    message = f"There is a schedule {task.name!r} already; names are unique."
    return NameTakenError(message, fields={"name": message})


def _from_settings(task: PeriodicTask, what: str) -> FromSettingsError:
    return FromSettingsError(
        f"The schedule {task.name!r} comes from the project's settings, and beat would restore it: {what} it there. "
        "Here it can be disabled."
    )
