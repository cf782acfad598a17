"""Operations on the schedules of django-celery-beat."""

import json
import re
from http import HTTPStatus
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django_celery_beat.models import PeriodicTask
from ninja import Query, Router

from rowlock import runs
from rowlock.api.answers import answer, only_parameters, unknown_queue
from rowlock.api.authentication import require, viewer_in
from rowlock.api.problems import ProblemError
from rowlock.api.run_schemas import RunSummary
from rowlock.api.schedule_presentation import is_from_settings, presented, stored_arguments
from rowlock.api.schedule_schemas import Schedule, ScheduleChange, ScheduleIn, SchedulePage
from rowlock.api.timing import NO_EPHEM, has_ephem, row_of, spoken_error
from rowlock.models import Schedule as KeptOfSchedule
from rowlock.runs import registry
from rowlock.runs.arguments import checked_arguments
from rowlock.runs.errors import OptionsError
from rowlock.runs.presentation import summary
from rowlock.runs.viewer import Viewer

router = Router(tags=["schedules"])

KINDS = ("interval", "crontab", "solar", "clocked")


@router.get("/", response=SchedulePage)
def list_schedules(
    request: HttpRequest,
    q: Annotated[str, Query(description="Part of a name or task.")] = "",
    after: Annotated[str, Query(description="`next` of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> HttpResponse:
    """Schedules by name; those that are disabled too."""
    only_parameters(request, "q", "after", "limit")
    _require_sight(request)
    found = _schedules().filter(Q(name__icontains=q) | Q(task__icontains=q), name__gt=after).order_by("name")
    page = list(found[: limit + 1])
    more = len(page) > limit
    return answer(
        {"schedules": [presented(task) for task in page[:limit]], "next": page[limit - 1].name if more else None}
    )


@router.post("/", response={201: Schedule})
def create_schedule(request: HttpRequest, schedule: ScheduleIn) -> HttpResponse:
    """Make a schedule; beat follows it within seconds."""
    only_parameters(request)
    _require_operator(request)
    task = PeriodicTask(name=schedule.name)
    _change(task, schedule, set(ScheduleIn.model_fields) - {"name"})
    headers = {"Location": reverse("rowlock-api:get_schedule", args=[task.id])}
    return answer(presented(task), HTTPStatus.CREATED, headers=headers)


@router.get("/{id}", response=Schedule)
def get_schedule(request: HttpRequest, id: str) -> HttpResponse:
    """One schedule."""
    only_parameters(request)
    _require_sight(request)
    return answer(presented(_find(id)))


@router.patch("/{id}", response=Schedule)
def change_schedule(request: HttpRequest, id: str, change: ScheduleChange) -> HttpResponse:
    """Change what is given, and leave the rest."""
    only_parameters(request)
    _require_operator(request)
    with transaction.atomic():
        task = _find(id, lock=True)
        given = change.model_fields_set
        if is_from_settings(task) and given - {"enabled", "description"}:
            raise _from_settings(task, "change")
        _change(task, change, given)
    return answer(presented(task))


@router.delete("/{id}", response={204: None})
def delete_schedule(request: HttpRequest, id: str) -> HttpResponse:
    """Delete a schedule. Runs that it has started stay."""
    only_parameters(request)
    _require_operator(request)
    task = _find(id)
    if is_from_settings(task):
        raise _from_settings(task, "delete")
    task.delete()
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


@router.post("/{id}/enable", response=Schedule)
def enable_schedule(request: HttpRequest, id: str) -> HttpResponse:
    """Let beat follow it."""
    return _switch(request, id, on=True)


@router.post("/{id}/disable", response=Schedule)
def disable_schedule(request: HttpRequest, id: str) -> HttpResponse:
    """Keep it, and start nothing by it."""
    return _switch(request, id, on=False)


@router.post("/{id}/run", response={202: RunSummary})
def run_schedule(request: HttpRequest, id: str) -> HttpResponse:
    """Start its task now, beside the times of the schedule, also when it is disabled."""
    only_parameters(request)
    viewer = _require_operator(request)
    task = _find(id)
    args, kwargs = stored_arguments(task)
    if args is None or kwargs is None:
        raise OptionsError("The arguments of this schedule are not JSON; change them first.")
    run = runs.submit(
        task.task,
        args,
        kwargs,
        queue=task.queue or None,
        priority=task.priority,
        expires=task.expire_seconds,
        owner=viewer.name,
    )
    headers = {"Location": reverse("rowlock-api:get_run", args=[run.id])}
    return answer(summary(run), HTTPStatus.ACCEPTED, headers=headers)


def _change(task: PeriodicTask, given: ScheduleIn | ScheduleChange, names: set[str]) -> None:
    """Save `task` with the values of `names`; raises OptionsError and ArgumentsError on what beat cannot use."""
    with transaction.atomic():
        for name in names - {"schedule", "args", "kwargs", "missed"}:
            setattr(task, _COLUMNS.get(name, name), getattr(given, name))
        if names & {"task", "args", "kwargs"}:
            _set_arguments(task, given, names)
        if "queue" in names and task.queue is not None:
            _check_queue(task.queue)
        if "schedule" in names:
            _set_schedule(task, given.schedule)
        task.one_off = task.one_off or task.clocked is not None
        _check_consistent(task)
        _save(task, names - {"missed"})
        if "missed" in names:
            _set_missed(task, given.missed)


def _set_missed(task: PeriodicTask, missed: str) -> None:
    kept = task.rowlock if hasattr(task, "rowlock") else KeptOfSchedule(task=task)
    if kept.missed != missed:
        kept.missed = missed
        kept.save()


_COLUMNS = {"starts": "start_time", "ends": "expires"}


def _set_arguments(task: PeriodicTask, given: ScheduleIn | ScheduleChange, names: set[str]) -> None:
    args, kwargs = stored_arguments(task)
    args = given.args if "args" in names else args
    kwargs = given.kwargs if "kwargs" in names else kwargs
    checked_arguments(registry.find_task(task.task), args or [], kwargs or {})
    task.args, task.kwargs = json.dumps(args or []), json.dumps(kwargs or {})


def _set_schedule(task: PeriodicTask, when: Any) -> None:
    for kind in KINDS:
        setattr(task, kind, None)
    setattr(task, when.type, row_of(when))


def _check_consistent(task: PeriodicTask) -> None:
    if task.expires is not None and task.expire_seconds is not None:
        raise OptionsError("Give either ends or expire_seconds, not both: django-celery-beat has one of them.")
    if task.start_time is not None and task.expires is not None and task.expires <= task.start_time:
        raise OptionsError("ends must be after starts.")
    if task.enabled and task.solar is not None and not has_ephem():
        raise OptionsError(NO_EPHEM)


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
        raise OptionsError(spoken_error(error)) from None


def _name_is_taken(task: PeriodicTask) -> ProblemError:
    return ProblemError(
        HTTPStatus.CONFLICT, f"There is a schedule {task.name!r} already; names are unique.", kind="name-taken"
    )


def _switch(request: HttpRequest, id: str, *, on: bool) -> HttpResponse:
    only_parameters(request)
    _require_operator(request)
    with transaction.atomic():
        task = _find(id, lock=True)
        task.enabled = on
        _check_consistent(task)
        _save(task, {"enabled"})
    return answer(presented(task))


def _schedules() -> QuerySet[PeriodicTask]:
    found: QuerySet[PeriodicTask] = PeriodicTask.objects.select_related(*KINDS, "rowlock")
    return found


def _find(id: str, *, lock: bool = False) -> PeriodicTask:
    # Postgres cannot lock the empty side of the joins.
    candidates = _schedules().select_for_update(of=("self",)) if lock else _schedules()
    found = candidates.filter(id=int(id)).first() if _ID.fullmatch(id) else None
    if found is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"There is no schedule {id[:100]!r}.", kind="no-such-schedule")
    return found


#: Fits the column.
_ID = re.compile(r"[0-9]{1,9}", re.ASCII)


def _check_queue(queue: str) -> None:
    known = registry.queue_names()
    if queue not in known:
        raise unknown_queue(queue, known)


def _from_settings(task: PeriodicTask, what: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.CONFLICT,
        f"The schedule {task.name!r} comes from the project's settings, and beat would restore it: {what} it there. "
        "Here it can be disabled.",
        kind="from-settings",
    )


def _require_sight(request: HttpRequest) -> None:
    require(viewer_in(request).sees_all, "rowlock.view_run", "see schedules")


def _require_operator(request: HttpRequest) -> Viewer:
    viewer = viewer_in(request)
    require(viewer.may_operate, "rowlock.operate_run", "change and run schedules")
    return viewer
