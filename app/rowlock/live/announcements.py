"""Hearing over Redis that some run has changed."""

import asyncio
import logging
from collections.abc import Callable

from redis import RedisError
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from rowlock.announce import CHANNEL

logger = logging.getLogger(__name__)

TIMEOUT = 5.0
#: Seconds of silence after which Redis is asked whether it is there, and after which it counts as gone.
ASK_AFTER = 10.0
GONE_AFTER = 25.0
#: Seconds between attempts to connect, the first and the longest.
PAUSE = 0.5
LONGEST_PAUSE = 15.0


class Announcements:
    """A subscription that is made again whenever it is lost; `heard` is called for each announcement."""

    def __init__(self, url: str, heard: Callable[[], None]) -> None:
        self._url = url
        self._heard = heard
        #: Can announcements be relied upon just now?
        self.are_coming = False

    async def listen(self) -> None:
        """Listen until cancelled."""
        pause = PAUSE
        while True:
            try:
                await self._listen_once()
            except (RedisError, OSError) as error:
                if self.are_coming or pause == PAUSE:
                    logger.warning("live views look for changes themselves, Redis does not answer: %s", error)
                pause = PAUSE if self.are_coming else min(pause * 2, LONGEST_PAUSE)
                self.are_coming = False
                self._heard()
            await asyncio.sleep(pause)

    async def _listen_once(self) -> None:
        client = Redis.from_url(
            self._url, socket_connect_timeout=TIMEOUT, socket_timeout=TIMEOUT, retry=Retry(NoBackoff(), 0)
        )
        async with client, client.pubsub() as subscription:
            await subscription.subscribe(CHANNEL)
            await self._follow(subscription)

    async def _follow(self, subscription: PubSub) -> None:
        silent = 0.0
        while True:
            message = await subscription.get_message(timeout=ASK_AFTER)
            if message is None:
                silent += ASK_AFTER
                if silent >= GONE_AFTER:
                    raise TimeoutError(f"nothing heard from it for {silent:.0f} s")
                await subscription.ping()
                continue
            silent = 0.0
            if message["type"] in ("subscribe", "message"):
                # What was announced before the subscription was made is asked for as well.
                self.are_coming = True
                self._heard()
