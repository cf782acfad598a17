"""What a query needs to know when it is asked, rather than when it is read."""

from datetime import datetime
from functools import cached_property

from django.db import connections
from django.utils import timezone

from rowlock.models import Run, State
from rowlock.redaction import hides_results, hides_some_results

# One step in the index for each name, where DISTINCT would read a million rows.
_NAMES = """
    WITH RECURSIVE names(name) AS (
        SELECT MIN({column}) FROM {table} WHERE {chosen}
        UNION ALL
        SELECT (SELECT MIN({column}) FROM {table} WHERE {column} > names.name AND {chosen})
        FROM names WHERE names.name IS NOT NULL
    )
    SELECT name FROM names WHERE name IS NOT NULL LIMIT {most}
"""
#: Names of tasks, queues and errors are made by programmers; owners may be without number.
_MOST_NAMES = 10_000
MOST_OWNERS = 500
#: Indexes that only Postgres has, and only with its extension pg_trgm: migration 0005 makes them where it may.
TEXT_INDEXES = ("rowlock_run_key_text", "rowlock_run_error_text")


class Facts:
    """The time, and the tasks that have runs: asked for once a query, and only by those that need them."""

    def __init__(self, database: str) -> None:
        self._database = database

    @cached_property
    def now(self) -> datetime:
        return timezone.now()

    @cached_property
    def task_names(self) -> list[str]:
        return self._names("task", "TRUE")

    @cached_property
    def queue_names(self) -> list[str]:
        return self._names("queue", "TRUE")

    @cached_property
    def error_types(self) -> list[str]:
        """Of runs that have not succeeded."""
        return self._names("error_type", f"error_type <> '' AND state <> {State.SUCCEEDED.value}")

    @cached_property
    def owners(self) -> list[str] | None:
        """None where there are more than MOST_OWNERS."""
        found = self._names("owner", "owner <> ''", most=MOST_OWNERS + 1)
        return None if len(found) > MOST_OWNERS else found

    @cached_property
    def has_text_indexes(self) -> bool:
        connection = connections[self._database]
        if connection.vendor != "postgresql":
            return False
        with connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(to_regclass(name)) FROM unnest(%s::text[]) AS name", [list(TEXT_INDEXES)])
            return bool(cursor.fetchone()[0] == len(TEXT_INDEXES))

    def _names(self, column: str, chosen: str, *, most: int = _MOST_NAMES) -> list[str]:
        connection = connections[self._database]
        table = connection.ops.quote_name(Run._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(_NAMES.format(table=table, column=column, chosen=chosen, most=most))
            return [name for (name,) in cursor.fetchall()]

    @cached_property
    def tasks_with_open_errors(self) -> list[str] | None:
        """The tasks whose error messages may be searched; None for all of them."""
        if not hides_some_results():
            return None
        return [name for name in self.task_names if not hides_results(name)]
