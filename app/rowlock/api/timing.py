"""When a schedule is due, in bodies."""

from typing import Annotated, Literal

from pydantic import Field

from rowlock.api.fields import Body, Name, Time


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
