"""Operations on the schedules of django-celery-beat."""

from http import HTTPStatus
from typing import Annotated, Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Query, Router

from rowlock.api.answers import answer, only_parameters
from rowlock.api.authentication import require, viewer_in
from rowlock.api.run_schemas import RunSummary
from rowlock.api.schedule_schemas import Schedule, ScheduleChange, ScheduleIn, SchedulePage
from rowlock.runs.presentation import summary
from rowlock.runs.viewer import Viewer
from rowlock.schedules import editing
from rowlock.schedules.editing import Editor
from rowlock.schedules.presentation import presented

router = Router(tags=["schedules"])


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
    found = editing.schedules().filter(Q(name__icontains=q) | Q(task__icontains=q), name__gt=after).order_by("name")
    page = list(found[: limit + 1])
    more = len(page) > limit
    return answer(
        {"schedules": [presented(task) for task in page[:limit]], "next": page[limit - 1].name if more else None}
    )


@router.post("/", response={201: Schedule})
def create_schedule(request: HttpRequest, schedule: ScheduleIn) -> HttpResponse:
    """Make a schedule; beat follows it within seconds."""
    only_parameters(request)
    editor = _editor(request)
    task = editing.create(_values(schedule, set(ScheduleIn.model_fields)), by=editor)
    headers = {"Location": reverse("rowlock-api:get_schedule", args=[task.id])}
    return answer(presented(task), HTTPStatus.CREATED, headers=headers)


@router.get("/{id}", response=Schedule)
def get_schedule(request: HttpRequest, id: str) -> HttpResponse:
    """One schedule."""
    only_parameters(request)
    _require_sight(request)
    return answer(presented(editing.find(id)))


@router.patch("/{id}", response=Schedule)
def change_schedule(request: HttpRequest, id: str, change: ScheduleChange) -> HttpResponse:
    """Change what is given, and leave the rest."""
    only_parameters(request)
    editor = _editor(request)
    return answer(presented(editing.change(id, _values(change, change.model_fields_set), by=editor)))


@router.delete("/{id}", response={204: None})
def delete_schedule(request: HttpRequest, id: str) -> HttpResponse:
    """Delete a schedule. Runs that it has started stay."""
    only_parameters(request)
    editing.delete(id, by=_editor(request))
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


@router.post("/{id}/enable", response=Schedule)
def enable_schedule(request: HttpRequest, id: str) -> HttpResponse:
    """Let beat follow it."""
    only_parameters(request)
    return answer(presented(editing.switch(id, on=True, by=_editor(request))))


@router.post("/{id}/disable", response=Schedule)
def disable_schedule(request: HttpRequest, id: str) -> HttpResponse:
    """Keep it, and start nothing by it."""
    only_parameters(request)
    return answer(presented(editing.switch(id, on=False, by=_editor(request))))


@router.post("/{id}/run", response={202: RunSummary})
def run_schedule(request: HttpRequest, id: str) -> HttpResponse:
    """Start its task now, beside the times of the schedule, also when it is disabled."""
    only_parameters(request)
    run = editing.run_now(id, by=_editor(request))
    headers = {"Location": reverse("rowlock-api:get_run", args=[run.id])}
    return answer(summary(run), HTTPStatus.ACCEPTED, headers=headers)


def _values(given: ScheduleIn | ScheduleChange, names: set[str]) -> dict[str, Any]:
    values = {name: getattr(given, name) for name in names}
    if "schedule" in values:
        values["schedule"] = values["schedule"].model_dump()
    return values


def _require_sight(request: HttpRequest) -> None:
    require(viewer_in(request).sees_all, "rowlock.view_run", "see schedules")


def _editor(request: HttpRequest) -> Editor:
    viewer: Viewer = viewer_in(request)
    require(viewer.may_operate, "rowlock.operate_run", "change and run schedules")
    return Editor(name=viewer.name, via="api")
