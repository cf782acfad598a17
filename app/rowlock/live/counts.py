"""The live view of how many runs there are in each state."""

import asyncio
import time
from asyncio import Task
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from rowlock import statistics
from rowlock.live.feed import Batch, Feed
from rowlock.live.messages import Message, dumps, message
from rowlock.live.threads import in_database
from rowlock.live.view import View
from rowlock.models import FINAL, UNFINISHED, Run, State
from rowlock.runs.viewer import Viewer, visible

#: Seconds between two counts at the least, and how much of the time may be spent on counting where it takes long.
SHORTEST_INTERVAL = 1.0
MOST_OF_THE_TIME = 1 / 20
#: Seconds after which the last hour has moved on, though no run has changed.
LONGEST_INTERVAL = 30.0

Numbers = dict[str, dict[str, int]]


@dataclass(frozen=True, kw_only=True)
class Counts:
    """The subject `counts=1`."""

    async def check(self, viewer: Viewer) -> None:
        """Whoever may log in may see how many runs of theirs there are."""

    def open(self, feed: Feed, viewer: Viewer) -> View:
        key = ("counts", viewer.sees_all, viewer.name if not viewer.sees_all else "")
        counter = feed.shared.get(key)
        if counter is None:
            counter = feed.shared[key] = _Counter(viewer)
        return _View(counter)


def count(viewer: Viewer) -> Numbers:
    """Unfinished runs by state, `scheduled` being those of the queued ones that wait for their time, and those that
    finished within the last hour by state."""
    now = timezone.now()
    runs = visible(Run.objects.order_by(), viewer)
    scheduled = Count("id", filter=Q(due__gt=now))
    unfinished = runs.filter(state__in=UNFINISHED).values("state").annotate(number=Count("id"), scheduled=scheduled)
    counts = {state.label: 0 for state in UNFINISHED} | {"scheduled": 0}
    for row in unfinished:
        counts[State(row["state"]).label] = row["number"]
        counts["scheduled"] += row["scheduled"]
    return {"counts": counts, "last_hour": _everybodys_last_hour() if viewer.sees_all else _last_hour(runs)}


def _everybodys_last_hour() -> dict[str, int]:
    """By the statistics' minutes: at a thousand a second nobody could count millions of runs each second."""
    total = statistics.activity(statistics.Period.HOUR).total
    return {state.label: getattr(total, state.label) for state in FINAL}


def _last_hour(runs: QuerySet[Run]) -> dict[str, int]:
    hour_ago = timezone.now() - timedelta(hours=1)
    last_hour = {state.label: 0 for state in FINAL}
    # `changed` has an index, and nothing finishes without a change.
    finished = runs.filter(changed__gte=hour_ago, finished__gte=hour_ago, state__in=FINAL)
    for state, number in finished.values_list("state").annotate(number=Count("id")):
        last_hour[State(state).label] = number
    return last_hour


class _Counter:
    """Counts for all clients that may see the same runs."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._counting: Task[Numbers] | None = None
        #: When the last count was begun, and the next may begin, by the event loop's clock.
        self.began = float("-inf")
        self.next = float("-inf")

    async def numbers(self) -> Numbers:
        """Count, unless it is too early: then the numbers are those of before."""
        now = asyncio.get_running_loop().time()
        if self._counting is None or (self._counting.done() and now >= self.next):
            self.began = now
            self._counting = asyncio.create_task(self._count())
        return await asyncio.shield(self._counting)

    async def _count(self) -> Numbers:
        began = time.monotonic()
        try:
            return await in_database(lambda: count(self._viewer))
        finally:
            took = time.monotonic() - began
            self.next = asyncio.get_running_loop().time() + max(SHORTEST_INTERVAL, took / MOST_OF_THE_TIME)


class _View:
    def __init__(self, counter: _Counter) -> None:
        self._counter = counter
        self._told: Numbers = {}
        self._changed = float("-inf")

    async def snapshot(self, token: datetime) -> Message:
        self._changed = asyncio.get_running_loop().time()
        self._told = await self._counter.numbers()
        return message("snapshot", token, **_texts(self._told))

    async def resume(self, since: datetime, token: datetime) -> Message | None:
        return None

    async def delta(self, batch: Batch) -> Message | None:
        self._changed = asyncio.get_running_loop().time()
        return None

    def due(self) -> float:
        is_old = self._counter.began < self._changed
        return self._counter.next if is_old else self._counter.began + LONGEST_INTERVAL

    async def tick(self, token: datetime) -> Message | None:
        numbers = await self._counter.numbers()
        news = {
            name: {state: number for state, number in numbers[name].items() if self._told[name][state] != number}
            for name in numbers
        }
        self._told = numbers
        news = {name: states for name, states in news.items() if states}
        return message("delta", token, **_texts(news)) if news else None


def _texts(numbers: dict[str, Any]) -> dict[str, str]:
    return {name: dumps(states) for name, states in numbers.items()}
