"""The relay: publishes what is queued. Every process may run one, for rows are taken by one at a time."""

import atexit
import logging
import os
import random
import threading
import time
from collections import deque
from collections.abc import Sequence

from celery import Celery, current_app
from django.db import Error as DatabaseError
from kombu.exceptions import OperationalError

from rowlock.announce import announce
from rowlock.conf import settings
from rowlock.metrics.outbox import FAILURES, PUBLISHED
from rowlock.models import Run, connections
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
#: Seconds for which runs that `accept` may take belong to this process; then another relay takes it for dead. Longer
#: than their publishing can take.
CLAIM = 20.0
#: Runs, and characters of their arguments, that may wait in memory; what is accepted beyond waits in the database.
MOST_WAITING = 4 * BATCH
MOST_CHARACTERS = 8 * 1024**2


class Relay:
    """Publishes in a thread of its own until it is stopped."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._publisher: Publisher | None = None
        self._expired = 0.0
        #: Runs of this process that are committed and claimed, so that nobody needs to read them from the database.
        self._own: deque[Run] = deque()
        self._own_characters = 0
        self._own_lock = threading.Lock()
        self._is_well = False
        #: Has somebody woken it for what is in the database? Else it is looked at now and then, at this time.
        self._must_look = threading.Event()
        self._next_look = 0.0
        self._thread = threading.Thread(target=self.run, name="rowlock relay", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There is something to publish in the database."""
        self._must_look.set()
        self._woken.set()

    def has_room(self) -> bool:
        """Would a run that is accepted now, claimed for CLAIM seconds, be published at once from memory?"""
        return (
            self._is_well
            and len(self._own) < MOST_WAITING
            and self._own_characters < MOST_CHARACTERS
            and self._thread.is_alive()
        )

    def publish_soon(self, runs: Sequence[Run]) -> None:
        """Publish `runs`, which are committed and claimed. Those that are lost with this process others find."""
        with self._own_lock:
            self._own_characters += sum(len(run.arguments) for run in runs)
            self._own.extend(runs)
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
            elif self._woken.wait(max(0.0, self._next_look - time.monotonic())):
                self._stopping.wait(began + GATHERING - time.monotonic())
            began = time.monotonic()
            self._woken.clear()
            pause = self._publish_all(pause)
        if (self._woken.is_set() or self._own) and not pause:
            self._publish_all(0.0)
        self._is_well = False
        self.close()
        connections.drop()

    def _publish_all(self, pause: float) -> float:
        """Publish what there is; returns how long to wait now, 0 where all went well."""
        try:
            self._publish_own()
            if self._must_look.is_set() or time.monotonic() >= self._next_look:
                self._look()
        except (DatabaseError, OperationalError, OSError) as error:
            pause = min(LONGEST_PAUSE, pause * 2 or 0.5)
            logger.warning("nothing can be published, next try within %.1f s: %s", pause, error)
        except Exception:
            pause = LONGEST_PAUSE
            logger.exception("nothing can be published, next try within %.1f s", pause)
        else:
            self._is_well = True
            return 0.0
        self._is_well, self._next_look = False, 0.0
        FAILURES.inc()
        connections.drop()
        return pause

    def _look(self) -> None:
        was_woken = self._must_look.is_set()
        self._must_look.clear()
        self._next_look = 0.0
        while self.turn() == BATCH:
            # They do not wait for what a long backlog has.
            self._publish_own()
        if was_woken:
            announce()
        remaining = table.seconds_until_next()
        self._next_look = time.monotonic() + (POLL if remaining is None else max(0.0, min(POLL, remaining)))
        connections.rest()

    def _publish_own(self) -> None:
        # What comes meanwhile is for the next turn, with more like it.
        waiting = len(self._own)
        while waiting > 0:
            with self._own_lock:
                runs = [self._own.popleft() for _ in range(min(BATCH, waiting))]
                waiting -= len(runs)
                self._own_characters -= sum(len(run.arguments) for run in runs)
            try:
                publisher = self._connected()
            except Exception:
                table.put_back(runs)
                announce()
                raise
            self._publish(publisher, runs)

    def turn(self) -> int:
        """Publish one batch; returns how many were taken. Raises what the database or the broker raises."""
        if time.monotonic() - self._expired > EXPIRY_POLL:
            self._expired = time.monotonic()
            if table.expire():
                announce()
        remaining = table.seconds_until_next()
        if remaining is None or remaining > 0:
            return 0
        # Before anything is taken: with the broker away nothing is in doubt.
        publisher = self._connected()
        runs = table.take(BATCH)
        if not runs:
            return 0
        self._publish(publisher, runs)
        return len(runs)

    def _connected(self) -> Publisher:
        if self._publisher is None:
            self._publisher = Publisher(self._app)
        self._publisher.connect()
        return self._publisher

    def _publish(self, publisher: Publisher, runs: Sequence[Run]) -> None:
        receipt = publisher.publish(runs)
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

    def close(self) -> None:
        """Let go of the broker; the next turn connects again."""
        if self._publisher is not None:
            self._publisher.close()


_lock = threading.Lock()
_relay: Relay | None = None


def wake() -> None:
    """Publish soon what was just accepted in this process; starts the process's relay at first."""
    if not settings().relay:
        return
    start().wake()


def has_room() -> bool:
    """Would a run that this process accepts now, claimed for CLAIM seconds, be published at once from memory?"""
    return _relay is not None and _relay.has_room()


def publish_soon(runs: Sequence[Run]) -> None:
    """Publish `runs`, which are committed and claimed; ask `has_room` first."""
    start().publish_soon(runs)


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
