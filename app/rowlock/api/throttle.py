"""Limits how much one user submits over HTTP, by ROWLOCK["SUBMIT_RATE"]."""

import hashlib
import logging
import math
import time
from http import HTTPStatus

from django.core.cache import BaseCache, cache
from django.core.cache.backends.locmem import LocMemCache

from rowlock.api.problems import ProblemError
from rowlock.conf import PERIODS, settings

logger = logging.getLogger(__name__)

#: Seconds for which a cache that failed is not asked: with a slow failure every submission would wait for it.
PAUSE = 10.0

# Each process counts for itself while the project's cache is down: a limit that is too high, rather than none.
_local = LocMemCache("rowlock-throttle", {})
_ask_again = 0.0


def spend(name: str, runs: int) -> None:
    """Count `runs` submissions of the user `name`; raises a problem when the limit was reached before.

    A batch counts whole, and is taken whole while anything of the limit is left.
    """
    rate = settings().submit_rate
    if not rate:
        return
    number, _, period = rate.partition("/")
    seconds = PERIODS[period]
    now = time.time()
    window, passed = divmod(now, seconds)
    # Names may have what keys of memcached may not.
    key = f"rowlock:submitted:{int(window)}:{hashlib.sha256(name.encode()).hexdigest()[:32]}"
    if _count(key, runs, seconds) - runs < int(number):
        return
    wait = math.ceil(seconds - passed)
    raise ProblemError(
        HTTPStatus.TOO_MANY_REQUESTS,
        f"You may submit {number} runs in {_SPOKEN[period]}; go on in {wait} s.",
        kind="rate",
        headers={"Retry-After": str(wait)},
    )


_SPOKEN = {"s": "a second", "m": "a minute", "h": "an hour", "d": "a day"}


def _count(key: str, runs: int, seconds: int) -> int:
    global _ask_again  # noqa: PLW0603 - the state of this process
    if time.monotonic() >= _ask_again:
        try:
            return _added(cache, key, runs, seconds)
        except Exception as error:  # each cache has its own errors for being down
            _ask_again = time.monotonic() + PAUSE
            logger.warning("the rate limit counts in each process for %.0f s: the cache fails: %r", PAUSE, error)
    return _added(_local, key, runs, seconds)


def _added(counter: BaseCache, key: str, runs: int, seconds: int) -> int:
    try:
        return counter.incr(key, runs)
    except ValueError:
        counter.add(key, 0, timeout=2 * seconds)
        return counter.incr(key, runs)
