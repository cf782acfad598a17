"""Telling live views at once that some run has changed, over Redis. They look by themselves too, only later."""

import logging
import threading
import time
from functools import cache

from django.core.signals import setting_changed
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from rowlock.conf import settings

logger = logging.getLogger(__name__)

CHANNEL = "rowlock:changed"
#: Seconds that an announcement may take, and for which none is tried after one has failed.
TIMEOUT = 1.0
PAUSE = 5.0

_lock = threading.Lock()
_silent_until = 0.0


def announce() -> None:
    """Tell live views that some run has changed. Call it after the commit, from a thread that may wait a little.

    Never raises: without it views are late by seconds, and that is all.
    """
    global _silent_until  # noqa: PLW0603 - one pause for the threads of a process
    url = settings().live_redis_url
    if not url or time.monotonic() < _silent_until:
        return
    try:
        _client(url).publish(CHANNEL, b"")
    except (RedisError, OSError) as error:
        with _lock:
            was_silent = time.monotonic() < _silent_until
            _silent_until = time.monotonic() + PAUSE
        if not was_silent:
            logger.warning("live views hear of changes late, Redis does not answer: %s", error)


@cache
def _client(url: str) -> Redis:
    # redis-py tries three times with pauses unless it is told not to.
    return Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=Retry(NoBackoff(), 0))


def _forget(setting: str, **kwargs: object) -> None:
    global _silent_until  # noqa: PLW0603
    if setting == "ROWLOCK":
        _client.cache_clear()
        _silent_until = 0.0


setting_changed.connect(_forget)
