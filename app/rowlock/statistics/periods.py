"""The periods that people look at, and the steps in which plots show them."""

from datetime import UTC, datetime, timedelta
from enum import Enum

MINUTE = timedelta(minutes=1)


class Period(Enum):
    """A period that ends now, and the length of a step in it: 60 to 96 points fill a plot."""

    HOUR = ("1h", timedelta(hours=1), timedelta(minutes=1))
    SIX_HOURS = ("6h", timedelta(hours=6), timedelta(minutes=5))
    DAY = ("24h", timedelta(hours=24), timedelta(minutes=15))

    def __init__(self, label: str, length: timedelta, step: timedelta) -> None:
        self.label = label
        self.length = length
        self.step = step

    @classmethod
    def of(cls, label: str) -> "Period":
        """The period that `1h`, `6h` or `24h` names; raises ValueError with those that there are."""
        for period in cls:
            if period.label == label:
                return period
        raise ValueError(f"there is no period {label!r}; there are {', '.join(period.label for period in cls)}")

    def steps(self, now: datetime) -> list[datetime]:
        """The beginnings of its steps, on the clock's own marks; `now` is in the last one."""
        last = floor(now, self.step)
        count = self.length // self.step
        return [last - self.step * number for number in reversed(range(count))]


def floor(moment: datetime, step: timedelta) -> datetime:
    """The last multiple of `step` up to `moment`."""
    seconds = step.total_seconds()
    return datetime.fromtimestamp(moment.timestamp() // seconds * seconds, UTC)
