"""The schedules: what is due when, what became of the latest times, and changing all of it."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.urls import path, reverse
from django.utils.http import urlencode
from django_celery_beat.models import PeriodicTask

from rowlock.console.access import VIEW, ConsoleRequest, action, form, page, require, require_operator
from rowlock.console.answers import confirm, done, leave, refused
from rowlock.console.rendering import render_fragment, render_page
from rowlock.console.schedule_form import ScheduleForm
from rowlock.runs.errors import RunError
from rowlock.schedules import editing
from rowlock.schedules.editing import Editor
from rowlock.schedules.errors import NoSuchScheduleError
from rowlock.schedules.history import History, histories
from rowlock.schedules.presentation import is_from_settings
from rowlock.schedules.times import next_due, spoken

#: Schedules on a page.
LIMIT = 100
LONGEST_QUERY = 200


@dataclass(frozen=True, kw_only=True)
class Row:
    """A schedule as the list shows it."""

    task: PeriodicTask
    history: History

    @property
    def words(self) -> str:
        return spoken(self.task)

    @property
    def next(self) -> Any:
        return next_due(self.task)

    @property
    def is_from_settings(self) -> bool:
        return is_from_settings(self.task)

    @property
    def oldest_first(self) -> Any:
        return self.history.past[::-1]


@page
def listing(request: ConsoleRequest) -> HttpResponse:
    """All schedules, by name."""
    require(request.viewer.sees_all, VIEW, "see schedules")
    query, after = (request.GET.get(name, "").replace("\0", "")[:LONGEST_QUERY] for name in ("q", "after"))
    matching = editing.schedules().filter(Q(name__icontains=query) | Q(task__icontains=query), name__gt=after)
    found = list(matching.order_by("name")[: LIMIT + 1])
    tasks, is_more = found[:LIMIT], len(found) > LIMIT
    past = histories(tasks)
    rows = [Row(task=task, history=past[task.pk]) for task in tasks]
    here = reverse("rowlock-console:schedules")
    context: dict[str, Any] = {
        "rows": rows,
        "query": query,
        "late": [row for row in rows if row.history.late_since],
        "part": f"{here}?{urlencode({'q': query, 'after': after})}",
        "first": f"{here}?{urlencode({'q': query})}" if after else "",
        "next": f"{here}?{urlencode({'q': query, 'after': tasks[-1].name})}" if is_more else "",
    }
    if request.htmx:
        return render_fragment(request, "rowlock/console/schedules/rows.html", **context)
    return render_page(request, "rowlock/console/schedules/list.html", here="schedules", **context)


@form
def creating(request: ConsoleRequest) -> HttpResponse:
    """A new one."""
    require_operator(request, "make schedules")
    return _edit(request, None)


@form
def changing(request: ConsoleRequest, id: str) -> HttpResponse:
    """One that there is."""
    require_operator(request, "change schedules")
    return _edit(request, _find(id))


@form
def previewing(request: ConsoleRequest) -> HttpResponse:
    """The next times of what stands in the form."""
    require_operator(request, "make schedules")
    data = request.POST if request.method == "POST" else request.GET
    return render_fragment(request, "rowlock/console/schedules/preview.html", preview=ScheduleForm(data).preview())


@action
def switching(request: ConsoleRequest, id: str) -> HttpResponse:
    """On or off."""
    require_operator(request, "switch schedules")
    _find(id)
    on = request.POST.get("enabled") == "yes"
    try:
        task = editing.switch(id, on=on, by=_editor(request))
    except RunError as error:
        return refused(request, error)
    word = "enabled: its next times count" if on else "disabled: nothing is started by it"
    return done(request, f"{task.name} is {word}.", back=reverse("rowlock-console:schedules"))


@action
def running(request: ConsoleRequest, id: str) -> HttpResponse:
    """Its task now, beside its times."""
    require_operator(request, "run schedules")
    task = _find(id)
    try:
        run = editing.run_now(id, by=_editor(request))
    except RunError as error:
        return refused(request, error)
    return leave(request, f"{task.name} was started.", to=reverse("rowlock-console:run", args=[run.id]))


@form
def deleting(request: ConsoleRequest, id: str) -> HttpResponse:
    """Ask, and delete it."""
    require_operator(request, "delete schedules")
    task = _find(id)
    back = reverse("rowlock-console:schedules")
    if request.method != "POST":
        return confirm(
            request,
            title=f"Delete {task.name}?",
            text=f"It has started {task.total_run_count:,} runs, which stay; no more will follow. To only pause it, "
            "disable it.",
            label="Delete",
            action=reverse("rowlock-console:schedule-delete", args=[id]),
            back=back,
            danger=True,
        )
    try:
        editing.delete(id, by=_editor(request))
    except RunError as error:
        return refused(request, error)
    return leave(request, f"{task.name} was deleted.", to=back)


def _edit(request: ConsoleRequest, task: PeriodicTask | None) -> HttpResponse:
    filled = ScheduleForm(request.POST if request.method == "POST" else None, schedule=task)
    if request.method != "POST" and task is None and request.GET.get("task"):
        filled.initial["task"] = request.GET["task"]
    is_preview = "preview" in request.POST
    if request.method == "POST" and filled.is_valid() and not is_preview:
        try:
            if task is None:
                saved = editing.create(filled.values, by=_editor(request))
            else:
                saved = editing.change(str(task.pk), filled.values, by=_editor(request)) if filled.values else task
        except RunError as error:
            filled.refuse(error)
        else:
            return leave(request, f"{saved.name} is saved.", to=reverse("rowlock-console:schedules"))
    shown = filled if filled.is_bound else ScheduleForm(_as_data(filled), schedule=task)
    return render_page(
        request,
        "rowlock/console/schedules/form.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if filled.is_bound and filled.errors else HTTPStatus.OK,
        here="schedules",
        form=filled,
        task=task,
        preview=shown.preview() if task is not None or is_preview else None,
    )


def _as_data(form: ScheduleForm) -> dict[str, Any]:
    """What the form would send as it is shown first."""
    return {bound.html_name: bound.value() for bound in form if bound.value() not in (None, False)}


def _find(id: str) -> PeriodicTask:
    try:
        return editing.find(id)
    except NoSuchScheduleError as error:
        raise Http404(str(error)) from None


def _editor(request: ConsoleRequest) -> Editor:
    return Editor(name=request.viewer.name, via="console")


urlpatterns = [
    path("schedules/", listing, name="schedules"),
    path("schedules/new/", creating, name="schedule-new"),
    path("schedules/preview/", previewing, name="schedule-preview"),
    path("schedules/<str:id>/", changing, name="schedule"),
    path("schedules/<str:id>/switch/", switching, name="schedule-switch"),
    path("schedules/<str:id>/run/", running, name="schedule-run"),
    path("schedules/<str:id>/delete/", deleting, name="schedule-delete"),
]
