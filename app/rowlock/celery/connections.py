"""Database connections of a worker that outlive a task.

Celery closes them before and after every task (celery/fixups/django.py), so that each task pays for connecting to
Postgres. Here they are kept as Django keeps those of requests: up to CONN_MAX_AGE seconds, not after an error, and
with CONN_HEALTH_CHECKS only if they still answer.
"""

import sys
from typing import Any

from celery.signals import task_postrun, task_prerun
from django.db import close_old_connections

#: Celery's own setting for how many times it leaves connections open; there is none to leave it to somebody else.
SETTINGS: dict[str, Any] = {"CELERY_DB_REUSE_MAX": sys.maxsize}


def keep_between_tasks() -> None:
    task_prerun.connect(_look_after_connections)
    task_postrun.connect(_look_after_connections)


def _look_after_connections(task: Any, **kwargs: Any) -> None:
    # A task that is called in place runs inside somebody else's transaction.
    if not task.request.is_eager:
        close_old_connections()
