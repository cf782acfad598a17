"""The messages of one live view, whatever they travel over."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime

from django.db import Error as DatabaseError

from rowlock.live.access import Access
from rowlock.live.feed import Feed, listening
from rowlock.live.messages import HEARTBEAT as ALIVE
from rowlock.live.messages import Code, EndedError, Message, dumps, message
from rowlock.live.view import NEVER, Subject, View
from rowlock.runs.viewer import Viewer

logger = logging.getLogger(__name__)

#: Seconds of silence after which a heartbeat tells proxies and clients that the connection lives.
HEARTBEAT = 15.0
#: Seconds after which a client must still have the rights it had.
RECHECK = 15.0
#: Seconds between two attempts while the database is down.
RETRY = 1.0


@dataclass(frozen=True, kw_only=True)
class Request:
    """Who asks for what; `since` is the token of the last message that the client had before, if it had any."""

    access: Access
    viewer: Viewer
    subject: Subject
    since: datetime | None = None


async def messages(request: Request) -> AsyncGenerator[Message, None]:
    """Messages for as long as the client takes them; raises EndedError when there will be no more."""
    async with listening() as feed:
        stream = _Stream(request, feed)
        while True:
            if (found := await stream.next()) is not None:
                yield found


@dataclass(kw_only=True)
class _Times:
    heartbeat: float = NEVER
    recheck: float = NEVER


class _Stream:
    def __init__(self, request: Request, feed: Feed) -> None:
        self._feed = feed
        self._access = request.access
        self._subject = request.subject
        self._since = request.since
        self._viewer = request.viewer
        self._view: View = request.subject.open(feed, request.viewer)
        #: Where it stands in the feed; None before the first message.
        self._place: int | None = None
        self._has_told_trouble = False
        self._clock = asyncio.get_running_loop().time
        self._times = _Times(heartbeat=self._clock() + HEARTBEAT, recheck=self._clock() + RECHECK)

    async def next(self) -> Message | None:
        """The next message, or None when there was none to tell after a while."""
        if self._feed.is_closing:
            raise EndedError(Code.RESTARTING, "The server is going away; connect again.")
        try:
            found = await self._step()
        except DatabaseError as error:
            logger.warning("a live view waits for the database: %s", error)
            found = self._trouble()
            if found is None:
                await self._feed.news(RETRY)
        if found is not None:
            self._times.heartbeat = self._clock() + HEARTBEAT
        return found

    async def _step(self) -> Message | None:
        if self._feed.in_trouble:
            if not self._has_told_trouble:
                return self._trouble()
            await self._feed.news(RETRY)
            return None
        if self._clock() >= self._times.recheck:
            await self._recheck()
        token = self._feed.token
        if token is None:
            await self._feed.news(RETRY)
            return None
        if self._place is None or self._feed.has_lost(self._place):
            return await self._begin(token)
        batch = self._feed.after(self._place)
        if batch is not None:
            found = await self._view.delta(batch)
            self._place = batch.number
            return found
        return await self._idle(token)

    async def _begin(self, token: datetime) -> Message:
        # Before it is read, so that what changes meanwhile comes as a delta.
        place = self._feed.last
        found = None if self._since is None else await self._view.resume(self._since, token)
        if found is None:
            found = await self._view.snapshot(token)
        self._since, self._place, self._has_told_trouble = None, place, False
        return found

    async def _idle(self, token: datetime) -> Message | None:
        now = self._clock()
        if now >= self._view.due():
            # Whatever came meanwhile must not be waited for again.
            return await self._view.tick(token)
        if now >= self._times.heartbeat or self._has_told_trouble:
            self._has_told_trouble = False
            return message(ALIVE, token)
        await self._feed.news(max(0.0, min(self._view.due(), self._times.heartbeat, self._times.recheck) - now))
        return None

    def _trouble(self) -> Message | None:
        if self._has_told_trouble:
            return None
        self._has_told_trouble = True
        return message(
            "unavailable", None, detail=dumps("The database does not answer; the view goes on when it does.")
        )

    async def _recheck(self) -> None:
        self._times.recheck = self._clock() + RECHECK
        try:
            viewer = await self._access.viewer()
        except DatabaseError:
            raise
        except Exception:
            # Sessions may be kept elsewhere, and that may be down.
            logger.exception("the rights of a live view could not be looked up again")
            return
        if viewer is None:
            raise EndedError(Code.UNAUTHENTICATED, "The token or session is no longer valid; log in again.")
        await self._subject.check(viewer)
        if viewer != self._viewer:
            # Other runs may be seen now.
            self._viewer, self._view, self._place = viewer, self._subject.open(self._feed, viewer), None
