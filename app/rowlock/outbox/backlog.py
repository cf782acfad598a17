"""How much waits in the outbox, asked as cheaply as can be."""

from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Count, Min, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from prometheus_client import REGISTRY

from rowlock.metrics.outbox import Backlog, OutboxCollector
from rowlock.models import Run, State

#: Counting ends here: of more it is enough to know that they are many.
MOST = 10_000
#: Seconds after which Postgres gives the question up.
TIMEOUT = 2.0
#: How long publishing a run may be put off: while a relay has it, or because the broker refused it.
LONGEST_DELAY = timedelta(seconds=300)


def register() -> None:
    """Serve the outbox's metrics from this process; one in a cluster is enough. Needs Django's apps."""
    REGISTRY.register(OutboxCollector(look))


def look() -> Backlog:
    """`waiting`, and closes the thread's database connection: whoever asks has a thread for the question."""
    try:
        return waiting()
    finally:
        connection.close()


def waiting() -> Backlog:
    """Up to `MOST` runs that are due and not published, and how long the oldest has been due. Raises DatabaseErrors."""
    now = timezone.now()
    # By publish_after, for that has an index of the queued ones alone; what is scheduled for later stays out of sight.
    found = (
        Run.objects.filter(state=State.QUEUED, publish_after__lte=now + LONGEST_DELAY)
        .filter(Q(due__isnull=True) | Q(due__lte=now))
        .annotate(since=Coalesce("due", "created"))
        .order_by("publish_after")[:MOST]
    )
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = {int(TIMEOUT * 1000)}")
        numbers = found.aggregate(pending=Count("*"), oldest=Min("since"))
    oldest = 0.0 if numbers["oldest"] is None else (now - numbers["oldest"]).total_seconds()
    return Backlog(pending=numbers["pending"], oldest=max(0.0, oldest))
