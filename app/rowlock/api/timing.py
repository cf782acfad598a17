"""When a schedule is due: its JSON, and the rows of django-celery-beat that it is kept in."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from importlib.util import find_spec
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from celery.schedules import ParseException
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
from pydantic import Field

from rowlock.api.fields import Body, Name, Time
from rowlock.runs.errors import OptionsError
from rowlock.runs.presentation import moment
from rowlock.schedules.slots import NeverDueError, timing_of

SHORTEST = timedelta(milliseconds=100)
LONGEST = timedelta(days=3660)

NO_EPHEM = (
    "Solar schedules need the package ephem (pip install 'celery[solar]'), which is not installed here; where beat "
    "has none either, one such schedule ends it."
)


class Interval(Body):
    """Again and again after the same time."""

    type: Literal["interval"]
    every: Annotated[int, Field(ge=1)]
    period: Literal["days", "hours", "minutes", "seconds", "microseconds"]


class Crontab(Body):
    """At times of the clock and days of the calendar, as in cron."""

    type: Literal["crontab"]
    minute: Name = "*"
    hour: Name = "*"
    day_of_month: Name = "*"
    month_of_year: Name = "*"
    day_of_week: Name = "*"
    timezone: Annotated[Name | None, Field(description="As in Europe/Berlin; Celery's own without it.")] = None


class Solar(Body):
    """With the sun at a place."""

    type: Literal["solar"]
    event: Literal[
        "dawn_astronomical",
        "dawn_nautical",
        "dawn_civil",
        "sunrise",
        "solar_noon",
        "sunset",
        "dusk_civil",
        "dusk_nautical",
        "dusk_astronomical",
    ]
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]


class Clocked(Body):
    """Once, at a time."""

    type: Literal["clocked"]
    at: Time


When = Annotated[Interval | Crontab | Solar | Clocked, Field(discriminator="type")]


def row_of(when: Interval | Crontab | Solar | Clocked) -> Model:
    """The row of django-celery-beat that says `when`, found or made; raises OptionsError where it is never due."""
    return _MAKERS[when.type](when)


def _interval_row(when: Any) -> Model:
    try:
        length = timedelta(**{when.period: when.every})
    except OverflowError:
        length = timedelta.max
    if not SHORTEST <= length <= LONGEST:
        raise OptionsError("An interval is from a tenth of a second to ten years.")
    return _found_or_made(IntervalSchedule(every=when.every, period=when.period))


def _crontab_row(when: Any) -> Model:
    zone = when.timezone or crontab_schedule_celery_timezone()
    if zone not in available_timezones():
        raise OptionsError(f"There is no time zone {zone[:100]!r}; they are spelled as in Europe/Berlin or UTC.")
    fields = {name: "".join(getattr(when, name).split()) for name in _CRONTAB_FIELDS}
    row = CrontabSchedule(timezone=zone, **fields)
    try:
        row.full_clean()
        row.schedule.remaining_estimate(timezone.now())
    except ValidationError as error:
        raise OptionsError(spoken_error(error)) from None
    except (ParseException, ValueError) as error:
        raise OptionsError(f"The crontab cannot be used: {str(error).rstrip('.')}.") from None
    except RuntimeError:
        raise OptionsError("The crontab is never due: no month has that day.") from None
    return _found_or_made(row)


def _solar_row(when: Any) -> Model:
    if not has_ephem():
        raise OptionsError(NO_EPHEM)
    return _found_or_made(
        SolarSchedule(event=when.event, latitude=_degrees(when.latitude), longitude=_degrees(when.longitude))
    )


def _degrees(value: float) -> Decimal:
    return Decimal(f"{value:.6f}")


def _clocked_row(when: Any) -> Model:
    if when.at <= timezone.now():
        raise OptionsError(f"The time {when.at.isoformat()} has passed; to run the task now, POST …/run.")
    return _found_or_made(ClockedSchedule(clocked_time=when.at))


_MAKERS: dict[str, Callable[[Any], Model]] = {
    "interval": _interval_row,
    "crontab": _crontab_row,
    "solar": _solar_row,
    "clocked": _clocked_row,
}
_CRONTAB_FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")


def has_ephem() -> bool:
    return find_spec("ephem") is not None


def _found_or_made(row: Model) -> Model:
    # Schedules share rows, and nothing keeps equal ones from being made twice.
    names = [field.name for field in row._meta.concrete_fields if not field.primary_key]
    manager = type(row)._default_manager
    found = manager.filter(**{name: getattr(row, name) for name in names}).order_by("pk").first()
    if found is None:
        row.save()
    return found or row


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
        fields = {name: getattr(task.crontab, name) for name in _CRONTAB_FIELDS}
        return {"type": "crontab", **fields, "timezone": str(task.crontab.timezone)}
    if task.solar:
        place = {"latitude": float(task.solar.latitude), "longitude": float(task.solar.longitude)}
        return {"type": "solar", "event": task.solar.event, **place}
    if task.clocked:
        return {"type": "clocked", "at": moment(task.clocked.clocked_time)}
    return None


def spoken(task: PeriodicTask) -> str:
    """When `task` is due, in words."""
    if task.crontab:
        return str(task.crontab.human_readable)
    return str(task.scheduler or "never")


def next_due(task: PeriodicTask) -> datetime | None:
    """When `task` is due next; None where it never is, or that cannot be told here."""
    if not task.enabled or task.scheduler is None or (task.solar and not has_ephem()):
        return None
    if task.clocked:
        at: datetime = task.clocked.clocked_time
        return at
    try:
        return timing_of(task).next(timezone.now())
    except (ValueError, OverflowError, RuntimeError, ParseException, NeverDueError):
        return None
