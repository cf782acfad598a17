"""The workers there are and what each executes, as they tell themselves every few seconds."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from rowlock.models import Run, State, Worker
from rowlock.runs.presentation import HEAVY_COLUMNS

#: Seconds between two signs of life of a worker, those without one after which it is gone, and those after which it is
#: forgotten.
INTERVAL = 10.0
GONE_AFTER = 60.0
FORGOTTEN_AFTER = 24 * 3600.0


@dataclass(frozen=True, kw_only=True)
class Present:
    """A worker, and the runs that it executes now, the oldest first, without their heavy columns."""

    worker: Worker
    #: It has given no sign of life for a minute: it was killed, or it cannot reach the database.
    is_gone: bool
    runs: tuple[Run, ...]


def list_workers() -> list[Present]:
    """All workers that were seen within a day, by pool and name, those that are gone too. Two queries."""
    is_gone = Q(seen__lt=Now() - timedelta(seconds=GONE_AFTER))
    workers = list(Worker.objects.annotate(is_gone=is_gone).order_by("pool", "name"))
    runs: dict[str, list[Run]] = defaultdict(list)
    for run in Run.objects.filter(state=State.STARTED).defer(*HEAVY_COLUMNS).order_by("started", "id"):
        runs[run.worker].append(run)
    return [
        Present(worker=worker, is_gone=bool(getattr(worker, "is_gone")), runs=tuple(runs[worker.name]))  # noqa: B009
        for worker in workers
    ]


def tell(worker: Worker) -> None:
    """Write that `worker` lives, with the database's time. Raises DatabaseErrors."""
    values = {
        field.attname: getattr(worker, field.attname)
        for field in Worker._meta.concrete_fields
        if field.attname not in ("name", "seen", "started")
    }
    told = Worker.objects.filter(name=worker.name, started=worker.started).update(**values, seen=Now())
    if not told:
        # A worker of the same name that was killed may have left its row.
        Worker.objects.update_or_create(name=worker.name, defaults={**values, "started": worker.started, "seen": Now()})


def leave(worker: Worker) -> None:
    """Write that `worker` has ended. Raises DatabaseErrors."""
    Worker.objects.filter(name=worker.name, started=worker.started).delete()


def prune() -> int:
    """Forget workers that have been gone for a day; returns how many."""
    return Worker.objects.filter(seen__lt=Now() - timedelta(seconds=FORGOTTEN_AFTER)).delete()[0]
