"""The tasks that are registered, and a form by which each can be run."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from celery import Task
from django.db import transaction
from django.http import Http404, HttpResponse
from django.urls import path, reverse

from rowlock import audit, runs, statistics
from rowlock.console.access import SUBMIT, ConsoleRequest, form, page, require
from rowlock.console.answers import leave
from rowlock.console.rendering import render_page
from rowlock.console.task_inputs import Input, InputError, arguments, inputs_of, json_arguments, moment_of
from rowlock.models import Run
from rowlock.runs import registry
from rowlock.runs.arguments import signature_of
from rowlock.runs.errors import ArgumentsError, KeyConflictError, RunError, UnknownTaskError
from rowlock.statistics import Numbers, Period

_OPTIONS = ("queue", "countdown", "eta", "priority", "key")


@dataclass(frozen=True, kw_only=True)
class Row:
    """A task as the list shows it; `recent` is of the last day, None for who may not see all runs."""

    name: str
    doc: str
    signature: str
    queue: str
    limits: tuple[str, ...]
    recent: Numbers | None


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An input with what stands in it and what is wrong with that."""

    input: Input
    value: str
    error: str


@page
def listing(request: ConsoleRequest) -> HttpResponse:
    """All of them."""
    query = request.GET.get("q", "")[:200]
    recent = _recent(request)
    names = [name for name in registry.task_names() if query.lower() in name.lower()]
    rows = [_row(registry.find_task(name), recent) for name in names]
    return render_page(request, "rowlock/console/tasks/list.html", here="tasks", rows=rows, query=query)


@form
def detail(request: ConsoleRequest, name: str) -> HttpResponse:
    """One task; posting runs it."""
    try:
        task = registry.find_task(name)
    except UnknownTaskError as error:
        raise Http404(str(error)) from None
    if request.method != "POST":
        return _shown(request, task, {}, {})
    require(request.viewer.may_submit, SUBMIT, "run tasks")
    given = {field: value for field, value in request.POST.items() if isinstance(value, str)}
    try:
        run = _submit(task, given, request.viewer.name)
    except InputError as error:
        return _shown(request, task, given, error.fields)
    except RunError as error:
        return _shown(request, task, given, {_field_of(error): str(error)})
    told = f"{task.name} was submitted." if run.is_new else "This key has a run already: this one."
    return leave(request, told, to=reverse("rowlock-console:run", args=[run.id]))


def _submit(task: Task, given: Mapping[str, str], actor: str) -> Run:
    args, kwargs, options = _read(task, given)
    with transaction.atomic():
        run = runs.submit(task.name, args, kwargs, owner=actor, **options)
        if run.is_new:
            audit.record(
                actor=actor,
                action="submit",
                kind="run",
                target=str(run.id),
                detail={"task": task.name, "queue": run.queue},
                via="console",
            )
    return run


def _read(task: Task, given: Mapping[str, str]) -> tuple[list[Any], dict[str, Any], dict[str, Any]]:
    wrong: dict[str, str] = {}
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    options: dict[str, Any] = {}
    inputs = inputs_of(task)
    try:
        if inputs is None or _mode(given) == "json":
            args, kwargs = json_arguments(given.get("args", ""), given.get("kwargs", ""))
        else:
            args, kwargs = arguments(inputs, given)
    except InputError as error:
        wrong |= error.fields
    for name in _OPTIONS:
        text = given.get(name, "").strip()
        try:
            if text:
                options[name] = _READERS[name](text)
        except ValueError as error:
            wrong[name] = str(error)
        except RunError as error:
            wrong[name] = str(error)
    if "countdown" in options and "eta" in options:
        wrong["eta"] = "Give either a delay or a time, not both."
    if wrong:
        raise InputError(wrong)
    return args, kwargs, options


def _queue(text: str) -> str:
    registry.check_queue(text)
    return text


def _countdown(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 366 * 86400 * 100:
        raise ValueError("This must be a number of seconds, 0 or more.")
    return seconds


def _priority(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text[:9]) <= 255):
        raise ValueError("This must be a whole number from 0 to 255.")
    return int(text)


def _key(text: str) -> str:
    if len(text) > 200:
        raise ValueError("A key has 200 characters at the most.")
    return text


_READERS: dict[str, Any] = {
    "queue": _queue,
    "countdown": _countdown,
    "eta": moment_of,
    "priority": _priority,
    "key": _key,
}


def _field_of(error: RunError) -> str:
    if isinstance(error, KeyConflictError):
        return "key"
    return "arguments" if isinstance(error, ArgumentsError) else ""


def _shown(request: ConsoleRequest, task: Task, given: Mapping[str, str], wrong: Mapping[str, str]) -> HttpResponse:
    inputs = inputs_of(task)
    mode = "json" if inputs is None else _mode(given or request.GET)
    recent = _recent(request, task.name)
    return render_page(
        request,
        "rowlock/console/tasks/detail.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        here="tasks",
        row=_row(task, recent),
        mode=mode,
        has_form=inputs is not None,
        inputs=[_input_shown(one, given, wrong) for one in inputs or ()],
        given=given,
        wrong=wrong,
        queues=registry.queue_names(),
        general=[text for field, text in wrong.items() if field in ("", "arguments")],
    )


def _input_shown(one: Input, given: Mapping[str, str], wrong: Mapping[str, str]) -> Shown:
    if one.kind == "bool":
        checked = one.field in given if given else one.default == "true"
        value = "true" if checked else ""
    else:
        value = given.get(one.field, "") if given else one.default
    return Shown(input=one, value=value, error=wrong.get(one.field, ""))


def _mode(given: Mapping[str, str]) -> str:
    return "json" if given.get("mode") == "json" else "form"


def _row(task: Task, recent: Mapping[str, Numbers] | None) -> Row:
    return Row(
        name=task.name,
        doc=inspect.getdoc(task.run) or "",
        signature=str(signature_of(task)),
        queue=registry.queue_of(task, None, (), {}),
        limits=tuple(_limits(task)),
        recent=None if recent is None else recent.get(task.name, Numbers()),
    )


def _limits(task: Task) -> list[str]:
    conf = task.app.conf
    told = []
    if task.rate_limit:
        told.append(f"at most {task.rate_limit} a worker")
    if soft := task.soft_time_limit or conf.task_soft_time_limit:
        told.append(f"asked to stop after {soft:g} s")
    if hard := task.time_limit or conf.task_time_limit:
        told.append(f"killed after {hard:g} s")
    if task.max_retries is None:
        told.append("retried without end")
    elif task.max_retries != Task.max_retries:
        told.append(f"{task.max_retries} retries")
    if isinstance(task.expires, int | float):
        told.append(f"expires after {task.expires:g} s")
    return told


def _recent(request: ConsoleRequest, name: str = "") -> Mapping[str, Numbers] | None:
    if not request.viewer.sees_all:
        return None
    if name:
        return {name: statistics.activity(Period.DAY, task=name).total}
    return {part.name: part.numbers for part in statistics.by_task(Period.DAY)}


urlpatterns = [
    path("tasks/", listing, name="tasks"),
    path("tasks/<str:name>/", detail, name="task"),
]
