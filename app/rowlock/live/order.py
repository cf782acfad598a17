"""The order in which changes become visible, which is not the order of their times.

`Run.changed` is set when a row is written, and others see the row when its transaction is committed, which may be much
later. Who reads "everything since the last time" by that column alone misses it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connections
from django.utils import timezone

from rowlock.models import Run

#: For clocks that differ, and for what passes between taking a time and writing it. SQLite lets one write at a time, so
#: a time may have been taken while waiting for others.
OVERLAP = {"postgresql": timedelta(seconds=2), "sqlite": timedelta(seconds=10)}

_POSTGRES = """
    SELECT clock_timestamp(), backend_xid::text, xact_start
    FROM (SELECT 1) AS one LEFT JOIN pg_stat_activity
    ON datname = current_database() AND backend_xid IS NOT NULL AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """The database's time, and the transactions that had written something and were still open: their starts by id."""

    now: datetime
    writing: Mapping[str, datetime] = field(default_factory=dict)


def moment() -> Moment:
    """Look now. What is committed later is of a transaction named here, or was written later."""
    connection = connections[Run.objects.db]
    if connection.vendor != "postgresql":
        return Moment(now=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(_POSTGRES)
        rows = cursor.fetchall()
    return Moment(now=rows[0][0], writing={transaction: start for _, transaction, start in rows if transaction})


def overlap() -> timedelta:
    return OVERLAP.get(connections[Run.objects.db].vendor, OVERLAP["sqlite"])


def goes_by_clock() -> bool:
    """Does the time of the last look bound what can still appear, together with the open transactions?

    Without knowing those, only the newest change that was seen does: on SQLite whatever is committed later was begun
    after that one.
    """
    return connections[Run.objects.db].vendor == "postgresql"
