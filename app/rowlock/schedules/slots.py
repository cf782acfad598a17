"""When a schedule is due, as moments that do not depend on when anybody looks: its slots.

All times are aware. Beat, which dispatches slots, and the API, which tells the next one, agree by asking here.
"""

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from celery.utils.time import maybe_make_aware
from django_celery_beat.models import PeriodicTask

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Days within which a crontab is due if it ever is: 29 February falls on each day of the week every 28 years, and on
#: none for 12 years around 2100.
FARTHEST = 366 * 41


class NeverDueError(Exception):
    """The schedule has no slot and never will; the message says why."""


class Timing(ABC):
    """The slots of a schedule."""

    @abstractmethod
    def next(self, after: datetime) -> datetime | None:
        """The first slot later than `after`; None where there is none."""

    @abstractmethod
    def back(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The slots later than `after`, from the last that is not later than `until` back."""


def timing_of(task: PeriodicTask) -> Timing:
    """The slots of `task`, none of them before its start_time or from its `expires` on.

    Raises NeverDueError, and whatever Celery raises on a crontab or a place of the sun that it cannot read.
    """
    timing = _timing_of(task)
    if task.start_time is None and task.expires is None:
        return timing
    return _Within(timing, task.start_time, task.expires)


def _timing_of(task: PeriodicTask) -> Timing:
    if task.interval is not None:
        return Interval(timedelta(**{task.interval.period: task.interval.every}), task.start_time or EPOCH)
    if task.crontab is not None:
        return Crontab.of(task.crontab.schedule)
    if task.solar is not None:
        return Solar(task.solar.schedule)
    if task.clocked is not None:
        return Clocked(task.clocked.clocked_time)
    raise NeverDueError("it has no interval, crontab, solar event or clocked time")


class Interval(Timing):
    """Multiples of `period` since `origin`, whatever a clock on a wall shows."""

    def __init__(self, period: timedelta, origin: datetime = EPOCH) -> None:
        if period <= timedelta():
            raise NeverDueError(f"its interval is {period}, and must be longer than nothing")
        self._period, self._origin = period, origin

    def next(self, after: datetime) -> datetime | None:
        try:
            return self._origin + ((after - self._origin) // self._period + 1) * self._period
        except OverflowError:
            return None

    def back(self, after: datetime, until: datetime) -> Iterator[datetime]:
        slot = self._origin + (until - self._origin) // self._period * self._period
        while slot > after:
            yield slot
            slot -= self._period


@dataclass(frozen=True, kw_only=True)
class Crontab(Timing):
    """The minutes of the clock in `zone` that match.

    A time that the clock skips in spring is due as much later as the clock jumps. Of a time that it shows twice in
    autumn the first is due; both are, where `repeats`: minute or hour have a `*`, which means "every".
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    zone: tzinfo
    repeats: bool

    @classmethod
    def of(cls, schedule: Any) -> "Crontab":
        """Of Celery's crontab, or django-celery-beat's with a time zone."""
        return cls(
            minutes=tuple(sorted(schedule.minute)),
            hours=tuple(sorted(schedule.hour)),
            days=frozenset(schedule.day_of_month),
            months=frozenset(schedule.month_of_year),
            weekdays=frozenset(schedule.day_of_week),
            zone=schedule.tz,
            repeats="*" in f"{schedule._orig_minute}{schedule._orig_hour}",
        )

    def next(self, after: datetime) -> datetime | None:
        # What the clock skips at the end of a day is due on the next, so the search begins a day early.
        first = after.astimezone(self.zone).date() - timedelta(days=1)
        for distance in range(FARTHEST):
            slots = _slots_of(self, first + timedelta(days=distance))
            if slots and slots[-1] > after:
                return slots[bisect_right(slots, after)]
        return None

    def back(self, after: datetime, until: datetime) -> Iterator[datetime]:
        day = until.astimezone(self.zone).date() + timedelta(days=1)
        first = after.astimezone(self.zone).date() - timedelta(days=1)
        while day >= first:
            slots = _slots_of(self, day)
            yield from reversed(slots[bisect_right(slots, after) : bisect_right(slots, until)])
            day -= timedelta(days=1)


def _slots_of(crontab: Crontab, day: date) -> tuple[datetime, ...]:
    if day.month not in crontab.months or day.day not in crontab.days:
        return ()
    # Celery counts from Sunday.
    return _moments_of(crontab, day) if day.isoweekday() % 7 in crontab.weekdays else ()


@lru_cache(maxsize=128)
def _moments_of(crontab: Crontab, day: date) -> tuple[datetime, ...]:
    moments = set()
    for hour in crontab.hours:
        for minute in crontab.minutes:
            shown = datetime.combine(day, time(hour, minute), crontab.zone)
            moments.add(shown.astimezone(UTC))
            if crontab.repeats:
                again = shown.replace(fold=1)
                if again.utcoffset() != shown.utcoffset() and _is_shown(again):
                    moments.add(again.astimezone(UTC))
    return tuple(sorted(moments))


def _is_shown(moment: datetime) -> bool:
    back = moment.astimezone(UTC).astimezone(moment.tzinfo)
    return back.replace(tzinfo=None) == moment.replace(tzinfo=None)


class Solar(Timing):
    """The times at which the sun does something, to the second."""

    #: An event is computed a little differently from each moment that the search begins at.
    SAME = timedelta(seconds=2)

    def __init__(self, schedule: Any) -> None:
        self._schedule = schedule

    def next(self, after: datetime) -> datetime | None:
        slot = self._event(after)
        return self._event(after + timedelta(hours=1)) if slot - after <= self.SAME else slot

    def back(self, after: datetime, until: datetime) -> Iterator[datetime]:
        slots = []
        slot = self.next(after)
        while slot is not None and slot <= until:
            slots.append(slot)
            slot = self.next(slot)
        yield from reversed(slots)

    def _event(self, after: datetime) -> datetime:
        # Celery tells how long it is from its `now`.
        self._schedule.nowfun = lambda: after
        event: datetime = after + self._schedule.remaining_estimate(after)
        return (event.astimezone(UTC) + timedelta(seconds=0.5)).replace(microsecond=0)


class Clocked(Timing):
    """One moment."""

    def __init__(self, moment: datetime) -> None:
        self._moment: datetime = maybe_make_aware(moment)

    def next(self, after: datetime) -> datetime | None:
        return self._moment if self._moment > after else None

    def back(self, after: datetime, until: datetime) -> Iterator[datetime]:
        if after < self._moment <= until:
            yield self._moment


class _Within(Timing):
    """The slots of another from `start` on and before `end`."""

    def __init__(self, timing: Timing, start: datetime | None, end: datetime | None) -> None:
        self._timing, self._end = timing, end
        self._before = None if start is None else start - timedelta(microseconds=1)

    def next(self, after: datetime) -> datetime | None:
        slot = self._timing.next(after if self._before is None else max(after, self._before))
        return None if slot is None or (self._end is not None and slot >= self._end) else slot

    def back(self, after: datetime, until: datetime) -> Iterator[datetime]:
        after = after if self._before is None else max(after, self._before)
        until = until if self._end is None else min(until, self._end - timedelta(microseconds=1))
        return self._timing.back(after, until)
