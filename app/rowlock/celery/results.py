"""Results in Redis for speed, and every change of state in the database as history."""

import logging
from typing import Any

from celery.backends.redis import RedisBackend
from django.db import Error as DatabaseError
from django.db import close_old_connections

logger = logging.getLogger(__name__)


class RedisWithHistory(RedisBackend):
    """Celery's Redis result backend that also writes django-celery-results' TaskResult rows.

    Every state passes through here, those that the worker's parent process reports (a lost child, a revoked task)
    among them, which signals in the child would miss. Use it as
    `rowlock.celery.results.RedisWithHistory+redis://...`.
    """

    def _store_result(
        self, task_id: str, result: Any, state: str, traceback: Any = None, request: Any = None, **kwargs: Any
    ) -> Any:
        stored = super()._store_result(task_id, result, state, traceback=traceback, request=request, **kwargs)
        # Imported late: models exist only after Django is set up.
        from django_celery_results.backends import DatabaseBackend

        try:
            DatabaseBackend(app=self.app)._store_result(task_id, result, state, traceback=traceback, request=request)
        except DatabaseError:
            # The task has its result in Redis; failing it because the history cannot be written would lose more.
            logger.exception("no history for task %s (%s)", task_id, state)
            # Nobody else looks after the connections of the worker's parent process.
            close_old_connections()
        return stored
