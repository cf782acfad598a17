"""Writes what a worker's tasks have returned to Celery's Redis backend, in one round trip for many."""

import math
import time
from collections import deque
from collections.abc import Iterable
from typing import Any

from celery import Celery
from celery.utils.log import get_logger
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from rowlock.celery.results import Stored

logger = get_logger(__name__)

#: Seconds for Redis to answer: the history, and so the acks, wait for it.
PATIENCE = 2.0
#: Seconds after a write that failed.
PAUSE = 5.0
#: While Redis is away so many are kept for it, the newest. The history has them all.
MOST = 10_000


class ResultWriter:
    """All but `add` belongs to the thread that writes."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._waiting: deque[Stored] = deque(maxlen=MOST)
        self._client: Redis | None = None
        #: In monotonic seconds.
        self._again = -math.inf

    def add(self, stored: Iterable[Stored]) -> None:
        """Take what is to be stored; from any thread."""
        self._waiting.extend(stored)

    @property
    def is_waiting(self) -> bool:
        """Is there anything that is not stored and could be?"""
        return bool(self._waiting) and time.monotonic() >= self._again

    def write(self) -> None:
        """Never raises: what Redis does not take now is tried again."""
        if not self.is_waiting:
            return
        batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            answers = self._send(batch)
        except (RedisError, OSError) as error:
            logger.warning("the result backend takes no results, next try in %.0f s: %s", PAUSE, error)
            for one in reversed(batch):
                if len(self._waiting) < MOST:
                    self._waiting.appendleft(one)
            self._again = time.monotonic() + PAUSE
            return
        refused = [answer for answer in answers if isinstance(answer, Exception)]
        if refused:
            logger.warning("the result backend does not take %d results: %s", len(refused), refused[0])

    def _send(self, batch: list[Stored]) -> list[Any]:
        if self._client is None:
            self._client = self._connected()
        pipe = self._client.pipeline(transaction=False)
        for one in batch:
            pipe.set(one.key, one.value, ex=one.expires or None, nx=one.is_first)
            # Who waits for the result has subscribed to its key.
            pipe.publish(one.key, one.value)
        return pipe.execute(raise_on_error=False)

    def _connected(self) -> Redis:
        # The thread's own: its parameters but for the patience are the backend's.
        backend = self._app.backend
        limits = ("socket_timeout", "socket_connect_timeout")
        patience = {name: PATIENCE for name in limits if name in backend.connparams}
        # Once more, for a connection that Redis has closed meanwhile.
        client: Redis = backend._create_client(**{**backend.connparams, **patience, "retry": Retry(NoBackoff(), 1)})
        return client
