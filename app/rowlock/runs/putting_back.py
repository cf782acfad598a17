"""Runs whose worker had to end before them: they wait for another one."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection, transaction

from rowlock.models import Run, State
from rowlock.models.clock import now


def put_back(ids: Iterable[UUID], *, worker: str) -> None:
    """Mark those runs that `worker` has started as waiting again. That it had to stop does not count as a delivery.

    To be called before their messages are given back. Raises DatabaseErrors.
    """
    table = connection.ops.quote_name(Run._meta.db_table)
    with transaction.atomic(), connection.cursor() as cursor:
        for run_id in sorted(ids):
            cursor.execute(
                f"""
                UPDATE {table} SET state = %s, started = NULL, worker = '', progress_done = NULL,
                    progress_total = NULL, progress_message = '', changed = {now(connection)},
                    deliveries = CASE WHEN deliveries > 0 THEN deliveries - 1 ELSE 0 END
                WHERE id = %s AND state = %s AND worker = %s
                """,  # noqa: S608 - made of names from here
                [State.PUBLISHED, Run._meta.pk.get_db_prep_value(run_id, connection), State.STARTED, worker],
            )
