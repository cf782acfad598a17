"""What people look at: throughput, waiting and run times, failures; over a period, by task and by queue.

These are of all runs: show them only to who may see all of them (`Viewer.sees_all`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet, Sum
from django.utils import timezone

from rowlock.models import FINAL, Minute
from rowlock.models.minute import RAN, WAITED
from rowlock.statistics import counting, minutes
from rowlock.statistics.histogram import Histogram, added
from rowlock.statistics.periods import MINUTE, Period, floor

#: Changes of which what is not counted yet is read, at the most. Where there are more, their time is known in part.
MOST_LIVE_ROWS = 20_000

_OUTCOMES = tuple(state.label for state in FINAL)
_COLUMNS = ("started", *_OUTCOMES, *WAITED, *RAN)


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """Runs that started and ended within `seconds`, by outcome, with their waiting and run times.

    `seconds` are those that are known: 0 where nobody counted, less than its length for a step that is not over.
    """

    seconds: float = 0.0
    started: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    expired: int = 0
    #: From when a run was accepted or due until it started; not of retries.
    waited: Histogram = field(default_factory=Histogram)
    #: From the (last) start of a run to its end.
    ran: Histogram = field(default_factory=Histogram)

    @property
    def is_known(self) -> bool:
        return self.seconds > 0

    @property
    def finished(self) -> int:
        return self.succeeded + self.failed + self.cancelled + self.expired

    @property
    def failure_share(self) -> float | None:
        """The part (0 to 1) of what succeeded or failed that failed; None where nothing did either."""
        ended = self.succeeded + self.failed
        return self.failed / ended if ended else None

    def per_minute(self, number: int) -> float | None:
        """`number`, which is one of these, as a rate; None where it is not known."""
        return number * 60 / self.seconds if self.is_known else None


@dataclass(frozen=True, kw_only=True)
class Step:
    """One point of a plot: from `start` on, for the length of the period's step."""

    start: datetime
    numbers: Numbers


@dataclass(frozen=True, kw_only=True)
class Activity:
    """A period in steps, oldest first, and all of it."""

    period: Period
    steps: Sequence[Step]
    total: Numbers


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a task or a queue had of a period."""

    name: str
    numbers: Numbers


def activity(period: Period, *, task: str = "", queue: str = "") -> Activity:
    """The period that ends now: of all runs, of one task or of one queue (not of both: raises ValueError).

    Reads a row for each minute, and up to MOST_LIVE_ROWS changes of the last one or two. Raises DatabaseErrors.
    """
    if task and queue:
        raise ValueError("There are numbers of a task and of a queue, but none of a task in a queue; ask for one.")
    minutes.keep()
    now = timezone.now()
    live = _live(now)
    marks = period.steps(now)
    by_mark: dict[datetime, list[Numbers]] = {mark: [] for mark in marks}
    rows = Minute.objects.filter(task=task, queue=queue, minute__gte=marks[0], minute__lt=live.since)
    known = dict.fromkeys(_counted(marks[0], live.since), Numbers(seconds=60.0))
    known.update({row["minute"]: _numbers(row, 60.0) for row in rows.values("minute", *_COLUMNS)})
    for minute, numbers in [*known.items(), *live.of(task, queue).items()]:
        mark = floor(minute, period.step)
        if mark in by_mark:
            by_mark[mark].append(numbers)
    steps = [Step(start=mark, numbers=_sum(of_step)) for mark, of_step in by_mark.items()]
    return Activity(period=period, steps=steps, total=_sum(step.numbers for step in steps))


def by_task(period: Period) -> list[Part]:
    """Every task that had runs which started or ended, those with the most first. Raises DatabaseErrors."""
    return _parts(period, "task", Minute.objects.filter(queue="", task__gt=""))


def by_queue(period: Period) -> list[Part]:
    """Every queue that had runs which started or ended, those with the most first. Raises DatabaseErrors."""
    return _parts(period, "queue", Minute.objects.filter(task="", queue__gt=""))


def _parts(period: Period, name: str, rows: QuerySet[Minute]) -> list[Part]:
    minutes.keep()
    now = timezone.now()
    live = _live(now)
    begin = period.steps(now)[0]
    seconds = 60.0 * len(_counted(begin, live.since))
    summed = rows.filter(minute__gte=begin, minute__lt=live.since).order_by()
    found = {
        row[name]: [_numbers(row, 0.0)]
        for row in summed.values(name).annotate(**{column: Sum(column) for column in _COLUMNS})
    }
    for (_, task, queue), counts in live.table.items():
        part = {"task": task, "queue": queue}[name]
        if part:
            found.setdefault(part, []).append(_numbers(counts.columns(), 0.0))
    whole = Numbers(seconds=seconds + live.seconds)
    parts = [Part(name=part, numbers=_sum([whole, *numbers])) for part, numbers in found.items()]
    return sorted(parts, key=lambda part: (-part.numbers.started - part.numbers.finished, part.name))


def _counted(since: datetime, before: datetime) -> list[datetime]:
    whole = Minute.objects.filter(task="", queue="", minute__gte=since, minute__lt=before)
    return list(whole.values_list("minute", flat=True))


@dataclass(frozen=True, kw_only=True)
class _Live:
    """What no row has yet: from `since`, of which `known_since` on is known, until `now`."""

    since: datetime
    known_since: datetime
    now: datetime
    table: counting.Table

    @property
    def seconds(self) -> float:
        return (self.now - self.known_since).total_seconds()

    def of(self, task: str, queue: str) -> dict[datetime, Numbers]:
        """By minute; also of minutes in which nothing happened."""
        found = {}
        minute = floor(self.known_since, MINUTE)
        while minute < self.now:
            known = min(self.now, minute + MINUTE) - max(self.known_since, minute)
            counts = self.table.get((minute, task, queue), counting.Counts())
            found[minute] = _numbers(counts.columns(), known.total_seconds())
            minute += MINUTE
        return found


def _live(now: datetime) -> _Live:
    since = minutes.last_closed(now)
    known_since = counting.limit_of(MOST_LIVE_ROWS, since)
    # What is written this very moment may bear a later time.
    table = counting.count(known_since, now + timedelta(seconds=1)) if known_since < now else {}
    return _Live(since=since, known_since=min(known_since, now), now=now, table=table)


def _numbers(columns: Mapping[str, Any], seconds: float) -> Numbers:
    return Numbers(
        seconds=seconds,
        started=columns["started"],
        **{outcome: columns[outcome] for outcome in _OUTCOMES},
        waited=Histogram(counts=tuple(columns[name] for name in WAITED)),
        ran=Histogram(counts=tuple(columns[name] for name in RAN)),
    )


def _sum(parts: Iterable[Numbers]) -> Numbers:
    numbers = list(parts)
    return Numbers(
        seconds=sum(one.seconds for one in numbers),
        started=sum(one.started for one in numbers),
        **{outcome: sum(getattr(one, outcome) for one in numbers) for outcome in _OUTCOMES},
        waited=added(one.waited for one in numbers),
        ran=added(one.ran for one in numbers),
    )
