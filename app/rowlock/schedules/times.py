"""When a schedule is due: as JSON, in words, and as the rows of django-celery-beat that it is kept in."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from importlib.util import find_spec
from itertools import islice
from typing import Any
from zoneinfo import available_timezones

from celery.schedules import ParseException
from cron_descriptor import (  # type: ignore[import-untyped]
    FormatException,
    MissingFieldException,
    Options,
    WrongArgumentException,
    get_description,
)
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils import timezone
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
    crontab_schedule_celery_timezone,
)

from rowlock.runs.presentation import moment
from rowlock.schedules.errors import ScheduleError, wrong
from rowlock.schedules.slots import NeverDueError, timing_of

SHORTEST = timedelta(milliseconds=100)
LONGEST = timedelta(days=3660)

NO_EPHEM = (
    "Solar schedules need the package ephem (pip install 'celery[solar]'), which is not installed here; where beat "
    "has none either, one such schedule ends it."
)

CRONTAB_FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")


def row_of(when: Mapping[str, Any]) -> Model:
    """The row of django-celery-beat that says `when`, found or made.

    `when` has a `type` (interval, crontab, solar, clocked) and the fields of that row, as `shown` gives them; the `at`
    of a clocked one is a datetime, and the zone of a crontab may be None for Celery's own. Raises ScheduleError where
    it is never due.
    """
    row = unsaved_row_of(when)
    # Schedules share rows, and nothing keeps equal ones from being made twice.
    names = [field.name for field in row._meta.concrete_fields if not field.primary_key]
    manager = type(row)._default_manager
    found = manager.filter(**{name: getattr(row, name) for name in names}).order_by("pk").first()
    if found is None:
        row.save()
    kept: Model = found or row
    return kept


def unsaved_row_of(when: Mapping[str, Any]) -> Model:
    """As `row_of`, without looking into the database or changing it."""
    row: Model = _MAKERS[when["type"]](when)
    return row


def _interval_row(when: Mapping[str, Any]) -> Any:
    try:
        length = timedelta(**{when["period"]: when["every"]})
    except OverflowError:
        length = timedelta.max
    if not SHORTEST <= length <= LONGEST:
        raise wrong("every", "An interval is from a tenth of a second to ten years.")
    return IntervalSchedule(every=when["every"], period=when["period"])


def _crontab_row(when: Mapping[str, Any]) -> Any:
    zone = when.get("timezone") or crontab_schedule_celery_timezone()
    if zone not in available_timezones():
        raise wrong("timezone", f"There is no time zone {zone[:100]!r}; they are spelled as in Europe/Berlin or UTC.")
    fields = {name: "".join(when[name].split()) for name in CRONTAB_FIELDS}
    row: Any = CrontabSchedule(timezone=zone, **fields)
    try:
        row.full_clean()
        row.schedule.remaining_estimate(timezone.now())
    except ValidationError as error:
        raise ScheduleError(spoken_error(error), fields=_messages_by_field(error, CRONTAB_FIELDS)) from None
    except (ParseException, ValueError) as error:
        raise wrong("minute", f"The crontab cannot be used: {str(error).rstrip('.')}.") from None
    except RuntimeError:
        raise wrong("day_of_month", "The crontab is never due: no month has that day.") from None
    return row


def _messages_by_field(error: ValidationError, known: tuple[str, ...]) -> dict[str, str]:
    if not hasattr(error, "error_dict"):
        return {known[0]: " ".join(error.messages)}
    found: dict[str, str] = {}
    for name, messages in error.message_dict.items():
        field = name if name in known else known[0]
        found[field] = " ".join(filter(None, (found.get(field), *messages)))
    return found


def _solar_row(when: Mapping[str, Any]) -> Any:
    if not has_ephem():
        raise wrong("event", NO_EPHEM)
    return SolarSchedule(
        event=when["event"], latitude=_degrees(when["latitude"]), longitude=_degrees(when["longitude"])
    )


def _degrees(value: float) -> Decimal:
    return Decimal(f"{value:.6f}")


def _clocked_row(when: Mapping[str, Any]) -> Any:
    if when["at"] <= timezone.now():
        raise wrong("at", f"The time {when['at'].isoformat()} has passed; to start the task now, run it instead.")
    return ClockedSchedule(clocked_time=when["at"])


_MAKERS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "interval": _interval_row,
    "crontab": _crontab_row,
    "solar": _solar_row,
    "clocked": _clocked_row,
}


def has_ephem() -> bool:
    """Is the package installed without which Celery cannot tell the times of the sun?"""
    return find_spec("ephem") is not None


def spoken_error(error: ValidationError) -> str:
    """What Django's validation found, in one line."""
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    return "; ".join(f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items())


