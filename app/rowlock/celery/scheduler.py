"""The scheduler of beat: django-celery-beat's schedules, each due slot accepted as a run.

`beat_scheduler = "rowlock.celery.scheduler:Scheduler"`; importing this needs Django's apps to be loaded.
"""

import logging
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from celery import Celery
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, close_old_connections
from django.utils import timezone
from django_celery_beat.models import PeriodicTasks
from django_celery_beat.schedulers import DatabaseScheduler

from rowlock.celery.beat_lock import Lock, LockError, chosen_lock
from rowlock.celery.beat_settings import write_settings
from rowlock.metrics.beat import ACTIVE, DROPPED, FAILURES, LAST_TICK, LATE, TICKS
from rowlock.models import connections
from rowlock.runs import RunError
from rowlock.schedules.dispatch import dispatch, end
from rowlock.schedules.followed import Followed, load

logger = logging.getLogger(__name__)

#: Seconds between looks at the lock and for changed schedules.
POLL = 1.0
#: Seconds after which schedules are read again though nobody told of a change.
RELOAD = 300.0
#: Seconds for which the lock's word is good while many schedules are due at once.
CONFIRMED = 1.0
#: Seconds until a schedule that cannot be submitted is tried again: at first, and at most.
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0


@dataclass(frozen=True, kw_only=True)
class Status:
    """What the latest turn of beat's main loop has come to."""

    state: Literal["ticking", "standing by", "hindered"]
    detail: str


@dataclass(kw_only=True)
class _Pause:
    until: float
    length: float


