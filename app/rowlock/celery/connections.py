"""Database connections of a worker that outlive a task.

Celery closes them before and after every task (celery/fixups/django.py), so that each task pays for connecting to
Postgres. Here they are kept as Django keeps those of requests: up to CONN_MAX_AGE seconds, not after an error, and
with CONN_HEALTH_CHECKS only if they still answer. A task that has no connection pays nothing.
"""

import sys
import threading
from collections.abc import Callable
from typing import Any

from celery import Celery, bootsteps
from celery.fixups.django import DjangoFixup
from celery.signals import task_postrun, task_prerun
from celery.utils.log import get_logger
from django.conf import settings
from django.core.cache import close_caches
from django.core.cache.backends.base import BaseCache
from django.db import connections
from django.db.backends.signals import connection_created
from django.utils.module_loading import import_string
from kombu.utils.imports import symbol_by_name

logger = get_logger(__name__)

#: Celery's own setting for how many times it leaves connections open; there is none to leave it to somebody else.
SETTINGS: dict[str, Any] = {"CELERY_DB_REUSE_MAX": sys.maxsize}


class _Thread(threading.local):
    """Connections are of one thread."""

    may_have_open = True


_thread = _Thread()
#: What is done after each task beside that.
_clean_up: list[Callable[[], None]] = []


def keep_between_tasks() -> None:
    connection_created.connect(_note_connection, dispatch_uid="rowlock looks after connections")
    task_prerun.connect(_look_after_connections)
    task_postrun.connect(_look_after_connections)


def before_execution() -> None:
    """Do with this thread's connections what Django does before a request."""
    if _thread.may_have_open:
        _quietly(_close_old_connections)


def after_execution() -> None:
    """Do with this thread's connections what Django does after a request."""
    before_execution()
    for clean_up in _clean_up:
        _quietly(clean_up)


def _close_old_connections() -> None:
    has_open = False
    for connection in connections.all(initialized_only=True):
        connection.close_if_unusable_or_obsolete()
        has_open = has_open or connection.connection is not None
    _thread.may_have_open = has_open


def _quietly(call: Callable[[], None]) -> None:
    try:
        call()
    except Exception:
        # As in a receiver of Celery's signals: it does not become the outcome of the task.
        logger.exception("connections cannot be looked after")


class TaskConnections(bootsteps.Step):
    """Has connections looked after where tasks are executed, and no longer by four receivers of signals."""

    requires = ("celery.worker.components:Pool",)

    def create(self, worker: Any) -> None:
        # Before the pool forks: its processes inherit it.
        fixup = _fixup_of(worker.app)
        # A project may have set how many times Celery leaves connections open, or have requests of its own.
        if fixup is None or fixup.db_reuse_max != sys.maxsize or not _executes_all(worker.app):
            return
        task_prerun.disconnect(_look_after_connections)
        task_postrun.disconnect(_look_after_connections)
        task_prerun.disconnect(fixup.on_task_prerun)
        task_postrun.disconnect(fixup.on_task_postrun)
        _clean_up[:] = [close_caches] if _must_close_caches() else []


def _note_connection(**kwargs: Any) -> None:
    _thread.may_have_open = True


def _look_after_connections(task: Any, **kwargs: Any) -> None:
    # A task that is called in place runs inside somebody else's transaction.
    if not task.request.is_eager:
        before_execution()


def _fixup_of(app: Celery) -> Any:
    return next((fixup.worker_fixup for fixup in app._fixups if isinstance(fixup, DjangoFixup)), None)


def _executes_all(app: Celery) -> bool:
    ours = symbol_by_name("rowlock.celery.request:Request")
    return all(issubclass(symbol_by_name(task.Request), ours) for task in app.tasks.values())


def _must_close_caches() -> bool:
    """Does any of the project's caches do anything when it is closed? Most of Django's own do not."""
    try:
        caches = [import_string(cache["BACKEND"]) for cache in settings.CACHES.values()]
    except ImportError:
        return True
    return any(cache.close is not BaseCache.close for cache in caches)
