"""What was in the queues: samples of their depths, taken by the collector, or by whoever looks where there is none."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Func, IntegerField, Max, Min
from django.utils import timezone

from rowlock.models import QueueSample
from rowlock.statistics.periods import Period, floor

#: Samples of a queue are this far apart; who comes in between is told that it is done.
SLOT = timedelta(seconds=15)
KEPT = timedelta(hours=26)


@dataclass(frozen=True, kw_only=True)
class Depth:
    """Messages of a queue that wait, and that workers have; and the number of its consumers."""

    ready: int
    unacked: int
    consumers: int


@dataclass(frozen=True, kw_only=True)
class Sampled:
    """The deepest that a queue was in the step that begins at `start`, and the fewest consumers it had."""

    start: datetime
    depth: Depth


def is_due() -> bool:
    """Has nobody taken a sample in this slot? Asking the broker is worth while only then."""
    return not QueueSample.objects.filter(moment__gte=floor(timezone.now(), SLOT)).exists()


def sample(depths: Mapping[str, Depth]) -> bool:
    """Keep what the queues hold now, by their names; False where somebody has for this slot. Raises DatabaseErrors."""
    moment = floor(timezone.now(), SLOT)
    if not depths or not is_due():
        return False
    rows = [
        QueueSample(moment=moment, queue=name, ready=depth.ready, unacked=depth.unacked, consumers=depth.consumers)
        for name, depth in depths.items()
    ]
    QueueSample.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)
    QueueSample.objects.filter(moment__lt=moment - KEPT).delete()
    return True


def depths(period: Period, *, queues: Iterable[str] | None = None) -> dict[str, list[Sampled]]:
    """The samples of a period by queue, oldest first; for a step without one there is none. Raises DatabaseErrors.

    Steps are those of `period`, though for an hour plots of each sample (15 s) would be possible.
    """
    found = QueueSample.objects.filter(moment__gte=period.steps(timezone.now())[0])
    if queues is not None:
        found = found.filter(queue__in=list(queues))
    seconds = int(period.step.total_seconds())
    rows = (
        found.annotate(step=_Step("moment", seconds=seconds))
        .values("queue", "step")
        .order_by("queue", "step")
        .annotate(most_ready=Max("ready"), most_unacked=Max("unacked"), least_consumers=Min("consumers"))
    )
    sampled: dict[str, list[Sampled]] = {}
    for row in rows:
        depth = Depth(ready=row["most_ready"], unacked=row["most_unacked"], consumers=row["least_consumers"])
        start = datetime.fromtimestamp(row["step"] * seconds, UTC)
        sampled.setdefault(row["queue"], []).append(Sampled(start=start, depth=depth))
    return sampled


class _Step(Func):
    """How many steps of `seconds` have passed since 1970."""

    output_field = IntegerField()
    template = "FLOOR(EXTRACT(EPOCH FROM %(expressions)s) / %(seconds)s)::bigint"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "(CAST(strftime('%%%%s', %(expressions)s) AS INTEGER) / %(seconds)s)"
        return self.as_sql(compiler, connection, template=template, **context)
