"""Keeping the table of minutes.

Whoever comes first counts the minutes that are over: the collector at each of its turns, and anybody who looks at
statistics where there is none. So there is nothing to switch on, and nothing that runs where nobody looks.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connections, transaction
from django.utils import timezone

from rowlock.models import Minute, Run
from rowlock.statistics import counting
from rowlock.statistics.counting import Counts
from rowlock.statistics.periods import MINUTE, floor

#: A minute is counted this long after its end: workers write what happened up to some seconds later.
GRACE = timedelta(seconds=15)
#: Minutes that were missed longer ago than this stay unknown.
CAUGHT_UP = timedelta(hours=1)
KEPT = timedelta(days=3)
#: Changes that one call reads at the most: of who looks, and of the collector, for which nobody waits.
MOST_ROWS = 100_000
COLLECTORS_MOST_ROWS = 1_000_000

#: Any number that nobody else locks by; "rowlock" and "minutes" in hexadecimal words would be no better.
_LOCK = 0x726F776C_6D696E75


def last_closed(now: datetime) -> datetime:
    """The end of the last minute that may be counted."""
    return floor(now - GRACE, MINUTE)


def keep(*, most_rows: int = MOST_ROWS) -> int:
    """Count what is over and was not counted; returns the minutes written, 0 while somebody else is at it.

    With more than `most_rows` changes since the first missing minute, only the newer minutes are counted. Raises
    DatabaseErrors.
    """
    now = timezone.now()
    end = last_closed(now)
    if not _missing(end):
        return 0
    with transaction.atomic(using=Minute.objects.db):
        if not _is_mine():
            return 0
        # Again, because somebody may have done it meanwhile.
        missing = _missing(end)
        if not missing:
            return 0
        since = counting.limit_of(most_rows, missing[0])
        missing = [minute for minute in missing if minute >= since]
        if not missing:
            return 0
        _write(missing, counting.count(missing[0], end))
        Minute.objects.filter(minute__lt=end - KEPT).delete()
    return len(missing)


def _missing(end: datetime) -> list[datetime]:
    begin = end - CAUGHT_UP
    counted = set(Minute.objects.filter(task="", queue="", minute__gte=begin).values_list("minute", flat=True))
    minutes = [begin + MINUTE * number for number in range(CAUGHT_UP // MINUTE)]
    return [minute for minute in minutes if minute not in counted]


def _is_mine() -> bool:
    connection = connections[Run.objects.db]
    if connection.vendor != "postgresql":
        # SQLite lets one write at a time, and the constraint does the rest.
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _write(minutes: Iterable[datetime], counted: counting.Table) -> None:
    wanted = set(minutes)
    table = {key: counts for key, counts in counted.items() if key[0] in wanted}
    for minute in wanted:
        # A minute without any run is known to be empty.
        table.setdefault((minute, "", ""), Counts())
    rows = [
        Minute(minute=minute, task=task, queue=queue, **counts.columns())
        for (minute, task, queue), counts in table.items()
    ]
    Minute.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)
