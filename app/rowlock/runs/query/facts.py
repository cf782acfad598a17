"""What a query needs to know when it is asked, rather than when it is read."""

from datetime import datetime
from functools import cached_property

from django.db import connections
from django.utils import timezone

from rowlock.models import Run
from rowlock.redaction import hides_results, hides_some_results

# One step in the index for each name, where DISTINCT would read a million rows.
_NAMES = """
    WITH RECURSIVE names(name) AS (
        SELECT MIN(task) FROM {table}
        UNION ALL
        SELECT (SELECT MIN(task) FROM {table} WHERE task > names.name) FROM names WHERE names.name IS NOT NULL
    )
    SELECT name FROM names WHERE name IS NOT NULL
"""


class Facts:
    """The time, and the tasks that have runs: asked for once a query, and only by those that need them."""

    def __init__(self, database: str) -> None:
        self._database = database

    @cached_property
    def now(self) -> datetime:
        return timezone.now()

    @cached_property
    def task_names(self) -> list[str]:
        connection = connections[self._database]
        with connection.cursor() as cursor:
            cursor.execute(_NAMES.format(table=connection.ops.quote_name(Run._meta.db_table)))
            return [name for (name,) in cursor.fetchall()]

    @cached_property
    def tasks_with_open_errors(self) -> list[str] | None:
        """The tasks whose error messages may be searched; None for all of them."""
        if not hides_some_results():
            return None
        return [name for name in self.task_names if not hides_results(name)]
