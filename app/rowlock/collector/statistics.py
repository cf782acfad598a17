"""Keeping the statistics of the console, for which then nobody has to wait who looks at them."""

from rowlock.collector.snapshot import Snapshot

#: Milliseconds after which Postgres gives up on a statement.
_PATIENCE = 20_000


def keep(seen: Snapshot | None) -> None:
    """Count the minutes that are over, and sample the queues as they were `seen` last. Raises DatabaseErrors.

    Needs Django set up, with rowlock installed.
    """
    from django.db import connection

    from rowlock import statistics

    try:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"SET statement_timeout = {_PATIENCE}")
        if seen is not None:
            statistics.sample(
                {
                    queue.name: statistics.Depth(ready=queue.ready, unacked=queue.unacked, consumers=queue.consumers)
                    for queue in seen.queues
                }
            )
        statistics.keep(most_rows=statistics.COLLECTORS_MOST_ROWS)
    finally:
        connection.close()
