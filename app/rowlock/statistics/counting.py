"""Reading what the table of runs says of some minutes, by the index on `changed`.

Nothing starts or ends without a change, so what began and ended since a time is among what changed since then.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import connections

from rowlock.metrics.buckets import BUCKETS
from rowlock.models import FINAL, Run, State
from rowlock.models.minute import RAN, WAITED

_NO_TIME = -1


@dataclass(kw_only=True)
class Counts:
    """Runs that started and ended, and for how long they waited and ran (see BUCKETS)."""

    started: int = 0
    ended: dict[State, int] = field(default_factory=lambda: dict.fromkeys(FINAL, 0))
    waited: list[int] = field(default_factory=lambda: [0] * len(WAITED))
    ran: list[int] = field(default_factory=lambda: [0] * len(RAN))

    def columns(self) -> dict[str, int]:
        """The fields of a Minute."""
        return {
            "started": self.started,
            **{state.label: number for state, number in self.ended.items()},
            **dict(zip(WAITED, self.waited, strict=True)),
            **dict(zip(RAN, self.ran, strict=True)),
        }


#: By minute, task and queue, of which at least one is empty for all of them.
Table = dict[tuple[datetime, str, str], Counts]


def count(since: datetime, before: datetime) -> Table:
    """Count from `since` until `before`, in minutes of the clock. Reads every run that changed since `since`."""
    table: Table = {}
    for number, task, queue, _, bucket, runs in _rows("started", _waited(), since, before):
        for counts in _each(table, number, task, queue):
            counts.started += runs
            if bucket != _NO_TIME:
                counts.waited[bucket] += runs
    for number, task, queue, state, bucket, runs in _rows("finished", _ran(), since, before):
        for counts in _each(table, number, task, queue):
            counts.ended[State(state)] += runs
            if bucket != _NO_TIME:
                counts.ran[bucket] += runs
    return table


def limit_of(rows: int, since: datetime) -> datetime:
    """From when on no more than `rows` runs changed; `since` where that is all of them since then."""
    newest = Run.objects.filter(changed__gte=since).order_by("-changed").values_list("changed", flat=True)
    beyond = newest[rows : rows + 1].first()
    return since if beyond is None else beyond


def _each(table: Table, number: int, task: str, queue: str) -> list[Counts]:
    minute = datetime.fromtimestamp(number * 60, UTC)
    keys = [(minute, "", ""), (minute, task, ""), (minute, "", queue)]
    return [table.setdefault(key, Counts()) for key in keys]


def _rows(moment: str, seconds: str, since: datetime, before: datetime) -> list[Sequence[Any]]:
    connection = connections[Run.objects.db]
    table = connection.ops.quote_name(Run._meta.db_table)
    bounds = " ".join(f"WHEN {seconds} <= {bound} THEN {number}" for number, bound in enumerate(BUCKETS))
    bucket = f"CASE WHEN {seconds} IS NULL THEN {_NO_TIME} {bounds} ELSE {len(BUCKETS)} END"
    # A retried run starts again: of those the first wait is over, and the second was wanted.
    state = "state" if moment == "finished" else "0"
    ended = f"AND state IN ({', '.join(str(state.value) for state in FINAL)})" if moment == "finished" else ""
    as_time = Run._meta.get_field("changed").get_db_prep_value
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {_minute(moment)}, task, queue, {state}, {bucket}, COUNT(*) FROM {table}
            WHERE changed >= %s AND {moment} >= %s AND {moment} < %s {ended}
            GROUP BY 1, 2, 3, 4, 5
            """,  # noqa: S608 - made of names from here
            [as_time(since, connection), as_time(since, connection), as_time(before, connection)],
        )
        return list(cursor.fetchall())


def _minute(moment: str) -> str:
    if connections[Run.objects.db].vendor == "postgresql":
        return f"FLOOR(EXTRACT(EPOCH FROM {moment}) / 60)::bigint"
    return f"CAST(strftime('%%s', {moment}) AS INTEGER) / 60"


def _waited() -> str:
    return f"CASE WHEN retries = 0 THEN {_between('COALESCE(due, created)', 'started')} END"


def _ran() -> str:
    return _between("started", "finished")


def _between(begin: str, end: str) -> str:
    if connections[Run.objects.db].vendor == "postgresql":
        return f"EXTRACT(EPOCH FROM {end} - {begin})::float8"
    return f"((julianday({end}) - julianday({begin})) * 86400)"
