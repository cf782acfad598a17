"""What the relay reads and writes: the queued runs."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Min
from django.utils import timezone

from rowlock.models import FINAL, Run, State
from rowlock.models.clock import now

#: Seconds for which a taken run belongs to the relay that took it; then another takes it for dead. Longer than
#: publishing a batch can take.
LEASE = 60.0
#: Seconds between the word that a run's message may exist twice and the second message: every worker has heard then.
DOUBT = 4.0
#: Seconds for which a worker may say itself that a run has expired before it reached it.
EXPIRY_SLACK = 2.0

_FIELDS = (
    "id",
    "task",
    "queue",
    "arguments",
    "priority",
    "options",
    "owner",
    "parent_id",
    "expires",
    "due",
    "created",
    "attempts",
    "retries",
)


def take(limit: int) -> list[Run]:
    """Up to `limit` runs to publish, oldest first; they are this relay's alone for a minute.

    A run that was taken before by a relay of which nothing was heard again may have been published: it is only marked
    now, and taken in earnest a few seconds later.
    """
    table = connection.ops.quote_name(Run._meta.db_table)
    statement = f"""
        WITH chosen AS MATERIALIZED (
            SELECT id FROM {table}
            WHERE state = %s AND publish_after <= {now(connection)} AND (expires IS NULL OR expires > {now(connection)})
            ORDER BY publish_after LIMIT %s {_skip_locked()}
        )
        UPDATE {table} SET
            attempts = attempts + CASE WHEN attempts > 0 AND NOT check_first THEN 0 ELSE 1 END,
            publish_after = CASE WHEN attempts > 0 AND NOT check_first THEN {now(connection, plus=DOUBT)}
                            ELSE {now(connection, plus=LEASE)} END,
            changed = CASE WHEN attempts > 0 AND NOT check_first THEN {now(connection)} ELSE changed END,
            check_first = attempts > 0
        WHERE id IN (SELECT id FROM chosen)
        RETURNING {", ".join(_FIELDS)}, publish_after > {now(connection, plus=LEASE / 2)}
    """  # noqa: S608 - made of names from here
    with connection.cursor() as cursor:
        cursor.execute(statement, [State.QUEUED, limit])
        rows = cursor.fetchall()
    runs = [_run(row[:-1]) for row in rows if row[-1]]
    return sorted(runs, key=lambda run: run.due or run.created)


def mark_published(runs: Sequence[Run]) -> None:
    """Their messages are confirmed. A run that has come further meanwhile stays there.

    Without waiting for the disk: if Postgres crashes and forgets it, they count as taken and are published again, with
    a warning to the workers.
    """
    table = connection.ops.quote_name(Run._meta.db_table)
    # In the statement itself, for that needs no transaction around it and is one round trip.
    is_postgres = connection.vendor == "postgresql"
    lazily = "(SELECT set_config('synchronous_commit', 'off', TRUE)) = 'off' AND" if is_postgres else ""
    _execute(
        f"""
        UPDATE {table} SET
            state = CASE WHEN state = %s THEN %s ELSE state END,
            published = COALESCE(published, {now(connection)}), changed = {now(connection)}
        WHERE {lazily} id IN ({_locked(runs)})
        """,  # noqa: S608 - made of names from here
        [State.QUEUED, State.PUBLISHED],
        runs,
    )


def put_back(runs: Sequence[Run]) -> None:
    """Nothing of these was sent: they wait as before."""
    _put_back(runs, "attempts = CASE WHEN attempts > 0 THEN attempts - 1 ELSE 0 END", 0)


def put_back_in_doubt(runs: Sequence[Run]) -> None:
    """These may have been published: they are published again, and workers check before they start them."""
    _put_back(runs, "check_first = TRUE", DOUBT)


def put_back_refused(run: Run, reason: str) -> None:
    """The broker or Celery would not take this one: it is tried again later, ever more seldom."""
    _put_back([run], "result_note = %s", min(300.0, 2.0**run.attempts), [reason[:255]])


def expire() -> int:
    """Give up the runs that have waited beyond their `expires`; returns how many."""
    table = connection.ops.quote_name(Run._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE {table} SET state = %s, finished = {now(connection)}, changed = {now(connection)}
            WHERE id IN (
                SELECT id FROM {table}
                WHERE state IN (%s, %s) AND expires IS NOT NULL AND expires < {now(connection, plus=-EXPIRY_SLACK)}
                {_skip_locked()}
            )
            """,  # noqa: S608 - made of names from here
            [State.EXPIRED, State.QUEUED, State.PUBLISHED],
        )
        return int(cursor.rowcount)


def seconds_until_next() -> float | None:
    """How long until the next run is to be published; None without one."""
    first = Run.objects.filter(state=State.QUEUED).aggregate(first=Min("publish_after"))["first"]
    return None if first is None else float((first - timezone.now()).total_seconds())


def _put_back(runs: Sequence[Run], change: str, delay: float, values: Sequence[Any] = ()) -> None:
    table = connection.ops.quote_name(Run._meta.db_table)
    _execute(
        f"""
        UPDATE {table} SET publish_after = {now(connection, plus=delay)}, changed = {now(connection)}, {change}
        WHERE state < {min(FINAL).value} AND id IN ({_locked(runs)})
        """,  # noqa: S608 - made of names from here
        values,
        runs,
    )


def _execute(statement: str, values: Sequence[Any], runs: Sequence[Run]) -> None:
    if not runs:
        return
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, *_ids(runs)])


def _locked(runs: Sequence[Run]) -> str:
    # Whoever changes many runs locks them in the order of their ids, or two could wait for each other.
    table = connection.ops.quote_name(Run._meta.db_table)
    # One parameter for all: binding hundreds takes longer than finding them.
    is_array = connection.vendor == "postgresql"
    among = "= ANY(%s::uuid[])" if is_array else f"IN ({', '.join(['%s'] * len(runs))})"
    lock = "FOR UPDATE" if connection.features.has_select_for_update else ""
    return f"SELECT id FROM {table} WHERE id {among} ORDER BY id {lock}"  # noqa: S608 - made of names from here


def _ids(runs: Sequence[Run]) -> list[Any]:
    if connection.vendor == "postgresql":
        return [f"{{{','.join(str(run.id) for run in runs)}}}"]
    to_database = Run._meta.pk.get_db_prep_value
    return [to_database(run.id, connection) for run in runs]


def _skip_locked() -> str:
    return "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""


def _run(row: Sequence[Any]) -> Run:
    values = {}
    for (name, converters), value in zip(_converters(connection.alias), row, strict=True):
        for convert in converters:
            value = convert(value, None, connection)  # noqa: PLW2901 - one converter after the other, as in the ORM
        values[name] = value
    return Run(**values)


@cache
def _converters(alias: str) -> list[tuple[str, list[Any]]]:
    found = []
    for name in _FIELDS:
        field: Any = Run._meta.get_field(name)
        converters = [*connection.ops.get_db_converters(field.get_col("")), *field.get_db_converters(connection)]
        found.append((field.attname, converters))
    return found
