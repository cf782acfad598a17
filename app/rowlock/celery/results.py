"""Celery's own results: kept where their backend takes them, and no reason to fail a task where it does not.

The history has the result all the same. Celery by itself neither executes a task whose start it cannot store, nor
believes that one has succeeded whose result it cannot store.

Redis gets the results of a worker's tasks many at a time from its parent process, just before their messages are acked.
By itself Celery has each child ask Redis what it knows of the task and then store, at the start and at the end: four
round trips a task (celery/backends/base.py `_store_result`). What it asks for, whether the task had already succeeded,
claims answer here.
"""

import threading
from typing import Any, NamedTuple

from celery import states
from celery.backends.base import Backend
from celery.backends.redis import RedisBackend
from celery.exceptions import BackendStoreError
from celery.utils.log import get_logger

logger = get_logger(__name__)

#: What a worker says of its tasks; all other states are said by tasks themselves, and stored at once.
_OF_WORKERS = frozenset({states.STARTED, states.RETRY, states.SUCCESS, states.FAILURE, states.REVOKED, states.IGNORED})
#: Larger ones do not pass through the parent process. Bytes, nearly.
LARGEST = 64 * 1024


class Stored(NamedTuple):
    """One state of a task as Celery's Redis backend keeps it; `expires` in seconds, 0 for never."""

    key: bytes
    value: str | bytes
    expires: int
    #: Only where nothing is kept yet.
    is_first: bool = False


class _Kept(threading.local):
    """What is to be stored of the task that runs in this thread."""

    id = ""
    stored: list[Stored] | None = None


_kept = _Kept()


def is_for_parent(backend: Backend, request: dict[str, Any]) -> bool:
    """Does the worker's parent process store what becomes of this message's task?

    Not of a chord's: its members count each other when each has stored its result.
    """
    # A subclass may have changed any of it.
    return type(backend) is RedisBackend and not request.get("chord")


def keep(id: str, request: dict[str, Any], backend: Backend) -> None:
    """From now on keep what Celery has to store of the task `id`, instead of storing it."""
    _kept.id, _kept.stored = (id, []) if is_for_parent(backend, request) else ("", None)


def kept() -> tuple[Stored, ...]:
    """What was kept since, for the parent process."""
    stored, _kept.id, _kept.stored = _kept.stored, "", None
    return tuple(stored or ())


def stored(  # noqa: PLR0917 - as Celery's store_result
    backend: RedisBackend, task_id: str, result: Any, state: str, traceback: Any = None, request: Any = None
) -> Stored:
    """What Celery would store."""
    meta = backend._get_result_meta(result=result, state=state, traceback=traceback, request=request)
    meta["task_id"] = task_id
    expires = backend.failure_expires if state == states.FAILURE else backend.expires
    return Stored(key=backend.get_key_for_task(task_id), value=backend.encode(meta), expires=int(expires or 0))


def forgive(backend: Backend) -> None:
    """Have `backend` only complain when it cannot store a state; a start is tried once, all else as Celery is told.

    What is to be kept for the parent process is.
    """
    if hasattr(backend, "rowlock_forgives"):
        return
    backend.rowlock_forgives = True
    store = backend.store_result

    def store_or_complain(task_id: str, result: Any, state: str, *args: Any, **kwargs: Any) -> Any:
        if task_id == _kept.id and state in _OF_WORKERS and _kept.stored is not None:
            if state == states.STARTED:
                # The parent tells that, of tasks that take their time.
                return result
            result = backend.encode_result(result, state)
            one = stored(backend, task_id, result, state, *args, **kwargs)
            if len(one.value) <= LARGEST:
                _kept.stored.append(one)
                return result
        retries, backend.max_retries = backend.max_retries, 0 if state == states.STARTED else backend.max_retries
        try:
            return store(task_id, result, state, *args, **kwargs)
        except BackendStoreError:
            logger.warning("%s is %s; the result backend does not take it", task_id, state)
            return result
        finally:
            backend.max_retries = retries

    backend.store_result = store_or_complain
