"""Writes what a worker's tasks have returned to Celery's Redis backend, in one round trip for many."""

import math
import time
from collections import deque
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from celery import Celery
from celery.utils.log import get_logger
from redis import ConnectionError as RedisConnectionError
from redis import Redis, RedisError, ResponseError
from redis import TimeoutError as RedisTimeoutError
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
#: So many are sent before the answers are read.
CHUNK = 500


class ResultWriter:
    """All but `add` belongs to the thread that writes."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._waiting: deque[Stored] = deque(maxlen=MOST)
        #: The thread's own, of no pool: neither lent nor looked at before each use.
        self._connection: Any = None
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
        try:
            return self._exchange(batch)
        except (RedisConnectionError, RedisTimeoutError):
            # Once more, for a connection that Redis has closed meanwhile.
            return self._exchange(batch)

    def _exchange(self, batch: list[Stored]) -> list[Any]:
        if self._connection is None:
            self._connection = self._made()
        connection, answers = self._connection, []
        for at in range(0, len(batch), CHUNK):
            chunk = batch[at : at + CHUNK]
            connection.send_packed_command([b"".join(map(packed, chunk))])
            # One for what was set and one for what was published.
            answers += [_answer(connection) for _ in range(2 * len(chunk))]
        return answers

    def _made(self) -> Any:
        # Its parameters but for the patience are the backend's.
        backend = self._app.backend
        limits = ("socket_timeout", "socket_connect_timeout")
        patience = {name: PATIENCE for name in limits if name in backend.connparams}
        client: Redis = backend._create_client(**{**backend.connparams, **patience, "retry": Retry(NoBackoff(), 0)})
        return client.connection_pool.make_connection()


def packed(one: Stored) -> bytes:
    """The commands that store `one` and tell who waits for it, in Redis's protocol.

    A pipeline of redis-py would build the same in five times the processor time, more than its task may have taken
    (https://redis.io/docs/latest/develop/reference/protocol-spec/).
    """
    key, value, expires, is_first = one
    if isinstance(value, str):
        value = value.encode()
    both = b"$%d\r\n%b\r\n$%d\r\n%b\r\n" % (len(key), key, len(value), value)
    before, between = _around(expires, is_first)
    # Who waits for the result has subscribed to its key.
    return before + both + between + both


@lru_cache
def _around(expires: int, is_first: bool) -> tuple[bytes, bytes]:
    """What comes before the key and the value that are set, and between those and the ones that are published."""
    options = [*((b"EX", b"%d" % expires) if expires else ()), *((b"NX",) if is_first else ())]
    return b"*%d\r\n" % (3 + len(options)) + _words(b"SET"), _words(*options) + b"*3\r\n" + _words(b"PUBLISH")


def _words(*words: bytes) -> bytes:
    return b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in words])


def _answer(connection: Any) -> Any:
    try:
        return connection.read_response()
    except ResponseError as error:
        return error