def shown(task: PeriodicTask) -> dict[str, Any] | None:
    """The JSON of when `task` is due; None for a row that says nothing."""
    if task.interval:
        return {"type": "interval", "every": task.interval.every, "period": task.interval.period}
    if task.crontab:
        fields = {name: getattr(task.crontab, name) for name in CRONTAB_FIELDS}
        return {"type": "crontab", **fields, "timezone": str(task.crontab.timezone)}
    if task.solar:
        place = {"latitude": float(task.solar.latitude), "longitude": float(task.solar.longitude)}
        return {"type": "solar", "event": task.solar.event, **place}
    if task.clocked:
        return {"type": "clocked", "at": moment(task.clocked.clocked_time)}
    return None


def spoken(task: PeriodicTask) -> str:
    """When `task` is due, in words: "every 10 seconds", "at 03:00 on weekdays, Europe/Berlin"."""
    if task.crontab:
        return _spoken_crontab(task.crontab)
    if task.solar:
        place = f"{float(task.solar.latitude):g}, {float(task.solar.longitude):g}"
        return f"at {task.solar.event.replace('_', ' ')}, {place}"
    if task.clocked:
        return f"once, at {timezone.localtime(task.clocked.clocked_time):%Y-%m-%d %H:%M %Z}"
    return str(task.scheduler or "never")


def _spoken_crontab(crontab: CrontabSchedule) -> str:
    expression = " ".join("".join(getattr(crontab, name).split()) for name in CRONTAB_FIELDS)
    try:
        told = get_description(expression, options=_OPTIONS)
    except (MissingFieldException, FormatException, WrongArgumentException, ValueError, IndexError):
        told = expression
    told = told[:1].lower() + told[1:]
    for pattern, plain in _PLAINER:
        told = re.sub(pattern, plain, told)
    return f"{told}, {crontab.timezone}"


_OPTIONS = Options()
_OPTIONS.use_24hour_time_format = True
_OPTIONS.locale_code = "en_US"

_PLAINER = (
    (r", Monday through Friday", " on weekdays"),
    (r", only on (Saturday and Sunday|Sunday and Saturday)", " at weekends"),
    (r", only on ", " on "),
    (r", only in ", " in "),
    (r", on day ([0-9]+) of the month", r" on day \1 of the month"),
    (r"^at 00:00\b", "at midnight"),
)


def next_times(task: PeriodicTask, count: int, *, after: datetime | None = None) -> list[datetime]:
    """The next `count` moments, from now or later than `after`, at which `task` is due if it is enabled.

    Fewer where there are no more, none where that cannot be told here.
    """
    if task.scheduler is None or (task.solar and not has_ephem()):
        return []
    found: list[datetime] = []
    try:
        timing = timing_of(task)
        slot = timing.next(after or timezone.now())
        while slot is not None and len(found) < count:
            found.append(slot)
            slot = timing.next(slot)
    except (ValueError, OverflowError, RuntimeError, ParseException, NeverDueError):
        pass
    return found


def past_times(task: PeriodicTask, count: int, since: datetime) -> list[datetime]:
    """The latest `count` moments from `since` until now at which `task` was due, the last first."""
    if task.scheduler is None or (task.solar and not has_ephem()):
        return []
    try:
        return list(islice(timing_of(task).back(since, timezone.now()), count))
    except (ValueError, OverflowError, RuntimeError, ParseException, NeverDueError):
        return []


def next_due(task: PeriodicTask) -> datetime | None:
    """When `task` is due next; None where it never is, or that cannot be told here."""
    if not task.enabled:
        return None
    if task.clocked:
        at: datetime = task.clocked.clocked_time
        return at
    return next(iter(next_times(task, 1)), None)
