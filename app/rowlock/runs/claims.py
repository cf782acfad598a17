"""May a delivered message be executed? Asked of the database only where there is a reason to doubt it."""

import enum
from uuid import UUID

from django.db import connection

from rowlock.conf import settings
from rowlock.models import Run, State
from rowlock.models.clock import now


class Verdict(enum.Enum):
    """What to do with a message."""

    EXECUTE = "execute"
    #: The run has ended, or another message for it is being worked on.
    DUPLICATE = "duplicate"
    #: It was cancelled before it was ever delivered.
    CANCELLED = "cancelled"
    #: Its workers died so often that it is given up.
    GIVE_UP = "give up"


def claim(id: UUID, *, redelivered: bool, retries: int, worker: str) -> Verdict:
    """Mark the run as started, unless it has ended or runs elsewhere; counts the delivery.

    A run that is marked as started may be executed only by a message that was delivered before (`redelivered`): then
    the worker that started it is gone. Raises DatabaseErrors.
    """
    verdict = _claim(id, redelivered=redelivered, retries=retries, worker=worker)
    # The worker that started a task of other code writes its row a moment after that: it may come in between.
    return verdict or _claim(id, redelivered=redelivered, retries=retries, worker=worker) or Verdict.DUPLICATE


def _claim(id: UUID, *, redelivered: bool, retries: int, worker: str) -> Verdict | None:
    """None where the run could not be claimed at first and could be by now."""
    table = connection.ops.quote_name(Run._meta.db_table)
    startable = [State.QUEUED, State.PUBLISHED, State.RETRYING, *([State.STARTED] if redelivered else [])]
    limit = settings().delivery_limit
    with connection.cursor() as cursor:
        key = Run._meta.pk.get_db_prep_value(id, connection)
        cursor.execute(
            f"""
            UPDATE {table} SET state = %s, deliveries = deliveries + 1, worker = %s,
                started = {now(connection)}, changed = {now(connection)}
            WHERE id = %s AND state IN ({", ".join(str(state.value) for state in startable)}) AND retries <= %s
              AND (state <> %s OR deliveries < %s)
            """,  # noqa: S608 - made of names from here
            [State.STARTED, worker, key, retries, State.STARTED, limit],
        )
        if cursor.rowcount:
            return Verdict.EXECUTE
        cursor.execute(f"SELECT state, deliveries, retries FROM {table} WHERE id = %s", [key])  # noqa: S608
        found = cursor.fetchone()
        if found is None:
            # Started by other code, and its worker died before it could say so.
            return Verdict.EXECUTE
        state, deliveries, known_retries = found
        if state == State.STARTED and redelivered and known_retries <= retries:
            return Verdict.GIVE_UP if deliveries >= limit else None
        cursor.execute(
            f"""
            UPDATE {table} SET deliveries = deliveries + 1,
                check_first = check_first AND NOT (attempts <= 1 AND state >= {State.CANCELLED.value})
            WHERE id = %s
            """,  # noqa: S608 - made of names from here
            [key],
        )
        return Verdict.CANCELLED if state == State.CANCELLED and not deliveries else Verdict.DUPLICATE
