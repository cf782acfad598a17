"""The enabled schedules, each with the moment after which its slots count."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django_celery_beat.models import PeriodicTask

from rowlock.models import Missed, Schedule
from rowlock.schedules.slots import EPOCH, Timing, timing_of

KINDS = ("interval", "crontab", "solar", "clocked")
#: A last run that is this far ahead was dated by a wrong clock.
AHEAD = timedelta(minutes=5)


@dataclass(kw_only=True)
class Followed:
    """A schedule that beat follows: its slots later than `after` are still to be run."""

    task: PeriodicTask
    timing: Timing
    missed: Missed
    after: datetime
    next: datetime | None = field(init=False)

    def __post_init__(self) -> None:
        self.next = self.timing.next(self.after)

    def has_ended(self, now: datetime) -> bool:
        """Has the time come from which it is not followed any more?"""
        return self.task.expires is not None and self.task.expires <= now

    def advance(self, slot: datetime) -> None:
        """All slots up to `slot` have been dealt with."""
        self.task.last_run_at = self.after = slot
        self.next = self.timing.next(slot)


def load(now: datetime) -> tuple[list[Followed], list[tuple[PeriodicTask, Exception]]]:
    """All enabled schedules, and those that cannot be followed with the reason.

    What is decided here about where their slots begin is kept, so that no restart puts it off. Costs three statements,
    and one more where there is something to keep. Raises DatabaseErrors.
    """
    Schedule.objects.filter(task__enabled=False).exclude(timing="").update(timing="", since=now)
    states = Schedule.objects.in_bulk()
    followed, broken, changed = [], [], []
    for task in PeriodicTask.objects.filter(enabled=True).select_related(*KINDS):
        state = states.get(task.pk) or Schedule(task=task)
        try:
            if _decide(state, task, now):
                changed.append(state)
            after = _after(state, task, now)
            followed.append(Followed(task=task, timing=timing_of(task), missed=Missed(state.missed), after=after))
        except Exception as error:  # whatever Celery, ephem or a row by hand has to say; the others go on
            broken.append((task, error))
    if changed:
        Schedule.objects.bulk_create(
            changed,
            update_conflicts=True,
            unique_fields=["task"],
            update_fields=["timing", "since", "runs_before"],
        )
    return followed, broken


def _decide(state: Schedule, task: PeriodicTask, now: datetime) -> bool:
    """Decide anew where the slots begin, if there is a reason to; returns whether there was one."""
    timing = _digest(task)
    is_new = state.since is None
    was_switched_off = task.last_run_at is None and task.total_run_count > state.runs_before
    if not is_new and timing == state.timing and not was_switched_off:
        return False
    changed = min(task.date_changed or now, now)
    if is_new:
        state.since = min(task.last_run_at or changed, now)
    else:
        # The row tells when it was changed, but not if that was done by a bulk update, or in a row it points to.
        before = max(filter(None, (state.since, task.last_run_at)))
        state.since = changed if changed > before else now
    state.timing, state.runs_before = timing, task.total_run_count
    return True


def _after(state: Schedule, task: PeriodicTask, now: datetime) -> datetime:
    last: datetime | None = task.last_run_at
    if last is not None and last > now + AHEAD:
        # Its slots until then have been run; those between are found by their keys.
        return now
    if task.clocked is not None:
        # It was said when, not from when on: the moment may have passed already.
        return last or EPOCH
    assert state.since is not None
    return max(state.since, last) if last else state.since


def _digest(task: PeriodicTask) -> str:
    when: list[Any] = [task.start_time]
    for kind in KINDS:
        row = getattr(task, kind)
        if row is not None:
            names = [column.attname for column in row._meta.concrete_fields if not column.primary_key]
            when += [kind, *(getattr(row, name) for name in names)]
    return hashlib.sha256(repr([str(value) for value in when]).encode()).hexdigest()
