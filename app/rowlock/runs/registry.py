"""The tasks and queues of the project's Celery app."""

import inspect
import json
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, Literal

from celery import Celery, Task, current_app, signals
from celery.app.routes import MapRoute

from rowlock.checks import REFUSAL
from rowlock.conf import settings
from rowlock.runs.arguments import signature_of
from rowlock.runs.errors import OptionsError, RunError, UnknownTaskError

_KINDS: dict[Any, Literal["positional", "keyword", "any"]] = {
    inspect.Parameter.POSITIONAL_ONLY: "positional",
    inspect.Parameter.VAR_POSITIONAL: "positional",
    inspect.Parameter.KEYWORD_ONLY: "keyword",
    inspect.Parameter.VAR_KEYWORD: "keyword",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "any",
}


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter of a task; `default` is JSON, or the text of a default that is not."""

    name: str
    kind: Literal["positional", "keyword", "any"]
    required: bool
    default: Any
    annotation: str


@dataclass(frozen=True, kw_only=True)
class TaskDescription:
    name: str
    doc: str
    queue: str
    parameters: tuple[Parameter, ...]


def celery_app() -> Celery:
    """The project's Celery app; raises RunError where it was not imported."""
    app = current_app._get_current_object()
    if app.main in (None, "default"):
        raise RunError("There is no Celery app. Import yours in the project's __init__.py: `from .celery import app`.")
    return app


def task_names() -> list[str]:
    """The names of all tasks that may be submitted; Celery's own are left out."""
    return sorted(name for name in _tasks() if not name.startswith("celery."))


def find_task(name: str) -> Task:
    """Raises UnknownTaskError, which names similar ones."""
    task = None if name.startswith("celery.") else _tasks().get(name)
    if task is None:
        names = task_names()
        near = get_close_matches(name, names, n=3, cutoff=0.4)
        near += [known for known in names if known.endswith(f".{name}") and known not in near]
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise UnknownTaskError(f"There is no task {name[:200]!r}.{hint}")
    return task


def registered(name: str) -> Task | None:
    """The task of this name, Celery's own too; None without one."""
    return _tasks().get(name)


def describe(name: str) -> TaskDescription:
    """What the task `name` takes and says of itself; raises UnknownTaskError."""
    task = find_task(name)
    return TaskDescription(
        name=name,
        doc=inspect.getdoc(task.run) or "",
        queue=queue_of(task, None, (), {}),
        parameters=tuple(_parameter(parameter) for parameter in signature_of(task).parameters.values()),
    )


def queue_names() -> list[str]:
    """The queues that are known: of the default, the routes, task_queues and ROWLOCK["QUEUES"]."""
    app = celery_app()
    routed = {queue_of(_tasks()[name], None, (), {}) for name in task_names()}
    declared = {queue.name for queue in app.amqp.queues.values()} if app.conf.task_queues else set()
    return sorted({*routed, *declared, app.conf.task_default_queue, *settings().queues} - {""})


def check_queue(queue: str) -> None:
    """Raises OptionsError on a queue that is not known."""
    known = queue_names()
    if queue not in known:
        raise unknown_queue(queue, known)


def unknown_queue(queue: str, known: list[str]) -> OptionsError:
    """Nobody works on `queue`: publishing would make it, and no worker would ever take from it."""
    near = get_close_matches(queue, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(known)}."
    return OptionsError(f"There is no queue {queue[:100]!r}. {hint} (ROWLOCK['QUEUES'] adds one.)")


Queues = dict[tuple[str, str | None], str]


def queue_of(task: Task, queue: str | None, args: Any, kwargs: Any, *, known: Queues | None = None) -> str:
    """The queue into which Celery would put such a message; "" where it is routed by an exchange alone.

    `known` remembers, for who asks for many at once, where the arguments make no difference.
    """
    if known is not None and (task.name, queue) in known:
        return known[task.name, queue]
    app = celery_app()
    options = {**task._get_exec_options(), **({"queue": queue} if queue else {})}
    routed = app.amqp.router.route(options, task.name, args, kwargs, task).get("queue")
    found: str = getattr(routed, "name", routed) or ""
    if known is not None and all(isinstance(router, MapRoute) for router in app.amqp.router.routes):
        known[task.name, queue] = found
    return found


def _tasks() -> dict[str, Task]:
    app = celery_app()
    _load(app)
    tasks: dict[str, Task] = app.tasks
    return tasks


@cache
def _load(app: Celery) -> None:
    # Workers and beat do this at their start; in other processes nobody has.
    signals.import_modules.disconnect(sender=app, dispatch_uid=REFUSAL)
    app.loader.import_default_modules()
    app.finalize()


def _parameter(parameter: inspect.Parameter) -> Parameter:
    empty = inspect.Parameter.empty
    variable = parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    star = "" if not variable else "*" if parameter.kind is inspect.Parameter.VAR_POSITIONAL else "**"
    return Parameter(
        name=star + parameter.name,
        kind=_KINDS[parameter.kind],
        required=parameter.default is empty and not variable,
        default=None if parameter.default is empty else _json_or_text(parameter.default),
        annotation="" if parameter.annotation is empty else inspect.formatannotation(parameter.annotation),
    )


def _json_or_text(value: Any) -> Any:
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError):
        return repr(value)
