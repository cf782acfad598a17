"""How the web hands tasks to the broker: without waiting for ever, and with errors for people."""

import logging
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any

from celery import Task
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from example.celery import app

logger = logging.getLogger(__name__)


class UnknownTaskError(LookupError):
    """There is no task of this name that may be started; the message names similar ones."""


class ArgumentsError(ValueError):
    """The arguments do not fit the task."""


class BrokerDownError(Exception):
    """The broker did not take the message."""


def startable(name: str) -> Task:
    """The registered task `name`; Celery's own are not for starting from outside."""
    _discover_tasks()
    task = None if name.startswith("celery.") else app.tasks.get(name)
    if task is None:
        names = sorted(known for known in app.tasks if not known.startswith("celery."))
        near = get_close_matches(name, names, n=3, cutoff=0.4)
        near += [known for known in names if known.endswith(f".{name}") and known not in near]
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise UnknownTaskError(f"There is no task {name[:200]!r}.{hint}")
    return task


def publish(task: Task, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> str:
    """Hand `task` to the broker and return its id."""
    kwargs = dict(kwargs or {})
    try:
        task.__header__(*args, **kwargs)
    except TypeError as error:
        raise ArgumentsError(str(error)) from None
    try:
        result = task.apply_async(args=list(args), kwargs=kwargs)
    except (OperationalError, OSError, RedisError, RuntimeError) as error:
        # Redis too: before publishing, Celery subscribes there to the result, or a quick one would be missed; where it
        # cannot, it ends in a RuntimeError (celery/backends/asynchronous.py `reconnect_on_error`).
        logger.warning("%s was not published: %s", task.name, error)
        raise BrokerDownError("The task was not accepted: the broker does not answer.") from error
    return str(result.id)


@cache
def _discover_tasks() -> None:
    # Workers do this at their start; in the web process nobody has.
    app.autodiscover_tasks(force=True)