class Scheduler(DatabaseScheduler):
    """Ticks while it holds the lock of beat; see docs/schedules.md for what it does with each kind of schedule.

    Of DatabaseScheduler there is left what the admin and `celery beat` ask of a scheduler.
    """

    def __init__(self, app: Celery, *, lazy: bool = False, lock: Lock | None = None, **kwargs: Any) -> None:
        """Asks neither database nor lock, so that beat starts without them."""
        super().__init__(app, lazy=True, **kwargs)
        #: None before the first turn.
        self.status: Status | None = None
        #: When the main loop was last seen to move, monotonic.
        self.moved = time.monotonic()
        self._lock = lock or chosen_lock()
        self._is_active = self._is_turning = False
        self._schedules: dict[int, Followed] = {}
        self._pauses: dict[int, _Pause] = {}
        self._seen: datetime | None = None
        self._loaded = self._confirmed = 0.0
        self._lateness = 0.0
        if not lazy:
            LATE.set_function(self.late)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Submit what is due; returns the seconds until there may be more to do."""
        self._is_turning = True
        try:
            delay = self._turn()
        except (DatabaseError, LockError) as error:
            logger.warning("beat cannot tick: %s", error)
            delay = self._hindered(str(error))
        except Exception as error:
            logger.exception("beat cannot tick")
            delay = self._hindered(f"{type(error).__name__}: {error}")
        else:
            connections.rest()
        finally:
            self._is_turning = False
        self.moved = time.monotonic()
        ACTIVE.set(self._is_active)
        longest: float = self.max_interval
        return min(delay, longest)

    def late(self) -> float:
        """Seconds since the most overdue slot was due; without one, how late the latest was dispatched."""
        due = [schedule.next for schedule in list(self._schedules.values()) if schedule.next is not None]
        overdue = (timezone.now() - min(due)).total_seconds() if due else 0.0
        return max(overdue, self._lateness, 0.0)

    def close(self) -> None:
        """Give up the lock; called on TERM from the signal's handler, and again when the main loop has ended."""
        if not self._is_turning:
            self._lock.release()
            self._is_active = False

    def sync(self) -> None:
        """Nothing is ever kept back."""

    def should_sync(self) -> bool:
        return False

    def _turn(self) -> float:
        close_old_connections()
        if not self._lock.hold():
            self._stand_by()
            return POLL
        self._confirmed = time.monotonic()
        if not self._is_active:
            logger.info("beat holds the lock and ticks")
            write_settings(self.app)
            self._reload()
            self._is_active = True
        elif self._has_changed():
            self._reload()
        self._submit_due()
        if not self._is_active:
            return POLL
        LAST_TICK.set_to_current_time()
        self.status = Status(state="ticking", detail=f"{len(self._schedules)} schedules")
        return self._delay()

    def _stand_by(self) -> None:
        if self._is_active or self.status is None:
            logger.info("another beat holds the lock; this one stands by")
        self._forget()
        self.status = Status(state="standing by", detail="another beat holds the lock")

    def _hindered(self, reason: str) -> float:
        connections.drop()
        self.status = Status(state="hindered", detail=reason)
        # Once it goes on, everything is read again. Until then the schedules tell how late they are.
        self._is_active = False
        return POLL

    def _forget(self) -> None:
        self._is_active, self._lateness = False, 0.0
        self._schedules, self._pauses = {}, {}

    def _has_changed(self) -> bool:
        if time.monotonic() - self._loaded > RELOAD or not self._loaded:
            return True
        # The clocks of those who change schedules differ: not only what is later is a change.
        return bool(PeriodicTasks.last_change() != self._seen)

    def _reload(self) -> None:
        self._seen = PeriodicTasks.last_change()
        followed, broken = load(timezone.now())
        known = self._schedules
        self._schedules = {schedule.task.pk: schedule for schedule in followed}
        self._pauses = {
            pk: pause
            for pk, pause in self._pauses.items()
            if pk in self._schedules and pk in known and not _differ(known[pk], self._schedules[pk])
        }
        for task, error in broken:
            FAILURES.inc()
            logger.error("the schedule %r cannot be followed, and rests until it is changed: %s", task.name, error)
        self._loaded = time.monotonic()

    def _submit_due(self) -> None:
        now = timezone.now()
        due = [schedule for schedule in self._schedules.values() if self._is_due(schedule, now)]
        for schedule in sorted(due, key=lambda schedule: schedule.next or now):
            if time.monotonic() - self._confirmed > CONFIRMED:
                if not self._lock.hold():
                    self._stand_by()
                    return
                self._confirmed = time.monotonic()
            self._submit(schedule, now)

    def _is_due(self, schedule: Followed, now: datetime) -> bool:
        pause = self._pauses.get(schedule.task.pk)
        if pause is not None and pause.until > time.monotonic():
            return False
        return (schedule.next is not None and schedule.next <= now) or schedule.has_ended(now)

    def _submit(self, schedule: Followed, now: datetime) -> None:
        task = schedule.task
        if schedule.has_ended(now):
            end(task)
            del self._schedules[task.pk]
            return
        slot = schedule.next
        self.moved = time.monotonic()
        try:
            outcome = dispatch(schedule, now)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # this schedule's own fault, whatever it is: the others go on
            self._pause(schedule, error)
            return
        self._pauses.pop(task.pk, None)
        if outcome.is_stale:
            self._loaded = 0.0
            return
        TICKS.inc(outcome.submitted)
        if outcome.dropped:
            DROPPED.inc(outcome.dropped)
            logger.warning("the schedule %r: %s missed slots are dropped", task.name, outcome.dropped)
        if slot is not None:
            self._lateness = (timezone.now() - slot).total_seconds()

    def _pause(self, schedule: Followed, error: Exception) -> None:
        pk = schedule.task.pk
        length = min(LONGEST_PAUSE, self._pauses[pk].length * 2 if pk in self._pauses else FIRST_PAUSE)
        self._pauses[pk] = _Pause(until=time.monotonic() + length, length=length)
        FAILURES.inc()
        logger.error(
            "the schedule %r cannot be submitted, next try in %.0f s or when it is changed: %s",
            schedule.task.name,
            length,
            error,
            exc_info=None if isinstance(error, RunError) else error,
        )

    def _delay(self) -> float:
        if not self._loaded:
            return 0.0
        now, delay = timezone.now(), POLL
        for pk, schedule in self._schedules.items():
            if pk not in self._pauses and schedule.next is not None:
                delay = min(delay, (schedule.next - now).total_seconds())
        return max(0.0, delay)


def _differ(old: Followed, new: Followed) -> bool:
    return bool(old.task.date_changed != new.task.date_changed)
