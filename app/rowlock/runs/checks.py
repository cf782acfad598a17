"""A system check of what searches need in the database."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004 - Django's name
from django.db import Error as DatabaseError
from django.db import connections

from rowlock.models import Run
from rowlock.runs.query.facts import TEXT_INDEXES, Facts


@register(Tags.database)
def check_text_indexes(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Asks the database, so it is part of `migrate` and `check --database default` only."""
    database = Run.objects.db
    if database not in (databases or ()) or connections[database].vendor != "postgresql":
        return []
    try:
        if not _lacks_text_indexes(database):
            return []
    except DatabaseError:
        # Other checks may know why, and `migrate` says so itself.
        return []
    return [
        Warning(
            f"Searches for text look at the newest runs only: Postgres has no {' and '.join(TEXT_INDEXES)}, for which "
            "it needs the extension pg_trgm.",
            hint="Have somebody who may run CREATE EXTENSION pg_trgm, and make them as docs/queries.md says.",
            id="rowlock.W011",
        )
    ]


def _lacks_text_indexes(database: str) -> bool:
    with connections[database].cursor() as cursor:
        cursor.execute("SELECT to_regclass('rowlock_run_queue') IS NOT NULL")
        is_migrated = cursor.fetchone()[0]
    return bool(is_migrated) and not Facts(database).has_text_indexes
