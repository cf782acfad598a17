"""The changes of runs in this process: read once for all clients, and only while there are any.

A client holds its place in the feed and fetches from there when it is ready for more, so nothing is kept for it. One
that comes too late for what the feed still has begins with a new snapshot.
"""

import asyncio
import logging
import time
from asyncio import AbstractEventLoop, Task
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary, WeakValueDictionary

from django.db import Error as DatabaseError

from rowlock.conf import settings
from rowlock.live import shutdown
from rowlock.live.announcements import Announcements
from rowlock.live.answers import Answers
from rowlock.live.changes import Changes, News
from rowlock.live.threads import DatabaseThread

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds between two looks: without announcements, and with them.
INTERVAL = 0.5
ANNOUNCED_INTERVAL = 5.0
#: Seconds between two looks where change follows on change: so many that looking takes a tenth of the time, within
#: these bounds.
SHORTEST_INTERVAL = 0.01
BUSY_INTERVAL = 0.1
#: Ids in one batch, which is what a client holds while it sends.
BATCH = 250
#: Ids that the feed keeps for clients that are behind.
KEPT = 10_000


class Batch:
    """Runs that changed at about the same time; `token` is the horizon of who has everything up to this batch."""

    def __init__(self, number: int, ids: frozenset[UUID], token: datetime) -> None:
        self.number = number
        self.ids = ids
        self.token = token
        self._answers = Answers()

    async def once(self, key: Hashable, ask: Callable[[], T], thread: DatabaseThread) -> T:
        """The answer of `ask`, asked once for all clients that want `key` of this batch at the same time."""
        return await self._answers.once(key, lambda: thread.do(ask))


class Feed:
    """The feed of one event loop; `listening` gives it."""

    def __init__(self) -> None:
        self.thread = DatabaseThread()
        self.listeners = 0
        #: Where a client that has just read everything stands: a place in this feed, and for any other.
        self.last = 0
        self.token: datetime | None = None
        self.in_trouble = False
        self.is_closing = False
        #: None without Redis.
        self.announcements: Announcements | None = None
        #: What clients share besides, for as long as somebody uses it.
        self.shared: WeakValueDictionary[Hashable, Any] = WeakValueDictionary()
        self.answers = Answers()
        self._batches: dict[int, Batch] = {}
        self._kept = 0
        #: Clients that stand before this place have missed something.
        self._complete_from = 0
        self._changes = Changes()
        self._news = asyncio.Event()
        self._wake = asyncio.Event()
        self._tasks: list[Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._look_for_ever())]
        if url := settings().live_redis_url:
            self.announcements = Announcements(url, self._wake.set)
            self._tasks.append(asyncio.create_task(self.announcements.listen()))

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        self.thread.end()

    def close(self) -> None:
        """The process is about to end: clients shall go."""
        self.is_closing = True
        self._notify()

    def has_lost(self, place: int) -> bool:
        """Has a client that stands at `place` missed something?"""
        return place < self._complete_from

    def after(self, place: int) -> Batch | None:
        """The batch after `place`, None when that was the last."""
        return self._batches.get(place + 1)

    async def news(self, seconds: float) -> None:
        """Wait until there may be something new, `seconds` at the most."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            pass

    async def _look_for_ever(self) -> None:
        while True:
            self._wake.clear()
            began = time.monotonic()
            try:
                self._take(await self.thread.do(self._changes.look))
            except DatabaseError as error:
                if not self.in_trouble:
                    logger.warning("live views wait for the database: %s", error)
                    self.in_trouble = True
                    self._notify()
            except Exception:
                # A feed that has ended would leave its clients waiting for ever.
                logger.exception("live views could not look for changes")
            took = time.monotonic() - began
            # Half of the time at the most is spent on looking.
            await asyncio.sleep(max(SHORTEST_INTERVAL, min(BUSY_INTERVAL, 9 * took), took))
            are_announced = self.announcements is not None and self.announcements.are_coming
            try:
                async with asyncio.timeout(ANNOUNCED_INTERVAL if are_announced else INTERVAL):
                    await self._wake.wait()
            except TimeoutError:
                pass

    def _take(self, news: News) -> None:
        is_first = self.token is None
        before, self.token = self.token or news.horizon, news.horizon
        if news.too_many:
            self.last += 1
            self._complete_from = self.last
            self._batches.clear()
            self._kept = 0
        pieces = [frozenset(news.ids[start : start + BATCH]) for start in range(0, len(news.ids), BATCH)]
        for index, ids in enumerate(pieces, start=1):
            self._append(ids, news.horizon if index == len(pieces) else before)
        if pieces or news.too_many or self.in_trouble or is_first:
            self.in_trouble = False
            self._notify()

    def _append(self, ids: frozenset[UUID], token: datetime) -> None:
        self.last += 1
        self._batches[self.last] = Batch(self.last, ids, token)
        self._kept += len(ids)
        while self._kept > KEPT:
            oldest = next(iter(self._batches))
            self._kept -= len(self._batches.pop(oldest).ids)
            self._complete_from = oldest

    def _notify(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


_feeds: WeakKeyDictionary[AbstractEventLoop, Feed] = WeakKeyDictionary()


@asynccontextmanager
async def listening() -> AsyncIterator[Feed]:
    """The feed of this event loop, which lives while somebody is in here."""
    loop = asyncio.get_running_loop()
    feed = _feeds.get(loop)
    if feed is None:
        feed = _feeds[loop] = Feed()
        feed.start()
        shutdown.watch(loop, feed.close)
    feed.listeners += 1
    try:
        yield feed
    finally:
        feed.listeners -= 1
        if feed.listeners == 0:
            shutdown.forget(loop)
            del _feeds[loop]
            feed.stop()
