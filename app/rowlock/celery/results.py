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

from rowlock.celery.plain_results import encoder_for

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


class _Current(threading.local):
    """The task that runs in this thread."""

    id = ""
    #: What is to be stored of it; None where Celery stores it.
    stored: list[tuple[Any, ...]] | None = None
    has_result = False
    result: Any = None


_current = _Current()


def is_for_parent(backend: Backend) -> bool:
    """Does the worker's parent process store what becomes of a task? Not of a chord's: its members count each other."""
    # A subclass may have changed any of it.
    return type(backend) is RedisBackend


def begin(id: str, *, is_kept: bool) -> None:
    """From now on note what becomes of the task `id` in this thread; where `is_kept`, instead of storing it."""
    _current.id, _current.stored, _current.has_result = id, [] if is_kept else None, False


def end() -> tuple[bool, Any, tuple[tuple[Any, ...], ...]]:
    """Has the task of this thread succeeded, with which result, and what is the parent to store, as plain Stored?"""
    ended = _current.has_result, _current.result, tuple(_current.stored or ())
    _current.id, _current.stored, _current.result = "", None, None
    return ended


def stored(  # noqa: PLR0917 - as Celery's store_result
    backend: RedisBackend, task_id: str, result: Any, state: str, traceback: Any = None, request: Any = None
) -> Stored:
    """What Celery would store."""
    meta = backend._get_result_meta(result=result, state=state, traceback=traceback, request=request)
    meta["task_id"] = task_id
    expires = backend.failure_expires if state == states.FAILURE else backend.expires
    return Stored(key=backend.get_key_for_task(task_id), value=backend.encode(meta), expires=int(expires or 0))


def watch(backend: Backend) -> None:
    """Have every success pass by here, and `backend` only complain when it cannot store a state.

    A start is tried once, all else as Celery is told. What is to be kept for the parent process is.
    """
    if hasattr(backend, "rowlock_watches"):
        return
    backend.rowlock_watches = True
    store, succeed = backend.store_result, backend.mark_as_done
    encode = encoder_for(backend) if type(backend) is RedisBackend else None

    def store_or_complain(task_id: str, result: Any, state: str, *args: Any, **kwargs: Any) -> Any:
        of_chord = getattr(kwargs.get("request"), "chord", None)
        if task_id == _current.id and state in _OF_WORKERS and _current.stored is not None and not of_chord:
            if state == states.STARTED:
                # The parent tells that, of tasks that take their time.
                return result
            result = backend.encode_result(result, state)
            one = stored(backend, task_id, result, state, *args, **kwargs)
            if len(one.value) <= LARGEST:
                _current.stored.append(tuple(one))
                return result
        retries, backend.max_retries = backend.max_retries, 0 if state == states.STARTED else backend.max_retries
        try:
            return store(task_id, result, state, *args, **kwargs)
        except BackendStoreError:
            logger.warning("%s is %s; the result backend does not take it", task_id, state)
            return result
        finally:
            backend.max_retries = retries

    def note(task_id: str, result: Any, request: Any = None, store_result: bool = True, *args: Any, **kw: Any) -> None:
        if task_id != _current.id:
            succeed(task_id, result, request, store_result, *args, **kw)
            return
        if args or kw or not store_result or not keeps_plainly(task_id, result, request):
            succeed(task_id, result, request, store_result, *args, **kw)
        _current.result, _current.has_result = result, True

    def keeps_plainly(task_id: str, result: Any, request: Any) -> bool:
        if encode is None or _current.stored is None or not request or request.chord or request.ignore_result:
            return False
        text = encode(task_id, result, request)
        if text is None or len(text) > LARGEST:
            return False
        key = backend.get_key_for_task(task_id)
        _current.stored.append((key, text, int(backend.expires or 0)))
        return True

    backend.store_result = store_or_complain
    backend.mark_as_done = note
