"""What became of the latest times of schedules: the runs for them, those that were missed, and lateness."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from rowlock.models import Run
from rowlock.runs.presentation import HEAVY_COLUMNS
from rowlock.schedules.dispatch import key_of
from rowlock.schedules.slots import EPOCH
from rowlock.schedules.times import next_times, past_times

#: Latest times of a schedule that are looked at.
SHOWN = 5
#: How far back those are looked for: a yearly crontab need not be followed for years.
WINDOW = timedelta(days=100)
#: The position of the sun is slow to compute.
SOLAR_WINDOW = timedelta(days=SHOWN + 1)
#: Beat dispatches within about a second; a busy one takes longer.
GRACE = timedelta(seconds=15)


@dataclass(frozen=True, kw_only=True)
class Past:
    """A moment at which a schedule was due, and its run; None where it was missed, or the run was deleted by age."""

    slot: datetime
    run: Run | None


@dataclass(frozen=True, kw_only=True)
class History:
    """The latest times of a schedule, the last first, and since when it is late (None: it is not)."""

    past: tuple[Past, ...]
    late_since: datetime | None

    @property
    def last(self) -> Run | None:
        """The run for the latest time that has one."""
        return next((past.run for past in self.past if past.run), None)

    @property
    def missed(self) -> int:
        """Times without a run between those that have one."""
        known = [past.run is not None for past in self.past]
        return sum(not had for index, had in enumerate(known) if any(known[:index]) and any(known[index:]))


def histories(tasks: Iterable[PeriodicTask]) -> dict[int, History]:
    """Of schedules (see `editing.schedules`), by their id; costs one statement."""
    now = timezone.now()
    slots = {task.pk: (task, _slots(task, now)) for task in tasks}
    keys = {key_of(task, slot) for task, past in slots.values() for slot in past}
    runs = {run.key: run for run in Run.objects.filter(key__in=keys, owner="").defer(*HEAVY_COLUMNS)} if keys else {}
    return {
        pk: History(
            past=tuple(Past(slot=slot, run=runs.get(key_of(task, slot))) for slot in past),
            late_since=_late_since(task, now),
        )
        for pk, (task, past) in slots.items()
    }


def _slots(task: PeriodicTask, now: datetime) -> list[datetime]:
    window = SOLAR_WINDOW if task.solar else WINDOW
    found = past_times(task, SHOWN, max(now - window, _began(task)))
    # The last one may be longer ago, or of times that the schedule had before.
    if task.last_run_at is not None and task.last_run_at not in found:
        found = sorted([*found, task.last_run_at], reverse=True)[:SHOWN]
    return found


def _began(task: PeriodicTask) -> datetime:
    """Beat looked at the schedule for the first time, or what it is by now."""
    since = task.rowlock.since if hasattr(task, "rowlock") else None
    return min(filter(None, (since, task.last_run_at)), default=timezone.now())


def _late_since(task: PeriodicTask, now: datetime) -> datetime | None:
    kept = getattr(task, "rowlock", None)
    if not task.enabled or kept is None or kept.since is None:
        return None
    # Beat decides anew from when on a schedule counts that was changed or switched on, and writes that down.
    after = max(filter(None, (kept.since, task.last_run_at, task.date_changed if kept.timing == "" else None)))
    if task.clocked:
        after = task.last_run_at or EPOCH
    due = next(iter(next_times(task, 1, after=after)), None)
    return due if due is not None and due < now - GRACE else None
