"""Celery's own results: kept where their backend takes them, and no reason to fail a task where it does not.

The history has the result all the same. Celery by itself neither executes a task whose start it cannot store, nor
believes that one has succeeded whose result it cannot store.
"""

from typing import Any

from celery import states
from celery.backends.base import Backend
from celery.exceptions import BackendStoreError
from celery.utils.log import get_logger

logger = get_logger(__name__)


def forgive(backend: Backend) -> None:
    """Have `backend` only complain when it cannot store a state; a start is tried once, all else as Celery is told."""
    if hasattr(backend, "rowlock_forgives"):
        return
    backend.rowlock_forgives = True
    store = backend.store_result

    def store_or_complain(task_id: str, result: Any, state: str, *args: Any, **kwargs: Any) -> Any:
        retries, backend.max_retries = backend.max_retries, 0 if state == states.STARTED else backend.max_retries
        try:
            return store(task_id, result, state, *args, **kwargs)
        except BackendStoreError:
            logger.warning("%s is %s; the result backend does not take it", task_id, state)
            return result
        finally:
            backend.max_retries = retries

    backend.store_result = store_or_complain
