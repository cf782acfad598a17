"""The relay: publishes what is queued. Every process may run one, for rows are taken by one at a time."""

import atexit
import logging
import os
import random
import threading
import time

from celery import Celery, current_app
from django.db import Error as DatabaseError
from kombu.exceptions import OperationalError

from rowlock.announce import announce
from rowlock.conf import settings
from rowlock.metrics.outbox import FAILURES, PUBLISHED
from rowlock.models import connections
from rowlock.outbox import table
from rowlock.outbox.publisher import Publisher

logger = logging.getLogger(__name__)

BATCH = 500
#: Seconds between looks when nobody wakes the relay, for what other processes have left.
POLL = 1.0
#: Seconds between looks for expired runs.
EXPIRY_POLL = 5.0
LONGEST_PAUSE = 5.0
#: Seconds between two turns of a busy relay: what is accepted meanwhile is published together.
GATHERING = 0.05
#: Seconds that a process which ends still gives to what it has accepted.
FAREWELL = 5.0


class Relay:
    """Publishes in a thread of its own until it is stopped."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._publisher: Publisher | None = None
        self._expired = 0.0
        self._thread = threading.Thread(target=self.run, name="rowlock relay", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There is something to publish."""
        self._woken.set()

    def stop(self, *, seconds: float) -> None:
        """Publish what was accepted here, but take no longer than `seconds` for it."""
        self._stopping.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def run(self) -> None:
        """Publish until stopped, in the calling thread."""
        pause, began = 0.0, 0.0
        while not self._stopping.is_set():
            if pause:
                # Half of it by chance, so that not all processes come back at once.
                self._stopping.wait(pause * random.uniform(0.5, 1))  # noqa: S311 - no secret
            elif self._woken.wait(self._patience()):
                self._stopping.wait(began + GATHERING - time.monotonic())
            began = time.monotonic()
            was_woken = self._woken.is_set()
            self._woken.clear()
            pause = self._publish_all(pause)
            if was_woken:
                announce()
        if self._woken.is_set() and not pause:
            self._publish_all(0.0)
        self.close()
        connections.drop()

    def _publish_all(self, pause: float) -> float:
        """Publish what there is; returns how long to wait now, 0 where all went well."""
        try:
            while self.turn() == BATCH:
                pass
        except (DatabaseError, OperationalError, OSError) as error:
            pause = min(LONGEST_PAUSE, pause * 2 or 0.5)
            logger.warning("nothing can be published, next try within %.1f s: %s", pause, error)
        except Exception:
            pause = LONGEST_PAUSE
            logger.exception("nothing can be published, next try within %.1f s", pause)
        else:
            return 0.0
        FAILURES.inc()
        connections.drop()
        return pause

    def turn(self) -> int:
        """Publish one batch; returns how many were taken. Raises what the database or the broker raises."""
        if time.monotonic() - self._expired > EXPIRY_POLL:
            self._expired = time.monotonic()
            if table.expire():
                announce()
        remaining = table.seconds_until_next()
        if remaining is None or remaining > 0:
            return 0
        if self._publisher is None:
            self._publisher = Publisher(self._app)
        # Before anything is taken: with the broker away nothing is in doubt.
        self._publisher.connect()
        runs = table.take(BATCH)
        if not runs:
            return 0
        receipt = self._publisher.publish(runs)
        PUBLISHED.inc(len(receipt.confirmed))
        FAILURES.inc(len(receipt.refused))
        table.mark_published(receipt.confirmed)
        table.put_back_in_doubt(receipt.uncertain)
        table.put_back(receipt.unsent)
        for run, reason in receipt.refused:
            logger.error("%s %s was refused: %s", run.task, run.id, reason)
            table.put_back_refused(run, reason)
        announce()
        if receipt.error is not None:
            raise OperationalError(str(receipt.error)) from receipt.error
        return len(runs)

    def close(self) -> None:
        """Let go of the broker; the next turn connects again."""
        if self._publisher is not None:
            self._publisher.close()

    def _patience(self) -> float:
        try:
            remaining = table.seconds_until_next()
        except DatabaseError:
            connections.drop()
            return POLL
        connections.rest()
        return POLL if remaining is None else max(0.0, min(POLL, remaining))


_lock = threading.Lock()
_relay: Relay | None = None


def wake() -> None:
    """Publish soon what was just accepted in this process; starts the process's relay at first."""
    if not settings().relay:
        return
    start().wake()


def start(app: Celery | None = None) -> Relay:
    """The relay of this process, which runs from now on."""
    global _relay  # noqa: PLW0603 - one a process
    with _lock:
        if _relay is None:
            _relay = Relay(app or current_app._get_current_object())
            _relay.start()
            atexit.register(_relay.stop, seconds=FAREWELL)
        return _relay


def relay_once(app: Celery | None = None) -> int:
    """Publish one batch here and now; returns how many were taken. Raises what the database or the broker raises."""
    relay = Relay(app or current_app._get_current_object())
    try:
        return relay.turn()
    finally:
        relay.close()


def _forget() -> None:
    # Threads do not survive a fork; a child that accepts tasks starts its own.
    global _relay, _lock
    _relay, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget)
